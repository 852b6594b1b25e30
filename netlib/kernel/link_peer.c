// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/link_peer.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kernel/link.h"
#include "kernel/rtnl.h"

static int read_id(const struct nlmsghdr *msg, void *arg)
{
	struct nlattr *id = nlmsg_find_attr(
		(struct nlmsghdr *)msg, sizeof(struct rtgenmsg), NETNSA_NSID);

	if (msg->nlmsg_type != RTM_NEWNSID || !id)
		return -EBADMSG;
	*(int *)arg = (int)rtattr_u32(id);
	return 0;
}

/* The number that stands for @other in messages about @ns; -1: none yet. */
static int get_id(const struct netns *ns, const struct netns *other, int *ret,
		  struct err *e)
{
	const struct rtgenmsg header = { .rtgen_family = AF_UNSPEC };
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_GETNSID, 0, &header, sizeof(header));
	rtreq_put_u32(&q, NETNSA_FD, (uint32_t)other->fd);
	return rtreq_query(ns, &q, read_id, ret, e,
			   "look up a namespace's number");
}

/* Indexes alone would not do: in each container there may be one of that index,
 * and on the host one of the other. */
static bool is_pair(const struct link *a, const struct link *b, int ns_of_a)
{
	return !strcmp(a->kind, b->kind) && b->iflink == a->index &&
	       b->link_netns >= 0 && b->link_netns == ns_of_a;
}

int link_get_peer(const struct netns *ns, const struct link *link,
		  const struct netns *other, struct link *ret, struct err *e)
{
	int r, id = -1;

	if (strcmp(link->kind, "veth") != 0 &&
	    strcmp(link->kind, "netkit") != 0)
		return err_set(
			e, ERR_CONFIG, EOPNOTSUPP,
			"container interface %s has no veth peer: one of kind \"%s\" has no other end on the host",
			link->name, link->kind);
	r = link_get_index(other, link->iflink, ret, e);
	if (!r)
		r = get_id(other, ns, &id, e);
	if (r && r != -ENODEV)
		return r;
	if (!r && is_pair(link, ret, id))
		return 0;
	return err_set(e, ERR_CONFIG, ENODEV,
		       "veth peer with index %d is not in host ns",
		       link->iflink);
}
