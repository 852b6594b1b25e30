// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls that the kernel answers only after an RCU grace period, 10 to
 * 30 ms, though all that anybody can see has happened by then. A child makes
 * them. It keeps a few descriptors and nothing else of ours (a runtime waits for
 * our stdout to close), and ends by itself; nobody waits for it, since a
 * plugin ends long before, and then init inherits the child.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Make such a child: 0 in it, where it keeps the @n descriptors (-1: none) and
 * has to end by _exit(); else its number, or -1 where none can be made. */
pid_t background_begin(const int *keep, size_t n);

/* Send the netlink message of @len bytes from a child: the kernel works in the
 * sender's context. Its answer arrives here, on @fd. Where no child can be made
 * the caller waits. */
int background_send(int fd, const void *message, size_t len, struct err *e);

/* Close @fd here, and have the last descriptor of it closed when the kernel has
 * freed what was deleted through it. Where no child can be made the caller
 * waits for that. */
void background_close(int fd);
