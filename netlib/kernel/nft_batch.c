// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft_batch.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>

#include "kernel/nft.h"
#include "kernel/nft_userdata.h"

#define REPLY_MAX   32768
#define BATCH_PAGE  65536
#define ROOM	    131072 /* what every socket's buffer has */
#define MESSAGE_MAX 4096 /* of a page's end, for the message that crosses it */

/* --- transactions -------------------------------------------------------- */

struct nft_note {
	uint32_t seq;
	char what[160];
};

static int note(struct nft_batch *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Remember what the message with the next sequence number does. */
static int note(struct nft_batch *b, const char *fmt, va_list ap)
{
	struct nft_note *slot;

	if (b->n == b->room) {
		size_t room = b->room ? b->room * 2 : 16;
		struct nft_note *v = arena_array(&b->arena, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (b->n)
			memcpy(v, b->notes, b->n * sizeof(*v));
		b->notes = v;
		b->room = room;
	}
	slot = &b->notes[b->n++];
	slot->seq = b->nft->nf->seq + 1;
	vsnprintf(slot->what, sizeof(slot->what), fmt, ap);
	return 0;
}

/* Begin the next message; NULL when the batch has failed already. */
static struct nlmsghdr *message(struct nft_batch *b, int type, int flags,
				const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static struct nlmsghdr *message(struct nft_batch *b, int type, int flags,
				const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!b->err)
		b->err = note(b, fmt, ap);
	va_end(ap);
	if (b->err)
		return NULL;
	/* libmnl 1.0.4 leaves the padding behind attributes as it finds it */
	memset(nftnl_batch_buffer(b->messages), 0, MESSAGE_MAX);
	b->last = nftnl_nlmsg_build_hdr(
		nftnl_batch_buffer(b->messages), (uint16_t)type,
		(uint16_t)b->nft->family, (uint16_t)flags, ++b->nft->nf->seq);
	return b->last;
}

/* The message is complete. */
static void next(struct nft_batch *b)
{
	if (!b->err && nftnl_batch_update(b->messages) < 0)
		b->err = -ENOMEM;
}

/* How things are made: none may be there already, unless they are repaired. */
static int creating(const struct nft_batch *b)
{
	return NLM_F_CREATE | (b->repairs ? 0 : NLM_F_EXCL);
}

void nft_batch_init(struct nft_batch *b, struct nft *nft,
		    const uint32_t *generation)
{
	struct nlmsghdr *begin;

	memset(b, 0, sizeof(*b));
	b->nft = nft;
	b->messages = nftnl_batch_alloc(BATCH_PAGE, MESSAGE_MAX);
	if (!b->messages) {
		b->err = -ENOMEM;
		return;
	}
	begin = nftnl_batch_begin(nftnl_batch_buffer(b->messages),
				  ++nft->nf->seq);
	if (generation)
		mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(*generation));
	next(b);
}

void nft_batch_done(struct nft_batch *b)
{
	if (b->messages)
		nftnl_batch_free(b->messages);
	b->messages = NULL;
	arena_done(&b->arena);
}

void nft_add_table(struct nft_batch *b)
{
	struct nlmsghdr *msg = message(b, NFT_MSG_NEWTABLE, creating(b),
				       "create table %s", b->nft->table);

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, b->nft->table);
	next(b);
}

/* A comment as nft stores and prints it: a type, a length, a string. */
static void put_comment(struct nlmsghdr *msg, int attribute, uint8_t type,
			const char *comment)
{
	struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(256);

	if (!data)
		return;
	nftnl_udata_put_strz(data, type, comment);
	mnl_attr_put(msg, (uint16_t)attribute, nftnl_udata_buf_len(data),
		     nftnl_udata_buf_data(data));
	nftnl_udata_buf_free(data);
}

/* A deletion of rules without a handle deletes all of the chain. */
static void delete_rules(struct nft_batch *b, const char *chain)
{
	struct nlmsghdr *msg =
		message(b, NFT_MSG_DELRULE, 0, "flush chain %s", chain);

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	next(b);
	b->nft->nf->closes_late = true;
}

