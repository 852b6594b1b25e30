// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/result.h"

#include <errno.h>
#include <string.h>

#include "cni/version.h"

static const struct json_field string_element = { .type = JSON_STRING };

#define STRING_LIST(name, strct, member)                               \
	{                                                              \
		name, JSON_LIST, offsetof(strct, member),              \
			.sub = &string_element, .size = sizeof(char *) \
	}

const struct json_field cni_dns_fields[] = {
	STRING_LIST("nameservers", struct cni_dns, nameservers),
	{ "domain", JSON_STRING, offsetof(struct cni_dns, domain) },
	STRING_LIST("search", struct cni_dns, search),
	STRING_LIST("options", struct cni_dns, options),
	{ 0 },
};

static const struct json_field interface_fields[] = {
	{ "name", JSON_STRING, offsetof(struct cni_interface, name) },
	{ "mac", JSON_STRING, offsetof(struct cni_interface, mac) },
	{ "sandbox", JSON_STRING, offsetof(struct cni_interface, sandbox) },
	{ "mtu", JSON_INT, offsetof(struct cni_interface, mtu), 0, INT32_MAX },
	{ "socketPath", JSON_STRING,
	  offsetof(struct cni_interface, socket_path) },
	{ "pciID", JSON_STRING, offsetof(struct cni_interface, pci_id) },
	{ 0 },
};

#define IP(name, strct, member)                                         \
	{                                                               \
		name, JSON_PARSED, offsetof(strct, member),             \
			.parse = json_parse_ip, .what = "an IP address" \
	}
#define PREFIX(name, strct, member)                           \
	{                                                     \
		name, JSON_PARSED, offsetof(strct, member),   \
			.parse = json_parse_prefix,           \
			.what = "an address in CIDR notation" \
	}

static const struct json_field ip_fields[] = {
	PREFIX("address", struct cni_ip, address),
	IP("gateway", struct cni_ip, gateway),
	{ "interface", JSON_INT, offsetof(struct cni_ip, interface), -1,
	  INT32_MAX },
	{ 0 },
};

const struct json_field cni_route_fields[] = {
	PREFIX("dst", struct cni_route, dst),
	IP("gw", struct cni_route, gw),
	{ "mtu", JSON_INT, offsetof(struct cni_route, mtu), 0, INT32_MAX },
	{ "advmss", JSON_INT, offsetof(struct cni_route, advmss), 0,
	  INT32_MAX },
	{ "priority", JSON_INT, offsetof(struct cni_route, priority), 0,
	  UINT32_MAX },
	{ "table", JSON_INT, offsetof(struct cni_route, table), 0, UINT32_MAX },
	{ "scope", JSON_INT, offsetof(struct cni_route, scope), 0, 255 },
	{ 0 },
};

const struct json_field cni_route_element = { .type = JSON_OBJECT,
					      .sub = cni_route_fields };
const struct cni_route cni_route_initial = { .table = -1, .scope = -1 };

static const struct json_field interface_element = { .type = JSON_OBJECT,
						     .sub = interface_fields };
static const struct json_field ip_element = { .type = JSON_OBJECT,
					      .sub = ip_fields };
static const struct cni_ip ip_initial = { .interface = -1 };

#define ROUTES(strct, member)                                 \
	{                                                     \
		"routes", JSON_LIST, offsetof(strct, member), \
			.sub = &cni_route_element,            \
			.size = sizeof(struct cni_route),     \
			.initial = &cni_route_initial         \
	}

static const struct json_field result_fields[] = {
	{ "interfaces", JSON_LIST, offsetof(struct cni_result, interfaces),
	  .sub = &interface_element, .size = sizeof(struct cni_interface) },
	{ "ips", JSON_LIST, offsetof(struct cni_result, ips),
	  .sub = &ip_element, .size = sizeof(struct cni_ip),
	  .initial = &ip_initial },
	ROUTES(struct cni_result, routes),
	{ "dns", JSON_OBJECT, offsetof(struct cni_result, dns),
	  .sub = cni_dns_fields },
	{ 0 },
};

/* 0.1.0 and 0.2.0: one address of each family, with its routes. */
struct family_020 {
	struct ip_prefix ip;
	struct ip_addr gateway;
	LIST(struct cni_route) routes;
};

