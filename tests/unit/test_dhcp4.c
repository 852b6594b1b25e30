// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv4 without a network: messages byte by byte, the client by a clock that the
 * test turns, and whatever a server may send. */
#include "unit.h"

#include <sys/socket.h>

#include "ipam/dhcp/client4.h"
#include "ipam/dhcp/message4.h"
#include "ipam/dhcp/option4.h"
#include "ipam/dhcp/options.h"

#define HEADER	  240
#define DAY_MS	  86400000ULL
#define REPLY_MAX 600

static const uint8_t mac[MAC_LEN] = { 2, 0, 0, 0, 0, 7 };

/* Numbers that are not random: 0x10101010, 0x10101011 ... */
static uint32_t count_up(void *arg)
{
	return (*(uint32_t *)arg)++;
}

struct fixture {
	uint32_t next;
	struct client4 c;
	struct dhcp_packet out;
	uint8_t reply[REPLY_MAX];
	size_t len;
};

static void begin(struct fixture *f)
{
	struct client4_conf conf = {
		.mac = { 2, 0, 0, 0, 0, 7 },
		.options = { 61, 3, 0, 'i', 'd' },
		.options_len = 5,
		.request = { 1, 3 },
		.request_len = 2,
		.resend_max_ms = 64000,
		.request_ms = 10000,
		.give_up_ms = 200000,
		.random = count_up,
		.random_arg = &f->next,
	};

	*f = (struct fixture){ .next = 0x10101010 };
	client4_init(&f->c, &conf);
}

static void put(struct fixture *f, uint8_t code, uint8_t len, const void *value)
{
	f->reply[f->len++] = code;
	f->reply[f->len++] = len;
	memcpy(f->reply + f->len, value, len);
	f->len += len;
}

/* A reply to what was sent last, without its end. */
static void reply(struct fixture *f, uint8_t type, uint8_t host, uint8_t server)
{
	const uint8_t yiaddr[] = { 192, 0, 2, host };
	const uint8_t id[] = { 192, 0, 2, server };

	memset(f->reply, 0, sizeof(f->reply));
	memcpy(f->reply, f->out.data, HEADER);
	f->reply[0] = 2;
	memcpy(f->reply + 16, yiaddr, 4);
	f->len = HEADER;
	put(f, 53, 1, &type);
	if (server)
		put(f, 54, 4, id);
	put(f, 1, 4, "\xff\xff\xff\x00");
	put(f, 51, 4, "\x00\x00\x0e\x10"); /* an hour */
}

static enum dhcp_event receive(struct fixture *f, uint64_t now_ms)
{
	struct dhcp_packet sent = f->out;
	enum dhcp_event event;

	f->reply[f->len++] = 255;
	event = client4_receive(&f->c, now_ms, f->reply, f->len, &f->out);
	if (!f->out.len)
		f->out = sent; /* for the next reply() */
	return event;
}

static uint8_t type_of(const struct dhcp_packet *p)
{
	assert_int_equal(p->data[HEADER], 53);
	return p->data[HEADER + 2];
}

/* From nothing to a lease of an hour at 0 ms. */
static void bind_client(struct fixture *f)
{
	begin(f);
	assert_int_equal(client4_start(&f->c, 0, &f->out), DHCP_NOTHING);
	reply(f, DHCP4_OFFER, 9, 1);
	assert_int_equal(receive(f, 0), DHCP_NOTHING);
	assert_int_equal(type_of(&f->out), DHCP4_REQUEST);
	reply(f, DHCP4_ACK, 9, 1);
	assert_int_equal(receive(f, 0), DHCP_BOUND);
	assert_int_equal(f->c.state, CLIENT4_BOUND);
}

/* --- bytes ----------------------------------------------------------------- */

static void test_discover_bytes(void **state)
{
	static const uint8_t head[] = { 1,    1,    6, 0, 0x10, 0x10,
					0x10, 0x10, 0, 0, 0,	0 };
	static const uint8_t tail[] = {
		99, 130, 83, 99, 53, 1, 1, 57,	2,   5,	  192,
		55, 2,	 1,  3,	 61, 3, 0, 'i', 'd', 255, 0,
	};
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 5000, &f.out);
	assert_int_equal(f.out.len, 300);
	assert_false(f.out.unicast);
	assert_memory_equal(f.out.data, head, sizeof(head));
	assert_memory_equal(f.out.data + 28, mac, sizeof(mac));
	assert_memory_equal(f.out.data + 236, tail, sizeof(tail));
}

