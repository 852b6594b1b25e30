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
#include "cni/replay.h"
#include "kernel/link_delete.h"
#include "plugins.h"
#include "service/masquerade.h"
#include "service/masquerade_iptables.h"
#include "service/reference_nft.h"

/* Whether the far end says that the interface belongs to another attachment:
 * of another network that has the same name in this container. */
static bool is_anothers(const struct netns *host, const struct link *iface,
			const struct owner *owner)
{
	struct link port;

	return !link_get_index(host, iface->peer, &port, NULL) &&
	       port.peer == iface->index && owner_is_another(owner, port.alias);
}

/* The end in the container, if its namespace is still there. */
static int delete_container_end(const struct cni_call *call,
				const struct netns *host,
				const struct owner *owner, struct err *e)
{
	_netns_ struct netns container = NETNS_NONE;
	struct link link;
	int r;

	if (!*call->args->netns)
		return 0;
	r = netns_open(call->args->netns, &container, e);
	if (netns_is_gone(r))
		return 0;
	if (!r)
		r = link_get(&container, owner->ifname, &link, e);
	if (r)
		return r == -ENODEV ? 0 : r;
	if (strcmp(link.kind, "veth") != 0 || is_anothers(host, &link, owner))
		return 0;
	return link_delete(&container, &link, e);
}

/* The end on the host, if it is still there: without the namespace's name, or
 * while the kernel has not finished with a namespace that has gone. One that
 * has our name and no alias was made by an ADD that was killed. */
static int delete_host_end(const struct netns *host, const struct owner *owner,
			   struct err *e)
{
	const struct owner_ifname name = owner_host_ifname(owner);
	struct link link;
	int r = link_get(host, name.name, &link, e);

	if (r)
		return r == -ENODEV ? 0 : r;
	if (strcmp(link.kind, "veth") != 0 ||
	    (*link.alias && !owner_is(owner, link.alias)))
		return 0;
	return link_delete(host, &link, e);
}

static int delete_pair(const struct cni_call *call, const struct owner *owner,
		       struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	int r = netns_open_own(&host, e);

	if (!r)
		r = delete_container_end(call, &host, owner, e);
	return r ? r : delete_host_end(&host, owner, e);
}

/* With either backend: the configuration may have named another when the
 * container was added, or the reference plugin may have added it. */
static int delete_masquerading(struct netfilter *nf,
			       const struct cni_call *call,
			       const struct owner *owner,
			       const struct cni_result *prev, struct err *e)
{
	struct ip_prefix *v = bridge_addresses(prev, call->arena);
	size_t n = prev->ips.n;
	int first, r;

	if (!v)
		return err_oom(e);
	first = masquerade_iptables_del(nf, owner, v, n, e);
	r = reference_nft_del_masquerade(nf, owner, first ? NULL : e);
	first = first ? first : r;
	r = masquerade_del(nf, owner, first ? NULL : e);
	return first ? first : r;
}

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

	if (first || !(conf.ip_masq || conf.mac_spoof_check))
		return first;
	cni_prev_result(call, &prev, NULL);
	if (conf.mac_spoof_check)
		first = delete_guard(&nf, owner, e);
	if (conf.ip_masq) {
		r = delete_masquerading(&nf, call, owner, &prev,
					first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

/* As long as the interface may be there its address is not given back. */
int bridge_del(const struct cni_call *call, struct err *e)
{
	const struct owner owner = cni_owner(call);
	int first = delete_pair(call, &owner, e), r;

	if (first)
		return first;
	replay_delete(call, plugin_bridge.name);
	first = delete_elements(call, &owner, e);
	r = cni_ipam_call(call, CNI_DEL, first ? NULL : e);
	return first ? first : r;
}

/* --- GC ------------------------------------------------------------------ */

static int gc_links(const struct cni_call *call, const struct owner *valid,
		    size_t valid_n, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct link *v = NULL;
	size_t n = 0;
	int first = netns_open_own(&host, e);

	if (!first)
		first = link_list(&host, call->arena, &v, &n, e);
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (!strcmp(v[i].kind, "veth") &&
		    owner_is_stale(call->conf->name, valid, valid_n,
				   v[i].alias))
			r = link_delete(&host, &v[i], first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

static int gc_elements(const char *network, const struct owner *valid, size_t n,
		       struct err *e)
{
	static int (*const parts[])(
		struct netfilter *, const char *, const struct owner *, size_t,
		struct err *) = { masquerade_gc, masquerade_iptables_gc,
				  reference_nft_gc_masquerade, spoof_gc };
	_netfilter_ struct netfilter nf = { .closes_late = true };
	int first = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		int r = parts[i](&nf, network, valid, n, first ? NULL : e);

		first = first ? first : r;
	}
	return first;
}

int bridge_gc(const struct cni_call *call, struct err *e)
{
	struct owner *valid = NULL;
	size_t n = 0;
	int first = cni_valid_owners(call, &valid, &n, e), r;

	if (!first && valid) {
		replay_gc(call, plugin_bridge.name, valid, n);
		first = gc_links(call, valid, n, e);
		r = gc_elements(call->conf->name, valid, n, first ? NULL : e);
		first = first ? first : r;
	}
	r = cni_ipam_call(call, CNI_GC, first ? NULL : e);
	return first ? first : r;
}
