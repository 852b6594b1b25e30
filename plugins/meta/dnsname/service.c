// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/service.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>

#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/netns.h"

static bool is_given(const char *s)
{
	return s && *s;
}

/* The host's interface that containers have behind theirs: the bridge. A veth's
 * end is one container's alone. */
static int find_bridge(const struct netns *host, const struct cni_result *prev,
		       struct link *ret, struct err *e)
{
	for (size_t i = 0; i < prev->interfaces.n; i++) {
		const struct cni_interface *iface = &prev->interfaces.v[i];

		if (is_given(iface->sandbox) || !is_given(iface->name))
			continue;
		if (!link_get(host, iface->name, ret, NULL) &&
		    strcmp(ret->kind, "veth") != 0)
			return 0;
	}
	return err_set(
		e, ERR_CONFIG, ENODEV,
		"prevResult has no bridge of the host, where a resolver could be asked");
}

static bool is_in_subnet(const struct ip_prefix *p,
			 const struct cni_result *prev)
{
	for (size_t i = 0; i < prev->ips.n; i++)
		if (prefix_contains(p, &prev->ips.v[i].address.addr))
			return true;
	return false;
}

/* Those of the interface's addresses that the container is in one subnet with;
 * there may be none. */
static int find_nameservers(const struct netns *host, int ifindex,
			    const struct cni_result *prev, struct arena *a,
			    struct dns_service *ret, struct err *e)
{
	struct addr *v = NULL;
	size_t n = 0;
	int r = addr_list(host, ifindex, a, &v, &n, e);

	if (r)
		return r;
	ret->nameservers = arena_array(a, n, sizeof(*ret->nameservers));
	if (!ret->nameservers)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (!(v[i].flags & IFA_F_DADFAILED) &&
		    is_in_subnet(&v[i].prefix, prev))
			ret->nameservers[ret->nameservers_n++] = v[i].prefix;
	return 0;
}

static bool is_gateway(const struct ip_addr *addr,
		       const struct cni_result *prev)
{
	for (size_t i = 0; i < prev->ips.n; i++)
		if (ip_equal(addr, &prev->ips.v[i].gateway))
			return true;
	return false;
}

/* The host's interface with the container's gateway: in a VLAN of the bridge
 * ("vlan") it is not the bridge, and prevResult does not name it. @ret stays
 * where there is none. */
static int find_gateway(const struct netns *host, const struct cni_result *prev,
			struct arena *a, struct link *ret, struct err *e)
{
	struct addr *v = NULL;
	size_t n = 0;
	int r = addr_list(host, 0, a, &v, &n, e);

	for (size_t i = 0; !r && i < n; i++)
		if (is_gateway(&v[i].prefix.addr, prev))
			return link_get_index(host, v[i].ifindex, ret, e);
	return r;
}

static int find_listener(const struct netns *host,
			 const struct cni_result *prev, struct arena *a,
			 struct dns_service *ret, struct err *e)
{
	struct link bridge = { 0 }, link;
	int r = find_bridge(host, prev, &bridge, e);

	link = bridge;
	if (!r)
		r = find_nameservers(host, link.index, prev, a, ret, e);
	if (!r && !ret->nameservers_n)
		r = find_gateway(host, prev, a, &link, e);
	if (!r && !ret->nameservers_n)
		r = find_nameservers(host, link.index, prev, a, ret, e);
	if (r)
		return r;
	if (!ret->nameservers_n)
		return err_set(
			e, ERR_CONFIG, EADDRNOTAVAIL,
			"bridge %s has no address that the container could ask for names (\"isGateway\" gives it one)",
			bridge.name);
	ret->ifname = arena_strdup(a, link.name);
	return ret->ifname ? 0 : err_oom(e);
}

static bool has_default_route(const struct cni_result *prev)
{
	for (size_t i = 0; i < prev->routes.n; i++)
		if (prefix_is_default(&prev->routes.v[i].dst))
			return true;
	return false;
}

int dns_service_find(const struct cni_call *call,
		     const struct dnsname_conf *conf,
		     const struct cni_result *prev, struct dns_service *ret,
		     struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	int r = netns_open_own(&host, e);

	*ret = (struct dns_service){
		.domain = conf->domain,
		.remote_servers = conf->remote_servers.v,
		.remote_servers_n = conf->remote_servers.n,
		.internal = conf->internal < 0 ? !has_default_route(prev)
					       : conf->internal,
		.multi_domain = conf->multi_domain,
	};
	return r ? r : find_listener(&host, prev, call->arena, ret, e);
}
