// SPDX-License-Identifier: GPL-2.0-or-later
/* The DHCPv6 client with a clock, random numbers and a server of the test's. */
#include "unit.h"

#include "dhcp6.h"
#include "ipam/dhcp/client6.h"

#define START 1000000 /* ms */

struct world {
	struct client6 c;
	uint64_t now;
	struct dhcp_packet out;
	uint32_t drawn;
};

/* The middle of every jitter, and each time another transaction. */
static uint32_t middle(void *arg)
{
	return 1000 + 2001 * ((*(uint32_t *)arg)++ % 8);
}

static int setup(void **state)
{
	static struct world w;
	const struct client6_conf conf = {
		.duid = { 6, { CLIENT_DUID } },
		.iaid = IAID,
		.random = middle,
		.random_arg = &w.drawn,
	};

	w = (struct world){ .now = START };
	client6_init(&w.c, &conf);
	*state = &w;
	return 0;
}

static unsigned sent_type(const struct world *w)
{
	return w->out.len ? w->out.data[0] : 0;
}

/* Let it answer what was sent last: header and both DUIDs come before @options,
 * and, for a type that is not 0, the type instead of Reply. */
static enum dhcp_event answer(struct world *w, uint8_t type,
			      const uint8_t *options, size_t len)
{
	uint8_t buf[512] = { type, BE16(w->c.xid >> 8), (uint8_t)w->c.xid,
			     CLIENTID, SERVERID(9) };

	memcpy(buf + 23, options, len);
	return client6_receive(&w->c, w->now, buf, 23 + len, &w->out);
}

