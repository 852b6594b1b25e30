// SPDX-License-Identifier: GPL-2.0-or-later
/* CHECK of the bridge plugin: is the world still as ADD's result has it? Each
 * difference is an error that names the thing. */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <string.h>

#include "cni/ipam.h"
#include "interface/inspect.h"
#include "kernel/addr.h"
#include "service/container_ip.h"
#include "service/ip_masq.h"

/* What the result says, and what there is. */
struct inspection {
	const struct cni_call *call;
	struct bridge_conf conf;
	struct cni_result prev;
	const struct cni_interface *wanted_iface;
	struct netns host, container;
	struct netfilter *nf;
	struct link bridge, port, iface;
	bool is_chained;
	struct cni_result addresses; /* those of the container's interface */
};

/* A bridge that was made without a MAC has that of one of its ports, and another one
 * when ports come and go (net/bridge/br_stp_if.c). */
static bool has_mac_of_port(const struct inspection *in)
{
	struct link *v;
	size_t n;

	if (link_list_ports(&in->host, in->bridge.index, in->call->arena, &v,
			    &n, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!memcmp(v[i].mac, in->bridge.mac, MAC_LEN))
			return true;
	return false;
}

static int check_bridge_mac(const struct inspection *in, struct err *e)
{
	const struct cni_interface *wanted =
		cni_result_find_interface(&in->prev, in->conf.bridge, false);
	int r = inspect_mac(wanted, &in->bridge, "bridge", e);

	return r && has_mac_of_port(in) ? 0 : r;
}

static int check_bridge(struct inspection *in, struct err *e)
{
	const char *name = in->conf.bridge;
	int r = link_get(&in->host, name, &in->bridge, e);

	if (r == -ENODEV)
		return inspect_differs(e, "bridge", name, "does not exist");
	if (r)
		return r;
	if (strcmp(in->bridge.kind, "bridge") != 0)
		return inspect_differs(e, "interface", name, "is not a bridge");
	if (!(in->bridge.flags & IFF_UP))
		return inspect_differs(e, "bridge", name, "is down");
	if (in->conf.promisc && !(in->bridge.flags & IFF_PROMISC))
		return inspect_differs(e, "bridge", name, "is not promiscuous");
	return check_bridge_mac(in, e);
}

static int check_interface(struct inspection *in, struct err *e)
{
	int r;

	if (in->is_chained) /* the rest is for the plugin that made it */
		return link_get(&in->container, in->wanted_iface->name,
				&in->iface, e);
	r = inspect_iface(&in->container, in->wanted_iface, "veth", &in->iface,
			  e);
	if (!r)
		r = mtu_check(in->conf.mtu.mtu, in->wanted_iface, &in->iface,
			      "container interface", e);
	if (!r && !in->conf.disable_container_interface &&
	    !(in->iface.flags & IFF_UP))
		return inspect_differs(e, "container interface", in->iface.name,
				       "is down");
	return r;
}

static int check_pair(struct inspection *in, struct err *e)
{
	int r = inspect_host_end(in->call, &in->prev, &in->host, &in->iface,
				 &in->port, e);

	if (!r)
		r = mtu_check(in->conf.mtu.mtu,
			      cni_result_find_interface(&in->prev,
							in->port.name, false),
			      &in->port, "host interface", e);
	if (!r && in->port.master != in->bridge.index)
		r = err_set(e, ERR_MISMATCH, ENOENT,
			    "host interface %s is not attached to bridge %s",
			    in->port.name, in->bridge.name);
	return r;
}

static int check_port(struct inspection *in, struct err *e)
{
	const struct owner owner = cni_owner(in->call);
	const char *name = in->port.name;
	int r = in->is_chained
			? bridge_chained_port(&in->host, &owner, &in->prev,
					      &in->bridge, &in->port, e)
			: check_pair(in, e);

	if (r)
		return r;
	if (!(in->port.flags & IFF_UP))
		return inspect_differs(e, "host interface", name, "is down");
	if (in->conf.hairpin != in->port.hairpin)
		return inspect_differs(
			e, "host interface", name,
			"has another hairpin mode than configured");
	if (in->conf.port_isolation != in->port.isolated)
		return inspect_differs(e, "host interface", name,
				       "has another isolation than configured");
	return bridge_check_vlans(&in->host, &in->bridge, &in->port,
				  &in->conf.vlan, e);
}

static bool has_address(const struct addr *v, size_t n,
			const struct ip_addr *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&v[i].prefix.addr, wanted))
			return true;
	return false;
}

