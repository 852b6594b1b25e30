// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_tun.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/random.h>

#include "kernel/rtnl.h"
#include "kernel/watch.h"

/* --- reading ------------------------------------------------------------- */

static void copy_string(char *to, size_t size, struct nlattr *attr)
{
	if (attr)
		nla_strlcpy(to, attr, size);
}

static uint8_t get_u8(struct nlattr *attr)
{
	return attr && nla_len(attr) >= 1 ? nla_get_u8(attr) : 0;
}

static uint16_t get_u16(struct nlattr *attr)
{
	return attr && nla_len(attr) >= 2 ? nla_get_u16(attr) : 0;
}

static struct nlattr *find_nested(struct nlattr *nest, int type)
{
	return nla_find(nla_data(nest), nla_len(nest), type);
}

static void read_port(struct nlattr *data, struct link *link)
{
	struct nlattr *tb[IFLA_BRPORT_MAX + 1];

	if (nla_parse_nested(tb, IFLA_BRPORT_MAX, data, NULL))
		return;
	link->hairpin = get_u8(tb[IFLA_BRPORT_MODE]);
	link->isolated = get_u8(tb[IFLA_BRPORT_ISOLATED]);
}

static void read_bridge(struct nlattr *data, struct link *link)
{
	link->vlan_filtering =
		get_u8(find_nested(data, IFLA_BR_VLAN_FILTERING));
	link->default_pvid =
		get_u16(find_nested(data, IFLA_BR_VLAN_DEFAULT_PVID));
}

static void read_macvlan(struct nlattr *data, struct link *link)
{
	link->mode = rtattr_u32(find_nested(data, IFLA_MACVLAN_MODE));
	link->queue_len =
		rtattr_u32(find_nested(data, IFLA_MACVLAN_BC_QUEUE_LEN));
}

static int64_t read_id(struct nlattr *attr)
{
	return attr ? (int64_t)rtattr_u32(attr) : -1;
}

static void read_tap(struct nlattr *data, struct link *link)
{
	link->tap.owner = read_id(find_nested(data, IFLA_TUN_OWNER));
	link->tap.group = read_id(find_nested(data, IFLA_TUN_GROUP));
	link->tap.multi_queue = get_u8(find_nested(data, IFLA_TUN_MULTI_QUEUE));
}

/* What an interface on top of another is told apart by; how a bridge is set. */
static void read_data(struct nlattr *data, struct link *link)
{
	if (!strcmp(link->kind, "bridge"))
		read_bridge(data, link);
	else if (!strcmp(link->kind, "macvlan"))
		read_macvlan(data, link);
	else if (!strcmp(link->kind, "tun"))
		read_tap(data, link);
	else if (!strcmp(link->kind, "ipvlan"))
		link->mode = get_u16(find_nested(data, IFLA_IPVLAN_MODE));
	else if (!strcmp(link->kind, "vrf"))
		link->vrf_table = rtattr_u32(find_nested(data, IFLA_VRF_TABLE));
	else if (!strcmp(link->kind, "vlan"))
		link->vlan_id = get_u16(find_nested(data, IFLA_VLAN_ID));
}

static void read_info(struct nlattr *info, struct link *link)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL))
		return;
	copy_string(link->kind, sizeof(link->kind), tb[IFLA_INFO_KIND]);
	if (tb[IFLA_INFO_DATA])
		read_data(tb[IFLA_INFO_DATA], link);
	if (tb[IFLA_INFO_SLAVE_DATA] && tb[IFLA_INFO_SLAVE_KIND] &&
	    !nla_strcmp(tb[IFLA_INFO_SLAVE_KIND], "bridge"))
		read_port(tb[IFLA_INFO_SLAVE_DATA], link);
}

