// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/netavark_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* --- options, which are all strings --------------------------------------- */

static int parse_up_to(int64_t max, const char *text, void *member)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > (uint64_t)max)
		return -EINVAL;
	*(int64_t *)member = (int64_t)n;
	return 0;
}

static int parse_metric(const char *text, void *member)
{
	return parse_up_to(UINT32_MAX, text, member);
}

static int parse_mtu(const char *text, void *member)
{
	return parse_up_to(65535, text, member);
}

static int parse_vlan(const char *text, void *member)
{
	return parse_up_to(4094, text, member);
}

/* The words of Go's strconv.ParseBool, by which podman reads its own. */
static int parse_switch(const char *text, void *member)
{
	static const char *const words[] = {
		"false", "f", "0", "true", "t", "1"
	};

	for (size_t i = 0; i < 6; i++)
		if (!strcasecmp(text, words[i])) {
			*(bool *)member = i >= 3;
			return 0;
		}
	return -EINVAL;
}

static int parse_isolate(const char *text, void *member)
{
	enum netavark_isolation *isolation = member;
	bool is_on = false;

	if (strcmp(text, "strict") != 0 && parse_switch(text, &is_on))
		return -EINVAL;
	*isolation = !strcmp(text, "strict") ? NETAVARK_STRICT
		     : is_on		     ? NETAVARK_ISOLATED
					     : NETAVARK_OPEN;
	return 0;
}

/* --- reading -------------------------------------------------------------- */

static const struct json_field string_element = { .type = JSON_STRING };

static const struct json_field subnet_fields[] = {
	{ "subnet", JSON_PARSED, offsetof(struct netavark_subnet, subnet),
	  .parse = json_parse_prefix, .what = "a subnet" },
	{ "gateway", JSON_PARSED, offsetof(struct netavark_subnet, gateway),
	  .parse = json_parse_ip, .what = "an address" },
	{ 0 },
};

static const struct json_field subnet_element = { .type = JSON_OBJECT,
						  .sub = subnet_fields };

static const struct json_field route_fields[] = {
	{ "destination", JSON_PARSED,
	  offsetof(struct netavark_route, destination),
	  .parse = json_parse_prefix, .what = "a subnet" },
	{ "gateway", JSON_PARSED, offsetof(struct netavark_route, gateway),
	  .parse = json_parse_ip, .what = "an address" },
	{ "metric", JSON_INT, offsetof(struct netavark_route, metric), 0,
	  UINT32_MAX },
	{ "route_type", JSON_STRING, offsetof(struct netavark_route, type) },
	{ 0 },
};

static const struct json_field route_element = { .type = JSON_OBJECT,
						 .sub = route_fields };

static const struct json_field ipam_fields[] = {
	{ "driver", JSON_STRING,
	  offsetof(struct netavark_network, ipam_driver) },
	{ 0 },
};

static const struct json_field option_fields[] = {
	{ "conflist", JSON_STRING,
	  offsetof(struct netavark_network, options.conflist) },
	{ "isolate", JSON_PARSED,
	  offsetof(struct netavark_network, options.isolate),
	  .parse = parse_isolate, .what = "true or false" },
	{ "metric", JSON_PARSED,
	  offsetof(struct netavark_network, options.metric),
	  .parse = parse_metric, .what = "a number" },
	{ "mtu", JSON_PARSED, offsetof(struct netavark_network, options.mtu),
	  .parse = parse_mtu, .what = "a number up to 65535" },
	{ "no_default_route", JSON_PARSED,
	  offsetof(struct netavark_network, options.no_default_route),
	  .parse = parse_switch, .what = "true or false" },
	{ "vlan", JSON_PARSED, offsetof(struct netavark_network, options.vlan),
	  .parse = parse_vlan, .what = "a number up to 4094" },
	{ 0 },
};

