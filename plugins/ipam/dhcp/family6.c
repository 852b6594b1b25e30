// SPDX-License-Identifier: GPL-2.0-or-later
/* IPv6 as a half of a lease: machine, sockets and contents together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ipam/dhcp/family.h"
#include "ipam/dhcp/host6.h"
#include "ipam/dhcp/link6.h"
#include "ipam/dhcp/saved6.h"
#include "kernel/addr.h"
#include "kernel/sysctl.h"

struct state6 {
	struct host6 host;
	struct link6 link;
	char ifname[IFNAMSIZ]; /* the scope of link-local servers */
};

static uint32_t random_number(void *arg)
{
	uint32_t n = 0;

	(void)arg;
	if (getrandom(&n, sizeof(n), 0) < 0)
		abort(); /* with flags 0 there is no reason for it */
	return n;
}

static void init(void *state, const struct dhcp_conf *conf,
		 const struct dhcp_timing *timing, const struct link *link)
{
	struct state6 *s = state;
	struct host6_conf c = {
		.client = { .duid = conf->duid,
			    .iaid = conf->iaid,
			    .random = random_number },
		.give_up_ms = timing->give_up_ms,
	};

	memcpy(c.mac, link->mac, MAC_LEN);
	memcpy(s->ifname, link->name, sizeof(s->ifname));
	host6_init(&s->host, &c);
	s->link = (struct link6)LINK6_CLOSED;
}

/* Before the interface comes up: the kernel is to take what routers say, also
 * in a container that forwards (accept_ra 2). */
static int prepare(const struct dhcp_place *place, struct err *e)
{
	static const struct {
		const char *key, *value;
	} settings[] = {
		{ "accept_ra", "2" },
		{ "autoconf", "1" },
		{ "disable_ipv6", "0" },
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(settings) / sizeof(*settings); i++)
		r = sysctl_set(&place->ns, AF_INET6, place->link.name,
			       settings[i].key, settings[i].value, e);
	return r;
}

static int load(void *state, const cJSON *from)
{
	struct state6 *s = state;

	return saved6_get(from, &s->host);
}

static void save(const void *state, cJSON *into)
{
	const struct state6 *s = state;

	saved6_put(&s->host, into);
}

/* --- steps ----------------------------------------------------------------- */

/* The machine begins with what the kernel has, and ends with it. The sockets are
 * there before it looks, so that nothing falls between. */
static enum dhcp_event look(struct state6 *s, const struct dhcp_place *place,
			    uint64_t now_ms, struct dhcp_packet *out)
{
	_arena_ struct arena a = { 0 };
	struct addr *v;
	size_t n;

	if (s->host.state == HOST6_IDLE || s->host.state == HOST6_BOUND ||
	    !place)
		return DHCP_NOTHING;
	link6_forget_news(&s->link);
	if (link6_open_router(&s->link, &place->ns, &place->link,
			      &s->host.err) ||
	    addr_list(&place->ns, place->link.index, &a, &v, &n, &s->host.err))
		return DHCP_FAILED;
	return host6_look(&s->host, now_ms, v, n, out);
}

static enum dhcp_event start(void *state, const struct dhcp_place *place,
			     uint64_t now_ms, struct dhcp_packet *out)
{
	struct state6 *s = state;

	out->len = 0;
	host6_start(&s->host, now_ms);
	return look(s, place, now_ms, out);
}

/* One that has been lost meanwhile is looked for without end: the container is
 * there and needs an address. */
static enum dhcp_event resume(void *state, const struct dhcp_place *place,
			      uint64_t now_ms, struct dhcp_packet *out)
{
	struct state6 *s = state;

	(void)place;
	s->host.conf.give_up_ms = 0;
	host6_resume(&s->host, now_ms, out);
	return DHCP_NOTHING;
}

static enum dhcp_event timeout(void *state, const struct dhcp_place *place,
			       uint64_t now_ms, struct dhcp_packet *out)
{
	struct state6 *s = state;
	enum dhcp_event event = host6_timeout(&s->host, now_ms, out);

	return event == DHCP_NOTHING ? look(s, place, now_ms, out) : event;
}

/* All that there is of advertisements, since one that is of no use may be
 * followed by one that is. */
static void receive_radv(struct state6 *s, uint64_t now_ms,
			 struct dhcp_packet *out)
{
	uint8_t buf[LINK6_DATAGRAM_MAX];
	struct ip_addr from;
	struct radv radv;
	ssize_t n;

	while ((n = link6_receive_radv(&s->link, buf, &from)) >= 0)
		if (n && !radv_read(buf, (size_t)n, &radv))
			host6_advertised(&s->host, now_ms, &radv, &from, out);
}

static enum dhcp_event receive(void *state, const struct dhcp_place *place,
			       uint64_t now_ms, struct dhcp_packet *out)
{
	struct state6 *s = state;
	uint8_t buf[LINK6_DATAGRAM_MAX];
	ssize_t n = link6_receive_dhcp(&s->link, buf);

	out->len = 0;
	if (n > 0)
		return host6_receive(&s->host, now_ms, buf, (size_t)n, out);
	receive_radv(s, now_ms, out);
	return look(s, place, now_ms, out);
}

