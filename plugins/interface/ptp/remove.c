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

static int delete_interface(const struct cni_call *call, const void *arg,
			    struct err *e)
{
	const struct owner owner = cni_owner(call);

	(void)arg;
	return veth_pair_del(call, &owner, e);
}

/* The result says where to look; one that cannot be read is no reason to
 * fail. */
static int delete_masquerading(const struct cni_call *call, const void *arg,
			       struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	struct cni_result prev = { 0 };
	struct ptp_conf conf;
	int r = ptp_conf_load(call, &conf, e);

	(void)arg;
	if (r || !conf.masq.on)
		return r;
	cni_prev_result(call, &prev, NULL);
	return ip_masq_del(&nf, call, plugin_ptp.name, &prev, e);
}

int ptp_del(const struct cni_call *call, struct err *e)
{
	static const struct cni_take_down own = { .interface = delete_interface,
						  .rest = delete_masquerading };

	return cni_ipam_take_down(call, CNI_DEL, &own, e);
}

static int gc_own(const struct cni_call *call, const void *arg, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	struct owner *valid = NULL;
	size_t n = 0;
	int first = cni_valid_owners(call, &valid, &n, e), r;

	(void)arg;
	if (first || !valid)
		return first;
	first = veth_pair_gc(call, valid, n, e);
	r = ip_masq_gc(&nf, call, plugin_ptp.name, valid, n, first ? NULL : e);
	return first ? first : r;
}

int ptp_gc(const struct cni_call *call, struct err *e)
{
	static const struct cni_take_down own = { .rest = gc_own };

	return cni_ipam_take_down(call, CNI_GC, &own, e);
}
