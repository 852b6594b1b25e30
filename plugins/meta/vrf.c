// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vrf: the container's interface becomes one of a virtual router, which has a
 * table of routes of its own
 *
 * All of it is in the container. The kernel takes the interface's routes and its
 * IPv6 addresses away when it gets a master or loses it (addrconf.c,
 * NETDEV_CHANGEUPPER), but for the subnets of IPv4 addresses; they are put back, in
 * the table that counts then, or in that of another plugin (sbr). The vrf goes with
 * its last interface.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "base/json.h"
#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/link_add.h"
#include "kernel/link_delete.h"
#include "kernel/route_copy.h"
#include "kernel/rtnl.h"
#include "plugins.h"
#include "service/routing_tables.h"

struct vrf_conf {
	const char *name;
	int64_t table; /* 0: one that is free */
};

/* What a call works on. */
struct vrf {
	const struct cni_call *call;
	struct vrf_conf conf;
	struct netns ns;
	struct link iface, device;
	bool made_device;
};

static const struct json_field fields[] = {
	{ "vrfname", JSON_STRING, offsetof(struct vrf_conf, name) },
	{ "table", JSON_INT, offsetof(struct vrf_conf, table), 0, UINT32_MAX },
	{ 0 },
};

static const uint8_t families[] = { AF_INET, AF_INET6 };

static int load(const struct cni_call *call, struct vrf_conf *ret,
		struct err *e)
{
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	if (r || (ret->name && *ret->name))
		return r;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"\"vrfname\" is missing: configuration is expected to have a valid vrf name");
}

/* --- what an interface has -------------------------------------------------- */

struct belongings {
	uint32_t table; /* that of its own routes: the main one, or the vrf's */
	struct addr *addrs;
	size_t addrs_n;
	struct route_copy *routes[2];
	size_t routes_n[2];
};

static int look(const struct vrf *at, uint32_t table, struct belongings *ret,
		struct err *e)
{
	struct arena *a = at->call->arena;
	int r = addr_list(&at->ns, at->iface.index, a, &ret->addrs,
			  &ret->addrs_n, e);

	ret->table = table;
	for (size_t i = 0; !r && i < sizeof(families); i++)
		r = route_copy_list(&at->ns, families[i], RT_TABLE_UNSPEC,
				    at->iface.index, a, &ret->routes[i],
				    &ret->routes_n[i], e);
	return r;
}

static bool is_kept_by_itself(const struct ip_addr *a)
{
	return a->family == AF_INET || ip_is_link_local(a);
}

/* Nobody else can have got them meanwhile, so they are not probed. */
static int put_addresses(const struct vrf *at, const struct belongings *had,
			 struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < had->addrs_n; i++) {
		if (is_kept_by_itself(&had->addrs[i].prefix.addr))
			continue;
		r = addr_add(&at->ns, at->iface.index, &had->addrs[i].prefix,
			     false, e);
		r = r == -EEXIST ? 0 : r;
	}
	return r;
}

/* Link-local ones are the kernel's, and so is what is in the local table. */
static bool is_of_the_kernel(const struct route_copy *route)
{
	return route->table == RT_TABLE_LOCAL ||
	       (route->dst.addr.family == AF_INET6 &&
		ip_is_link_local(&route->dst.addr));
}

/* Into @table what is the interface's own, the rest where it was. There an address
 * within a vrf is nobody's source (fib_semantics.c, fib_valid_prefsrc). */
static int put_route(const struct vrf *at, const struct belongings *had,
		     const struct route_copy *route, uint32_t table,
		     struct err *e)
{
	struct route_copy copy = *route;

	if (route->table == had->table)
		return route_copy_put(&at->ns, route, table, e);
	if (table != RT_TABLE_MAIN)
		copy.prefsrc.family = AF_UNSPEC;
	return route_copy_put(&at->ns, &copy, route->table, e);
}

