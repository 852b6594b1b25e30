// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 *	start → SOLICIT → REQUEST → BOUND → RENEW → REBIND → (expired) SOLICIT
 *	           └── rapid commit ──→┘ ←──────┴───────┘
 *
 * A state other than IDLE and BOUND is an exchange: a message, sent again with
 * growing distance (RFC 8415, 15) until an answer to its transaction comes or
 * its end is reached. timer_ms is when the state goes on by itself; deadline_ms
 * is that or, if earlier, the end of an address.
 *
 * From the RFC it departs in two things. The first Solicit is not held back (up
 * to 1 s): someone is waiting for the container. And with leases of seconds,
 * where the RFC's first repetition of a Renew, after 10 s, comes too late to be
 * of use, half of the time left is waited for, as DHCPv4 does.
 */
#include "ipam/dhcp/client6.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND 1000U
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

#define RETRY_SHORTEST_MS  SECOND
#define RENEW_SOONEST_MS   500
#define REFUSALS_MAX	   6 /* 64 s between attempts that are refused */
#define PREFERENCE_AT_ONCE 255

/* RFC 8415, 7.6: first and longest distance, and how often; 0: no end. */
static const struct exchange {
	uint8_t type;
	uint32_t irt_ms, mrt_ms, mrc;
} exchanges[] = {
	[CLIENT6_SOLICIT] = { DHCP6_SOLICIT, SECOND, HOUR, 0 },
	[CLIENT6_REQUEST] = { DHCP6_REQUEST, SECOND, 30 * SECOND, 10 },
	[CLIENT6_RENEW] = { DHCP6_RENEW, 10 * SECOND, 10 * MINUTE, 0 },
	[CLIENT6_REBIND] = { DHCP6_REBIND, 10 * SECOND, 10 * MINUTE, 0 },
	[CLIENT6_RELEASE] = { DHCP6_RELEASE, SECOND, 0, 4 },
	[CLIENT6_INFORM] = { DHCP6_INFORMATION_REQUEST, SECOND, HOUR, 0 },
};

/* --- time ---------------------------------------------------------------- */

