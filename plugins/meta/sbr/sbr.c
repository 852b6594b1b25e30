// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sbr: packets leave by the interface whose address they come from
 *
 * For a container with several uplinks. Each address of the interface gets a table
 * of routes of its own (with "table": that one, which is somebody else's to fill)
 * and a rule that sends what comes from the address there. The interface's routes
 * go from the main table into its addresses' tables; with "addSourceHints" those
 * to what is on the link stay there as well.
 *
 * What is link-local stays where it is: the kernel looks for it by interface. So do
 * the routes of an interface that is in a VRF (vrf before sbr), for that has a table
 * of its own; packets whose source alone is given still need them in another.
 *
 * DEL leaves routes where they are: they end with the interface, or when it goes to
 * another namespace (host-device), and the plugin before this does one or the other.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "kernel/link.h"
#include "kernel/route_copy.h"
#include "kernel/rtnl.h"
#include "meta/sbr/conf.h"
#include "plugins.h"
#include "service/routing_tables.h"

#define TABLE_FIRST 100 /* as the reference */
#define PRIORITY    10000

/* One address of the interface, and its table. */
struct source {
	const struct cni_ip *ip;
	uint32_t table;
};

/* What a call works on. */
struct routing {
	const struct cni_call *call;
	struct sbr_conf conf;
	struct cni_result prev;
	struct netns ns;
	struct link iface;
	uint32_t home; /* ADD: the table that its routes are in */
	struct source *sources;
	size_t n;
	/* ADD: the interface's routes there, both families */
	struct route_copy *v;
	size_t v_n;
};

static const uint8_t families[] = { AF_INET, AF_INET6 };

/* --- which addresses --------------------------------------------------------- */

/* Where a result does not say whose an address is, it is the interface's. */
static bool is_on(const struct cni_ip *ip, const struct cni_result *res,
		  const char *ifname)
{
	const struct cni_interface *iface;

	if (ip->interface < 0 || (size_t)ip->interface >= res->interfaces.n)
		return true;
	iface = &res->interfaces.v[ip->interface];
	return iface->name && !strcmp(iface->name, ifname) && iface->sandbox &&
	       *iface->sandbox;
}

static int find_sources(struct routing *at, struct err *e)
{
	const struct cni_result *prev = &at->prev;
	const char *ifname = at->call->args->ifname;

	if (!prev->ips.n)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "No IP addresses supplied on interface: %s",
			       ifname);
	at->sources =
		arena_array(at->call->arena, prev->ips.n, sizeof(*at->sources));
	if (!at->sources)
		return err_oom(e);
	for (size_t i = 0; i < prev->ips.n; i++)
		if (is_on(&prev->ips.v[i], prev, ifname))
			at->sources[at->n++].ip = &prev->ips.v[i];
	return 0;
}

static struct rule rule_of(const struct source *s)
{
	const struct ip_addr *a = &s->ip->address.addr;

	return (struct rule){ .family = a->family,
			      .from = { *a, (uint8_t)ip_bits(a->family) },
			      .table = s->table,
			      .priority = PRIORITY };
}

static const struct ip_addr *gateway_of(const struct routing *at,
					const struct source *s)
{
	const struct ip_addr *own = s->ip->address.addr.family == AF_INET
					    ? &at->conf.gw4
					    : &at->conf.gw6;

	return own->family ? own : &s->ip->gateway;
}

/* --- tables ------------------------------------------------------------------ */

static int choose_tables(struct routing *at, struct err *e)
{
	struct routing_tables used = { 0 };
	uint32_t table = TABLE_FIRST;
	int r = routing_tables_read(&at->ns, at->call->arena, &used, e);

	for (size_t i = 0; !r && i < at->n; i++) {
		table = routing_tables_find_free(&used, table);
		at->sources[i].table = table++;
	}
	return r;
}

/* --- routes ------------------------------------------------------------------ */

static bool is_link_local(const struct route_copy *route)
{
	return route->dst.addr.family == AF_INET6 &&
	       ip_is_link_local(&route->dst.addr);
}

static int find_home(struct routing *at, struct err *e)
{
	struct link master = { 0 };
	int r = 0;

	if (at->iface.master)
		r = link_get_index(&at->ns, at->iface.master, &master, e);
	at->home = strcmp(master.kind, "vrf") != 0 ? RT_TABLE_MAIN
						   : master.vrf_table;
	return r;
}

static int list_routes(struct routing *at, struct err *e)
{
	struct arena *a = at->call->arena;
	struct route_copy *v[2];
	size_t n[2] = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++)
		r = route_copy_list(&at->ns, families[i], at->home,
				    at->iface.index, a, &v[i], &n[i], e);
	if (r)
		return r;
	at->v = arena_array(a, n[0] + n[1], sizeof(*at->v));
	if (n[0] + n[1] && !at->v)
		return err_oom(e);
	for (size_t i = 0; i < sizeof(families); i++)
		for (size_t k = 0; k < n[i]; k++)
			if (!is_link_local(&v[i][k]))
				at->v[at->v_n++] = v[i][k];
	return 0;
}

