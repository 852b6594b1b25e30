// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/version.h"
#include "service/ipam_store.h"

typedef LIST(struct range_set) set_list;
typedef LIST(struct ip_prefix) request_list;

/* The keys as they stand in the document. */
struct document {
	struct range single; /* ipam.subnet, ipam.rangeStart, ... of old */
	struct {
		set_list ranges;
		LIST(struct cni_route) routes;
		const char *data_dir;
		const char *resolv_conf;
		bool keep_after_reboot;
		bool sync;
	} ipam;
	struct {
		set_list ranges;
		request_list ips;
	} runtime;
	struct {
		struct {
			request_list ips;
		} cni;
	} args;
};

/* --- the tables ---------------------------------------------------------- */

/* "" is absent: containerd sends every key of a range. */
static int parse_subnet(const char *text, void *member)
{
	return *text ? prefix_parse(text, member) : 0;
}

static int parse_request(const char *text, void *member)
{
	return *text ? prefix_parse_lenient(text, member) : 0;
}

#define IP_FIELD(name, member)                                          \
	{                                                               \
		name, JSON_PARSED, offsetof(struct range, member),      \
			.parse = json_parse_ip, .what = "an IP address" \
	}

static const struct json_field range_fields[] = {
	{ "subnet", JSON_PARSED, offsetof(struct range, subnet),
	  .parse = parse_subnet, .what = "a subnet in CIDR notation" },
	IP_FIELD("rangeStart", start),
	IP_FIELD("rangeEnd", end),
	IP_FIELD("gateway", gateway),
	{ 0 },
};

static const struct json_field range_element = { .type = JSON_OBJECT,
						 .sub = range_fields };
static const struct json_field set_element = { .type = JSON_LIST,
					       .sub = &range_element,
					       .size = sizeof(struct range) };
static const struct json_field request_element = { .type = JSON_PARSED,
						   .parse = parse_request,
						   .what = "an IP address" };

#define IN(member) offsetof(struct document, member)

static const struct json_field ipam_fields[] = {
	{ "ranges", JSON_LIST, IN(ipam.ranges), .sub = &set_element,
	  .size = sizeof(struct range_set) },
	{ "routes", JSON_LIST, IN(ipam.routes), .sub = &cni_route_element,
	  .size = sizeof(struct cni_route), .initial = &cni_route_initial },
	{ "dataDir", JSON_STRING, IN(ipam.data_dir) },
	{ "resolvConf", JSON_STRING, IN(ipam.resolv_conf) },
	{ "keepAfterReboot", JSON_BOOL, IN(ipam.keep_after_reboot) },
	{ "sync", JSON_BOOL, IN(ipam.sync) },
	{ 0 },
};

static const struct json_field runtime_fields[] = {
	{ "ipRanges", JSON_LIST, IN(runtime.ranges), .sub = &set_element,
	  .size = sizeof(struct range_set) },
	{ "ips", JSON_LIST, IN(runtime.ips), .sub = &request_element,
	  .size = sizeof(struct ip_prefix) },
	{ 0 },
};

static const struct json_field args_cni_fields[] = {
	{ "ips", JSON_LIST, IN(args.cni.ips), .sub = &request_element,
	  .size = sizeof(struct ip_prefix) },
	{ 0 },
};

static const struct json_field args_fields[] = {
	{ "cni", JSON_OBJECT, 0, .sub = args_cni_fields },
	{ 0 },
};

/* The tables of the inner objects count from the start of the document. */
static const struct json_field fields[] = {
	{ "ipam", JSON_OBJECT, 0, .sub = ipam_fields },
	{ "runtimeConfig", JSON_OBJECT, 0, .sub = runtime_fields },
	{ "args", JSON_OBJECT, 0, .sub = args_fields },
	{ 0 },
};

/* What DEL reads. */
struct store_document {
	const char *data_dir;
	bool sync;
};

static const struct json_field store_ipam_fields[] = {
	{ "dataDir", JSON_STRING, offsetof(struct store_document, data_dir) },
	{ "sync", JSON_BOOL, offsetof(struct store_document, sync) },
	{ 0 },
};

static const struct json_field store_fields[] = {
	{ "ipam", JSON_OBJECT, 0, .sub = store_ipam_fields },
	{ 0 },
};

/* --- ranges -------------------------------------------------------------- */

static int join_sets(const struct document *doc, struct arena *a,
		     struct host_local_config *conf, struct err *e)
{
	const set_list *runtime = &doc->runtime.ranges;
	const set_list *listed = &doc->ipam.ranges;
	bool single = doc->single.subnet.addr.family;
	struct range_set *v =
		arena_array(a, runtime->n + single + listed->n, sizeof(*v));
	struct range *range = arena_alloc(a, sizeof(*range));

	if (!v || !range)
		return err_oom(e);
	conf->sets.v = v;
	conf->sets.n = runtime->n + single + listed->n;
	if (!conf->sets.n)
		return err_set(e, ERR_CONFIG, EINVAL, "no IP ranges specified");
	if (runtime->n)
		memcpy(v, runtime->v, runtime->n * sizeof(*v));
	v += runtime->n;
	if (single) {
		*range = doc->single;
		v->ranges.v = range;
		v->ranges.n = 1;
		v++;
	}
	if (listed->n)
		memcpy(v, listed->v, listed->n * sizeof(*v));
	return 0;
}

