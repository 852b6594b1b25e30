// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bridge: connect the container to a bridge on the host with a veth pair.
 *
 * ADD, in order:
 *   the bridge, if it is not there yet;
 *   the pair: the far end straight into the container, the near end a port;
 *   spoof protection, while the port is still down: what is not known to be the
 *   container's own is not let through, and addresses are not known yet;
 *   IPAM, which may want to talk through the interface (DHCP);
 *   spoof protection learns the addresses;
 *   addresses and routes in the container;
 *   the gateway's addresses on the bridge, forwarding;
 *   the port forwards by now, or is waited for; the neighbours are told;
 *   masquerading.
 * A failure undoes what the call has made, in reverse order.
 *
 * The near end has a name that follows from network, container and interface,
 * and an alias that says them: DEL and GC (remove.c) find it when the
 * container's namespace has gone.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "cni/ipam.h"
#include "interface/report.h"
#include "kernel/announce.h"
#include "kernel/link_add.h"
#include "kernel/link_delete.h"
#include "kernel/sysctl.h"
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

/* What an ADD works on and has made so far. */
struct attachment {
	const struct cni_call *call;
	struct bridge_conf conf;
	struct owner owner;
	struct owner_ifname port_name;
	struct netns host, container;
	struct netfilter *nf;
	bool made_bridge;
	struct link bridge, port, iface;
};

/* --- the bridge ---------------------------------------------------------- */

static int make_bridge(struct attachment *at, struct err *e)
{
	const char *name = at->conf.bridge;
	uint8_t mac[MAC_LEN];
	int r = link_random_mac(mac, e);

	if (r)
		return r;
	r = link_add_bridge(&at->host, name, mac, (uint32_t)at->conf.mtu, e);
	at->made_bridge = !r;
	if (!r || r == -EEXIST) /* another call was faster */
		r = link_get(&at->host, name, &at->bridge, e);
	return r;
}

/* Up, promiscuous if so configured, and deaf to what a container might want to
 * configure the host with (CVE-2020-10749). */
static int set_up_bridge(struct attachment *at, struct err *e)
{
	const struct link_change change = {
		.flags_on = IFF_UP | (at->conf.promisc ? IFF_PROMISC : 0)
	};

	sysctl_set(&at->host, AF_INET6, at->bridge.name, "accept_ra", "0",
		   NULL);
	if ((at->bridge.flags & change.flags_on) == change.flags_on)
		return 0;
	return link_change(&at->host, at->bridge.name, &change, e);
}

static int ensure_bridge(struct attachment *at, struct err *e)
{
	int r = link_get(&at->host, at->conf.bridge, &at->bridge, e);

	at->made_bridge = false;
	if (r == -ENODEV)
		r = make_bridge(at, e);
	if (r)
		return r;
	if (strcmp(at->bridge.kind, "bridge") != 0)
		return err_set(e, ERR_EXISTS, EEXIST,
			       "\"%s\" already exists but is not a bridge",
			       at->conf.bridge);
	return set_up_bridge(at, e);
}

static bool has_ports(const struct netns *host, int bridge)
{
	_arena_ struct arena arena = { 0 };
	struct link *v;
	size_t n;

	if (link_list(host, &arena, &v, &n, NULL))
		return true;
	for (size_t i = 0; i < n; i++)
		if (v[i].master == bridge)
			return true;
	return false;
}

/* Take away a bridge that this call made, unless others use it by now. Nobody
 * is between finding it and having a port on it: see make_pair(). */
static void undo_bridge(const struct attachment *at)
{
	struct link bridge;

	if (!at->made_bridge)
		return;
	flock(at->host.fd, LOCK_EX);
	if (!link_get(&at->host, at->conf.bridge, &bridge, NULL) &&
	    !has_ports(&at->host, bridge.index))
		link_delete(&at->host, &bridge, NULL);
	flock(at->host.fd, LOCK_UN);
}

/* --- the pair ------------------------------------------------------------ */

static int make_veth(struct attachment *at, struct err *e)
{
	const struct veth_pair pair = {
		.owner = &at->owner,
		.master = at->bridge.index,
		.mtu = (uint32_t)at->conf.mtu,
		.mac = cni_mac_get(&at->conf.mac),
	};

	return veth_pair_add(&at->host, &at->container, &pair, e);
}

/*
 * From looking for the bridge until it has our port, no other call may take it
 * away again: a lock on the host's namespace, shared by those who plug in and
 * exclusive to those who undo. It needs no file and ends with its holder.
 */
static int make_pair(struct attachment *at, struct err *e)
{
	int r;

	flock(at->host.fd, LOCK_SH);
	r = ensure_bridge(at, e);
	if (!r)
		r = make_veth(at, e);
	flock(at->host.fd, LOCK_UN);
	return r;
}

static int guard_port(const struct attachment *at, struct err *e)
{
	const struct spoof_guard guard = bridge_guard(
		&at->conf, at->port_name.name, at->iface.mac, NULL, 0);

	if (!at->conf.mac_spoof_check)
		return 0;
	link_ignore_reserved(&at->host, at->bridge.name, NULL);
	return spoof_add(at->nf, &at->owner, &guard, e);
}

