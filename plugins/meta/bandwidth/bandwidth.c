// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bandwidth: limits what a container receives and sends
 *
 * What it receives ("ingress") its interface's other end on the host sends, which is
 * limited there. What it sends ("egress") comes in at that end, where nothing can
 * wait: it is redirected to an ifb, which sends it and is limited as well (limit.c,
 * ifb.c). The limits on the host's end go with it, and the ifb by DEL.
 */
#include <errno.h>

#include "kernel/link_delete.h"
#include "kernel/link_peer.h"
#include "meta/bandwidth/bandwidth.h"
#include "plugins.h"

/* What a call works on. */
struct shaping {
	const struct cni_call *call;
	struct bandwidth_conf conf;
	struct netns host, container;
	struct link port; /* the host's end */
	struct link ifb;
	bool made_ifb, made_redirect;
};

#define SHAPING(c)                                                        \
	{                                                                 \
		.call = (c), .host = NETNS_NONE, .container = NETNS_NONE, \
	}

static bool is_limited(const struct bandwidth_conf *conf)
{
	return conf->ingress.rate || conf->egress.rate;
}

static int find_port(struct shaping *at, struct err *e)
{
	const struct cni_args *args = at->call->args;
	struct link iface;
	int r = netns_open_own(&at->host, e);

	if (!r)
		r = netns_open(args->netns, &at->container, e);
	if (!r)
		r = link_get(&at->container, args->ifname, &iface, e);
	return r ? r
		 : link_get_peer(&at->container, &iface, &at->host, &at->port,
				 e);
}

static void close_all(struct shaping *at)
{
	netns_close(&at->container);
	netns_close(&at->host);
}

/* --- ADD ---------------------------------------------------------------------- */

static int report(const struct cni_call *call, const struct link *ifb,
		  struct cni_result *res, struct err *e)
{
	struct cni_interface *iface =
		cni_result_add_interface(res, call->arena);
	char mac[MAC_TEXT_MAX];

	if (!iface)
		return err_oom(e);
	iface->name = arena_strdup(call->arena, ifb->name);
	iface->mac = arena_strdup(call->arena, mac_text(ifb->mac, mac));
	return iface->name && iface->mac ? 0 : err_oom(e);
}

/* What passes the ifb is limited before anything passes it. */
static int limit_egress(struct shaping *at, bool *has_fq_codel, struct err *e)
{
	static const struct remotes all = { 0 };
	struct arena *a = at->call->arena;
	int r = ifb_add(&at->host, at->call, &at->port, &at->ifb, e);

	at->made_ifb = !r;
	if (!r)
		r = limit_add(&at->host, &at->ifb, &at->conf.egress, &all, a,
			      has_fq_codel, e);
	if (!r)
		r = ifb_set_up(&at->host, at->call, &at->ifb, e);
	if (r)
		return r;
	r = redirect_add(&at->host, &at->port, &at->ifb, &at->conf.remotes, a,
			 e);
	at->made_redirect = !r;
	return r;
}

static void undo(struct shaping *at)
{
	if (at->made_redirect)
		qdisc_delete_ingress(&at->host, &at->port, NULL);
	if (at->made_ifb)
		link_delete(&at->host, &at->ifb, NULL);
}

static int shape(struct shaping *at, struct cni_result *res, struct err *e)
{
	bool has_fq_codel = true;
	int r = 0;

	if (at->conf.egress.rate)
		r = limit_egress(at, &has_fq_codel, e);
	if (!r && at->made_ifb)
		r = report(at->call, &at->ifb, res, e);
	if (!r && at->conf.ingress.rate)
		r = limit_add(&at->host, &at->port, &at->conf.ingress,
			      &at->conf.remotes, at->call->arena, &has_fq_codel,
			      e);
	if (r)
		undo(at);
	return r;
}

