// SPDX-License-Identifier: GPL-2.0-or-later
/* A lease on its interface, after ADD: whoever called ADD has put there what the
 * first result said. */
#pragma once

#include "base/err.h"
#include "cni/result.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* Have on @link what @now says instead of what @before said: an address that
 * changed and the routes through it. Either may be NULL, for nothing. */
int apply_change(const struct netns *ns, const struct link *link,
		 const struct cni_result *before, const struct cni_result *now,
		 struct err *e);

/* A wire that takes less than the interface sends: 0 says nothing. It is never made
 * larger. */
int apply_mtu(const struct netns *ns, const struct link *link, uint32_t mtu,
	      struct err *e);
