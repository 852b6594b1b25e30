// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cni/ipam.h"
#include "interface/inspect.h"
#include "interface/report.h"
#include "kernel/announce.h"
#include "kernel/link_delete.h"
#include "service/container_ip.h"

/* --- what the configuration says ------------------------------------------ */

struct common_conf {
	bool enable_dad;
};

static const struct json_field fields[] = {
	{ "enabledad", JSON_BOOL, offsetof(struct common_conf, enable_dad) },
	{ 0 },
};

static int load(const struct cni_call *call, const struct endpoint_kind *kind,
		struct common_conf *ret, struct err *e)
{
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	if (!r && kind->needs_ipam && !cni_has_ipam(call->conf))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "%s interface requires an IPAM configuration",
			       kind->plugin);
	return r;
}

static int open_namespaces(struct endpoint *at, struct err *e)
{
	int r = netns_open_own(&at->host, e);

	return r ? r : netns_open(at->call->args->netns, &at->container, e);
}

static void close_namespaces(struct endpoint *at)
{
	netns_close(&at->container);
	netns_close(&at->host);
}

static struct endpoint endpoint_of(const struct cni_call *call)
{
	return (struct endpoint){ .call = call,
				  .owner = cni_owner(call),
				  .host = NETNS_NONE,
				  .container = NETNS_NONE };
}

/* --- ADD: the interface ---------------------------------------------------- */

struct link_new endpoint_link(const struct endpoint *at)
{
	return (struct link_new){ .name = at->owner.ifname,
				  .into = &at->container };
}

static int make(struct endpoint *at, const struct endpoint_kind *kind,
		const void *conf, struct err *e)
{
	const char *ifname = at->owner.ifname;
	struct link other;
	int r = kind->make(at, conf, e);

	if (r == -EEXIST && !link_get(&at->container, ifname, &other, NULL))
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"interface \"%s\" already exists in the container",
			ifname);
	return r;
}

static void undo_interface(const struct endpoint *at,
			   const struct endpoint_kind *kind, const void *conf)
{
	struct link link;

	if (kind->undo)
		kind->undo(at, conf);
	else if (!link_get(&at->container, at->owner.ifname, &link, NULL))
		link_delete(&at->container, &link, NULL);
}

static int bring_up(const struct endpoint *at, struct err *e)
{
	const struct link_change up = { .flags_on = IFF_UP };

	return link_change(&at->container, at->owner.ifname, &up, e);
}

static bool comes_up_late(const struct endpoint *at,
			  const struct endpoint_kind *kind)
{
	return kind->has_fixed_mac && !cni_ipam_uses_interface(at->call->conf);
}

static int set_up(struct endpoint *at, const struct endpoint_kind *kind,
		  bool enable_dad, struct err *e)
{
	const struct owner_text alias = owner_text(&at->owner);
	const struct link_change change = {
		.flags_on = comes_up_late(at, kind) ? 0 : IFF_UP,
		.alias = kind->undo ? NULL : alias.text,
	};
	const char *ifname = at->owner.ifname;
	int r = link_get(&at->container, ifname, &at->iface, e);

	if (r)
		return r;
	container_ip_prepare(&at->container, &at->iface, enable_dad);
	return link_change(&at->container, ifname, &change, e);
}

/* --- ADD: the addresses ---------------------------------------------------- */

static int take_addresses(const struct endpoint *at,
			  const struct endpoint_kind *kind,
			  struct cni_result *res, struct err *e)
{
	if (!kind->takes_addresses || !at->call->conf->prev_result)
		return 0;
	return cni_prev_result(at->call, res, e);
}

/* A DHCP server may have said what its wire can carry. */
static int reread_interface(struct endpoint *at, struct err *e)
{
	if (!cni_ipam_uses_interface(at->call->conf))
		return 0;
	return link_get(&at->container, at->owner.ifname, &at->iface, e);
}

static int get_addresses(const struct endpoint *at,
			 const struct endpoint_kind *kind,
			 struct cni_result *res, struct err *e)
{
	int r;

	if (!cni_has_ipam(at->call->conf))
		return take_addresses(at, kind, res, e);
	r = cni_ipam_add_addresses(at->call, res, e);
	res->interfaces.n = 0; /* IPAM knows of none */
	return r;
}

/* The neighbours are told by setting the MAC (kernel/announce.h), or else when
 * the interface comes up with its addresses. */
static int configure(const struct endpoint *at,
		     const struct endpoint_kind *kind, struct cni_result *res,
		     bool enable_dad, struct err *e)
{
	const struct netns *ns = &at->container;
	int r = container_ip_add_addresses(ns, &at->iface, res, enable_dad, e);

	if (!r && kind->has_fixed_mac)
		r = bring_up(at, e);
	if (!r)
		r = container_ip_add_routes(ns, &at->iface, res, enable_dad, e);
	if (r || kind->has_fixed_mac || !res->ips.n)
		return r;
	return announce(ns, &at->iface, e);
}

