// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests on NETLINK_ROUTE, over libnl-3.
 *
 * A request is built attribute by attribute without looking back: its first
 * failure (no room, no memory) stays in it and is reported when it is sent.
 * The kernel's refusal comes with its own explanation (extended
 * acknowledgement) after the caller's name of the thing:
 *
 *	create veth "vethab12": <kernel text>: File exists
 */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct nl_msg;

#define RTREQ_NEST_MAX 6

struct rtreq {
	struct nl_msg *msg;
	int err; /* first failure, as -errno */
	unsigned depth;
	struct nlattr *nest[RTREQ_NEST_MAX];
};

/* Begin a request with the family header (ifinfomsg, ...) at @header. */
void rtreq_init(struct rtreq *q, int type, int flags, const void *header,
		size_t header_len);

/* The same with room for @size bytes, where the usual 4096 may be too few. */
void rtreq_init_sized(struct rtreq *q, int type, int flags, const void *header,
		      size_t header_len, size_t size);

void rtreq_put(struct rtreq *q, int type, const void *data, size_t len);
void rtreq_put_u8(struct rtreq *q, int type, uint8_t value);
void rtreq_put_u32(struct rtreq *q, int type, uint32_t value);
void rtreq_put_str(struct rtreq *q, int type, const char *value);
void rtreq_put_ip(struct rtreq *q, int type, const struct ip_addr *addr);
void rtreq_nest(struct rtreq *q, int type);
void rtreq_end(struct rtreq *q);

/* Append a header inside a nest (VETH_INFO_PEER holds an ifinfomsg). */
void rtreq_append(struct rtreq *q, const void *data, size_t len);

void rtreq_done(struct rtreq *q);

static inline void rtreq_done_cleanup(struct rtreq *q)
{
	rtreq_done(q);
}

#define _rtreq_ cleanup(rtreq_done)

/* The value of an attribute that may be missing (0) or too short (0). */
uint32_t rtattr_u32(const struct nlattr *attr);

/* Send, and wait for the kernel's answer. The format says what is being done
 * to which thing. */
int rtreq_call(const struct netns *ns, struct rtreq *q, struct err *e,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for a question about one thing: @reply gets the message of the
 * answer; what it returns is returned. With NLM_F_ACK there may be no answer. */
int rtreq_query(const struct netns *ns, struct rtreq *q,
		int (*reply)(const struct nlmsghdr *msg, void *arg), void *arg,
		struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* The same for a list (NLM_F_DUMP): elements of one size, in an arena. */
struct rtlist {
	struct arena *arena;
	size_t size;
	/* Read a message into an element or several; 0 or -errno. */
	int (*read)(const struct nlmsghdr *msg, struct rtlist *list);
	int filter; /* for .read: a family, an interface index */
	void *v;
	size_t n, room;
};

/* Room for one more element, zeroed; NULL when out of memory. */
void *rtlist_add(struct rtlist *list);

/* A list that changed while the kernel wrote it is read again. */
int rtreq_list(const struct netns *ns, struct rtreq *q, struct rtlist *list,
	       struct err *e, const char *what);
