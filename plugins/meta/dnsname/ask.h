// SPDX-License-Identifier: GPL-2.0-or-later
/* Ask a resolver, as a container would. */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

/* Ask @server from @ns for addresses of @name: 0 if @addr is among them. -ENOENT
 * if it is not, -ETIMEDOUT if there is no answer; both have ERR_MISMATCH. */
int dns_ask(const struct netns *ns, const struct ip_addr *server,
	    const char *name, const struct ip_addr *addr, struct err *e);