static bool release(void *state, uint64_t now_ms, struct dhcp_packet *out)
{
	struct state6 *s = state;

	return host6_release(&s->host, now_ms, out);
}

static uint64_t deadline(const void *state)
{
	const struct state6 *s = state;

	return s->host.deadline_ms;
}

static bool is_talking(const void *state)
{
	const struct state6 *s = state;

	return host6_is_talking(&s->host);
}

static bool has_lease(const void *state)
{
	const struct state6 *s = state;

	return host6_has_lease(&s->host);
}

static const struct err *get_err(const void *state)
{
	const struct state6 *s = state;

	return &s->host.err;
}

/* --- sockets --------------------------------------------------------------- */

static int send_packet(void *state, const struct dhcp_place *place,
		       const struct dhcp_packet *packet, struct err *e)
{
	struct state6 *s = state;
	int r = s->host.state == HOST6_ROUTER
			? link6_open_router(&s->link, &place->ns, &place->link,
					    e)
			: link6_open_dhcp(&s->link, &place->ns, &place->link,
					  e);

	return r ? r : link6_send(&s->link, &place->link, packet, e);
}

static int get_fd(const void *state)
{
	const struct state6 *s = state;

	return s->link.fd;
}

static void close_link(void *state)
{
	struct state6 *s = state;

	link6_close(&s->link);
}

/* --- contents -------------------------------------------------------------- */

static int put_ip(const struct state6 *s, const struct ip_prefix *prefix,
		  struct arena *a, struct cni_result *ret)
{
	struct cni_ip *ip = cni_result_add_ip(ret, a);

	if (!ip)
		return -ENOMEM;
	ip->address = *prefix;
	ip->gateway = s->host.router;
	return 0;
}

/* A DHCPv6 server says nothing about subnets: what is on the link comes from
 * the router, and is the kernel's matter (RFC 8415, 18.2.10.1). */
static int put_ips(const struct state6 *s, struct arena *a,
		   struct cni_result *ret)
{
	const struct lease6 *lease = &s->host.client.lease;
	int r = 0;

	for (size_t i = 0; !r && s->host.managed && i < lease->addrs_n; i++) {
		const struct ip_prefix prefix = { lease->addrs[i].addr, 128 };

		r = put_ip(s, &prefix, a, ret);
	}
	for (size_t i = 0; !r && !s->host.managed && i < s->host.addrs_n; i++)
		r = put_ip(s, &s->host.addrs[i], a, ret);
	return r;
}

typedef LIST(const char *) names;

static int put_name(names *list, const char *name, struct arena *a)
{
	const char **v = arena_array(a, list->n + 1, sizeof(*v));

	if (!v || !name)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->v[i], name))
			return 0;
		v[i] = list->v[i];
	}
	v[list->n] = name;
	list->v = v;
	list->n++;
	return 0;
}

static int put_dns(const struct state6 *s, const struct dhcp6_dns *dns,
		   struct arena *a, struct cni_dns *ret)
{
	names servers = { ret->nameservers.v, ret->nameservers.n };
	names search = { ret->search.v, ret->search.n };
	char *words = arena_strdup(a, dns->search.text);
	char text[IP_TEXT_MAX];
	const char *word;
	int r = words ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < dns->servers_n; i++) {
		const struct ip_addr *server = &dns->servers[i];
		const bool local = ip_is_link_local(server);

		r = put_name(&servers,
			     arena_printf(a, "%s%s%s", ip_text(server, text),
					  local ? "%" : "",
					  local ? s->ifname : ""),
			     a);
	}
	while (!r && (word = strsep(&words, " ")))
		if (*word)
			r = put_name(&search, word, a);
	ret->nameservers.v = servers.v;
	ret->nameservers.n = servers.n;
	ret->search.v = search.v;
	ret->search.n = search.n;
	return r;
}

static int result(const void *state, struct arena *a, struct cni_result *ret,
		  struct err *e)
{
	const struct state6 *s = state;
	int r = put_ips(s, a, ret);

	if (!r)
		r = put_dns(s, &s->host.client.lease.dns, a, &ret->dns);
	if (!r)
		r = put_dns(s, &s->host.dns, a, &ret->dns);
	return r ? err_oom(e) : 0;
}

const struct dhcp_family dhcp_family6 = {
	.name = "ipv6",
	.choice = DHCP_IPV6,
	.size = sizeof(struct state6),
	.prepare = prepare,
	.init = init,
	.load = load,
	.save = save,
	.start = start,
	.resume = resume,
	.timeout = timeout,
	.receive = receive,
	.release = release,
	.deadline = deadline,
	.is_talking = is_talking,
	.has_lease = has_lease,
	.err = get_err,
	.send = send_packet,
	.fd = get_fd,
	.close = close_link,
	.result = result,
};