static void test_request_bytes(void **state)
{
	static const uint8_t selecting[] = { 53, 1,  3, 50,  4, 192, 0, 2,
					     9,	 54, 4, 192, 0, 2,   1, 57 };
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_OFFER, 9, 1);
	receive(&f, 0);
	assert_memory_equal(f.out.data + HEADER, selecting, sizeof(selecting));
	assert_false(f.out.unicast);
}

static void test_release_bytes(void **state)
{
	static const uint8_t options[] = { 53, 1,  7, 54, 4,   192, 0,	2,
					   1,  61, 3, 0,  'i', 'd', 255 };
	struct fixture f;

	(void)state;
	bind_client(&f);
	assert_true(client4_release(&f.c, &f.out));
	assert_memory_equal(f.out.data + 12, "\xc0\x00\x02\x09", 4);
	assert_memory_equal(f.out.data + HEADER, options, sizeof(options));
	assert_true(f.out.unicast);
	assert_memory_equal(f.out.to.bytes, "\xc0\x00\x02\x01", 4);
	assert_false(client4_release(&f.c, &f.out));
}

static void test_overloaded_and_long_options(void **state)
{
	struct fixture f;
	struct message4 m;
	uint8_t buf[300];

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_OFFER, 9, 1);
	put(&f, 52, 1, "\x03");
	put(&f, 121, 2, "ab");
	memcpy(f.reply + 108,
	       "\x79\x02"
	       "cd\xff",
	       5); /* file */
	memcpy(f.reply + 44,
	       "\x79\x01"
	       "e\xff",
	       4); /* sname */
	f.reply[f.len++] = 255;
	assert_int_equal(message4_read(f.reply, f.len, &m), 0);
	assert_int_equal(message4_option(&m, 121, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "abcde", 5);
	assert_int_equal(message4_option(&m, 121, buf, 4), 0);
	f.reply[108 + 1] = 127; /* over the end of the field */
	assert_int_equal(message4_read(f.reply, f.len, &m), -EBADMSG);
}

/* --- the machine ----------------------------------------------------------- */

static void test_resends_and_gives_up(void **state)
{
	struct fixture f;
	uint64_t last = 0;
	enum dhcp_event event = DHCP_NOTHING;
	unsigned sent = 1;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	assert_in_range(f.c.deadline_ms, 375, 625);
	assert_int_equal(client4_timeout(&f.c, 100, &f.out), DHCP_NOTHING);
	assert_int_equal(f.out.len, 0); /* too early */
	while (event == DHCP_NOTHING) {
		last = f.c.deadline_ms;
		event = client4_timeout(&f.c, last, &f.out);
		sent += f.out.len != 0;
		assert_true(f.c.deadline_ms - last <= 80000 || event);
	}
	assert_int_equal(event, DHCP_FAILED);
	assert_int_equal(last, 200000);
	assert_in_range(sent, 8, 11);
	assert_non_null(strstr(f.c.err.msg, "no more tries"));
	assert_int_equal(f.c.deadline_ms, 0);
}

static void test_an_offer_that_is_not_confirmed_is_forgotten(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_OFFER, 9, 1);
	receive(&f, 0);
	while (f.c.state == CLIENT4_REQUESTING)
		client4_timeout(&f.c, f.c.deadline_ms, &f.out);
	assert_int_equal(f.c.state, CLIENT4_SELECTING);
	assert_int_equal(type_of(&f.out), DHCP4_DISCOVER);
}

static void test_renews_then_asks_anybody_then_loses(void **state)
{
	struct fixture f;
	enum dhcp_event event = DHCP_NOTHING;
	bool has_rebound = false;
	uint64_t now = 0;

	(void)state;
	bind_client(&f);
	assert_in_range(f.c.deadline_ms, 1743000, 1800000);
	while (event == DHCP_NOTHING) {
		now = f.c.deadline_ms;
		event = client4_timeout(&f.c, now, &f.out);
		if (event != DHCP_NOTHING)
			break;
		assert_int_equal(type_of(&f.out), DHCP4_REQUEST);
		assert_memory_equal(f.out.data + 12, "\xc0\x00\x02\x09", 4);
		assert_int_equal(f.out.data[HEADER + 3], 57); /* no 50, no 54 */
		assert_int_equal(f.out.unicast, now < f.c.lease.rebind_ms);
		has_rebound |= !f.out.unicast;
	}
	assert_true(has_rebound);
	assert_int_equal(event, DHCP_LOST);
	assert_int_equal(now, 3600000);
	/* and at once looks for another, the same if it can be */
	assert_int_equal(type_of(&f.out), DHCP4_DISCOVER);
	assert_memory_equal(f.out.data + HEADER + 3, "\x32\x04\xc0\x00\x02\x09",
			    6);
	assert_int_equal(f.c.lease.ack_len, 0);
	/* without end */
	for (int i = 0; i < 100; i++)
		assert_int_equal(client4_timeout(&f.c, f.c.deadline_ms, &f.out),
				 DHCP_NOTHING);
}