static void undo_guard(const struct attachment *at)
{
	if (at->conf.mac_spoof_check)
		spoof_del(at->nf, &at->owner, NULL);
}

static int set_up_pair(struct attachment *at, struct err *e)
{
	const struct owner_text alias = owner_text(&at->owner);
	const struct link_change port = {
		.flags_on = IFF_UP,
		.alias = alias.text,
		.hairpin = at->conf.hairpin,
		.isolated = at->conf.port_isolation,
	};
	const struct link_change up = { .flags_on = IFF_UP };
	const char *ifname = at->owner.ifname;
	int r = link_get(&at->container, ifname, &at->iface, e);

	if (!r)
		r = guard_port(at, e);
	if (!r)
		r = link_change(&at->host, at->port_name.name, &port, e);
	if (r || at->conf.disable_container_interface)
		return r;
	container_ip_prepare(&at->container, &at->iface, at->conf.enable_dad);
	return link_change(&at->container, ifname, &up, e);
}

static void undo_pair(const struct attachment *at)
{
	struct link port;

	if (!link_get(&at->host, at->port_name.name, &port, NULL))
		link_delete(&at->host, &port, NULL);
	undo_guard(at);
}

/* --- ADD ----------------------------------------------------------------- */

/* The port and, if it is in use, the container's interface, carry traffic. */
static int wait_for_port(struct attachment *at, struct err *e)
{
	if (at->conf.disable_container_interface)
		return link_get(&at->host, at->port_name.name, &at->port, e);
	return link_wait_up(&at->host, at->port_name.name, PORT_TIMEOUT_MS,
			    &at->port, e);
}

static int guard_addresses(const struct attachment *at,
			   const struct cni_result *res, struct err *e)
{
	struct spoof_guard guard;
	struct ip_prefix *v;

	if (!at->conf.ip_spoof_check)
		return 0;
	v = cni_result_addresses(res, at->call->arena);
	if (!v)
		return err_oom(e);
	guard = bridge_guard(&at->conf, at->port_name.name, at->iface.mac, v,
			     res->ips.n);
	return spoof_add_addresses(at->nf, &at->owner, &guard, e);
}

static int connect_container(struct attachment *at, struct cni_result *res,
			     struct err *e)
{
	struct arena *a = at->call->arena;
	int r = bridge_complete_result(&at->conf, res, a, e);

	if (!r)
		r = guard_addresses(at, res, e);
	if (!r)
		r = container_ip_add(&at->container, &at->iface, res,
				     at->conf.enable_dad, e);
	if (!r && at->conf.is_gateway)
		r = bridge_set_gateways(&at->host, &at->bridge, &at->conf, res,
					a, e);
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
static int reread_bridge(struct attachment *at, struct err *e)
{
	if (at->made_bridge)
		return 0;
	return link_get(&at->host, at->conf.bridge, &at->bridge, e);
}

static int complete(struct attachment *at, struct cni_result *res,
		    struct err *e)
{
	const struct cni_call *call = at->call;
	struct arena *a = call->arena;
	int r = reread_bridge(at, e);

	res->interfaces.n = 0; /* IPAM knows of none */
	if (!r)
		r = report_interface(res, &at->bridge, NULL, a, e);
	if (!r)
		r = report_interface(res, &at->port, NULL, a, e);
	if (!r)
		r = report_interface(res, &at->iface, call->args->netns, a, e);
	report_common(call, 2, res);
	return r;
}

static int attach(struct attachment *at, struct cni_result *res, struct err *e)
{
	int r = make_pair(at, e);

	if (r)
		goto undo_bridge;
	r = set_up_pair(at, e);
	if (!r)
		r = cni_ipam_add_addresses(at->call, res, e);
	if (r)
		goto undo_pair;
	r = connect_container(at, res, e);
	if (!r)
		r = complete(at, res, e);
	if (!r) /* last: it undoes itself, being all or nothing */
		r = ip_masq_add(at->nf, at->call, plugin_bridge.name,
				&at->conf.masq, res, e);
	if (!r)
		return 0;

	undo_pair(at);
	cni_ipam_call(at->call, CNI_DEL, NULL);
	undo_bridge(at);
	return r;
undo_pair:
	undo_pair(at);
undo_bridge:
	undo_bridge(at);
	return r;
}

static int bridge_add(const struct cni_call *call, struct cni_result *ret,
		      struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct attachment at = { .call = call,
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
	int r = netns_open_own(&host, e);

	if (r)
		return r;
	r = link_get(&host, conf->bridge, &bridge, e);
	if (!r && strcmp(bridge.kind, "bridge") != 0)
		return err_set(e, ERR_UNAVAILABLE, EEXIST,
			       "\"%s\" already exists but is not a bridge",
			       conf->bridge);
	if (r && r != -ENODEV)
		return r;
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
