// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bridge plugin behind another one: what that has made on the host becomes a
 * port of the bridge (CNI's CONVENTIONS.md has a chained bridge do so), with all
 * that the configuration says of ports. No interface is made.
 *
 * An ADD is a chained one if its prevResult has the interface CNI_IFNAME in the
 * container, and that is there. The reference takes no notice of prevResult and
 * goes on to make an interface of that name: it fails. So every configuration
 * that works with the reference works as it does there.
 *
 * The port is the other end of the container's interface, or where that is no
 * pair the one interface on the host that prevResult has and that is no bridge
 * and no port. Gateway, masquerading and spoof protection are for the addresses
 * that the container's interface has from the plugin before. If that gave it none
 * IPAM may, and DEL takes them from it before they are given back.
 *
 * The result is prevResult and the bridge, which so stands behind the
 * container's interface; in the result of an ADD that made a pair it stands in
 * front. That is how DEL and CHECK know. A port that had no alias gets one that
 * says whose it is now: for a DEL without prevResult, and for GC. It loses that
 * when it is taken off the bridge again. One that has an alias keeps it.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/ipam.h"
#include "interface/report.h"
#include "service/container_ip.h"

#define ATTACHED     "attached: "
#define ATTACHED_LEN (sizeof(ATTACHED) - 1)

static bool is_on_host(const struct cni_interface *iface)
{
	return iface->name && !(iface->sandbox && *iface->sandbox);
}

/* The index of the container's interface in the result; -1: it has none. */
static int64_t index_of_iface(const struct cni_call *call,
			      const struct cni_result *res)
{
	const struct cni_interface *iface =
		cni_result_find_interface(res, call->args->ifname, true);

	return iface ? iface - res->interfaces.v : -1;
}

int bridge_chained_addresses(const struct cni_call *call,
			     const struct cni_result *prev,
			     struct cni_result *ret, struct err *e)
{
	int64_t own = index_of_iface(call, prev);

	for (size_t i = 0; i < prev->ips.n; i++) {
		const struct cni_ip *from = &prev->ips.v[i];
		struct cni_ip *ip;

		if (from->interface >= 0 && from->interface != own)
			continue;
		ip = cni_result_add_ip(ret, call->arena);
		if (!ip)
			return err_oom(e);
		*ip = *from;
	}
	return 0;
}

/* --- ADD: what becomes the port -------------------------------------------- */

static bool is_chained(struct bridge_attachment *at)
{
	const struct cni_args *args = at->call->args;
	const struct cni_interface *iface;

	if (cni_prev_result(at->call, &at->prev, NULL))
		return false;
	iface = cni_result_find_interface(&at->prev, args->ifname, true);
	return iface && !strcmp(iface->sandbox, args->netns) &&
	       !link_get(&at->container, args->ifname, &at->iface, NULL);
}

static bool are_a_pair(const struct link *port, const struct link *iface)
{
	return !strcmp(port->kind, "veth") && !strcmp(iface->kind, "veth") &&
	       port->iflink == iface->index && iface->iflink == port->index;
}

/* Count the interfaces that could be the port; the last is kept. A pair's end
 * is the only one. */
static size_t find_candidates(struct bridge_attachment *at)
{
	size_t n = 0;

	for (size_t i = 0; i < at->prev.interfaces.n; i++) {
		const struct cni_interface *iface = &at->prev.interfaces.v[i];
		struct link link;

		if (!is_on_host(iface) ||
		    link_get(&at->host, iface->name, &link, NULL) ||
		    !strcmp(link.kind, "bridge"))
			continue;
		if (are_a_pair(&link, &at->iface)) {
			at->taken = link;
			return 1;
		}
		if (link.master)
			continue;
		at->taken = link;
		n++;
	}
	return n;
}

static int choose_port(struct bridge_attachment *at, struct err *e)
{
	size_t n = find_candidates(at);

	if (n != 1)
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"interface \"%s\" already exists in the container, and prevResult has %s on the host that could become the port of bridge \"%s\"",
			at->iface.name,
			n ? "more than one interface" : "no interface",
			at->conf.bridge);
	if (at->taken.master)
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"interface \"%s\" already exists in the container, and \"%s\" is a port already",
			at->iface.name, at->taken.name);
	return 0;
}

