// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network driver for podman 5 and later: what netavark calls a plugin. The
 * executable, or a link to it, is found in netavark_plugin_dirs under the name of
 * the driver, "hawser", and called with one of four commands:
 *
 *	create		by podman network create: the network on stdin, and on
 *			stdout as it is to be
 *	setup NETNS	attach the container on stdin; a status block on stdout
 *	teardown NETNS	detach it; nothing on stdout
 *	info		who we are
 *
 * An error is {"error": "..."} on stdout.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "runtime/mounts.h"
#include "runtime/netavark.h"
#include "runtime/netavark_conf.h"
#include "runtime/netavark_list.h"
#include "runtime/networks.h"
#include "runtime/places.h"
#include "runtime/verb.h"

#define API_VERSION "1.0.0"

/* --- stdin and stdout ----------------------------------------------------- */

static int read_stdin(struct arena *a, cJSON **ret, struct err *e)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = fs_read_all(STDIN_FILENO, JSON_TEXT_MAX, &text, &len);

	if (r)
		return err_set(e, ERR_IO, -r, "read stdin: %s", strerror(-r));
	r = json_parse(text, len, ret, e);
	if (!r)
		r = json_keep(a, *ret, e);
	if (r)
		err_wrap(e, "stdin");
	return r;
}

static int print(const cJSON *doc, struct err *e)
{
	_free_ char *text = cJSON_PrintUnformatted(doc);

	if (!text)
		return err_oom(e);
	if (puts(text) < 0 || fflush(stdout))
		return err_sys(e, "write to stdout");
	return 0;
}

static int fail(const struct err *e)
{
	_json_ cJSON *doc = cJSON_CreateObject();

	cJSON_AddStringToObject(doc, "error", e->msg);
	print(doc, NULL);
	return 1;
}

/* --- create --------------------------------------------------------------- */

static void set_key(cJSON *doc, const char *key, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(doc, key);
	cJSON_AddItemToObject(doc, key, value);
}

/* A list of the administrator's has addresses and names of its own. */
static int leave_to_list(const struct netavark_network *n, const char *conf_dir,
			 cJSON *doc, struct arena *a, struct err *e)
{
	struct cni_list list;
	cJSON *ipam;
	int r = cni_list_load(conf_dir, n->options.conflist, a, &list, e);

	if (r)
		return r;
	ipam = cJSON_CreateObject();
	cJSON_AddStringToObject(ipam, "driver", "none");
	set_key(doc, "ipam_options", ipam);
	set_key(doc, "dns_enabled", cJSON_CreateFalse());
	return 0;
}

static void fill_in(const struct netavark_network *n, cJSON *doc)
{
	if (!n->bridge || !*n->bridge)
		set_key(doc, "network_interface",
			cJSON_CreateString(netavark_bridge_of(n).name));
	if (!netavark_is_addressed(n)) /* names are asked of the bridge's */
		set_key(doc, "dns_enabled", cJSON_CreateFalse());
}

static int create(const struct places *places, char *const *env,
		  const char *netns, struct arena *a, struct err *e)
{
	struct netavark_network network = { 0 };
	cJSON *doc = NULL;
	int r = read_stdin(a, &doc, e);

	(void)env;
	(void)netns;
	if (!r)
		r = netavark_network_read(doc, a, &network, e);
	if (!r)
		r = netavark_network_check(&network, e);
	if (r)
		return r;
	if (network.options.conflist)
		r = leave_to_list(&network, places->conf_dir, doc, a, e);
	else
		fill_in(&network, doc);
	return r ? r : print(doc, e);
}

/* --- setup and teardown --------------------------------------------------- */

/* A call for one container. */
struct job {
	struct netavark_request req;
	struct cni_runtime rt;
	struct cni_list list;
	struct cni_attachment at;
};

static int prepare(const struct places *places, char *const *env,
		   const char *netns, struct arena *a, struct job *job,
		   struct err *e)
{
	cJSON *doc = NULL;
	int r;

	networks_stand_apart();
	r = mounts_own_state(e);
	if (!r)
		r = read_stdin(a, &doc, e);
	if (!r)
		r = netavark_request_read(doc, a, &job->req, e);
	if (!r)
		r = places_runtime(places, env, a, &job->rt, e);
	job->at = (struct cni_attachment){
		.container_id = job->req.container_id,
		.ifname = job->req.container.interface_name,
		.netns = netns,
	};
	return r;
}

static cJSON *text_array(const char *const *v, size_t n)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(array, cJSON_CreateString(v[i]));
	return array;
}

