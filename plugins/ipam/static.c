// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * static: the addresses that somebody else has chosen
 *
 * In ipam.addresses, to which those of CNI_ARGS (IP=) are appended; or instead
 * of all these args.cni.ips, or instead of those runtimeConfig.ips. The last two
 * say no gateway: they keep the one that the addresses they replace had, where it
 * lies in their subnet. (The reference loses it.) GATEWAY of CNI_ARGS is for the
 * addresses of CNI_ARGS alone.
 *
 * Nothing is written down, so DEL has nothing to do and reads nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/version.h"
#include "plugins.h"

struct entry {
	const char *address;
	struct ip_addr gateway;
};

typedef LIST(const char *) text_list;

struct document {
	struct {
		LIST(struct entry) addresses;
		LIST(struct cni_route) routes;
		struct cni_dns dns;
	} ipam;
	struct {
		text_list ips;
	} runtime;
	struct {
		struct {
			text_list ips;
		} cni;
	} args;
};

/* What is worked with: the addresses in the end, and the rest. */
struct static_conf {
	LIST(struct cni_ip) ips;
	struct document doc;
};

/* --- the tables ---------------------------------------------------------- */

static const struct json_field entry_fields[] = {
	{ "address", JSON_STRING, offsetof(struct entry, address) },
	{ "gateway", JSON_PARSED, offsetof(struct entry, gateway),
	  .parse = json_parse_ip, .what = "an IP address" },
	{ 0 },
};

static const struct entry entry_initial = { .address = "" };
static const struct json_field entry_element = { .type = JSON_OBJECT,
						 .sub = entry_fields };
static const struct json_field text_element = { .type = JSON_STRING };

#define IN(member) offsetof(struct document, member)

static const struct json_field ipam_fields[] = {
	{ "addresses", JSON_LIST, IN(ipam.addresses), .sub = &entry_element,
	  .size = sizeof(struct entry), .initial = &entry_initial },
	{ "routes", JSON_LIST, IN(ipam.routes), .sub = &cni_route_element,
	  .size = sizeof(struct cni_route), .initial = &cni_route_initial },
	{ "dns", JSON_OBJECT, IN(ipam.dns), .sub = cni_dns_fields },
	{ 0 },
};

static const struct json_field runtime_fields[] = {
	{ "ips", JSON_LIST, IN(runtime.ips), .sub = &text_element,
	  .size = sizeof(char *) },
	{ 0 },
};

static const struct json_field args_cni_fields[] = {
	{ "ips", JSON_LIST, IN(args.cni.ips), .sub = &text_element,
	  .size = sizeof(char *) },
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

/* --- addresses ----------------------------------------------------------- */

static int parse_cidr(const char *text, struct cni_ip *ret, const char *what,
		      struct err *e)
{
	*ret = (struct cni_ip){ .interface = -1 };
	if (!prefix_parse(text, &ret->address))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "%s expected to be in CIDR notation, got: '%s'", what,
		       text);
}

static int load_entries(struct static_conf *conf, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < conf->doc.ipam.addresses.n; i++) {
		const struct entry *entry = &conf->doc.ipam.addresses.v[i];
		struct cni_ip *ip = &conf->ips.v[conf->ips.n++];

		r = parse_cidr(entry->address, ip, "the 'address' field is", e);
		ip->gateway = entry->gateway;
	}
	return r;
}

static size_t count_words(const char *list)
{
	size_t n = 1;

	while (list && (list = strchr(list, ',')))
		list++, n++;
	return n;
}

static int append_args_ips(struct static_conf *conf, char *list, struct err *e)
{
	const char *word;
	int r = 0;

	while (!r && (word = strsep(&list, ",")))
		r = parse_cidr(word, &conf->ips.v[conf->ips.n++],
			       "the 'ip' field is", e);
	return r;
}

/* Each of @list to the addresses from @first on in whose subnet it lies. */
static int set_gateways(struct static_conf *conf, size_t first, char *list,
			struct err *e)
{
	const char *word;

	while ((word = strsep(&list, ","))) {
		struct ip_addr gateway;

		if (ip_parse(word, &gateway))
			return err_set(e, ERR_CONFIG, EINVAL,
				       "invalid gateway address: %s", word);
		for (size_t i = first; i < conf->ips.n; i++)
			if (prefix_contains(&conf->ips.v[i].address, &gateway))
				conf->ips.v[i].gateway = gateway;
	}
	return 0;
}

/* The gateway of any of the @n addresses that lies in @ip's subnet. */
static void keep_gateway(struct cni_ip *ip, const struct cni_ip *v, size_t n)
{
	for (size_t i = 0; i < n && !ip->gateway.family; i++)
		if (v[i].gateway.family &&
		    prefix_contains(&ip->address, &v[i].gateway))
			ip->gateway = v[i].gateway;
}

static int replace_ips(struct static_conf *conf, const text_list *texts,
		       struct arena *a, struct err *e)
{
	struct cni_ip *v = arena_array(a, texts->n, sizeof(*v));
	int r = 0;