#define ANSWER(w, type, ...)                              \
	answer(w, type, (const uint8_t[]){ __VA_ARGS__ }, \
	       sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* To the deadline, which is to be in @ms; what it does there. */
static enum dhcp_event after(struct world *w, uint64_t ms)
{
	assert_int_equal(w->c.deadline_ms - w->now, ms);
	w->now = w->c.deadline_ms;
	return client6_timeout(&w->c, w->now, &w->out);
}

#define GIVE(preferred, valid) \
	IA_NA(IAADDR_LEN, 0, 0), IAADDR(1, preferred, valid)

/* One address, by rapid commit. */
static void bind_for(struct world *w, uint32_t preferred, uint32_t valid)
{
	client6_start(&w->c, w->now, &w->out);
	assert_int_equal(
		ANSWER(w, DHCP6_REPLY, OPT(14, 0), GIVE(preferred, valid)),
		DHCP_BOUND);
	assert_int_equal(w->c.state, CLIENT6_BOUND);
	assert_false(client6_is_talking(&w->c));
}

/* Whether the last message has these bytes somewhere. */
static bool has(const struct world *w, const uint8_t *bytes, size_t len)
{
	return memmem(w->out.data, w->out.len, bytes, len);
}

#define HAS(w, ...)                              \
	has(w, (const uint8_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void four_messages(void **state)
{
	struct world *w = *state;

	assert_int_equal(client6_start(&w->c, w->now, &w->out), DHCP_NOTHING);
	assert_int_equal(sent_type(w), DHCP6_SOLICIT);
	assert_ip(&w->out.to, "ff02::1:2");
	assert_true(HAS(w, CLIENTID));
	assert_true(HAS(w, OPT(14, 0)));
	/* a better offer may come within the first second */
	assert_int_equal(ANSWER(w, DHCP6_ADVERTISE, OPT(7, 1), 1, GIVE(60, 90)),
			 DHCP_NOTHING);
	assert_int_equal(sent_type(w), 0);
	assert_int_equal(after(w, 1000), DHCP_NOTHING);
	assert_int_equal(sent_type(w), DHCP6_REQUEST);
	assert_true(HAS(w, SERVERID(9)));
	assert_true(HAS(w, IAADDR(1, 0, 0)));
	w->now += 5;
	assert_int_equal(
		ANSWER(w, DHCP6_REPLY, GIVE(60, 90), OPT(23, 16), ADDR(0x53)),
		DHCP_BOUND);
	assert_int_equal(sent_type(w), 0);
	assert_int_equal(w->c.lease.addrs_n, 1);
	assert_ip(&w->c.lease.addrs[0].addr, "2001:db8::1");
	assert_int_equal(w->c.lease.addrs[0].preferred_ms, w->now + 60000);
	assert_int_equal(w->c.lease.addrs[0].valid_ms, w->now + 90000);
	assert_ip(&w->c.lease.dns.servers[0], "2001:db8::53");
	assert_int_equal(w->c.deadline_ms, w->now + 30000);
}

static void the_best_offer_is_taken(void **state)
{
	struct world *w = *state;
	uint8_t other[] = {
		DHCP6_ADVERTISE,
		0,
		0,
		0,
		CLIENTID,
		SERVERID(7),
		OPT(7, 1),
		20,
		IA_NA(IAADDR_LEN, 0, 0),
		IAADDR(7, 9, 9),
	};

	client6_start(&w->c, w->now, &w->out);
	other[1] = (uint8_t)(w->c.xid >> 16);
	other[2] = (uint8_t)(w->c.xid >> 8);
	other[3] = (uint8_t)w->c.xid;
	ANSWER(w, DHCP6_ADVERTISE, OPT(7, 1), 10, GIVE(9, 9));
	client6_receive(&w->c, w->now, other, sizeof(other), &w->out);
	ANSWER(w, DHCP6_ADVERTISE, OPT(7, 1), 15, GIVE(9, 9));
	after(w, 1000);
	assert_int_equal(sent_type(w), DHCP6_REQUEST);
	assert_true(HAS(w, SERVERID(7)));
	assert_true(HAS(w, IAADDR(7, 0, 0)));
}

static void preference_255_is_not_waited_for(void **state)
{
	struct world *w = *state;

	client6_start(&w->c, w->now, &w->out);
	ANSWER(w, DHCP6_ADVERTISE, OPT(7, 1), 255, GIVE(9, 9));
	assert_int_equal(sent_type(w), DHCP6_REQUEST);
}

static void a_solicit_is_repeated_with_growing_distance(void **state)
{
	struct world *w = *state;

	client6_start(&w->c, w->now, &w->out);
	for (uint64_t ms = 1000; ms < 3600000; ms *= 2) {
		assert_int_equal(after(w, ms), DHCP_NOTHING);
		assert_int_equal(sent_type(w), DHCP6_SOLICIT);
	}
	after(w, 3600000);
	after(w, 3600000);
	assert_true(HAS(w, OPT(8, 2), 0xff, 0xff)); /* elapsed: too long */
	/* a late offer is taken at once */
	ANSWER(w, DHCP6_ADVERTISE, GIVE(9, 9));
	assert_int_equal(sent_type(w), DHCP6_REQUEST);
}

static void a_server_may_say_how_often_to_ask(void **state)
{
	struct world *w = *state;

	client6_start(&w->c, w->now, &w->out);
	ANSWER(w, DHCP6_ADVERTISE, OPT(82, 4), BE32(60), STATUS(2));
	assert_string_equal(client6_refusal(&w->c), "NoAddrsAvail");
	for (uint64_t ms = 1000; ms < 60000; ms *= 2)
		after(w, ms);
	after(w, 60000);
	after(w, 60000);
}

static void a_request_without_answer_leads_to_another_solicit(void **state)
{
	struct world *w = *state;
	static const uint64_t wait[] = { 1000,	2000,  4000,  8000,  16000,
					 30000, 30000, 30000, 30000, 30000 };

	client6_start(&w->c, w->now, &w->out);
	ANSWER(w, DHCP6_ADVERTISE, OPT(7, 1), 255, GIVE(9, 9));
	for (size_t i = 0; i < ARRAY_SIZE(wait); i++) {
		assert_int_equal(sent_type(w), DHCP6_REQUEST);
		after(w, wait[i]);
	}
	assert_int_equal(sent_type(w), DHCP6_SOLICIT);
	assert_false(HAS(w, SERVERID(9)));
	after(w, 1000);
	assert_int_equal(sent_type(w), DHCP6_SOLICIT);
}

static void what_is_no_answer_is_passed_over(void **state)
{
	struct world *w = *state;
	uint8_t reply[] = { DHCP6_REPLY, 0,	      0,	  0,
			    CLIENTID,	 SERVERID(9), OPT(14, 0), GIVE(9, 9) };

	client6_start(&w->c, w->now, &w->out);
	/* another transaction; another client; without rapid commit */
	assert_int_equal(
		client6_receive(&w->c, w->now, reply, sizeof(reply), &w->out),
		DHCP_NOTHING);
	reply[1] = (uint8_t)(w->c.xid >> 16);
	reply[2] = (uint8_t)(w->c.xid >> 8);
	reply[3] = (uint8_t)w->c.xid;
	reply[13]++;
	assert_int_equal(
		client6_receive(&w->c, w->now, reply, sizeof(reply), &w->out),
		DHCP_NOTHING);
	reply[13]--;
	reply[24] = 99;
	assert_int_equal(
		client6_receive(&w->c, w->now, reply, sizeof(reply), &w->out),
		DHCP_NOTHING);
	reply[24] = 14;
	assert_int_equal(ANSWER(w, DHCP6_RENEW, OPT(14, 0), GIVE(9, 9)),
			 DHCP_NOTHING);
	assert_int_equal(w->c.state, CLIENT6_SOLICIT);
	assert_int_equal(
		client6_receive(&w->c, w->now, reply, sizeof(reply), &w->out),
		DHCP_BOUND);
	/* and what comes when nothing was asked */
	assert_int_equal(
		client6_receive(&w->c, w->now, reply, sizeof(reply), &w->out),
		DHCP_NOTHING);
}

static void twenty_renewals(void **state)
{
	struct world *w = *state;

	bind_for(w, 60, 90);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(after(w, 30000), DHCP_NOTHING);
		assert_int_equal(sent_type(w), DHCP6_RENEW);
		assert_true(HAS(w, SERVERID(9)));
		assert_true(HAS(w, IAADDR(1, 0, 0)));
		assert_int_equal(ANSWER(w, DHCP6_REPLY, GIVE(60, 90)),
				 DHCP_BOUND);
		assert_int_equal(w->c.lease.addrs[0].valid_ms, w->now + 90000);
	}
}

static void the_server_s_own_times(void **state)
{
	struct world *w = *state;

	client6_start(&w->c, w->now, &w->out);
	ANSWER(w, DHCP6_REPLY, OPT(14, 0), IA_NA(IAADDR_LEN, 7, 11),
	       IAADDR(1, 60, 90));
	assert_int_equal(w->c.lease.t1_ms, w->now + 7000);
	assert_int_equal(w->c.lease.t2_ms, w->now + 11000);
}

static void times_that_make_no_sense(void **state)
{
	struct world *w = *state;

	client6_start(&w->c, w->now, &w->out);
	/* T1 and T2 never, but the address ends */
	ANSWER(w, DHCP6_REPLY, OPT(14, 0),
	       IA_NA(IAADDR_LEN, DHCP6_INFINITY, DHCP6_INFINITY),
	       IAADDR(1, 60, 90));
	assert_int_equal(w->c.lease.t1_ms, w->now + 30000);
	assert_int_equal(w->c.lease.t2_ms, w->now + 48000);
	/* what is deprecated from the beginning */
	setup(state);
	client6_start(&w->c, w->now, &w->out);
	ANSWER(w, DHCP6_REPLY, OPT(14, 0), GIVE(0, 90));
	assert_int_equal(w->c.lease.t1_ms, w->now + 45000);
}

static void without_end_nothing_is_due(void **state)
{
	struct world *w = *state;

	bind_for(w, DHCP6_INFINITY, DHCP6_INFINITY);
	assert_int_equal(w->c.deadline_ms, 0);
	assert_int_equal(w->c.lease.addrs[0].valid_ms, DHCP_NEVER);
}

static void a_silent_server_is_asked_then_any_then_it_is_lost(void **state)
{
	struct world *w = *state;

	bind_for(w, 600, 900); /* T1 300, T2 480 */
	after(w, 300000);
	assert_int_equal(sent_type(w), DHCP6_RENEW);
	after(w, 10000);
	after(w, 20000);
	after(w, 40000);
	assert_int_equal(sent_type(w), DHCP6_RENEW);
	after(w, 55000); /* not 80: half of what is left */
	after(w, 27500);
	after(w, 13750);
	after(w, 6875);
	after(w, 3437);
	after(w, 1719);
	after(w, 1000);
	after(w, 719);
	assert_int_equal(sent_type(w), DHCP6_REBIND);
	assert_false(HAS(w, SERVERID(9)));
	assert_true(HAS(w, IAADDR(1, 0, 0)));
	while (w->c.state == CLIENT6_REBIND) {
		enum dhcp_event event;

		w->now = w->c.deadline_ms;
		event = client6_timeout(&w->c, w->now, &w->out);
		assert_int_equal(event, w->c.state == CLIENT6_REBIND
						? DHCP_NOTHING
						: DHCP_LOST);
	}
	assert_int_equal(w->now, START + 900000);
	assert_int_equal(sent_type(w), DHCP6_SOLICIT);
	assert_int_equal(w->c.lease.addrs_n, 0);
}

static void another_server_rebinds(void **state)
{
	struct world *w = *state;
	uint8_t reply[] = { DHCP6_REPLY, 0,	      0,	   0,
			    CLIENTID,	 SERVERID(5), GIVE(60, 90) };

	bind_for(w, 60, 90);
	w->now = w->c.lease.t2_ms;
	client6_timeout(&w->c, w->now, &w->out);
	assert_int_equal(sent_type(w), DHCP6_REBIND);
	memcpy(reply, w->out.data, 4);
	reply[0] = DHCP6_REPLY;
	assert_int_equal(
		client6_receive(&w->c, w->now, reply, sizeof(reply), &w->out),
		DHCP_BOUND);
	assert_int_equal(w->c.lease.server.bytes[4], 5);
}

static void seconds_leave_time_to_ask_again(void **state)
{
	struct world *w = *state;

	bind_for(w, 10, 10); /* T1 5 s, T2 8 s */
	after(w, 5000);
	assert_int_equal(sent_type(w), DHCP6_RENEW);
	after(w, 1500);
	assert_int_equal(sent_type(w), DHCP6_RENEW);
	after(w, 1000);
	after(w, 500);
	assert_int_equal(sent_type(w), DHCP6_REBIND);
	after(w, 1000);
	assert_int_equal(sent_type(w), DHCP6_REBIND);
	assert_int_equal(after(w, 1000), DHCP_LOST);
}

static void a_changed_address_takes_the_place_of_the_old(void **state)
{
	struct world *w = *state;

	bind_for(w, 60, 90);
	after(w, 30000);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, IA_NA(2 * IAADDR_LEN, 0, 0),
				IAADDR(1, 0, 0), IAADDR(2, 60, 90)),
			 DHCP_BOUND);
	assert_int_equal(w->c.lease.addrs_n, 1);
	assert_ip(&w->c.lease.addrs[0].addr, "2001:db8::2");
}

