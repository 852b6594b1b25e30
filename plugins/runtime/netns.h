// SPDX-License-Identifier: GPL-2.0-or-later
/* Network namespaces as people name them: by a path, or by the name of a file
 * in /run/netns that "ip netns" or "hawser netns" mounted one on. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define NETNS_DIR "/run/netns"

/* The absolute path of the namespace @name (a path if it has a '/'), existing
 * or not, without "." and ".."; in @a, NULL when out of memory. */
char *netns_path(const char *name, struct arena *a);

/* Make a namespace that nothing is in yet; *@ret is the caller's to close. */
int netns_create(int *ret, struct err *e);
