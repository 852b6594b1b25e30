// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/route.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kernel/rtnl.h"

static void put_metrics(struct rtreq *q, const struct route *route)
{
	if (!route->mtu && !route->advmss)
		return;
	rtreq_nest(q, RTA_METRICS);
	if (route->mtu)
		rtreq_put_u32(q, RTAX_MTU, route->mtu);
	if (route->advmss)
		rtreq_put_u32(q, RTAX_ADVMSS, route->advmss);
	rtreq_end(q);
}

static void put_hop(struct rtreq *q, const struct ip_addr *gw, int ifindex)
{
	struct rtnexthop hop = { .rtnh_ifindex = ifindex };
	struct nlattr attr = { .nla_type = RTA_GATEWAY };
	size_t size = ip_size(gw->family);

	attr.nla_len = (uint16_t)(NLA_HDRLEN + size);
	hop.rtnh_len = (uint16_t)(sizeof(hop) + attr.nla_len);
	rtreq_append(q, &hop, sizeof(hop));
	rtreq_append(q, &attr, sizeof(attr));
	rtreq_append(q, gw->bytes, size);
}

/* Where it leads: over one gateway or none, or balanced over several. */
static void put_hops(struct rtreq *q, const struct route *route)
{
	if (!route->more_gws_n) {
		if (route->gw.family)
			rtreq_put_ip(q, RTA_GATEWAY, &route->gw);
		rtreq_put_u32(q, RTA_OIF, (uint32_t)route->ifindex);
		return;
	}
	rtreq_nest(q, RTA_MULTIPATH);
	put_hop(q, &route->gw, route->ifindex);
	for (size_t i = 0; i < route->more_gws_n; i++)
		put_hop(q, &route->more_gws[i], route->ifindex);
	rtreq_end(q);
}

static int add(const struct netns *ns, const struct route *route, int flags,
	       struct err *e)
{
	const struct rtmsg header = {
		.rtm_family = route->dst.addr.family,
		.rtm_dst_len = route->dst.len,
		.rtm_table = RT_TABLE_UNSPEC, /* RTA_TABLE has it */
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = route->scope,
		.rtm_type = route->type ? route->type : RTN_UNICAST,
	};
	char dst[PREFIX_TEXT_MAX], gw[IP_TEXT_MAX];
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWROUTE, flags, &header, sizeof(header));
	rtreq_put_u32(&q, RTA_TABLE, route->table);
	if (route->dst.len)
		rtreq_put_ip(&q, RTA_DST, &route->dst.addr);
	put_hops(&q, route);
	if (route->priority)
		rtreq_put_u32(&q, RTA_PRIORITY, route->priority);
	put_metrics(&q, route);
	return rtreq_call(
		ns, &q, e, "add route to %s%s%s", prefix_text(&route->dst, dst),
		route->gw.family ? " via " : "", ip_text(&route->gw, gw));
}

int route_add(const struct netns *ns, const struct route *route, struct err *e)
{
	return add(ns, route, NLM_F_CREATE, e);
}

int route_add_sole(const struct netns *ns, const struct route *route,
		   struct err *e)
{
	return add(ns, route, NLM_F_CREATE | NLM_F_EXCL, e);
}

int route_delete(const struct netns *ns, const struct route *route,
		 struct err *e)
{
	const struct rtmsg header = {
		.rtm_family = route->dst.addr.family,
		.rtm_dst_len = route->dst.len,
		.rtm_scope = RT_SCOPE_NOWHERE, /* any (fib_table_delete()) */
	};
	char dst[PREFIX_TEXT_MAX];
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_DELROUTE, 0, &header, sizeof(header));
	rtreq_put_u32(&q, RTA_TABLE, route->table);
	if (route->dst.len)
		rtreq_put_ip(&q, RTA_DST, &route->dst.addr);
	rtreq_put_u32(&q, RTA_OIF, (uint32_t)route->ifindex);
	return rtreq_call(ns, &q, e, "delete route to %s",
			  prefix_text(&route->dst, dst));
}

/* --- reading ------------------------------------------------------------- */

static int append(struct rtlist *list, const struct route *route)
{
	struct route *slot = rtlist_add(list);

	if (!slot)
		return -ENOMEM;
	*slot = *route;
	return 0;
}

static void read_ip(struct nlattr *attr, uint8_t family, struct ip_addr *ret)
{
	size_t size = ip_size(family);

	memset(ret, 0, sizeof(*ret));
	if (!attr || (size_t)nla_len(attr) != size)
		return;
	ret->family = family;
	memcpy(ret->bytes, nla_data(attr), size);
}

