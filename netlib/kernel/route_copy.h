// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes as the kernel has them, with everything that it says of them, to be put
 * into another table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct nlmsghdr;

struct route_copy {
	uint32_t table;
	struct ip_prefix dst;
	struct ip_addr gw;	/* no family: none */
	struct ip_addr prefsrc; /* the same; taken away: put without one */
	bool is_on_link;	/* no gateway, nor several */
	const struct nlmsghdr *msg;
};

/* Those of @table (RT_TABLE_UNSPEC: of all tables) that leave by the interface, in
 * @a. */
int route_copy_list(const struct netns *ns, uint8_t family, uint32_t table,
		    int ifindex, struct arena *a, struct route_copy **ret,
		    size_t *ret_n, struct err *e);

/* Put it into @table, over one to the same destination that may be there. */
int route_copy_put(const struct netns *ns, const struct route_copy *route,
		   uint32_t table, struct err *e);

/* Take it out of @table. -ESRCH when it is not there. */
int route_copy_delete(const struct netns *ns, const struct route_copy *route,
		      uint32_t table, struct err *e);
