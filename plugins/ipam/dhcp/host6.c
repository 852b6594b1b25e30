// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/host6.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 4861, 10 has 4 s between solicitations; the first follow sooner. */
#define SOLICIT_FIRST_MS 1000
#define SOLICIT_LAST_MS	 4000

/* The kernel's news are listened for only for a while: then it is looked again. */
#define LOOK_AGAIN_MS 4000

/* An address is worth having without DNS from a server: it is asked twice. */
#define INFORM_MS 2500

/* Of the prefixes the kernel takes those of 64 bits, which is what an interface
 * identifier leaves (net/ipv6/addrconf.c). */
#define AUTOCONF_LEN 64

static const struct ip_addr all_routers = { AF_INET6,
					    { 0xff, 0x02, [15] = 0x02 } };

void host6_init(struct host6 *h, const struct host6_conf *conf)
{
	*h = (struct host6){ .conf = *conf };
	client6_init(&h->client, &conf->client);
}

/* --- time ---------------------------------------------------------------- */

static void set_deadline(struct host6 *h)
{
	const uint64_t times[] = { h->give_up_at_ms, h->solicit_at_ms,
				   h->inform_until_ms, h->client.deadline_ms };

	h->deadline_ms = 0;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		if (times[i] && (!h->deadline_ms || times[i] < h->deadline_ms))
			h->deadline_ms = times[i];
}

static bool is_due(uint64_t at_ms, uint64_t now_ms)
{
	return at_ms && now_ms >= at_ms;
}

/* --- steps --------------------------------------------------------------- */

static void solicit(struct host6 *h, uint64_t now_ms, struct dhcp_packet *out)
{
	h->state = HOST6_ROUTER;
	out->len = radv_write_solicit(h->conf.mac, out->data);
	out->unicast = false;
	out->to = all_routers;
	h->solicit_rt_ms =
		h->solicit_rt_ms ? h->solicit_rt_ms * 2 : SOLICIT_FIRST_MS;
	if (h->solicit_rt_ms > SOLICIT_LAST_MS)
		h->solicit_rt_ms = SOLICIT_LAST_MS;
	h->solicit_at_ms = now_ms + h->solicit_rt_ms;
}

/* Do what the router has said. */
static void configure(struct host6 *h, uint64_t now_ms, struct dhcp_packet *out)
{
	h->state = HOST6_CONFIGURE;
	h->solicit_at_ms = h->radv.managed ? 0 : now_ms + LOOK_AGAIN_MS;
	h->managed = h->radv.managed;
	h->dns = h->radv.dns;
	if (!h->radv.managed && !h->radv.other)
		return;
	h->client.conf.stateless = !h->radv.managed;
	if (!h->radv.managed)
		h->inform_until_ms = now_ms + INFORM_MS;
	client6_start(&h->client, now_ms, out);
}

static enum dhcp_event bound(struct host6 *h)
{
	h->state = HOST6_BOUND;
	h->give_up_at_ms = h->solicit_at_ms = h->inform_until_ms = 0;
	if (!h->managed)
		h->client.deadline_ms = 0;
	return DHCP_BOUND;
}

static bool is_autoconf(const struct radv_prefix *p)
{
	return p->autoconf && p->valid_s && p->prefix.len == AUTOCONF_LEN;
}

static bool has_all_addresses(const struct host6 *h)
{
	size_t missing = 0;

	for (size_t i = 0; i < h->radv.prefixes_n; i++) {
		const struct radv_prefix *p = &h->radv.prefixes[i];
		bool found = !is_autoconf(p);

		for (size_t k = 0; k < h->addrs_n && !found; k++)
			found = prefix_contains(&p->prefix, &h->addrs[k].addr);
		missing += !found;
	}
	return h->addrs_n && !missing;
}

static bool is_configured(const struct host6 *h)
{
	if (h->managed)
		return h->client.lease.addrs_n;
	return has_all_addresses(h) &&
	       (!h->inform_until_ms || !client6_is_talking(&h->client));
}

