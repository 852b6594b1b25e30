// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loopback: bring "lo" up in the container, whatever CNI_IFNAME says: Nomad
 * puts the plugin first into a chain whose interface is eth0.
 *
 * In a chain the result is the one before it. DEL takes lo down, as the
 * reference does; GC and STATUS have nothing to do.
 */
#include <errno.h>
#include <sys/socket.h>

#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "plugins.h"

#define LO "lo"

static int put_address(struct cni_result *res, const struct ip_prefix *prefix,
		       struct arena *a, struct err *e)
{
	struct cni_ip *ip;

	/* the first of each family, as the reference has it */
	for (size_t i = 0; i < res->ips.n; i++)
		if (res->ips.v[i].address.addr.family == prefix->addr.family)
			return 0;
	ip = cni_result_add_ip(res, a);
	if (!ip)
		return err_oom(e);
	ip->address = *prefix;
	ip->interface = 0;
	return 0;
}

static int read_addresses(const struct cni_call *call, const struct netns *ns,
			  int ifindex, struct cni_result *res, struct err *e)
{
	char text[PREFIX_TEXT_MAX];
	struct addr *v;
	size_t n;
	int r = addr_list(ns, ifindex, call->arena, &v, &n, e);

	for (size_t i = 0; !r && i < n; i++) {
		if (!ip_is_loopback(&v[i].prefix.addr))
			return err_set(
				e, ERR_EXISTS, EEXIST,
				"loopback interface found with non-loopback address \"%s\"",
				prefix_text(&v[i].prefix, text));
		r = put_address(res, &v[i].prefix, call->arena, e);
	}
	return r;
}

static int set_up(const struct cni_call *call, const struct netns *ns,
		  struct cni_result *res, struct err *e)
{
	const struct link_change up = { .flags_on = IFF_UP };
	struct cni_interface *iface;
	struct link lo;
	int r = link_change(ns, LO, &up, e);

	if (!r)
		r = link_get(ns, LO, &lo, e);
	if (r)
		return r;
	iface = cni_result_add_interface(res, call->arena);
	if (!iface)
		return err_oom(e);
	iface->name = LO;
	iface->mac = "00:00:00:00:00:00";
	iface->sandbox = call->args->netns;
	return read_addresses(call, ns, lo.index, res, e);
}

static int loopback_add(const struct cni_call *call, struct cni_result *ret,
			struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;
	struct cni_result own = { 0 };
	int r = netns_open(call->args->netns, &ns, e);

	if (!r)
		r = set_up(call, &ns, &own, e);
	if (r)
		return r;
	if (call->conf->prev_result)
		return cni_prev_result(call, ret, e);
	*ret = own;
	return 0;
}

static int loopback_del(const struct cni_call *call, struct err *e)
{
	const struct link_change down = { .flags_off = IFF_UP };
	_netns_ struct netns ns = NETNS_NONE;
	int r;

	if (!*call->args->netns)
		return 0;
	r = netns_open(call->args->netns, &ns, e);
	if (netns_is_gone(r))
		return 0;
	return r ? r : link_change(&ns, LO, &down, e);
}

static int loopback_check(const struct cni_call *call, struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;
	struct link lo;
	int r = netns_open(call->args->netns, &ns, e);

	if (!r)
		r = link_get(&ns, LO, &lo, e);
	if (!r && !(lo.flags & IFF_UP))
		return err_set(e, ERR_MISMATCH, ENETDOWN,
			       "loopback interface is down");
	return r;
}

const struct cni_plugin plugin_loopback = {
	.name = "loopback",
	.add = loopback_add,
	.del = loopback_del,
	.check = loopback_check,
};