void nft_add_chain(struct nft_batch *b, const struct nft_chain_spec *chain)
{
	int flags = chain->may_exist ? NLM_F_CREATE : creating(b);
	struct nlmsghdr *msg = message(b, NFT_MSG_NEWCHAIN, flags,
				       "create chain %s", chain->name);
	struct nlattr *hook;

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, chain->name);
	if (chain->type) {
		hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(chain->hook));
		mnl_attr_put_u32(msg, NFTA_HOOK_PRIORITY,
				 htonl((uint32_t)chain->priority));
		mnl_attr_nest_end(msg, hook);
		mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, chain->type);
	}
	if (chain->comment)
		put_comment(msg, NFTA_CHAIN_USERDATA, NFTNL_UDATA_CHAIN_COMMENT,
			    chain->comment);
	next(b);
	if (b->repairs && !chain->may_exist)
		delete_rules(b, chain->name);
}

void nft_delete_chain(struct nft_batch *b, const char *chain)
{
	struct nlmsghdr *msg =
		message(b, NFT_MSG_DELCHAIN, 0, "delete chain %s", chain);

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, chain);
	next(b);
	b->nft->nf->closes_late = true;
}

/* Begin a message about the named counter. */
static struct nlmsghdr *counter_message(struct nft_batch *b, int type,
					int flags, const char *counter)
{
	struct nlmsghdr *msg =
		message(b, type, flags, "%s counter %s",
			type == NFT_MSG_NEWOBJ ? "create" : "delete", counter);

	if (!msg)
		return NULL;
	mnl_attr_put_strz(msg, NFTA_OBJ_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_OBJ_NAME, counter);
	mnl_attr_put_u32(msg, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return msg;
}

void nft_add_counter(struct nft_batch *b, const char *counter)
{
	struct nlmsghdr *msg =
		counter_message(b, NFT_MSG_NEWOBJ, creating(b), counter);
	struct nlattr *data;

	if (!msg)
		return;
	data = mnl_attr_nest_start(msg, NFTA_OBJ_DATA);
	mnl_attr_nest_end(msg, data);
	next(b);
}

void nft_delete_counter(struct nft_batch *b, const char *counter)
{
	if (!counter_message(b, NFT_MSG_DELOBJ, 0, counter))
		return;
	next(b);
	b->nft->nf->closes_late = true;
}

/* --- sets ---------------------------------------------------------------- */

/* What the set maps to. */
static void put_value_type(struct nlmsghdr *msg, const struct nft_set_spec *set)
{
	switch (set->kind) {
	case NFT_KIND_SET:
		break;
	case NFT_KIND_MAP:
		mnl_attr_put_u32(msg, NFTA_SET_DATA_TYPE,
				 htonl(nft_types_id(set->value)));
		mnl_attr_put_u32(msg, NFTA_SET_DATA_LEN,
				 htonl(nft_types_len(set->value)));
		break;
	case NFT_KIND_VMAP:
		mnl_attr_put_u32(msg, NFTA_SET_DATA_TYPE,
				 htonl(NFT_DATA_VERDICT));
		break;
	case NFT_KIND_COUNTER:
		mnl_attr_put_u32(msg, NFTA_SET_OBJ_TYPE,
				 htonl(NFT_OBJECT_COUNTER));
		break;
	}
}

static uint32_t set_flags(enum nft_set_kind kind)
{
	static const uint32_t flags[] = {
		[NFT_KIND_SET] = 0,
		[NFT_KIND_MAP] = NFT_SET_MAP,
		[NFT_KIND_VMAP] = NFT_SET_MAP,
		[NFT_KIND_COUNTER] = NFT_SET_OBJECT,
	};

	return flags[kind];
}

void nft_add_set(struct nft_batch *b, const struct nft_set_spec *set)
{
	struct nlmsghdr *msg = message(b, NFT_MSG_NEWSET, creating(b),
				       "create set %s", set->name);

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_SET_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_SET_NAME, set->name);
	mnl_attr_put_u32(msg, NFTA_SET_FLAGS, htonl(set_flags(set->kind)));
	mnl_attr_put_u32(msg, NFTA_SET_KEY_TYPE, htonl(nft_types_id(set->key)));
	mnl_attr_put_u32(msg, NFTA_SET_KEY_LEN, htonl(nft_types_len(set->key)));
	put_value_type(msg, set);
	mnl_attr_put_u32(msg, NFTA_SET_ID, htonl(b->nft->nf->seq));
	nft_put_set_userdata(msg, set);
	next(b);
}

