// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An arena owns many small things that are released together: what a
 * configuration or a result was parsed into lives until its call ends, so no
 * structure needs a destructor of its own.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct arena {
	struct arena_block *last;
};

/* Zeroed memory owned by @a; NULL when there is none. */
void *arena_alloc(struct arena *a, size_t size);

/* Room for @n things of @size each; NULL too when the product overflows. */
void *arena_array(struct arena *a, size_t n, size_t size);

char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Have @release(@p) called when the arena is released. 0; or -ENOMEM, and then
 * @p has been released already. */
int arena_own(struct arena *a, void *p, void (*release)(void *p));

/* Release everything, youngest first; the arena is empty and usable afterwards. */
void arena_done(struct arena *a);

static inline void arena_done_cleanup(struct arena *a)
{
	arena_done(a);
}

#define _arena_ cleanup(arena_done)