/* Without this DEL could not tell whose addresses are whose. */
static int examine_addresses(const struct bridge_attachment *at, struct err *e)
{
	if (cni_has_ipam(at->call->conf) && at->addresses.ips.n)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"ipam\": the plugin before has given interface \"%s\" addresses already",
			at->iface.name);
	if (at->conf.is_default_gateway && !cni_has_ipam(at->call->conf))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"isDefaultGateway\" behind another plugin needs \"ipam\"");
	return 0;
}

int bridge_chained_find(struct bridge_attachment *at, struct err *e)
{
	int r;

	at->is_chained = at->call->conf->prev_result && is_chained(at);
	if (!at->is_chained)
		return 0;
	r = choose_port(at, e);
	if (!r)
		r = bridge_chained_addresses(at->call, &at->prev,
					     &at->addresses, e);
	if (!r)
		r = examine_addresses(at, e);
	if (r)
		return r;
	at->port = at->taken;
	snprintf(at->port_name.name, sizeof(at->port_name.name), "%s",
		 at->port.name);
	return 0;
}

/* --- ADD: the port --------------------------------------------------------- */

int bridge_chained_plug(struct bridge_attachment *at, struct err *e)
{
	const struct link_change attach = { .master = at->bridge.index };
	int r = link_change(&at->host, at->taken.name, &attach, e);

	if (r)
		return r;
	r = bridge_set_vlans(&at->host, &at->bridge, &at->port, &at->conf.vlan,
			     e);
	if (r)
		bridge_chained_unplug(at);
	return r;
}

void bridge_chained_unplug(const struct bridge_attachment *at)
{
	const struct link_change detach = {
		.leave_master = true,
		.alias = *at->taken.alias ? NULL : "",
		.flags_off = at->taken.flags & IFF_UP ? 0 : IFF_UP,
	};

	link_change(&at->host, at->port_name.name, &detach, NULL);
}

const char *bridge_chained_alias(const struct bridge_attachment *at,
				 char buf[static BRIDGE_ALIAS_MAX])
{
	const struct owner_text owner = owner_text(&at->owner);

	if (*at->taken.alias)
		return NULL;
	snprintf(buf, BRIDGE_ALIAS_MAX, ATTACHED "%s", owner.text);
	return buf;
}

/* --- ADD: the result ------------------------------------------------------- */

static int append(struct cni_result *ret, const struct cni_result *ipam,
		  int64_t iface, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < ipam->ips.n; i++) {
		struct cni_ip *ip = cni_result_add_ip(ret, a);

		if (!ip)
			return err_oom(e);
		*ip = ipam->ips.v[i];
		ip->interface = iface;
	}
	for (size_t i = 0; i < ipam->routes.n; i++) {
		struct cni_route *route = cni_result_add_route(ret, a);

		if (!route)
			return err_oom(e);
		*route = ipam->routes.v[i];
	}
	return 0;
}

int bridge_chained_complete(const struct bridge_attachment *at,
			    struct cni_result *res, struct err *e)
{
	struct cni_result all = at->prev;
	struct arena *a = at->call->arena;
	int r = report_interface(&all, &at->bridge, NULL, a, e);

	if (!r)
		r = append(&all, res, index_of_iface(at->call, &all), a, e);
	if (cni_dns_is_set(&at->call->conf->dns))
		all.dns = at->call->conf->dns;
	else if (cni_dns_is_set(&res->dns))
		all.dns = res->dns;
	if (!r)
		*res = all;
	return r;
}

/* --- DEL, GC, CHECK -------------------------------------------------------- */

enum bridge_add_kind bridge_chained_kind(const struct cni_call *call,
					 const struct cni_result *prev,
					 const char *bridge)
{
	const struct cni_interface *iface =
		cni_result_find_interface(prev, call->args->ifname, true);
	const struct cni_interface *master =
		cni_result_find_interface(prev, bridge, false);

	if (!iface || !master)
		return ADD_UNKNOWN;
	return iface < master ? ADD_CHAINED : ADD_OF_PAIR;
}

static bool is_attached(const struct owner *owner, const struct link *link)
{
	return !strncmp(link->alias, ATTACHED, ATTACHED_LEN) &&
	       owner_is(owner, link->alias + ATTACHED_LEN);
}

/* The one that says so; else one that has kept an alias of its own. */
int bridge_chained_port(const struct netns *host, const struct owner *owner,
			const struct cni_result *prev,
			const struct link *bridge, struct link *ret,
			struct err *e)
{
	bool found = false;

