// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/netavark_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/version.h"

#define DNS_DOMAIN "dns.podman" /* as podman's own networks have */

/* --- the list ------------------------------------------------------------- */

static void add_number(cJSON *object, const char *key, int64_t number)
{
	if (number)
		cJSON_AddNumberToObject(object, key, (double)number);
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

static void add_route(cJSON *routes, const char *dst, const char *gw,
		      int64_t priority)
{
	cJSON *route = cJSON_CreateObject();

	cJSON_AddStringToObject(route, "dst", dst);
	if (gw)
		cJSON_AddStringToObject(route, "gw", gw);
	add_number(route, "priority", priority);
	cJSON_AddItemToArray(routes, route);
}

/* Of the families that the container has addresses of. */
static void add_default_routes(const struct netavark_request *req,
			       cJSON *routes)
{
	static const char *const everywhere[] = { "0.0.0.0/0", "::/0" };
	const struct netavark_network *n = &req->network;
	bool has[2] = { false, false };

	if (n->internal || n->options.no_default_route)
		return;
	for (size_t i = 0; i < req->container.static_ips.n; i++)
		has[strchr(req->container.static_ips.v[i], ':') != NULL] = true;
	for (size_t i = 0; i < 2; i++)
		if (has[i])
			add_route(routes, everywhere[i], NULL,
				  n->options.metric);
}

static void add_routes(const struct netavark_request *req, cJSON *routes)
{
	const struct netavark_network *n = &req->network;

	add_default_routes(req, routes);
	for (size_t i = 0; i < n->routes.n; i++) {
		const struct netavark_route *route = &n->routes.v[i];
		char dst[PREFIX_TEXT_MAX], gw[IP_TEXT_MAX];

		add_route(routes, prefix_text(&route->destination, dst),
			  route->gateway.family ? ip_text(&route->gateway, gw)
						: NULL,
			  route->metric);
	}
}

/* podman's addresses, or those of a DHCP server, or none. */
static int add_ipam(const struct netavark_request *req, cJSON *plugin,
		    struct err *e)
{
	cJSON *ipam = cJSON_AddObjectToObject(plugin, "ipam");
	cJSON *addresses;
	int r = 0;

	if (!netavark_is_addressed(&req->network)) {
		if (!strcmp(req->network.ipam_driver, "dhcp"))
			cJSON_AddStringToObject(ipam, "type", "dhcp");
		return 0;
	}
	cJSON_AddStringToObject(ipam, "type", "static");
	addresses = cJSON_AddArrayToObject(ipam, "addresses");
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

struct netavark_bridge netavark_bridge_of(const struct netavark_network *n)
{
	struct netavark_bridge bridge;

	snprintf(bridge.name, sizeof(bridge.name), "hw-%.12s", n->id);
	return bridge;
}

/* podman tells nobody that a network is removed: the bridge goes with its last
 * container. One with a DHCP server on it is somebody else's. */
static bool is_to_go(const struct netavark_network *n)
{
	return netavark_is_addressed(n) ||
	       !strcmp(n->bridge ? n->bridge : "", netavark_bridge_of(n).name);
}

static int add_bridge(const struct netavark_request *req, cJSON *plugins,
		      struct err *e)
{
	const struct netavark_network *n = &req->network;
	cJSON *bridge = add_plugin(plugins, "bridge", "mac");

	if (n->bridge)
		cJSON_AddStringToObject(bridge, "bridge", n->bridge);
	cJSON_AddBoolToObject(bridge, "isGateway",
			      n->subnets.n && n->subnets.v[0].gateway.family);
	cJSON_AddBoolToObject(bridge, "ipMasq",
			      netavark_is_addressed(n) && !n->internal);
	cJSON_AddTrueToObject(bridge, "hairpinMode");
	cJSON_AddBoolToObject(bridge, "deleteUnused", is_to_go(n));
	add_number(bridge, "mtu", n->options.mtu);
	add_number(bridge, "vlan", n->options.vlan);
	return add_ipam(req, bridge, e);
}

static void add_dnsname(const struct netavark_network *n, cJSON *plugins)
{
	cJSON *dns = add_plugin(plugins, "dnsname", "aliases");

	cJSON_AddStringToObject(dns, "domainName", DNS_DOMAIN);
	if (n->dns_servers.n)
		cJSON_AddItemToObject(
			dns, "remoteServers",
			cJSON_CreateStringArray(n->dns_servers.v,
						(int)n->dns_servers.n));
}

/* What a network has whose host is its containers' gateway. */
static void add_services(const struct netavark_network *n, cJSON *plugins)
{
	cJSON *firewall;

	add_plugin(plugins, "portmap", "portMappings");
	firewall = add_plugin(plugins, "firewall", NULL);
	if (n->options.isolate != NETAVARK_OPEN)
		cJSON_AddStringToObject(firewall, "ingressPolicy",
					"same-bridge");
	if (n->dns_enabled)
		add_dnsname(n, plugins);
}

static int make_list(const struct netavark_request *req, cJSON *list,
		     struct err *e)
{
	cJSON *plugins = cJSON_AddArrayToObject(list, "plugins");
	int r;

	cJSON_AddStringToObject(list, "cniVersion", CNI_VERSION_CURRENT);
	cJSON_AddStringToObject(list, "name", req->network.name);
	cJSON_AddTrueToObject(list, "loadOnlyInlinedPlugins");
	r = add_bridge(req, plugins, e);
	if (netavark_is_addressed(&req->network))
		add_services(&req->network, plugins);
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
