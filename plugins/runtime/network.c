// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hawser add, del, check, gc, status: what cnitool does, with its arguments,
 * environment, container IDs and cache, so that either can go on where the
 * other stopped. gc differs: it keeps what still has its namespace, and only
 * --all makes it delete everything, as cnitool's does.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "cni/args.h"
#include "cni/attachment.h"
#include "cni/plugin.h"
#include "cni/version.h"
#include "kernel/netns.h"
#include "runtime/netns.h"
#include "runtime/places.h"
#include "runtime/verb.h"

#define CONTAINER_ID_PREFIX "cnitool-"
#define CONTAINER_ID_DIGITS 20
#define DEFAULT_IFNAME	    "eth0"

/* --- arguments ----------------------------------------------------------- */

struct request {
	struct places places;
	const char *network;
	const char *netns;
	const char *ifname;
	const char *container_id; /* NULL: made of the namespace's path */
	bool needs_netns;
	bool json;
	bool all;
};

#define OPTION_JSON                                                            \
	{                                                                      \
		"json", 'j', NULL, 0, "Print errors as CNI's JSON, on stdout", \
			0                                                      \
	}

static const struct argp_option attachment_options[] = {
	{ "ifname", 'i', "NAME", 0,
	  "The interface in the container [$CNI_IFNAME, else " DEFAULT_IFNAME
	  "]",
	  0 },
	{ "container-id", 'I', "ID", 0,
	  "What plugins call the container [made of NETNS, as cnitool's]", 0 },
	OPTION_JSON,
	{ 0 },
};

static const struct argp_option gc_options[] = {
	{ "all", 'a', NULL, 0,
	  "Delete every attachment in the cache, used or not, as cnitool gc",
	  0 },
	OPTION_JSON,
	{ 0 },
};

static const struct argp_option status_options[] = { OPTION_JSON, { 0 } };

static const struct argp_child children[] = { { &places_argp, 0, NULL, 0 },
					      { 0 } };