	for (size_t i = 0; i < prev->interfaces.n; i++) {
		const struct cni_interface *iface = &prev->interfaces.v[i];
		struct link link;

		if (!is_on_host(iface) ||
		    link_get(host, iface->name, &link, NULL) ||
		    link.master != bridge->index)
			continue;
		if (is_attached(owner, &link) || (!found && *link.alias)) {
			*ret = link;
			found = true;
		}
	}
	if (found)
		return 0;
	return err_set(
		e, ERR_MISMATCH, ENODEV,
		"no host interface of prevResult is attached to bridge %s",
		bridge->name);
}

static int detach(const struct netns *host, const struct link *port,
		  struct err *e)
{
	bool is_marked = !strncmp(port->alias, ATTACHED, ATTACHED_LEN);
	const struct link_change change = { .leave_master = true,
					    .alias = is_marked ? "" : NULL };
	int r = link_change(host, port->name, &change, e);

	return r == -ENODEV ? 0 : r;
}

static int detach_from(const struct netns *host, const struct owner *owner,
		       const struct cni_result *prev, const char *bridge,
		       struct err *e)
{
	struct link master, port;

	if (link_get(host, bridge, &master, NULL) ||
	    bridge_chained_port(host, owner, prev, &master, &port, NULL))
		return 0;
	return detach(host, &port, e);
}

/* What IPAM gave the container's interface, if that is there still. */
static int delete_addresses(const struct cni_call *call,
			    const struct cni_result *prev, struct err *e)
{
	_netns_ struct netns container = NETNS_NONE;
	struct cni_result given = { .routes = prev->routes };
	struct link iface;
	int r;

	if (!cni_has_ipam(call->conf) || !*call->args->netns ||
	    netns_open(call->args->netns, &container, NULL) ||
	    link_get(&container, call->args->ifname, &iface, NULL))
		return 0;
	r = bridge_chained_addresses(call, prev, &given, e);
	return r ? r : container_ip_del(&container, &iface, &given, e);
}

/* The end on the host of the container's interface. */
static int find_other_end(const struct cni_call *call, const struct netns *host,
			  struct link *ret)
{
	_netns_ struct netns container = NETNS_NONE;
	struct link iface;

	if (netns_open(call->args->netns, &container, NULL) ||
	    link_get(&container, call->args->ifname, &iface, NULL) ||
	    link_get_index(host, iface.iflink, ret, NULL) ||
	    !are_a_pair(ret, &iface))
		return -ENODEV;
	return 0;
}

/* Without the result that tells, the port does; a pair of our own is known by its
 * name. */
static int detach_marked(const struct cni_call *call, const struct netns *host,
			 const struct owner *owner, bool *ret, struct err *e)
{
	const struct owner_ifname own = owner_host_ifname(owner);
	struct link port;

	if (!link_get(host, own.name, &port, NULL) ||
	    find_other_end(call, host, &port) || !is_attached(owner, &port))
		return 0;
	*ret = true;
	return detach(host, &port, e);
}

int bridge_chained_del(const struct cni_call *call,
		       const struct bridge_conf *conf, bool *ret, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	const struct owner owner = cni_owner(call);
	enum bridge_add_kind kind = ADD_UNKNOWN;
	struct cni_result prev = { 0 };
	int r;

	*ret = false;
	if (call->conf->prev_result && !cni_prev_result(call, &prev, NULL))
		kind = bridge_chained_kind(call, &prev, conf->bridge);
	if (kind == ADD_OF_PAIR || (kind == ADD_UNKNOWN && !*call->args->netns))
		return 0;
	r = netns_open_own(&host, e);
	if (r)
		return r;
	if (kind == ADD_UNKNOWN)
		return detach_marked(call, &host, &owner, ret, e);
	*ret = true;
	r = detach_from(&host, &owner, &prev, conf->bridge, e);
	return r ? r : delete_addresses(call, &prev, e);
}

int bridge_chained_gc(const struct cni_call *call, const struct owner *valid,
		      size_t valid_n, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct link *v = NULL;
	size_t n = 0;
	int first = netns_open_own(&host, e);

	if (!first)
		first = link_list(&host, call->arena, &v, &n, e);
	for (size_t i = 0; i < n; i++) {
		const char *alias = v[i].alias;
		int r = 0;

		if (!strncmp(alias, ATTACHED, ATTACHED_LEN) &&
		    owner_is_stale(call->conf->name, valid, valid_n,
				   alias + ATTACHED_LEN))
			r = detach(&host, &v[i], first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}
