// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/netavark_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cni/version.h"

#define DNS_DOMAIN "dns.podman" /* as podman's own networks have */

/* --- the list ------------------------------------------------------------- */

/* An option that was checked; NULL: not given. */
static void add_number(cJSON *plugin, const char *key, const char *text)
{
	if (text)
		cJSON_AddNumberToObject(plugin, key, strtod(text, NULL));
}

static const struct netavark_subnet *find_subnet(
	const struct netavark_network *n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n->subnets.n; i++)
		if (prefix_contains(&n->subnets.v[i].subnet, addr))
			return &n->subnets.v[i];
	return NULL;
}

static int add_address(const struct netavark_network *n, const char *text,
		       cJSON *addresses, struct err *e)
{
	const struct netavark_subnet *subnet;
	char prefix[PREFIX_TEXT_MAX], gateway[IP_TEXT_MAX];
	struct ip_prefix own = { 0 };
	cJSON *address;

	if (ip_parse(text, &own.addr) || !(subnet = find_subnet(n, &own.addr)))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"address \"%s\" is in no subnet of network \"%s\"",
			text, n->name);
	own.len = subnet->subnet.len;
	address = cJSON_CreateObject();
	cJSON_AddStringToObject(address, "address", prefix_text(&own, prefix));
	if (subnet->gateway.family)
		cJSON_AddStringToObject(address, "gateway",
					ip_text(&subnet->gateway, gateway));
	cJSON_AddItemToArray(addresses, address);
	return 0;
}

/* Default routes of the families that the container has addresses of. */
static void add_routes(const struct netavark_request *req, cJSON *routes)
{
	static const char *const everywhere[] = { "0.0.0.0/0", "::/0" };
	bool has[2] = { false, false };

	for (size_t i = 0; i < req->container.static_ips.n; i++)
		has[strchr(req->container.static_ips.v[i], ':') != NULL] = true;
	for (size_t i = 0; i < 2; i++) {
		cJSON *route;

		if (!has[i] || req->network.internal)
			continue;
		route = cJSON_CreateObject();
		cJSON_AddStringToObject(route, "dst", everywhere[i]);
		cJSON_AddItemToArray(routes, route);
	}
}

static int add_ipam(const struct netavark_request *req, cJSON *plugin,
		    struct err *e)
{
	cJSON *ipam = cJSON_AddObjectToObject(plugin, "ipam");
	cJSON *addresses = cJSON_AddArrayToObject(ipam, "addresses");
	int r = 0;

	cJSON_AddStringToObject(ipam, "type", "static");
	for (size_t i = 0; !r && i < req->container.static_ips.n; i++)
		r = add_address(&req->network, req->container.static_ips.v[i],
				addresses, e);
	add_routes(req, cJSON_AddArrayToObject(ipam, "routes"));
	return r;
}

static cJSON *add_plugin(cJSON *plugins, const char *type,
			 const char *capability)
{
	cJSON *plugin = cJSON_CreateObject();

	cJSON_AddStringToObject(plugin, "type", type);
	if (capability)
		cJSON_AddTrueToObject(
			cJSON_AddObjectToObject(plugin, "capabilities"),
			capability);
	cJSON_AddItemToArray(plugins, plugin);
	return plugin;
}

static int add_bridge(const struct netavark_request *req, cJSON *plugins,
		      struct err *e)
{
	const struct netavark_network *n = &req->network;
	cJSON *bridge = add_plugin(plugins, "bridge", "mac");

	if (n->bridge)
		cJSON_AddStringToObject(bridge, "bridge", n->bridge);
	cJSON_AddBoolToObject(bridge, "isGateway",
			      n->subnets.v[0].gateway.family != 0);
	cJSON_AddBoolToObject(bridge, "ipMasq", !n->internal);
	cJSON_AddTrueToObject(bridge, "hairpinMode");
	/* podman tells nobody that a network is removed */
	cJSON_AddTrueToObject(bridge, "deleteUnused");
	add_number(bridge, "mtu", n->options.mtu);
	add_number(bridge, "vlan", n->options.vlan);
	return add_ipam(req, bridge, e);
}

static bool is_isolated(const char *isolate)
{
	return isolate && strcmp(isolate, "false") && strcmp(isolate, "0");
}

static int make_list(const struct netavark_request *req, cJSON *list,
		     struct err *e)
{
	const struct netavark_network *n = &req->network;
	cJSON *plugins = cJSON_AddArrayToObject(list, "plugins");
	cJSON *firewall;
	int r;

	cJSON_AddStringToObject(list, "cniVersion", CNI_VERSION_CURRENT);
	cJSON_AddStringToObject(list, "name", n->name);
	cJSON_AddTrueToObject(list, "loadOnlyInlinedPlugins");
	r = add_bridge(req, plugins, e);
	add_plugin(plugins, "portmap", "portMappings");
	firewall = add_plugin(plugins, "firewall", NULL);
	if (is_isolated(n->options.isolate))
		cJSON_AddStringToObject(firewall, "ingressPolicy",
					"same-bridge");
	if (n->dns_enabled)
		cJSON_AddStringToObject(
			add_plugin(plugins, "dnsname", "aliases"), "domainName",
			DNS_DOMAIN);
	return r;
}

int netavark_list(const struct netavark_request *req, const char *conf_dir,
		  struct arena *a, struct cni_list *ret, struct err *e)
{
	_json_ cJSON *list = NULL;
	_free_ char *text = NULL;
	int r;

	if (req->network.options.conflist)
		return cni_list_load(conf_dir, req->network.options.conflist, a,
				     ret, e);
	list = cJSON_CreateObject();
	r = make_list(req, list, e);
	if (r)
		return r;
	text = cJSON_PrintUnformatted(list);
	return text ? cni_list_parse(conf_dir, text, a, ret, e) : err_oom(e);
}

/* --- capabilities --------------------------------------------------------- */

static void add_ports(const struct netavark_port *port, cJSON *mappings)
{
	/* none is one */
	for (int64_t i = 0; i < (port->range ? port->range : 1); i++) {
		cJSON *mapping = cJSON_CreateObject();

		cJSON_AddNumberToObject(mapping, "hostPort",
					(double)(port->host_port + i));
		cJSON_AddNumberToObject(mapping, "containerPort",
					(double)(port->container_port + i));
		cJSON_AddStringToObject(mapping, "protocol",
					port->protocol ? port->protocol
						       : "tcp");
		if (port->host_ip && *port->host_ip)
			cJSON_AddStringToObject(mapping, "hostIP",
						port->host_ip);
		cJSON_AddItemToArray(mappings, mapping);
	}
}

int netavark_capability_args(const struct netavark_request *req,
			     struct arena *a, const cJSON **ret, struct err *e)
{
	cJSON *args = cJSON_CreateObject();

	if (json_keep(a, args, e) || !args)
		return err_oom(e);
	if (req->container.static_mac)
		cJSON_AddStringToObject(args, "mac", req->container.static_mac);
	if (req->container.aliases)
		cJSON_AddItemToObject(
			cJSON_AddObjectToObject(args, "aliases"),
			req->network.name,
			cJSON_Duplicate(req->container.aliases, true));
	if (req->ports.n) {
		cJSON *mappings = cJSON_AddArrayToObject(args, "portMappings");

		for (size_t i = 0; i < req->ports.n; i++)
			add_ports(&req->ports.v[i], mappings);
	}
	*ret = args;
	return 0;
}