static int bandwidth_add(const struct cni_call *call, struct cni_result *ret,
			 struct err *e)
{
	struct shaping at = SHAPING(call);
	int r = bandwidth_conf_load(call, &at.conf, e);

	if (!r)
		r = cni_chained_result(call, ret, e);
	if (r || !is_limited(&at.conf))
		return r;
	r = find_port(&at, e);
	if (!r)
		r = shape(&at, ret, e);
	close_all(&at);
	return r;
}

/* --- CHECK -------------------------------------------------------------------- */

static int check_ifb(const struct shaping *at, const struct link *ifb,
		     struct err *e)
{
	if (!(ifb->flags & IFF_UP))
		return err_set(e, ERR_MISMATCH, ENETDOWN,
			       "interface \"%s\" is down", ifb->name);
	if (ifb->mtu != at->port.mtu)
		return err_set(
			e, ERR_MISMATCH, EINVAL,
			"interface \"%s\" has MTU %u instead of that of \"%s\", %u",
			ifb->name, ifb->mtu, at->port.name, at->port.mtu);
	return 0;
}

static int check_egress(const struct shaping *at, struct err *e)
{
	static const struct remotes all = { 0 };
	struct arena *a = at->call->arena;
	struct link ifb;
	int r = ifb_find(&at->host, at->call, &ifb, e);

	if (!r)
		r = check_ifb(at, &ifb, e);
	if (!r)
		r = limit_check(&at->host, &ifb, &at->conf.egress, &all, a, e);
	return r ? r
		 : redirect_check(&at->host, &at->port, &ifb, &at->conf.remotes,
				  a, e);
}

static int bandwidth_check(const struct cni_call *call, struct err *e)
{
	struct shaping at = SHAPING(call);
	struct cni_result prev = { 0 };
	int r = bandwidth_conf_load(call, &at.conf, e);

	if (!r)
		r = cni_chained_result(call, &prev, e);
	if (r || !is_limited(&at.conf))
		return r;
	r = find_port(&at, e);
	if (!r && at.conf.ingress.rate)
		r = limit_check(&at.host, &at.port, &at.conf.ingress,
				&at.conf.remotes, call->arena, e);
	if (!r && at.conf.egress.rate)
		r = check_egress(&at, e);
	close_all(&at);
	return r;
}

/* --- DEL, GC, STATUS ------------------------------------------------------------ */

/* The limits are on the host's end for as long as that is there, which may be
 * longer than this attachment's limits. */
static void unlimit_port(struct shaping *at)
{
	struct link iface;
	const struct cni_args *args = at->call->args;

	if (!*args->netns || bandwidth_conf_load(at->call, &at->conf, NULL) ||
	    netns_open(args->netns, &at->container, NULL) ||
	    link_get(&at->container, args->ifname, &iface, NULL) ||
	    link_get_peer(&at->container, &iface, &at->host, &at->port, NULL))
		return;
	if (at->conf.egress.rate)
		qdisc_delete_ingress(&at->host, &at->port, NULL);
	if (at->conf.ingress.rate)
		qdisc_delete_root(&at->host, &at->port, NULL);
}

static int bandwidth_del(const struct cni_call *call, struct err *e)
{
	struct shaping at = SHAPING(call);
	int r = netns_open_own(&at.host, e);

	if (!r) {
		unlimit_port(&at);
		r = ifb_del(&at.host, call, e);
	}
	close_all(&at);
	return r;
}

static int bandwidth_gc(const struct cni_call *call, struct err *e)
{
	return ifb_gc(call, e);
}

static int bandwidth_status(const struct cni_call *call, struct err *e)
{
	struct bandwidth_conf conf;
	int r = bandwidth_conf_load(call, &conf, e);

	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_bandwidth = {
	.name = "bandwidth",
	.add = bandwidth_add,
	.del = bandwidth_del,
	.check = bandwidth_check,
	.gc = bandwidth_gc,
	.status = bandwidth_status,
};
