// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kernel/rtnl.h"
#include "kernel/watch.h"

static void init_request(struct rtreq *q, int type, int flags, int ifindex,
			 const struct ip_prefix *prefix)
{
	const struct ifaddrmsg header = {
		.ifa_family = prefix->addr.family,
		.ifa_prefixlen = prefix->len,
		.ifa_index = (unsigned)ifindex,
	};

	rtreq_init(q, type, flags, &header, sizeof(header));
	rtreq_put_ip(q, IFA_LOCAL, &prefix->addr);
	rtreq_put_ip(q, IFA_ADDRESS, &prefix->addr);
}

int addr_add_flags(const struct netns *ns, int ifindex, const struct addr *addr,
		   struct err *e)
{
	const struct ip_prefix *prefix = &addr->prefix;
	uint32_t flags = addr->flags;
	char text[PREFIX_TEXT_MAX];
	_rtreq_ struct rtreq q;

	if (prefix->addr.family == AF_INET)
		flags &= ~(uint32_t)IFA_F_NODAD;

	init_request(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex,
		     prefix);
	/* a /31 and a /32 have no broadcast address (RFC 3021) */
	if (prefix->addr.family == AF_INET && prefix->len < 31) {
		struct ip_addr broadcast = prefix_last(prefix);

		rtreq_put_ip(&q, IFA_BROADCAST, &broadcast);
	}
	if (flags)
		rtreq_put_u32(&q, IFA_FLAGS, flags);
	return rtreq_call(ns, &q, e, "add address %s",
			  prefix_text(prefix, text));
}

int addr_add(const struct netns *ns, int ifindex,
	     const struct ip_prefix *prefix, bool detect_duplicates,
	     struct err *e)
{
	const struct addr addr = {
		.prefix = *prefix,
		.flags = detect_duplicates ? 0 : IFA_F_NODAD,
	};

	return addr_add_flags(ns, ifindex, &addr, e);
}

int addr_delete(const struct netns *ns, int ifindex,
		const struct ip_prefix *prefix, struct err *e)
{
	char text[PREFIX_TEXT_MAX];
	_rtreq_ struct rtreq q;

	init_request(&q, RTM_DELADDR, 0, ifindex, prefix);
	return rtreq_call(ns, &q, e, "delete address %s",
			  prefix_text(prefix, text));
}

static int read_addr(const struct nlmsghdr *msg, struct addr *ret)
{
	const struct ifaddrmsg *header = nlmsg_data(msg);
	size_t size = ip_size(header->ifa_family);
	struct nlattr *tb[IFA_MAX + 1], *attr;

	if (nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, IFA_MAX,
			NULL))
		return -EBADMSG;
	/* on a point-to-point link IFA_ADDRESS is the far end's */
	attr = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!size || !attr || (size_t)nla_len(attr) != size)
		return -EBADMSG;
	ret->prefix.addr.family = header->ifa_family;
	ret->prefix.len = header->ifa_prefixlen;
	ret->ifindex = (int)header->ifa_index;
	memcpy(ret->prefix.addr.bytes, nla_data(attr), size);
	ret->flags =
		tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : header->ifa_flags;
	return 0;
}

static int read_element(const struct nlmsghdr *msg, struct rtlist *list)
{
	const struct ifaddrmsg *header = nlmsg_data(msg);
	struct addr *addr;

	/* kernels before 4.20 do not filter */
	if (msg->nlmsg_type != RTM_NEWADDR ||
	    (list->filter && (int)header->ifa_index != list->filter))
		return 0;
	addr = rtlist_add(list);
	return addr ? read_addr(msg, addr) : -ENOMEM;
}

int addr_list(const struct netns *ns, int ifindex, struct arena *a,
	      struct addr **ret, size_t *ret_n, struct err *e)
{
	const struct ifaddrmsg header = { .ifa_index = (unsigned)ifindex };
	struct rtlist list = { .arena = a,
			       .size = sizeof(struct addr),
			       .read = read_element,
			       .filter = ifindex };
	_rtreq_ struct rtreq q;
	int r;

	rtreq_init(&q, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	r = rtreq_list(ns, &q, &list, e, "list addresses");
	*ret = list.v;
	*ret_n = list.n;
	return r;
}

/* -EAGAIN while an address is being probed. */
static int look_settled(const struct netns *ns, int ifindex, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	char text[PREFIX_TEXT_MAX];
	struct addr *v;
	size_t n;
	int r = addr_list(ns, ifindex, &arena, &v, &n, e);

	for (size_t i = 0; !r && i < n; i++) {
		if (v[i].flags & IFA_F_DADFAILED)
			return err_set(
				e, ERR_EXISTS, EADDRINUSE,
				"address %s is in use elsewhere on the network",
				prefix_text(&v[i].prefix, text));
		if (v[i].flags & IFA_F_TENTATIVE)
			r = -EAGAIN;
	}
	return r;
}

int addr_wait_settled(const struct netns *ns, int ifindex, int timeout_ms,
		      struct err *e)
{
	struct watch watch;
	int r = watch_open(ns, RTNLGRP_IPV6_IFADDR, timeout_ms, &watch, e);

	if (r)
		return r;
	do
		r = look_settled(ns, ifindex, e);
	while (r == -EAGAIN && !(r = watch_wait(&watch)));
	watch_close(&watch);
	if (r == -ETIMEDOUT)
		return err_set(
			e, ERR_IO, ETIMEDOUT,
			"duplicate address detection did not end in %d ms",
			timeout_ms);
	return r;
}
