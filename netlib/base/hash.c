// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash.h"

#include <sha512.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

void hash_hex(char *buf, size_t digits, const char *first, ...)
{
	char hex[SHA512_DIGEST_STRING_LENGTH];
	SHA512_CTX context;
	va_list ap;

	SHA512Init(&context);
	va_start(ap, first);
	for (const char *s = first; s; s = va_arg(ap, const char *))
		SHA512Update(&context, (const uint8_t *)s, strlen(s));
	va_end(ap);
	SHA512End(&context, hex);
	memcpy(buf, hex, digits);
	buf[digits] = '\0';
}
