// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/bridge_vlan.h"

#include <errno.h>
#include <net/if.h> /* before the kernel's headers, with which it agrees so */
#include <linux/if_bridge.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kernel/link.h"
#include "kernel/rtnl.h"

/* --- sets ---------------------------------------------------------------- */

void vlan_set_add(struct vlan_set *set, unsigned first, unsigned last)
{
	for (unsigned id = first; id <= last; id++)
		set->bits[id / 64] |= UINT64_C(1) << id % 64;
}

bool vlan_set_has(const struct vlan_set *set, unsigned id)
{
	return set->bits[id / 64] >> id % 64 & 1;
}

bool vlan_set_is_empty(const struct vlan_set *set)
{
	static const struct vlan_set none;

	return !memcmp(set, &none, sizeof(none));
}

/* --- writing ------------------------------------------------------------- */

/* The worst that a set can be: two of three, each pair a range of its own. */
#define ENTRIES_MAX ((size_t)(VLAN_ID_MAX + 2) / 3 * 2)
#define ENTRY_SIZE  (NLA_HDRLEN + sizeof(struct bridge_vlan_info))
#define VLANS_MAX   (ENTRIES_MAX * ENTRY_SIZE + 256)

/* Begin a request up to the VLANs: the caller puts these, and ends the nest.
 * Without flags it goes to the bridge that the port belongs to. */
static void begin(struct rtreq *q, int type, const struct link *port)
{
	const struct ifinfomsg header = { .ifi_family = AF_BRIDGE,
					  .ifi_index = port->index };
	const uint16_t self = BRIDGE_FLAGS_SELF;

	rtreq_init_sized(q, type, 0, &header, sizeof(header), VLANS_MAX);
	rtreq_nest(q, IFLA_AF_SPEC);
	if (!strcmp(port->kind, "bridge"))
		rtreq_put(q, IFLA_BRIDGE_FLAGS, &self, sizeof(self));
}

static void put_entry(struct rtreq *q, unsigned id, uint16_t flags)
{
	const struct bridge_vlan_info info = { .flags = flags,
					       .vid = (uint16_t)id };

	rtreq_put(q, IFLA_BRIDGE_VLAN_INFO, &info, sizeof(info));
}

static uint16_t flags_of(const struct bridge_vlans *vlans, unsigned id)
{
	return vlan_set_has(&vlans->untagged, id) ? BRIDGE_VLAN_INFO_UNTAGGED
						  : 0;
}

/* The PVID cannot be in a range (br_netlink.c, br_process_vlan_info()). */
static bool is_in_ranges(const struct bridge_vlans *vlans, unsigned id)
{
	return id != vlans->pvid && vlan_set_has(&vlans->members, id);
}

/* Put the VLANs from @first on that have the same flags; returns the last. */
static unsigned put_range(struct rtreq *q, const struct bridge_vlans *vlans,
			  unsigned first)
{
	uint16_t flags = flags_of(vlans, first);
	unsigned last = first;

	while (last < VLAN_ID_MAX && is_in_ranges(vlans, last + 1) &&
	       flags_of(vlans, last + 1) == flags)
		last++;
	if (last == first) {
		put_entry(q, first, flags);
		return last;
	}
	put_entry(q, first, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
	put_entry(q, last, flags | BRIDGE_VLAN_INFO_RANGE_END);
	return last;
}

int bridge_vlan_add(const struct netns *ns, const struct link *port,
		    const struct bridge_vlans *vlans, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, RTM_SETLINK, port);
	if (vlans->pvid)
		put_entry(&q, vlans->pvid,
			  BRIDGE_VLAN_INFO_PVID | flags_of(vlans, vlans->pvid));
	for (unsigned id = 1; id <= VLAN_ID_MAX; id++)
		if (is_in_ranges(vlans, id))
			id = put_range(&q, vlans, id);
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "add VLANs to \"%s\"", port->name);
}

int bridge_vlan_delete(const struct netns *ns, const struct link *port,
		       uint16_t id, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, RTM_DELLINK, port);
	put_entry(&q, id, 0);
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "delete VLAN %u from \"%s\"", id,
			  port->name);
}

