// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the link to a container needs so that a client at 127.0.0.1 or ::1 gets
 * its answers through it: see service/hostport.h.
 */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* The interface of the host on whose link @container is. */
int localnet_find_link(const struct netns *host,
		       const struct ip_addr *container, struct link *ret,
		       struct err *e);

/* Let loopback addresses of the family use @link. It stays so: others may have
 * come to need it. */
int localnet_enable(const struct netns *host, uint8_t family,
		    const struct link *link, struct err *e);
