// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/client4.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ipam/dhcp/message4.h"

#define FIRST_RESEND_MS	     500
#define LEASE_TIME_DEFAULT_S 3600
#define LEASE_TIME_INFINITE  UINT32_MAX
#define TEXT_MAX	     128

void client4_init(struct client4 *c, const struct client4_conf *conf)
{
	*c = (struct client4){ .conf = *conf };
}

bool client4_is_talking(const struct client4 *c)
{
	return c->state != CLIENT4_INIT && c->state != CLIENT4_BOUND;
}

/* --- time ------------------------------------------------------------------ */

static uint32_t random_number(const struct client4 *c)
{
	return c->conf.random(c->conf.random_arg);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void set_deadline(struct client4 *c, uint64_t at_ms)
{
	if (c->give_up_at_ms)
		at_ms = earlier(at_ms, c->give_up_at_ms);
	c->deadline_ms = at_ms == DHCP_NEVER ? 0 : at_ms;
}

/* Half a second, doubled each time, give or take a quarter: RFC 2131, section
 * 4.1, begins with four seconds, for which no container waits. */
static uint64_t resend_delay(struct client4 *c)
{
	unsigned doublings = c->tries < 16 ? c->tries : 16;
	uint64_t delay = earlier((uint64_t)FIRST_RESEND_MS << doublings,
				 c->conf.resend_max_ms);

	c->tries++;
	return delay - delay / 4 + random_number(c) % (delay / 2 + 1);
}

/* Between two requests for more time: half of what is left, and not below a
 * minute (RFC 2131, section 4.4.5); which would be too late for a lease of less
 * than some minutes, where it is a quarter of the phase. */
static uint64_t extend_delay(uint64_t now_ms, uint64_t phase_ms,
			     uint64_t end_ms)
{
	uint64_t least = earlier(60000, (end_ms - phase_ms) / 4);
	uint64_t delay = (end_ms - now_ms) / 2;

	return delay > least ? delay : least + 1;
}

/* --- sending --------------------------------------------------------------- */

static struct message4_new new_message(const struct client4 *c,
				       enum dhcp4_type type)
{
	return (struct message4_new){
		.type = type,
		.xid = c->xid,
		.secs = c->secs,
		.broadcast = c->conf.broadcast,
		.mac = c->conf.mac,
		.options = c->conf.options,
		.options_len = c->conf.options_len,
		.request = c->conf.request,
		.request_len = c->conf.request_len,
	};
}

static void begin_exchange(struct client4 *c, enum client4_state state)
{
	c->state = state;
	c->xid = random_number(c);
	c->tries = 0;
}

/* The address there was before, if any, is asked for (RFC 2131, 4.4.1). */
static enum dhcp_event discover(struct client4 *c, uint64_t now_ms,
				struct dhcp_packet *out)
{
	uint64_t secs = (now_ms - c->started_ms) / 1000;
	struct message4_new m;

	c->state = CLIENT4_SELECTING;
	c->secs = (uint16_t)earlier(secs, UINT16_MAX);
	m = new_message(c, DHCP4_DISCOVER);
	m.requested = c->lease.address;
	message4_write(&m, out);
	set_deadline(c, now_ms + resend_delay(c));
	return DHCP_NOTHING;
}

static enum dhcp_event start_over(struct client4 *c, uint64_t now_ms,
				  struct dhcp_packet *out)
{
	begin_exchange(c, CLIENT4_SELECTING);
	c->started_ms = now_ms;
	return discover(c, now_ms, out);
}

static enum dhcp_event request(struct client4 *c, uint64_t now_ms,
			       struct dhcp_packet *out)
{
	struct message4_new m = new_message(c, DHCP4_REQUEST);

	m.requested = c->offered;
	m.server = c->offered_by;
	message4_write(&m, out);
	set_deadline(c, earlier(now_ms + resend_delay(c), c->exchange_end_ms));
	return DHCP_NOTHING;
}

static enum dhcp_event lose(struct client4 *c, uint64_t now_ms,
			    struct dhcp_packet *out)
{
	c->lease.ack_len = 0; /* the address stays: it is asked for again */
	start_over(c, now_ms, out);
	return DHCP_LOST;
}

/* Ask the server there is, or then anybody, for more time. */
static enum dhcp_event extend(struct client4 *c, uint64_t now_ms,
			      struct dhcp_packet *out)
{
	const struct lease4 *l = &c->lease;
	const bool rebind = now_ms >= l->rebind_ms;
	const enum client4_state state =
		rebind ? CLIENT4_REBINDING : CLIENT4_RENEWING;
	const uint64_t phase = rebind ? l->rebind_ms : l->renew_ms;
	const uint64_t end = rebind ? l->expire_ms : l->rebind_ms;
	struct message4_new m;

	if (now_ms >= l->expire_ms)
		return lose(c, now_ms, out);
	if (c->state != state)
		begin_exchange(c, state);
	c->secs = 0;
	m = new_message(c, DHCP4_REQUEST);
	m.ciaddr = l->address;
	message4_write(&m, out);
	out->unicast = !rebind;
	out->to = l->server;
	set_deadline(c,
		     earlier(now_ms + extend_delay(now_ms, phase, end), end));
	return DHCP_NOTHING;
}

/* --- steps ----------------------------------------------------------------- */

enum dhcp_event client4_start(struct client4 *c, uint64_t now_ms,
			      struct dhcp_packet *out)
{
	c->started_ms = now_ms;
	c->secs = 0;
	c->give_up_at_ms = c->conf.give_up_ms ? now_ms + c->conf.give_up_ms : 0;
	if (!c->lease.ack_len)
		return start_over(c, now_ms, out);
	begin_exchange(c, CLIENT4_REBOOTING);
	c->offered = c->lease.address;
	c->offered_by = (struct ip_addr){ 0 };
	c->exchange_end_ms = now_ms + c->conf.request_ms;
	return request(c, now_ms, out);
}

void client4_resume(struct client4 *c)
{
	c->state = CLIENT4_BOUND;
	c->give_up_at_ms = 0;
	set_deadline(c, c->lease.renew_ms);
}

static enum dhcp_event give_up(struct client4 *c)
{
	const bool offered = c->state != CLIENT4_SELECTING;

	if (!c->err.code)
		err_set(&c->err, ERR_IO, ETIMEDOUT,
			"no DHCP server %s within %llu s: no more tries",
			offered ? "confirmed its offer" : "answered",
			(unsigned long long)c->conf.give_up_ms / 1000);
	c->state = CLIENT4_INIT;
	c->deadline_ms = 0;
	return DHCP_FAILED;
}

enum dhcp_event client4_timeout(struct client4 *c, uint64_t now_ms,
				struct dhcp_packet *out)
{
	out->len = 0;
	if (!c->deadline_ms || now_ms < c->deadline_ms)
		return DHCP_NOTHING;
	if (c->give_up_at_ms && now_ms >= c->give_up_at_ms)
		return give_up(c);
	switch (c->state) {
	case CLIENT4_INIT:
	case CLIENT4_SELECTING:
		return discover(c, now_ms, out);
	case CLIENT4_REQUESTING:
		return now_ms < c->exchange_end_ms ? request(c, now_ms, out)
						   : start_over(c, now_ms, out);
	case CLIENT4_REBOOTING:
		return now_ms < c->exchange_end_ms ? request(c, now_ms, out)
						   : lose(c, now_ms, out);
	case CLIENT4_BOUND:
	case CLIENT4_RENEWING:
	case CLIENT4_REBINDING:
		return extend(c, now_ms, out);
	}
	return DHCP_NOTHING;
}

/* --- answers --------------------------------------------------------------- */

static bool is_host(const struct ip_addr *a)
{
	const uint8_t first = a->bytes[0];

	return first && first != 127 && first < 224;
}

static void take_offer(struct client4 *c, uint64_t now_ms,
		       const struct message4 *m, struct dhcp_packet *out)
{
	uint32_t mask;

	if (!is_host(&m->yiaddr) || !m->server.family)
		return;
	if (!message4_u32(m, DHCP4_SUBNET_MASK, &mask)) {
		err_set(&c->err, ERR_IO, EBADMSG,
			"DHCP option Subnet Mask not found in DHCPOFFER");
		return; /* another server may know better */
	}
	c->state = CLIENT4_REQUESTING;
	c->tries = 0;
	c->offered = m->yiaddr;
	c->offered_by = m->server;
	c->exchange_end_ms = now_ms + c->conf.request_ms;
	request(c, now_ms, out);
}

/* The time of the option, or else @fallback_ms; some earlier, so that clients
 * that were started together drift apart. */
static uint64_t phase_length(const struct client4 *c, const struct message4 *m,
			     uint8_t code, uint64_t fallback_ms)
{
	uint32_t s;
	uint64_t ms = message4_u32(m, code, &s) && s ? (uint64_t)s * 1000
						     : fallback_ms;

	return ms - random_number(c) % (ms / 32 + 1);
}

/* T1 and T2 as given where they make sense, else half and seven eighths of the
 * lease (RFC 2131, section 4.4.5). */
static void set_times(struct client4 *c, uint64_t now_ms,
		      const struct message4 *m, struct lease4 *l)
{
	uint32_t s = LEASE_TIME_DEFAULT_S;
	uint64_t length, t1, t2;

	message4_u32(m, DHCP4_LEASE_TIME, &s);
	if (s == LEASE_TIME_INFINITE) {
		l->renew_ms = l->rebind_ms = l->expire_ms = DHCP_NEVER;
		return;
	}
	length = s ? (uint64_t)s * 1000 : 1000;
	t2 = phase_length(c, m, DHCP4_REBINDING_TIME, length / 8 * 7);
	t1 = phase_length(c, m, DHCP4_RENEWAL_TIME, length / 2);
	if (t2 >= length)
		t2 = length / 8 * 7;
	if (t1 >= t2)
		t1 = t2 / 2;
	l->renew_ms = now_ms + t1;
	l->rebind_ms = now_ms + t2;
	l->expire_ms = now_ms + length;
}

static enum dhcp_event take_ack(struct client4 *c, uint64_t now_ms,
				const struct message4 *m)
{
	struct lease4 *l = &c->lease;

	if (!is_host(&m->yiaddr) || m->len > sizeof(l->ack))
		return DHCP_NOTHING;
	if (c->state == CLIENT4_REQUESTING &&
	    !ip_equal(&m->yiaddr, &c->offered))
		return DHCP_NOTHING;
	memcpy(l->ack, m->data, m->len);
	l->ack_len = m->len;
	l->address = m->yiaddr;
	if (m->server.family)
		l->server = m->server;
	else if (c->state == CLIENT4_REQUESTING)
		l->server = c->offered_by;
	set_times(c, now_ms, m, l);
	client4_resume(c);
	return DHCP_BOUND;
}

/* What the server says of its reason, as far as it can be printed. */
static void keep_reason(struct client4 *c, const struct message4 *m)
{
	char from[IP_TEXT_MAX];
	uint8_t text[TEXT_MAX];
	size_t len = message4_option(m, DHCP4_MESSAGE, text, sizeof(text));

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	err_set(&c->err, ERR_IO, EACCES, "DHCP server %s refuses%s%.*s",
		ip_text(&m->server, from), len ? ": " : "", (int)len,
		(const char *)text);
}

/* Between a server that offers what it then refuses, and a client that asks
 * again, there has to be some time. */
static enum dhcp_event take_nak(struct client4 *c, uint64_t now_ms,
				const struct message4 *m,
				struct dhcp_packet *out)
{
	keep_reason(c, m);
	if (c->state != CLIENT4_REQUESTING)
		return lose(c, now_ms, out);
	c->state = CLIENT4_INIT;
	c->tries = ++c->refusals;
	c->xid = random_number(c);
	set_deadline(c, now_ms + resend_delay(c));
	return DHCP_NOTHING;
}

/* Whether a server may answer in this state, and this server. One that confirms
 * without saying who it is can be the one asked. */
static bool may_answer(const struct client4 *c, const struct message4 *m)
{
	switch (c->state) {
	case CLIENT4_REQUESTING:
		return !m->server.family ||
		       ip_equal(&m->server, &c->offered_by);
	case CLIENT4_RENEWING:
		return !m->server.family ||
		       ip_equal(&m->server, &c->lease.server);
	case CLIENT4_REBOOTING:
	case CLIENT4_REBINDING:
		return true;
	case CLIENT4_INIT:
	case CLIENT4_SELECTING:
	case CLIENT4_BOUND:
		break;
	}
	return false;
}

enum dhcp_event client4_receive(struct client4 *c, uint64_t now_ms,
				const uint8_t *data, size_t len,
				struct dhcp_packet *out)
{
	struct message4 m;

	out->len = 0;
	if (message4_read(data, len, &m) || m.xid != c->xid ||
	    memcmp(m.mac, c->conf.mac, MAC_LEN) != 0)
		return DHCP_NOTHING;
	if (m.type == DHCP4_OFFER && c->state == CLIENT4_SELECTING)
		take_offer(c, now_ms, &m, out);
	else if (m.type == DHCP4_ACK && may_answer(c, &m))
		return take_ack(c, now_ms, &m);
	else if (m.type == DHCP4_NAK && m.server.family && may_answer(c, &m))
		return take_nak(c, now_ms, &m, out);
	return DHCP_NOTHING;
}

/* --- the end --------------------------------------------------------------- */

bool client4_release(struct client4 *c, struct dhcp_packet *out)
{
	struct message4_new m;

	out->len = 0;
	c->deadline_ms = 0;
	c->state = CLIENT4_INIT;
	if (!c->lease.ack_len || !c->lease.server.family)
		return false;
	c->xid = random_number(c);
	c->secs = 0;
	m = new_message(c, DHCP4_RELEASE);
	m.broadcast = false;
	m.request_len = 0; /* RFC 2131, table 5: MUST NOT */
	m.ciaddr = c->lease.address;
	m.server = c->lease.server;
	message4_write(&m, out);
	out->unicast = true;
	out->to = c->lease.server;
	c->lease.ack_len = 0;
	return true;
}
