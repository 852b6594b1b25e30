// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/localnet.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/route.h"
#include "kernel/sysctl.h"

/* Behind the kernel's own route through lo, which has none. */
#define PRIORITY 1024

int localnet_find_link(const struct netns *host,
		       const struct ip_addr *container, struct link *ret,
		       struct err *e)
{
	int index;
	int r = route_find(host, container, &index, e);

	return r ? r : link_get_index(host, index, ret, e);
}

static int add_loopback_route(const struct netns *host, const struct link *link,
			      struct err *e)
{
	const struct route route = { .dst = { .addr = { .family = AF_INET6,
							.bytes[15] = 1 },
					      .len = 128 },
				     .ifindex = link->index,
				     .table = RT_TABLE_LOCAL,
				     .type = RTN_LOCAL,
				     .scope = RT_SCOPE_HOST,
				     .priority = PRIORITY };
	int r = route_add(host, &route, e);

	return r == -EEXIST ? 0 : r;
}

int localnet_enable(const struct netns *host, uint8_t family,
		    const struct link *link, struct err *e)
{
	if (family == AF_INET6)
		return add_loopback_route(host, link, e);
	return sysctl_set(host, AF_INET, link->name, "route_localnet", "1", e);
}
