// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that choose a table of routes by where a packet comes from. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct rule {
	uint8_t family;
	struct ip_prefix from; /* of no length: from anywhere */
	uint32_t table;	       /* 0: it does something else */
	uint32_t priority;     /* the kernel looks at the least first */
};

/* -EEXIST when the very same is there. */
int rule_add(const struct netns *ns, const struct rule *rule, struct err *e);

/* -ENOENT when it is not there. */
int rule_delete(const struct netns *ns, const struct rule *rule, struct err *e);

/* All of one family, in @a. */
int rule_list(const struct netns *ns, uint8_t family, struct arena *a,
	      struct rule **ret, size_t *ret_n, struct err *e);
