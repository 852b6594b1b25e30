// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/firewall/backend.h"

#include <errno.h>
#include <string.h>

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

/* --- which --------------------------------------------------------------- */

const struct firewall_backend *const firewall_backends[] = {
	&nftables,
	NULL,
};

static int choose_automatically(const struct firewall_wish *wish,
				const struct firewall *fw,
				const struct firewall_backend **ret,
				struct err *e)
{
	(void)wish;
	(void)fw;
	(void)e;
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