static void test_renewal(void **state)
{
	struct fixture f;
	uint64_t at;

	(void)state;
	bind_client(&f);
	for (int i = 0; i < 20; i++) {
		at = f.c.deadline_ms;
		client4_timeout(&f.c, at, &f.out);
		assert_int_equal(f.c.state, CLIENT4_RENEWING);
		assert_true(client4_is_talking(&f.c));
		reply(&f, DHCP4_ACK, 9, 1);
		assert_int_equal(receive(&f, at + 5), DHCP_BOUND);
		assert_int_equal(f.c.lease.expire_ms, at + 5 + 3600000);
		assert_false(client4_is_talking(&f.c));
	}
}

static void test_rebinds_to_another_server_with_another_address(void **state)
{
	struct fixture f;

	(void)state;
	bind_client(&f);
	client4_timeout(&f.c, f.c.lease.renew_ms, &f.out);
	reply(&f, DHCP4_ACK, 33, 2);
	assert_int_equal(receive(&f, f.c.lease.renew_ms), DHCP_NOTHING);
	client4_timeout(&f.c, f.c.lease.rebind_ms, &f.out);
	assert_int_equal(f.c.state, CLIENT4_REBINDING);
	reply(&f, DHCP4_ACK, 33, 2);
	assert_int_equal(receive(&f, f.c.lease.rebind_ms), DHCP_BOUND);
	assert_int_equal(f.c.lease.address.bytes[3], 33);
	assert_int_equal(f.c.lease.server.bytes[3], 2);
}

static void test_nak(void **state)
{
	struct fixture f;

	(void)state;
	bind_client(&f);
	client4_timeout(&f.c, f.c.lease.renew_ms, &f.out);
	reply(&f, DHCP4_NAK, 0, 0); /* whose? */
	assert_int_equal(receive(&f, DAY_MS), DHCP_NOTHING);
	reply(&f, DHCP4_NAK, 0, 2); /* another's */
	assert_int_equal(receive(&f, DAY_MS), DHCP_NOTHING);
	reply(&f, DHCP4_NAK, 0, 1);
	put(&f, 56, 5, "go\naw");
	assert_int_equal(receive(&f, DAY_MS), DHCP_LOST);
	assert_int_equal(type_of(&f.out), DHCP4_DISCOVER);
	assert_string_equal(f.c.err.msg,
			    "DHCP server 192.0.2.1 refuses: go?aw");
}

/* Offer, refusal, offer ... is no loop that runs hot. */
static void test_nak_of_an_offer_waits(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_OFFER, 9, 1);
	receive(&f, 0);
	reply(&f, DHCP4_NAK, 0, 1);
	assert_int_equal(receive(&f, 0), DHCP_NOTHING);
	assert_int_equal(f.c.state, CLIENT4_INIT);
	assert_in_range(f.c.deadline_ms, 700, 1300);
	client4_timeout(&f.c, f.c.deadline_ms, &f.out);
	assert_int_equal(type_of(&f.out), DHCP4_DISCOVER);
}

static void test_reboot(void **state)
{
	struct fixture f;
	struct lease4 lease;

	(void)state;
	bind_client(&f);
	lease = f.c.lease;
	begin(&f);
	f.c.lease = lease;
	client4_start(&f.c, DAY_MS, &f.out);
	assert_int_equal(f.c.state, CLIENT4_REBOOTING);
	assert_memory_equal(f.out.data + HEADER,
			    "\x35\x01\x03\x32\x04\xc0\x00\x02\x09\x39", 10);
	reply(&f, DHCP4_NAK, 0, 1);
	assert_int_equal(receive(&f, DAY_MS), DHCP_LOST);
	begin(&f);
	f.c.lease = lease;
	client4_start(&f.c, DAY_MS, &f.out);
	reply(&f, DHCP4_ACK, 9, 1);
	assert_int_equal(receive(&f, DAY_MS), DHCP_BOUND);
}

