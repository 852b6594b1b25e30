// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/rtnl.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_MAX 4096
#define DUMP_TRIES  64 /* on a host where links come and go all the time */

/* --- building ------------------------------------------------------------ */

void rtreq_init(struct rtreq *q, int type, int flags, const void *header,
		size_t header_len)
{
	rtreq_init_sized(q, type, flags, header, header_len, REQUEST_MAX);
}

void rtreq_init_sized(struct rtreq *q, int type, int flags, const void *header,
		      size_t header_len, size_t size)
{
	memset(q, 0, sizeof(*q));
	q->msg = nlmsg_alloc_size(size);
	if (!q->msg ||
	    !nlmsg_put(q->msg, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags))
		q->err = -ENOMEM;
	rtreq_append(q, header, header_len);
}

void rtreq_append(struct rtreq *q, const void *data, size_t len)
{
	if (!q->err && nlmsg_append(q->msg, (void *)data, len, NLMSG_ALIGNTO))
		q->err = -EMSGSIZE;
}

void rtreq_put(struct rtreq *q, int type, const void *data, size_t len)
{
	if (!q->err && nla_put(q->msg, type, (int)len, data))
		q->err = -EMSGSIZE;
}

void rtreq_put_u8(struct rtreq *q, int type, uint8_t value)
{
	rtreq_put(q, type, &value, sizeof(value));
}

void rtreq_put_u32(struct rtreq *q, int type, uint32_t value)
{
	rtreq_put(q, type, &value, sizeof(value));
}

void rtreq_put_str(struct rtreq *q, int type, const char *value)
{
	rtreq_put(q, type, value, strlen(value) + 1);
}

void rtreq_put_ip(struct rtreq *q, int type, const struct ip_addr *addr)
{
	rtreq_put(q, type, addr->bytes, ip_size(addr->family));
}

void rtreq_nest(struct rtreq *q, int type)
{
	if (q->err)
		return;
	if (q->depth < RTREQ_NEST_MAX)
		q->nest[q->depth] = nla_nest_start(q->msg, type);
	if (q->depth >= RTREQ_NEST_MAX || !q->nest[q->depth])
		q->err = -EMSGSIZE;
	else
		q->depth++;
}

void rtreq_end(struct rtreq *q)
{
	if (!q->err)
		nla_nest_end(q->msg, q->nest[--q->depth]);
}

void rtreq_done(struct rtreq *q)
{
	nlmsg_free(q->msg);
	q->msg = NULL;
}

