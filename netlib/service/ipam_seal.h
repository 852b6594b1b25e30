// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A seal on a directory, which anybody breaks who makes or removes a file there.
 *
 * Theory of operation
 *
 * Each such change sets the directory's time of modification to that of the
 * clock. The clock's ticks are milliseconds apart, so the time alone would not
 * tell of a second change in the same tick. The seal is a time that we set
 * ourselves, with random nanoseconds of a second that is over: the next change
 * sets another one, whenever it happens.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

/* Whether @dir is on a file system that is known to set the time at every
 * change, whoever makes it: not one on the network, where we may see old
 * attributes, or changes with another machine's clock. */
bool ipam_seal_is_possible(int dir);

/* Seal @dir; *@ret is its time of modification from now on. 0 or -errno, so
 * -EOPNOTSUPP where times are kept less exactly. */
int ipam_seal_set(int dir, struct timespec *ret);
