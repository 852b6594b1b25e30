// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * firewall: who may open connections to the container, and that it may open
 * connections itself.
 *
 * Chained behind the plugin that made the interface: prevResult says the
 * container's addresses, and among the interfaces on the host the bridge and
 * its port. It is passed on as it came.
 *
 * The configuration may have changed since ADD, and what chose the backend
 * then may have come or gone: DEL and GC go through all of them.
 */
#include <errno.h>
#include <string.h>

#include "cni/replay.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "meta/firewall/backend.h"
#include "plugins.h"

#define DEFAULT_ADMIN_CHAIN "CNI-ADMIN"
#define DEFAULT_ZONE	    "trusted"

struct firewall_conf {
	const char *backend, *admin_chain, *zone, *policy;
};

static const struct json_field fields[] = {
	{ "backend", JSON_STRING, offsetof(struct firewall_conf, backend) },
	{ "iptablesAdminChainName", JSON_STRING,
	  offsetof(struct firewall_conf, admin_chain) },
	{ "firewalldZone", JSON_STRING, offsetof(struct firewall_conf, zone) },
	{ "ingressPolicy", JSON_STRING,
	  offsetof(struct firewall_conf, policy) },
	{ 0 },
};

static int load_conf(const struct cni_call *call, struct firewall_conf *ret,
		     struct err *e)
{
	return json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);
}

static bool is_given(const char *s)
{
	return s && *s;
}

/* --- what the rules are made of ------------------------------------------ */

static int put_addresses(const struct cni_result *prev, struct arena *a,
			 struct firewall *fw, struct err *e)
{
	struct ip_addr *v = arena_array(a, prev->ips.n, sizeof(*v));

	if (!v)
		return err_oom(e);
	for (size_t i = 0; i < prev->ips.n; i++)
		v[i] = prev->ips.v[i].address.addr;
	fw->addresses.v = v;
	fw->addresses.n = prev->ips.n;
	return 0;
}

/* The bridge is the interface that is one, or that has one as its master:
 * which place the plugin before us gave it in the list says nothing. */
static int look_at(const struct netns *host, const char *name, struct arena *a,
		   struct firewall *fw, struct err *e)
{
	struct link link, master = { 0 };
	int r = link_get(host, name, &link, e);

	if (r)
		return r == -ENODEV ? 0 : r;
	if (!strcmp(link.kind, "bridge")) {
		fw->bridge = name;
		return 0;
	}
	if (!link.master || link_get_index(host, link.master, &master, NULL) ||
	    strcmp(master.kind, "bridge") != 0)
		return 0;
	fw->port = name;
	fw->bridge = arena_strdup(a, master.name);
	return fw->bridge ? 0 : err_oom(e);
}

static int put_bridge(const struct cni_result *prev, struct arena *a,
		      struct firewall *fw, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	int r = netns_open_own(&host, e);

	for (size_t i = 0; !r && !fw->port && i < prev->interfaces.n; i++) {
		const struct cni_interface *iface = &prev->interfaces.v[i];

		if (is_given(iface->name) && !is_given(iface->sandbox))
			r = look_at(&host, iface->name, a, fw, e);
	}
	return r;
}

static int put_policy(const struct firewall_conf *conf, struct firewall *fw,
		      struct err *e)
{
	fw->policy = INGRESS_OPEN;
	if (is_given(conf->policy) &&
	    ingress_policy_parse(conf->policy, &fw->policy))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "unknown ingress policy: \"%s\"", conf->policy);
	fw->admin_chain = is_given(conf->admin_chain) ? conf->admin_chain
						      : DEFAULT_ADMIN_CHAIN;
	fw->zone = is_given(conf->zone) ? conf->zone : DEFAULT_ZONE;
	return 0;
}

static int choose(struct netfilter *nf, const struct firewall_conf *conf,
		  const struct firewall *fw,
		  const struct firewall_backend **ret, struct err *e)
{
	const struct firewall_wish wish = {
		.backend = conf->backend,
		.has_admin_chain = is_given(conf->admin_chain),
	};

	return firewall_choose(nf, &wish, fw, ret, e);
}

