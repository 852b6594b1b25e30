// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an attachment has in table hawser, written down (base/owned_file.h), a
 * file for each part of the table:
 *
 *	{"owner":"6fd9..., net: podman, if: eth0, id: 5f1c",
 *	 "network":"podman", "containerID":"5f1c...", "ifname":"eth0",
 *	 "netns":"/run/netns/c1",
 *	 "elements":[{"set":"hostports4-any","key":"060000001f900000",
 *		      "value":"0a58000500500000"}]}
 *
 * DEL takes from it which elements there are, reload what is to be put back.
 * Whose an element is only the kernel says: a DEL looks before it deletes, and
 * searches where nothing is written down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "service/table.h"

/* One file's contents. */
struct record {
	struct owner owner;
	const char *text; /* as owner_text() has it */
	struct table_entry *v;
	size_t n;
};

/* Write down what @before (NULL: nothing) has and the @n entries, each once;
 * nothing at all is no file. */
void record_write(const struct table_part *part, const struct owner *owner,
		  const struct record *before, const struct table_entry *v,
		  size_t n);

/* What is written down of the attachment, in @a. -ENOENT if nothing is, -EINVAL
 * if it is none of ours. */
int record_read(const struct table_part *part, const struct owner *owner,
		struct arena *a, struct record *ret);

/* Whether the namespace of the attachment that @owner_text names is there, or has
 * gone. Where nothing is written down neither is known, and both are false. */
bool record_is_live(const struct table_part *part, const char *owner_text);
bool record_is_dead(const struct table_part *part, const char *owner_text);

/* Whether one of the entries stands at the same key of the same set. */
bool record_has(const struct table_entry *v, size_t n,
		const struct table_entry *entry);

/* The part's records, in @a. What is not one of ours is left out. */
int record_list(const struct table_part *part, struct arena *a,
		struct record **ret, size_t *ret_n, struct err *e);
