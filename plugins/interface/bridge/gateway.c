// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host as a gateway: addresses of the bridge, or of the host's interface in
 * the VLAN, are the containers' gateways, and the host forwards for them.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/addr.h"
#include "kernel/sysctl.h"

struct ip_addr bridge_gateway_of(const struct cni_ip *ip)
{
	if (ip->gateway.family)
		return ip->gateway;
	return ip_next(prefix_first(&ip->address));
}

/* --- the result ---------------------------------------------------------- */

/* The family's default route: the one IPAM gave, or a new one. */
static struct cni_route *default_route(struct cni_result *res, uint8_t family,
				       struct arena *a)
{
	struct cni_route *route;

	for (size_t i = 0; i < res->routes.n; i++) {
		route = &res->routes.v[i];
		if (route->dst.addr.family == family &&
		    prefix_is_default(&route->dst))
			return route;
	}
	route = cni_result_add_route(res, a);
	if (route)
		route->dst.addr.family = family;
	return route;
}

int bridge_complete_result(const struct bridge_conf *conf,
			   struct cni_result *res, struct arena *a,
			   struct err *e)
{
	for (size_t i = 0; conf->is_gateway && i < res->ips.n; i++) {
		struct cni_ip *ip = &res->ips.v[i];
		struct cni_route *route;

		ip->gateway = bridge_gateway_of(ip);
		if (!conf->is_default_gateway)
			continue;
		route = default_route(res, ip->gateway.family, a);
		if (!route)
			return err_oom(e);
		if (!route->gw.family)
			route->gw = ip->gateway;
	}
	return 0;
}

/* --- the host's addresses ---------------------------------------------- */

static struct ip_prefix gateway_prefix(const struct cni_ip *ip)
{
	return (struct ip_prefix){ .addr = bridge_gateway_of(ip),
				   .len = ip->address.len };
}

static bool is_a_gateway(const struct ip_prefix *address,
			 const struct cni_result *res)
{
	for (size_t i = 0; i < res->ips.n; i++) {
		struct ip_prefix gw = gateway_prefix(&res->ips.v[i]);

		if (prefix_equal(&gw, address))
			return true;
	}
	return false;
}

/*
 * Whether an address that is there stands against this gateway: any other of
 * IPv4, as in the reference, but for the gateways of the container's other
 * addresses; of IPv6 one whose subnet overlaps.
 */
static bool conflicts(const struct ip_prefix *have, const struct ip_prefix *gw,
		      const struct cni_result *res)
{
	if (have->addr.family != gw->addr.family || is_a_gateway(have, res))
		return false;
	return have->addr.family == AF_INET || prefix_overlaps(have, gw);
}

static int resolve_conflict(const struct bridge_attachment *at,
			    const struct ip_prefix *have,
			    const struct ip_prefix *gw, struct err *e)
{
	char text[PREFIX_TEXT_MAX];
	int r;

	if (!at->conf.force_address)
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"\"%s\" already has an IP address different from %s",
			at->gateway.name, prefix_text(gw, text));
	r = addr_delete(&at->host, at->gateway.index, have, e);
	return r == -EADDRNOTAVAIL ? 0 : r;
}

/* Other calls may be doing the same: EEXIST is what was wanted. */
static int add_gateway(const struct bridge_attachment *at,
		       const struct ip_prefix *gw, struct err *e)
{
	const struct link_change pin = { .mac = at->bridge.mac };
	int r = addr_add(&at->host, at->gateway.index, gw, false, e);

	if (r == -EEXIST)
		return 0;
	if (r) {
		err_wrap(e, "gateway \"%s\"", at->gateway.name);
		return r;
	}
	/* neighbours know the gateway by its MAC: it shall not follow the
	 * ports' on a bridge that somebody else has made. A vlan device on top
	 * has the bridge's. */
	return link_change(&at->host, at->bridge.name, &pin, e);
}

static int ensure_gateway(const struct bridge_attachment *at,
			  const struct cni_result *res,
			  const struct ip_prefix *gw, const struct addr *v,
			  size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (prefix_equal(&v[i].prefix, gw))
			return 0;
	for (size_t i = 0; !r && i < n; i++)
		if (conflicts(&v[i].prefix, gw, res))
			r = resolve_conflict(at, &v[i].prefix, gw, e);
	return r ? r : add_gateway(at, gw, e);
}

int bridge_set_gateways(const struct bridge_attachment *at,
			const struct cni_result *res, struct err *e)
{
	struct addr *v;
	size_t n;
	int r = addr_list(&at->host, at->gateway.index, at->call->arena, &v, &n,
			  e);

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		struct ip_prefix gw = gateway_prefix(&res->ips.v[i]);

		r = ensure_gateway(at, res, &gw, v, n, e);
		if (!r)
			r = sysctl_set(&at->host, gw.addr.family, "all",
				       "forwarding", "1", e);
	}
	return r;
}
