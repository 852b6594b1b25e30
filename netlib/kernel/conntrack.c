// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <libmnl/libmnl.h>

#define MESSAGE_MAX 1024

/* Which parts of a tuple a filter looks at: net/netfilter/nf_internals.h has
 * them, and no header of the kernel's interface. */
#define FILTER_SRC   (1U << 0)
#define FILTER_DST   (1U << 1)
#define FILTER_PROTO (1U << 3)
#define FILTER_DPORT (1U << 5)

/* --- messages ------------------------------------------------------------ */

static struct nlmsghdr *begin(char *buffer, int type, int flags, uint8_t family)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	msg->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	msg->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	return msg;
}

static void put_addr(struct nlmsghdr *msg, const struct ip_addr *a, int v4,
		     int v6)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, CTA_TUPLE_IP);

	mnl_attr_put(msg, (uint16_t)(a->family == AF_INET ? v4 : v6),
		     ip_size(a->family), a->bytes);
	mnl_attr_nest_end(msg, nest);
}

/* Where the client sends to. */
static uint32_t put_original(struct nlmsghdr *msg,
			     const struct conntrack_filter *f)
{
	struct nlattr *tuple = mnl_attr_nest_start(msg, CTA_TUPLE_ORIG), *proto;
	uint32_t flags = FILTER_PROTO;

	if (f->daddr.family) {
		put_addr(msg, &f->daddr, CTA_IP_V4_DST, CTA_IP_V6_DST);
		flags |= FILTER_DST;
	}
	proto = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(msg, CTA_PROTO_NUM, f->protocol);
	if (f->dport) {
		mnl_attr_put_u16(msg, CTA_PROTO_DST_PORT, htons(f->dport));
		flags |= FILTER_DPORT;
	}
	mnl_attr_nest_end(msg, proto);
	mnl_attr_nest_end(msg, tuple);
	return flags;
}