static int put_family(const struct vrf *at, const struct belongings *had,
		      size_t family, bool on_link, uint32_t table,
		      struct err *e)
{
	const struct route_copy *v = had->routes[family];
	int r = 0;

	for (size_t i = 0; !r && i < had->routes_n[family]; i++)
		if (v[i].is_on_link == on_link && !is_of_the_kernel(&v[i]))
			r = put_route(at, had, &v[i], table, e);
	return r;
}

/* What is on the link first: gateways have to be reached, by way of @table. */
static int put_routes(const struct vrf *at, const struct belongings *had,
		      uint32_t table, struct err *e)
{
	int r = 0;

	for (int on_link = 1; on_link >= 0; on_link--)
		for (size_t i = 0; !r && i < sizeof(families); i++)
			r = put_family(at, had, i, on_link, table, e);
	return r;
}

/* Give the interface the vrf as its master, or none (NULL), and what it had back,
 * its routes in @table. */
static int change_master(const struct vrf *at, const struct link *device,
			 const struct belongings *had, uint32_t table,
			 struct err *e)
{
	const struct link_change change = {
		.master = device ? device->index : 0,
		.leave_master = !device,
	};
	int r = link_change(&at->ns, at->iface.name, &change, e);

	if (!r)
		r = put_addresses(at, had, e);
	return r ? r : put_routes(at, had, table, e);
}

/* --- the vrf ---------------------------------------------------------------- */

/* -ENODEV when there is none. */
static int find_device(struct vrf *at, struct err *e)
{
	int r = link_get(&at->ns, at->conf.name, &at->device, e);

	if (r || !strcmp(at->device.kind, "vrf"))
		return r;
	return err_set(e, ERR_EXISTS, EEXIST, "Netlink %s is not a VRF",
		       at->conf.name);
}

static int check_table(const struct vrf *at, struct err *e)
{
	if (!at->conf.table || at->device.vrf_table == at->conf.table)
		return 0;
	return err_set(e, ERR_EXISTS, EEXIST,
		       "VRF %s already exist with different routing table %u",
		       at->conf.name, at->device.vrf_table);
}

static int make_device(struct vrf *at, struct err *e)
{
	const struct link_new link = { .name = at->conf.name, .into = &at->ns };
	const struct link_change up = { .flags_on = IFF_UP };
	struct routing_tables tables = { 0 };
	uint32_t table = (uint32_t)at->conf.table;
	int r = table ? 0
		      : routing_tables_read(&at->ns, at->call->arena, &tables,
					    e);

	if (r)
		return r;
	if (!table)
		table = routing_tables_find_free(&tables, 1);
	r = link_add_vrf(&at->ns, &link, table, e);
	at->made_device = !r;
	if (!r)
		r = link_change(&at->ns, link.name, &up, e);
	return r ? r : find_device(at, e);
}

static int ensure_device(struct vrf *at, struct err *e)
{
	int r = find_device(at, e);

	if (r == -ENODEV)
		return make_device(at, e);
	return r ? r : check_table(at, e);
}

/* With its last interface. */
static int delete_unused(const struct vrf *at, struct err *e)
{
	struct link *v;
	size_t n = 0;
	int r = link_list(&at->ns, at->call->arena, &v, &n, e);

	for (size_t i = 0; !r && i < n; i++)
		if (v[i].master == at->device.index)
			return 0;
	return r ? r : link_delete(&at->ns, &at->device, e);
}

/* --- ADD -------------------------------------------------------------------- */

/* Alone with the namespace, until the descriptor is closed. */
static int open_container(struct vrf *at, struct err *e)
{
	int r = netns_open(at->call->args->netns, &at->ns, e);

	if (!r)
		flock(at->ns.fd, LOCK_EX);
	return r;
}

static int check_is_free(const struct vrf *at, struct err *e)
{
	struct link master;

	if (!at->iface.master)
		return 0;
	if (link_get_index(&at->ns, at->iface.master, &master, NULL))
		master.name[0] = '\0';
	return err_set(e, ERR_EXISTS, EBUSY,
		       "interface %s has already a master set: %s",
		       at->iface.name, master.name);
}

