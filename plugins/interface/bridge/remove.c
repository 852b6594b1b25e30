// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DEL and GC of the bridge plugin: everything that says it belongs to the
 * attachment, or to one that is not valid any more. The link goes before the
 * address is given back, so that nobody gets an address that is still in use.
 * What the reference's bridge plugin made for the attachment goes as well.
 * The bridge stays, for the next container.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <string.h>

#include "cni/ipam.h"
#include "plugins.h"
#include "service/ip_masq.h"
#include "service/reference_nft.h"
#include "service/veth_pair.h"

static int delete_guard(struct netfilter *nf, const struct owner *owner,
			struct err *e)
{
	int first = reference_nft_del_spoof(nf, owner, e);
	int r = spoof_del(nf, owner, first ? NULL : e);

	return first ? first : r;
}

/* What nftables has of the attachment. The result says where to look; one that
 * cannot be read is no reason to fail. */
static int delete_elements(const struct cni_call *call,
			   const struct owner *owner, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	struct bridge_conf conf;
	struct cni_result prev = { 0 };
	int first = bridge_conf_load(call, &conf, e), r;

	if (first || !(conf.masq.on || conf.mac_spoof_check))
		return first;
	cni_prev_result(call, &prev, NULL);
	if (conf.mac_spoof_check)
		first = delete_guard(&nf, owner, e);
	if (conf.masq.on) {
		r = ip_masq_del(&nf, call, plugin_bridge.name, &prev,
				first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

/* As long as the interface may be there its address is not given back. */
int bridge_del(const struct cni_call *call, struct err *e)
{
	const struct owner owner = cni_owner(call);
	int first = veth_pair_del(call, &owner, e), r;

	if (first)
		return first;
	first = delete_elements(call, &owner, e);
	r = cni_ipam_call(call, CNI_DEL, first ? NULL : e);
	return first ? first : r;
}

/* --- GC ------------------------------------------------------------------ */

static int gc_elements(const struct cni_call *call, const struct owner *valid,
		       size_t n, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	int first = ip_masq_gc(&nf, call, plugin_bridge.name, valid, n, e);
	int r = spoof_gc(&nf, call->conf->name, valid, n, first ? NULL : e);

	return first ? first : r;
}

int bridge_gc(const struct cni_call *call, struct err *e)
{
	struct owner *valid = NULL;
	size_t n = 0;
	int first = cni_valid_owners(call, &valid, &n, e), r;

	if (!first && valid) {
		first = veth_pair_gc(call, valid, n, e);
		r = gc_elements(call, valid, n, first ? NULL : e);
		first = first ? first : r;
	}
	r = cni_ipam_call(call, CNI_GC, first ? NULL : e);
	return first ? first : r;
}