static void one_that_is_not_spoken_of_stays_to_its_end(void **state)
{
	struct world *w = *state;

	bind_for(w, 60, 90);
	after(w, 30000);
	ANSWER(w, DHCP6_REPLY, IA_NA(IAADDR_LEN, 100, 200),
	       IAADDR(2, 300, 300));
	assert_int_equal(w->c.lease.addrs_n, 2);
	assert_int_equal(after(w, 60000), DHCP_BOUND);
	assert_int_equal(w->c.lease.addrs_n, 1);
	assert_ip(&w->c.lease.addrs[0].addr, "2001:db8::2");
	assert_int_equal(sent_type(w), 0);
	after(w, 40000);
	assert_int_equal(sent_type(w), DHCP6_RENEW);
}

static void a_server_that_prolongs_nothing_is_not_hurried(void **state)
{
	struct world *w = *state;

	client6_start(&w->c, w->now, &w->out);
	ANSWER(w, DHCP6_REPLY, OPT(14, 0), IA_NA(2 * IAADDR_LEN, 0, 0),
	       IAADDR(1, 60, 90), IAADDR(2, 60, 90));
	after(w, 30000);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, GIVE(0, 0)), DHCP_BOUND);
	after(w, 500);
	assert_int_equal(sent_type(w), DHCP6_RENEW);
	assert_false(HAS(w, IAADDR(1, 0, 0)));
}

