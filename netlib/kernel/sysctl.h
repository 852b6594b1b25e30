// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The settings below /proc/sys/net/ipv{4,6}/conf. What is right already is not
 * written, so that a read-only /proc/sys does where an administrator has set
 * things up.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "kernel/netns.h"

/* Set @key of @conf (an interface, "all" or "default") of the family to
 * @value. -ENOENT when the kernel has no such setting. */
int sysctl_set(const struct netns *ns, uint8_t family, const char *conf,
	       const char *key, const char *value, struct err *e);