static error_t parse_argument(char *arg, struct argp_state *state)
{
	struct request *req = state->input;

	if (!req->network)
		req->network = arg;
	else if (!req->netns)
		req->netns = arg;
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *req = state->input;

	switch (key) {
	case 'i':
		req->ifname = arg;
		return 0;
	case 'I':
		req->container_id = arg;
		return 0;
	case 'j':
		req->json = true;
		return 0;
	case 'a':
		req->all = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &req->places;
		return 0;
	case ARGP_KEY_ARG:
		return parse_argument(arg, state);
	case ARGP_KEY_END:
		if (!req->network || (req->needs_netns && !req->netns))
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- from arguments to a call of the library ----------------------------- */

/* A verb at work. */
struct job {
	const struct request *req;
	struct cni_runtime rt;
	struct cni_list list;
	struct cni_attachment at;
	struct arena arena;
};

static int make_container_id(struct job *job, struct err *e)
{
	char hash[CONTAINER_ID_DIGITS + 1];

	job->at.container_id = job->req->container_id;
	if (job->at.container_id)
		return 0;
	hash_hex(hash, CONTAINER_ID_DIGITS, job->at.netns, NULL);
	job->at.container_id =
		arena_printf(&job->arena, CONTAINER_ID_PREFIX "%s", hash);
	return job->at.container_id ? 0 : err_oom(e);
}

static int make_attachment(struct job *job, struct err *e)
{
	const char *args = cni_env_get(job->rt.env, "CNI_ARGS");
	int r;

	job->at.ifname = job->req->ifname;
	job->at.args = *args ? args : NULL;
	job->at.netns = netns_path(job->req->netns, &job->arena);
	if (!job->at.netns)
		return err_oom(e);
	r = make_container_id(job, e);
	return r ? r
		 : places_capability_args(job->rt.env, &job->arena,
					  &job->at.capability_args, e);
}

static int prepare(struct job *job, char *const *env, struct err *e)
{
	const struct request *req = job->req;
	int r = places_runtime(&req->places, env, &job->arena, &job->rt, e);

	if (!r)
		r = cni_list_load(req->places.conf_dir, req->network,
				  &job->arena, &job->list, e);
	if (!r && req->needs_netns)
		r = make_attachment(job, e);
	return r;
}

/* --- the verbs' work ----------------------------------------------------- */

/* Before any plugin has done anything; each would say it in its own words. */
static int check_netns(const struct job *job, struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;

	return netns_open(job->at.netns, &ns, e);
}

static int print_result(const cJSON *result, struct err *e)
{
	_free_ char *text = cJSON_Print(result);

	if (!text)
		return err_oom(e);
	if (puts(text) < 0 || fflush(stdout))
		return err_sys(e, "write the result");
	return 0;
}

static int add(struct job *job, struct err *e)
{
	const cJSON *result;
	int r = check_netns(job, e);

	if (!r)
		r = cni_attachment_add(&job->rt, &job->list, &job->at,
				       &job->arena, &result, e);
	return r ? r : print_result(result, e);
}

/* The namespace may be gone: plugins know what that means. */
static int del(struct job *job, struct err *e)
{
	return cni_attachment_del(&job->rt, &job->list, &job->at, e);
}

static int check(struct job *job, struct err *e)
{
	int r = check_netns(job, e);

	return r ? r : cni_attachment_check(&job->rt, &job->list, &job->at, e);
}

/* Whether the path still leads to a namespace; in doubt, it does. */
static bool is_alive(const struct cni_attachment *at)
{
	_netns_ struct netns ns = NETNS_NONE;

	return !netns_is_gone(netns_open(at->netns, &ns, NULL));
}

static int find_valid(struct job *job, struct cni_valid_list *ret,
		      struct err *e)
{
	struct cni_cached_list cached;
	int r = cni_cache_list(job->rt.cache_dir, NULL, &job->arena, &cached,
			       e);

	if (r)
		return r;
	ret->n = 0;
	ret->v = arena_array(&job->arena, cached.n, sizeof(*ret->v));
	if (!ret->v)
		return err_oom(e);
	for (size_t i = 0; i < cached.n; i++) {
		const struct cni_attachment *at = &cached.v[i].attachment;

		if (strcmp(cached.v[i].network, job->list.name) ||
		    !is_alive(at))
			continue;
		ret->v[ret->n++] = (struct cni_attachment_id){ at->container_id,
							       at->ifname };
	}
	return 0;
}

static int gc(struct job *job, struct err *e)
{
	struct cni_valid_list valid;
	int r;

	if (job->req->all)
		return cni_list_gc(&job->rt, &job->list, NULL, e);
	r = find_valid(job, &valid, e);
	return r ? r : cni_list_gc(&job->rt, &job->list, &valid, e);
}

static int status(struct job *job, struct err *e)
{
	return cni_list_status(&job->rt, &job->list, e);
}

/* --- the verbs ----------------------------------------------------------- */

struct network_verb {
	const struct argp argp;
	bool needs_netns;
	int (*work)(struct job *job, struct err *e);
};

static int report(const struct job *job, const char *command,
		  const struct err *e)
{
	_free_ char *json = NULL;

	if (!job->req->json)
		return verb_fail(command, e);
	json = cni_error_json(e, job->list.version ? job->list.version
						   : CNI_VERSION_CURRENT);
	puts(json ? json : "{}");
	return 1;
}

static int run(const struct network_verb *verb, int argc, char *argv[],
	       char *const *env)
{
	const char *ifname = cni_env_get(env, "CNI_IFNAME");
	struct request req = { .places = places_default(env),
			       .ifname = *ifname ? ifname : DEFAULT_IFNAME,
			       .needs_netns = verb->needs_netns };
	struct job job = { .req = &req };
	struct err e = { 0 };
	int r;

	if (argp_parse(&verb->argp, argc, argv, 0, NULL, &req))
		return 1;
	r = prepare(&job, env, &e);
	if (!r)
		r = verb->work(&job, &e);
	if (r)
		r = report(&job, argv[0], &e);
	arena_done(&job.arena);
	return r;
}

int verb_add(int argc, char *argv[], char *const *env)
{
	static const struct network_verb verb = {
		{ attachment_options, parse, "NETWORK NETNS",
		  "Attach the namespace NETNS (a name or a path) to NETWORK (a name or a file) and print the result."
		  "\vThe environment is cnitool's: CNI_PATH (where plugins are), CNI_ARGS, CAP_ARGS (JSON), CNI_IFNAME, NETCONFPATH.",
		  children },
		true,
		add
	};

	return run(&verb, argc, argv, env);
}

int verb_del(int argc, char *argv[], char *const *env)
{
	static const struct network_verb verb = {
		{ attachment_options, parse, "NETWORK NETNS",
		  "Detach NETNS from NETWORK. It may be gone already, and so may the attachment.",
		  children },
		true,
		del
	};

	return run(&verb, argc, argv, env);
}

int verb_check(int argc, char *argv[], char *const *env)
{
	static const struct network_verb verb = {
		{ attachment_options, parse, "NETWORK NETNS",
		  "Ask the plugins whether the attachment is as they made it.",
		  children },
		true,
		check
	};

	return run(&verb, argc, argv, env);
}

int verb_gc(int argc, char *argv[], char *const *env)
{
	static const struct network_verb verb = {
		{ gc_options, parse, "NETWORK",
		  "Delete the attachments to NETWORK whose namespace is gone, and have the plugins remove what else nobody uses."
		  "\vWhat is not in this cache does not count as used: give the --cache-dir of the runtime that attaches containers to NETWORK. "
		  "Unlike cnitool gc this keeps attachments that still have their namespace; --all does not.",
		  children },
		false,
		gc
	};

	return run(&verb, argc, argv, env);
}

int verb_status(int argc, char *argv[], char *const *env)
{
	static const struct network_verb verb = {
		{ status_options, parse, "NETWORK",
		  "Ask the plugins whether NETWORK can take another container. Nothing is printed when it can.",
		  children },
		false,
		status
	};

	return run(&verb, argc, argv, env);
}
