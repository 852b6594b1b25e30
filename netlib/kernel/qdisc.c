// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/qdisc.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/link.h"
#include "kernel/rtnl.h"

#define DIRECT_QUEUE 1000 /* packets; a veth may have no queue length to take */
#define QUANTUM	     1514 /* one class has nobody to take turns with */
#define TBF_KIND     "tbf"
#define HTB_KIND     "htb"

/* --- adding ----------------------------------------------------------------- */

static void begin(struct rtreq *q, int type, int flags, const struct link *link,
		  uint32_t parent, uint32_t handle)
{
	const struct tcmsg header = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = link->index,
		.tcm_handle = handle,
		.tcm_parent = parent,
	};

	rtreq_init(q, type, flags, &header, sizeof(header));
}

static void begin_new(struct rtreq *q, int type, const struct link *link,
		      uint32_t parent, uint32_t handle, const char *kind)
{
	begin(q, type, NLM_F_CREATE | NLM_F_EXCL, link, parent, handle);
	rtreq_put_str(q, TCA_KIND, kind);
	rtreq_nest(q, TCA_OPTIONS);
}

static int add(const struct netns *ns, struct rtreq *q, const struct link *link,
	       const char *kind, struct err *e)
{
	rtreq_end(q);
	return rtreq_call(ns, q, e, "add %s to interface \"%s\"", kind,
			  link->name);
}

/* Send the request again in the place of what a call before has left. */
static int replace(const struct netns *ns, struct rtreq *q,
		   const struct link *link, const char *kind,
		   int (*clear)(const struct netns *ns, const struct link *link,
				struct err *e),
		   struct err *e)
{
	int r = add(ns, q, link, kind, e);

	if (r != -EEXIST)
		return r;
	r = clear(ns, link, e);
	return r ? r
		 : rtreq_call(ns, q, e, "add %s to interface \"%s\"", kind,
			      link->name);
}

/* More than 32 bits are said in an attribute of their own, and the kernel takes
 * the greater of both (psched_ratecfg_precompute()). */
static struct tc_ratespec rate_spec(uint64_t rate)
{
	return (struct tc_ratespec){
		.rate = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX,
	};
}

static void put_rate64(struct rtreq *q, int type, uint64_t rate)
{
	if (rate > UINT32_MAX)
		rtreq_put(q, type, &rate, sizeof(rate));
}

int qdisc_add_tbf(const struct netns *ns, const struct link *link,
		  const struct tbf *tbf, struct err *e)
{
	const struct tc_tbf_qopt options = {
		.rate = rate_spec(tbf->rate),
		.limit = tbf->limit,
		.buffer = tbf->buffer,
	};
	_rtreq_ struct rtreq q;

	begin_new(&q, RTM_NEWQDISC, link, TC_H_ROOT, QDISC_ROOT, TBF_KIND);
	rtreq_put(&q, TCA_TBF_PARMS, &options, sizeof(options));
	put_rate64(&q, TCA_TBF_RATE64, tbf->rate);
	return replace(ns, &q, link, TBF_KIND, qdisc_delete_root, e);
}

/* Without a parent there is nothing to borrow, so that the ceiling is the rate. */
static int add_class(const struct netns *ns, const struct link *link,
		     const struct tbf *tbf, struct err *e)
{
	const struct tc_htb_opt options = {
		.rate = rate_spec(tbf->rate),
		.ceil = rate_spec(tbf->rate),
		.buffer = tbf->buffer,
		.cbuffer = tbf->buffer,
		.quantum = QUANTUM,
	};
	_rtreq_ struct rtreq q;

	begin_new(&q, RTM_NEWTCLASS, link, TC_H_ROOT, QDISC_CLASS, HTB_KIND);
	rtreq_put(&q, TCA_HTB_PARMS, &options, sizeof(options));
	put_rate64(&q, TCA_HTB_RATE64, tbf->rate);
	put_rate64(&q, TCA_HTB_CEIL64, tbf->rate);
	return add(ns, &q, link, "class of htb", e);
}

