// SPDX-License-Identifier: GPL-2.0-or-later
/* All routes and rules of a namespace, to find a table that nothing is in. */
#pragma once

#include <sys/socket.h>

#include "base/arena.h"
#include "base/err.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "kernel/rule.h"

/* Of IPv4 first, then of IPv6. */
struct routing_tables {
	struct rule *rules[2];
	struct route *routes[2];
	size_t rules_n[2], routes_n[2];
};

/* In @a. */
int routing_tables_read(const struct netns *ns, struct arena *a,
			struct routing_tables *ret, struct err *e);

/* The index of a family. */
static inline size_t routing_tables_index(uint8_t family)
{
	return family == AF_INET6;
}

/* The first from @first on which neither a route is in nor a rule leads to, and
 * which is none of the kernel's own. */
uint32_t routing_tables_find_free(const struct routing_tables *tables,
				  uint32_t first);
