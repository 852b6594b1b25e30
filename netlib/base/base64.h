// SPDX-License-Identifier: GPL-2.0-or-later
/* Base64 (RFC 4648, section 4): bytes inside JSON. */
#pragma once

#include <stddef.h>

/* The text for @len bytes, padded, on one line; the caller frees it. NULL when
 * out of memory. */
char *base64_encode(const void *data, size_t len);