static void add_subnets(const struct cni_result *result, cJSON *interface)
{
	cJSON *subnets = cJSON_AddArrayToObject(interface, "subnets");

	for (size_t i = 0; i < result->ips.n; i++) {
		const struct cni_ip *ip = &result->ips.v[i];
		char prefix[PREFIX_TEXT_MAX], gateway[IP_TEXT_MAX];
		cJSON *subnet = cJSON_CreateObject();

		cJSON_AddStringToObject(subnet, "ipnet",
					prefix_text(&ip->address, prefix));
		if (ip->gateway.family)
			cJSON_AddStringToObject(subnet, "gateway",
						ip_text(&ip->gateway, gateway));
		cJSON_AddItemToArray(subnets, subnet);
	}
}

static int print_status(const struct job *job, const struct cni_result *result,
			struct err *e)
{
	const struct cni_interface *link =
		cni_result_find_interface(result, job->at.ifname, true);
	_json_ cJSON *doc = cJSON_CreateObject();
	cJSON *interfaces, *interface;

	cJSON_AddItemToObject(
		doc, "dns_search_domains",
		text_array(result->dns.search.v, result->dns.search.n));
	cJSON_AddItemToObject(doc, "dns_server_ips",
			      text_array(result->dns.nameservers.v,
					 result->dns.nameservers.n));
	interfaces = cJSON_AddObjectToObject(doc, "interfaces");
	interface = cJSON_AddObjectToObject(interfaces, job->at.ifname);
	cJSON_AddStringToObject(interface, "mac_address",
				link && link->mac ? link->mac : "");
	add_subnets(result, interface);
	return print(doc, e);
}

static int attach(struct job *job, struct arena *a, struct err *e)
{
	struct cni_result result = { 0 };
	const cJSON *doc;
	int r = networks_args(job->req.container_name, a, &job->at.args, e);

	if (!r)
		r = netavark_capability_args(&job->req, a,
					     &job->at.capability_args, e);
	if (!r)
		r = cni_attachment_add(&job->rt, &job->list, &job->at, a, &doc,
				       e);
	if (r)
		return r;
	r = cni_result_decode(doc, job->list.version, a, &result, e);
	if (!r)
		r = print_status(job, &result, e);
	if (r)
		cni_attachment_del(&job->rt, &job->list, &job->at, NULL);
	return r;
}

static int setup(const struct places *places, char *const *env,
		 const char *netns, struct arena *a, struct err *e)
{
	struct job job = { 0 };
	int r = prepare(places, env, netns, a, &job, e);

	if (!r)
		r = netavark_request_check(&job.req, e);
	if (!r)
		r = netavark_list(&job.req, places->conf_dir, a, &job.list, e);
	return r ? r : attach(&job, a, e);
}

/* By what the cache has of the interface; what it does not have was never set up,
 * or has failed, or its plugins were killed. The namespace may be gone. */
static int teardown(const struct places *places, char *const *env,
		    const char *netns, struct arena *a, struct err *e)
{
	struct cni_cached_list cached = { 0 };
	struct job job = { 0 };
	int r = prepare(places, env, netns, a, &job, e);

	if (!r)
		r = cni_cache_list(job.rt.cache_dir, &job.at, a, &cached, e);
	if (r)
		return r;
	if (cached.n)
		r = networks_list_of(&cached.v[0], places->conf_dir, a,
				     &job.list, e);
	else
		r = netavark_list(&job.req, places->conf_dir, a, &job.list, e);
	return r ? r : cni_attachment_del(&job.rt, &job.list, &job.at, e);
}

static int info(const struct places *places, char *const *env,
		const char *netns, struct arena *a, struct err *e)
{
	_json_ cJSON *doc = cJSON_CreateObject();

	(void)places;
	(void)env;
	(void)netns;
	(void)a;
	cJSON_AddStringToObject(doc, "version", HAWSER_VERSION);
	cJSON_AddStringToObject(doc, "api_version", API_VERSION);
	return print(doc, e);
}

/* --- the four ------------------------------------------------------------- */

struct netavark_command {
	const char *name;
	bool needs_netns;
	int (*run)(const struct places *places, char *const *env,
		   const char *netns, struct arena *a, struct err *e);
};

static const struct netavark_command commands[] = {
	{ "create", false, create },
	{ "setup", true, setup },
	{ "teardown", true, teardown },
	{ "info", false, info },
	{ 0 },
};

static const struct netavark_command *find(const char *name)
{
	for (const struct netavark_command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

bool netavark_knows(int argc, char *const argv[])
{
	return argc > 1 && find(argv[1]);
}

int netavark_main(int argc, char *const argv[], char *const *env)
{
	const struct netavark_command *command = find(argv[1]);
	const struct places places = places_default(env);
	_arena_ struct arena arena = { 0 };
	struct err e = { 0 };

	if (command->needs_netns && argc < 3) {
		err_set(&e, ERR_ENV, EINVAL,
			"%s: the path of the network namespace is missing",
			command->name);
		return fail(&e);
	}
	if (command->run(&places, env, argc > 2 ? argv[2] : "", &arena, &e))
		return fail(&e);
	return 0;
}
