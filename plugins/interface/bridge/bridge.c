// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bridge: connect the container to a bridge on the host with a veth pair.
 *
 * ADD, in order:
 *   the bridge, if it is not there yet;
 *   the pair: the far end straight into the container, the near end a port, in
 *   its VLANs (vlan.c);
 *   spoof protection, while the port is still down: what is not known to be the
 *   container's own is not let through, and addresses are not known yet;
 *   IPAM, which may want to talk through the interface (DHCP);
 *   spoof protection learns the addresses;
 *   addresses and routes in the container;
 *   the gateway's addresses on the bridge, or on the host's interface in the
 *   VLAN (vlan_gateway.c), forwarding;
 *   the port forwards by now, or is waited for; the neighbours are told;
 *   masquerading.
 * A failure undoes what the call has made, in reverse order.
 *
 * Behind a plugin that has made an interface already, that one's becomes the
 * port instead of a pair's (chained.c).
 *
 * The near end has a name that follows from network, container and interface,
 * and an alias that says them: DEL and GC (remove.c) find it when the
 * container's namespace has gone.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <stdio.h>

#include "cni/ipam.h"
#include "interface/report.h"
#include "kernel/announce.h"
#include "kernel/link_delete.h"
#include "plugins.h"
#include "service/container_ip.h"
#include "service/ip_masq.h"
#include "service/veth_pair.h"

/* A bridge's port forwards some 0.2 ms after both ends are up; this is for a
 * machine that is very busy. */
#define PORT_TIMEOUT_MS 5000

struct spoof_guard bridge_guard(const struct bridge_conf *conf,
				const char *port, const uint8_t *mac,
				const struct ip_prefix *v, size_t n)
{
	return (struct spoof_guard){ .port = port,
				     .mac = mac,
				     .has_addresses = conf->ip_spoof_check,
				     .v = v,
				     .n = n };
}

/* --- the pair ------------------------------------------------------------ */

static int make_veth(struct bridge_attachment *at, struct err *e)
{
	const struct veth_pair pair = {
		.owner = &at->owner,
		.master = at->bridge.index,
		.mtu = at->mtu,
		.mac = cni_mac_get(&at->conf.mac),
	};

	return veth_pair_add(&at->host, &at->container, &pair, e);
}

static void delete_port(const struct bridge_attachment *at)
{
	struct link port;

	if (!link_get(&at->host, at->port_name.name, &port, NULL))
		link_delete(&at->host, &port, NULL);
}

/* Its VLANs are set before it is up, so that no frame gets into another one. */
static int add_pair(struct bridge_attachment *at, struct err *e)
{
	int r = make_veth(at, e);

	if (r)
		return r;
	r = link_get(&at->container, at->owner.ifname, &at->iface, e);
	if (!r && at->conf.vlan.on)
		r = link_get(&at->host, at->port_name.name, &at->port, e);
	if (!r && at->conf.vlan.on)
		r = bridge_set_vlans(&at->host, &at->bridge, &at->port,
				     &at->conf.vlan, e);
	if (r)
		delete_port(at);
	return r;
}

/* --- the port, of a pair or of another plugin's ---------------------------- */

static int plug_in(struct bridge_attachment *at, struct err *e)
{
	int r;

	bridge_lock(&at->host, false);
	r = bridge_ensure(at, e);
	if (!r && at->is_chained)
		r = bridge_chained_plug(at, e);
	else if (!r)
		r = add_pair(at, e);
	bridge_unlock(&at->host);
	return r;
}

static int guard_port(const struct bridge_attachment *at, struct err *e)
{
	const struct spoof_guard guard = bridge_guard(
		&at->conf, at->port_name.name, at->iface.mac, NULL, 0);

	if (!at->conf.mac_spoof_check)
		return 0;
	link_ignore_reserved(&at->host, at->bridge.name, NULL);
	return spoof_add(at->nf, &at->owner, &guard, e);
}

static void undo_guard(const struct bridge_attachment *at)
{
	if (at->conf.mac_spoof_check)
		spoof_del(at->nf, &at->owner, NULL);
}

static const char *alias_of(const struct bridge_attachment *at,
			    char buf[static BRIDGE_ALIAS_MAX])
{
	const struct owner_text owner = owner_text(&at->owner);

	if (at->is_chained)
		return bridge_chained_alias(at, buf);
	snprintf(buf, BRIDGE_ALIAS_MAX, "%s", owner.text);
	return buf;
}

