// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers and addresses in network order, wherever they lie. */
#pragma once

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ip.h"

static inline uint16_t wire_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t wire_get32(const uint8_t *p)
{
	return (uint32_t)wire_get16(p) << 16 | wire_get16(p + 2);
}

static inline struct ip_addr wire_get_ip6(const uint8_t *p)
{
	struct ip_addr addr = { .family = AF_INET6 };

	memcpy(addr.bytes, p, 16);
	return addr;
}
