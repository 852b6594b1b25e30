// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ptp: connect the container to the host with a veth pair, without a bridge: the
 * host routes to each container.
 *
 * ADD, in order:
 *   the pair, both ends up;
 *   IPAM, which may want to talk through the interface;
 *   addresses and routes in the container;
 *   the host's end carries traffic by now, or is waited for;
 *   the gateways' addresses on it and the routes to the container (routes.c);
 *   the host is told where the addresses are;
 *   masquerading.
 * A failure undoes what the call has made, in reverse order.
 */
#include "interface/ptp/ptp.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/json.h"
#include "cni/ipam.h"
#include "interface/report.h"
#include "kernel/announce.h"
#include "kernel/link_delete.h"
#include "kernel/sysctl.h"
#include "plugins.h"
#include "service/container_ip.h"
#include "service/veth_pair.h"

/* An end carries traffic some 0.2 ms after both are up; this is for a machine
 * that is very busy. */
#define UP_TIMEOUT_MS 5000

/* What an ADD works on and has made so far. */
struct attachment {
	const struct cni_call *call;
	struct ptp_conf conf;
	struct owner owner;
	struct owner_ifname port_name;
	struct netns host, container;
	struct netfilter *nf;
	struct link port, iface;
};

/* --- the configuration ---------------------------------------------------- */

static const struct json_field fields[] = {
	{ "enabledad", JSON_BOOL, offsetof(struct ptp_conf, enable_dad) },
	{ 0 },
};

static int check_conf(const struct cni_call *call, struct ptp_conf *conf,
		      struct err *e)
{
	if (!cni_has_ipam(call->conf))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "ptp interface requires an IPAM configuration");
	return cni_mac_load(call, &conf->mac, e);
}

int ptp_conf_load(const struct cni_call *call, struct ptp_conf *ret,
		  struct err *e)
{
	enum cni_command command = call->args->command;
	struct ptp_conf conf = { 0 };
	int r = json_decode(fields, call->conf->doc, NULL, &conf, call->arena,
			    e);

	if (!r)
		r = mtu_load(call, &conf.mtu, e);
	if (!r)
		r = ip_masq_load(call, &conf.masq, e);
	if (!r && command != CNI_DEL && command != CNI_GC)
		r = check_conf(call, &conf, e);
	*ret = conf;
	return r;
}

/* --- the pair ------------------------------------------------------------- */

static int make_pair(const struct attachment *at, struct err *e)
{
	struct veth_pair pair = { .owner = &at->owner,
				  .mac = cni_mac_get(&at->conf.mac) };
	int r = mtu_find(&at->host, &at->conf.mtu, &pair.mtu, e);

	return r ? r : veth_pair_add(&at->host, &at->container, &pair, e);
}

/* The container must not configure the host (CVE-2020-10749), and nobody but the
 * two of us could have an address there. Best effort: a host without IPv6 has
 * no such settings. */
static void prepare_port(const struct attachment *at)
{
	const char *port = at->port_name.name;

	sysctl_set(&at->host, AF_INET6, port, "accept_ra", "0", NULL);
	sysctl_set(&at->host, AF_INET6, port, "accept_dad", "0", NULL);
}

static int set_up_pair(struct attachment *at, struct err *e)
{
	const struct owner_text alias = owner_text(&at->owner);
	const struct link_change port = { .flags_on = IFF_UP,
					  .alias = alias.text };
	const struct link_change iface = { .flags_on = IFF_UP };
	const char *ifname = at->owner.ifname;
	int r = link_get(&at->container, ifname, &at->iface, e);

	if (r)
		return r;
	prepare_port(at);
	r = link_change(&at->host, at->port_name.name, &port, e);
	if (r)
		return r;
	container_ip_prepare(&at->container, &at->iface, at->conf.enable_dad);
	return link_change(&at->container, ifname, &iface, e);
}

static void undo_pair(const struct attachment *at)
{
	struct link port;

	if (!link_get(&at->host, at->port_name.name, &port, NULL))
		link_delete(&at->host, &port, NULL);
}

