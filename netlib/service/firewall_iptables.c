// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/firewall_iptables.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TABLE	       "filter"
#define FORWARD	       "FORWARD"
#define OWN	       "CNI-FORWARD"
#define ADMIN	       "CNI-ADMIN"
#define STAGE1	       "CNI-ISOLATION-STAGE-1"
#define STAGE2	       "CNI-ISOLATION-STAGE-2"
#define COMMENT(about) "-m comment --comment \"CNI firewall plugin " about "\""

/* The comments of what bridges share, and of what is one bridge's. */
#define SHARED	    COMMENT("rules (ingressPolicy: same-bridge|isolated)")
#define SAME_BRIDGE COMMENT("rules (ingressPolicy: same-bridge)")
#define ISOLATED    COMMENT("rules (ingressPolicy: isolated)")

#define TO_OWN	  COMMENT("rules") " -j " OWN
#define TO_STAGE1 SHARED " -j " STAGE1

/* Where a rule goes that is not there. */
enum where {
	FIRST,
	LAST
};

struct wanted_rule {
	const char *chain;
	enum where where;
	const char *rule;
};

/* What does not depend on the container's addresses. */
#define SHARED_MAX 8

static size_t shared_rules(struct iptables *t, const struct firewall *fw,
			   struct wanted_rule ret[static SHARED_MAX])
{
	const bool is_isolated = fw->policy == INGRESS_ISOLATED;
	const char *admin = fw->admin_chain ? fw->admin_chain : ADMIN,
		   *own = is_isolated ? ISOLATED : SAME_BRIDGE,
		   *br = fw->bridge;
	size_t n = 0;

	ret[n++] = (struct wanted_rule){ FORWARD, FIRST, TO_OWN };
	ret[n++] = (struct wanted_rule){
		OWN, FIRST,
		iptables_text(t, COMMENT("admin overrides") " -j %s", admin)
	};
	if (fw->policy == INGRESS_OPEN)
		return n;
	ret[n++] = (struct wanted_rule){ FORWARD, FIRST, TO_STAGE1 };
	ret[n++] = (struct wanted_rule){
		STAGE1, FIRST,
		iptables_text(t, "-i %s ! -o %s %s -j " STAGE2, br, br, own)
	};
	if (is_isolated)
		ret[n++] = (struct wanted_rule){
			STAGE1, FIRST,
			iptables_text(t, "-i %s -o %s %s -j DROP", br, br, own)
		};
	ret[n++] = (struct wanted_rule){ STAGE1, LAST, SHARED " -j RETURN" };
	ret[n++] = (struct wanted_rule){
		STAGE2, FIRST, iptables_text(t, "-o %s " SHARED " -j DROP", br)
	};
	ret[n++] = (struct wanted_rule){ STAGE2, LAST, SHARED " -j RETURN" };
	return n;
}

#define ADDRESS_RULES 2

/* The rules of one address; none, if it is of another family. */
static size_t address_rules(struct iptables *t, const struct ip_addr *a,
			    const char *ret[static ADDRESS_RULES])
{
	if (a->family != t->place.family)
		return 0;
	ret[0] = iptables_text(
		t, "%s-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		iptables_match_host("-d", a).text);
	ret[1] = iptables_text(t, "%s-j ACCEPT",
			       iptables_match_host("-s", a).text);
	return ADDRESS_RULES;
}

static bool has_family(const struct firewall *fw, uint8_t family)
{
	for (size_t i = 0; i < fw->addresses.n; i++)
		if (fw->addresses.v[i].family == family)
			return true;
	return false;
}

static int check_words(const struct firewall *fw, struct err *e)
{
	int r = fw->admin_chain ? iptables_check_chain("iptablesAdminChainName",
						       fw->admin_chain, e)
				: 0;

	if (r || fw->policy == INGRESS_OPEN)
		return r;
	if (!fw->bridge)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"ingressPolicy\": there is no bridge");
	return iptables_check_interface("\"ingressPolicy\"", fw->bridge, e);
}

/* --- the plans ----------------------------------------------------------- */

static void ensure_chains(struct iptables *t, const struct firewall *fw)
{
	iptables_ensure_chain(t, OWN);
	iptables_ensure_chain(t, fw->admin_chain ? fw->admin_chain : ADMIN);
	if (fw->policy == INGRESS_OPEN)
		return;
	iptables_ensure_chain(t, STAGE1);
	iptables_ensure_chain(t, STAGE2);
}

/* What lets containers through is made anew at the top: other networks'
 * isolation has to come before it again. */
