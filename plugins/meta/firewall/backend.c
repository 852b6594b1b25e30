// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/firewall/backend.h"

#include <string.h>
#include <sys/socket.h>

#include "kernel/nft.h"
#include "service/firewall_iptables.h"
#include "service/firewalld.h"

/* --- nftables ------------------------------------------------------------ */

static int nftables_gc(struct netfilter *nf, const char *network,
		       const struct owner *valid, size_t n,
		       const struct firewall *fw, struct err *e)
{
	(void)fw;
	return firewall_nft_gc(nf, network, valid, n, e);
}

static int nftables_del(struct netfilter *nf, const struct owner *owner,
			const struct firewall *fw, struct err *e)
{
	(void)fw;
	return firewall_nft_del(nf, owner, e);
}

static const struct firewall_backend nftables = {
	.name = "nftables",
	.add = firewall_nft_add,
	.del = nftables_del,
	.check = firewall_nft_check,
	.gc = nftables_gc,
	.status = firewall_nft_status,
};

/* --- beside nftables ------------------------------------------------------ */

/*
 * iptables and firewalld say what gets through, and do not know whose a rule
 * or a source is. So the elements in nftables are there as well: they say whose
 * an address is, and enforce the policy between networks whichever backend each
 * of them has.
 */
struct companion {
	int (*add)(struct netfilter *nf, const struct firewall *fw,
		   struct err *e);
	int (*del)(struct netfilter *nf, const struct firewall *fw,
		   struct err *e);
	int (*check)(const struct firewall *fw, struct err *e);
};

/* Where the kernel has no nftables, open needs none. */
static int forgive(int r, const struct firewall *fw)
{
	return nft_is_absent(r) && fw->policy == INGRESS_OPEN ? 0 : r;
}

static int add_both(struct netfilter *nf, const struct companion *c,
		    const struct owner *owner, const struct firewall *fw,
		    struct err *e)
{
	int r = forgive(firewall_nft_add(nf, owner, fw, e), fw);

	if (r)
		return r;
	r = c->add(nf, fw, e);
	if (r)
		firewall_nft_del(nf, owner, NULL);
	return r;
}

/* Only what belongs to the attachment, of what the result says or, without
 * one, of what its elements say. */
static int del_own(struct netfilter *nf, const struct companion *c,
		   const struct owner *owner, const struct firewall *fw,
		   struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct firewall own = *fw;
	int r = own.addresses.n ? firewall_nft_drop_others(nf, owner, &own, e)
				: firewall_nft_find(nf, owner, &a, &own, e);

	return r && !nft_is_absent(r) ? r : c->del(nf, &own, e);
}

static int check_both(struct netfilter *nf, const struct companion *c,
		      const struct owner *owner, const struct firewall *fw,
		      struct err *e)
{
	int r = c->check(fw, e);

	return r ? r : forgive(firewall_nft_check(nf, owner, fw, e), fw);
}

static int gc_stale(struct netfilter *nf, const struct companion *c,
		    const char *network, const struct owner *valid, size_t n,
		    const struct firewall *fw, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct firewall stale = *fw;
	int r = firewall_nft_find_stale(nf, network, valid, n, &a, &stale, e);

	return r ? r : c->del(nf, &stale, e);
}

/* --- firewalld: that it lets through what our own table judges ------------ */

static int zone_put(struct netfilter *nf, const struct firewall *fw,
		    struct err *e)
{
	(void)nf;
	return firewalld_add(fw, e);
}

static int zone_take(struct netfilter *nf, const struct firewall *fw,
		     struct err *e)
{
	(void)nf;
	return firewalld_del(fw, e);
}

static const struct companion zone = { .add = zone_put,
				       .del = zone_take,
				       .check = firewalld_check };

static int zone_add(struct netfilter *nf, const struct owner *owner,
		    const struct firewall *fw, struct err *e)
{
	return add_both(nf, &zone, owner, fw, e);
}

static int zone_del(struct netfilter *nf, const struct owner *owner,
		    const struct firewall *fw, struct err *e)
{
	return firewalld_is_likely(nf) ? del_own(nf, &zone, owner, fw, e) : 0;
}

