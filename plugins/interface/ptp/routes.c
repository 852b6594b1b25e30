// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two sides of a link that leads to one machine only. In the container the
 * gateway is the one neighbour, and even the address's own subnet is behind it:
 *
 *	10.1.0.1 dev eth0 scope link
 *	10.1.0.0/24 via 10.1.0.1 dev eth0
 *
 * On the host each end has the gateway's address, as 10.1.0.1/32, and a route to
 * the container's, 10.1.0.2 dev veth... scope link.
 *
 * Addresses may have the gateway or the subnet in common with one before them.
 */
#include "interface/ptp/ptp.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "kernel/addr.h"
#include "kernel/route.h"
#include "kernel/sysctl.h"

static struct ip_prefix alone(const struct ip_addr *addr)
{
	return (struct ip_prefix){ .addr = *addr,
				   .len = (uint8_t)ip_bits(addr->family) };
}

/* Whether it is in the main table. */
static bool has_route(const struct cni_result *res, const struct ip_prefix *dst)
{
	for (size_t i = 0; i < res->routes.n; i++) {
		const struct cni_route *have = &res->routes.v[i];
		struct ip_prefix to = prefix_network(&have->dst);

		if (prefix_equal(&to, dst) &&
		    (have->table < 0 || have->table == RT_TABLE_MAIN))
			return true;
	}
	return false;
}

/* --- the container -------------------------------------------------------- */

static int check_gateway(const struct cni_ip *ip, struct err *e)
{
	char text[PREFIX_TEXT_MAX];

	if (ip->gateway.family == ip->address.addr.family)
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"IPAM gave no \"gateway\" for %s, and ptp leads through it",
		prefix_text(&ip->address, text));
}

/* Append a route, unless there is one: from an address before, or IPAM's. */
static int append(struct cni_result *res, const struct cni_result *ipam,
		  const struct cni_route *route, struct arena *a, struct err *e)
{
	struct cni_route *slot;

	if (has_route(res, &route->dst) || has_route(ipam, &route->dst))
		return 0;
	slot = cni_result_add_route(res, a);
	if (!slot)
		return err_oom(e);
	*slot = *route;
	return 0;
}

static int append_gateways(struct cni_result *res,
			   const struct cni_result *ipam, struct arena *a,
			   struct err *e)
{
	struct cni_route route = cni_route_initial;
	int r = 0;

	route.scope = RT_SCOPE_LINK;
	for (size_t i = 0; !r && i < res->ips.n; i++) {
		r = check_gateway(&res->ips.v[i], e);
		route.dst = alone(&res->ips.v[i].gateway);
		if (!r)
			r = append(res, ipam, &route, a, e);
	}
	return r;
}

/* An address that is its whole subnet needs no route to it. */
static int append_subnets(struct cni_result *res, const struct cni_result *ipam,
			  struct arena *a, struct err *e)
{
	struct cni_route route = cni_route_initial;
	int r = 0;

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		const struct cni_ip *ip = &res->ips.v[i];

		route.dst = prefix_network(&ip->address);
		route.gw = ip->gateway;
		if (route.dst.len < ip_bits(ip->gateway.family))
			r = append(res, ipam, &route, a, e);
	}
	return r;
}

static int append_ipams(struct cni_result *res, const struct cni_result *ipam,
			struct arena *a, struct err *e)
{
	for (size_t i = 0; i < ipam->routes.n; i++) {
		struct cni_route *slot = cni_result_add_route(res, a);

		if (!slot)
			return err_oom(e);
		*slot = ipam->routes.v[i];
	}
	return 0;
}

int ptp_container_routes(const struct cni_result *ipam, struct arena *a,
			 struct cni_result *ret, struct err *e)
{
	struct cni_result res = { .ips.v = ipam->ips.v, .ips.n = ipam->ips.n };
	int r = append_gateways(&res, ipam, a, e);

	if (!r)
		r = append_ipams(&res, ipam, a, e);
	if (!r)
		r = append_subnets(&res, ipam, a, e);
	if (!r)
		*ret = res;
	return r;
}

/* --- the host ------------------------------------------------------------- */

/* Whether an address before number @i has the same gateway. */
static bool has_gateway_before(const struct cni_result *res, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (ip_equal(&res->ips.v[k].gateway, &res->ips.v[i].gateway))
			return true;
	return false;
}

/* Which route to the address is there. */
static int explain_taken(const struct netns *host, const struct ip_prefix *dst,
			 struct err *e)
{
	_arena_ struct arena a = { 0 };
	char text[PREFIX_TEXT_MAX];
	struct link other = { .name = "?" };
	struct route *v;
	size_t n;

	if (route_list(host, dst->addr.family, &a, &v, &n, NULL))
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].table == RT_TABLE_MAIN &&
		    prefix_equal(&v[i].dst, dst) &&
		    !link_get_index(host, v[i].ifindex, &other, NULL))
			break;
	return err_set(
		e, ERR_EXISTS, EEXIST,
		"the host has a route to %s already, over interface \"%s\" (%s)",
		prefix_text(dst, text), other.name,
		*other.alias ? owner_words(other.alias) : "not one of ours");
}

/* A container that was not taken down, or another network with the same
 * addresses, must not get what is meant for this container, nor lose what is
 * meant for itself. */
static int add_route(const struct netns *host, const struct link *port,
		     const struct cni_ip *ip, struct err *e)
{
	const struct route route = { .dst = alone(&ip->address.addr),
				     .ifindex = port->index,
				     .table = RT_TABLE_MAIN,
				     .scope = RT_SCOPE_LINK };
	int r = route_add_sole(host, &route, e);

	return r == -EEXIST ? explain_taken(host, &route.dst, e) : r;
}

int ptp_add_host_routes(const struct netns *host, const struct link *port,
			const struct cni_result *res, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		const struct cni_ip *ip = &res->ips.v[i];
		struct ip_prefix gw = alone(&ip->gateway);

		if (!has_gateway_before(res, i))
			r = addr_add(host, port->index, &gw, false, e);
		if (!r)
			r = add_route(host, port, ip, e);
		if (!r)
			r = sysctl_set(host, gw.addr.family, "all",
				       "forwarding", "1", e);
	}
	return r;
}

/* --- CHECK ---------------------------------------------------------------- */

static int check_address(const struct addr *v, size_t n,
			 const struct link *port, const struct ip_addr *gw,
			 struct err *e)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		if (ip_equal(&v[i].prefix.addr, gw))
			return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "host interface %s does not have the gateway address %s",
		       port->name, ip_text(gw, text));
}

/* The kernel is asked where packets go: among the routes of many containers it
 * finds the one sooner than we do. */
static int check_route(const struct netns *host, const struct link *port,
		       const struct ip_addr *to, struct err *e)
{
	char text[IP_TEXT_MAX];
	int index = 0;
	int r = route_find(host, to, &index, NULL);

	if (!r && index == port->index)
		return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "the host's route to %s over interface %s is missing",
		       ip_text(to, text), port->name);
}

int ptp_check_host_routes(const struct netns *host, const struct link *port,
			  const struct cni_result *res, struct arena *a,
			  struct err *e)
{
	struct addr *v;
	size_t n;
	int r = addr_list(host, port->index, a, &v, &n, e);

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		const struct cni_ip *ip = &res->ips.v[i];

		r = check_address(v, n, port, &ip->gateway, e);
		if (!r)
			r = check_route(host, port, &ip->address.addr, e);
	}
	return r;
}
