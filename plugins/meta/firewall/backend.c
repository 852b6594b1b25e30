// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/firewall/backend.h"

#include <errno.h>
#include <string.h>

#include "kernel/nft.h"
#include "service/firewalld.h"

/* --- nftables ------------------------------------------------------------ */

static int nftables_gc(const char *network, const struct owner *valid, size_t n,
		       const struct firewall *fw, struct err *e)
{
	(void)fw;
	return firewall_nft_gc(network, valid, n, e);
}

static const struct firewall_backend nftables = {
	.name = "nftables",
	.add = firewall_nft_add,
	.del = firewall_nft_del,
	.check = firewall_nft_check,
	.gc = nftables_gc,
	.status = firewall_nft_status,
};

/* --- firewalld: that it lets through what our own table judges ------------ */

/* Where the kernel has no nftables, open needs none. */
static int forgive(int r, const struct firewall *fw)
{
	return nft_is_absent(r) && fw->policy == INGRESS_OPEN ? 0 : r;
}

/* firewalld knows neither policies nor whose a source is: the elements in
 * nftables are there for both. */
static int zone_add(const struct owner *owner, const struct firewall *fw,
		    struct err *e)
{
	int r = forgive(firewall_nft_add(owner, fw, e), fw);

	if (r)
		return r;
	r = firewalld_add(fw, e);
	if (r)
		firewall_nft_del(owner, fw, NULL);
	return r;
}

/* Only what belongs to the attachment, of what the result says or, without
 * one, of what its elements say. */
static int zone_del(const struct owner *owner, const struct firewall *fw,
		    struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct firewall own = *fw;
	int r;

	if (!firewalld_is_likely())
		return 0;
	r = own.addresses.n ? firewall_nft_drop_others(owner, &own, e)
			    : firewall_nft_find(owner, &a, &own, e);
	return r ? r : firewalld_del(&own, e);
}

static int zone_check(const struct owner *owner, const struct firewall *fw,
		      struct err *e)
{
	int r = firewalld_check(fw, e);

	return r ? r : forgive(firewall_nft_check(owner, fw, e), fw);
}

static int zone_gc(const char *network, const struct owner *valid, size_t n,
		   const struct firewall *fw, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct firewall stale = *fw;
	int r;

	if (!firewalld_is_likely())
		return 0;
	r = firewall_nft_find_stale(network, valid, n, &a, &stale, e);
	return r ? r : firewalld_del(&stale, e);
}

static const struct firewall_backend firewalld = {
	.name = "firewalld",
	.add = zone_add,
	.del = zone_del,
	.check = zone_check,
	.gc = zone_gc,
	.status = firewalld_status,
};

/* --- which --------------------------------------------------------------- */

const struct firewall_backend *const firewall_backends[] = {
	&firewalld,
	&nftables,
	NULL,
};

/* firewalld where it runs, for what it does not know it rejects; nftables
 * else. */
static int choose_automatically(const struct firewall_wish *wish,
				const struct firewall *fw,
				const struct firewall_backend **ret,
				struct err *e)
{
	(void)wish; /* for iptables, which comes between the two */
	(void)fw;
	(void)e;
	if (firewalld_is_likely() && !firewalld_status(NULL))
		*ret = &firewalld;
	else
		*ret = &nftables;
	return 0;
}

int firewall_choose(const struct firewall_wish *wish, const struct firewall *fw,
		    const struct firewall_backend **ret, struct err *e)
{
	const struct firewall_backend *const *b = firewall_backends;

	for (; wish->backend && *b; b++) {
		if (strcmp((*b)->name, wish->backend) != 0)
			continue;
		*ret = *b;
		return 0;
	}
	if (wish->backend && !strcmp(wish->backend, "iptables"))
		return err_set(
			e, ERR_UNSUPPORTED, EINVAL,
			"\"backend\": \"iptables\" is not supported yet");
	return choose_automatically(wish, fw, ret, e);
}