int bridge_vlan_filter(const struct netns *ns, const char *bridge,
		       struct err *e)
{
	const struct ifinfomsg header = { 0 };
	_rtreq_ struct rtreq q;

	rtreq_init(&q, RTM_NEWLINK, 0, &header, sizeof(header));
	rtreq_put_str(&q, IFLA_IFNAME, bridge);
	rtreq_nest(&q, IFLA_LINKINFO);
	rtreq_put_str(&q, IFLA_INFO_KIND, "bridge");
	rtreq_nest(&q, IFLA_INFO_DATA);
	rtreq_put_u8(&q, IFLA_BR_VLAN_FILTERING, 1);
	rtreq_end(&q);
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "set vlan_filtering of bridge \"%s\"",
			  bridge);
}

/* --- reading ------------------------------------------------------------- */

struct range {
	struct bridge_vlan_info info;
	uint16_t last;
};

static int read_range(const struct nlattr *entry, struct rtlist *list)
{
	struct nlattr *tb[BRIDGE_VLANDB_ENTRY_MAX + 1];
	struct nlattr *info, *last;
	struct range *range;

	if (nla_parse_nested(tb, BRIDGE_VLANDB_ENTRY_MAX,
			     (struct nlattr *)entry, NULL))
		return -EBADMSG;
	info = tb[BRIDGE_VLANDB_ENTRY_INFO];
	last = tb[BRIDGE_VLANDB_ENTRY_RANGE];
	if (!info || nla_len(info) < (int)sizeof(range->info))
		return -EBADMSG;
	range = rtlist_add(list);
	if (!range)
		return -ENOMEM;
	memcpy(&range->info, nla_data(info), sizeof(range->info));
	range->last = range->info.vid;
	if (last && nla_len(last) >= (int)sizeof(uint16_t))
		range->last = nla_get_u16(last);
	return range->info.vid && range->last <= VLAN_ID_MAX ? 0 : -EBADMSG;
}

/* One message has many. */
static int read_ranges(const struct nlmsghdr *msg, struct rtlist *list)
{
	size_t skip = sizeof(struct br_vlan_msg);
	struct nlattr *attr;
	int left, r = 0;

	if (msg->nlmsg_type != RTM_NEWVLAN || !nlmsg_valid_hdr(msg, (int)skip))
		return -EBADMSG;
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)msg, (int)skip,
			    left) if (!r &&
				      nla_type(attr) == BRIDGE_VLANDB_ENTRY) r =
		read_range(attr, list);
	return r;
}

static struct bridge_vlans collect(const struct range *v, size_t n)
{
	struct bridge_vlans vlans = { 0 };

	for (size_t i = 0; i < n; i++) {
		vlan_set_add(&vlans.members, v[i].info.vid, v[i].last);
		if (v[i].info.flags & BRIDGE_VLAN_INFO_UNTAGGED)
			vlan_set_add(&vlans.untagged, v[i].info.vid, v[i].last);
		if (v[i].info.flags & BRIDGE_VLAN_INFO_PVID)
			vlans.pvid = v[i].info.vid;
	}
	return vlans;
}

int bridge_vlan_get(const struct netns *ns, const struct link *port,
		    struct bridge_vlans *ret, struct err *e)
{
	const struct br_vlan_msg header = { .family = AF_BRIDGE,
					    .ifindex = (uint32_t)port->index };
	_arena_ struct arena arena = { 0 };
	struct rtlist list = { .arena = &arena,
			       .size = sizeof(struct range),
			       .read = read_ranges };
	_rtreq_ struct rtreq q;
	int r;

	rtreq_init(&q, RTM_GETVLAN, NLM_F_DUMP, &header, sizeof(header));
	r = rtreq_list(ns, &q, &list, e, "list VLANs");
	if (r) {
		err_wrap(e, "interface \"%s\"", port->name);
		return r;
	}
	*ret = collect(list.v, list.n);
	return 0;
}
