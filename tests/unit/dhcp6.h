// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of DHCPv6 as bytes, for the tests: written from RFC 8415, not with
 * the code under test. */
#pragma once

#define BE16(x)	       (uint8_t)((x) >> 8 & 0xff), (uint8_t)((x)&0xff)
#define BE32(x)	       BE16((x) >> 16), BE16(x)
#define OPT(code, len) BE16(code), BE16(len)

#define IAID		   0xa1b2c3d4U
#define CLIENT_DUID	   0, 4, 1, 2, 3, 4
#define CLIENTID	   OPT(1, 6), CLIENT_DUID
#define SERVERID(id)	   OPT(2, 5), 0, 3, 0, 1, id
#define IA_NA(len, t1, t2) OPT(3, 12 + (len)), BE32(IAID), BE32(t1), BE32(t2)
/* 2001:db8::@host */
#define ADDR(host) 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host
#define IAADDR(host, preferred, valid) \
	OPT(5, 24), ADDR(host), BE32(preferred), BE32(valid)
#define IAADDR_LEN   28
#define STATUS(code) OPT(13, 2), BE16(code)

/* One byte after the other changed, the message cut everywhere, and then random
 * changes: whatever reads it must neither crash nor read beyond the end, which
 * the sanitized build sees, since @f gets memory of exactly that length. */
static inline void mangle(const uint8_t *data, size_t len,
			  void (*f)(const uint8_t *data, size_t len, void *arg),
			  void *arg)
{
	uint32_t seed = 1;

	for (unsigned i = 0; i < 20000 + 256 * len; i++) {
		size_t n = i % 3 ? len : i / 3 % (len + 1);
		uint8_t *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, data, n);
		for (unsigned k = i % 4; n && k; k--) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % n] = (uint8_t)(seed >> 24);
		}
		f(copy, n, arg);
		free(copy);
	}
}
