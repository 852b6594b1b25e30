// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/netavark_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

static const struct json_field option_fields[] = {
	{ "conflist", JSON_STRING,
	  offsetof(struct netavark_network, options.conflist) },
	{ "mtu", JSON_STRING, offsetof(struct netavark_network, options.mtu) },
	{ "vlan", JSON_STRING,
	  offsetof(struct netavark_network, options.vlan) },
	{ "isolate", JSON_STRING,
	  offsetof(struct netavark_network, options.isolate) },
	{ 0 },
};

static const struct json_field network_fields[] = {
	{ "name", JSON_STRING, offsetof(struct netavark_network, name) },
	{ "id", JSON_STRING, offsetof(struct netavark_network, id) },
	{ "network_interface", JSON_STRING,
	  offsetof(struct netavark_network, bridge) },
	{ "internal", JSON_BOOL, offsetof(struct netavark_network, internal) },
	{ "dns_enabled", JSON_BOOL,
	  offsetof(struct netavark_network, dns_enabled) },
	{ "subnets", JSON_LIST, offsetof(struct netavark_network, subnets),
	  .sub = &subnet_element, .size = sizeof(struct netavark_subnet) },
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
	{ "network", JSON_OBJECT, offsetof(struct netavark_request, network),
	  .sub = network_fields },
	{ "network_options", JSON_OBJECT, 0, .sub = container_fields },
	{ 0 },
};

static int parse_number(const char *name, const char *text, double *ret,
			struct err *e)
{
	char *end;

	*ret = strtod(text, &end);
	if (end != text && !*end && *ret >= 0 && *ret <= INT32_MAX)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "option \"%s\": \"%s\" is not a number", name, text);
}

static int check_options(const struct netavark_network *n, const cJSON *given,
			 struct err *e)
{
	const cJSON *option;
	double number;
	int r = 0;

	cJSON_ArrayForEach (option, given) {
		const struct json_field *known = option_fields;

		while (known->key && strcmp(known->key, option->string))
			known++;
		if (!known->key)
			return err_set(
				e, ERR_CONFIG, EINVAL,
				"option \"%s\" is not known: there are conflist, mtu, vlan and isolate",
				option->string);
	}
	if (n->options.mtu)
		r = parse_number("mtu", n->options.mtu, &number, e);
	if (!r && n->options.vlan)
		r = parse_number("vlan", n->options.vlan, &number, e);
	return r;
}

static int check_network(const struct netavark_network *n, const cJSON *doc,
			 struct err *e)
{
	if (!n->name || !n->id)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "the network has no \"%s\"",
			       n->name ? "id" : "name");
	if (n->options.conflist && n->subnets.n)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"network \"%s\": the list \"%s\" has its own addresses, a subnet cannot be given",
			n->name, n->options.conflist);
	if (!n->options.conflist && !n->subnets.n)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"network \"%s\": needs a subnet, or the option conflist=NETWORK",
			n->name);
	return check_options(n, json_get(doc, "options"), e);
}

int netavark_network_read(const cJSON *doc, struct arena *a,
			  struct netavark_network *ret, struct err *e)
{
	struct netavark_network network = { 0 };
	int r = json_decode(network_fields, doc, NULL, &network, a, e);

	if (!r)
		r = check_network(&network, doc, e);
	if (!r)
		*ret = network;
	return r;
}

int netavark_request_read(const cJSON *doc, struct arena *a,
			  struct netavark_request *ret, struct err *e)
{
	struct netavark_request req = { .container_id = "" };
	int r = json_decode(request_fields, doc, NULL, &req, a, e);

	if (!r)
		r = check_network(&req.network, json_get(doc, "network"), e);
	if (!r && !req.container.interface_name)
		r = err_set(e, ERR_CONFIG, EINVAL,
			    "there is no \"network_options.interface_name\"");
	if (!r)
		*ret = req;
	return r;
}
