// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel answers to the request that golden.h keeps, as bytes as well. */
#pragma once

#include "golden.h"

#include <linux/netlink.h>

#define MULTI 0x002
#define DONE  HEADER(20, 3, MULTI), U32(0) /* NLMSG_DONE */

static uint8_t answer[4096];
static size_t answer_len;

static void answer_with(const uint8_t *bytes, size_t len)
{
	assert_in_range(len, 1, sizeof(answer));
	memcpy(answer, bytes, len);
	answer_len = len;
	is_delivered = true;
}

/* Messages are answers to the request by its number, wherever they begin. */
static void number_answers(void)
{
	for (size_t at = 0; at + 16 <= answer_len;) {
		uint32_t n;

		memcpy(&n, answer + at, sizeof(n));
		memcpy(answer + at + 8, sent + 8, 4);
		at += (n + 3) & ~3U;
	}
}

/* In the place of the C library's. A peek leaves the answer where it is. */
ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t len = answer_len;

	(void)fd;
	if (!len) {
		errno = ECANCELED;
		return -1;
	}
	number_answers();
	if (len > msg->msg_iov->iov_len)
		len = msg->msg_iov->iov_len;
	memcpy(msg->msg_iov->iov_base, answer, len);
	memcpy(msg->msg_name, &kernel, sizeof(kernel));
	msg->msg_namelen = sizeof(kernel);
	msg->msg_controllen = 0;
	msg->msg_flags = len < answer_len ? MSG_TRUNC : 0;
	if (flags & MSG_TRUNC)
		len = answer_len;
	if (!(flags & MSG_PEEK)) {
		answer_len = 0;
		is_delivered = false;
	}
	return (ssize_t)len;
}
