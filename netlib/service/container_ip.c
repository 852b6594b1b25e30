// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/container_ip.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "kernel/addr.h"
#include "kernel/announce.h"
#include "kernel/route.h"
#include "kernel/sysctl.h"

/* Duplicate address detection takes 1 to 2 s. */
#define SETTLE_TIMEOUT_MS 10000

/* Go's plugins take the first gateway of the family for a route without. A
 * route to the link itself must not have one (fib_semantics.c). */
static struct ip_addr gateway_of(const struct cni_route *route,
				 const struct cni_result *res)
{
	if (route->gw.family || route->scope >= RT_SCOPE_LINK)
		return route->gw;
	for (size_t i = 0; i < res->ips.n; i++)
		if (res->ips.v[i].gateway.family == route->dst.addr.family)
			return res->ips.v[i].gateway;
	return route->gw;
}

static struct route make_route(const struct cni_route *from,
			       const struct cni_result *res, int ifindex)
{
	return (struct route){
		.dst = from->dst,
		.gw = gateway_of(from, res),
		.ifindex = ifindex,
		.table = from->table >= 0 ? (uint32_t)from->table
					  : RT_TABLE_MAIN,
		.scope = from->scope >= 0 ? (uint8_t)from->scope
					  : RT_SCOPE_UNIVERSE,
		.priority = (uint32_t)from->priority,
		.mtu = (uint32_t)from->mtu,
		.advmss = (uint32_t)from->advmss,
	};
}

static bool has_family(const struct cni_result *res, uint8_t family)
{
	for (size_t i = 0; i < res->ips.n; i++)
		if (res->ips.v[i].address.addr.family == family)
			return true;
	return false;
}

/* A container runtime may have switched IPv6 off; an IPv6 address from IPAM
 * says that it is wanted. Addresses then outlive the link going down. */
static int enable_ipv6(const struct netns *ns, const char *ifname,
		       struct err *e)
{
	int r = sysctl_set(ns, AF_INET6, "lo", "disable_ipv6", "0", e);

	if (!r)
		r = sysctl_set(ns, AF_INET6, ifname, "disable_ipv6", "0", e);
	if (!r)
		sysctl_set(ns, AF_INET6, ifname, "keep_addr_on_down", "1",
			   NULL);
	return r;
}

void container_ip_prepare(const struct netns *ns, const struct link *link,
			  bool detect_duplicates)
{
	const char *dad = detect_duplicates ? "1" : "0";

	sysctl_set(ns, AF_INET6, link->name, "accept_dad", dad, NULL);
	if (detect_duplicates)
		sysctl_set(ns, AF_INET6, link->name, "enhanced_dad", "1", NULL);
	announce_enable(ns, link);
}

static int within(const struct link *link, int r, struct err *e)
{
	if (r)
		err_wrap(e, "interface \"%s\"", link->name);
	return r;
}

/* The same route but for its gateway: the kernel is to balance over them. */
static bool is_same_route(const struct cni_route *a, const struct cni_route *b)
{
	return prefix_equal(&a->dst, &b->dst) && a->table == b->table &&
	       a->priority == b->priority && a->scope == b->scope &&
	       a->mtu == b->mtu && a->advmss == b->advmss && a->gw.family &&
	       b->gw.family;
}

static bool is_another_hop(const struct cni_result *res, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same_route(&res->routes.v[k], &res->routes.v[i]))
			return true;
	return false;
}

static int add_route(const struct netns *ns, const struct link *link,
		     const struct cni_result *res, size_t i, struct err *e)
{
	const struct cni_route *v = res->routes.v;
	struct route route = make_route(&v[i], res, link->index);
	_arena_ struct arena a = { 0 };
	struct ip_addr *more = arena_array(&a, res->routes.n, sizeof(*more));

	if (!more)
		return err_oom(e);
	for (size_t k = i + 1; k < res->routes.n; k++)
		if (is_same_route(&v[i], &v[k]))
			more[route.more_gws_n++] = v[k].gw;
	route.more_gws = more;
	return route_add(ns, &route, e);
}

static const struct addr *find_addr(const struct addr *v, size_t n,
				    const struct ip_prefix *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_equal(&v[i].prefix, wanted))
			return &v[i];
	return NULL;
}

/* An address that the kernel has made by itself of what a router announced, and
 * that IPAM only reports, has to go on being the kernel's: it ends when the
 * router says so. */
static bool is_autoconfigured(const struct netns *ns, const struct link *link,
			      const struct ip_prefix *wanted)
{
	_arena_ struct arena a = { 0 };
	const struct addr *found;
	struct addr *v;
	size_t n;

	if (wanted->addr.family != AF_INET6 ||
	    addr_list(ns, link->index, &a, &v, &n, NULL))
		return false;
	found = find_addr(v, n, wanted);
	return found && !(found->flags & IFA_F_PERMANENT);
}

static int add_addresses(const struct netns *ns, const struct link *link,
			 const struct cni_result *res, uint32_t flags,
			 struct err *e)
{
	int r = has_family(res, AF_INET6) ? enable_ipv6(ns, link->name, e) : 0;

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		const struct addr addr = { .prefix = res->ips.v[i].address,
					   .flags = flags };

		r = addr_add_flags(ns, link->index, &addr, e);
		if (r == -EEXIST && is_autoconfigured(ns, link, &addr.prefix))
			r = 0;
	}
	return within(link, r, e);
}