/* --- elements ------------------------------------------------------------ */

static void put_data(struct nlmsghdr *msg, int attribute,
		     const struct nft_value *value)
{
	struct nlattr *data = mnl_attr_nest_start(msg, (uint16_t)attribute);

	mnl_attr_put(msg, NFTA_DATA_VALUE, value->len, value->bytes);
	mnl_attr_nest_end(msg, data);
}

static void put_goto(struct nlmsghdr *msg, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(msg, NFTA_SET_ELEM_DATA),
		      *verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(msg, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_GOTO));
	mnl_attr_put_strz(msg, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(msg, verdict);
	mnl_attr_nest_end(msg, data);
}

/* What the key maps to, and the comment. */
static void put_mapping(struct nlmsghdr *msg, enum nft_set_kind kind,
			const struct nft_element *element)
{
	if (kind == NFT_KIND_MAP)
		put_data(msg, NFTA_SET_ELEM_DATA, &element->value);
	else if (kind == NFT_KIND_VMAP)
		put_goto(msg, element->target);
	else if (kind == NFT_KIND_COUNTER)
		mnl_attr_put_strz(msg, NFTA_SET_ELEM_OBJREF, element->target);
	if (*element->comment)
		put_comment(msg, NFTA_SET_ELEM_USERDATA,
			    NFTNL_UDATA_SET_ELEM_COMMENT, element->comment);
}

static void put_element(struct nft_batch *b, int type, int flags,
			const struct nft_set_spec *set,
			const struct nft_element *element)
{
	bool is_new = type == NFT_MSG_NEWSETELEM;
	struct nlmsghdr *msg =
		message(b, type, flags, "%s element %s in %s",
			is_new ? "add" : "delete", element->label, set->name);
	struct nlattr *list, *elem;

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_SET, set->name);
	list = mnl_attr_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	put_data(msg, NFTA_SET_ELEM_KEY, &element->key);
	if (is_new)
		put_mapping(msg, set->kind, element);
	mnl_attr_nest_end(msg, elem);
	mnl_attr_nest_end(msg, list);
	next(b);
}

void nft_add_element(struct nft_batch *b, const struct nft_set_spec *set,
		     const struct nft_element *element)
{
	put_element(b, NFT_MSG_NEWSETELEM, creating(b), set, element);
}

void nft_ensure_element(struct nft_batch *b, const struct nft_set_spec *set,
			const struct nft_element *element)
{
	put_element(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, element);
}

void nft_delete_element(struct nft_batch *b, const struct nft_set_spec *set,
			const struct nft_element *element)
{
	put_element(b, NFT_MSG_DELSETELEM, 0, set, element);
	b->nft->nf->closes_late = true;
}

/* --- rules --------------------------------------------------------------- */

struct nftnl_rule *nft_rule_new(const struct nft *nft, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, nft->family);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, nft->table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

void nft_add_rule(struct nft_batch *b, struct nftnl_rule *rule,
		  const char *chain)
{
	struct nlmsghdr *msg =
		message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
			"add a rule to chain %s", chain);

	if (!rule)
		b->err = -ENOMEM;
	if (!b->err) {
		nftnl_rule_nlmsg_build_payload(msg, rule);
		next(b);
	}
	if (rule)
		nftnl_rule_free(rule);
}