/* For ADD and CHECK, which need all of it. */
static int load(struct netfilter *nf, const struct cni_call *call,
		struct cni_result *prev, struct firewall *fw,
		const struct firewall_backend **backend, struct err *e)
{
	struct firewall_conf conf = { 0 };
	int r = load_conf(call, &conf, e);

	if (!r)
		r = put_policy(&conf, fw, e);
	if (!r && !call->conf->prev_result)
		r = err_set(e, ERR_CONFIG, ENODATA,
			    "missing prevResult from earlier plugin");
	if (!r)
		r = cni_prev_result(call, prev, e);
	if (!r)
		r = put_addresses(prev, call->arena, fw, e);
	if (!r)
		r = put_bridge(prev, call->arena, fw, e);
	return r ? r : choose(nf, &conf, fw, backend, e);
}

/* --- commands ------------------------------------------------------------ */

static int firewall_add(const struct cni_call *call, struct cni_result *ret,
			struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	const struct owner owner = cni_owner(call);
	const struct firewall_backend *backend = NULL;
	struct firewall fw = { 0 };
	int r = load(&nf, call, ret, &fw, &backend, e);

	if (!r)
		r = backend->add(&nf, &owner, &fw, e);
	if (!r && backend->is_elsewhere)
		replay_write(call, plugin_firewall.name, NULL);
	return r;
}

/* To ADD once more is no error, and may choose another backend by now. */
static int firewall_restore(const struct cni_call *call, struct err *e)
{
	struct cni_result prev = { 0 };

	return firewall_add(call, &prev, e);
}

static int firewall_check(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	const struct owner owner = cni_owner(call);
	const struct firewall_backend *backend;
	struct cni_result prev = { 0 };
	struct firewall fw = { 0 };
	int r = load(&nf, call, &prev, &fw, &backend, e);

	return r ? r : backend->check(&nf, &owner, &fw, e);
}

/* A configuration or a result that cannot be read any more is no reason to
 * leave anything behind. */
static int firewall_del(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	const struct firewall_backend *const *b = firewall_backends;
	const struct owner owner = cni_owner(call);
	struct firewall_conf conf = { 0 };
	struct cni_result prev = { 0 };
	struct firewall fw = { 0 };
	int first = 0;

	replay_delete(call, plugin_firewall.name);
	load_conf(call, &conf, NULL);
	put_policy(&conf, &fw, NULL);
	if (!cni_prev_result(call, &prev, NULL))
		put_addresses(&prev, call->arena, &fw, NULL);
	for (; *b; b++) {
		int r = (*b)->del(&nf, &owner, &fw, first ? NULL : e);

		first = first ? first : r;
	}
	return first;
}

static int firewall_gc(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	const struct firewall_backend *const *b = firewall_backends;
	struct firewall_conf conf = { 0 };
	struct firewall fw = { 0 };
	struct owner *valid = NULL;
	size_t n = 0;
	int first = cni_valid_owners(call, &valid, &n, e);

	if (first || !valid)
		return first;
	replay_gc(call, plugin_firewall.name, valid, n);
	load_conf(call, &conf, NULL);
	put_policy(&conf, &fw, NULL);
	for (; *b; b++) {
		int r = 0;

		if ((*b)->gc)
			r = (*b)->gc(&nf, call->conf->name, valid, n, &fw,
				     first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}

static int firewall_status(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	const struct firewall_backend *backend;
	struct firewall_conf conf = { 0 };
	struct firewall fw = { 0 };
	int r = load_conf(call, &conf, e);

	if (!r)
		r = put_policy(&conf, &fw, e);
	if (r)
		return r;
	r = choose(&nf, &conf, &fw, &backend, e);
	if (!r)
		r = backend->status(&nf, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_firewall = {
	.name = "firewall",
	.add = firewall_add,
	.del = firewall_del,
	.check = firewall_check,
	.gc = firewall_gc,
	.status = firewall_status,
	.restore = firewall_restore,
};
