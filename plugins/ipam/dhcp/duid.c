// SPDX-License-Identifier: GPL-2.0-or-later
#include "duid.h"

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
