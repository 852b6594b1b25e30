// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/link_add.h"

#include <linux/if_link.h>
#include <linux/veth.h>

#include "kernel/rtnl.h"

int link_add_bridge(const struct netns *ns, const struct bridge_new *bridge,
		    struct err *e)
{
	const struct ifinfomsg header = { 0 };
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header,
		   sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, bridge->name);
	rtreq_put(&q, IFLA_ADDRESS, bridge->mac, MAC_LEN);
	if (bridge->mtu)
		rtreq_put_u32(&q, IFLA_MTU, bridge->mtu);
	rtreq_nest(&q, IFLA_LINKINFO);
	rtreq_put_str(&q, IFLA_INFO_KIND, "bridge");
	if (bridge->vlan_filtering) {
		rtreq_nest(&q, IFLA_INFO_DATA);
		rtreq_put_u8(&q, IFLA_BR_VLAN_FILTERING, 1);
		rtreq_end(&q);
	}
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "create bridge \"%s\"", bridge->name);
}

/* --- veth ---------------------------------------------------------------- */

/* The half of the request that describes the far end. */
static void put_veth_peer(struct rtreq *q, const struct veth *veth)
{
	const struct ifinfomsg header = { 0 };

	rtreq_nest(q, VETH_INFO_PEER);
	rtreq_append(q, &header, sizeof(header));
	rtreq_put_str(q, IFLA_IFNAME, veth->peer_name);
	rtreq_put_u32(q, IFLA_NET_NS_FD, (uint32_t)veth->peer_ns);
	if (veth->mtu)
		rtreq_put_u32(q, IFLA_MTU, veth->mtu);
	if (veth->peer_mac)
		rtreq_put(q, IFLA_ADDRESS, veth->peer_mac, MAC_LEN);
	rtreq_end(q);
}

int link_add_veth(const struct netns *ns, const struct veth *veth,
		  struct err *e)
{
	const struct ifinfomsg header = { 0 };
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header,
		   sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, veth->name);
	if (veth->mtu)
		rtreq_put_u32(&q, IFLA_MTU, veth->mtu);
	if (veth->master)
		rtreq_put_u32(&q, IFLA_MASTER, (uint32_t)veth->master);
	rtreq_nest(&q, IFLA_LINKINFO);
	rtreq_put_str(&q, IFLA_INFO_KIND, "veth");
	rtreq_nest(&q, IFLA_INFO_DATA);
	put_veth_peer(&q, veth);
	rtreq_end(&q);
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "create veth \"%s\" with peer \"%s\"",
			  veth->name, veth->peer_name);
}

/* --- in another namespace ------------------------------------------------- */

/* Begin a request for a new link, up to the data of its kind: the caller puts
 * these, and calls add(). */
static void begin(struct rtreq *q, const struct link_new *link,
		  const char *kind)
{
	const struct ifinfomsg header = { 0 };

	rtreq_init(q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header,
		   sizeof(header));
	rtreq_put_str(q, IFLA_IFNAME, link->name);
	rtreq_put_u32(q, IFLA_NET_NS_FD, (uint32_t)link->into->fd);
	if (link->lower)
		rtreq_put_u32(q, IFLA_LINK, (uint32_t)link->lower);
	if (link->mtu)
		rtreq_put_u32(q, IFLA_MTU, link->mtu);
	if (link->mac)
		rtreq_put(q, IFLA_ADDRESS, link->mac, MAC_LEN);
	rtreq_nest(q, IFLA_LINKINFO);
	rtreq_put_str(q, IFLA_INFO_KIND, kind);
	rtreq_nest(q, IFLA_INFO_DATA);
}

static int add(const struct netns *ns, struct rtreq *q,
	       const struct link_new *link, const char *kind, struct err *e)
{
	rtreq_end(q);
	rtreq_end(q);
	return rtreq_call(ns, q, e, "create %s \"%s\"", kind, link->name);
}

int link_add_dummy(const struct netns *ns, const struct link_new *link,
		   struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, link, "dummy");
	return add(ns, &q, link, "dummy", e);
}

int link_add_ifb(const struct netns *ns, const struct link_new *link,
		 struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, link, "ifb");
	return add(ns, &q, link, "ifb", e);
}

int link_add_ipvlan(const struct netns *ns, const struct link_new *link,
		    uint16_t mode, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, link, "ipvlan");
	rtreq_put(&q, IFLA_IPVLAN_MODE, &mode, sizeof(mode));
	return add(ns, &q, link, "ipvlan", e);
}

int link_add_macvlan(const struct netns *ns, const struct link_new *link,
		     uint32_t mode, uint32_t queue_len, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, link, "macvlan");
	rtreq_put_u32(&q, IFLA_MACVLAN_MODE, mode);
	if (queue_len)
		rtreq_put_u32(&q, IFLA_MACVLAN_BC_QUEUE_LEN, queue_len);
	return add(ns, &q, link, "macvlan", e);
}

int link_add_vlan(const struct netns *ns, const struct link_new *link,
		  uint16_t id, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, link, "vlan");
	rtreq_put(&q, IFLA_VLAN_ID, &id, sizeof(id));
	return add(ns, &q, link, "vlan", e);
}

int link_add_vrf(const struct netns *ns, const struct link_new *link,
		 uint32_t table, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, link, "vrf");
	rtreq_put_u32(&q, IFLA_VRF_TABLE, table);
	return add(ns, &q, link, "vrf", e);
}