static const struct json_field network_fields[] = {
	{ "name", JSON_STRING, offsetof(struct netavark_network, name) },
	{ "id", JSON_STRING, offsetof(struct netavark_network, id) },
	{ "network_interface", JSON_STRING,
	  offsetof(struct netavark_network, bridge) },
	{ "internal", JSON_BOOL, offsetof(struct netavark_network, internal) },
	{ "ipv6_enabled", JSON_BOOL, offsetof(struct netavark_network, ipv6) },
	{ "dns_enabled", JSON_BOOL,
	  offsetof(struct netavark_network, dns_enabled) },
	{ "subnets", JSON_LIST, offsetof(struct netavark_network, subnets),
	  .sub = &subnet_element, .size = sizeof(struct netavark_subnet) },
	{ "routes", JSON_LIST, offsetof(struct netavark_network, routes),
	  .sub = &route_element, .size = sizeof(struct netavark_route) },
	{ "network_dns_servers", JSON_LIST,
	  offsetof(struct netavark_network, dns_servers),
	  .sub = &string_element, .size = sizeof(const char *) },
	{ "ipam_options", JSON_OBJECT, 0, .sub = ipam_fields },
	{ "options", JSON_OBJECT, 0, .sub = option_fields },
	{ 0 },
};

static const struct json_field port_fields[] = {
	{ "host_ip", JSON_STRING, offsetof(struct netavark_port, host_ip) },
	{ "protocol", JSON_STRING, offsetof(struct netavark_port, protocol) },
	{ "host_port", JSON_INT, offsetof(struct netavark_port, host_port), 0,
	  65535 },
	{ "container_port", JSON_INT,
	  offsetof(struct netavark_port, container_port), 0, 65535 },
	{ "range", JSON_INT, offsetof(struct netavark_port, range), 0, 65535 },
	{ 0 },
};

static const struct json_field port_element = { .type = JSON_OBJECT,
						.sub = port_fields };

static const struct json_field container_fields[] = {
	{ "aliases", JSON_RAW,
	  offsetof(struct netavark_request, container.aliases) },
	{ "interface_name", JSON_STRING,
	  offsetof(struct netavark_request, container.interface_name) },
	{ "static_ips", JSON_LIST,
	  offsetof(struct netavark_request, container.static_ips),
	  .sub = &string_element, .size = sizeof(const char *) },
	{ "static_mac", JSON_STRING,
	  offsetof(struct netavark_request, container.static_mac) },
	{ 0 },
};

static const struct json_field request_fields[] = {
	{ "container_id", JSON_STRING,
	  offsetof(struct netavark_request, container_id) },
	{ "container_name", JSON_STRING,
	  offsetof(struct netavark_request, container_name) },
	{ "port_mappings", JSON_LIST, offsetof(struct netavark_request, ports),
	  .sub = &port_element, .size = sizeof(struct netavark_port) },
	{ "network_options", JSON_OBJECT, 0, .sub = container_fields },
	{ 0 },
};

int netavark_network_read(const cJSON *doc, struct arena *a,
			  struct netavark_network *ret, struct err *e)
{
	struct netavark_network network = { .doc = doc };
	int r = json_decode(network_fields, doc, NULL, &network, a, e);

	if (!r && (!network.name || !network.id))
		r = err_set(e, ERR_CONFIG, EINVAL, "the network has no \"%s\"",
			    network.name ? "id" : "name");
	if (!r)
		*ret = network;
	return r;
}

int netavark_request_read(const cJSON *doc, struct arena *a,
			  struct netavark_request *ret, struct err *e)
{
	struct netavark_request req = { .container_id = "", .doc = doc };
	int r = json_decode(request_fields, doc, NULL, &req, a, e);

	if (!r)
		r = netavark_network_read(json_get(doc, "network"), a,
					  &req.network, e);
	if (!r && !req.container.interface_name)
		r = err_set(e, ERR_CONFIG, EINVAL,
			    "there is no \"network_options.interface_name\"");
	if (!r)
		*ret = req;
	return r;
}

/* --- checking ------------------------------------------------------------- */

static int check_known(const struct json_field *known, const cJSON *given,
		       const char *which, struct err *e)
{
	const cJSON *option;

	cJSON_ArrayForEach (option, given) {
		const struct json_field *field = known;

		while (field->key && strcmp(field->key, option->string) != 0)
			field++;
		if (!field->key)
			return err_set(e, ERR_CONFIG, EINVAL,
				       "option \"%s\" is not known: %s",
				       option->string, which);
	}
	return 0;
}

/* What was said that only the driver's own list has, or, of the last two, only a
 * bridge of the driver's; NULL: nothing. */