/* One route for each next hop of the attribute RTA_MULTIPATH. */
static int append_hops(struct rtlist *list, struct route *route,
		       struct nlattr *multipath)
{
	uint8_t family = route->dst.addr.family;
	struct rtnexthop *hop = nla_data(multipath);
	int left = nla_len(multipath);
	int r = 0;

	/* the macro looks before it asks whether there is anything left */
	while (!r && left >= (int)sizeof(*hop) && RTNH_OK(hop, left)) {
		struct nlattr *gw = nla_find((void *)RTNH_DATA(hop),
					     hop->rtnh_len - (int)sizeof(*hop),
					     RTA_GATEWAY);

		route->ifindex = hop->rtnh_ifindex;
		read_ip(gw, family, &route->gw);
		r = append(list, route);
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
	return r;
}

static int read_oif(const struct nlmsghdr *msg, void *arg)
{
	struct nlattr *tb[RTA_MAX + 1];

	if (nlmsg_parse((struct nlmsghdr *)msg, sizeof(struct rtmsg), tb,
			RTA_MAX, NULL) ||
	    !tb[RTA_OIF])
		return -EBADMSG;
	if (tb[RTA_GATEWAY] || tb[RTA_VIA])
		return -EHOSTUNREACH;
	*(int *)arg = (int)rtattr_u32(tb[RTA_OIF]);
	return 0;
}

int route_find(const struct netns *ns, const struct ip_addr *to,
	       int *ret_ifindex, struct err *e)
{
	const struct rtmsg header = { .rtm_family = to->family,
				      .rtm_dst_len =
					      (uint8_t)ip_bits(to->family) };
	char text[IP_TEXT_MAX];
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_GETROUTE, 0, &header, sizeof(header));
	rtreq_put_ip(&q, RTA_DST, to);
	return rtreq_query(ns, &q, read_oif, ret_ifindex, e,
			   "look up the route to %s", ip_text(to, text));
}

static int read_element(const struct nlmsghdr *msg, struct rtlist *list)
{
	const struct rtmsg *header = nlmsg_data(msg);
	uint8_t family = header->rtm_family;
	struct nlattr *tb[RTA_MAX + 1];
	struct route route = { 0 };

	if (msg->nlmsg_type != RTM_NEWROUTE || family != list->filter ||
	    header->rtm_flags & RTM_F_CLONED)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, RTA_MAX,
			NULL))
		return -EBADMSG;
	read_ip(tb[RTA_DST], family, &route.dst.addr);
	route.dst.addr.family = family;
	route.dst.len = header->rtm_dst_len;
	route.scope = header->rtm_scope;
	route.table =
		tb[RTA_TABLE] ? rtattr_u32(tb[RTA_TABLE]) : header->rtm_table;
	route.priority = rtattr_u32(tb[RTA_PRIORITY]);
	if (tb[RTA_MULTIPATH])
		return append_hops(list, &route, tb[RTA_MULTIPATH]);
	route.ifindex = (int)rtattr_u32(tb[RTA_OIF]);
	read_ip(tb[RTA_GATEWAY], family, &route.gw);
	return append(list, &route);
}

/* Those of one table, 0 for all; a kernel that does not look at the question
 * lists all (before Linux 4.20). */
static int list_table(const struct netns *ns, uint8_t family, uint8_t table,
		      struct rtlist *list, struct err *e)
{
	const struct rtmsg header = { .rtm_family = family,
				      .rtm_table = table };
	_rtreq_ struct rtreq q;

	list->size = sizeof(struct route);
	list->read = read_element;
	list->filter = family;
	rtreq_init(&q, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	return rtreq_list(ns, &q, list, e, "list routes");
}

int route_list(const struct netns *ns, uint8_t family, struct arena *a,
	       struct route **ret, size_t *ret_n, struct err *e)
{
	struct rtlist list = { .arena = a };
	int r = list_table(ns, family, RT_TABLE_UNSPEC, &list, e);

	*ret = list.v;
	*ret_n = list.n;
	return r;
}

int route_find_default(const struct netns *ns, int *ret_ifindex, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	_arena_ struct arena a = { 0 };

	for (size_t i = 0; i < sizeof(families); i++) {
		struct rtlist list = { .arena = &a };
		const struct route *v;
		int r = list_table(ns, families[i], RT_TABLE_MAIN, &list, e);

		if (r == -ENOENT) /* the table was never used */
			continue;
		if (r)
			return r;
		v = list.v;
		for (size_t k = 0; k < list.n; k++)
			if (!v[k].dst.len && v[k].table == RT_TABLE_MAIN &&
			    v[k].ifindex) {
				*ret_ifindex = v[k].ifindex;
				return 0;
			}
	}
	return err_set(e, ERR_CONFIG, ENETUNREACH,
		       "no default route interface found");
}
