// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hawser run: a command in a container that lives as long as the command.
 *
 *	load the networks
 *	make a network namespace
 *	start a keeper, which attaches it       (keeper.h)
 *	run the command in it                   (container.h)
 *	have the keeper detach it
 *
 * Until the command runs, a signal simply ends us: the keeper, whose line then
 * breaks, puts everything back, as it does when we are killed later.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "runtime/container.h"
#include "runtime/keeper.h"
#include "runtime/netns.h"
#include "runtime/places.h"
#include "runtime/publish.h"
#include "runtime/verb.h"

struct request {
	struct places places;
	const char *networks[NETWORKS_MAX];
	size_t n;
	const char *ports[PUBLISH_MAX];
	size_t n_ports;
	const char *rootfs;
	const char *hostname;
	char **command;
};

static const struct argp_option options[] = {
	{ "net", 'n', "NETWORK", 0,
	  "Attach to NETWORK, as eth0; more of these are eth1, ...", 0 },
	{ "publish", 'p', "PORTS", 0,
	  "Let [ADDRESS:]HOST:CONTAINER[/PROTOCOL] of the host lead to the container; HOST and CONTAINER may be ranges",
	  0 },
	{ "rootfs", 'r', "DIR", 0, "Let the root directory be DIR", 0 },
	{ "hostname", 'H', "NAME", 0,
	  "Let the hostname be NAME, by which networks with name resolution know the container",
	  0 },
	{ 0 },
};

static const struct argp_child children[] = { { &places_argp, 0, NULL, 0 },
					      { 0 } };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *req = state->input;

	switch (key) {
	case 'n':
		if (req->n == NETWORKS_MAX)
			argp_error(state, "more than %d networks",
				   NETWORKS_MAX);
		req->networks[req->n++] = arg;
		return 0;
	case 'p':
		if (req->n_ports == PUBLISH_MAX)
			argp_error(state, "more than %d --publish",
				   PUBLISH_MAX);
		req->ports[req->n_ports++] = arg;
		return 0;
	case 'r':
		req->rootfs = arg;
		return 0;
	case 'H':
		req->hostname = arg;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &req->places;
		return 0;
	case ARGP_KEY_ARG:
		req->command = state->argv + state->next - 1;
		state->next = state->argc; /* its options are not ours */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp run_argp = {
	options, parse, "[--] CMD [ARGUMENT...]",
	"Run a command in a container that ends with it: network, mount, process, hostname and IPC namespaces of its own, attached to networks by their CNI plugins."
	"\vPORTS, of which there may be several, separated by commas, go to the first network that publishes any. CAP_ARGS (JSON) says more, as with \"hawser add\". The exit status is the command's; 128 and the signal's number if one killed it. Everything is taken down however it ends. "
	"This separates, it does not confine: root in the container is root.",
	children
};

static const char *make_container_id(struct arena *a)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return NULL;
	return arena_printf(a, "hawser-%016llx", (unsigned long long)number);
}

static int run(const struct request *req, char *const *env, struct arena *a,
	       int *ret_status, struct err *e)
{
	struct cni_list lists[NETWORKS_MAX];
	struct container container = { .rootfs = req->rootfs,
				       .hostname = req->hostname,
				       .command = req->command };
	struct keeper_job job = { .networks = { .lists = lists, .n = req->n } };
	struct networks *nets = &job.networks;
	struct keeper keeper;
	struct cni_runtime rt;
	_close_ int netns = -1;
	struct err why;
	int r, undone;

	r = places_runtime(&req->places, env, a, &rt, e);
	if (!r)
		r = networks_load(req->places.conf_dir, req->networks, req->n,
				  a, lists, e);
	if (!r)
		r = networks_args(req->hostname, a, &nets->args, e);
	if (!r)
		r = networks_capability_args(nets, env, req->ports,
					     req->n_ports, a,
					     &nets->capability_args, e);
	if (!r)
		r = netns_create(&netns, e);
	if (r)
		return r;

	nets->rt = &rt;
	job.netns = container.netns = netns;
	nets->container_id = make_container_id(a);
	r = nets->container_id ? keeper_start(&job, &keeper, e) : err_oom(e);
	if (r)
		return r;

	container.resolv_conf = keeper.resolv_conf;
	r = container_run(&container, ret_status, e);
	undone = keeper_finish(&keeper, &why);
	if (!r && undone)
		*e = why;
	return r ? r : undone;
}

int verb_run(int argc, char *argv[], char *const *env)
{
	struct request req = { .places = places_default(env) };
	_arena_ struct arena arena = { 0 };
	struct err e = { 0 };
	int status = 0;

	if (argp_parse(&run_argp, argc, argv, ARGP_IN_ORDER, NULL, &req))
		return 1;
	signal(SIGCHLD,
	       SIG_DFL); /* ignored by the caller, it would hide ends */
	if (run(&req, env, &arena, &status, &e)) {
		verb_fail(argv[0], &e);
		return status ? status : 1;
	}
	return status;
}
