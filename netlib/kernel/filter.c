// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/link.h"
#include "kernel/rtnl.h"

#define KEYS_MAX 4 /* of 32 bits */

/* struct tc_u32_sel, whose last member is an array of any length. */
struct selector {
	struct {
		unsigned char flags, offset_shift, keys_n;
		uint16_t offset_mask, offset;
		int16_t offset_offset, hash_offset;
		uint32_t hash_mask;
	} head;
	struct tc_u32_key keys[KEYS_MAX];
};

/* Where an address is in its header (RFC 791, RFC 8200). */
static int offset_of(uint8_t family, bool is_source)
{
	if (family == AF_INET)
		return is_source ? 12 : 16;
	return is_source ? 8 : 24;
}

/* --- adding ----------------------------------------------------------------- */

/* The @i-th 32 bits of a mask of @len bits, in network order. */
static uint32_t mask_word(unsigned len, unsigned i)
{
	unsigned n = len > 32 * i ? len - 32 * i : 0;

	return htonl(n >= 32 ? UINT32_MAX : n ? UINT32_MAX << (32 - n) : 0);
}

/* At least one, which matches everything where its mask is zero. */
static unsigned make_keys(const struct filter *f, struct tc_u32_key *keys)
{
	const unsigned len = f->prefix.len;
	const struct ip_prefix net = prefix_network(&f->prefix);
	unsigned n = 0;

	if (!f->prefix.addr.family || !len) {
		keys[n++] = (struct tc_u32_key){ 0 };
		return n;
	}
	for (; n < KEYS_MAX && 32 * n < len; n++) {
		keys[n] = (struct tc_u32_key){
			.mask = mask_word(len, n),
			.off = offset_of(net.addr.family, f->is_source) +
			       4 * (int)n,
		};
		memcpy(&keys[n].val, net.addr.bytes + 4 * (size_t)n,
		       sizeof(keys[n].val));
	}
	return n;
}

static void put_redirect(struct rtreq *q, int ifindex)
{
	const struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = TCA_EGRESS_REDIR,
		.ifindex = (uint32_t)ifindex,
	};

	rtreq_nest(q, TCA_U32_ACT);
	rtreq_nest(q, 1); /* the first, and only one */
	rtreq_put_str(q, TCA_ACT_KIND, "mirred");
	rtreq_nest(q, TCA_ACT_OPTIONS);
	rtreq_put(q, TCA_MIRRED_PARMS, &mirred, sizeof(mirred));
	rtreq_end(q);
	rtreq_end(q);
	rtreq_end(q);
}

int filter_add(const struct netns *ns, const struct link *link, uint32_t parent,
	       const struct filter *filter, struct err *e)
{
	const struct tcmsg header = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = link->index,
		.tcm_parent = parent,
		.tcm_info = TC_H_MAKE((uint32_t)filter->priority << 16,
				      htons(filter->protocol)),
	};
	struct selector sel = { .head.flags = TC_U32_TERMINAL };
	_rtreq_ struct rtreq q;

	sel.head.keys_n = (unsigned char)make_keys(filter, sel.keys);
	rtreq_init(&q, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &header,
		   sizeof(header));
	rtreq_put_str(&q, TCA_KIND, "u32");
	rtreq_nest(&q, TCA_OPTIONS);
	rtreq_put_u32(&q, TCA_U32_CLASSID, filter->class_id);
	rtreq_put(&q, TCA_U32_SEL, &sel,
		  sizeof(sel.head) + sel.head.keys_n * sizeof(sel.keys[0]));
	if (filter->redirect_to)
		put_redirect(&q, filter->redirect_to);
	rtreq_end(&q);
	return rtreq_call(ns, &q, e, "add filter to interface \"%s\"",
			  link->name);
}

/* --- reading ---------------------------------------------------------------- */

static struct nlattr *find_nested(struct nlattr *nest, int type)
{
	return nla_find(nla_data(nest), nla_len(nest), type);
}

/* Where the first action redirects packets to, if it does. */
static int read_redirect(struct nlattr *actions)
{
	struct nlattr *tb[TCA_ACT_MAX + 1], *parms;
	struct nlattr *first = find_nested(actions, 1);
	const struct tc_mirred *mirred;

	if (!first || nla_parse_nested(tb, TCA_ACT_MAX, first, NULL) ||
	    !tb[TCA_ACT_KIND] || nla_strcmp(tb[TCA_ACT_KIND], "mirred") != 0 ||
	    !tb[TCA_ACT_OPTIONS])
		return 0;
	parms = find_nested(tb[TCA_ACT_OPTIONS], TCA_MIRRED_PARMS);
	if (!parms || nla_len(parms) < (int)sizeof(*mirred))
		return 0;
	mirred = nla_data(parms);
	return mirred->eaction == TCA_EGRESS_REDIR ? (int)mirred->ifindex : 0;
}

