// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in a part of table hawser (service/table.h), looked at and left alone. */
#pragma once

#include "service/table.h"

/* Which elements are meant: one attachment's, or a network's stale ones. */
struct table_filter {
	const struct owner *owner; /* NULL: the stale ones */
	const char *network;
	const struct owner *valid;
	size_t valid_n;
};

struct table_entries {
	struct table_entry *v;
	size_t n;
};

/* Search all sets for them; they are in @a. */
int table_find(struct netfilter *nf, const struct table_part *part,
	       const struct table_filter *f, struct arena *a,
	       struct table_entries *ret, struct err *e);

/* -ENOENT with ERR_MISMATCH, naming the element, when one of them is not there
 * or not as it should be. */
int table_check(struct netfilter *nf, const struct table_part *part,
		const struct owner *owner, const struct table_entry *v,
		size_t n, struct err *e);

/* Whether the kernel can do it at all. */
int table_status(struct netfilter *nf, const struct table_part *part,
		 struct err *e);
