// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct route {
	struct ip_prefix dst;
	struct ip_addr gw; /* no family: the destination is on the link */
	int ifindex;
	uint32_t table;	      /* RT_TABLE_MAIN ... */
	uint32_t priority;    /* 0: the kernel's default */
	uint8_t scope;	      /* RT_SCOPE_UNIVERSE ... */
	uint8_t type;	      /* RTN_LOCAL ...; 0: RTN_UNICAST */
	uint32_t mtu, advmss; /* 0: none */
	/* More gateways of the same route (multipath), besides .gw. */
	const struct ip_addr *more_gws;
	size_t more_gws_n;
};

/* Like the reference: another route to the same destination may stand beside
 * it; -EEXIST only for the very same one. */
int route_add(const struct netns *ns, const struct route *route, struct err *e);

/* Only where there is none to the same destination with the same priority:
 * else -EEXIST. */
int route_add_sole(const struct netns *ns, const struct route *route,
		   struct err *e);

/* By destination, table and interface, over whatever gateway. -ESRCH when there
 * is none. */
int route_delete(const struct netns *ns, const struct route *route,
		 struct err *e);

/* The index of the interface on whose link @to is. -EHOSTUNREACH when it is
 * behind a gateway. */
int route_find(const struct netns *ns, const struct ip_addr *to,
	       int *ret_ifindex, struct err *e);

/* The index of the interface that the main table's first default route leads
 * to, of IPv4 or else of IPv6. -ENETUNREACH when there is none. */
int route_find_default(const struct netns *ns, int *ret_ifindex, struct err *e);

/* The routes of one family in all tables, in @a. Multipath routes come once
 * for each next hop. */
int route_list(const struct netns *ns, uint8_t family, struct arena *a,
	       struct route **ret, size_t *ret_n, struct err *e);