struct result_020 {
	struct family_020 ip4, ip6;
	struct cni_dns dns;
};

static const struct json_field family_020_fields[] = {
	PREFIX("ip", struct family_020, ip),
	IP("gateway", struct family_020, gateway),
	ROUTES(struct family_020, routes),
	{ 0 },
};

static const struct json_field result_020_fields[] = {
	{ "ip4", JSON_OBJECT, offsetof(struct result_020, ip4),
	  .sub = family_020_fields },
	{ "ip6", JSON_OBJECT, offsetof(struct result_020, ip6),
	  .sub = family_020_fields },
	{ "dns", JSON_OBJECT, offsetof(struct result_020, dns),
	  .sub = cni_dns_fields },
	{ 0 },
};

/* --- building ------------------------------------------------------------ */

/* Make room for one more element of @size in the list at @list. Lists are
 * short (an attachment's interfaces and routes): each step copies. */
static void *list_grow(void *list, size_t size, struct arena *a)
{
	LIST(char) *l = list;
	char *v = arena_array(a, l->n + 1, size);

	if (!v)
		return NULL;
	if (l->n)
		memcpy(v, l->v, l->n * size);
	l->v = v;
	return v + l->n++ * size;
}

struct cni_interface *cni_result_add_interface(struct cni_result *res,
					       struct arena *a)
{
	return list_grow(&res->interfaces, sizeof(struct cni_interface), a);
}

struct cni_ip *cni_result_add_ip(struct cni_result *res, struct arena *a)
{
	struct cni_ip *ip = list_grow(&res->ips, sizeof(*ip), a);

	if (ip)
		*ip = ip_initial;
	return ip;
}

struct cni_route *cni_result_add_route(struct cni_result *res, struct arena *a)
{
	struct cni_route *route = list_grow(&res->routes, sizeof(*route), a);

	if (route)
		*route = cni_route_initial;
	return route;
}

bool cni_dns_is_set(const struct cni_dns *dns)
{
	return dns->nameservers.v || dns->search.v || dns->options.v ||
	       (dns->domain && *dns->domain);
}

/* --- reading ------------------------------------------------------------- */

static int add_family(const struct family_020 *f, struct arena *a,
		      struct cni_result *res, struct err *e)
{
	struct cni_ip *ip;

	if (!f->ip.addr.family)
		return 0;
	ip = cni_result_add_ip(res, a);
	if (!ip)
		return err_oom(e);
	ip->address = f->ip;
	ip->gateway = f->gateway;
	for (size_t i = 0; i < f->routes.n; i++) {
		struct cni_route *route = cni_result_add_route(res, a);

		if (!route)
			return err_oom(e);
		*route = f->routes.v[i];
	}
	return 0;
}

static int decode_020(const cJSON *object, struct arena *a,
		      struct cni_result *res, struct err *e)
{
	struct result_020 old = { 0 };
	int r = json_decode(result_020_fields, object, NULL, &old, a, e);

	if (!r)
		r = add_family(&old.ip4, a, res, e);
	if (!r)
		r = add_family(&old.ip6, a, res, e);
	res->dns = old.dns;
	return r;
}

/* Zeroes for an address would come out as "/0", and go into the kernel. */
static int check_complete(const struct cni_result *res, struct err *e)
{
	for (size_t i = 0; i < res->ips.n; i++)
		if (!res->ips.v[i].address.addr.family)
			return err_set(e, ERR_CONFIG, EINVAL,
				       "\"ips[%zu]\" has no address", i);
	for (size_t i = 0; i < res->routes.n; i++)
		if (!res->routes.v[i].dst.addr.family)
			return err_set(e, ERR_CONFIG, EINVAL,
				       "\"routes[%zu]\" has no dst", i);
	return 0;
}

int cni_result_decode(const cJSON *object, const char *version, struct arena *a,
		      struct cni_result *ret, struct err *e)
{
	const cJSON *own = json_get(object, "cniVersion");
	struct cni_result res = { 0 };
	int r;

	if (cJSON_IsString(own) && *own->valuestring)
		version = own->valuestring;
	if (!cni_version_supported(version))
		return err_set(e, ERR_DECODE, EINVAL,
			       "result has unknown cniVersion \"%s\"", version);
	if (cni_version_at_least(version, "0.3.0"))
		r = json_decode(result_fields, object, NULL, &res, a, e);
	else
		r = decode_020(object, a, &res, e);
	if (!r)
		r = check_complete(&res, e);
	if (!r)
		*ret = res;
	return r;
}