static bool is_for(const struct selector *sel, uint8_t family, bool is_source)
{
	const int first = offset_of(family, is_source);

	if (sel->head.keys_n > ip_size(family) / 4)
		return false;
	for (int i = 0; i < sel->head.keys_n; i++)
		if (sel->keys[i].off != first + 4 * i || sel->keys[i].offmask)
			return false;
	return true;
}

/* An address of the protocol's family; false: something else. */
static bool read_prefix(const struct selector *sel, struct filter *f)
{
	const uint8_t family = f->protocol == ETH_P_IP	   ? AF_INET
			       : f->protocol == ETH_P_IPV6 ? AF_INET6
							   : 0;
	unsigned len = 0;

	f->prefix.addr.family = family;
	if (sel->head.keys_n == 1 && !sel->keys[0].mask)
		return true; /* any */
	f->is_source = family && is_for(sel, family, true);
	if (!family || (!f->is_source && !is_for(sel, family, false)))
		return false;
	for (unsigned i = 0; i < sel->head.keys_n; i++) {
		len += (unsigned)__builtin_popcount(sel->keys[i].mask);
		memcpy(f->prefix.addr.bytes + 4 * (size_t)i, &sel->keys[i].val,
		       sizeof(sel->keys[i].val));
	}
	f->prefix.len = (uint8_t)len;
	for (unsigned i = 0; i < sel->head.keys_n; i++)
		if (sel->keys[i].mask != mask_word(len, i))
			return false;
	return true;
}

static bool read_u32(struct nlattr *options, struct filter *f)
{
	struct nlattr *tb[TCA_U32_MAX + 1];
	struct selector sel = { 0 };
	size_t len;

	if (nla_parse_nested(tb, TCA_U32_MAX, options, NULL) ||
	    !tb[TCA_U32_SEL])
		return false;
	len = (size_t)nla_len(tb[TCA_U32_SEL]);
	if (len < sizeof(sel.head))
		return false;
	memcpy(&sel, nla_data(tb[TCA_U32_SEL]),
	       len < sizeof(sel) ? len : sizeof(sel));
	if (len != sizeof(sel.head) + sel.head.keys_n * sizeof(sel.keys[0]) ||
	    !read_prefix(&sel, f))
		return false;
	f->class_id = rtattr_u32(tb[TCA_U32_CLASSID]);
	if (tb[TCA_U32_ACT])
		f->redirect_to = read_redirect(tb[TCA_U32_ACT]);
	return true;
}

/* Tables of filters are listed as well, without what one would match. */
static bool is_table(struct nlattr *options)
{
	return find_nested(options, TCA_U32_DIVISOR);
}

static int read_element(const struct nlmsghdr *msg, struct rtlist *list)
{
	const struct tcmsg *header = nlmsg_data(msg);
	struct nlattr *tb[TCA_MAX + 1];
	struct filter f, *element;

	if (msg->nlmsg_type != RTM_NEWTFILTER ||
	    nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, TCA_MAX,
			NULL) ||
	    !tb[TCA_KIND])
		return -EBADMSG;
	/* the filters of one priority have a head without options */
	if (!tb[TCA_OPTIONS] || is_table(tb[TCA_OPTIONS]))
		return 0;
	element = rtlist_add(list);
	if (!element)
		return -ENOMEM;
	element->priority = (uint16_t)(TC_H_MAJ(header->tcm_info) >> 16);
	element->protocol = ntohs((uint16_t)TC_H_MIN(header->tcm_info));
	f = *element;
	if (!nla_strcmp(tb[TCA_KIND], "u32") && read_u32(tb[TCA_OPTIONS], &f))
		*element = f;
	return 0;
}

int filter_list(const struct netns *ns, const struct link *link,
		uint32_t parent, struct arena *a, struct filter **ret,
		size_t *ret_n, struct err *e)
{
	const struct tcmsg header = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = link->index,
		.tcm_parent = parent,
	};
	struct rtlist list = { .arena = a,
			       .size = sizeof(struct filter),
			       .read = read_element };
	_rtreq_ struct rtreq q;
	int r;

	rtreq_init(&q, RTM_GETTFILTER, NLM_F_DUMP, &header, sizeof(header));
	r = rtreq_list(ns, &q, &list, e, "list filters");
	*ret = list.v;
	*ret_n = list.n;
	return r;
}

bool filter_equal(const struct filter *a, const struct filter *b)
{
	const struct ip_prefix x = prefix_network(&a->prefix);
	const struct ip_prefix y = prefix_network(&b->prefix);

	if (a->protocol != b->protocol || a->redirect_to != b->redirect_to ||
	    x.addr.family != y.addr.family || x.len != y.len)
		return false;
	if (!a->redirect_to && a->class_id != b->class_id)
		return false;
	return !x.addr.family || !x.len ||
	       (prefix_equal(&x, &y) && a->is_source == b->is_source);
}
