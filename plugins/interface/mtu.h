// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys "mtu" and "inheritMTU" of plugins that make a pair. The first counts;
 * the second (our own) takes that of the interface the host's default route
 * leads to, which may be a tunnel with less than 1500.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cni/plugin.h"
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
