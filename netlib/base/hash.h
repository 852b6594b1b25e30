// SPDX-License-Identifier: GPL-2.0-or-later
/* SHA-512 (libmd) cut to the hexadecimal digits that names have room for. */
#pragma once

#include <stddef.h>

#define HASH_DIGITS_MAX 128

/* Write the first @digits (at most HASH_DIGITS_MAX) hexadecimal digits of
 * SHA-512 of the strings that follow, joined, and a NUL into @buf. The last
 * argument is NULL. */
void hash_hex(char *buf, size_t digits, const char *first, ...)
	__attribute__((sentinel));
