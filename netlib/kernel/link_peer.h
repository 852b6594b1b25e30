// SPDX-License-Identifier: GPL-2.0-or-later
/* The other end of a pair of interfaces. */
#pragma once

#include "base/err.h"
#include "kernel/netns.h"

struct link;

/* The other end of @link, an interface of @ns, in the namespace @other.
 * -EOPNOTSUPP where its kind (anything but veth and netkit) has none, -ENODEV
 * where that is in another namespace; both with code ERR_CONFIG. */
int link_get_peer(const struct netns *ns, const struct link *link,
		  const struct netns *other, struct link *ret, struct err *e);
