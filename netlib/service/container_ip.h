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

/* Give @link, which is up, all addresses and then all routes of @res. With
 * @detect_duplicates IPv6 addresses are probed first, and waited for. */
int container_ip_add(const struct netns *ns, const struct link *link,
		     const struct cni_result *res, bool detect_duplicates,
		     struct err *e);

/* ERR_MISMATCH naming the first address of @res, or route, that is missing. */
int container_ip_check(const struct netns *ns, const struct link *link,
		       const struct cni_result *res, struct arena *a,
		       struct err *e);
