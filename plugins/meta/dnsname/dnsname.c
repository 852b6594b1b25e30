// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dnsname: containers of a network find each other by name. The bridge's
 * addresses become their nameservers; a resolver, one a network, answers there
 * with the names that ADD has written down (hosts.h), and asks others for the
 * rest, unless the network has no way out.
 *
 * Chained behind bridge. ADD returns when the resolver answers with the new
 * names, DEL when it does not any more: the addresses may be another's next.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/replay.h"
#include "kernel/background.h"
#include "kernel/netns.h"
#include "meta/dnsname/ask.h"
#include "meta/dnsname/conf.h"
#include "meta/dnsname/domain.h"
#include "meta/dnsname/input.h"
#include "meta/dnsname/service.h"
#include "plugins.h"

#define NAME "dnsname"

/* --- what a call is about ------------------------------------------------------ */

static struct dns_input input_of(const struct dns_service *service)
{
	struct dns_input in = { .ifname = service->ifname };

	for (size_t i = 0; i < service->nameservers_n; i++)
		if (service->nameservers[i].addr.family == AF_INET)
			in.has4 = true;
		else
			in.has6 = true;
	return in;
}

/* Everything that ADD and CHECK need. */
static int load(const struct cni_call *call, struct dnsname_conf *conf,
		struct cni_result *prev, struct dns_service *service,
		struct err *e)
{
	int r = dnsname_conf_load(call, conf, e);

	if (!r)
		r = cni_chained_result(call, prev, e);
	if (!r && !prev->ips.n)
		return err_set(e, ERR_CONFIG, EADDRNOTAVAIL,
			       "no ip address was found in the network");
	return r ? r : dns_service_find(call, conf, prev, service, e);
}

/* --- changing the names ------------------------------------------------------ */

/* Whose lines a call is about. */
struct subject {
	const struct owner *owner;
	const struct cni_result *prev;
};

static bool has_address(const struct cni_result *prev, const struct ip_addr *a)
{
	for (size_t i = 0; i < prev->ips.n; i++)
		if (ip_equal(&prev->ips.v[i].address.addr, a))
			return true;
	return false;
}

/* Its own, and what has its addresses: another plugin's lines for it say no
 * more, and of others an address outlives nothing but a DEL that never came. */
static bool is_subjects(const struct dns_host *host, const void *arg)
{
	const struct subject *subject = arg;

	return owner_is(subject->owner, host->owner) ||
	       has_address(subject->prev, &host->addr);
}

/* On DEL, after which the addresses are another's. */
static bool was_subjects(const struct dns_host *host, const void *arg)
{
	const struct subject *subject = arg;

	return *host->owner ? owner_is(subject->owner, host->owner)
			    : has_address(subject->prev, &host->addr);
}

static int put_hosts(const struct cni_call *call,
		     const struct dnsname_conf *conf,
		     const struct cni_result *prev, struct dns_hosts *hosts,
		     struct err *e)
{
	const struct owner owner = cni_owner(call);
	const struct subject subject = { &owner, prev };
	int r = 0;

	dns_hosts_remove(hosts, is_subjects, &subject);
	for (size_t i = 0; !r && i < prev->ips.n; i++)
		r = dns_hosts_add(hosts, &prev->ips.v[i].address.addr,
				  conf->names.v, conf->names.n, &owner,
				  call->arena, e);
	return r;
}

/* Have the resolver answer with these names from now on. */
static int publish(const struct resolver *resolver,
		   const struct dns_network *net, const struct dns_hosts *hosts,
		   bool restart, struct arena *a, struct err *e)
{
	int r = dns_network_write_hosts(net, hosts, a, e);

	if (!r && resolver->write_hosts)
		r = resolver->write_hosts(net, hosts, a, e);
	return r ? r : resolver_run(resolver, net, restart, e);
}

/* A resolver that ends closes its sockets at once, but has gone only when the
 * kernel is done with its watch of resolv.conf, 10 to 20 ms later. Whoever comes
 * meanwhile waits for the lock, which the child has. */
