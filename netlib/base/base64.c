// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
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

/* Four digits as 24 bits; padding counts as zeros. -1 when one is no digit. */
static int32_t decode_group(const char *text, size_t padding)
{
	int32_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *digit =
			i < 4 - padding ? strchr(digits, text[i]) : digits;

		if (!digit)
			return -1;
		group = group << 6 | (int32_t)(digit - digits);
	}
	return group;
}

static size_t count_padding(const char *text, size_t len)
{
	if (!len || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

int base64_decode(const char *text, char **ret, size_t *ret_len)
{
	size_t len = strlen(text), padding, size;
	char *data;

	if (len % 4)
		return -EINVAL;
	padding = count_padding(text, len);
	size = len / 4 * 3;
	data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < len / 4; i++) {
		int32_t group = decode_group(text + 4 * i,
					     i + 1 < len / 4 ? 0 : padding);

		if (group < 0) {
			free(data);
			return -EINVAL;
		}
		data[3 * i] = (char)(group >> 16);
		data[3 * i + 1] = (char)(group >> 8);
		data[3 * i + 2] = (char)group;
	}
	*ret_len = size - padding;
	data[*ret_len] = '\0';
	*ret = data;
	return 0;
}