void nft_delete_rule(struct nft_batch *b, const char *chain, uint64_t handle)
{
	struct nlmsghdr *msg = message(b, NFT_MSG_DELRULE, 0,
				       "delete a rule of chain %s", chain);

	if (!msg)
		return;
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, b->nft->table);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(msg, NFTA_RULE_HANDLE, htobe64(handle));
	next(b);
	b->nft->nf->closes_late = true;
}

/* --- sending ------------------------------------------------------------- */

/* The kernel's own words behind an acknowledgement, where there are any. */
static int find_reason(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		*(const char **)arg = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

static const char *read_reason(const struct nlmsghdr *msg)
{
	size_t skip = sizeof(struct nlmsgerr);
	const char *reason = NULL;

	if (msg->nlmsg_flags & NLM_F_ACK_TLVS &&
	    msg->nlmsg_flags & NLM_F_CAPPED)
		mnl_attr_parse(msg, (unsigned)skip, find_reason, &reason);
	return reason;
}

/* The kernel takes no message longer than the socket's buffer. Beyond what
 * anybody may have, it has to be a privileged socket's. */
static void make_room(int fd, const struct iovec *iov, int count)
{
	int len = 0;

	for (int i = 0; i < count; i++)
		len += (int)iov[i].iov_len;
	if (len > ROOM)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &len, sizeof(len));
}

static int send_batch(struct nft_batch *b)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr msg = { .msg_name = &kernel,
			      .msg_namelen = sizeof(kernel) };
	int count = nftnl_batch_iovec_len(b->messages);
	struct iovec *iov = arena_array(&b->arena, (size_t)count, sizeof(*iov));
	int r = netfilter_open(b->nft->nf, NULL);

	if (!iov)
		return -ENOMEM;
	if (r)
		return r;
	nftnl_batch_iovec(b->messages, iov, (uint32_t)count);
	msg.msg_iov = iov;
	msg.msg_iovlen = (size_t)count;
	make_room(mnl_socket_get_fd(b->nft->nf->sock), iov, count);
	if (sendmsg(mnl_socket_get_fd(b->nft->nf->sock), &msg, 0) < 0)
		return -errno;
	return 0;
}

static int failed(int r, struct err *e)
{
	return err_set(e, ERR_IO, -r, "change nftables: %s", strerror(-r));
}

static const char *what_failed(const struct nft_batch *b, uint32_t seq)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->notes[i].seq == seq)
			return b->notes[i].what;
	return "change the ruleset";
}

/* Say what the kernel answered to one message of the batch. */
static int read_answer(const struct nft_batch *b, const struct nlmsghdr *msg,
		       struct err *e)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(msg);
	const char *reason;

	if (msg->nlmsg_type != NLMSG_ERROR || !answer->error)
		return 0;
	reason = read_reason(msg);
	return err_set(e, ERR_IO, -answer->error, "nftables: %s: %s%s%s",
		       what_failed(b, msg->nlmsg_seq), reason ? reason : "",
		       reason ? ": " : "", strerror(-answer->error));
}

/*
 * The kernel works in the sender's context: every answer waits in the socket
 * when sendmsg() returns. The first refusal is the cause of the others.
 */
static int read_answers(const struct nft_batch *b, struct err *e)
{
	int fd = mnl_socket_get_fd(b->nft->nf->sock), r = 0;
	char buffer[REPLY_MAX];

	for (;;) {
		const struct nlmsghdr *msg = (const void *)buffer;
		ssize_t len = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		int left = (int)len;

		if (len < 0 && errno == EAGAIN)
			return r;
		if (len < 0)
			return r ? r : failed(-errno, e);
		for (; mnl_nlmsg_ok(msg, left);
		     msg = mnl_nlmsg_next(msg, &left))
			if (!r)
				r = read_answer(b, msg, e);
	}
}

int nft_commit(struct nft_batch *b, struct err *e)
{
	int r;

	if (!b->err) {
		b->last->nlmsg_flags |= NLM_F_ACK;
		nftnl_batch_end(nftnl_batch_buffer(b->messages),
				++b->nft->nf->seq);
		next(b);
	}
	r = b->err ? b->err : send_batch(b);
	return r ? failed(r, e) : read_answers(b, e);
}
