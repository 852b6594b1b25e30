// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an attachment has in table hawser, written down (base/owned_file.h), a
 * file for each part of the table:
 *
 *	{"owner":"6fd9..., net: podman, if: eth0, id: 5f1c",
 *	 "netns":"/run/netns/c1",
 *	 "elements":[{"set":"hostports4-any","key":"060000001f900000",
 *		      "value":"0a58000500500000"}]}
 *
 * The kernel stays the record that everything but reload reads.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "service/table.h"

/* One file's contents. */
struct record {
	const char *owner; /* as owner_text() has it */
	const char *netns; /* "": not said */
	struct table_entry *v;
	size_t n;
};

void record_write(const struct table_part *part, const struct owner *owner,
		  const struct table_entry *v, size_t n);
/* Besides what is written there. */
void record_append(const struct table_part *part, const struct owner *owner,
		   const struct table_entry *v, size_t n);

/* The part's records, in @a. What is not one of ours is left out. */
int record_list(const struct table_part *part, struct arena *a,
		struct record **ret, size_t *ret_n, struct err *e);
