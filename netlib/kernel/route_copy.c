// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/route_copy.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kernel/rtnl.h"

/* --- reading --------------------------------------------------------------- */

static void read_ip(const struct nlattr *attr, uint8_t family,
		    struct ip_addr *ret)
{
	if (!attr || (size_t)nla_len(attr) != ip_size(family))
		return;
	ret->family = family;
	memcpy(ret->bytes, nla_data(attr), ip_size(family));
}

/* Whether all next hops of a multipath route leave by the interface. */
static bool leaves_by(const struct nlattr *multipath, int ifindex)
{
	const struct rtnexthop *hop = nla_data(multipath);
	int left = nla_len(multipath);

	while (left >= (int)sizeof(*hop) && RTNH_OK(hop, left)) {
		if (hop->rtnh_ifindex != ifindex)
			return false;
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
	return true;
}

static const struct nlmsghdr *keep(struct arena *a, const struct nlmsghdr *msg)
{
	void *copy = arena_alloc(a, msg->nlmsg_len);

	return copy ? memcpy(copy, msg, msg->nlmsg_len) : NULL;
}

static int read_element(const struct nlmsghdr *msg, struct rtlist *list)
{
	const struct rtmsg *header = nlmsg_data(msg);
	struct nlattr *tb[RTA_MAX + 1];
	struct route_copy *route;

	if (msg->nlmsg_type != RTM_NEWROUTE ||
	    header->rtm_flags & RTM_F_CLONED || header->rtm_type != RTN_UNICAST)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, RTA_MAX,
			NULL))
		return -EBADMSG;
	if (tb[RTA_MULTIPATH] ? !leaves_by(tb[RTA_MULTIPATH], list->filter)
			      : (int)rtattr_u32(tb[RTA_OIF]) != list->filter)
		return 0;
	route = rtlist_add(list);
	if (!route)
		return -ENOMEM;
	route->table =
		tb[RTA_TABLE] ? rtattr_u32(tb[RTA_TABLE]) : header->rtm_table;
	route->dst.addr.family = header->rtm_family;
	route->dst.len = header->rtm_dst_len;
	read_ip(tb[RTA_DST], header->rtm_family, &route->dst.addr);
	read_ip(tb[RTA_GATEWAY], header->rtm_family, &route->gw);
	read_ip(tb[RTA_PREFSRC], header->rtm_family, &route->prefsrc);
	route->is_on_link =
		!tb[RTA_GATEWAY] && !tb[RTA_VIA] && !tb[RTA_MULTIPATH];
	route->msg = keep(list->arena, msg);
	return route->msg ? 0 : -ENOMEM;
}

int route_copy_list(const struct netns *ns, uint8_t family, uint32_t table,
		    int ifindex, struct arena *a, struct route_copy **ret,
		    size_t *ret_n, struct err *e)
{
	const struct rtmsg header = { .rtm_family = family };
	struct route_copy *v;
	struct rtlist list = { .arena = a,
			       .size = sizeof(struct route_copy),
			       .read = read_element,
			       .filter = ifindex };
	_rtreq_ struct rtreq q;
	int r;

	rtreq_init(&q, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	r = rtreq_list(ns, &q, &list, e, "list routes");
	*ret = v = list.v;
	*ret_n = 0;
	for (size_t i = 0; !r && i < list.n; i++)
		if (table == RT_TABLE_UNSPEC || v[i].table == table)
			v[(*ret_n)++] = v[i];
	return r;
}

/* --- writing --------------------------------------------------------------- */

/* What the kernel says of a route's life is not for it to be told. */
static bool is_its_own(int type)
{
	return type == RTA_TABLE || type == RTA_CACHEINFO || type == RTA_PREF ||
	       type == RTA_MFC_STATS || type == RTA_UID;
}

static bool is_kept(const struct route_copy *route, int type)
{
	return !is_its_own(type) &&
	       (type != RTA_PREFSRC || route->prefsrc.family);
}

static int call(const struct netns *ns, int type, int flags,
		const struct route_copy *route, uint32_t table,
		const char *what, struct err *e)
{
	struct rtmsg header = *(const struct rtmsg *)nlmsg_data(route->msg);
	struct nlattr *attr;
	char dst[PREFIX_TEXT_MAX];
	_rtreq_ struct rtreq q;
	int left;

	header.rtm_table = RT_TABLE_UNSPEC;
	header.rtm_flags &= RTNH_F_ONLINK;
	rtreq_init(&q, type, flags, &header, sizeof(header));
	rtreq_put_u32(&q, RTA_TABLE, table);
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)route->msg, sizeof(header),
			    left) if (is_kept(route, nla_type(attr)))
		rtreq_put(&q, nla_type(attr), nla_data(attr),
			  (size_t)nla_len(attr));
	return rtreq_call(ns, &q, e, "%s table %u: route to %s", what, table,
			  prefix_text(&route->dst, dst));
}

int route_copy_put(const struct netns *ns, const struct route_copy *route,
		   uint32_t table, struct err *e)
{
	return call(ns, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route,
		    table, "fill", e);
}

int route_copy_delete(const struct netns *ns, const struct route_copy *route,
		      uint32_t table, struct err *e)
{
	return call(ns, RTM_DELROUTE, 0, route, table, "empty", e);
}
