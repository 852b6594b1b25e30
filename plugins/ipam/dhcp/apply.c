// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/apply.h"

#include <string.h>

#include "kernel/announce.h"
#include "service/container_ip.h"

static bool has_same_addresses(const struct cni_result *a,
			       const struct cni_result *b)
{
	if (a->ips.n != b->ips.n)
		return false;
	for (size_t i = 0; i < a->ips.n; i++)
		if (!prefix_equal(&a->ips.v[i].address, &b->ips.v[i].address))
			return false;
	return true;
}

static bool is_same_route(const struct cni_route *a, const struct cni_route *b)
{
	return prefix_equal(&a->dst, &b->dst) && ip_equal(&a->gw, &b->gw) &&
	       a->priority == b->priority && a->scope == b->scope;
}

static bool has_same_routes(const struct cni_result *a,
			    const struct cni_result *b)
{
	if (a->routes.n != b->routes.n)
		return false;
	for (size_t i = 0; i < a->routes.n; i++)
		if (!is_same_route(&a->routes.v[i], &b->routes.v[i]))
			return false;
	return true;
}

/* The old goes first: of two addresses in one subnet the second would be
 * secondary, and go with the first (net/ipv4/devinet.c). */
int apply_change(const struct netns *ns, const struct link *link,
		 const struct cni_result *before, const struct cni_result *now,
		 struct err *e)
{
	const struct cni_result nothing = { 0 };
	struct cni_result old = before ? *before : nothing;
	struct cni_result new = now ? *now : nothing;
	const bool same = has_same_addresses(&old, &new);
	int r;

	if (same && has_same_routes(&old, &new))
		return 0;
	if (same)
		old.ips.n = new.ips.n = 0;
	r = container_ip_del(ns, link, &old, e);
	if (!r)
		r = container_ip_add(ns, link, &new, false, e);
	if (!r && new.ips.n)
		announce(ns, link, NULL);
	return r;
}

int apply_mtu(const struct netns *ns, const struct link *link, uint32_t mtu,
	      struct err *e)
{
	const struct link_change change = { .mtu = mtu };

	if (!mtu || mtu >= link->mtu)
		return 0;
	return link_change(ns, link->name, &change, e);
}
