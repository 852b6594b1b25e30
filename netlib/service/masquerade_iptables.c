// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/masquerade_iptables.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TABLE	    "nat"
#define POSTROUTING "POSTROUTING"
#define PREFIX	    "CNI-"

static const char *multicast(uint8_t family)
{
	return family == AF_INET6 ? "ff00::/8" : "224.0.0.0/4";
}

/* What the table is to have for one attachment. */
struct wanted {
	struct iptables_chain_name chain;
	const char **rules; /* of the chain */
	const char **jumps; /* to it, one an address */
	size_t rules_n, jumps_n;
};

static void add_rules(struct iptables *t, struct wanted *w,
		      const struct ip_prefix *p, const char *comment)
{
	const struct iptables_match subnet = iptables_match("-d", p),
				    host = iptables_match_host("-s", &p->addr);
	const char *accept =
		iptables_text(t, "%s%s -j ACCEPT", subnet.text, comment);

	w->jumps[w->jumps_n++] = iptables_text(t, "%s%s -j %s", host.text,
					       comment, w->chain.text);
	for (size_t i = 0; accept && i < w->rules_n; i++)
		if (w->rules[i] && !strcmp(w->rules[i], accept))
			return; /* two addresses of one subnet */
	w->rules[w->rules_n++] = accept;
}

/* With several subnets all of them come before what is masqueraded; the
 * reference has the second after it, where it is of no use. */
static int want(struct iptables *t, const struct masquerade_iptables *m,
		struct wanted *ret, struct err *e)
{
	const char *comment = iptables_comment("", m->owner, &t->arena);
	struct wanted w = {
		.chain = iptables_chain_name(PREFIX, m->owner),
		.rules = arena_array(&t->arena, m->n + 1, sizeof(*w.rules)),
		.jumps = arena_array(&t->arena, m->n + 1, sizeof(*w.jumps)),
	};

	if (!comment || !w.rules || !w.jumps)
		return err_oom(e);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].addr.family == t->place.family)
			add_rules(t, &w, &m->v[i], comment);
	if (w.jumps_n)
		w.rules[w.rules_n++] =
			iptables_text(t, "! -d %s %s -j MASQUERADE",
				      multicast(t->place.family), comment);
	*ret = w;
	return 0;
}

static void delete_chain(struct iptables *t, const char *chain)
{
	iptables_set_jumps(t, POSTROUTING, chain, NULL, 0);
	iptables_delete_chain(t, chain);
}

/* --- the plans ----------------------------------------------------------- */

int masquerade_iptables_plan_add(struct iptables *t, const void *arg,
				 struct err *e)
{
	struct wanted w = { 0 };
	int r = want(t, arg, &w, e);

	if (r)
		return r;
	if (w.jumps_n) {
		iptables_fill_chain(t, w.chain.text, w.rules, w.rules_n);
		iptables_set_jumps(t, POSTROUTING, w.chain.text, w.jumps,
				   w.jumps_n);
	} else {
		delete_chain(t, w.chain.text);
	}
	return 0;
}

int masquerade_iptables_plan_del(struct iptables *t, const void *arg,
				 struct err *e)
{
	const struct masquerade_iptables *m = arg;
	const struct iptables_chain_name chain =
		iptables_chain_name(PREFIX, m->owner);

	(void)e;
	delete_chain(t, chain.text);
	return 0;
}

int masquerade_iptables_plan_check(struct iptables *t, const void *arg,
				   struct err *e)
{
	struct wanted w = { 0 };
	int r = want(t, arg, &w, e);

	if (!r)
		r = iptables_require(t, w.chain.text, w.rules, w.rules_n, e);
	return r ? r : iptables_require(t, POSTROUTING, w.jumps, w.jumps_n, e);
}

/* A chain's name says network and container, so a comment has to say no more
 * than the network. */
int masquerade_iptables_plan_gc(struct iptables *t, const void *arg,
				struct err *e)
{
	const struct iptables_valid *gc = arg;
	const struct iptables_chain_name *valid =
		iptables_valid_chains(PREFIX, gc, &t->arena);
	const struct iptables_line *l = NULL;

	if (!valid)
		return err_oom(e);
	while ((l = iptables_next_rule(t, NULL, l))) {
		char target[IPTABLES_WORD_MAX];
		const char *chain = l->chain;

		if (!iptables_comment_is_of(l->text, "", gc->network))
			continue;
		if (!strcmp(chain, POSTROUTING) &&
		    iptables_option(l->text, "-j", target))
			chain = iptables_text(t, "%s", target);
		if (chain &&
		    iptables_chain_is_stale(chain, PREFIX, valid, gc->n))
			delete_chain(t, chain);
	}
	return 0;
}

/* --- the calls ----------------------------------------------------------- */

static bool has_family(const struct ip_prefix *v, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].addr.family == family)
			return true;
	return false;
}

/* One program for each family that there are addresses of. */
static int in_each_family(const struct masquerade_iptables *m,
			  iptables_plan *plan, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++) {
		const struct iptables_place place = { IPTABLES_PLAIN,
						      families[i], TABLE };

		if (has_family(m->v, m->n, families[i]))
			r = iptables_edit(&place, plan, m, e);
	}
	return r;
}

int masquerade_iptables_add(struct netfilter *nf, const struct owner *owner,
			    const struct ip_prefix *v, size_t n, struct err *e)
{
	const struct masquerade_iptables m = { owner, v, n };
	int r = in_each_family(&m, masquerade_iptables_plan_add, e);

	if (r)
		masquerade_iptables_del(nf, owner, v, n, NULL);
	return r;
}

int masquerade_iptables_del(struct netfilter *nf, const struct owner *owner,
			    const struct ip_prefix *v, size_t n, struct err *e)
{
	const struct masquerade_iptables m = { owner, v, n };
	const struct iptables_chain_name chain =
		iptables_chain_name(PREFIX, owner);
	const char *const chains[] = { chain.text, NULL };

	return iptables_edit_existing(nf, AF_UNSPEC, TABLE, chains,
				      masquerade_iptables_plan_del, &m, e);
}

int masquerade_iptables_check(const struct owner *owner,
			      const struct ip_prefix *v, size_t n,
			      struct err *e)
{
	const struct masquerade_iptables m = { owner, v, n };

	return in_each_family(&m, masquerade_iptables_plan_check, e);
}

int masquerade_iptables_gc(struct netfilter *nf, const char *network,
			   const struct owner *valid, size_t n, struct err *e)
{
	const struct iptables_valid gc = { network, valid, n };
	const char *const any[] = { NULL };
	int r = iptables_edit_existing(nf, AF_UNSPEC, TABLE, any,
				       masquerade_iptables_plan_gc, &gc, e);

	/* without iptables such a table is somebody else's */
	return r == -ENOENT ? 0 : r;
}

int masquerade_iptables_status(struct err *e)
{
	const struct iptables_place place = { IPTABLES_PLAIN, AF_INET, TABLE };

	return iptables_status(&place, e);
}