/* --- what the kernel has ------------------------------------------------- */

static bool is_settled(const struct addr *a)
{
	return !(a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

static bool has_link_local(const struct addr *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].prefix.addr.family == AF_INET6 &&
		    ip_is_link_local(&v[i].prefix.addr) && is_settled(&v[i]))
			return true;
	return false;
}

/* One that is nobody's own choice and does not change by itself. */
static bool is_made_of(const struct radv *radv, const struct addr *a)
{
	if (a->flags & (IFA_F_PERMANENT | IFA_F_TEMPORARY))
		return false;
	for (size_t i = 0; i < radv->prefixes_n; i++)
		if (is_autoconf(&radv->prefixes[i]) &&
		    prefix_contains(&radv->prefixes[i].prefix, &a->prefix.addr))
			return true;
	return false;
}

static void collect_addresses(struct host6 *h, const struct addr *v, size_t n)
{
	h->addrs_n = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].prefix.addr.family == AF_INET6 && is_settled(&v[i]) &&
		    is_made_of(&h->radv, &v[i]) &&
		    h->addrs_n < RADV_PREFIXES_MAX)
			h->addrs[h->addrs_n++] = v[i].prefix;
}

static enum dhcp_event look_for_duplicate(struct host6 *h, const struct addr *v,
					  size_t n)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		if (v[i].flags & IFA_F_DADFAILED) {
			err_set(&h->err, ERR_EXISTS, EADDRINUSE,
				"address %s is in use elsewhere on the network",
				prefix_text(&v[i].prefix, text));
			return DHCP_FAILED;
		}
	return DHCP_NOTHING;
}

enum dhcp_event host6_look(struct host6 *h, uint64_t now_ms,
			   const struct addr *addrs, size_t n,
			   struct dhcp_packet *out)
{
	enum dhcp_event event = DHCP_NOTHING;

	if (h->state == HOST6_IDLE || h->state == HOST6_BOUND)
		return DHCP_NOTHING;
	if (h->state == HOST6_ATTACH && has_link_local(addrs, n)) {
		if (h->has_radv)
			configure(h, now_ms, out);
		else
			solicit(h, now_ms, out);
	}
	if (h->state == HOST6_CONFIGURE && !h->managed)
		collect_addresses(h, addrs, n);
	if (h->state == HOST6_CONFIGURE && is_configured(h))
		event = bound(h);
	else
		event = look_for_duplicate(h, addrs, n);
	set_deadline(h);
	return event;
}

/* --- what the network says ----------------------------------------------- */

void host6_advertised(struct host6 *h, uint64_t now_ms, const struct radv *radv,
		      const struct ip_addr *router, struct dhcp_packet *out)
{
	if ((h->state != HOST6_ATTACH && h->state != HOST6_ROUTER) ||
	    h->has_radv)
		return;
	if (!radv->managed && !radv_has_autoconf(radv)) {
		h->useless = *router;
		return;
	}
	h->has_radv = true;
	h->radv = *radv;
	if (radv->router_s)
		h->router = *router;
	if (h->state == HOST6_ROUTER)
		configure(h, now_ms, out);
	set_deadline(h);
}

/* Before it is bound, a client that has lost or changed what it never reported
 * has nothing to report. */
static enum dhcp_event take_client_event(struct host6 *h, enum dhcp_event event)
{
	if (h->state == HOST6_CONFIGURE)
		event = is_configured(h) ? bound(h) : DHCP_NOTHING;
	else if (!h->managed)
		event = DHCP_NOTHING;
	set_deadline(h);
	return event;
}

enum dhcp_event host6_receive(struct host6 *h, uint64_t now_ms,
			      const uint8_t *data, size_t len,
			      struct dhcp_packet *out)
{
	return take_client_event(
		h, client6_receive(&h->client, now_ms, data, len, out));
}

/* --- time ---------------------------------------------------------------- */

