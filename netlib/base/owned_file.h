// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is written down of attachments, so that "hawser reload" can put it back
 * after somebody flushed it: a file for an attachment and a kind of thing,
 *
 *	/run/hawser/6fd94d501e58f0aa-287fc69eff0574a2.hostports
 *
 * in a directory that a reboot empties like the kernel's tables. A file that
 * cannot be written (no such right, no room) is no reason to fail anything:
 * then there is nothing to put back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/owner.h"

void owned_file_write(const struct owner *owner, const char *kind,
		      const char *text);
void owned_file_delete(const struct owner *owner, const char *kind);

/* Delete those of @network's attachments other than the @n valid. */
void owned_file_gc(const char *kind, const char *network,
		   const struct owner *valid, size_t n);

/* The file of the kind of the attachment with that key (owner_key()), in @a;
 * NULL for none. */
char *owned_file_read(const char *key, const char *kind, struct arena *a);

/* Hold the files as they are until the descriptor is closed: all who change what
 * they tell share it, and who puts things back has it alone. -1 where there are
 * no files. */
int owned_file_lock(bool alone);

/* All files of the kind: their texts, in @a, ended by NULL; NULL when out of
 * memory. What is not a plain file of ours is left out. */
char **owned_file_read_all(const char *kind, struct arena *a);
