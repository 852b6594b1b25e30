// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What limits an interface. All that it sends: a bucket of tokens at its root, as the
 * reference makes it. With subnets: htb, whose class 1:1 is the bucket, and filters
 * that say what goes there or past it. Inside, where the kernel has it, a queue for
 * each flow that does not let packets wait for long.
 *
 * What comes in can only be looked at: filters have an ifb send it, or do not.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/filter.h"
#include "meta/bandwidth/bandwidth.h"

/* Of two protocols there cannot be filters at one priority. The reference has its
 * one at the first. */
enum {
	PRIORITY_IPV4 = 1,
	PRIORITY_IPV6,
	PRIORITY_REST,
};

#define CODEL_TARGET_US 5000

struct filters {
	struct filter *v;
	size_t n;
};

/* --- filters ------------------------------------------------------------------ */

static struct filter subnet_filter(const struct ip_prefix *subnet)
{
	const bool is_ipv4 = subnet->addr.family == AF_INET;

	return (struct filter){
		.priority = is_ipv4 ? PRIORITY_IPV4 : PRIORITY_IPV6,
		.protocol = is_ipv4 ? ETH_P_IP : ETH_P_IPV6,
		.prefix = *subnet,
		.class_id = QDISC_CLASS,
	};
}

/* Of an htb: the class 1:1 is limited, 1:0 is none. */
static int root_filters(const struct remotes *remotes, struct arena *a,
			struct filters *ret, struct err *e)
{
	const size_t n = remotes->subnets.n;

	ret->v = arena_array(a, n, sizeof(*ret->v));
	if (!ret->v)
		return err_oom(e);
	for (ret->n = 0; ret->n < n; ret->n++) {
		struct filter *f = &ret->v[ret->n];

		*f = subnet_filter(&remotes->subnets.v[ret->n]);
		f->is_source = true;
		if (!remotes->are_limited)
			f->class_id = QDISC_ROOT;
	}
	return 0;
}

/* Of an ingress: what nothing redirects comes in. */
static int ingress_filters(const struct remotes *remotes, int to,
			   struct arena *a, struct filters *ret, struct err *e)
{
	const size_t n = remotes->subnets.n;

	ret->v = arena_array(a, n + 1, sizeof(*ret->v));
	if (!ret->v)
		return err_oom(e);
	for (ret->n = 0; ret->n < n; ret->n++) {
		struct filter *f = &ret->v[ret->n];

		*f = subnet_filter(&remotes->subnets.v[ret->n]);
		f->redirect_to = remotes->are_limited ? to : 0;
	}
	if (!remotes->are_limited)
		ret->v[ret->n++] = (struct filter){
			.priority = n ? PRIORITY_REST : 1,
			.protocol = ETH_P_ALL,
			.class_id = QDISC_CLASS,
			.redirect_to = to,
		};
	return 0;
}

static int add_filters(const struct netns *ns, const struct link *link,
		       uint32_t parent, const struct filters *filters,
		       struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < filters->n; i++)
		r = filter_add(ns, link, parent, &filters->v[i], e);
	return r;
}

static bool has_filter(const struct filters *filters,
		       const struct filter *wanted)
{
	for (size_t i = 0; i < filters->n; i++)
		if (filter_equal(&filters->v[i], wanted))
			return true;
	return false;
}

static int lacks_filter(const struct link *link, const struct filter *wanted,
			struct err *e)
{
	char text[PREFIX_TEXT_MAX];

	if (!wanted->prefix.addr.family)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"interface \"%s\" has no filter that redirects what comes in to the ifb",
			link->name);
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "interface \"%s\" has no filter for %s", link->name,
		       prefix_text(&wanted->prefix, text));
}

static int check_filters(const struct netns *ns, const struct link *link,
			 uint32_t parent, const struct filters *wanted,
			 struct arena *a, struct err *e)
{
	struct filters found = { 0 };
	int r = filter_list(ns, link, parent, a, &found.v, &found.n, e);

	if (r)
		return r;
	for (size_t i = 0; i < wanted->n; i++)
		if (!has_filter(&found, &wanted->v[i]))
			return lacks_filter(link, &wanted->v[i], e);
	if (found.n == wanted->n)
		return 0;
	return err_set(e, ERR_MISMATCH, EEXIST,
		       "interface \"%s\" has %zu filters instead of %zu",
		       link->name, found.n, wanted->n);
}

/* --- what it sends ------------------------------------------------------------ */

/* One and a half packets' time where that is longer: otherwise single packets would
 * count as waiting (RFC 8290, 5.2.2). */
