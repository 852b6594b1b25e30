// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The settings below /proc/sys/net. What is right already is not written, so that
 * a read-only /proc/sys does where an administrator has set things up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "kernel/netns.h"

/* Set @key of @conf (an interface, "all" or "default") of the family to
 * @value. -ENOENT when the kernel has no such setting. */
int sysctl_set(const struct netns *ns, uint8_t family, const char *conf,
	       const char *key, const char *value, struct err *e);

/* What a file of netns_open_sysctls() says, without the end of its line, in @a.
 * 0 or -errno; -EBADF where it can only be written. */
int sysctl_read(int fd, struct arena *a, const char **ret);

/* Write it, unless it says that already. 0 or -errno. */
int sysctl_write(int fd, const char *value);

/* Whether two texts are one value: "1 2" is "1\t2". */
bool sysctl_is_same(const char *a, const char *b);