static void what_the_server_takes_back_is_lost(void **state)
{
	struct world *w = *state;

	bind_for(w, 60, 90);
	after(w, 30000);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, IA_NA(IAADDR_LEN, 0, 0),
				IAADDR(1, 0, 0)),
			 DHCP_LOST);
	assert_int_equal(w->c.lease.addrs_n, 0);
	assert_int_equal(sent_type(w), DHCP6_SOLICIT);
}

static void a_server_that_has_forgotten_is_asked_for_the_same(void **state)
{
	struct world *w = *state;

	bind_for(w, 60, 90);
	after(w, 30000);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, IA_NA(6, 0, 0), STATUS(3)),
			 DHCP_NOTHING);
	assert_int_equal(sent_type(w), DHCP6_REQUEST);
	assert_true(HAS(w, IAADDR(1, 0, 0)));
	assert_int_equal(w->c.lease.addrs_n, 1);
	/* it gives another: the old one is nobody's any more */
	assert_int_equal(ANSWER(w, DHCP6_REPLY, IA_NA(IAADDR_LEN, 0, 0),
				IAADDR(2, 60, 90)),
			 DHCP_BOUND);
	assert_int_equal(w->c.lease.addrs_n, 1);
	assert_ip(&w->c.lease.addrs[0].addr, "2001:db8::2");
}