static int explain(struct host6 *h, unsigned long long s)
{
	const char *refusal = client6_refusal(&h->client);
	char text[IP_TEXT_MAX];

	if (h->state == HOST6_ATTACH)
		return err_set(&h->err, ERR_TRY_AGAIN, ETIMEDOUT,
			       "no link-local IPv6 address in %llu s", s);
	if (h->state == HOST6_ROUTER && h->useless.family)
		return err_set(
			&h->err, ERR_TRY_AGAIN, ETIMEDOUT,
			"IPv6 router %s announces neither DHCPv6 nor a prefix to make an address of",
			ip_text(&h->useless, text));
	if (h->state == HOST6_ROUTER)
		return err_set(&h->err, ERR_TRY_AGAIN, ETIMEDOUT,
			       "no IPv6 router has answered in %llu s", s);
	if (!h->managed)
		return err_set(
			&h->err, ERR_TRY_AGAIN, ETIMEDOUT,
			"the kernel has made no address of the prefix of router %s in %llu s",
			ip_text(&h->router, text), s);
	if (*refusal)
		return err_set(&h->err, ERR_TRY_AGAIN, ETIMEDOUT,
			       "the DHCPv6 server has refused: %s", refusal);
	return err_set(&h->err, ERR_TRY_AGAIN, ETIMEDOUT,
		       "no DHCPv6 server has answered in %llu s", s);
}

static enum dhcp_event give_up(struct host6 *h)
{
	explain(h, h->conf.give_up_ms / 1000);
	h->state = HOST6_IDLE;
	h->give_up_at_ms = h->solicit_at_ms = h->inform_until_ms = 0;
	client6_init(&h->client, &h->conf.client);
	set_deadline(h);
	return DHCP_FAILED;
}

enum dhcp_event host6_timeout(struct host6 *h, uint64_t now_ms,
			      struct dhcp_packet *out)
{
	enum dhcp_event event = DHCP_NOTHING;

	out->len = 0;
	if (is_due(h->give_up_at_ms, now_ms))
		return give_up(h);
	if (is_due(h->solicit_at_ms, now_ms) && h->state == HOST6_ROUTER)
		solicit(h, now_ms, out);
	else if (is_due(h->solicit_at_ms, now_ms))
		h->solicit_at_ms = now_ms + LOOK_AGAIN_MS;
	if (is_due(h->inform_until_ms, now_ms)) {
		h->inform_until_ms = 0;
		client6_init(&h->client, &h->conf.client);
	}
	if (is_due(h->client.deadline_ms, now_ms))
		event = client6_timeout(&h->client, now_ms, out);
	return take_client_event(h, event);
}

/* --- the machine's other ends -------------------------------------------- */

void host6_start(struct host6 *h, uint64_t now_ms)
{
	h->state = HOST6_ATTACH;
	h->solicit_at_ms = now_ms + LOOK_AGAIN_MS;
	h->give_up_at_ms = h->conf.give_up_ms ? now_ms + h->conf.give_up_ms : 0;
	set_deadline(h);
}

void host6_resume(struct host6 *h, uint64_t now_ms, struct dhcp_packet *out)
{
	out->len = 0;
	h->state = HOST6_BOUND;
	if (h->managed)
		client6_start(&h->client, now_ms, out);
	set_deadline(h);
}

bool host6_release(struct host6 *h, uint64_t now_ms, struct dhcp_packet *out)
{
	bool sends = client6_release(&h->client, now_ms, out);

	h->state = HOST6_IDLE;
	h->give_up_at_ms = h->solicit_at_ms = h->inform_until_ms = 0;
	set_deadline(h);
	return sends;
}

bool host6_is_talking(const struct host6 *h)
{
	return (h->state != HOST6_IDLE && h->state != HOST6_BOUND) ||
	       client6_is_talking(&h->client);
}

bool host6_has_lease(const struct host6 *h)
{
	return h->state == HOST6_BOUND &&
	       (h->managed ? h->client.lease.addrs_n : h->addrs_n);
}
