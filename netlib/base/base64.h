// SPDX-License-Identifier: GPL-2.0-or-later
/* Base64 (RFC 4648, section 4): bytes inside JSON. */
#pragma once

#include <stddef.h>

/* The text for @len bytes, padded, on one line; the caller frees it. NULL when
 * out of memory. */
char *base64_encode(const void *data, size_t len);

/* The bytes of @text, which the encoder could have written, and a NUL that is
 * not counted; the caller frees *@ret. 0, -EINVAL or -ENOMEM. */
int base64_decode(const char *text, char **ret, size_t *ret_len);