static void a_refused_request_is_not_repeated_at_once(void **state)
{
	struct world *w = *state;
	uint64_t wait = 1000;

	for (unsigned i = 0; i < 9; i++) {
		if (!i)
			client6_start(&w->c, w->now, &w->out);
		else
			after(w, wait);
		wait = i && wait < 64000 ? wait * 2 : wait;
		assert_int_equal(sent_type(w), DHCP6_SOLICIT);
		ANSWER(w, DHCP6_ADVERTISE, OPT(7, 1), 255, GIVE(9, 9));
		assert_int_equal(sent_type(w), DHCP6_REQUEST);
		ANSWER(w, DHCP6_REPLY, IA_NA(6, 0, 0), STATUS(i % 2 ? 2 : 4));
		assert_int_equal(sent_type(w), 0);
		assert_string_equal(client6_refusal(&w->c),
				    i % 2 ? "NoAddrsAvail" : "NotOnLink");
	}
}

static void failures_that_pass_are_waited_for(void **state)
{
	struct world *w = *state;

	bind_for(w, 60, 90);
	after(w, 30000);
	for (uint8_t status = 1; status <= 5; status++)
		if (status != DHCP6_NO_BINDING) {
			assert_int_equal(ANSWER(w, DHCP6_REPLY, STATUS(status)),
					 DHCP_NOTHING);
			assert_int_equal(w->c.state, CLIENT6_RENEW);
		}
	/* an answer without an association says nothing */
	assert_int_equal(ANSWER(w, DHCP6_REPLY, OPT(99, 0)), DHCP_NOTHING);
	assert_int_equal(w->c.lease.addrs_n, 1);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, GIVE(60, 90)), DHCP_BOUND);
	assert_string_equal(client6_refusal(&w->c), "");
}