int qdisc_add_htb(const struct netns *ns, const struct link *link,
		  const struct tbf *tbf, bool is_default, struct err *e)
{
	const struct tc_htb_glob options = {
		.version = TC_HTB_PROTOVER,
		.rate2quantum = 10,
		.defcls = is_default ? TC_H_MIN(QDISC_CLASS) : 0,
	};
	_rtreq_ struct rtreq q;
	int r;

	begin_new(&q, RTM_NEWQDISC, link, TC_H_ROOT, QDISC_ROOT, HTB_KIND);
	rtreq_put(&q, TCA_HTB_INIT, &options, sizeof(options));
	rtreq_put_u32(&q, TCA_HTB_DIRECT_QLEN, DIRECT_QUEUE);
	r = replace(ns, &q, link, HTB_KIND, qdisc_delete_root, e);
	if (r)
		return r;
	r = add_class(ns, link, tbf, e);
	if (r)
		qdisc_delete_root(ns, link, NULL);
	return r;
}

int qdisc_add_ingress(const struct netns *ns, const struct link *link,
		      struct err *e)
{
	_rtreq_ struct rtreq q;

	begin_new(&q, RTM_NEWQDISC, link, TC_H_INGRESS, QDISC_INGRESS,
		  "ingress");
	return replace(ns, &q, link, "ingress", qdisc_delete_ingress, e);
}

int qdisc_add_fq_codel(const struct netns *ns, const struct link *link,
		       uint32_t target_us, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin_new(&q, RTM_NEWQDISC, link, QDISC_CLASS, 0, "fq_codel");
	if (target_us)
		rtreq_put_u32(&q, TCA_FQ_CODEL_TARGET, target_us);
	return add(ns, &q, link, "fq_codel", e);
}

/* Its options are no attributes. */
int qdisc_add_bfifo(const struct netns *ns, const struct link *link,
		    uint32_t limit, struct err *e)
{
	const struct tc_fifo_qopt options = { .limit = limit };
	_rtreq_ struct rtreq q;

	begin(&q, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, link, QDISC_CLASS,
	      0);
	rtreq_put_str(&q, TCA_KIND, "bfifo");
	rtreq_put(&q, TCA_OPTIONS, &options, sizeof(options));
	return rtreq_call(ns, &q, e, "add bfifo to interface \"%s\"",
			  link->name);
}

/* --- reading ---------------------------------------------------------------- */

static uint64_t read_rate(const struct tc_ratespec *spec,
			  const struct nlattr *rate64)
{
	return rate64 && nla_len(rate64) >= 8 ? nla_get_u64(rate64)
					      : spec->rate;
}

static void read_tbf(struct nlattr *options, struct tbf *ret)
{
	struct nlattr *tb[TCA_TBF_MAX + 1];
	const struct tc_tbf_qopt *o;

	if (nla_parse_nested(tb, TCA_TBF_MAX, options, NULL) ||
	    !tb[TCA_TBF_PARMS] || nla_len(tb[TCA_TBF_PARMS]) < (int)sizeof(*o))
		return;
	o = nla_data(tb[TCA_TBF_PARMS]);
	ret->rate = read_rate(&o->rate, tb[TCA_TBF_RATE64]);
	ret->buffer = o->buffer;
	ret->limit = o->limit;
}

static uint32_t read_default_class(struct nlattr *options)
{
	const struct nlattr *init =
		nla_find(nla_data(options), nla_len(options), TCA_HTB_INIT);
	const struct tc_htb_glob *o;

	if (!init || nla_len(init) < (int)sizeof(*o))
		return 0;
	o = nla_data(init);
	return o->defcls;
}