uint32_t rtattr_u32(const struct nlattr *attr)
{
	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

/* --- sending ------------------------------------------------------------- */

struct answer {
	int (*reply)(const struct nlmsghdr *msg, void *arg);
	void *arg;
	uint32_t seq;
	bool is_acknowledged; /* an answer is not the end */
	bool done;
	int err;	  /* from the kernel or from @reply */
	char reason[192]; /* the kernel's own words; "" if none */
};

/* The text among the attributes behind an acknowledgement. */
static void read_reason(const struct nlmsgerr *refusal, struct answer *answer)
{
	const struct nlmsghdr *msg =
		(const void *)((const char *)refusal - NLMSG_HDRLEN);
	size_t skip = NLMSG_HDRLEN + sizeof(*refusal);
	struct nlattr *text;

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(refusal->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (msg->nlmsg_len <= skip)
		return;
	text = nla_find((const struct nlattr *)((const char *)msg + skip),
			(int)(msg->nlmsg_len - skip), NLMSGERR_ATTR_MSG);
	if (text)
		nla_strlcpy(answer->reason, text, sizeof(answer->reason));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *refusal,
		    void *arg)
{
	struct answer *answer = arg;

	(void)from;
	answer->err = refusal->error;
	answer->done = true;
	read_reason(refusal, answer);
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	answer->done = true;
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;
	int r;

	if (!(nlmsg_hdr(msg)->nlmsg_flags & NLM_F_MULTI) &&
	    !answer->is_acknowledged)
		answer->done = true;
	if (!answer->reply || answer->err)
		return NL_OK; /* the rest must still be read off the socket */
	r = answer->reply(nlmsg_hdr(msg), answer->arg);
	if (r)
		answer->err = r;
	return NL_OK;
}

/* Answers to a request that was given up are not this one's. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	const struct answer *answer = arg;

	return nlmsg_hdr(msg)->nlmsg_seq == answer->seq ? NL_OK : NL_SKIP;
}

static void set_callbacks(struct nl_sock *sock, struct answer *answer)
{
	nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, on_error, answer);
	nl_socket_modify_cb(sock, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence,
			    answer);
	nl_socket_modify_cb(sock, NL_CB_ACK, NL_CB_CUSTOM, on_end, answer);
	nl_socket_modify_cb(sock, NL_CB_FINISH, NL_CB_CUSTOM, on_end, answer);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_valid, answer);
}

/* 0, or -errno with answer->reason when the kernel gave one. */
static int exchange(struct nl_sock *sock, struct rtreq *q,
		    struct answer *answer)
{
	int r;

	if (q->err)
		return q->err;
	nlmsg_hdr(q->msg)->nlmsg_seq = NL_AUTO_SEQ;
	set_callbacks(sock, answer);
	errno = 0;
	if (nl_send_auto(sock, q->msg) < 0)
		return errno ? -errno : -EIO;
	answer->seq = nlmsg_hdr(q->msg)->nlmsg_seq;
	while (!answer->done) {
		errno = 0;
		r = nl_recvmsgs_default(sock);
		if (r == -NLE_DUMP_INTR)
			return -EINTR;
		if (r < 0 && !answer->done)
			return errno ? -errno : -EIO;
	}
	return answer->err;
}

static int carry_out(const struct netns *ns, struct rtreq *q,
		     struct answer *answer, struct err *e, const char *fmt,
		     va_list ap) __attribute__((format(printf, 5, 0)));

/* The exchange, with what was being done in the error. */
static int carry_out(const struct netns *ns, struct rtreq *q,
		     struct answer *answer, struct err *e, const char *fmt,
		     va_list ap)
{
	int r = exchange(ns->route, q, answer);
	char what[256];

	if (!r)
		return 0;
	vsnprintf(what, sizeof(what), fmt, ap);
	return err_set(e, ERR_IO, -r, "%s: %s%s%s", what, answer->reason,
		       *answer->reason ? ": " : "", strerror(-r));
}

int rtreq_call(const struct netns *ns, struct rtreq *q, struct err *e,
	       const char *fmt, ...)
{
	struct answer answer = { 0 };
	va_list ap;
	int r;

	if (q->msg)
		nlmsg_hdr(q->msg)->nlmsg_flags |= NLM_F_ACK;
	va_start(ap, fmt);
	r = carry_out(ns, q, &answer, e, fmt, ap);
	va_end(ap);
	return r;
}

int rtreq_query(const struct netns *ns, struct rtreq *q,
		int (*reply)(const struct nlmsghdr *msg, void *arg), void *arg,
		struct err *e, const char *fmt, ...)
{
	struct answer answer = { .reply = reply, .arg = arg };
	va_list ap;
	int r;

	if (q->msg)
		answer.is_acknowledged =
			nlmsg_hdr(q->msg)->nlmsg_flags & NLM_F_ACK;
	va_start(ap, fmt);
	r = carry_out(ns, q, &answer, e, fmt, ap);
	va_end(ap);
	return r;
}

/* --- lists --------------------------------------------------------------- */

void *rtlist_add(struct rtlist *list)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		void *v = arena_array(list->arena, room, list->size);

		if (!v)
			return NULL;
		if (list->n)
			memcpy(v, list->v, list->n * list->size);
		list->v = v;
		list->room = room;
	}
	return memset((char *)list->v + list->n++ * list->size, 0, list->size);
}

static int read_element(const struct nlmsghdr *msg, void *arg)
{
	struct rtlist *list = arg;

	return list->read(msg, list);
}

int rtreq_list(const struct netns *ns, struct rtreq *q, struct rtlist *list,
	       struct err *e, const char *what)
{
	int r = -EINTR;

	for (int try = 0; try < DUMP_TRIES && r == -EINTR; try++) {
		list->n = 0;
		r = rtreq_query(ns, q, read_element, list, e, "%s", what);
	}
	return r;
}
