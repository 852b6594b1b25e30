// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The leases of a daemon on disk, so that another one can go on with them: a file
 * for each attachment, named by its key, in a directory of the daemon's socket:
 *
 *	/run/hawser/dhcp/run-cni-dhcp.sock/6fd94d501e58f0aa-287fc69eff0574a2
 *
 * A file is there whole or not at all. One of another boot counts for nothing.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"

/* Open the directory for the socket at @socket_path, below @prefix, and make it
 * where it is missing. One process has it; -EBUSY for a second. */
int journal_open(const char *prefix, const char *socket_path, int *ret,
		 struct err *e);

/* Write down @doc, to which the boot is added. */
int journal_write(int journal, const struct owner_key *key, cJSON *doc,
		  struct err *e);
void journal_delete(int journal, const struct owner_key *key);

/* Hand every document of this boot to @each, which owns it from then on; delete
 * what is none. */
void journal_read_all(int journal, void (*each)(void *arg, cJSON *doc),
		      void *arg);

/* Whether there is anything written down for the socket at @socket_path: of that
 * attachment, or, with NULL, of any. */
bool journal_has(const char *socket_path, const struct owner_key *key);
