// SPDX-License-Identifier: GPL-2.0-or-later
/* Who a client or a server of DHCPv6 is (RFC 8415, 11): bytes to compare. */
#pragma once

#include <stdint.h>

/* Two bytes of type and at most 128 that mean nothing to others. */
#define DUID_MAX      130
#define DUID_TEXT_MAX (2 * DUID_MAX + 1)

struct duid {
	uint8_t len; /* 0: none */
	uint8_t bytes[DUID_MAX];
};

/* Who an attachment is to servers. Nothing is kept for it: the same attachment
 * has the same DUID, a UUID (RFC 6355) made of the hash of
 * "container/network/interface", and the same IAID, of the next bits. */
void duid_of_attachment(const char *container_id, const char *network,
			const char *ifname, struct duid *ret,
			uint32_t *ret_iaid);

/* As hexadecimal digits: write them into @buf and return it; read them, 0 or
 * -EINVAL. */
const char *duid_text(const struct duid *duid, char buf[static DUID_TEXT_MAX]);
int duid_parse(const char *text, struct duid *ret);