static int read_qdisc(const struct nlmsghdr *msg, void *arg)
{
	const struct tcmsg *header = nlmsg_data(msg);
	struct qdisc *ret = arg;
	struct nlattr *tb[TCA_MAX + 1];

	if (msg->nlmsg_type != RTM_NEWQDISC ||
	    nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, TCA_MAX,
			NULL) ||
	    !tb[TCA_KIND])
		return -EBADMSG;
	nla_strlcpy(ret->kind, tb[TCA_KIND], sizeof(ret->kind));
	ret->handle = header->tcm_handle;
	if (tb[TCA_OPTIONS] && !strcmp(ret->kind, TBF_KIND))
		read_tbf(tb[TCA_OPTIONS], &ret->tbf);
	if (tb[TCA_OPTIONS] && !strcmp(ret->kind, HTB_KIND))
		ret->default_class = read_default_class(tb[TCA_OPTIONS]);
	return 0;
}

/* Otherwise the kernel tells who listens to changes, and not who asks
 * (rtnetlink_send()). */
#define ASK (NLM_F_ECHO | NLM_F_ACK)

/* Of what it has put there itself the kernel says nothing (tc_qdisc_dump_ignore()). */
int qdisc_get(const struct netns *ns, const struct link *link, uint32_t parent,
	      struct qdisc *ret, struct err *e)
{
	_rtreq_ struct rtreq q;
	int r;

	memset(ret, 0, sizeof(*ret));
	begin(&q, RTM_GETQDISC, ASK, link, parent, 0);
	r = rtreq_query(ns, &q, read_qdisc, ret, e,
			"look up queueing discipline of interface \"%s\"",
			link->name);
	return r || *ret->kind ? r : -ENOENT;
}

static int read_class(const struct nlmsghdr *msg, void *arg)
{
	struct tbf *ret = arg;
	struct nlattr *tb[TCA_MAX + 1], *htb[TCA_HTB_MAX + 1];
	const struct tc_htb_opt *o;

	if (msg->nlmsg_type != RTM_NEWTCLASS ||
	    nlmsg_parse((struct nlmsghdr *)msg, sizeof(struct tcmsg), tb,
			TCA_MAX, NULL) ||
	    !tb[TCA_OPTIONS] ||
	    nla_parse_nested(htb, TCA_HTB_MAX, tb[TCA_OPTIONS], NULL) ||
	    !htb[TCA_HTB_PARMS] ||
	    nla_len(htb[TCA_HTB_PARMS]) < (int)sizeof(*o))
		return -EBADMSG;
	o = nla_data(htb[TCA_HTB_PARMS]);
	*ret = (struct tbf){ .rate = read_rate(&o->rate, htb[TCA_HTB_RATE64]),
			     .buffer = o->buffer };
	return 0;
}

int qdisc_get_class(const struct netns *ns, const struct link *link,
		    struct tbf *ret, struct err *e)
{
	_rtreq_ struct rtreq q;

	begin(&q, RTM_GETTCLASS, ASK, link, QDISC_ROOT, QDISC_CLASS);
	return rtreq_query(ns, &q, read_class, ret, e,
			   "look up class of interface \"%s\"", link->name);
}

/* --- deleting --------------------------------------------------------------- */

/* The kernel says EINVAL where another handle or kind is there (tc_get_qdisc()). */
static int delete_one(const struct netns *ns, const struct link *link,
		      uint32_t parent, uint32_t handle, const char *kind,
		      struct err *e)
{
	_rtreq_ struct rtreq q;
	int r;

	begin(&q, RTM_DELQDISC, 0, link, parent, handle);
	rtreq_put_str(&q, TCA_KIND, kind);
	r = rtreq_call(ns, &q, e, "delete %s of interface \"%s\"", kind,
		       link->name);
	return r == -ENOENT || r == -EINVAL || r == -ENODEV ? 0 : r;
}

int qdisc_delete_root(const struct netns *ns, const struct link *link,
		      struct err *e)
{
	int r = delete_one(ns, link, TC_H_ROOT, QDISC_ROOT, TBF_KIND, e);

	return r ? r : delete_one(ns, link, TC_H_ROOT, QDISC_ROOT, HTB_KIND, e);
}

int qdisc_delete_ingress(const struct netns *ns, const struct link *link,
			 struct err *e)
{
	return delete_one(ns, link, TC_H_INGRESS, QDISC_INGRESS, "ingress", e);
}
