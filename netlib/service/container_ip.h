// SPDX-License-Identifier: GPL-2.0-or-later
/* A result's addresses and routes on the container's interface: put there by
 * ADD, compared by CHECK. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/result.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* Before the interface comes up: say whether it probes its IPv6 addresses, and
 * have changes announced. Best effort: what addresses need is seen to when they
 * are added. */
void container_ip_prepare(const struct netns *ns, const struct link *link,
			  bool detect_duplicates);

/* Give @link all addresses of @res; it may be down still. With
 * @detect_duplicates IPv6 addresses are to be probed. One that is there already
 * is an error, unless the kernel has autoconfigured it: that stays as it is. */
int container_ip_add_addresses(const struct netns *ns, const struct link *link,
			       const struct cni_result *res,
			       bool detect_duplicates, struct err *e);

/* The same where the addresses' subnets are not on the link: the kernel makes no
 * routes that say they are (noprefixroute). */
int container_ip_add_offlink(const struct netns *ns, const struct link *link,
			     const struct cni_result *res,
			     bool detect_duplicates, struct err *e);

/* Then all routes, once it is up; probing is waited for. */
int container_ip_add_routes(const struct netns *ns, const struct link *link,
			    const struct cni_result *res,
			    bool detect_duplicates, struct err *e);

/* Both, for one that is up. */
int container_ip_add(const struct netns *ns, const struct link *link,
		     const struct cni_result *res, bool detect_duplicates,
		     struct err *e);

/* Take them away again, from an interface that stays. What has gone already is
 * no failure. */
int container_ip_del(const struct netns *ns, const struct link *link,
		     const struct cni_result *res, struct err *e);

/* ERR_MISMATCH naming the first address of @res, or route, that is missing. */
int container_ip_check(const struct netns *ns, const struct link *link,
		       const struct cni_result *res, struct arena *a,
		       struct err *e);
