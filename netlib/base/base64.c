// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>

char *base64_encode(const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = data;
	char *text, *out;

	out = text = malloc(len / 3 * 4 + 5);
	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t second = i + 1 < len ? in[i + 1] : 0;
		uint32_t third = i + 2 < len ? in[i + 2] : 0;
		uint32_t group = (uint32_t)in[i] << 16 | second << 8 | third;

		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = i + 1 < len ? digits[group >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[group & 63] : '=';
	}
	*out = '\0';
	return text;
}