static bool has_gateway(const struct source *s, const struct route_copy *route)
{
	return prefix_contains(&s->ip->address, &route->gw);
}

/* By its own source, or else by the subnet its gateway is in. What says neither,
 * or has a gateway that is in nobody's, is for all of its family. */
static bool is_for(const struct routing *at, const struct source *s,
		   const struct route_copy *route)
{
	if (s->ip->address.addr.family != route->dst.addr.family)
		return false;
	if (route->prefsrc.family)
		return ip_equal(&route->prefsrc, &s->ip->address.addr);
	if (!route->gw.family || has_gateway(s, route))
		return true;
	for (size_t i = 0; i < at->n; i++)
		if (has_gateway(&at->sources[i], route))
			return false;
	return true;
}

/* As it is in a source's table. An address within a VRF is no source for routes
 * outside it (fib_semantics.c, fib_valid_prefsrc), and here it is given anyway. */
static struct route_copy copy_of(const struct routing *at, size_t i)
{
	struct route_copy copy = at->v[i];

	if (at->home != RT_TABLE_MAIN)
		copy.prefsrc.family = AF_UNSPEC;
	return copy;
}

/* What is on the link first: gateways have to be reached. */
static int copy_routes(struct routing *at, const struct source *s,
		       struct err *e)
{
	int r = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; !r && i < at->v_n; i++)
			if (at->v[i].is_on_link == !pass &&
			    is_for(at, s, &at->v[i])) {
				struct route_copy copy = copy_of(at, i);

				r = route_copy_put(&at->ns, &copy, s->table, e);
			}
	return r;
}

static struct route default_route(const struct routing *at,
				  const struct source *s)
{
	return (struct route){
		.dst = { .addr.family = s->ip->address.addr.family },
		.gw = *gateway_of(at, s),
		.ifindex = at->iface.index,
		.table = s->table,
	};
}

static int fill_table(struct routing *at, const struct source *s, struct err *e)
{
	const struct route route = default_route(at, s);
	int r = copy_routes(at, s, e);

	if (r || !route.gw.family)
		return r;
	r = route_add_sole(&at->ns, &route, e);
	return r == -EEXIST ? 0 : r; /* the main table's */
}

/* Whether it stays where it is as well. */
static bool stays(const struct routing *at, const struct route_copy *route)
{
	return at->home != RT_TABLE_MAIN ||
	       (at->conf.source_hints && route->is_on_link);
}

static int empty_main(struct routing *at, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < at->v_n; i++)
		if (!stays(at, &at->v[i])) {
			r = route_copy_delete(&at->ns, &at->v[i], RT_TABLE_MAIN,
					      e);
			r = r == -ESRCH ? 0 : r;
		}
	return r;
}

/* --- ADD --------------------------------------------------------------------- */

static void empty_table(struct routing *at, const struct source *s)
{
	const struct route route = default_route(at, s);

	if (!s->table) /* none was chosen; to the kernel that is the main one */
		return;
	route_delete(&at->ns, &route, NULL);
	for (size_t i = 0; i < at->v_n; i++) {
		struct route_copy copy = copy_of(at, i);

		route_copy_delete(&at->ns, &copy, s->table, NULL);
	}
}

/* In reverse; what was not there yet does not matter. */
static void undo(struct routing *at)
{
	for (size_t i = 0; i < at->n; i++) {
		const struct rule rule = rule_of(&at->sources[i]);

		if (rule.table)
			rule_delete(&at->ns, &rule, NULL);
	}
	if (at->conf.table)
		return;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < at->v_n; i++)
			if (at->v[i].is_on_link == !pass &&
			    !stays(at, &at->v[i]))
				route_copy_put(&at->ns, &at->v[i],
					       RT_TABLE_MAIN, NULL);
	for (size_t i = 0; i < at->n; i++)
		empty_table(at, &at->sources[i]);
}

static int make_tables(struct routing *at, struct err *e)
{
	int r = choose_tables(at, e);

	if (!r)
		r = find_home(at, e);
	if (!r)
		r = list_routes(at, e);
	for (size_t i = 0; !r && i < at->n; i++)
		r = fill_table(at, &at->sources[i], e);
	return r ? r : empty_main(at, e);
}

static int route_by_source(struct routing *at, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < at->n; i++)
		at->sources[i].table = at->conf.table;
	if (!at->conf.table && at->n)
		r = make_tables(at, e);
	for (size_t i = 0; !r && i < at->n; i++) {
		const struct rule rule = rule_of(&at->sources[i]);

		r = rule_add(&at->ns, &rule, e);
	}
	if (r)
		undo(at);
	return r;
}

