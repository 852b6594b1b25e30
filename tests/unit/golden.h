// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Netlink messages as bytes, written from the kernel's headers and not with the
 * code under test, and a sendmsg() that keeps what would have been sent. The
 * numbers are little-endian, as on every machine the tests run on.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define U16(x) (uint8_t)((x)&0xff), (uint8_t)((x) >> 8 & 0xff)
#define U32(x) U16((x)&0xffff), U16((x) >> 16 & 0xffff)
#define BE32(x)                                                   \
	(uint8_t)((x) >> 24 & 0xff), (uint8_t)((x) >> 16 & 0xff), \
		(uint8_t)((x) >> 8 & 0xff), (uint8_t)((x)&0xff)

/* A message's header; the sequence number and the port are not compared. */
#define HEADER(len, type, flags) U32(len), U16(type), U16(flags), U32(0), U32(0)
#define ATTR(len, type)		 U16(len), U16(type)
#define NESTED			 0x8000

static uint8_t sent[32768];
static size_t sent_len;
static bool is_delivered; /* to a kernel, which answer.h has */

/* In the place of the C library's: nothing leaves this process. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	(void)fd;
	(void)flags;
	sent_len = 0;
	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		memcpy(sent + sent_len, msg->msg_iov[i].iov_base,
		       msg->msg_iov[i].iov_len);
		sent_len += msg->msg_iov[i].iov_len;
	}
	if (is_delivered)
		return (ssize_t)sent_len;
	errno = ECANCELED;
	return -1;
}

/* Sequence numbers and ports, wherever a message begins. */
static void blank_headers(uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at + 16 <= len;) {
		uint32_t n;

		memcpy(&n, bytes + at, sizeof(n));
		memset(bytes + at + 8, 0, 8);
		if (n < 16)
			break;
		at += (n + 3) & ~3U;
	}
}

static void assert_sent(const uint8_t *want, size_t len)
{
	blank_headers(sent, sent_len);
	for (size_t i = 0; i < len && i < sent_len; i++)
		if (sent[i] != want[i])
			fail_msg("byte %zu is %02x, should be %02x", i, sent[i],
				 want[i]);
	assert_int_equal(sent_len, len);
}
