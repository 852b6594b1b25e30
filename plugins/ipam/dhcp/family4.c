// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv4 as a half of a lease: machine, sockets and contents together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/json.h"
#include "ipam/dhcp/client4.h"
#include "ipam/dhcp/family.h"
#include "ipam/dhcp/link4.h"
#include "ipam/dhcp/message4.h"
#include "ipam/dhcp/option4.h"

struct state4 {
	struct client4 client;
	int64_t priority;
	struct link4 link;
	/* The machine that the last answer came from, the server or the router
	 * before it: for a RELEASE, which nothing may have to wait for. */
	bool has_via;
	uint8_t via[MAC_LEN];
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
	struct state4 *s = state;
	struct client4_conf c = {
		/* ipvlan finds whose a packet is by an address there is not yet */
		.broadcast = timing->broadcast || !strcmp(link->kind, "ipvlan"),
		.options_len = conf->options_len,
		.request_len = conf->request_len,
		.resend_max_ms = timing->resend_max_ms,
		.request_ms = timing->request_ms,
		.give_up_ms = timing->give_up_ms,
		.random = random_number,
	};

	memcpy(c.mac, link->mac, MAC_LEN);
	memcpy(c.options, conf->options, conf->options_len);
	memcpy(c.request, conf->request, conf->request_len);
	client4_init(&s->client, &c);
	s->priority = conf->priority;
}

/* --- on disk --------------------------------------------------------------- */

struct saved {
	const char *mac, *via, *ack, *server;
	int64_t renew_ms, rebind_ms, expire_ms;
};

static const struct json_field fields[] = {
	{ "mac", JSON_STRING, offsetof(struct saved, mac) },
	{ "via", JSON_STRING, offsetof(struct saved, via) },
	{ "ack", JSON_STRING, offsetof(struct saved, ack) },
	{ "server", JSON_STRING, offsetof(struct saved, server) },
	{ "renew", JSON_INT, offsetof(struct saved, renew_ms), -1, INT64_MAX },
	{ "rebind", JSON_INT, offsetof(struct saved, rebind_ms), -1,
	  INT64_MAX },
	{ "expire", JSON_INT, offsetof(struct saved, expire_ms), -1,
	  INT64_MAX },
	{ 0 },
};

static void put_hex(cJSON *into, const char *key, const uint8_t *data,
		    size_t len)
{
	char text[2 * DHCP_PACKET_MAX + 1] = "";

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	cJSON_AddStringToObject(into, key, text);
}

static const char hex_digits[] = "0123456789abcdef";

static uint8_t hex_value(char digit)
{
	const char *at = strchr(hex_digits, digit);

	return at ? (uint8_t)(at - hex_digits) : 0;
}

