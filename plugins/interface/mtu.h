// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys "mtu" and "inheritMTU" of plugins that make a pair. The first counts;
 * the second (our own) takes that of the interface the host's default route
 * leads to, which may be a tunnel with less than 1500. And what CHECK says of the
 * first, for all plugins.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cni/plugin.h"
#include "kernel/link.h"
#include "kernel/netns.h"

struct mtu_conf {
	int64_t mtu; /* 0: not given */
	bool inherit;
};

int mtu_load(const struct cni_call *call, struct mtu_conf *ret, struct err *e);

/* The MTU to make an interface with, 0 for the kernel's default. Without a
 * default route to inherit from: -ENETUNREACH. */
int mtu_find(const struct netns *host, const struct mtu_conf *conf,
	     uint32_t *ret, struct err *e);

/* That @link has the MTU which @configured (0: none) asks for, unless a later
 * plugin of the chain has set another and says so in @wanted, the link in
 * prevResult (NULL: not there). -ENOENT, named @what, when it has not. */
int mtu_check(int64_t configured, const struct cni_interface *wanted,
	      const struct link *link, const char *what, struct err *e);