static void a_release_is_repeated_until_it_is_answered(void **state)
{
	struct world *w = *state;

	bind_for(w, 5, 5);
	assert_true(client6_release(&w->c, w->now, &w->out));
	assert_int_equal(sent_type(w), DHCP6_RELEASE);
	assert_true(HAS(w, SERVERID(9)));
	assert_true(HAS(w, IAADDR(1, 0, 0)));
	after(w, 1000);
	assert_int_equal(sent_type(w), DHCP6_RELEASE);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, STATUS(3)), DHCP_NOTHING);
	assert_int_equal(w->c.state, CLIENT6_IDLE);
	assert_int_equal(w->c.deadline_ms, 0);
	assert_false(client6_release(&w->c, w->now, &w->out));
}

static void a_release_without_answer_has_an_end(void **state)
{
	struct world *w = *state;

	bind_for(w, 5, 5);
	client6_release(&w->c, w->now, &w->out);
	after(w, 1000);
	after(w, 2000);
	after(w, 4000);
	assert_int_equal(sent_type(w), DHCP6_RELEASE);
	assert_int_equal(after(w, 8000), DHCP_NOTHING);
	assert_int_equal(sent_type(w), 0);
	assert_int_equal(w->c.state, CLIENT6_IDLE);
}

static void a_lease_of_earlier_is_gone_on_with(void **state)
{
	struct world *w = *state;
	struct lease6 lease;

	bind_for(w, 60, 90);
	lease = w->c.lease;
	setup(state);
	w->c.lease = lease;
	w->now = START + 10000;
	client6_start(&w->c, w->now, &w->out);
	assert_int_equal(sent_type(w), 0);
	after(w, 20000);
	assert_int_equal(sent_type(w), DHCP6_RENEW);

	setup(state); /* after T2 */
	w->c.lease = lease;
	w->now = START + 50000;
	client6_start(&w->c, w->now, &w->out);
	client6_timeout(&w->c, w->now, &w->out);
	assert_int_equal(sent_type(w), DHCP6_REBIND);

	setup(state); /* after its end */
	w->c.lease = lease;
	w->now = START + 90000;
	client6_start(&w->c, w->now, &w->out);
	assert_int_equal(sent_type(w), DHCP6_SOLICIT);
	assert_int_equal(w->c.lease.addrs_n, 0);
}

static void information_alone(void **state)
{
	struct world *w = *state;

	w->c.conf.stateless = true;
	client6_start(&w->c, w->now, &w->out);
	assert_int_equal(sent_type(w), DHCP6_INFORMATION_REQUEST);
	assert_false(HAS(w, OPT(3, 12)));
	after(w, 1000);
	assert_int_equal(sent_type(w), DHCP6_INFORMATION_REQUEST);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, STATUS(1)), DHCP_NOTHING);
	assert_int_equal(ANSWER(w, DHCP6_REPLY, OPT(23, 16), ADDR(0x53)),
			 DHCP_BOUND);
	assert_int_equal(w->c.lease.dns.servers_n, 1);
	assert_int_equal(w->c.deadline_ms, 0);
	assert_false(client6_release(&w->c, w->now, &w->out));
}

