// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an attachment has in table hawser, written down, so that "hawser reload"
 * can put it back after somebody flushed the ruleset. One file for an
 * attachment and a part of the table, below /run/hawser, which a reboot empties
 * like the kernel's tables:
 *
 *	/run/hawser/6fd94d501e58f0aa-287fc69eff0574a2.hostports
 *	{"owner":"6fd9..., net: podman, if: eth0, id: 5f1c",
 *	 "netns":"/run/netns/c1",
 *	 "elements":[{"set":"hostports4-any","key":"060000001f900000",
 *		      "value":"0a58000500500000"}]}
 *
 * The kernel stays the record that everything else reads. A file that cannot be
 * written (no such right, no room) is no reason to fail an ADD: then there is
 * nothing to put back.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "service/table.h"

#define RECORD_DIR "/run/hawser"

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
void record_delete(const struct table_part *part, const struct owner *owner);

/* Delete the records of @network's attachments other than the @n valid. */
void record_gc(const struct table_part *part, const char *network,
	       const struct owner *valid, size_t n);

/* The part's records, in @a. What is not one of ours is left out; without the
 * directory there are none. */
int record_list(const struct table_part *part, struct arena *a,
		struct record **ret, size_t *ret_n, struct err *e);