/* Who answers. */
static uint32_t put_reply(struct nlmsghdr *msg,
			  const struct conntrack_filter *f)
{
	struct nlattr *tuple;

	if (!f->replier.family)
		return 0;
	tuple = mnl_attr_nest_start(msg, CTA_TUPLE_REPLY);
	put_addr(msg, &f->replier, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
	mnl_attr_nest_end(msg, tuple);
	return FILTER_SRC;
}

static struct nlmsghdr *filtered(char *buffer, int type, int flags,
				 const struct conntrack_filter *f)
{
	struct nlmsghdr *msg = begin(buffer, type, flags, f->family);
	uint32_t original = put_original(msg, f), reply = put_reply(msg, f);
	struct nlattr *nest = mnl_attr_nest_start(msg, CTA_FILTER);

	mnl_attr_put_u32(msg, CTA_FILTER_ORIG_FLAGS, original);
	mnl_attr_put_u32(msg, CTA_FILTER_REPLY_FLAGS, reply);
	mnl_attr_nest_end(msg, nest);
	return msg;
}

static int ask(struct netfilter *nf, struct nlmsghdr *msg, mnl_cb_t reply,
	       void *arg)
{
	msg->nlmsg_seq = ++nf->seq;
	return netfilter_ask(nf, msg, reply, arg);
}

/* --- one by one ---------------------------------------------------------- */

struct deletion {
	const struct conntrack_filter *filter;
	struct netfilter *nf;
	int err;
};

struct tuple {
	uint8_t protocol;
	uint16_t dport;
	struct ip_addr saddr, daddr;
};

/* What there is of a listed entry to hold against the filter. */
struct entry {
	const struct nlattr *name; /* by which it is deleted */
	struct tuple original, reply;
};

static int read_protocol(const struct nlattr *attr, void *arg)
{
	struct tuple *tuple = arg;

	if (mnl_attr_get_type(attr) == CTA_PROTO_NUM)
		tuple->protocol = mnl_attr_get_u8(attr);
	else if (mnl_attr_get_type(attr) == CTA_PROTO_DST_PORT)
		tuple->dport = ntohs(mnl_attr_get_u16(attr));
	return MNL_CB_OK;
}

static int read_addr(const struct nlattr *attr, void *arg)
{
	size_t len = mnl_attr_get_payload_len(attr);
	int type = mnl_attr_get_type(attr);
	struct tuple *tuple = arg;
	struct ip_addr *to = type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC
				     ? &tuple->saddr
				     : &tuple->daddr;

	if (type > CTA_IP_V6_DST || len > sizeof(to->bytes))
		return MNL_CB_OK; /* a newer kernel's */
	to->family = len == ip_size(AF_INET) ? AF_INET : AF_INET6;
	memcpy(to->bytes, mnl_attr_get_payload(attr), len);
	return MNL_CB_OK;
}

static int read_tuple(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
		mnl_attr_parse_nested(attr, read_protocol, arg);
	else if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
		mnl_attr_parse_nested(attr, read_addr, arg);
	return MNL_CB_OK;
}

static int read_entry(const struct nlattr *attr, void *arg)
{
	struct entry *entry = arg;

	if (mnl_attr_get_type(attr) == CTA_TUPLE_REPLY)
		return mnl_attr_parse_nested(attr, read_tuple, &entry->reply);
	if (mnl_attr_get_type(attr) != CTA_TUPLE_ORIG)
		return MNL_CB_OK;
	entry->name = attr;
	return mnl_attr_parse_nested(attr, read_tuple, &entry->original);
}

/* No family: any address. */
static bool is_wanted(const struct ip_addr *wanted, const struct ip_addr *is)
{
	return !wanted->family || ip_equal(wanted, is);
}

/* A kernel that knows no filter lists everything: look again. */
static bool is_meant(const struct conntrack_filter *f,
		     const struct entry *entry)
{
	const struct tuple *original = &entry->original;

	return entry->name && original->protocol == f->protocol &&
	       (!f->dport || original->dport == f->dport) &&
	       is_wanted(&f->daddr, &original->daddr) &&
	       is_wanted(&f->replier, &entry->reply.saddr);
}

static int delete_listed(const struct nlmsghdr *listed, void *arg)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(listed);
	struct deletion *d = arg;
	struct entry entry = { 0 };
	char buffer[MESSAGE_MAX] = { 0 };
	struct nlmsghdr *msg = begin(buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK,
				     header->nfgen_family);
	int r;

	mnl_attr_parse(listed, sizeof(*header), read_entry, &entry);
	if (!is_meant(d->filter, &entry))
		return MNL_CB_OK;
	mnl_attr_put(msg, CTA_TUPLE_ORIG | NLA_F_NESTED,
		     mnl_attr_get_payload_len(entry.name),
		     mnl_attr_get_payload(entry.name));
	r = ask(d->nf, msg, NULL, NULL);
	if (r && r != -ENOENT)
		d->err = r;
	return MNL_CB_OK;
}

/* A second socket deletes while the first lists. */
static int forget_listed(struct netfilter *nf, const struct conntrack_filter *f)
{
	_netfilter_ struct netfilter second = { .closes_late =
							nf->closes_late };
	struct deletion d = { .filter = f, .nf = &second };
	char buffer[MESSAGE_MAX] = { 0 };
	struct nlmsghdr *msg =
		filtered(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, f);
	int r = ask(nf, msg, delete_listed, &d);

	return r ? r : d.err;
}

/* --- all at once --------------------------------------------------------- */

/* Before Linux 6.8 a tuple is the one entry to delete: this one is none. */
static bool is_too_old(int r)
{
	return r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP ||
	       r == -EAFNOSUPPORT;
}

static bool is_absent(int r)
{
	return r == -EPROTONOSUPPORT || is_too_old(r);
}

int conntrack_forget(struct netfilter *nf,
		     const struct conntrack_filter *filter, struct err *e)
{
	char buffer[MESSAGE_MAX] = { 0 };
	struct nlmsghdr *msg =
		filtered(buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, filter);
	int r = ask(nf, msg, NULL, NULL);

	if (is_too_old(r))
		r = forget_listed(nf, filter);
	if (!r || is_absent(r))
		return 0;
	return err_set(e, ERR_IO, -r, "forget conntrack entries: %s",
		       strerror(-r));
}