static const char *find_own(const struct netavark_network *n)
{
	const struct {
		const char *key;
		bool is_given;
	} own[] = {
		{ "subnets", n->subnets.n },
		{ "routes", n->routes.n },
		{ "network_dns_servers", n->dns_servers.n },
		{ "internal", n->internal },
		{ "options.isolate", n->options.isolate },
		{ "options.metric", n->options.metric },
		{ "options.no_default_route", n->options.no_default_route },
		{ "options.mtu", n->options.conflist && n->options.mtu },
		{ "options.vlan", n->options.conflist && n->options.vlan },
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (own[i].is_given)
			return own[i].key;
	return NULL;
}

static int check_conflist(const struct netavark_network *n, struct err *e)
{
	const char *own = find_own(n);

	return own ? err_set(e, ERR_CONFIG, EINVAL,
			     "network \"%s\": \"%s\" is for the list \"%s\" to say, it cannot be given",
			     n->name, own, n->options.conflist)
		   : 0;
}

/* The addresses are a DHCP server's, or nobody's. */
static int check_unaddressed(const struct netavark_network *n, struct err *e)
{
	const char *own = find_own(n);

	if (own)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"network \"%s\": \"%s\" cannot be given with the IPAM driver %s",
			n->name, own, n->ipam_driver);
	if (!strcmp(n->ipam_driver, "dhcp") && (!n->bridge || !*n->bridge))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"network \"%s\": the IPAM driver dhcp needs \"network_interface\", the bridge of the DHCP server",
			n->name);
	return 0;
}

static bool has_subnet(const struct netavark_network *n, int family)
{
	for (size_t i = 0; i < n->subnets.n; i++)
		if (n->subnets.v[i].subnet.addr.family == family)
			return true;
	return false;
}

static int check_routes(const struct netavark_network *n, struct err *e)
{
	for (size_t i = 0; i < n->routes.n; i++) {
		const struct netavark_route *route = &n->routes.v[i];
		char text[PREFIX_TEXT_MAX];

		if (!route->destination.addr.family)
			return err_set(
				e, ERR_CONFIG, EINVAL,
				"network \"%s\": \"routes[%zu]\" has no \"destination\"",
				n->name, i);
		if (route->type && strcmp(route->type, "unicast") != 0)
			return err_set(
				e, ERR_UNSUPPORTED, EOPNOTSUPP,
				"network \"%s\": route to %s: type \"%s\" is not supported",
				n->name, prefix_text(&route->destination, text),
				route->type);
	}
	return 0;
}

static int check_addressed(const struct netavark_network *n, struct err *e)
{
	if (!n->subnets.n)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"network \"%s\": needs a subnet, the IPAM driver dhcp or none, or the option conflist=NETWORK",
			n->name);
	if (n->ipv6 && !has_subnet(n, AF_INET6))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "network \"%s\": IPv6 needs a subnet of its own",
			       n->name);
	if (n->options.isolate == NETAVARK_STRICT)
		return err_set(
			e, ERR_UNSUPPORTED, EOPNOTSUPP,
			"network \"%s\": option \"isolate\": strict would close other networks to this one, which is not supported; true closes this one to them",
			n->name);
	return check_routes(n, e);
}

bool netavark_is_addressed(const struct netavark_network *n)
{
	return !n->ipam_driver || (strcmp(n->ipam_driver, "dhcp") != 0 &&
				   strcmp(n->ipam_driver, "none") != 0);
}

int netavark_network_check(const struct netavark_network *n, struct err *e)
{
	int r = check_known(
		option_fields, json_get(n->doc, "options"),
		"there are conflist, isolate, metric, mtu, no_default_route and vlan",
		e);

	if (r)
		return r;
	if (n->options.conflist)
		return check_conflist(n, e);
	return netavark_is_addressed(n) ? check_addressed(n, e)
					: check_unaddressed(n, e);
}

int netavark_request_check(const struct netavark_request *req, struct err *e)
{
	static const struct json_field none = { 0 };
	int r = netavark_network_check(&req->network, e);

	return r ? r
		 : check_known(&none,
			       json_get(json_get(req->doc, "network_options"),
					"options"),
			       "a container has none", e);
}