static void an_attachment_is_always_the_same(void **state)
{
	/* echo -n c1/net/eth0 | sha512sum, with version 8 and variant 2 */
	static const uint8_t want[] = { 0x00, 0x04, 0xf2, 0x9c, 0x52, 0xa5,
					0xed, 0x62, 0x87, 0xa3, 0x90, 0xa7,
					0x17, 0x0b, 0xc3, 0xa6, 0xc7, 0xdf };
	struct duid a, b;
	uint32_t ia, ib;

	(void)state;
	duid_of_attachment("c1", "net", "eth0", &a, &ia);
	assert_int_equal(a.len, sizeof(want));
	assert_memory_equal(a.bytes, want, sizeof(want));
	assert_int_equal(ia, 0x738b1c31);
	duid_of_attachment("c1", "net", "eth1", &b, &ib);
	assert_memory_not_equal(a.bytes, b.bytes, a.len);
	assert_int_not_equal(ia, ib);
}

static void receive_mangled(const uint8_t *data, size_t len, void *arg)
{
	struct world *w = arg;
	struct client6 c = w->c;

	client6_receive(&c, w->now, data, len, &w->out);
	assert_true(c.state != CLIENT6_IDLE);
	assert_true(c.deadline_ms > w->now);
	assert_true(c.lease.addrs_n <= DHCP6_ADDRS_MAX);
	client6_timeout(&c, c.deadline_ms, &w->out);
}

static void mangled_answers_do_no_harm(void **state)
{
	struct world *w = *state;
	uint8_t reply[] = { 0,		 0,	      0,	  0,
			    CLIENTID,	 SERVERID(9), OPT(14, 0), GIVE(60, 90),
			    OPT(23, 16), ADDR(1) };

	client6_start(&w->c, w->now, &w->out);
	memcpy(reply, w->out.data, 4);
	reply[0] = DHCP6_REPLY;
	mangle(reply, sizeof(reply), receive_mangled, w);
	bind_for(w, 60, 90);
	after(w, 30000);
	memcpy(reply, w->out.data, 4);
	reply[0] = DHCP6_REPLY;
	mangle(reply, sizeof(reply), receive_mangled, w);
}

#define WITH_CLIENT(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CLIENT(four_messages),
		WITH_CLIENT(the_best_offer_is_taken),
		WITH_CLIENT(preference_255_is_not_waited_for),
		WITH_CLIENT(a_solicit_is_repeated_with_growing_distance),
		WITH_CLIENT(a_server_may_say_how_often_to_ask),
		WITH_CLIENT(a_request_without_answer_leads_to_another_solicit),
		WITH_CLIENT(what_is_no_answer_is_passed_over),
		WITH_CLIENT(twenty_renewals),
		WITH_CLIENT(the_server_s_own_times),
		WITH_CLIENT(times_that_make_no_sense),
		WITH_CLIENT(without_end_nothing_is_due),
		WITH_CLIENT(a_silent_server_is_asked_then_any_then_it_is_lost),
		WITH_CLIENT(another_server_rebinds),
		WITH_CLIENT(seconds_leave_time_to_ask_again),
		WITH_CLIENT(a_changed_address_takes_the_place_of_the_old),
		WITH_CLIENT(one_that_is_not_spoken_of_stays_to_its_end),
		WITH_CLIENT(a_server_that_prolongs_nothing_is_not_hurried),
		WITH_CLIENT(what_the_server_takes_back_is_lost),
		WITH_CLIENT(a_server_that_has_forgotten_is_asked_for_the_same),
		WITH_CLIENT(a_refused_request_is_not_repeated_at_once),
		WITH_CLIENT(failures_that_pass_are_waited_for),
		WITH_CLIENT(a_release_is_repeated_until_it_is_answered),
		WITH_CLIENT(a_release_without_answer_has_an_end),
		WITH_CLIENT(a_lease_of_earlier_is_gone_on_with),
		WITH_CLIENT(information_alone),
		cmocka_unit_test(an_attachment_is_always_the_same),
		WITH_CLIENT(mangled_answers_do_no_harm),
	};

	return RUN(tests);
}