/* --- writing ------------------------------------------------------------- */

/*
 * cJSON's adders return NULL when memory runs out; a missing key is noticed by
 * counting: `ok` turns false and stays so.
 */
struct writer {
	bool ok;
};

static cJSON *put_object(struct writer *w, cJSON *parent, const char *key)
{
	cJSON *o = key ? cJSON_AddObjectToObject(parent, key)
		       : cJSON_CreateObject();

	w->ok = w->ok && o;
	if (o && !key)
		w->ok = w->ok && cJSON_AddItemToArray(parent, o);
	return o;
}

static cJSON *put_list(struct writer *w, cJSON *parent, const char *key)
{
	cJSON *l = cJSON_AddArrayToObject(parent, key);

	w->ok = w->ok && l;
	return l;
}

static void put_string(struct writer *w, cJSON *parent, const char *key,
		       const char *value)
{
	if (value && *value)
		w->ok = w->ok && cJSON_AddStringToObject(parent, key, value);
}

static void put_int(struct writer *w, cJSON *parent, const char *key,
		    int64_t value)
{
	w->ok = w->ok && cJSON_AddNumberToObject(parent, key, (double)value);
}

static void put_ip(struct writer *w, cJSON *parent, const char *key,
		   const struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];

	put_string(w, parent, key, ip_text(addr, text));
}

static void put_prefix(struct writer *w, cJSON *parent, const char *key,
		       const struct ip_prefix *prefix)
{
	char text[PREFIX_TEXT_MAX];

	put_string(w, parent, key, prefix_text(prefix, text));
}

static void put_strings(struct writer *w, cJSON *parent, const char *key,
			const char *const *v, size_t n)
{
	cJSON *list;

	if (!n)
		return;
	list = put_list(w, parent, key);
	for (size_t i = 0; i < n; i++)
		w->ok = w->ok &&
			cJSON_AddItemToArray(
				list, cJSON_CreateString(v[i] ? v[i] : ""));
}

static void put_dns(struct writer *w, cJSON *parent, const struct cni_dns *dns)
{
	cJSON *o = put_object(w, parent, "dns");

	put_strings(w, o, "nameservers", dns->nameservers.v,
		    dns->nameservers.n);
	put_string(w, o, "domain", dns->domain);
	put_strings(w, o, "search", dns->search.v, dns->search.n);
	put_strings(w, o, "options", dns->options.v, dns->options.n);
}

/* An empty dns object is said below 1.0.0 only, where it was always there. */
static bool dns_is_empty(const struct cni_dns *dns)
{
	return !dns->nameservers.n && !dns->search.n && !dns->options.n &&
	       !(dns->domain && *dns->domain);
}

static void put_route(struct writer *w, cJSON *list,
		      const struct cni_route *route)
{
	cJSON *o = put_object(w, list, NULL);

	put_prefix(w, o, "dst", &route->dst);
	put_ip(w, o, "gw", &route->gw);
	if (route->mtu)
		put_int(w, o, "mtu", route->mtu);
	if (route->advmss)
		put_int(w, o, "advmss", route->advmss);
	if (route->priority)
		put_int(w, o, "priority", route->priority);
	if (route->table >= 0)
		put_int(w, o, "table", route->table);
	if (route->scope >= 0)
		put_int(w, o, "scope", route->scope);
}

static void put_interfaces(struct writer *w, cJSON *doc,
			   const struct cni_result *res, bool v1_1)
{
	cJSON *list, *o;

	if (!res->interfaces.n)
		return;
	list = put_list(w, doc, "interfaces");
	for (size_t i = 0; i < res->interfaces.n; i++) {
		const struct cni_interface *iface = &res->interfaces.v[i];

		o = put_object(w, list, NULL);
		put_string(w, o, "name", iface->name);
		put_string(w, o, "mac", iface->mac);
		put_string(w, o, "sandbox", iface->sandbox);
		if (!v1_1)
			continue;
		if (iface->mtu)
			put_int(w, o, "mtu", iface->mtu);
		put_string(w, o, "socketPath", iface->socket_path);
		put_string(w, o, "pciID", iface->pci_id);
	}
}

