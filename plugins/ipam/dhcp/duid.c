// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/duid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define DUID_TYPE_UUID 4
#define UUID_LEN       16

static void read_hex(const char *hex, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		ret[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

void duid_of_attachment(const char *container_id, const char *network,
			const char *ifname, struct duid *ret,
			uint32_t *ret_iaid)
{
	char hex[2 * (UUID_LEN + 4) + 1];
	uint8_t hash[UUID_LEN + 4];

	hash_hex(hex, sizeof(hex) - 1, container_id, "/", network, "/", ifname,
		 NULL);
	read_hex(hex, hash, sizeof(hash));
	hash[6] = (hash[6] & 0x0f) | 0x80; /* RFC 9562, 5.8: our own making */
	hash[8] = (hash[8] & 0x3f) | 0x80;
	*ret = (struct duid){ .len = 2 + UUID_LEN,
			      .bytes = { 0, DUID_TYPE_UUID } };
	memcpy(ret->bytes + 2, hash, UUID_LEN);
	*ret_iaid = (uint32_t)hash[16] << 24 | (uint32_t)hash[17] << 16 |
		    (uint32_t)hash[18] << 8 | hash[19];
}

const char *duid_text(const struct duid *duid, char buf[static DUID_TEXT_MAX])
{
	buf[0] = '\0';
	for (size_t i = 0; i < duid->len; i++)
		snprintf(buf + 2 * i, 3, "%02x", duid->bytes[i]);
	return buf;
}

int duid_parse(const char *text, struct duid *ret)
{
	const size_t digits = strlen(text);

	if (digits % 2 || digits > 2 * (size_t)DUID_MAX ||
	    strspn(text, "0123456789abcdef") != digits)
		return -EINVAL;
	ret->len = (uint8_t)(digits / 2);
	read_hex(text, ret->bytes, ret->len);
	return 0;
}