static void test_times(void **state)
{
	static const struct {
		const char *lease, *t1, *t2;
		uint64_t min, max, rebind, expire; /* of T1; then seconds */
	} cases[] = {
		{ "\0\0\0\4", NULL, NULL, 1900, 2000, 3500, 4000 },
		{ "\0\0\0\4", "\0\0\0\1", "\0\0\0\2", 900, 1000, 2000, 4000 },
		{ "\0\0\0\4", "\0\0\0\7", "\0\0\0\11", 1700, 1750, 3500, 4000 },
		{ "\0\0\0\0", NULL, NULL, 480, 500, 875, 1000 },
		{ "\377\377\377\377", NULL, NULL, DHCP_NEVER, DHCP_NEVER,
		  DHCP_NEVER, DHCP_NEVER },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&f);
		client4_start(&f.c, 0, &f.out);
		reply(&f, DHCP4_OFFER, 9, 1);
		receive(&f, 0);
		reply(&f, DHCP4_ACK, 9, 1);
		memcpy(f.reply + f.len - 4, cases[i].lease, 4);
		if (cases[i].t1)
			put(&f, 58, 4, cases[i].t1);
		if (cases[i].t2)
			put(&f, 59, 4, cases[i].t2);
		assert_int_equal(receive(&f, 0), DHCP_BOUND);
		assert_true(f.c.lease.renew_ms >= cases[i].min);
		assert_true(f.c.lease.renew_ms <= cases[i].max);
		assert_true(f.c.lease.rebind_ms <= cases[i].rebind);
		assert_true(f.c.lease.rebind_ms >= cases[i].rebind / 100 * 96);
		assert_true(f.c.lease.expire_ms == cases[i].expire);
	}
}

/* --- what a server may send ------------------------------------------------ */

static void test_not_for_us(void **state)
{
	static const size_t wrong[] = { 0, 1, 2, 4, 28, 33, 236, 239, 241 };
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		reply(&f, DHCP4_OFFER, 9, 1);
		f.reply[wrong[i]] ^= 0x40;
		receive(&f, 0);
		assert_int_equal(f.c.state, CLIENT4_SELECTING);
	}
	reply(&f, DHCP4_ACK, 9, 1);
	receive(&f, 0);
	assert_int_equal(f.c.state, CLIENT4_SELECTING);
	reply(&f, DHCP4_OFFER, 9, 0); /* from nobody */
	receive(&f, 0);
	assert_int_equal(f.c.state, CLIENT4_SELECTING);
	reply(&f, DHCP4_OFFER, 9, 1);
	memcpy(f.reply + 16, "\xe0\0\0\1", 4); /* multicast */
	receive(&f, 0);
	assert_int_equal(f.c.state, CLIENT4_SELECTING);
	reply(&f, DHCP4_OFFER, 9, 1);
	receive(&f, 0);
	reply(&f, DHCP4_ACK, 10, 1); /* not what was offered */
	assert_int_equal(receive(&f, 0), DHCP_NOTHING);
	reply(&f, DHCP4_ACK, 9, 2); /* not who has offered */
	assert_int_equal(receive(&f, 0), DHCP_NOTHING);
	reply(&f, DHCP4_ACK, 9, 1);
	assert_int_equal(receive(&f, 0), DHCP_BOUND);
}

/* An offer in heap memory of its exact size: sanitizers see each byte too far. */
static void feed(struct fixture *f, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct dhcp_packet out;

	memcpy(copy, f->reply, len);
	client4_receive(&f->c, 0, copy, len, &out);
	free(copy);
}

static void test_every_truncated_length(void **state)
{
	struct fixture f;
	size_t whole;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_OFFER, 9, 1);
	whole = f.len;
	for (size_t len = 0; len < HEADER + 15;
	     len++) { /* before the mask's end */
		feed(&f, len);
		assert_int_equal(f.c.state, CLIENT4_SELECTING);
	}
	feed(&f, whole);
	assert_int_equal(f.c.state, CLIENT4_REQUESTING);
}

static uint32_t xorshift(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	return *s ^= *s << 5;
}

/* Make a result of whatever it is. */
static void digest(const uint8_t *data, size_t len)
{
	struct lease4 lease = { .ack_len = len };
	struct cni_result res = { 0 };
	_arena_ struct arena a = { 0 };

	memcpy(lease.ack, data, len);
	if (!option4_result(&lease, 0, &a, &res, NULL))
		for (size_t i = 0; i < res.dns.search.n; i++)
			assert_true(strspn(res.dns.search.v[i],
					   "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-_.") ==
				    strlen(res.dns.search.v[i]));
	option4_mtu(&lease);
}

