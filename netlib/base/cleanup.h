// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory and descriptors that release themselves when their variable goes out
 * of scope. State of the kernel (links, rules, leases) is never undone this
 * way: that is done in the open, where a reader sees it.
 *
 * A cleaned variable is initialised where it is declared. Cleaners accept
 * "nothing" (NULL, -1) and keep errno.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Define the cleaner behind __attribute__((cleanup(fn##_cleanup))). */
#define DEFINE_CLEANUP(type, fn)                 \
	static inline void fn##_cleanup(type *p) \
	{                                        \
		int saved_errno = errno;         \
		if (*p)                          \
			fn(*p);                  \
		errno = saved_errno;             \
	}

#define cleanup(fn) __attribute__((cleanup(fn##_cleanup)))

static inline void free_cleanup(void *p)
{
	int saved_errno = errno;

	free(*(void **)p);
	errno = saved_errno;
}

/* Close @fd once, whatever close() says: on Linux the descriptor is gone even
 * after EINTR, and a retry could close somebody else's. */
static inline void close_cleanup(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved_errno;
}

DEFINE_CLEANUP(FILE *, fclose)
DEFINE_CLEANUP(DIR *, closedir)

#define _free_	   cleanup(free)
#define _close_	   cleanup(close)
#define _fclose_   cleanup(fclose)
#define _closedir_ cleanup(closedir)

/* Hand over what a cleaned variable holds: its new owner is the caller. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define steal_ptr(p)                                  \
	({                                            \
		__typeof__(p) place_ = (p);           \
		__typeof__(*place_) taken_ = *place_; \
		*place_ = NULL;                       \
		taken_;                               \
	})