static int read_link(const struct nlmsghdr *msg, struct link *ret)
{
	const struct ifinfomsg *header = nlmsg_data(msg);
	struct nlattr *tb[IFLA_MAX + 1];
	struct link link = { 0 };

	if (msg->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, IFLA_MAX,
			NULL))
		return -EBADMSG;
	link.index = header->ifi_index;
	link.flags = header->ifi_flags;
	copy_string(link.name, sizeof(link.name), tb[IFLA_IFNAME]);
	copy_string(link.alias, sizeof(link.alias), tb[IFLA_IFALIAS]);
	link.operstate = get_u8(tb[IFLA_OPERSTATE]);
	link.mtu = rtattr_u32(tb[IFLA_MTU]);
	link.tx_queue_len = rtattr_u32(tb[IFLA_TXQLEN]);
	link.master = (int)rtattr_u32(tb[IFLA_MASTER]);
	link.iflink = (int)rtattr_u32(tb[IFLA_LINK]);
	link.link_netns = tb[IFLA_LINK_NETNSID]
				  ? (int)rtattr_u32(tb[IFLA_LINK_NETNSID])
				  : -1;
	link.has_mac = tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == MAC_LEN;
	if (link.has_mac)
		memcpy(link.mac, nla_data(tb[IFLA_ADDRESS]), MAC_LEN);
	if (tb[IFLA_LINKINFO])
		read_info(tb[IFLA_LINKINFO], &link);
	*ret = link;
	return 0;
}

static int read_reply(const struct nlmsghdr *msg, void *arg)
{
	return read_link(msg, arg);
}

int link_get(const struct netns *ns, const char *name, struct link *ret,
	     struct err *e)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_GETLINK, 0, &header, sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, name);
	rtreq_put_u32(&q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return rtreq_query(ns, &q, read_reply, ret, e,
			   "look up interface \"%s\"", name);
}

int link_get_index(const struct netns *ns, int index, struct link *ret,
		   struct err *e)
{
	const struct ifinfomsg header = { .ifi_index = index };
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_GETLINK, 0, &header, sizeof(header));
	rtreq_put_u32(&q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return rtreq_query(ns, &q, read_reply, ret, e, "look up interface %d",
			   index);
}

static int read_element(const struct nlmsghdr *msg, struct rtlist *list)
{
	struct link *link = rtlist_add(list);

	return link ? read_link(msg, link) : -ENOMEM;
}

static int list_links(const struct netns *ns, int master, struct arena *a,
		      struct link **ret, size_t *ret_n, struct err *e)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct rtlist list = { .arena = a,
			       .size = sizeof(struct link),
			       .read = read_element };
	_rtreq_ struct rtreq q;
	int r;

	rtreq_init(&q, RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
	rtreq_put_u32(&q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (master)
		rtreq_put_u32(&q, IFLA_MASTER, (uint32_t)master);
	r = rtreq_list(ns, &q, &list, e, "list interfaces");
	*ret = list.v;
	*ret_n = list.n;
	return r;
}

int link_list(const struct netns *ns, struct arena *a, struct link **ret,
	      size_t *ret_n, struct err *e)
{
	return list_links(ns, 0, a, ret, ret_n, e);
}

int link_list_ports(const struct netns *ns, int bridge, struct arena *a,
		    struct link **ret, size_t *ret_n, struct err *e)
{
	return list_links(ns, bridge, a, ret, ret_n, e);
}

/* --- changing ------------------------------------------------------------ */

int link_ignore_reserved(const struct netns *ns, const char *name,
			 struct err *e)
{
	const struct ifinfomsg header = { 0 };
	const struct br_boolopt_multi on = {
		.optval = 1U << BR_BOOLOPT_NO_LL_LEARN,
		.optmask = 1U << BR_BOOLOPT_NO_LL_LEARN,
	};
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWLINK, 0, &header, sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, name);
	rtreq_nest(&q, IFLA_LINKINFO);
	rtreq_put_str(&q, IFLA_INFO_KIND, "bridge");
	rtreq_nest(&q, IFLA_INFO_DATA);
	rtreq_put(&q, IFLA_BR_MULTI_BOOLOPT, &on, sizeof(on));
	rtreq_end(&q);
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "set no_linklocal_learn of bridge \"%s\"",
			  name);
}