static void test_random_damage(void **state)
{
	static const uint8_t codes[] = { 1, 3, 6, 15, 26, 33, 52, 119, 121 };
	uint32_t seed = 2463534242;
	struct fixture f;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		uint8_t value[40];

		begin(&f);
		client4_start(&f.c, 0, &f.out);
		reply(&f, DHCP4_OFFER, 9, 1);
		for (int i = 0; i < 3; i++) {
			for (size_t k = 0; k < sizeof(value); k++)
				value[k] = (uint8_t)(xorshift(&seed) >> 9);
			if (i == 1) /* labels and pointers */
				for (size_t k = 0; k < sizeof(value); k++)
					value[k] &= k % 5 ? 0xc7 : 3;
			put(&f, codes[xorshift(&seed) % sizeof(codes)],
			    (uint8_t)(xorshift(&seed) % sizeof(value)), value);
		}
		digest(f.reply, f.len);
		for (uint32_t n = xorshift(&seed) % 4; n; n--)
			f.reply[xorshift(&seed) % f.len] =
				(uint8_t)xorshift(&seed);
		digest(f.reply, f.len);
		feed(&f, f.len - xorshift(&seed) % 20);
	}
}

/* --- contents -------------------------------------------------------------- */

static void load(struct fixture *f, struct cni_result *res, struct arena *a)
{
	struct lease4 lease = { .ack_len = f->len,
				.address = { AF_INET, { 192, 0, 2, 9 } } };

	memcpy(lease.ack, f->reply, f->len);
	assert_int_equal(option4_result(&lease, 5, a, res, NULL), 0);
}

static void test_classless_routes(void **state)
{
	_arena_ struct arena a = { 0 };
	struct cni_result res = { 0 };
	char text[PREFIX_TEXT_MAX];
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_ACK, 9, 1);
	put(&f, 3, 4, "\xc0\0\2\1");
	put(&f, 121, 20,
	    "\x20\xcb\0\x71\1\0\0\0\0"
	    "\0\xc0\0\2\2"
	    "\x08\x0a\xc0\0\2\3");
	load(&f, &res, &a);
	assert_int_equal(res.routes.n, 3);
	assert_string_equal(prefix_text(&res.routes.v[0].dst, text),
			    "203.0.113.1/32");
	assert_int_equal(res.routes.v[0].scope, 253);
	assert_int_equal(res.routes.v[0].gw.family, 0);
	assert_string_equal(prefix_text(&res.routes.v[1].dst, text),
			    "0.0.0.0/0");
	assert_int_equal(res.routes.v[1].gw.bytes[3], 2);
	assert_string_equal(prefix_text(&res.routes.v[2].dst, text),
			    "10.0.0.0/8");
	assert_int_equal(res.routes.v[2].priority, 5);
	assert_int_equal(res.ips.v[0].gateway.bytes[3], 1);
}

static void test_names(void **state)
{
	_arena_ struct arena a = { 0 };
	struct cni_result res = { 0 };
	struct fixture f;

	(void)state;
	begin(&f);
	client4_start(&f.c, 0, &f.out);
	reply(&f, DHCP4_ACK, 9, 1);
	put(&f, 15, 18, "example.com b\nad x");
	put(&f, 119, 28,
	    "\3eng\5apple\3com\0"
	    "\4mark\xc0\4"
	    "\4b\nad\0");
	load(&f, &res, &a);
	assert_string_equal(res.dns.domain, "example.com");
	assert_int_equal(res.dns.search.n, 2);
	assert_string_equal(res.dns.search.v[0], "eng.apple.com");
	assert_string_equal(res.dns.search.v[1], "mark.apple.com");
}

/* --- flags ----------------------------------------------------------------- */

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: none */
	} cases[] = {
		{ "10s", 10000 }, { "1h2m3.5s", 3723500 },
		{ "500ms", 500 }, { "0", 0 },
		{ "", -1 },	  { "5", -1 },
		{ "s", -1 },	  { "-5s", -1 },
		{ "1e9h", -1 },
	};
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = dhcp_parse_duration(cases[i].text, &ms);

		assert_int_equal(r, cases[i].ms < 0 ? -EINVAL : 0);
		if (!r)
			assert_true(ms == (uint64_t)cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover_bytes),
		cmocka_unit_test(test_request_bytes),
		cmocka_unit_test(test_release_bytes),
		cmocka_unit_test(test_overloaded_and_long_options),
		cmocka_unit_test(test_resends_and_gives_up),
		cmocka_unit_test(
			test_an_offer_that_is_not_confirmed_is_forgotten),
		cmocka_unit_test(test_renews_then_asks_anybody_then_loses),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(
			test_rebinds_to_another_server_with_another_address),
		cmocka_unit_test(test_nak),
		cmocka_unit_test(test_nak_of_an_offer_waits),
		cmocka_unit_test(test_reboot),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_not_for_us),
		cmocka_unit_test(test_every_truncated_length),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_classless_routes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_durations),
	};

	return RUN(tests);
}