static void raise_isolation(struct iptables *t)
{
	const struct iptables_line *l = NULL;

	while ((l = iptables_next_rule(t, FORWARD, l))) {
		const char *jump = l->text;

		if (!iptables_goes_to(l, STAGE1))
			continue;
		iptables_delete(t, FORWARD, jump);
		iptables_insert(t, FORWARD, jump);
	}
}

static void add_shared(struct iptables *t, const struct firewall *fw)
{
	const bool is_first = !iptables_has_rule(t, FORWARD, TO_OWN);
	struct wanted_rule v[SHARED_MAX];
	size_t n = shared_rules(t, fw, v);

	ensure_chains(t, fw);
	for (size_t i = 0; i < n; i++) {
		if (v[i].where == FIRST)
			iptables_insert(t, v[i].chain, v[i].rule);
		else
			iptables_append(t, v[i].chain, v[i].rule);
		if (!i && is_first)
			raise_isolation(t);
	}
}

int firewall_iptables_plan_add(struct iptables *t, const void *arg,
			       struct err *e)
{
	const struct firewall *fw = arg;
	const char *rules[ADDRESS_RULES];
	int r = check_words(fw, e);

	if (r || !has_family(fw, t->place.family))
		return r;
	add_shared(t, fw);
	for (size_t i = 0; i < fw->addresses.n; i++) {
		size_t n = address_rules(t, &fw->addresses.v[i], rules);

		for (size_t k = 0; k < n; k++)
			iptables_append(t, OWN, rules[k]);
	}
	return 0;
}

int firewall_iptables_plan_del(struct iptables *t, const void *arg,
			       struct err *e)
{
	const struct firewall *fw = arg;
	const char *rules[ADDRESS_RULES];

	(void)e;
	for (size_t i = 0; i < fw->addresses.n; i++) {
		size_t n = address_rules(t, &fw->addresses.v[i], rules);

		for (size_t k = 0; k < n; k++)
			iptables_delete(t, OWN, rules[k]);
	}
	return 0;
}

int firewall_iptables_plan_check(struct iptables *t, const void *arg,
				 struct err *e)
{
	const struct firewall *fw = arg;
	struct wanted_rule v[SHARED_MAX];
	const char *rules[ADDRESS_RULES];
	int r = check_words(fw, e);
	size_t n;

	if (r || !has_family(fw, t->place.family))
		return r;
	n = shared_rules(t, fw, v);
	for (size_t i = 0; !r && i < n; i++)
		r = iptables_require(t, v[i].chain, &v[i].rule, 1, e);
	for (size_t i = 0; !r && i < fw->addresses.n; i++) {
		n = address_rules(t, &fw->addresses.v[i], rules);
		r = iptables_require(t, OWN, rules, n, e);
	}
	return r;
}

/* --- the calls ----------------------------------------------------------- */

static const uint8_t families[] = { AF_INET, AF_INET6 };

static int in_each_family(const struct firewall *fw, iptables_plan *plan,
			  struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++) {
		const struct iptables_place place = { IPTABLES_PLAIN,
						      families[i], TABLE };

		if (has_family(fw, families[i]))
			r = iptables_edit(&place, plan, fw, e);
	}
	return r;
}

int firewall_iptables_add(struct netfilter *nf, const struct firewall *fw,
			  struct err *e)
{
	int r = in_each_family(fw, firewall_iptables_plan_add, e);

	if (r)
		firewall_iptables_del(nf, fw, NULL);
	return r;
}

int firewall_iptables_del(struct netfilter *nf, const struct firewall *fw,
			  struct err *e)
{
	static const char *const chains[] = { OWN, NULL };
	int first = 0;

	for (size_t i = 0; i < sizeof(families); i++) {
		int r = 0;

		if (has_family(fw, families[i]))
			r = iptables_edit_existing(nf, families[i], TABLE,
						   chains,
						   firewall_iptables_plan_del,
						   fw, first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

int firewall_iptables_check(const struct firewall *fw, struct err *e)
{
	return in_each_family(fw, firewall_iptables_plan_check, e);
}

int firewall_iptables_status(struct err *e)
{
	const struct iptables_place place = { IPTABLES_PLAIN, AF_INET, TABLE };

	return iptables_status(&place, e);
}

int firewall_iptables_policy_drops(struct netfilter *nf, uint8_t family,
				   bool *ret, struct err *e)
{
	const struct iptables_place place = { IPTABLES_PLAIN, family, TABLE };

	return iptables_chain_drops(nf, &place, FORWARD, ret, e);
}