static int zone_check(struct netfilter *nf, const struct owner *owner,
		      const struct firewall *fw, struct err *e)
{
	return check_both(nf, &zone, owner, fw, e);
}

static int zone_gc(struct netfilter *nf, const char *network,
		   const struct owner *valid, size_t n,
		   const struct firewall *fw, struct err *e)
{
	if (!firewalld_is_likely(nf))
		return 0;
	return gc_stale(nf, &zone, network, valid, n, fw, e);
}

static int zone_status(struct netfilter *nf, struct err *e)
{
	(void)nf;
	return firewalld_status(e);
}

static const struct firewall_backend firewalld = {
	.name = "firewalld",
	.add = zone_add,
	.del = zone_del,
	.check = zone_check,
	.gc = zone_gc,
	.status = zone_status,
	.is_elsewhere = true,
};

/* --- iptables: for a policy that drops, and chains that others read ------- */

static const struct companion chains = { .add = firewall_iptables_add,
					 .del = firewall_iptables_del,
					 .check = firewall_iptables_check };

static int chains_add(struct netfilter *nf, const struct owner *owner,
		      const struct firewall *fw, struct err *e)
{
	return add_both(nf, &chains, owner, fw, e);
}

static int chains_del(struct netfilter *nf, const struct owner *owner,
		      const struct firewall *fw, struct err *e)
{
	return del_own(nf, &chains, owner, fw, e);
}

static int chains_check(struct netfilter *nf, const struct owner *owner,
			const struct firewall *fw, struct err *e)
{
	return check_both(nf, &chains, owner, fw, e);
}

static int chains_gc(struct netfilter *nf, const char *network,
		     const struct owner *valid, size_t n,
		     const struct firewall *fw, struct err *e)
{
	return gc_stale(nf, &chains, network, valid, n, fw, e);
}

static int chains_status(struct netfilter *nf, struct err *e)
{
	(void)nf;
	return firewall_iptables_status(e);
}

static const struct firewall_backend iptables = {
	.name = "iptables",
	.add = chains_add,
	.del = chains_del,
	.check = chains_check,
	.gc = chains_gc,
	.status = chains_status,
	.is_elsewhere = true,
};

/* --- which --------------------------------------------------------------- */

const struct firewall_backend *const firewall_backends[] = {
	&firewalld,
	&iptables,
	&nftables,
	NULL,
};

/* Whether iptables drops what it is not told to forward, as Docker and ufw have
 * it: no other table can let that through. */
static int is_dropped(struct netfilter *nf, const struct firewall *fw,
		      bool *ret, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	bool has[sizeof(families)] = { 0 };
	int r = 0;

	for (size_t i = 0; i < fw->addresses.n; i++)
		has[fw->addresses.v[i].family == AF_INET6] = true;
	*ret = false;
	for (size_t i = 0; !r && !*ret && i < sizeof(families); i++)
		if (has[i])
			r = firewall_iptables_policy_drops(nf, families[i], ret,
							   e);
	return r;
}

/* firewalld where it runs, for what it does not know it rejects; iptables where
 * its policy drops or its own key was given; nftables else. */
static int choose_automatically(struct netfilter *nf,
				const struct firewall_wish *wish,
				const struct firewall *fw,
				const struct firewall_backend **ret,
				struct err *e)
{
	bool needs_iptables = wish->has_admin_chain;
	int r = 0;

	*ret = &firewalld;
	if (firewalld_is_likely(nf) && !firewalld_status(NULL))
		return 0;
	if (!needs_iptables)
		r = is_dropped(nf, fw, &needs_iptables, e);
	if (!needs_iptables)
		needs_iptables = nft_is_absent(firewall_nft_status(nf, NULL));
	*ret = needs_iptables ? &iptables : &nftables;
	return r;
}

int firewall_choose(struct netfilter *nf, const struct firewall_wish *wish,
		    const struct firewall *fw,
		    const struct firewall_backend **ret, struct err *e)
{
	const struct firewall_backend *const *b = firewall_backends;

	for (; wish->backend && *b; b++) {
		if (strcmp((*b)->name, wish->backend) != 0)
			continue;
		*ret = *b;
		return 0;
	}
	return choose_automatically(nf, wish, fw, ret, e);
}
