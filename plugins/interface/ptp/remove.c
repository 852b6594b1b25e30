// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DEL and GC of the ptp plugin. The pair takes the host's addresses and routes
 * with it, and goes before the address is given back, so that nobody gets one
 * that is still in use. What the reference's ptp plugin made goes as well.
 */
#include "interface/ptp/ptp.h"

#include "cni/ipam.h"
#include "plugins.h"
#include "service/veth_pair.h"

/* The result says where to look; one that cannot be read is no reason to
 * fail. */
static int delete_masquerading(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	struct cni_result prev = { 0 };
	struct ptp_conf conf;
	int r = ptp_conf_load(call, &conf, e);

	if (r || !conf.masq.on)
		return r;
	cni_prev_result(call, &prev, NULL);
	return ip_masq_del(&nf, call, plugin_ptp.name, &prev, e);
}

/* As long as the interface may be there its address is not given back, but to a
 * server that is told through it. */
static int take_down(const struct cni_call *call, struct err *e)
{
	const struct owner owner = cni_owner(call);
	int first = veth_pair_del(call, &owner, e), r;

	if (first)
		return first;
	first = delete_masquerading(call, e);
	r = cni_ipam_call_after(call, CNI_DEL, first ? NULL : e);
	return first ? first : r;
}

int ptp_del(const struct cni_call *call, struct err *e)
{
	int first = cni_ipam_call_before(call, CNI_DEL, e);
	int r = take_down(call, first ? NULL : e);

	return first ? first : r;
}

static int gc_own(const struct cni_call *call, const struct owner *valid,
		  size_t n, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	int first = veth_pair_gc(call, valid, n, e);
	int r = ip_masq_gc(&nf, call, plugin_ptp.name, valid, n,
			   first ? NULL : e);

	return first ? first : r;
}

int ptp_gc(const struct cni_call *call, struct err *e)
{
	struct owner *valid = NULL;
	size_t n = 0;
	int first = cni_ipam_call_before(call, CNI_GC, e);
	int r = cni_valid_owners(call, &valid, &n, first ? NULL : e);

	if (!r && valid)
		r = gc_own(call, valid, n, first ? NULL : e);
	first = first ? first : r;
	r = cni_ipam_call_after(call, CNI_GC, first ? NULL : e);
	return first ? first : r;
}
