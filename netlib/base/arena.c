// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One allocation each: address and leak sanitizers see every overrun. */
struct arena_block {
	struct arena_block *previous;
	void (*release)(void *p); /* NULL: the block is all there is */
	void *owned;
	max_align_t data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = calloc(1, sizeof(*block) + size);
	if (!block)
		return NULL;
	block->previous = a->last;
	a->last = block;
	return block->data;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = arena_alloc(a, size);

	return copy ? memcpy(copy, s, size) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

int arena_own(struct arena *a, void *p, void (*release)(void *p))
{
	if (!arena_alloc(a, 0)) {
		release(p);
		return -ENOMEM;
	}
	a->last->owned = p;
	a->last->release = release;
	return 0;
}

void arena_done(struct arena *a)
{
	while (a->last) {
		struct arena_block *block = a->last;

		a->last = block->previous;
		if (block->release)
			block->release(block->owned);
		free(block);
	}
}