static void delete_after(const struct dns_network *net, int process)
{
	const int keep[] = { net->dir, net->lock, process };
	const pid_t pid = background_begin(keep, 3);

	if (pid > 0)
		return;
	resolver_wait(process);
	dns_network_delete(net);
	if (!pid)
		_exit(0);
}

/* The network's last name has gone, and so does all that served it. */
static void end_network(const struct cni_call *call,
			const struct dns_network *net)
{
	_netfilter_ struct netfilter nf = { 0 };
	const struct resolver *resolver = resolver_of(net);
	_close_ int process = resolver ? resolver_end(resolver, net) : -1;
	const bool shares = !faccessat(net->dir, DNS_OTHERS, F_OK, 0);
	const char *all = dns_networks_path(call);

	dns_input_withdraw(&nf, net, NULL);
	dns_network_clear(net);
	if (process >= 0)
		delete_after(net, process);
	else
		dns_network_delete(net);
	if (shares && all)
		dns_domains_share(all);
}

/* Remove what @test says. A DEL has to go on whatever happens here. */
static void retract(const struct cni_call *call, const struct dns_network *net,
		    dns_host_test *test, const void *arg)
{
	struct dns_hosts hosts = { 0 };
	const struct resolver *resolver = resolver_of(net);
	bool removed;

	if (dns_network_read_hosts(net, 0, call->arena, &hosts, NULL))
		return;
	removed = dns_hosts_remove(&hosts, test, arg);
	if (!hosts.n)
		end_network(call, net);
	else if (removed && resolver)
		publish(resolver, net, &hosts, false, call->arena, NULL);
}

/* --- ADD ---------------------------------------------------------------------- */

/* Whichever resolver a network has it keeps to its last DEL. */
static int choose(const struct dns_network *net,
		  const struct dnsname_conf *conf, const struct resolver **ret,
		  struct err *e)
{
	*ret = resolver_of(net);
	return *ret ? 0 : resolver_choose(conf->resolver, ret, e);
}

/* Have the resolver's files say what it is to do, and those of others where this
 * domain is. */
static int configure(const struct cni_call *call, const struct dns_network *net,
		     const struct resolver *resolver,
		     const struct dns_service *service, bool *ret_restart,
		     struct err *e)
{
	const char *all = dns_networks_path(call);
	bool moved = false, ignored;
	int r = dns_domain_write(net, service, &moved, e);

	*ret_restart = moved && resolver->is_told_domain;
	if (!r)
		r = resolver->configure(net, service, ret_restart, call->arena,
					e);
	if (r || !moved || !service->multi_domain)
		return r;
	r = dns_network_write(net, DNS_OTHERS, "\n", &ignored, e);
	if (!r && all)
		dns_domains_share(all);
	return r;
}

static int serve(const struct cni_call *call, const struct dns_network *net,
		 const struct dnsname_conf *conf, const struct cni_result *prev,
		 const struct dns_service *service, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	const struct dns_input in = input_of(service);
	const struct resolver *resolver = NULL;
	struct dns_hosts hosts = { 0 };
	bool restart = false;
	int r = choose(net, conf, &resolver, e);

	if (!r)
		r = dns_network_read_hosts(net, prev->ips.n, call->arena,
					   &hosts, e);
	if (!r)
		r = put_hosts(call, conf, prev, &hosts, e);
	if (!r)
		r = dns_input_accept(&nf, net, &in, e);
	if (!r)
		r = configure(call, net, resolver, service, &restart, e);
	return r ? r : publish(resolver, net, &hosts, restart, call->arena, e);
}

/* Open the network, and have its resolver know the container. */
static int join(const struct cni_call *call, const struct dnsname_conf *conf,
		const struct cni_result *prev,
		const struct dns_service *service, struct err *e)
{
	_dns_network_ struct dns_network net = DNS_NETWORK_NONE;
	const struct owner owner = cni_owner(call);
	const struct subject subject = { &owner, prev };
	int r = dns_network_open(call, true, &net, e);

	if (r)
		return r;
	r = serve(call, &net, conf, prev, service, e);
	if (r)
		retract(call, &net, is_subjects, &subject);
	return r;
}

