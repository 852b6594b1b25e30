// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of an interface. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct addr {
	struct ip_prefix prefix;
	uint32_t flags; /* IFA_F_TENTATIVE, IFA_F_DADFAILED ... */
	int ifindex;	/* said of those that are listed */
};

/* @detect_duplicates: with IPv6, let the kernel probe first (1 to 2 s); else
 * the address is usable at once. -EEXIST when it is there already. */
int addr_add(const struct netns *ns, int ifindex,
	     const struct ip_prefix *prefix, bool detect_duplicates,
	     struct err *e);

/* The same with flags: IFA_F_NODAD (of no meaning to IPv4), IFA_F_NOPREFIXROUTE
 * for an address whose subnet is not on the link. */
int addr_add_flags(const struct netns *ns, int ifindex, const struct addr *addr,
		   struct err *e);

/* -EADDRNOTAVAIL when it is not there. */
int addr_delete(const struct netns *ns, int ifindex,
		const struct ip_prefix *prefix, struct err *e);

/* The addresses of one interface, in @a; those of all with 0. */
int addr_list(const struct netns *ns, int ifindex, struct arena *a,
	      struct addr **ret, size_t *ret_n, struct err *e);

/* Wait, woken by the kernel's notifications, until no IPv6 address of the
 * interface is being probed any more. -EADDRINUSE when a duplicate was found,
 * -ETIMEDOUT after @timeout_ms. */
int addr_wait_settled(const struct netns *ns, int ifindex, int timeout_ms,
		      struct err *e);
