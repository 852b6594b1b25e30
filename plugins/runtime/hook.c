// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hawser hook: what an OCI runtime runs when a container comes and goes.
 *
 *	createRuntime (status "creating", crun: "created")
 *		the namespaces are there, the container's root is not: attach
 *	poststop (status "stopped")
 *		the namespace may have gone: detach what the cache knows, and what
 *		a hook may have begun that was killed
 *
 * Nothing is printed on stdout, which some runtimes give to the container's owner.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/args.h"
#include "kernel/netns.h"
#include "runtime/networks.h"
#include "runtime/oci.h"
#include "runtime/places.h"
#include "runtime/publish.h"
#include "runtime/verb.h"

struct request {
	struct places places;
	const char *networks[NETWORKS_MAX];
	size_t n_networks;
	const char *ports[PUBLISH_MAX];
	size_t n_ports;
};

static const struct argp_option options[] = {
	{ "net", 'n', "NETWORK", 0,
	  "Attach to NETWORK, as eth0; more of these are eth1, ...", 0 },
	{ "publish", 'p', "PORTS", 0,
	  "Let [ADDRESS:]HOST:CONTAINER[/PROTOCOL] of the host lead to the container; HOST and CONTAINER may be ranges",
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
		if (req->n_networks == NETWORKS_MAX)
			argp_error(state, "more than %d networks",
				   NETWORKS_MAX);
		req->networks[req->n_networks++] = arg;
		return 0;
	case 'p':
		if (req->n_ports == PUBLISH_MAX)
			argp_error(state, "more than %d --publish",
				   PUBLISH_MAX);
		req->ports[req->n_ports++] = arg;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &req->places;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp hook_argp = {
	options, parse, NULL,
	"Attach a container of an OCI runtime (crun, runc, youki, podman --hooks-dir) to networks, and detach it: a hook for the stages createRuntime and poststop, which reads the container's state on stdin and sees there which of the two it is."
	"\vThe container's annotations go before the options:\n"
	"  hawser.networks=NETWORK,...  instead of --net; \"\" for none\n"
	"  hawser.ports=PORTS,...       instead of --publish\n"
	"  hawser.name=NAME             by which networks with name resolution know it, instead of the hostname in config.json\n"
	"Several are separated by commas or blanks. PORTS go to the first network that publishes any. CAP_ARGS (JSON) and CNI_PATH in the hook's \"env\" are as with \"hawser add\".\n\n"
	"The container needs a network namespace of its own. When it cannot be attached to all networks, it is to none, and the runtime gives it up. "
	"Its resolv.conf is the bundle's affair. Containers of runtimes that share a cache directory need different IDs.",
	children
};

/* --- what is asked for ---------------------------------------------------- */

/* The annotation's names take the place of the options'. */
static int choose_networks(struct request *req, const struct oci_state *state,
			   struct arena *a, struct err *e)
{
	const char *annotation = state->annotations.networks;
	char *rest, *name;

	if (!annotation)
		return 0;
	rest = arena_strdup(a, annotation);
	if (!rest)
		return err_oom(e);
	req->n_networks = 0;
	while ((name = strsep(&rest, ", "))) {
		if (!*name)
			continue;
		if (req->n_networks == NETWORKS_MAX)
			return err_set(
				e, ERR_CONFIG, E2BIG,
				"annotation \"hawser.networks\": more than %d networks",
				NETWORKS_MAX);
		req->networks[req->n_networks++] = name;
	}
	return 0;
}

static void choose_ports(struct request *req, const struct oci_state *state)
{
	if (!state->annotations.ports)
		return;
	req->ports[0] = state->annotations.ports;
	req->n_ports = *req->ports[0] ? 1 : 0;
}

/* --- the container's namespace -------------------------------------------- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Where plugins find it: at its own path, if it has one, for that is still good
 * when the process has gone. */
static int find_netns(const struct oci_state *state,
		      const struct oci_config *config, struct arena *a,
		      const char **ret, struct err *e)
{
	const char *path =
		arena_printf(a, "/proc/%lld/ns/net", (long long)state->pid);
	struct stat theirs, other;

	if (!path)
		return err_oom(e);
	if (!state->pid)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "container \"%s\" is %s and has no \"pid\"",
			       state->id, state->status);
	if (stat(path, &theirs))
		return err_sys(e, "network namespace of container \"%s\" (%s)",
			       state->id, path);
	if (!stat("/proc/self/ns/net", &other) && same_file(&theirs, &other))
		return err_set(
			e, ERR_NETNS, EINVAL,
			"container \"%s\" has no network namespace of its own: its config.json must ask for one (linux.namespaces, type \"network\")",
			state->id);
	*ret = path;
	if (config->netns && !stat(config->netns, &other) &&
	    same_file(&theirs, &other))
		*ret = config->netns;
	return 0;
}

/* --- createRuntime -------------------------------------------------------- */

/* What the container is called, where and by whom. */
static int describe(const struct oci_state *state, struct networks *nets,
		    struct arena *a, struct err *e)
{
	struct oci_config config = { 0 };
	const char *name = state->annotations.name;
	int r = 0;

	if (state->bundle)
		r = oci_config_read(state->bundle, a, &config, e);
	if (!r)
		r = find_netns(state, &config, a, &nets->netns, e);
	if (!name)
		name = config.hostname;
	return r ? r
		 : networks_args(name && *name ? name : NULL, a, &nets->args,
				 e);
}

static int attach(const struct request *req, const struct cni_runtime *rt,
		  const struct oci_state *state, struct arena *a, struct err *e)
{
	struct cni_list lists[NETWORKS_MAX];
	struct networks nets = { .rt = rt,
				 .lists = lists,
				 .n = req->n_networks,
				 .container_id = state->id };
	int r = cni_check_container_id(state->id, e);

	if (!r && !nets.n && !state->annotations.networks)
		r = err_set(
			e, ERR_CONFIG, EINVAL,
			"no network: neither --net nor the annotation \"hawser.networks\" names one");
	if (r || !nets.n)
		return r;
	r = networks_load(req->places.conf_dir, req->networks, nets.n, a, lists,
			  e);
	if (!r)
		r = networks_capability_args(&nets, rt->env, req->ports,
					     req->n_ports, a,
					     &nets.capability_args, e);
	if (!r)
		r = describe(state, &nets, a, e);
	return r ? r : networks_attach(&nets, a, NULL, e);
}

/* --- poststop ------------------------------------------------------------- */

/* eth10 before eth2: the reverse of how they were attached. */
static int last_first(const void *a, const void *b)
{
	const struct cni_cached *x = a, *y = b;

	return strverscmp(y->attachment.ifname, x->attachment.ifname);
}

/* By the list that it was attached with, or else that of this name. */
static int detach_cached(const struct request *req,
			 const struct cni_runtime *rt,
			 const struct cni_cached *cached, struct arena *a,
			 struct err *e)
{
	struct cni_attachment at = cached->attachment;
	struct cni_list list;
	int r = networks_list_of(cached, req->places.conf_dir, a, &list, e);

	/* the number may be another process's by now */
	if (at.netns && !strncmp(at.netns, "/proc/", 6))
		at.netns = "";
	if (!r)
		r = cni_attachment_del(rt, &list, &at, e);
	if (r)
		err_wrap(e, "network \"%s\"", cached->network);
	return r;
}

static bool is_cached(const struct cni_cached_list *cached, const char *ifname)
{
	for (size_t i = 0; i < cached->n; i++)
		if (!strcmp(cached->v[i].attachment.ifname, ifname))
			return true;
	return false;
}

/* What a hook was about to attach when it was killed. There was nothing where
 * there is no network. */
static int detach_uncached(const struct request *req,
			   const struct cni_runtime *rt, size_t i,
			   const char *ifname, const char *container_id,
			   struct arena *a, struct err *e)
{
	struct cni_attachment at = { .container_id = container_id,
				     .ifname = ifname };
	struct cni_list list;
	int r = cni_list_load(req->places.conf_dir, req->networks[i], a, &list,
			      e);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = cni_attachment_del(rt, &list, &at, e);
	if (r)
		err_wrap(e, "network \"%s\"", list.name);
	return r;
}

static int detach(const struct request *req, const struct cni_runtime *rt,
		  const struct oci_state *state, struct arena *a, struct err *e)
{
	struct cni_attachment of = { .container_id = state->id };
	struct cni_cached_list cached;
	int first = cni_check_container_id(state->id, e), r;

	if (!first)
		first = cni_cache_list(rt->cache_dir, &of, a, &cached, e);
	if (first)
		return first;
	if (cached.n)
		qsort(cached.v, cached.n, sizeof(*cached.v), last_first);
	for (size_t i = 0; i < cached.n; i++) {
		r = detach_cached(req, rt, &cached.v[i], a, first ? NULL : e);
		first = first ? first : r;
	}
	for (size_t i = req->n_networks; i-- > 0;) {
		char ifname[NETWORKS_IFNAME_MAX];

		if (is_cached(&cached, networks_ifname(i, ifname)))
			continue;
		r = detach_uncached(req, rt, i, ifname, state->id, a,
				    first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

/* --- both ----------------------------------------------------------------- */

static int run(struct request *req, char *const *env, struct arena *a,
	       struct err *e)
{
	struct oci_state state = { 0 };
	struct cni_runtime rt;
	int r = oci_state_read(STDIN_FILENO, a, &state, e);

	if (!r)
		r = choose_networks(req, &state, a, e);
	if (!r)
		r = places_runtime(&req->places, env, a, &rt, e);
	if (r)
		return r;
	choose_ports(req, &state);
	networks_stand_apart();
	if (!strcmp(state.status, "creating") ||
	    !strcmp(state.status, "created"))
		return attach(req, &rt, &state, a, e);
	if (!strcmp(state.status, "stopped"))
		return detach(req, &rt, &state, a, e);
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"container \"%s\" is \"%s\": this is a hook for createRuntime and poststop",
		state.id, state.status);
}

int verb_hook(int argc, char *argv[], char *const *env)
{
	struct request req = { .places = places_default(env) };
	_arena_ struct arena arena = { 0 };
	struct err e = { 0 };

	if (argp_parse(&hook_argp, argc, argv, 0, NULL, &req))
		return 1;
	return run(&req, env, &arena, &e) ? verb_fail(argv[0], &e) : 0;
}