int container_ip_add_addresses(const struct netns *ns, const struct link *link,
			       const struct cni_result *res,
			       bool detect_duplicates, struct err *e)
{
	return add_addresses(ns, link, res, detect_duplicates ? 0 : IFA_F_NODAD,
			     e);
}

int container_ip_add_offlink(const struct netns *ns, const struct link *link,
			     const struct cni_result *res,
			     bool detect_duplicates, struct err *e)
{
	uint32_t flags = detect_duplicates ? 0 : IFA_F_NODAD;

	return add_addresses(ns, link, res, flags | IFA_F_NOPREFIXROUTE, e);
}

int container_ip_add_routes(const struct netns *ns, const struct link *link,
			    const struct cni_result *res,
			    bool detect_duplicates, struct err *e)
{
	int r = 0;

	if (detect_duplicates && has_family(res, AF_INET6))
		r = addr_wait_settled(ns, link->index, SETTLE_TIMEOUT_MS, e);
	for (size_t i = 0; !r && i < res->routes.n; i++)
		if (!is_another_hop(res, i))
			r = add_route(ns, link, res, i, e);
	return within(link, r, e);
}

int container_ip_add(const struct netns *ns, const struct link *link,
		     const struct cni_result *res, bool detect_duplicates,
		     struct err *e)
{
	int r = container_ip_add_addresses(ns, link, res, detect_duplicates, e);

	return r ? r
		 : container_ip_add_routes(ns, link, res, detect_duplicates, e);
}

int container_ip_del(const struct netns *ns, const struct link *link,
		     const struct cni_result *res, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < res->routes.n; i++) {
		struct route route =
			make_route(&res->routes.v[i], res, link->index);

		r = route_delete(ns, &route, e);
		r = r == -ESRCH ? 0 : r;
	}
	for (size_t i = 0; !r && i < res->ips.n; i++) {
		r = addr_delete(ns, link->index, &res->ips.v[i].address, e);
		r = r == -EADDRNOTAVAIL ? 0 : r;
	}
	return within(link, r, e);
}

/* --- CHECK --------------------------------------------------------------- */

static int check_addrs(const struct netns *ns, const struct link *link,
		       const struct cni_result *res, struct arena *a,
		       struct err *e)
{
	struct addr *v;
	size_t n;
	int r = addr_list(ns, link->index, a, &v, &n, e);

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		const struct cni_ip *ip = &res->ips.v[i];
		char text[PREFIX_TEXT_MAX];

		if (!ip->address.addr.family || find_addr(v, n, &ip->address))
			continue;
		r = err_set(e, ERR_MISMATCH, ENOENT,
			    "Failed to match addr %s on interface %s",
			    prefix_text(&ip->address, text), link->name);
	}
	return r;
}

/* Another plugin of the chain may have moved a route (sbr, vrf): it has to be
 * in the table it was given for, or, given none, in any. */
static bool matches(const struct route *have, const struct cni_route *wanted,
		    const struct ip_addr *gw)
{
	struct ip_prefix dst = prefix_network(&wanted->dst);

	return prefix_equal(&have->dst, &dst) &&
	       (!gw->family || ip_equal(&have->gw, gw)) &&
	       (wanted->table < 0 || have->table == (uint32_t)wanted->table);
}

static int check_route(const struct cni_route *wanted, const struct ip_addr *gw,
		       const struct route *v, size_t n, struct err *e)
{
	char dst[PREFIX_TEXT_MAX], via[IP_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		if (matches(&v[i], wanted, gw))
			return 0;
	return err_set(e, ERR_MISMATCH, ENOENT, "route to %s%s%s is missing",
		       prefix_text(&wanted->dst, dst),
		       gw->family ? " via " : "", ip_text(gw, via));
}

/* The route to the address's own subnet, which the kernel made. */
static int check_subnet_route(const struct ip_prefix *address,
			      const struct route *v, size_t n, struct err *e)
{
	const struct cni_route subnet = { .dst = prefix_network(address),
					  .table = -1 };
	const struct ip_addr none = { 0 };

	if (address->len == ip_bits(address->addr.family))
		return 0;
	return check_route(&subnet, &none, v, n, e);
}

static int check_routes(const struct netns *ns, const struct link *link,
			const struct cni_result *res, uint8_t family,
			struct arena *a, struct err *e)
{
	struct route *v;
	size_t n;
	int r = route_list(ns, family, a, &v, &n, e);

	for (size_t i = 0; !r && i < res->ips.n; i++) {
		const struct ip_prefix *address = &res->ips.v[i].address;

		if (address->addr.family == family)
			r = check_subnet_route(address, v, n, e);
		/* it is the router that says whether the subnet is on the link */
		if (r == -ENOENT && is_autoconfigured(ns, link, address))
			r = 0;
	}
	for (size_t i = 0; !r && i < res->routes.n; i++) {
		const struct cni_route *route = &res->routes.v[i];
		struct ip_addr gw = gateway_of(route, res);

		if (route->dst.addr.family == family)
			r = check_route(route, &gw, v, n, e);
	}
	if (r)
		err_wrap(e, "interface %s", link->name);
	return r;
}

int container_ip_check(const struct netns *ns, const struct link *link,
		       const struct cni_result *res, struct arena *a,
		       struct err *e)
{
	int r = check_addrs(ns, link, res, a, e);

	if (!r)
		r = check_routes(ns, link, res, AF_INET, a, e);
	if (!r && has_family(res, AF_INET6))
		r = check_routes(ns, link, res, AF_INET6, a, e);
	return r;
}
