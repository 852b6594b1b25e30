// SPDX-License-Identifier: GPL-2.0-or-later
/* CHECK of the bridge plugin: is the world still as ADD's result has it? Each
 * difference is an error that names the thing. */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cni/ipam.h"
#include "kernel/addr.h"
#include "service/container_ip.h"
#include "service/masquerade.h"
#include "service/masquerade_iptables.h"

/* What the result says, and what there is. */
struct inspection {
	const struct cni_call *call;
	struct bridge_conf conf;
	struct cni_result prev;
	const struct cni_interface *wanted_iface;
	struct netns host, container;
	struct netfilter *nf;
	struct link bridge, port, iface;
};

static int differs(struct err *e, const char *what, const char *name,
		   const char *how)
{
	return err_set(e, ERR_MISMATCH, ENOENT, "%s %s %s", what, name, how);
}

/* The result's interface with the link's name, if it says a MAC, says its. */
static int check_mac(const struct cni_interface *wanted,
		     const struct link *link, const char *what, struct err *e)
{
	char mac[MAC_TEXT_MAX];

	mac_text(link->mac, mac);
	if (!wanted || !wanted->mac || !*wanted->mac ||
	    !strcasecmp(wanted->mac, mac))
		return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "%s %s has MAC %s, prevResult says %s", what, link->name,
		       mac, wanted->mac);
}

static int check_bridge(struct inspection *in, struct err *e)
{
	const char *name = in->conf.bridge;
	int r = link_get(&in->host, name, &in->bridge, e);

	if (r == -ENODEV)
		return differs(e, "bridge", name, "does not exist");
	if (r)
		return r;
	if (strcmp(in->bridge.kind, "bridge") != 0)
		return differs(e, "interface", name, "is not a bridge");
	if (!(in->bridge.flags & IFF_UP))
		return differs(e, "bridge", name, "is down");
	if (in->conf.promisc && !(in->bridge.flags & IFF_PROMISC))
		return differs(e, "bridge", name, "is not promiscuous");
	return check_mac(bridge_find_interface(&in->prev, name, false),
			 &in->bridge, "bridge", e);
}

static int check_interface(struct inspection *in, struct err *e)
{
	const char *name = in->call->args->ifname;
	int r = link_get(&in->container, name, &in->iface, e);

	if (r == -ENODEV)
		return differs(e, "container interface", name,
			       "does not exist");
	if (r)
		return r;
	if (strcmp(in->iface.kind, "veth") != 0)
		return differs(e, "container interface", name, "is not a veth");
	if (!in->conf.disable_container_interface &&
	    !(in->iface.flags & IFF_UP))
		return differs(e, "container interface", name, "is down");
	return check_mac(in->wanted_iface, &in->iface, "container interface",
			 e);
}

/* Ours is known by its name; one that another implementation made is the
 * interface of prevResult that is the other end. */
static int find_port(struct inspection *in, struct err *e)
{
	const struct owner owner = cni_owner(in->call);
	const struct owner_ifname own = owner_host_ifname(&owner);

	if (!link_get(&in->host, own.name, &in->port, NULL))
		return 0;
	for (size_t i = 0; i < in->prev.interfaces.n; i++) {
		const struct cni_interface *iface = &in->prev.interfaces.v[i];

		if (iface->name && !(iface->sandbox && *iface->sandbox) &&
		    !link_get(&in->host, iface->name, &in->port, NULL) &&
		    in->port.index == in->iface.peer &&
		    !strcmp(in->port.kind, "veth"))
			return 0;
	}
	return differs(e, "host interface", own.name, "does not exist");
}

static int check_port(struct inspection *in, struct err *e)
{
	const char *name = in->port.name;
	int r = find_port(in, e);

	if (r)
		return r;
	if (in->port.index != in->iface.peer ||
	    in->iface.index != in->port.peer)
		return differs(e, "host interface", name,
			       "is not the other end of the container's");
	if (in->port.master != in->bridge.index)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "host interface %s is not attached to bridge %s",
			       name, in->bridge.name);
	if (!(in->port.flags & IFF_UP))
		return differs(e, "host interface", name, "is down");
	if (in->conf.hairpin != in->port.hairpin)
		return differs(e, "host interface", name,
			       "has another hairpin mode than configured");
	if (in->conf.port_isolation != in->port.isolated)
		return differs(e, "host interface", name,
			       "has another isolation than configured");
	return 0;
}

static bool has_address(const struct addr *v, size_t n,
			const struct ip_addr *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&v[i].prefix.addr, wanted))
			return true;
	return false;
}

static int check_gateways(struct inspection *in, struct err *e)
{
	struct addr *v;
	size_t n;
	int r;

	if (!in->conf.is_gateway)
		return 0;
	r = addr_list(&in->host, in->bridge.index, in->call->arena, &v, &n, e);
	for (size_t i = 0; !r && i < in->prev.ips.n; i++) {
		struct ip_addr gw = bridge_gateway_of(&in->prev.ips.v[i]);
		char text[IP_TEXT_MAX];

		if (!has_address(v, n, &gw))
			r = err_set(
				e, ERR_MISMATCH, ENOENT,
				"bridge %s does not have the gateway address %s",
				in->bridge.name, ip_text(&gw, text));
	}
	return r;
}

static int check_masquerading(const struct inspection *in, struct err *e)
{
	const struct owner owner = cni_owner(in->call);
	struct ip_prefix *v;

	if (!in->conf.ip_masq)
		return 0;
	v = bridge_addresses(&in->prev, in->call->arena);
	if (!v)
		return err_oom(e);
	if (bridge_uses_iptables(&in->conf))
		return masquerade_iptables_check(&owner, v, in->prev.ips.n, e);
	return masquerade_check(in->nf, &owner, v, in->prev.ips.n, e);
}

static int check_guard(const struct inspection *in, struct err *e)
{
	const struct owner owner = cni_owner(in->call);
	struct spoof_guard guard;
	struct ip_prefix *v;

	if (!in->conf.mac_spoof_check)
		return 0;
	v = bridge_addresses(&in->prev, in->call->arena);
	if (!v)
		return err_oom(e);
	guard = bridge_guard(&in->conf, in->port.name, in->iface.mac, v,
			     in->prev.ips.n);
	return spoof_check(in->nf, &owner, &guard, e);
}

static int check_all(struct inspection *in, struct err *e)
{
	int r = check_bridge(in, e);

	if (!r)
		r = check_interface(in, e);
	if (!r)
		r = check_port(in, e);
	if (!r && !in->conf.disable_container_interface)
		r = container_ip_check(&in->container, &in->iface, &in->prev,
				       in->call->arena, e);
	if (!r)
		r = check_gateways(in, e);
	if (!r)
		r = check_masquerading(in, e);
	return r ? r : check_guard(in, e);
}

/* The result must be of this attachment to begin with. */
static int check_result(struct inspection *in, struct err *e)
{
	const struct cni_args *args = in->call->args;

	in->wanted_iface = bridge_find_interface(&in->prev, args->ifname, true);
	if (!in->wanted_iface)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "prevResult has no interface %s in a container",
			       args->ifname);
	if (strcmp(in->wanted_iface->sandbox, args->netns) != 0)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"prevResult has interface %s in %s, CNI_NETNS is %s",
			args->ifname, in->wanted_iface->sandbox, args->netns);
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
		r = check_result(&in, e);
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
