// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * portmap: what reaches a port of the host goes to the container.
 *
 * It stands behind a plugin that has given the container an address. ADD maps
 * the ports that the runtime names (runtimeConfig.portMappings), lets clients
 * at the host's loopback addresses in, and has the kernel forget UDP
 * conversations that began before. DEL takes it all back from either backend,
 * and what the reference plugin made, for the backend chosen may be another by
 * now.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/replay.h"
#include "kernel/conntrack.h"
#include "meta/portmap/conf.h"
#include "plugins.h"
#include "service/hostport_iptables.h"
#include "service/localnet.h"
#include "service/reference_nft.h"

/* --- backends ------------------------------------------------------------ */

struct backend {
	const char *name;
	int (*add)(struct netfilter *nf, const struct owner *owner,
		   const struct hostports *hp,
		   const struct hostport_links *links, struct err *e);
	int (*check)(struct netfilter *nf, const struct owner *owner,
		     const struct hostports *hp,
		     const struct hostport_links *links, struct err *e);
	int (*status)(struct netfilter *nf, struct err *e);
};

static const struct backend nftables = { .name = "nftables",
					 .add = hostport_add,
					 .check = hostport_check,
					 .status = hostport_status };

static int add_iptables(struct netfilter *nf, const struct owner *owner,
			const struct hostports *hp,
			const struct hostport_links *links, struct err *e)
{
	(void)links;
	return hostport_iptables_add(nf, owner, hp, e);
}

static int check_iptables(struct netfilter *nf, const struct owner *owner,
			  const struct hostports *hp,
			  const struct hostport_links *links, struct err *e)
{
	(void)nf;
	(void)links;
	return hostport_iptables_check(owner, hp, e);
}

static int iptables_is_there(struct netfilter *nf, struct err *e)
{
	(void)nf;
	return hostport_iptables_status(e);
}

static const struct backend iptables = { .name = "iptables",
					 .add = add_iptables,
					 .check = check_iptables,
					 .status = iptables_is_there };

static bool is_asked_for(const struct portmap_conf *conf)
{
	return conf->backend && *conf->backend;
}

/* The one that was asked for, or that the configuration is written for: its
 * conditions, or a chain of iptables. */
static const struct backend *choose_backend(const struct portmap_conf *conf)
{
	bool is_iptables = is_asked_for(conf)
				   ? !strcmp(conf->backend, iptables.name)
				   : portmap_conf_is_iptables(conf) ||
					     conf->hp.set_mark_chain;

	return is_iptables ? &iptables : &nftables;
}

/* The same for what comes after ADD, which has found out whether the kernel has
 * nftables at all. */
static const struct backend *chosen_backend(struct netfilter *nf,
					    const struct portmap_conf *conf)
{
	const struct backend *backend = choose_backend(conf);

	if (backend == &nftables && !is_asked_for(conf) &&
	    nft_is_absent(backend->status(nf, NULL)))
		return &iptables;
	return backend;
}

/* Where nobody has asked for nftables and the kernel has none: iptables. */
static int add_to_backend(struct netfilter *nf, const struct owner *owner,
			  const struct portmap_conf *conf,
			  const struct hostport_links *links,
			  const struct backend **ret_backend, struct err *e)
{
	const struct backend *backend = choose_backend(conf);
	int r = backend->add(nf, owner, &conf->hp, links, e);

	if (r && backend == &nftables && !is_asked_for(conf) &&
	    nft_is_absent(backend->status(nf, NULL))) {
		backend = &iptables;
		r = backend->add(nf, owner, &conf->hp, links, e);
	}
	*ret_backend = backend;
	return r;
}

/* --- the link ------------------------------------------------------------ */

static const struct ip_prefix *container_of(const struct hostports *hp,
					    uint8_t family)
{
	return family == AF_INET ? &hp->v4 : &hp->v6;
}