/* Alone with the namespace's tables, until the descriptor is closed. */
static int open_container(struct routing *at, struct err *e)
{
	int r = netns_open(at->call->args->netns, &at->ns, e);

	if (!r)
		flock(at->ns.fd, LOCK_EX);
	if (!r)
		r = link_get(&at->ns, at->call->args->ifname, &at->iface, e);
	return r;
}

static int load(struct routing *at, struct err *e)
{
	int r = sbr_conf_load(at->call, &at->conf, e);

	if (!r)
		r = cni_prev_result(at->call, &at->prev, e);
	return r ? r : find_sources(at, e);
}

static int sbr_add(const struct cni_call *call, struct cni_result *ret,
		   struct err *e)
{
	struct routing at = { .call = call, .ns = NETNS_NONE };
	int r = load(&at, e);

	if (!r)
		r = open_container(&at, e);
	if (!r)
		r = route_by_source(&at, e);
	netns_close(&at.ns);
	*ret = at.prev;
	return r;
}

/* --- CHECK ------------------------------------------------------------------- */

/* The table that a rule of ours sends the address to; 0 for none. */
static uint32_t find_table(const struct routing_tables *used,
			   const struct source *s)
{
	const struct rule wanted = rule_of(s);
	const size_t i = routing_tables_index(wanted.family);

	for (size_t k = 0; k < used->rules_n[i]; k++)
		if (prefix_equal(&used->rules[i][k].from, &wanted.from))
			return used->rules[i][k].table;
	return 0;
}

static bool has_default(const struct routing *at,
			const struct routing_tables *used,
			const struct source *s)
{
	const struct route wanted = default_route(at, s);
	const size_t i = routing_tables_index(wanted.dst.addr.family);

	for (size_t k = 0; k < used->routes_n[i]; k++) {
		const struct route *route = &used->routes[i][k];

		if (route->table == s->table && !route->dst.len &&
		    route->ifindex == wanted.ifindex &&
		    ip_equal(&route->gw, &wanted.gw))
			return true;
	}
	return false;
}

static int check_source(const struct routing *at,
			const struct routing_tables *used, struct source *s,
			struct err *e)
{
	char text[IP_TEXT_MAX], gw[IP_TEXT_MAX];
	const struct ip_addr *a = &s->ip->address.addr;

	s->table = find_table(used, s);
	if (!s->table)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "there is no rule for packets from %s",
			       ip_text(a, text));
	if (at->conf.table && s->table != at->conf.table)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"the rule for packets from %s leads to table %u instead of %u",
			ip_text(a, text), s->table, at->conf.table);
	if (at->conf.table || !gateway_of(at, s)->family ||
	    has_default(at, used, s))
		return 0;
	return err_set(
		e, ERR_MISMATCH, ENOENT,
		"table %u, for packets from %s, has no default route via %s",
		s->table, ip_text(a, text), ip_text(gateway_of(at, s), gw));
}

static int sbr_check(const struct cni_call *call, struct err *e)
{
	struct routing at = { .call = call, .ns = NETNS_NONE };
	struct routing_tables used = { 0 };
	int r = load(&at, e);

	if (!r)
		r = open_container(&at, e);
	if (!r)
		r = routing_tables_read(&at.ns, call->arena, &used, e);
	for (size_t i = 0; !r && i < at.n; i++)
		r = check_source(&at, &used, &at.sources[i], e);
	netns_close(&at.ns);
	return r;
}

/* --- DEL --------------------------------------------------------------------- */

static int delete_rules(struct routing *at, struct err *e)
{
	struct routing_tables used = { 0 };
	int r = routing_tables_read(&at->ns, at->call->arena, &used, e);

	for (size_t i = 0; !r && i < at->n; i++) {
		struct rule rule = rule_of(&at->sources[i]);
		const size_t f = routing_tables_index(rule.family);

		for (size_t k = 0; !r && k < used.rules_n[f]; k++)
			if (prefix_equal(&used.rules[f][k].from, &rule.from) &&
			    used.rules[f][k].table)
				r = rule_delete(&at->ns, &used.rules[f][k], e);
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}

/* Without a result there is nothing to go by. */
static int sbr_del(const struct cni_call *call, struct err *e)
{
	struct routing at = { .call = call, .ns = NETNS_NONE };
	int r;

	if (cni_prev_result(call, &at.prev, NULL) || find_sources(&at, NULL) ||
	    !*call->args->netns)
		return 0;
	r = netns_open(call->args->netns, &at.ns, e);
	if (netns_is_gone(r))
		return 0;
	if (!r)
		r = delete_rules(&at, e);
	netns_close(&at.ns);
	return r;
}

static int sbr_status(const struct cni_call *call, struct err *e)
{
	struct sbr_conf conf;
	int r = sbr_conf_load(call, &conf, e);

	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_sbr = {
	.name = "sbr",
	.add = sbr_add,
	.del = sbr_del,
	.check = sbr_check,
	.status = sbr_status,
};