static int set_up_port(struct bridge_attachment *at, struct err *e)
{
	char alias[BRIDGE_ALIAS_MAX];
	const struct link_change port = {
		.flags_on = IFF_UP,
		.alias = alias_of(at, alias),
		.hairpin = at->conf.hairpin,
		.isolated = at->conf.port_isolation,
	};
	const struct link_change up = { .flags_on = IFF_UP };
	int r = guard_port(at, e);

	if (!r)
		r = link_change(&at->host, at->port_name.name, &port, e);
	if (r || at->is_chained || at->conf.disable_container_interface)
		return r;
	container_ip_prepare(&at->container, &at->iface, at->conf.enable_dad);
	return link_change(&at->container, at->owner.ifname, &up, e);
}

static void undo_port(const struct bridge_attachment *at)
{
	if (at->is_chained)
		bridge_chained_unplug(at);
	else
		delete_port(at);
	undo_guard(at);
}

/* --- ADD ----------------------------------------------------------------- */

/* The port and, if it is in use, the container's interface, carry traffic. Of
 * another plugin's interfaces only a pair that is up can be known to. */
static int wait_for_port(struct bridge_attachment *at, struct err *e)
{
	const char *name = at->port_name.name;

	if (at->conf.disable_container_interface ||
	    (at->is_chained && (at->port.iflink != at->iface.index ||
				!(at->iface.flags & IFF_UP))))
		return link_get(&at->host, name, &at->port, e);
	return link_wait_up(&at->host, name, PORT_TIMEOUT_MS, &at->port, e);
}

static int guard_addresses(const struct bridge_attachment *at, struct err *e)
{
	struct spoof_guard guard;
	struct ip_prefix *v;

	if (!at->conf.ip_spoof_check)
		return 0;
	v = cni_result_addresses(&at->addresses, at->call->arena);
	if (!v)
		return err_oom(e);
	guard = bridge_guard(&at->conf, at->port_name.name, at->iface.mac, v,
			     at->addresses.ips.n);
	return spoof_add_addresses(at->nf, &at->owner, &guard, e);
}

static int connect_host(struct bridge_attachment *at, struct err *e)
{
	uint16_t vlan = at->conf.vlan.id;
	int r = 0;

	if (!at->conf.is_gateway || !at->addresses.ips.n)
		return 0;
	at->gateway = at->bridge;
	if (vlan)
		r = bridge_vlan_gateway(&at->host, &at->bridge, vlan,
					&at->gateway, e);
	return r ? r : bridge_set_gateways(at, &at->addresses, e);
}

/* @res is what IPAM gave. */
static int connect_container(struct bridge_attachment *at,
			     struct cni_result *res, struct err *e)
{
	int r = bridge_complete_result(&at->conf, res, at->call->arena, e);

	if (res->ips.n) /* else, in a chain, those there are already */
		at->addresses.ips = res->ips;
	if (!r)
		r = guard_addresses(at, e);
	if (!r && res->ips.n)
		r = container_ip_add(&at->container, &at->iface, res,
				     at->conf.enable_dad, e);
	if (!r)
		r = connect_host(at, e);
	if (!r)
		r = wait_for_port(at, e);
	if (!r && res->ips.n)
		r = announce(&at->container, &at->iface, e);
	return r;
}

static int bridge_restore(const struct cni_call *call, struct err *e)
{
	return ip_masq_restore(call, plugin_bridge.name, e);
}

/* The MAC of a bridge that somebody else made may follow its ports'. */
static int reread_bridge(struct bridge_attachment *at, struct err *e)
{
	if (at->made_bridge)
		return 0;
	return link_get(&at->host, at->conf.bridge, &at->bridge, e);
}

static int put_interfaces(const struct bridge_attachment *at,
			  struct cni_result *res, struct err *e)
{
	struct arena *a = at->call->arena;
	int r = report_interface(res, &at->bridge, NULL, a, e);

	if (!r)
		r = report_interface(res, &at->port, NULL, a, e);
	if (!r)
		r = report_interface(res, &at->iface, at->call->args->netns, a,
				     e);
	report_common(at->call, 2, res);
	return r;
}

static int complete(struct bridge_attachment *at, struct cni_result *res,
		    struct err *e)
{
	int r = reread_bridge(at, e);

	res->interfaces.n = 0; /* IPAM knows of none */
	if (!r)
		r = at->is_chained ? bridge_chained_complete(at, res, e)
				   : put_interfaces(at, res, e);
	if (!r && at->gateway.index && at->gateway.index != at->bridge.index)
		r = report_interface(res, &at->gateway, NULL, at->call->arena,
				     e);
	return r;
}