static size_t count_family(const struct host_local_config *conf, uint8_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->sets.n; i++)
		n += conf->sets.v[i].ranges.v[0].start.family == family;
	return n;
}

static int check_disjoint(const struct host_local_config *conf, struct err *e)
{
	const struct range_set *v = conf->sets.v;

	for (size_t i = 0; i < conf->sets.n; i++)
		for (size_t j = i + 1; j < conf->sets.n; j++)
			if (range_set_overlaps(&v[i], &v[j]))
				return err_set(
					e, ERR_CONFIG, EINVAL,
					"range set %zu overlaps with %zu", i,
					j);
	return 0;
}

static int check_sets(const struct host_local_config *conf, const char *version,
		      struct err *e)
{
	for (size_t i = 0; i < conf->sets.n; i++) {
		int r = range_set_canonicalise(&conf->sets.v[i], e);

		if (r) {
			err_wrap(e, "invalid range set %zu", i);
			return r;
		}
	}
	if (!cni_version_at_least(version, "0.3.0") &&
	    (count_family(conf, AF_INET) > 1 ||
	     count_family(conf, AF_INET6) > 1))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"CNI version %s does not support more than 1 address per family",
			version);
	return check_disjoint(conf, e);
}

/* --- requested addresses ------------------------------------------------- */

/* IP of CNI_ARGS, which is a single address; none when not given. */
static int parse_args_ip(const char *args, struct ip_prefix *ret, struct err *e)
{
	struct cni_arg ip = { .key = "IP" };
	int r = cni_args_parse(args, false, &ip, 1, e);

	if (!r && ip.value && parse_request(ip.value, ret))
		r = err_set(e, ERR_ENV, EINVAL,
			    "CNI_ARGS: IP=%s is not an IP address", ip.value);
	free(ip.value);
	return r;
}

/* The length is ignored: it is the range's subnet that counts. */
static void request(struct host_local_config *conf, const struct ip_prefix *v,
		    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ip_addr *addr = &v[i].addr;
		bool known = !addr->family;

		for (size_t j = 0; j < conf->requested.n && !known; j++)
			known = ip_equal(&conf->requested.v[j], addr);
		if (!known)
			conf->requested.v[conf->requested.n++] = *addr;
	}
}

static int join_requests(const struct document *doc,
			 const struct cni_call *call,
			 struct host_local_config *conf, struct err *e)
{
	const request_list *args = &doc->args.cni.ips;
	const request_list *runtime = &doc->runtime.ips;
	struct ip_prefix ip = { 0 };
	int r = parse_args_ip(call->args->args, &ip, e);

	if (r)
		return r;
	conf->requested.v = arena_array(call->arena, 1 + args->n + runtime->n,
					sizeof(*conf->requested.v));
	if (!conf->requested.v)
		return err_oom(e);
	request(conf, &ip, 1);
	request(conf, args->v, args->n);
	request(conf, runtime->v, runtime->n);
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

static const char *or_default(const char *data_dir)
{
	return data_dir && *data_dir ? data_dir : IPAM_DATA_DIR;
}

static int check_routes(const struct host_local_config *conf, struct err *e)
{
	for (size_t i = 0; i < conf->routes.n; i++)
		if (!conf->routes.v[i].dst.addr.family)
			return err_set(e, ERR_CONFIG, EINVAL,
				       "\"ipam.routes[%zu]\" has no \"dst\"",
				       i);
	return 0;
}

static int decode(const struct cni_call *call, struct document *doc,
		  struct err *e)
{
	const struct json_path path = { .key = "ipam" };
	const cJSON *ipam = json_get(call->conf->doc, "ipam");
	int r;

	if (!ipam)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "IPAM config missing 'ipam' key");
	r = json_decode(fields, call->conf->doc, NULL, doc, call->arena, e);
	return r ? r
		 : json_decode(range_fields, ipam, &path, &doc->single,
			       call->arena, e);
}

int host_local_config_load(const struct cni_call *call,
			   struct host_local_config *ret, struct err *e)
{
	struct document doc = { .ipam.resolv_conf = "" };
	struct host_local_config conf = { 0 };
	int r = decode(call, &doc, e);

	if (r)
		return r;
	conf.data_dir = or_default(doc.ipam.data_dir);
	conf.resolv_conf = doc.ipam.resolv_conf;
	conf.keep_after_reboot = doc.ipam.keep_after_reboot;
	conf.sync = doc.ipam.sync;
	conf.routes.v = doc.ipam.routes.v;
	conf.routes.n = doc.ipam.routes.n;
	r = join_sets(&doc, call->arena, &conf, e);
	if (!r)
		r = check_sets(&conf, call->conf->version, e);
	if (!r)
		r = check_routes(&conf, e);
	if (!r && call->args->command == CNI_ADD)
		r = join_requests(&doc, call, &conf, e);
	if (!r)
		*ret = conf;
	return r;
}

int host_local_store_config(const struct cni_call *call, const char **data_dir,
			    bool *sync, struct err *e)
{
	struct store_document doc = { 0 };
	int r = json_decode(store_fields, call->conf->doc, NULL, &doc,
			    call->arena, e);

	*data_dir = or_default(doc.data_dir);
	*sync = doc.sync;
	return r;
}