static bool has_text(const char *const *v, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i], text))
			return true;
	return false;
}

/* Ours come before those that there are. */
static int report(const struct cni_call *call,
		  const struct dns_service *service, struct cni_dns *dns,
		  struct err *e)
{
	const size_t n = service->nameservers_n;
	const char **servers = arena_array(call->arena, n + dns->nameservers.n,
					   sizeof(*servers)),
		   **search = arena_array(call->arena, dns->search.n + 1,
					  sizeof(*search));
	char text[IP_TEXT_MAX];
	size_t servers_n = 0;

	if (!servers || !search)
		return err_oom(e);
	for (; servers_n < n; servers_n++) {
		ip_text(&service->nameservers[servers_n].addr, text);
		servers[servers_n] = arena_strdup(call->arena, text);
		if (!servers[servers_n])
			return err_oom(e);
	}
	for (size_t i = 0; i < dns->nameservers.n; i++)
		if (!has_text(servers, n, dns->nameservers.v[i]))
			servers[servers_n++] = dns->nameservers.v[i];
	for (size_t i = 0; i < dns->search.n; i++)
		search[i] = dns->search.v[i];
	if (!has_text(search, dns->search.n, service->domain))
		search[dns->search.n++] = service->domain;
	dns->nameservers.v = servers;
	dns->nameservers.n = servers_n;
	dns->search.v = search;
	return 0;
}

static int dnsname_add(const struct cni_call *call, struct cni_result *ret,
		       struct err *e)
{
	struct dns_service service = { 0 };
	struct dnsname_conf conf;
	int r = load(call, &conf, ret, &service, e);

	if (!r)
		r = report(call, &service, &ret->dns, e);
	if (!r)
		r = join(call, &conf, ret, &service, e);
	if (!r)
		replay_write(call, NAME, ret);
	return r;
}

/* What cannot be put back now may be the next time. */
static int dnsname_restore(const struct cni_call *call, struct err *e)
{
	_dns_network_ struct dns_network net = DNS_NETWORK_NONE;
	struct cni_result prev = { 0 };
	struct dns_service service = { 0 };
	struct dnsname_conf conf;
	int r = load(call, &conf, &prev, &service, e);

	if (!r)
		r = dns_network_open(call, true, &net, e);
	return r ? r : serve(call, &net, &conf, &prev, &service, e);
}

/* --- DEL, GC -------------------------------------------------------------------- */

static int dnsname_del(const struct cni_call *call, struct err *e)
{
	_dns_network_ struct dns_network net = DNS_NETWORK_NONE;
	const struct owner owner = cni_owner(call);
	struct cni_result prev = { 0 };
	const struct subject subject = { &owner, &prev };

	(void)e;
	replay_delete(call, NAME);
	if (dns_network_open(call, false, &net, NULL))
		return 0;
	if (call->conf->prev_result && cni_prev_result(call, &prev, NULL))
		prev = (struct cni_result){ 0 };
	retract(call, &net, was_subjects, &subject);
	return 0;
}

struct valid {
	const char *network;
	struct owner *v;
	size_t n;
};

static bool is_stale(const struct dns_host *host, const void *arg)
{
	const struct valid *valid = arg;

	return owner_is_stale(valid->network, valid->v, valid->n, host->owner);
}

static int dnsname_gc(const struct cni_call *call, struct err *e)
{
	_dns_network_ struct dns_network net = DNS_NETWORK_NONE;
	struct valid valid = { .network = call->conf->name };
	int r = cni_valid_owners(call, &valid.v, &valid.n, e);

	if (r || !valid.v)
		return r;
	replay_gc(call, NAME, valid.v, valid.n);
	r = dns_network_open(call, false, &net, e);
	if (!r)
		retract(call, &net, is_stale, &valid);
	return r == -ENOENT ? 0 : r;
}

/* --- CHECK, STATUS ---------------------------------------------------------------- */