/* --- ADD ------------------------------------------------------------------ */

static int connect_container(struct attachment *at,
			     const struct cni_result *res, struct err *e)
{
	const struct netns *ns = &at->container;
	bool dad = at->conf.enable_dad;
	struct cni_result full;
	int r = ptp_container_routes(res, at->call->arena, &full, e);

	if (!r)
		r = container_ip_add_offlink(ns, &at->iface, &full, dad, e);
	if (!r)
		r = container_ip_add_routes(ns, &at->iface, &full, dad, e);
	if (!r)
		r = link_wait_up(&at->host, at->port_name.name, UP_TIMEOUT_MS,
				 &at->port, e);
	if (!r)
		r = ptp_add_host_routes(&at->host, &at->port, res, e);
	return r ? r : announce(ns, &at->iface, e);
}

static int complete(const struct attachment *at, struct cni_result *res,
		    struct err *e)
{
	const struct cni_call *call = at->call;
	int r;

	res->interfaces.n = 0; /* IPAM knows of none */
	r = report_interface(res, &at->port, NULL, call->arena, e);
	if (!r)
		r = report_interface(res, &at->iface, call->args->netns,
				     call->arena, e);
	report_common(call, 1, res);
	return r;
}

static int attach(struct attachment *at, struct cni_result *res, struct err *e)
{
	int r = make_pair(at, e);

	if (r)
		return r;
	r = set_up_pair(at, e);
	if (!r)
		r = cni_ipam_add_addresses(at->call, res, e);
	if (r)
		goto undo_pair;
	r = connect_container(at, res, e);
	if (!r)
		r = complete(at, res, e);
	if (!r) /* last: it undoes itself, being all or nothing */
		r = ip_masq_add(at->nf, at->call, plugin_ptp.name,
				&at->conf.masq, res, e);
	if (!r)
		return 0;

	cni_ipam_call_before(at->call, CNI_DEL, NULL);
	undo_pair(at);
	cni_ipam_call_after(at->call, CNI_DEL, NULL);
	return r;
undo_pair:
	undo_pair(at);
	return r;
}

static int ptp_add(const struct cni_call *call, struct cni_result *ret,
		   struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct attachment at = { .call = call,
				 .owner = cni_owner(call),
				 .host = NETNS_NONE,
				 .container = NETNS_NONE,
				 .nf = &nf };
	int r = ptp_conf_load(call, &at.conf, e);

	if (r)
		return r;
	at.port_name = owner_host_ifname(&at.owner);
	r = netns_open_own(&at.host, e);
	if (!r)
		r = netns_open(call->args->netns, &at.container, e);
	if (!r)
		r = attach(&at, ret, e);
	netns_close(&at.container);
	netns_close(&at.host);
	return r;
}

static int ptp_restore(const struct cni_call *call, struct err *e)
{
	return ip_masq_restore(call, plugin_ptp.name, e);
}

/* --- STATUS --------------------------------------------------------------- */

/* Whether an ADD could work. */
static int check_service(const struct ptp_conf *conf, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	_netfilter_ struct netfilter nf = { 0 };
	uint32_t mtu;
	int r = netns_open_own(&host, e);

	if (!r)
		r = mtu_find(&host, &conf->mtu, &mtu, e);
	if (!r)
		r = ip_masq_status(&nf, &conf->masq, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

static int ptp_status(const struct cni_call *call, struct err *e)
{
	struct ptp_conf conf;
	int r = ptp_conf_load(call, &conf, e);

	if (!r)
		r = check_service(&conf, e);
	return r ? r : cni_ipam_call(call, CNI_STATUS, e);
}

const struct cni_plugin plugin_ptp = {
	.name = "ptp",
	.add = ptp_add,
	.del = ptp_del,
	.check = ptp_check,
	.gc = ptp_gc,
	.status = ptp_status,
	.restore = ptp_restore,
};