static uint32_t codel_target_us(const struct link *link, uint64_t rate)
{
	const uint64_t us = 1500000ULL * link->mtu / rate;

	if (us <= CODEL_TARGET_US)
		return 0;
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* An htb's class has to have a bounded queue in any case: the kernel's own is as
 * many packets as the interface says. */
static int add_queue(const struct netns *ns, const struct link *link,
		     const struct tbf *tbf, bool is_class, bool *has_fq_codel,
		     struct err *e)
{
	int r = -ENOENT;

	if (*has_fq_codel)
		r = qdisc_add_fq_codel(ns, link,
				       codel_target_us(link, tbf->rate), e);
	if (r != -ENOENT)
		return r;
	*has_fq_codel = false;
	return is_class ? qdisc_add_bfifo(ns, link, tbf->limit, e) : 0;
}

static int fill_root(const struct netns *ns, const struct link *link,
		     const struct tbf *tbf, const struct remotes *remotes,
		     struct arena *a, bool *has_fq_codel, struct err *e)
{
	const bool is_class = remotes->subnets.n;
	struct filters filters = { 0 };
	int r = add_queue(ns, link, tbf, is_class, has_fq_codel, e);

	if (r || !is_class)
		return r;
	r = root_filters(remotes, a, &filters, e);
	return r ? r : add_filters(ns, link, QDISC_ROOT, &filters, e);
}

int limit_add(const struct netns *ns, const struct link *link,
	      const struct tbf *tbf, const struct remotes *remotes,
	      struct arena *a, bool *has_fq_codel, struct err *e)
{
	int r = remotes->subnets.n
			? qdisc_add_htb(ns, link, tbf, !remotes->are_limited, e)
			: qdisc_add_tbf(ns, link, tbf, e);

	if (r)
		return r;
	r = fill_root(ns, link, tbf, remotes, a, has_fq_codel, e);
	if (r)
		qdisc_delete_root(ns, link, NULL);
	return r;
}

/* The greatest numbers stand for more than fits, for which the reference has
 * others. */
static bool is_as(uint32_t found, uint32_t wanted)
{
	return found == wanted || (found && wanted == UINT32_MAX);
}

static int compare(const struct link *link, const struct tbf *found,
		   const struct tbf *wanted, struct err *e)
{
	if (found->rate != wanted->rate)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"interface \"%s\" has a rate of %llu bytes a second instead of %llu",
			link->name, (unsigned long long)found->rate,
			(unsigned long long)wanted->rate);
	if (!is_as(found->buffer, wanted->buffer))
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"interface \"%s\" has a burst of %u ticks instead of %u",
			link->name, found->buffer, wanted->buffer);
	if (!is_as(found->limit, wanted->limit))
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"interface \"%s\" has a limit of %u bytes instead of %u",
			link->name, found->limit, wanted->limit);
	return 0;
}

static int check_class(const struct netns *ns, const struct link *link,
		       const struct qdisc *root, const struct tbf *wanted,
		       const struct remotes *remotes, struct arena *a,
		       struct err *e)
{
	const uint32_t class = remotes->are_limited ? 0 : TC_H_MIN(QDISC_CLASS);
	struct filters filters = { 0 };
	struct tbf found = { 0 };
	int r;

	if (root->default_class != class)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"the htb of interface \"%s\" has the default class %u instead of %u",
			link->name, root->default_class, class);
	if (qdisc_get_class(ns, link, &found, NULL))
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "the htb of interface \"%s\" has no class 1:1",
			       link->name);
	found.limit = wanted->limit; /* a class has none */
	r = compare(link, &found, wanted, e);
	if (!r)
		r = root_filters(remotes, a, &filters, e);
	return r ? r : check_filters(ns, link, QDISC_ROOT, &filters, a, e);
}

/* None but the kernel's own is as well: the reference puts none there. */
static int check_queue(const struct netns *ns, const struct link *link,
		       struct err *e)
{
	struct qdisc queue;

	if (qdisc_get(ns, link, QDISC_CLASS, &queue, NULL) ||
	    !strcmp(queue.kind, "fq_codel") || strstr(queue.kind, "fifo"))
		return 0;
	return err_set(
		e, ERR_MISMATCH, EEXIST,
		"interface \"%s\" has %s in its limit instead of fq_codel",
		link->name, queue.kind);
}

int limit_check(const struct netns *ns, const struct link *link,
		const struct tbf *tbf, const struct remotes *remotes,
		struct arena *a, struct err *e)
{
	const char *kind = remotes->subnets.n ? "htb" : "tbf";
	struct qdisc root = { 0 };
	int r = qdisc_get(ns, link, TC_H_ROOT, &root, NULL);

	if (r || strcmp(root.kind, kind) != 0)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"interface \"%s\" is not limited: it has %s instead of %s",
			link->name, r ? "nothing" : root.kind, kind);
	r = remotes->subnets.n
		    ? check_class(ns, link, &root, tbf, remotes, a, e)
		    : compare(link, &root.tbf, tbf, e);
	return r ? r : check_queue(ns, link, e);
}

/* --- what comes in ------------------------------------------------------------ */

int redirect_add(const struct netns *ns, const struct link *link,
		 const struct link *to, const struct remotes *remotes,
		 struct arena *a, struct err *e)
{
	struct filters filters = { 0 };
	int r = ingress_filters(remotes, to->index, a, &filters, e);

	if (!r)
		r = qdisc_add_ingress(ns, link, e);
	if (r)
		return r;
	r = add_filters(ns, link, QDISC_INGRESS, &filters, e);
	if (r)
		qdisc_delete_ingress(ns, link, NULL);
	return r;
}

int redirect_check(const struct netns *ns, const struct link *link,
		   const struct link *to, const struct remotes *remotes,
		   struct arena *a, struct err *e)
{
	struct filters filters = { 0 };
	struct qdisc ingress = { 0 };
	int r;

	if (qdisc_get(ns, link, TC_H_INGRESS, &ingress, NULL) ||
	    strcmp(ingress.kind, "ingress") != 0)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "interface \"%s\" has no ingress qdisc",
			       link->name);
	r = ingress_filters(remotes, to->index, a, &filters, e);
	return r ? r : check_filters(ns, link, QDISC_INGRESS, &filters, a, e);
}

bool is_redirected(const struct netns *ns, const struct link *link,
		   const struct link *to, struct arena *a)
{
	struct filters found = { 0 };

	if (filter_list(ns, link, QDISC_INGRESS, a, &found.v, &found.n, NULL))
		return false;
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].redirect_to == to->index)
			return true;
	return false;
}