static void put_ips(struct writer *w, cJSON *doc, const struct cni_result *res,
		    bool v1)
{
	cJSON *list, *o;

	if (!res->ips.n)
		return;
	list = put_list(w, doc, "ips");
	for (size_t i = 0; i < res->ips.n; i++) {
		const struct cni_ip *ip = &res->ips.v[i];

		o = put_object(w, list, NULL);
		if (!v1)
			put_string(w, o, "version",
				   ip_size(ip->address.addr.family) == 4 ? "4"
									 : "6");
		if (ip->interface >= 0)
			put_int(w, o, "interface", ip->interface);
		put_prefix(w, o, "address", &ip->address);
		put_ip(w, o, "gateway", &ip->gateway);
	}
}

static void encode_current(struct writer *w, cJSON *doc,
			   const struct cni_result *res, const char *version)
{
	bool v1 = cni_version_at_least(version, "1.0.0");

	put_interfaces(w, doc, res, cni_version_at_least(version, "1.1.0"));
	put_ips(w, doc, res, v1);
	if (res->routes.n) {
		cJSON *list = put_list(w, doc, "routes");

		for (size_t i = 0; i < res->routes.n; i++)
			put_route(w, list, &res->routes.v[i]);
	}
	if (!v1 || !dns_is_empty(&res->dns))
		put_dns(w, doc, &res->dns);
}

/* The first address of @family_size bytes, with the routes of its family. */
static bool encode_family(struct writer *w, cJSON *doc, const char *key,
			  const struct cni_result *res, size_t family_size)
{
	cJSON *o = NULL, *routes = NULL;

	for (size_t i = 0; i < res->ips.n && !o; i++) {
		const struct cni_ip *ip = &res->ips.v[i];

		if (ip_size(ip->address.addr.family) != family_size)
			continue;
		o = put_object(w, doc, key);
		put_prefix(w, o, "ip", &ip->address);
		put_ip(w, o, "gateway", &ip->gateway);
	}
	for (size_t i = 0; o && i < res->routes.n; i++) {
		struct cni_route route = cni_route_initial;

		route.dst = res->routes.v[i].dst;
		route.gw = res->routes.v[i].gw;
		if (ip_size(route.dst.addr.family) != family_size)
			continue;
		if (!routes)
			routes = put_list(w, o, "routes");
		put_route(w, routes, &route);
	}
	return o;
}

static int encode_020(struct writer *w, cJSON *doc,
		      const struct cni_result *res, struct err *e)
{
	bool v4 = encode_family(w, doc, "ip4", res, 4);
	bool v6 = encode_family(w, doc, "ip6", res, 16);

	put_dns(w, doc, &res->dns);
	if (!v4 && !v6)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "cannot convert: no valid IP addresses");
	return 0;
}

int cni_result_encode(const struct cni_result *res, const char *version,
		      cJSON **ret, struct err *e)
{
	_json_ cJSON *doc = cJSON_CreateObject();
	struct writer w = { .ok = doc };
	int r = 0;

	put_string(&w, doc, "cniVersion", version);
	if (cni_version_at_least(version, "0.3.0"))
		encode_current(&w, doc, res, version);
	else
		r = encode_020(&w, doc, res, e);
	if (!r && !w.ok)
		r = err_oom(e);
	if (!r)
		*ret = steal_ptr(&doc);
	return r;
}

struct ip_prefix *cni_result_addresses(const struct cni_result *res,
				       struct arena *a)
{
	struct ip_prefix *v = arena_array(a, res->ips.n, sizeof(*v));

	for (size_t i = 0; v && i < res->ips.n; i++)
		v[i] = res->ips.v[i].address;
	return v;
}

const struct cni_interface *cni_result_find_interface(
	const struct cni_result *res, const char *name, bool in_container)
{
	for (size_t i = 0; i < res->interfaces.n; i++) {
		const struct cni_interface *iface = &res->interfaces.v[i];
		bool has_sandbox = iface->sandbox && *iface->sandbox;

		if (iface->name && !strcmp(iface->name, name) &&
		    has_sandbox == in_container)
			return iface;
	}
	return NULL;
}