/* The bridge, or the host's interface in the VLAN. */
static int find_gateway(struct inspection *in, struct link *ret, struct err *e)
{
	uint16_t vlan = in->conf.vlan.id;
	int r;

	*ret = in->bridge;
	if (!vlan)
		return 0;
	r = bridge_find_vlan_gateway(&in->host, &in->bridge, vlan, ret, e);
	if (r == -ENODEV)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"the host has no interface in VLAN %u of bridge %s",
			vlan, in->bridge.name);
	if (!r && !(ret->flags & IFF_UP))
		return inspect_differs(e, "gateway", ret->name, "is down");
	return r;
}

static int check_gateways(struct inspection *in, struct err *e)
{
	struct link gateway;
	struct addr *v;
	size_t n;
	int r;

	if (!in->conf.is_gateway || !in->addresses.ips.n)
		return 0;
	r = find_gateway(in, &gateway, e);
	if (!r)
		r = addr_list(&in->host, gateway.index, in->call->arena, &v, &n,
			      e);
	for (size_t i = 0; !r && i < in->addresses.ips.n; i++) {
		struct ip_addr gw = bridge_gateway_of(&in->addresses.ips.v[i]);
		char text[IP_TEXT_MAX];

		if (!has_address(v, n, &gw))
			r = err_set(
				e, ERR_MISMATCH, ENOENT,
				"%s %s does not have the gateway address %s",
				strcmp(gateway.kind, "bridge") ? "gateway"
							       : "bridge",
				gateway.name, ip_text(&gw, text));
	}
	return r;
}

static int check_guard(const struct inspection *in, struct err *e)
{
	const struct owner owner = cni_owner(in->call);
	struct spoof_guard guard;
	struct ip_prefix *v;

	if (!in->conf.mac_spoof_check)
		return 0;
	v = cni_result_addresses(&in->addresses, in->call->arena);
	if (!v)
		return err_oom(e);
	guard = bridge_guard(&in->conf, in->port.name, in->iface.mac, v,
			     in->addresses.ips.n);
	return spoof_check(in->nf, &owner, &guard, e);
}

static int check_all(struct inspection *in, struct err *e)
{
	int r = check_bridge(in, e);

	if (!r)
		r = check_interface(in, e);
	if (!r)
		r = check_port(in, e);
	if (!r && !in->conf.disable_container_interface &&
	    !(in->is_chained && !cni_has_ipam(in->call->conf)))
		r = container_ip_check(&in->container, &in->iface, &in->prev,
				       in->call->arena, e);
	if (!r)
		r = check_gateways(in, e);
	if (!r)
		r = ip_masq_check(in->nf, in->call, &in->conf.masq,
				  &in->addresses, e);
	return r ? r : check_guard(in, e);
}

/* In a result of our own all addresses are the interface's. */
static int collect_addresses(struct inspection *in, struct err *e)
{
	in->is_chained = bridge_chained_kind(in->call, &in->prev,
					     in->conf.bridge) == ADD_CHAINED;
	if (in->is_chained)
		return bridge_chained_addresses(in->call, &in->prev,
						&in->addresses, e);
	in->addresses.ips = in->prev.ips;
	return 0;
}

int bridge_check(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct inspection in = { .call = call,
				 .host = NETNS_NONE,
				 .container = NETNS_NONE,
				 .nf = &nf };
	int r = bridge_conf_load(call, &in.conf, e);

	if (!r)
		r = cni_prev_result(call, &in.prev, e);
	if (!r)
		r = inspect_result(call, &in.prev, &in.wanted_iface, e);
	if (!r)
		r = collect_addresses(&in, e);
	if (!r)
		r = cni_ipam_call(call, CNI_CHECK, e);
	if (!r)
		r = netns_open_own(&in.host, e);
	if (!r)
		r = netns_open(call->args->netns, &in.container, e);
	if (!r)
		r = check_all(&in, e);
	netns_close(&in.container);
	netns_close(&in.host);
	return r;
}
