// SPDX-License-Identifier: GPL-2.0-or-later
/* TAP interfaces: their frames are a program's, which opens /dev/net/tun. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/netns.h"

struct tap {
	const char *name;
	bool multi_queue;
	bool has_owner, has_group;
	uint32_t owner, group; /* who else than root may open it */
};

/* Make one that stays. -EEXIST when the name is taken. */
int tap_add(const struct netns *ns, const struct tap *tap, struct err *e);