/* A pair's go with it. */
static void undo_addresses(const struct bridge_attachment *at,
			   const struct cni_result *given)
{
	if (at->is_chained)
		container_ip_del(&at->container, &at->iface, given, NULL);
}

/* The gateway first: it may be on top of the bridge. */
static void undo_host(const struct bridge_attachment *at)
{
	if (at->conf.vlan.id)
		bridge_release_vlan_gateway(&at->host, at->conf.bridge,
					    at->conf.vlan.id, NULL);
	bridge_undo(at);
}

/* For a server on the bridge the port has to forward; and it may say what its wire
 * can carry. */
static int get_addresses(struct bridge_attachment *at, struct cni_result *res,
			 struct err *e)
{
	const bool talks = cni_ipam_uses_interface(at->call->conf);
	int r = talks ? wait_for_port(at, e) : 0;

	if (!r)
		r = cni_ipam_add_addresses(at->call, res, e);
	if (r || !talks)
		return r;
	r = link_get(&at->container, at->owner.ifname, &at->iface, e);
	if (r)
		cni_ipam_call(at->call, CNI_DEL, NULL);
	return r;
}

static int attach(struct bridge_attachment *at, struct cni_result *res,
		  struct err *e)
{
	struct cni_result given = { 0 };
	int r = plug_in(at, e);

	if (r)
		goto undo_host;
	r = set_up_port(at, e);
	if (!r)
		r = get_addresses(at, res, e);
	if (r)
		goto undo_port;
	r = connect_container(at, res, e);
	given = *res;
	if (!r)
		r = complete(at, res, e);
	at->addresses.interfaces = res->interfaces; /* which they point to */
	if (!r) /* last: it undoes itself, being all or nothing */
		r = ip_masq_add(at->nf, at->call, plugin_bridge.name,
				&at->conf.masq, &at->addresses, e);
	if (!r)
		return 0;

	undo_addresses(at, &given);
	cni_ipam_call_before(at->call, CNI_DEL, NULL);
	undo_port(at);
	cni_ipam_call_after(at->call, CNI_DEL, NULL);
	undo_host(at);
	return r;
undo_port:
	undo_port(at);
undo_host:
	undo_host(at);
	return r;
}

static int bridge_add(const struct cni_call *call, struct cni_result *ret,
		      struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct bridge_attachment at = { .call = call,
					.owner = cni_owner(call),
					.host = NETNS_NONE,
					.container = NETNS_NONE,
					.nf = &nf };
	int r = bridge_conf_load(call, &at.conf, e);

	if (r)
		return r;
	at.port_name = owner_host_ifname(&at.owner);
	r = netns_open_own(&at.host, e);
	if (!r)
		r = netns_open(call->args->netns, &at.container, e);
	if (!r)
		r = bridge_chained_find(&at, e);
	if (!r)
		r = mtu_find(&at.host, &at.conf.mtu, &at.mtu, e);
	if (!r)
		r = attach(&at, ret, e);
	netns_close(&at.container);
	netns_close(&at.host);
	return r;
}

/* --- STATUS -------------------------------------------------------------- */

/* Whether an ADD could work: the bridge is one or can be made. */
static int check_service(const struct bridge_conf *conf, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	_netfilter_ struct netfilter nf = { 0 };
	struct link bridge;
	uint32_t mtu;
	int r = netns_open_own(&host, e);

	if (r)
		return r;
	r = bridge_examine(&host, conf, &bridge, e);
	if (r && r != -ENODEV)
		return r;
	r = mtu_find(&host, &conf->mtu, &mtu, e);
	if (!r)
		r = ip_masq_status(&nf, &conf->masq, e);
	if (!r && conf->mac_spoof_check)
		r = spoof_status(&nf, e);
	return r;
}

static int bridge_status(const struct cni_call *call, struct err *e)
{
	struct bridge_conf conf;
	int r = bridge_conf_load(call, &conf, e);

	if (r)
		return r;
	r = check_service(&conf, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r ? r : cni_ipam_call(call, CNI_STATUS, e);
}

const struct cni_plugin plugin_bridge = {
	.name = "bridge",
	.add = bridge_add,
	.del = bridge_del,
	.check = bridge_check,
	.gc = bridge_gc,
	.status = bridge_status,
	.restore = bridge_restore,
};