static bool has_ports_for(const struct hostports *hp, uint8_t family)
{
	const struct ip_prefix *container =
		family == AF_INET ? &hp->v4 : &hp->v6;

	for (size_t i = 0; container->addr.family && i < hp->ports.n; i++)
		if (hostport_is_for(&hp->ports.v[i], family))
			return true;
	return false;
}

static const uint8_t families[] = { AF_INET, AF_INET6 };

/* The links to the container's addresses that have ports; index 0 for one that
 * is not on a link of the host, or of a family that the host does not speak. */
struct links {
	struct netns host;
	struct link v[2]; /* as families[] */
};

static int links_open(const struct hostports *hp, struct links *ret,
		      struct err *e)
{
	int r = hp->snat ? netns_open_own(&ret->host, e) : 0;

	for (size_t i = 0; !r && hp->snat && i < sizeof(families); i++)
		if (has_ports_for(hp, families[i]) &&
		    localnet_find_link(&ret->host,
				       &container_of(hp, families[i])->addr,
				       &ret->v[i], NULL))
			ret->v[i].index = 0;
	return r;
}

static struct hostport_links links_names(const struct links *links)
{
	struct hostport_links names = { 0 };

	for (size_t i = 0; i < sizeof(families); i++)
		if (links->v[i].index)
			memcpy(names.ifname[i], links->v[i].name,
			       sizeof(links->v[i].name));
	return names;
}

/* Let loopback addresses in, now that the guard stands. */
static int links_enable(const struct links *links, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++)
		if (links->v[i].index)
			r = localnet_enable(&links->host, families[i],
					    &links->v[i], e);
	return r;
}

static void links_close(struct links *links)
{
	netns_close(&links->host);
}

static inline void links_close_cleanup(struct links *links)
{
	links_close(links);
}

#define _links_ cleanup(links_close)

/* --- conversations ------------------------------------------------------- */

/* UDP has no end that conntrack could see: whoever goes on sending would go on
 * sending to where the port led before. Nothing depends on it, so a failure is
 * none of ADD's. */
static void forget_before_add(struct netfilter *nf, const struct hostports *hp,
			      uint8_t family)
{
	for (size_t i = 0; i < hp->ports.n; i++) {
		const struct hostport *port = &hp->ports.v[i];
		struct conntrack_filter filter = { .family = family,
						   .protocol = port->protocol,
						   .dport = port->host_port,
						   .daddr = port->host_ip };

		if (port->protocol != IPPROTO_UDP ||
		    !hostport_is_for(port, family))
			continue;
		if (hostport_is_any(port))
			filter.daddr.family = 0;
		conntrack_forget(nf, &filter, NULL);
	}
}

static void forget_after_del(struct netfilter *nf, const struct hostports *hp,
			     uint8_t family)
{
	const struct conntrack_filter filter = {
		.family = family,
		.protocol = IPPROTO_UDP,
		.replier = family == AF_INET ? hp->v4.addr : hp->v6.addr,
	};

	for (size_t i = 0; i < hp->ports.n; i++)
		if (hp->ports.v[i].protocol == IPPROTO_UDP) {
			conntrack_forget(nf, &filter, NULL);
			return;
		}
}

static void forget(struct netfilter *nf, const struct hostports *hp,
		   void (*of_family)(struct netfilter *,
				     const struct hostports *, uint8_t))
{
	for (size_t i = 0; i < sizeof(families); i++)
		if (has_ports_for(hp, families[i]))
			of_family(nf, hp, families[i]);
}

/* --- ADD, CHECK ---------------------------------------------------------- */

static int load(const struct cni_call *call, struct cni_result *prev,
		struct portmap_conf *conf, struct err *e)
{
	int r = cni_chained_result(call, prev, e);

	return r ? r : portmap_conf_load(call, prev, conf, e);
}

static int portmap_del(const struct cni_call *call, struct err *e);

