// SPDX-License-Identifier: GPL-2.0-or-later
/* CHECK of the ptp plugin: is the world still as ADD's result has it? Each
 * difference is an error that names the thing. */
#include "interface/ptp/ptp.h"

#include "cni/ipam.h"
#include "interface/inspect.h"
#include "service/container_ip.h"

/* What the result says, and what there is. */
struct inspection {
	const struct cni_call *call;
	struct ptp_conf conf;
	struct cni_result prev;
	const struct cni_interface *wanted_iface;
	struct netns host, container;
	struct netfilter *nf;
	struct link port, iface;
};

static int check_up(const struct link *link, const char *what, struct err *e)
{
	if (link->flags & IFF_UP)
		return 0;
	return inspect_differs(e, what, link->name, "is down");
}

static int check_links(struct inspection *in, struct err *e)
{
	int r = inspect_iface(&in->container, in->wanted_iface, "veth",
			      &in->iface, e);

	if (!r)
		r = inspect_host_end(in->call, &in->prev, &in->host, &in->iface,
				     &in->port, e);
	if (!r)
		r = mtu_check(in->conf.mtu.mtu, in->wanted_iface, &in->iface,
			      "container interface", e);
	if (!r)
		r = mtu_check(in->conf.mtu.mtu,
			      cni_result_find_interface(&in->prev,
							in->port.name, false),
			      &in->port, "host interface", e);
	if (!r)
		r = check_up(&in->iface, "container interface", e);
	return r ? r : check_up(&in->port, "host interface", e);
}

static int check_all(struct inspection *in, struct err *e)
{
	struct arena *a = in->call->arena;
	struct cni_result full;
	int r = ptp_container_routes(&in->prev, a, &full, e);

	if (!r)
		r = check_links(in, e);
	if (!r)
		r = container_ip_check(&in->container, &in->iface, &full, a, e);
	if (!r)
		r = ptp_check_host_routes(&in->host, &in->port, &in->prev, a,
					  e);
	return r ? r
		 : ip_masq_check(in->nf, in->call, &in->conf.masq, &in->prev,
				 e);
}

int ptp_check(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct inspection in = { .call = call,
				 .host = NETNS_NONE,
				 .container = NETNS_NONE,
				 .nf = &nf };
	int r = ptp_conf_load(call, &in.conf, e);

	if (!r)
		r = cni_prev_result(call, &in.prev, e);
	if (!r)
		r = inspect_result(call, &in.prev, &in.wanted_iface, e);
	if (!r)
		r = cni_ipam_call(call, CNI_CHECK, e);
	if (!r)
		r = netns_open_own(&in.host, e);
	if (!r)
		r = netns_open(call->args->netns, &in.container, e);
	if (!r)
		r = check_all(&in, e);
	netns_close(&in.container);
	netns_close(&in.host);
	return r;
}