static void undo(struct vrf *at, const struct belongings *had)
{
	struct link now;

	if (!link_get(&at->ns, at->iface.name, &now, NULL) && now.master)
		change_master(at, NULL, had, RT_TABLE_MAIN, NULL);
	if (at->made_device && !find_device(at, NULL))
		delete_unused(at, NULL);
}

static int enslave(struct vrf *at, struct err *e)
{
	struct belongings had = { 0 };
	int r = link_get(&at->ns, at->call->args->ifname, &at->iface, e);

	if (!r)
		r = check_is_free(at, e);
	if (!r)
		r = look(at, RT_TABLE_MAIN, &had, e);
	if (r)
		return r;
	r = ensure_device(at, e);
	if (!r)
		r = change_master(at, &at->device, &had, at->device.vrf_table,
				  e);
	if (r)
		undo(at, &had);
	return r;
}

static int vrf_add(const struct cni_call *call, struct cni_result *ret,
		   struct err *e)
{
	struct vrf at = { .call = call, .ns = NETNS_NONE };
	int r = load(call, &at.conf, e);

	if (!r)
		r = cni_prev_result(call, ret, e);
	if (!r)
		r = open_container(&at, e);
	if (!r)
		r = enslave(&at, e);
	netns_close(&at.ns);
	return r;
}

/* --- CHECK ------------------------------------------------------------------ */

static int compare(struct vrf *at, struct err *e)
{
	int r = find_device(at, e);

	if (!r && at->conf.table && at->conf.table != at->device.vrf_table)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "VRF %s has table %u instead of %lld",
			       at->conf.name, at->device.vrf_table,
			       (long long)at->conf.table);
	if (!r)
		r = link_get(&at->ns, at->call->args->ifname, &at->iface, e);
	if (!r && at->iface.master != at->device.index)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "interface %s is not in VRF %s", at->iface.name,
			       at->conf.name);
	if (r && e)
		e->code = ERR_MISMATCH;
	return r;
}

static int vrf_check(const struct cni_call *call, struct err *e)
{
	struct vrf at = { .call = call, .ns = NETNS_NONE };
	struct cni_result prev = { 0 };
	int r = load(call, &at.conf, e);

	if (!r)
		r = cni_prev_result(call, &prev, e);
	if (!r)
		r = open_container(&at, e);
	if (!r)
		r = compare(&at, e);
	netns_close(&at.ns);
	return r;
}

/* --- DEL, STATUS ------------------------------------------------------------ */

static int take_out(struct vrf *at, struct err *e)
{
	struct belongings had = { 0 };
	int r = look(at, at->device.vrf_table, &had, e);

	return r ? r : change_master(at, NULL, &had, RT_TABLE_MAIN, e);
}

static int release(struct vrf *at, struct err *e)
{
	int r = find_device(at, e);

	if (r)
		return r == -ENODEV || r == -EEXIST ? 0 : r;
	if (!link_get(&at->ns, at->call->args->ifname, &at->iface, NULL) &&
	    at->iface.master == at->device.index)
		r = take_out(at, e);
	return r ? r : delete_unused(at, e);
}

static int vrf_del(const struct cni_call *call, struct err *e)
{
	struct vrf at = { .call = call, .ns = NETNS_NONE };
	int r;

	if (load(call, &at.conf, NULL) || !*call->args->netns)
		return 0;
	r = open_container(&at, e);
	if (!r)
		r = release(&at, e);
	netns_close(&at.ns);
	return netns_is_gone(r) ? 0 : r;
}

static int vrf_status(const struct cni_call *call, struct err *e)
{
	struct vrf_conf conf = { 0 };
	int r = load(call, &conf, e);

	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_vrf = {
	.name = "vrf",
	.add = vrf_add,
	.del = vrf_del,
	.check = vrf_check,
	.status = vrf_status,
};
