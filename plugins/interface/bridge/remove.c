// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DEL and GC of the bridge plugin: everything that says it belongs to the
 * attachment, or to one that is not valid any more. The link goes before the
 * address is given back, so that nobody gets an address that is still in use.
 * What the reference's bridge plugin made for the attachment goes as well.
 * What was another plugin's before is detached (chained.c). The gateway of a
 * VLAN goes with the last that is in it; the bridge stays for the next container,
 * unless the configuration wants it to go with the last.
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
			   const struct bridge_conf *conf,
			   const struct owner *owner, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	struct cni_result prev = { 0 };
	int first = 0, r;

	if (!conf->masq.on && !conf->mac_spoof_check)
		return 0;
	cni_prev_result(call, &prev, NULL);
	if (conf->mac_spoof_check)
		first = delete_guard(&nf, owner, e);
	if (conf->masq.on) {
		r = ip_masq_del(&nf, call, plugin_bridge.name, &prev,
				first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

/* What the host has for all the containers of the bridge, or of a VLAN of it. */
static int delete_shared(const struct bridge_conf *conf, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	int r;

	if (!conf->vlan.id && !conf->delete_unused)
		return 0;
	r = netns_open_own(&host, e);
	if (!r && conf->vlan.id)
		r = bridge_release_vlan_gateway(&host, conf->bridge,
						conf->vlan.id, e);
	if (!r && conf->delete_unused)
		r = bridge_delete_unused(&host, conf->bridge, e);
	return r;
}

/* A configuration that cannot be read does not keep the pair, which has a name
 * of its own, from going; delete_rest() says so. */
static int delete_interface(const struct cni_call *call, const void *arg,
			    struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct bridge_conf conf;
	bool is_chained = false;
	int r;

	(void)arg;
	bridge_conf_load(call, &conf, NULL);
	r = bridge_chained_del(call, &conf, &is_chained, e);
	return r || is_chained ? r : veth_pair_del(call, &owner, e);
}

static int delete_rest(const struct cni_call *call, const void *arg,
		       struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct bridge_conf conf;
	int first = bridge_conf_load(call, &conf, e), r;

	(void)arg;
	if (first)
		return first;
	first = delete_shared(&conf, e);
	r = delete_elements(call, &conf, &owner, first ? NULL : e);
	return first ? first : r;
}

int bridge_del(const struct cni_call *call, struct err *e)
{
	static const struct cni_take_down own = { .interface = delete_interface,
						  .rest = delete_rest };

	return cni_ipam_take_down(call, CNI_DEL, &own, e);
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

static int gc_shared(const struct cni_call *call, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct bridge_conf conf;
	int r = bridge_conf_load(call, &conf, e);

	if (!r)
		r = netns_open_own(&host, e);
	if (!r)
		r = bridge_gc_vlan_gateways(&host, conf.bridge, e);
	if (!r && conf.delete_unused)
		r = bridge_delete_unused(&host, conf.bridge, e);
	return r;
}

static int gc_all(const struct cni_call *call, const struct owner *valid,
		  size_t n, struct err *e)
{
	int first = bridge_chained_gc(call, valid, n, e), r;

	r = veth_pair_gc(call, valid, n, first ? NULL : e);
	first = first ? first : r;
	r = gc_shared(call, first ? NULL : e);
	first = first ? first : r;
	r = gc_elements(call, valid, n, first ? NULL : e);
	return first ? first : r;
}

static int gc_own(const struct cni_call *call, const void *arg, struct err *e)
{
	struct owner *valid = NULL;
	size_t n = 0;
	int r = cni_valid_owners(call, &valid, &n, e);

	(void)arg;
	return r || !valid ? r : gc_all(call, valid, n, e);
}

int bridge_gc(const struct cni_call *call, struct err *e)
{
	static const struct cni_take_down own = { .rest = gc_own };

	return cni_ipam_take_down(call, CNI_GC, &own, e);
}