/* Where the guard cannot be, loopback addresses stay out. */
static bool is_guarded(struct netfilter *nf, const struct backend *backend)
{
	return backend == &nftables || !hostport_guard(nf, NULL);
}

static int map_ports(const struct cni_call *call, struct portmap_conf *conf,
		     struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	_links_ struct links links = { .host = NETNS_NONE };
	const struct owner owner = cni_owner(call);
	const struct backend *backend = NULL;
	struct hostport_links names;
	int r = links_open(&conf->hp, &links, e);

	if (r)
		return r;
	names = links_names(&links);
	r = add_to_backend(&nf, &owner, conf, &names, &backend, e);
	if (r)
		return r;
	r = is_guarded(&nf, backend) ? links_enable(&links, e) : 0;
	if (r) {
		portmap_del(call, NULL);
		return r;
	}
	if (backend == &iptables)
		replay_write(call, plugin_portmap.name, NULL);
	forget(&nf, &conf->hp, forget_before_add);
	return 0;
}

static int portmap_add(const struct cni_call *call, struct cni_result *ret,
		       struct err *e)
{
	struct portmap_conf conf = { 0 };
	int r = load(call, ret, &conf, e);

	return r || !conf.hp.ports.n ? r : map_ports(call, &conf, e);
}

/* To ADD once more is no error. */
static int portmap_restore(const struct cni_call *call, struct err *e)
{
	struct cni_result prev = { 0 };

	return portmap_add(call, &prev, e);
}

static int portmap_check(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	_links_ struct links links = { .host = NETNS_NONE };
	const struct owner owner = cni_owner(call);
	struct hostport_links names;
	struct cni_result prev = { 0 };
	struct portmap_conf conf = { 0 };
	int r = load(call, &prev, &conf, e);

	if (r || !conf.hp.ports.n)
		return r;
	r = links_open(&conf.hp, &links, e);
	if (r)
		return r;
	names = links_names(&links);
	return chosen_backend(&nf, &conf)
		->check(&nf, &owner, &conf.hp, &names, e);
}

/* --- DEL, GC, STATUS ----------------------------------------------------- */

/* A configuration or a result that says nothing useful is no reason to leave
 * anything behind: what belongs to the attachment is then searched for. */
static int portmap_del(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	const struct owner owner = cni_owner(call);
	struct cni_result prev = { 0 };
	struct portmap_conf conf;
	int first, r;

	cni_prev_result(call, &prev, NULL);
	if (portmap_conf_load(call, &prev, &conf, NULL))
		memset(&conf, 0, sizeof(conf));
	first = hostport_iptables_del(&nf, &owner, e);
	r = reference_nft_del_hostports(&nf, &owner, first ? NULL : e);
	first = first ? first : r;
	r = hostport_del(&nf, &owner, first ? NULL : e);
	first = first ? first : r;
	replay_delete(call, plugin_portmap.name);
	forget(&nf, &conf.hp, forget_after_del);
	return first;
}

static int portmap_gc(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { .closes_late = true };
	const char *network = call->conf->name;
	struct owner *valid = NULL;
	size_t n;
	int first = cni_valid_owners(call, &valid, &n, e), r;

	if (first || !valid)
		return first;
	replay_gc(call, plugin_portmap.name, valid, n);
	first = hostport_gc(&nf, network, valid, n, e);
	r = hostport_iptables_gc(&nf, network, valid, n, first ? NULL : e);
	return first ? first : r;
}

static int portmap_status(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	const struct cni_result none = { 0 };
	struct portmap_conf conf;
	int r = portmap_conf_load(call, &none, &conf, e);

	if (r)
		return r;
	r = chosen_backend(&nf, &conf)->status(&nf, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_portmap = {
	.name = "portmap",
	.add = portmap_add,
	.del = portmap_del,
	.check = portmap_check,
	.gc = portmap_gc,
	.status = portmap_status,
	.restore = portmap_restore,
};