	if (!texts->n)
		return 0;
	if (!v)
		return err_oom(e);
	for (size_t i = 0; !r && i < texts->n; i++) {
		r = parse_cidr(texts->v[i], &v[i],
			       "an entry in the 'ips' field is NOT", e);
		keep_gateway(&v[i], conf->ips.v, conf->ips.n);
	}
	conf->ips.v = v;
	conf->ips.n = texts->n;
	return r;
}

static int check_families(const struct static_conf *conf, const char *version,
			  struct err *e)
{
	size_t n4 = 0, n6 = 0;

	for (size_t i = 0; i < conf->ips.n; i++)
		++*(conf->ips.v[i].address.addr.family == AF_INET ? &n4 : &n6);
	if (cni_version_at_least(version, "0.3.0") || (n4 <= 1 && n6 <= 1))
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"CNI version %s does not support more than 1 address per family",
		version);
}

/* --- loading ------------------------------------------------------------- */

/* What is configured, and then the lists of CNI_ARGS (NULL or "": none). */
static int load_lists(struct static_conf *conf, char *ips, char *gateways,
		      struct arena *a, struct err *e)
{
	size_t first = conf->doc.ipam.addresses.n;
	int r;

	conf->ips.v =
		arena_array(a, first + count_words(ips), sizeof(*conf->ips.v));
	if (!conf->ips.v)
		return err_oom(e);
	r = load_entries(conf, e);
	if (!r && ips && *ips)
		r = append_args_ips(conf, ips, e);
	if (!r && gateways && *gateways)
		r = set_gateways(conf, first, gateways, e);
	return r;
}

static int load_args(const struct cni_call *call, struct static_conf *conf,
		     struct err *e)
{
	struct cni_arg args[] = { { .key = "IP" }, { .key = "GATEWAY" } };
	int r = cni_args_parse(call->args->args, false, args, 2, e);

	if (!r)
		r = load_lists(conf, args[0].value, args[1].value, call->arena,
			       e);
	free(args[0].value);
	free(args[1].value);
	return r;
}

static int check_routes(const struct document *doc, struct err *e)
{
	for (size_t i = 0; i < doc->ipam.routes.n; i++)
		if (!doc->ipam.routes.v[i].dst.addr.family)
			return err_set(e, ERR_CONFIG, EINVAL,
				       "\"ipam.routes[%zu]\" has no \"dst\"",
				       i);
	return 0;
}

static int load(const struct cni_call *call, struct static_conf *conf,
		struct err *e)
{
	int r;

	*conf = (struct static_conf){ 0 };
	if (!json_get(call->conf->doc, "ipam"))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "IPAM config missing 'ipam' key");
	r = json_decode(fields, call->conf->doc, NULL, &conf->doc, call->arena,
			e);
	if (!r)
		r = load_args(call, conf, e);
	if (!r)
		r = replace_ips(conf, &conf->doc.args.cni.ips, call->arena, e);
	if (!r)
		r = replace_ips(conf, &conf->doc.runtime.ips, call->arena, e);
	if (!r)
		r = check_families(conf, call->conf->version, e);
	return r ? r : check_routes(&conf->doc, e);
}

/* --- the commands -------------------------------------------------------- */

static int static_add(const struct cni_call *call, struct cni_result *ret,
		      struct err *e)
{
	struct static_conf conf;
	int r = load(call, &conf, e);

	if (r)
		return r;
	ret->ips.v = conf.ips.v;
	ret->ips.n = conf.ips.n;
	ret->routes.v = conf.doc.ipam.routes.v;
	ret->routes.n = conf.doc.ipam.routes.n;
	ret->dns = conf.doc.ipam.dns;
	return 0;
}

/* One that is not in the result may be somebody's who came later: as in the
 * reference, only gateways are compared. */
static int check_ip(const struct cni_call *call, const struct cni_result *prev,
		    const struct cni_ip *ip, struct err *e)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < prev->ips.n; i++) {
		const struct cni_ip *is = &prev->ips.v[i];

		if (!ip_equal(&is->address.addr, &ip->address.addr) ||
		    !ip->gateway.family || ip_equal(&is->gateway, &ip->gateway))
			continue;
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"static: Failed to match addr %s on interface %s",
			ip_text(&ip->address.addr, text), call->args->ifname);
	}
	return 0;
}

static int static_check(const struct cni_call *call, struct err *e)
{
	struct cni_result prev = { 0 };
	struct static_conf conf;
	int r = load(call, &conf, e);

	if (!r)
		r = cni_prev_result(call, &prev, e);
	for (size_t i = 0; !r && i < conf.ips.n; i++)
		r = check_ip(call, &prev, &conf.ips.v[i], e);
	return r;
}

static int static_status(const struct cni_call *call, struct err *e)
{
	struct static_conf conf;
	int r = load(call, &conf, e);

	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_static = {
	.name = "static",
	.is_ipam = true,
	.add = static_add,
	.check = static_check,
	.status = static_status,
};