static uint32_t draw(struct client6 *c)
{
	return c->conf.random(c->conf.random_arg);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set_deadline(struct client6 *c)
{
	c->deadline_ms = c->timer_ms;
	if (c->state != CLIENT6_RELEASE)
		c->deadline_ms =
			earlier(c->timer_ms, lease6_first_end(&c->lease));
	if (c->deadline_ms == DHCP_NEVER)
		c->deadline_ms = 0;
}

/* When this exchange has to make room for the next. */
static uint64_t exchange_end(const struct client6 *c)
{
	if (c->state == CLIENT6_RENEW)
		return c->lease.t2_ms;
	return c->state == CLIENT6_REBIND ? lease6_last_end(&c->lease)
					  : DHCP_NEVER;
}

static uint32_t longest_rt(const struct client6 *c)
{
	if (c->state == CLIENT6_SOLICIT && c->sol_max_rt_s)
		return c->sol_max_rt_s * SECOND;
	if (c->state == CLIENT6_INFORM && c->inf_max_rt_s)
		return c->inf_max_rt_s * SECOND;
	return exchanges[c->state].mrt_ms;
}

/* A tenth more or less, more only for the first Solicit: RFC 8415, 18.2.1. */
static uint32_t spread(struct client6 *c, uint32_t ms)
{
	bool first = c->state == CLIENT6_SOLICIT && !c->rt_ms;
	int64_t r = first ? 1001 + draw(c) % 1000 : draw(c) % 2001;

	return (uint32_t)(ms + ms * (r - 1000) / 10000);
}

/* RFC 8415, 15. */
static void set_timer(struct client6 *c, uint64_t now_ms)
{
	uint32_t longest = longest_rt(c);
	uint64_t end = exchange_end(c), left = end - earlier(now_ms, end);

	if (!c->rt_ms)
		c->rt_ms = spread(c, exchanges[c->state].irt_ms);
	else
		c->rt_ms += spread(c, c->rt_ms);
	if (longest && c->rt_ms > longest)
		c->rt_ms = spread(c, longest);
	left = later(left / 2, RETRY_SHORTEST_MS);
	c->timer_ms = earlier(now_ms + earlier(c->rt_ms, left), end);
}

/* --- sending ------------------------------------------------------------- */

/* All_DHCP_Relay_Agents_and_Servers */
static const struct ip_addr all_servers = {
	AF_INET6, { 0xff, 0x02, [13] = 0x01, [15] = 0x02 }
};

static bool is_to_offer(const struct client6 *c)
{
	return c->state == CLIENT6_REQUEST;
}

static const struct duid *server_of(const struct client6 *c)
{
	if (is_to_offer(c))
		return &c->offer.server;
	return c->state == CLIENT6_RENEW || c->state == CLIENT6_RELEASE
		       ? &c->lease.server
		       : NULL;
}

static uint16_t elapsed_cs(const struct client6 *c, uint64_t now_ms)
{
	uint64_t cs = (now_ms - c->began_ms) / 10;

	return cs > UINT16_MAX ? UINT16_MAX : (uint16_t)cs;
}

static void send_message(struct client6 *c, uint64_t now_ms,
			 struct dhcp_packet *out)
{
	struct ip_addr addrs[DHCP6_ADDRS_MAX];
	struct message6_request request = {
		.type = exchanges[c->state].type,
		.xid = c->xid,
		.client = &c->conf.duid,
		.server = server_of(c),
		.elapsed_cs = elapsed_cs(c, now_ms),
		.rapid_commit = c->state == CLIENT6_SOLICIT,
		.has_ia = c->state != CLIENT6_INFORM,
		.iaid = c->conf.iaid,
		.addrs = is_to_offer(c) ? c->offer.addrs : addrs,
		.addrs_n = is_to_offer(c) ? c->offer.addrs_n : c->lease.addrs_n,
	};

	for (size_t i = 0; i < c->lease.addrs_n; i++)
		addrs[i] = c->lease.addrs[i].addr;
	out->len = message6_write(&request, out->data, sizeof(out->data));
	out->unicast = false;
	out->to = all_servers;
	c->tries++;
	set_timer(c, now_ms);
}

static void enter(struct client6 *c, enum client6_state state, uint64_t now_ms)
{
	c->state = state;
	c->xid = draw(c) & 0xffffff;
	c->began_ms = now_ms;
	c->rt_ms = 0;
	c->tries = 0;
	if (state == CLIENT6_SOLICIT)
		c->offer.server.len = 0;
}

static void begin(struct client6 *c, enum client6_state state, uint64_t now_ms,
		  struct dhcp_packet *out)
{
	enter(c, state, now_ms);
	send_message(c, now_ms, out);
}

/* Solicit again, but not at once: the same server would refuse the same. */
static void begin_later(struct client6 *c, uint64_t now_ms)
{
	enter(c, CLIENT6_SOLICIT, now_ms);
	c->timer_ms = now_ms + ((uint64_t)SECOND << c->refusals);
	if (c->refusals < REFUSALS_MAX)
		c->refusals++;
}

/* What a state does by itself at timer_ms. */
static void go_on(struct client6 *c, uint64_t now_ms, struct dhcp_packet *out)
{
	uint32_t most = exchanges[c->state].mrc;

	if (c->state == CLIENT6_SOLICIT && c->offer.server.len)
		begin(c, CLIENT6_REQUEST, now_ms, out);
	else if (c->state == CLIENT6_REQUEST && c->tries >= most)
		begin(c, CLIENT6_SOLICIT, now_ms, out);
	else if (c->state == CLIENT6_BOUND && now_ms < c->lease.t2_ms)
		begin(c, CLIENT6_RENEW, now_ms, out);
	else if (c->state == CLIENT6_BOUND ||
		 (c->state == CLIENT6_RENEW && now_ms >= c->lease.t2_ms))
		begin(c, CLIENT6_REBIND, now_ms, out);
	else if (c->state == CLIENT6_RELEASE && c->tries >= most)
		client6_init(c, &c->conf);
	else
		send_message(c, now_ms, out);
}

/* --- receiving ----------------------------------------------------------- */

static bool has_addr(const struct dhcp6_ia *ia)
{
	for (size_t i = 0; i < ia->addrs_n; i++)
		if (ia->addrs[i].valid_s)
			return true;
	return false;
}

static const char *status_name(uint16_t status)
{
	static const char *const names[] = {
		[DHCP6_SUCCESS] = "no address",
		[DHCP6_UNSPEC_FAIL] = "UnspecFail",
		[DHCP6_NO_ADDRS_AVAIL] = "NoAddrsAvail",
		[DHCP6_NO_BINDING] = "NoBinding",
		[DHCP6_NOT_ON_LINK] = "NotOnLink",
		[DHCP6_USE_MULTICAST] = "UseMulticast",
	};

	return status < sizeof(names) / sizeof(*names) ? names[status]
						       : "status unknown";
}

static void note_refusal(struct client6 *c, uint16_t status,
			 const struct message6 *m)
{
	snprintf(c->refusal, sizeof(c->refusal), "%s%s%s", status_name(status),
		 m->status_text[0] ? ": " : "", m->status_text);
}

static uint16_t status_of(const struct message6 *m)
{
	return m->status ? m->status : m->ia.status;
}

/* Another server's offer may be better until the first wait is over. */
static void take_advertise(struct client6 *c, const struct message6 *m,
			   uint64_t now_ms, struct dhcp_packet *out)
{
	if (status_of(m) || !has_addr(&m->ia)) {
		note_refusal(c, status_of(m), m);
		return;
	}
	if (!c->offer.server.len || m->preference > c->offer.preference) {
		c->offer.server = m->server;
		c->offer.preference = m->preference;
		c->offer.addrs_n = 0;
		for (size_t i = 0; i < m->ia.addrs_n; i++)
			if (m->ia.addrs[i].valid_s)
				c->offer.addrs[c->offer.addrs_n++] =
					m->ia.addrs[i].addr;
	}
	if (m->preference == PREFERENCE_AT_ONCE || c->tries > 1)
		begin(c, CLIENT6_REQUEST, now_ms, out);
}

static bool is_asking(const struct client6 *c)
{
	return c->state == CLIENT6_SOLICIT || c->state == CLIENT6_REQUEST;
}

/* The addresses are not known there (any more): ask that server for them. */
static void request_again(struct client6 *c, const struct duid *server,
			  uint64_t now_ms, struct dhcp_packet *out)
{
	c->offer.server = *server;
	c->offer.addrs_n = c->lease.addrs_n;
	for (size_t i = 0; i < c->lease.addrs_n; i++)
		c->offer.addrs[i] = c->lease.addrs[i].addr;
	begin(c, CLIENT6_REQUEST, now_ms, out);
}

/* RFC 8415, 18.2.10. UnspecFail may pass, and UseMulticast is not about us: all
 * that we send is multicast. Whoever has a lease keeps it until its end. */
static void take_refusal(struct client6 *c, const struct message6 *m,
			 uint64_t now_ms, struct dhcp_packet *out)
{
	uint16_t status = status_of(m);

	note_refusal(c, status, m);
	if (status == DHCP6_UNSPEC_FAIL || status == DHCP6_USE_MULTICAST)
		return;
	if (is_asking(c))
		begin_later(c, now_ms);
	else if (status == DHCP6_NO_BINDING)
		request_again(c, &m->server, now_ms, out);
}

static enum dhcp_event take_reply(struct client6 *c, const struct message6 *m,
				  uint64_t now_ms, struct dhcp_packet *out)
{
	bool had = c->lease.addrs_n;

	if (status_of(m) || !m->ia.addrs_n ||
	    (is_asking(c) && !has_addr(&m->ia))) {
		take_refusal(c, m, now_ms, out);
		return DHCP_NOTHING;
	}
	lease6_take(&c->lease, m, is_asking(c), now_ms);
	if (!c->lease.addrs_n) {
		begin(c, CLIENT6_SOLICIT, now_ms, out);
		return had ? DHCP_LOST : DHCP_NOTHING;
	}
	enter(c, CLIENT6_BOUND, now_ms);
	c->refusals = 0;
	c->refusal[0] = '\0';
	/* whatever the server says, it is not asked without a pause */
	c->timer_ms = later(c->lease.t1_ms, now_ms + RENEW_SOONEST_MS);
	return DHCP_BOUND;
}

static enum dhcp_event take_information(struct client6 *c,
					const struct message6 *m,
					uint64_t now_ms)
{
	if (m->status) {
		note_refusal(c, m->status, m);
		return DHCP_NOTHING;
	}
	c->lease.dns = m->dns;
	enter(c, CLIENT6_IDLE, now_ms);
	c->timer_ms = DHCP_NEVER;
	return DHCP_BOUND;
}

/* RFC 8415, 16: an answer has our DUID and its own, and our transaction. */
static bool is_answer(const struct client6 *c, const struct message6 *m)
{
	const struct duid *own = &c->conf.duid;

	if (!client6_is_talking(c) || m->xid != c->xid || !c->tries ||
	    !m->server.len || m->client.len != own->len ||
	    memcmp(m->client.bytes, own->bytes, own->len))
		return false;
	if (c->state == CLIENT6_SOLICIT)
		return m->type == DHCP6_ADVERTISE ||
		       (m->type == DHCP6_REPLY && m->rapid_commit);
	return m->type == DHCP6_REPLY;
}

enum dhcp_event client6_receive(struct client6 *c, uint64_t now_ms,
				const uint8_t *data, size_t len,
				struct dhcp_packet *out)
{
	enum dhcp_event event = DHCP_NOTHING;
	struct message6 m;

	out->len = 0;
	if (message6_read(data, len, c->conf.iaid, &m) || !is_answer(c, &m))
		return DHCP_NOTHING;
	if (m.sol_max_rt_s)
		c->sol_max_rt_s = m.sol_max_rt_s;
	if (m.inf_max_rt_s)
		c->inf_max_rt_s = m.inf_max_rt_s;
	if (m.type == DHCP6_ADVERTISE)
		take_advertise(c, &m, now_ms, out);
	else if (c->state == CLIENT6_RELEASE)
		client6_init(c, &c->conf);
	else if (c->state == CLIENT6_INFORM)
		event = take_information(c, &m, now_ms);
	else
		event = take_reply(c, &m, now_ms, out);
	set_deadline(c);
	return event;
}

/* --- the machine's other ends -------------------------------------------- */

void client6_init(struct client6 *c, const struct client6_conf *conf)
{
	const struct client6_conf copy = *conf; /* it may be c's own */

	*c = (struct client6){
		.conf = copy,
		.timer_ms = DHCP_NEVER,
	};
}

enum dhcp_event client6_start(struct client6 *c, uint64_t now_ms,
			      struct dhcp_packet *out)
{
	out->len = 0;
	lease6_drop_expired(&c->lease, now_ms);
	if (c->conf.stateless) {
		begin(c, CLIENT6_INFORM, now_ms, out);
	} else if (c->lease.addrs_n) {
		enter(c, CLIENT6_BOUND, now_ms);
		c->timer_ms = c->lease.t1_ms;
	} else {
		begin(c, CLIENT6_SOLICIT, now_ms, out);
	}
	set_deadline(c);
	return DHCP_NOTHING;
}

enum dhcp_event client6_timeout(struct client6 *c, uint64_t now_ms,
				struct dhcp_packet *out)
{
	bool expired = c->state != CLIENT6_RELEASE &&
		       lease6_drop_expired(&c->lease, now_ms);
	enum dhcp_event event = expired ? DHCP_BOUND : DHCP_NOTHING;

	out->len = 0;
	if (expired && !c->lease.addrs_n) {
		event = DHCP_LOST;
		if (c->state != CLIENT6_SOLICIT)
			begin(c, CLIENT6_SOLICIT, now_ms, out);
	}
	if (now_ms >= c->timer_ms)
		go_on(c, now_ms, out);
	set_deadline(c);
	return event;
}

bool client6_release(struct client6 *c, uint64_t now_ms,
		     struct dhcp_packet *out)
{
	out->len = 0;
	if (c->lease.addrs_n)
		begin(c, CLIENT6_RELEASE, now_ms, out);
	else
		client6_init(c, &c->conf);
	set_deadline(c);
	return out->len;
}

bool client6_is_talking(const struct client6 *c)
{
	return c->state != CLIENT6_IDLE && c->state != CLIENT6_BOUND;
}

const char *client6_refusal(const struct client6 *c)
{
	return c->refusal;
}