static int get_hex(const char *text, uint8_t *data, size_t size, size_t *ret)
{
	size_t len = strlen(text) / 2;

	if (len > size || strspn(text, hex_digits) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(hex_value(text[2 * i]) << 4 |
				    hex_value(text[2 * i + 1]));
	*ret = len;
	return 0;
}

static void put_time(cJSON *into, const char *key, uint64_t ms)
{
	cJSON_AddNumberToObject(into, key, ms == DHCP_NEVER ? -1 : (double)ms);
}

static uint64_t get_time(int64_t ms)
{
	return ms < 0 ? DHCP_NEVER : (uint64_t)ms;
}

static void save(const void *state, cJSON *into)
{
	const struct state4 *s = state;
	const struct lease4 *l = &s->client.lease;
	char text[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	cJSON_AddStringToObject(into, "mac", mac_text(s->client.conf.mac, mac));
	if (s->has_via)
		cJSON_AddStringToObject(into, "via", mac_text(s->via, mac));
	if (!l->ack_len)
		return;
	put_hex(into, "ack", l->ack, l->ack_len);
	if (l->server.family)
		cJSON_AddStringToObject(into, "server",
					ip_text(&l->server, text));
	put_time(into, "renew", l->renew_ms);
	put_time(into, "rebind", l->rebind_ms);
	put_time(into, "expire", l->expire_ms);
}

static int load_lease(struct lease4 *l, const struct saved *saved)
{
	struct message4 m;

	if (!*saved->ack)
		return 0;
	if (get_hex(saved->ack, l->ack, sizeof(l->ack), &l->ack_len) ||
	    message4_read(l->ack, l->ack_len, &m) ||
	    (*saved->server && ip_parse(saved->server, &l->server)))
		return -EINVAL;
	l->address = m.yiaddr;
	l->renew_ms = get_time(saved->renew_ms);
	l->rebind_ms = get_time(saved->rebind_ms);
	l->expire_ms = get_time(saved->expire_ms);
	return l->renew_ms <= l->rebind_ms && l->rebind_ms <= l->expire_ms
		       ? 0
		       : -EINVAL;
}

static int load(void *state, const cJSON *from)
{
	struct saved saved = { .mac = "", .via = "", .ack = "", .server = "" };
	struct state4 *s = state;
	_arena_ struct arena a = { 0 };

	if (json_decode(fields, from, NULL, &saved, &a, NULL) ||
	    mac_parse(saved.mac, s->client.conf.mac))
		return -EINVAL;
	s->has_via = !mac_parse(saved.via, s->via);
	return load_lease(&s->client.lease, &saved);
}

/* --- steps ----------------------------------------------------------------- */

static enum dhcp_event start(void *state, const struct dhcp_place *place,
			     uint64_t now_ms, struct dhcp_packet *out)
{
	struct state4 *s = state;

	(void)place;
	return client4_start(&s->client, now_ms, out);
}

/* One that has run out meanwhile, or had been lost before: the container is there
 * and needs an address, so that is looked for without end. */
static enum dhcp_event resume(void *state, const struct dhcp_place *place,
			      uint64_t now_ms, struct dhcp_packet *out)
{
	struct state4 *s = state;

	(void)place;
	out->len = 0;
	s->client.conf.give_up_ms = 0;
	if (!s->client.lease.ack_len || s->client.lease.expire_ms <= now_ms)
		return client4_start(&s->client, now_ms, out);
	client4_resume(&s->client);
	return client4_timeout(&s->client, now_ms, out);
}

static enum dhcp_event timeout(void *state, const struct dhcp_place *place,
			       uint64_t now_ms, struct dhcp_packet *out)
{
	struct state4 *s = state;

	(void)place;
	return client4_timeout(&s->client, now_ms, out);
}

static enum dhcp_event receive(void *state, const struct dhcp_place *place,
			       uint64_t now_ms, struct dhcp_packet *out)
{
	struct state4 *s = state;
	uint8_t buf[2048], from[MAC_LEN];
	enum dhcp_event event;
	bool has_from;
	ssize_t n = link4_receive(&s->link, buf, from, &has_from);

	(void)place;
	out->len = 0;
	if (n <= 0)
		return DHCP_NOTHING;
	event = client4_receive(&s->client, now_ms, buf, (size_t)n, out);
	if (event == DHCP_BOUND && has_from) {
		memcpy(s->via, from, MAC_LEN);
		s->has_via = true;
	}
	return event;
}

static bool release(void *state, uint64_t now_ms, struct dhcp_packet *out)
{
	struct state4 *s = state;

	(void)now_ms;
	return client4_release(&s->client, out);
}

static uint64_t deadline(const void *state)
{
	const struct state4 *s = state;

	return s->client.deadline_ms;
}

static bool is_talking(const void *state)
{
	const struct state4 *s = state;

	return client4_is_talking(&s->client);
}

static bool has_lease(const void *state)
{
	const struct state4 *s = state;

	return s->client.lease.ack_len;
}

static const struct err *get_err(const void *state)
{
	const struct state4 *s = state;

	return &s->client.err;
}

/* --- sockets --------------------------------------------------------------- */

/* A renewal goes through UDP; what is for everybody, or cannot wait for its
 * neighbour to be found (a RELEASE), through the packet socket. */
static int send_packet(void *state, const struct dhcp_place *place,
		       const struct dhcp_packet *packet, struct err *e)
{
	struct state4 *s = state;
	const struct lease4 *l = &s->client.lease;
	const bool udp = s->client.state == CLIENT4_RENEWING;
	const bool extends = udp || s->client.state == CLIENT4_REBINDING;
	const bool releases = packet->unicast && !udp;
	const struct ip_addr none = { 0 };
	int r = 0;

	if (s->link.is_open && s->link.is_udp != udp)
		link4_close(&s->link);
	if (!s->link.is_open)
		r = udp ? link4_open_udp(&place->ns, &place->link, &l->address,
					 &s->link, e)
			: link4_open(&place->ns, &place->link,
				     s->client.conf.mac, &s->link, e);
	return r ? r
		 : link4_send(&s->link, packet,
			      extends || releases ? &l->address : &none,
			      releases && s->has_via ? s->via : NULL, e);
}

static int get_fd(const void *state)
{
	const struct state4 *s = state;

	return s->link.is_open ? s->link.fd : -1;
}

static void close_link(void *state)
{
	struct state4 *s = state;

	link4_close(&s->link);
}

/* --- contents -------------------------------------------------------------- */

static int result(const void *state, struct arena *a, struct cni_result *ret,
		  struct err *e)
{
	const struct state4 *s = state;

	return option4_result(&s->client.lease, s->priority, a, ret, e);
}

static uint32_t mtu(const void *state)
{
	const struct state4 *s = state;

	return option4_mtu(&s->client.lease);
}

const struct dhcp_family dhcp_family4 = {
	.name = "ipv4",
	.choice = DHCP_IPV4,
	.size = sizeof(struct state4),
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
	.mtu = mtu,
};