static const struct dns_host *find_host(const struct dns_hosts *hosts,
					const struct owner *owner,
					const struct ip_addr *addr)
{
	for (size_t i = 0; i < hosts->n; i++)
		if (ip_equal(&hosts->v[i].addr, addr) &&
		    owner_is(owner, hosts->v[i].owner))
			return &hosts->v[i];
	return NULL;
}

/* Ask from the container, as it would. */
static int check_answer(const struct cni_call *call,
			const struct dns_network *net,
			const struct dns_host *host, struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;
	const char *domain = NULL, *name = dns_host_name(host, call->arena);
	struct ip_addr server = { 0 };
	int r;

	if (!dns_domain_read(net, call->arena, &domain, &server))
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "network \"%s\" has no domain", net->name);
	name = name ? arena_printf(call->arena, "%s.%s", name, domain) : NULL;
	if (!name)
		return err_oom(e);
	r = netns_open(call->args->netns, &ns, e);
	return r ? r : dns_ask(&ns, &server, name, &host->addr, e);
}

static int check_resolver(const struct dns_network *net, struct err *e)
{
	const struct resolver *resolver = resolver_of(net);

	if (!resolver)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "dnsmasq.conf file missing from configuration");
	if (!resolver_is_running(resolver, net))
		return err_set(e, ERR_MISMATCH, ESRCH,
			       "%s instance not running", resolver->name);
	return 0;
}

static int check_nameservers(const struct dns_service *service,
			     const struct cni_dns *dns, struct err *e)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < service->nameservers_n; i++) {
		ip_text(&service->nameservers[i].addr, text);
		if (!has_text(dns->nameservers.v, dns->nameservers.n, text))
			return err_set(
				e, ERR_MISMATCH, ENOENT,
				"prevResult does not have nameserver %s of bridge %s",
				text, service->ifname);
	}
	return 0;
}

static int check_network(const struct cni_call *call,
			 const struct cni_result *prev, struct err *e)
{
	_dns_network_ struct dns_network net = DNS_NETWORK_NONE;
	const struct owner owner = cni_owner(call);
	const struct dns_host *host;
	struct dns_hosts hosts = { 0 };
	char text[IP_TEXT_MAX];
	int r = dns_network_open(call, false, &net, e);

	if (r == -ENOENT)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "network \"%s\" has no resolver",
			       call->conf->name);
	if (!r)
		r = check_resolver(&net, e);
	if (!r)
		r = dns_network_read_hosts(&net, 0, call->arena, &hosts, e);
	for (size_t i = 0; !r && i < prev->ips.n; i++) {
		const struct ip_addr *addr = &prev->ips.v[i].address.addr;

		host = find_host(&hosts, &owner, addr);
		r = host ? check_answer(call, &net, host, e)
			 : err_set(e, ERR_MISMATCH, ENOENT,
				   "address %s has no name in \"%s/" DNS_HOSTS
				   "\"",
				   ip_text(addr, text), net.path);
	}
	return r;
}

static int dnsname_check(const struct cni_call *call, struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct cni_result prev = { 0 };
	struct dns_service service = { 0 };
	struct dnsname_conf conf;
	struct dns_input in;
	int r = load(call, &conf, &prev, &service, e);

	if (!r)
		r = check_nameservers(&service, &prev.dns, e);
	if (r)
		return r;
	in = input_of(&service);
	r = dns_input_check(&nf, &in, e);
	return r ? r : check_network(call, &prev, e);
}

static int dnsname_status(const struct cni_call *call, struct err *e)
{
	const struct resolver *resolver = NULL;
	struct dnsname_conf conf = { 0 };
	int r = dnsname_conf_load(call, &conf, e);

	if (!r)
		r = resolver_choose(conf.resolver, &resolver, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_dnsname = {
	.name = NAME,
	.add = dnsname_add,
	.del = dnsname_del,
	.check = dnsname_check,
	.gc = dnsname_gc,
	.status = dnsname_status,
	.restore = dnsname_restore,
};
