// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a container's device came from, and what it was like there: written down
 * below /run/hawser (base/owned_file.h) before ADD touches it,
 *
 *	{"network":"n1","container":"c1","ifname":"eth0","netns":"/run/netns/c1",
 *	 "wanted":"device \"eth1\"","name":"eth1","kind":"","alias":"",
 *	 "mac":"02:00:00:00:00:01","mtu":1500,"up":true}
 *
 * and deleted when it is back. The device itself carries only its name, as its
 * alias: what the Go reference goes by.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "kernel/link.h"

struct origin {
	struct owner owner; /* the attachment that has it */
	const char *wanted; /* device_words() */
	struct link link;   /* the device as it was on the host */
};

/* Best effort, as everything there: without it only the name comes back. */
void origin_write(const struct origin *origin);
void origin_delete(const struct origin *origin);

/* What is written down of the attachment, in @a. -ENOENT for nothing. */
int origin_read(const struct owner *owner, struct arena *a, struct origin *ret);

/* All that is written down, in @a. */
int origin_list(struct arena *a, struct origin **ret, size_t *ret_n,
		struct err *e);