static int complete(const struct endpoint *at, struct cni_result *res,
		    struct err *e)
{
	const struct cni_call *call = at->call;
	struct link iface = at->iface;
	int r;

	/* of a device that a program drives nothing is known but this */
	snprintf(iface.name, sizeof(iface.name), "%s", at->owner.ifname);
	r = report_interface(res, &iface, call->args->netns, call->arena, e);
	if (!r)
		report_common(call, (int64_t)res->interfaces.n - 1, res);
	return r;
}

/* --- ADD ------------------------------------------------------------------- */

static int attach(struct endpoint *at, const struct endpoint_kind *kind,
		  const void *conf, bool enable_dad, struct cni_result *res,
		  struct err *e)
{
	int r = kind->make ? make(at, kind, conf, e) : 0;

	if (r)
		return r;
	if (kind->make)
		r = set_up(at, kind, enable_dad, e);
	if (!r)
		r = get_addresses(at, kind, res, e);
	if (r)
		goto undo_interface;
	if (kind->make)
		r = reread_interface(at, e);
	if (!r && kind->make)
		r = configure(at, kind, res, enable_dad, e);
	if (!r)
		r = complete(at, res, e);
	if (!r)
		return 0;

	cni_ipam_call(at->call, CNI_DEL, NULL);
undo_interface:
	if (kind->make)
		undo_interface(at, kind, conf);
	return r;
}

int endpoint_add(const struct cni_call *call, const struct endpoint_kind *kind,
		 const void *conf, struct cni_result *ret, struct err *e)
{
	struct endpoint at = endpoint_of(call);
	struct common_conf common = { 0 };
	int r = load(call, kind, &common, e);

	if (!r)
		r = open_namespaces(&at, e);
	if (!r)
		r = attach(&at, kind, conf, common.enable_dad, ret, e);
	close_namespaces(&at);
	return r;
}

/* --- DEL, GC --------------------------------------------------------------- */

/* An interface of another kind, or one that says it is another attachment's (of
 * a network with the same interface name, whose ADD came first), stays. */
static int delete_interface(const struct cni_call *call, const void *arg,
			    struct err *e)
{
	const struct endpoint_kind *kind = arg;
	_netns_ struct netns container = NETNS_NONE;
	const struct owner owner = cni_owner(call);
	struct link link;
	int r;

	if (!*call->args->netns)
		return 0;
	r = netns_open(call->args->netns, &container, e);
	if (netns_is_gone(r))
		return 0;
	if (!r)
		r = link_get(&container, owner.ifname, &link, e);
	if (r)
		return r == -ENODEV ? 0 : r;
	if (strcmp(link.kind, kind->kind) != 0 ||
	    owner_is_another(&owner, link.alias))
		return 0;
	return link_delete(&container, &link, e);
}

int endpoint_del(const struct cni_call *call, const struct endpoint_kind *kind,
		 struct err *e)
{
	const struct cni_take_down own = { .interface = delete_interface,
					   .arg = kind };

	return cni_ipam_take_down(call, CNI_DEL, &own, e);
}

int endpoint_gc(const struct cni_call *call, struct err *e)
{
	return cni_ipam_call(call, CNI_GC, e);
}

/* --- CHECK ----------------------------------------------------------------- */

static int compare(struct endpoint *at, const struct endpoint_kind *kind,
		   const void *conf, const struct cni_result *prev,
		   struct err *e)
{
	int r = inspect_iface(&at->container, at->wanted, kind->kind,
			      &at->iface, e);

	if (!r && !(at->iface.flags & IFF_UP))
		r = inspect_differs(e, "container interface", at->iface.name,
				    "is down");
	if (!r && kind->check)
		r = kind->check(at, conf, e);
	return r ? r
		 : container_ip_check(&at->container, &at->iface, prev,
				      at->call->arena, e);
}

int endpoint_check(const struct cni_call *call,
		   const struct endpoint_kind *kind, const void *conf,
		   struct err *e)
{
	struct endpoint at = endpoint_of(call);
	struct common_conf common = { 0 };
	struct cni_result prev = { 0 };
	int r = load(call, kind, &common, e);

	if (!r)
		r = cni_prev_result(call, &prev, e);
	if (!r && kind->make)
		r = inspect_result(call, &prev, &at.wanted, e);
	if (!r)
		r = cni_ipam_call(call, CNI_CHECK, e);
	if (r || !kind->make)
		return r;
	r = open_namespaces(&at, e);
	if (!r)
		r = compare(&at, kind, conf, &prev, e);
	close_namespaces(&at);
	return r;
}