/* Port settings travel as a slave's data, so that they need no request of
 * AF_BRIDGE of their own (rtnetlink.c, __rtnl_newlink(), slave_changelink). */
static void put_port(struct rtreq *q, const struct link_change *change)
{
	rtreq_nest(q, IFLA_LINKINFO);
	rtreq_put_str(q, IFLA_INFO_SLAVE_KIND, "bridge");
	rtreq_nest(q, IFLA_INFO_SLAVE_DATA);
	if (change->hairpin)
		rtreq_put_u8(q, IFLA_BRPORT_MODE, 1);
	if (change->isolated)
		rtreq_put_u8(q, IFLA_BRPORT_ISOLATED, 1);
	rtreq_end(q);
	rtreq_end(q);
}

static void put_change(struct rtreq *q, const struct link_change *change)
{
	if (change->into)
		rtreq_put_u32(q, IFLA_NET_NS_FD, (uint32_t)change->into->fd);
	if (change->alias)
		rtreq_put(q, IFLA_IFALIAS, change->alias,
			  strlen(change->alias));
	if (change->mac)
		rtreq_put(q, IFLA_ADDRESS, change->mac, MAC_LEN);
	if (change->mtu)
		rtreq_put_u32(q, IFLA_MTU, change->mtu);
	if (change->tx_queue_len)
		rtreq_put_u32(q, IFLA_TXQLEN, *change->tx_queue_len);
	if (change->master || change->leave_master)
		rtreq_put_u32(q, IFLA_MASTER, (uint32_t)change->master);
	if (change->hairpin || change->isolated)
		put_port(q, change);
}

static struct ifinfomsg change_header(const struct link_change *change,
				      int index)
{
	return (struct ifinfomsg){
		.ifi_index = index,
		.ifi_flags = change->flags_on,
		.ifi_change = change->flags_on | change->flags_off,
	};
}

int link_change(const struct netns *ns, const char *name,
		const struct link_change *change, struct err *e)
{
	const struct ifinfomsg header = change_header(change, 0);
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWLINK, 0, &header, sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, name);
	put_change(&q, change);
	return rtreq_call(ns, &q, e, "set up interface \"%s\"", name);
}

/* Of a link that is given by its index, the name is the one it is to have
 * (rtnetlink.c, do_setlink()). */
int link_move(const struct netns *ns, const struct link *link,
	      const struct link_change *change, struct err *e)
{
	const struct ifinfomsg header = change_header(change, link->index);
	const char *name = change->name ? change->name : link->name;
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWLINK, 0, &header, sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, name);
	put_change(&q, change);
	return rtreq_call(ns, &q, e, "move interface \"%s\" to \"%s\"",
			  link->name, name);
}

int link_random_mac(uint8_t mac[static MAC_LEN], struct err *e)
{
	if (getrandom(mac, MAC_LEN, 0) != MAC_LEN)
		return err_sys(e, "get a random MAC address");
	mac[0] = (uint8_t)((mac[0] & 0xfe) | 0x02); /* unicast, local */
	return 0;
}

/* --- waiting ------------------------------------------------------------- */

int link_wait_up(const struct netns *ns, const char *name, int timeout_ms,
		 struct link *ret, struct err *e)
{
	struct watch watch;
	int r = link_get(ns, name, ret, e);

	if (r || ret->operstate == IF_OPER_UP)
		return r;
	r = watch_open(ns, RTNLGRP_LINK, timeout_ms, &watch, e);
	if (r)
		return r;
	do
		r = link_get(ns, name, ret, e);
	while (!r && ret->operstate != IF_OPER_UP && !(r = watch_wait(&watch)));
	watch_close(&watch);
	if (r == -ETIMEDOUT)
		return err_set(
			e, ERR_IO, ETIMEDOUT,
			"interface \"%s\" did not come up in %d ms (operstate %u)",
			name, timeout_ms, ret->operstate);
	return r;
}
