// SPDX-License-Identifier: GPL-2.0-or-later
/* The IPv6 half of a lease, with a router, a server, a kernel and a clock of the
 * test's; and what is written down of it. */
#include "unit.h"

#include <linux/if_addr.h>

#include "dhcp6.h"
#include "ipam/dhcp/host6.h"
#include "ipam/dhcp/saved6.h"

#define START 1000000

struct world {
	struct host6 h;
	uint64_t now;
	struct dhcp_packet out;
	struct addr addrs[4];
	size_t n;
};

static uint32_t middle(void *arg)
{
	(void)arg;
	return 1000;
}

static int setup(void **state)
{
	static struct world w;
	const struct host6_conf conf = {
		.client = { .duid = { 6, { CLIENT_DUID } },
			    .iaid = IAID,
			    .random = middle },
		.mac = { 2, 0, 0, 0, 0, 7 },
		.give_up_ms = 10000,
	};

	w = (struct world){ .now = START };
	host6_init(&w.h, &conf);
	*state = &w;
	return 0;
}

static void put_addr(struct world *w, const char *text, uint32_t flags)
{
	w->addrs[w->n].prefix = prefix(text);
	w->addrs[w->n++].flags = flags;
}

static enum dhcp_event look(struct world *w)
{
	w->out.len = 0;
	return host6_look(&w->h, w->now, w->addrs, w->n, &w->out);
}

/* As far as the first solicitation. */
static void attach(struct world *w)
{
	host6_start(&w->h, w->now);
	put_addr(w, "fe80::7/64", IFA_F_PERMANENT);
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_int_equal(w->out.data[0], 133);
	assert_ip(&w->out.to, "ff02::2");
}

/* A router fe80::1 with these flags that announces prefixes 2001:db8:0:N::/64,
 * N from 0. */
static void advertise(struct world *w, bool managed, bool other, uint8_t n)
{
	struct radv radv = { .managed = managed,
			     .other = other,
			     .router_s = 1800,
			     .prefixes_n = n };
	const struct ip_addr router = ip("fe80::1");

	radv.dns.servers[radv.dns.servers_n++] = ip("2001:db8::53");
	for (uint8_t i = 0; i < n; i++) {
		radv.prefixes[i] = (struct radv_prefix){
			.prefix = prefix("2001:db8::/64"),
			.on_link = true,
			.autoconf = true,
			.valid_s = 90,
			.preferred_s = 60,
		};
		radv.prefixes[i].prefix.addr.bytes[7] = i;
	}
	w->out.len = 0;
	host6_advertised(&w->h, w->now, &radv, &router, &w->out);
}

static enum dhcp_event answer(struct world *w, const uint8_t *options,
			      size_t len)
{
	uint8_t buf[512] = { DHCP6_REPLY, 0, 0, 0, CLIENTID, SERVERID(9) };

	buf[1] = (uint8_t)(w->h.client.xid >> 16);
	buf[2] = (uint8_t)(w->h.client.xid >> 8);
	buf[3] = (uint8_t)w->h.client.xid;
	memcpy(buf + 23, options, len);
	return host6_receive(&w->h, w->now, buf, 23 + len, &w->out);
}

#define ANSWER(w, ...)                              \
	answer(w, (const uint8_t[]){ __VA_ARGS__ }, \
	       sizeof((const uint8_t[]){ __VA_ARGS__ }))

static enum dhcp_event after(struct world *w, uint64_t ms)
{
	assert_int_equal(w->h.deadline_ms - w->now, ms);
	w->now = w->h.deadline_ms;
	return host6_timeout(&w->h, w->now, &w->out);
}

static void nothing_is_sent_before_there_is_a_source(void **state)
{
	struct world *w = *state;

	host6_start(&w->h, w->now);
	assert_int_equal(look(w), DHCP_NOTHING);
	put_addr(w, "fe80::7/64", IFA_F_PERMANENT | IFA_F_TENTATIVE);
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_int_equal(w->out.len, 0);
	w->addrs[0].flags = IFA_F_PERMANENT;
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_int_equal(w->out.len, 16);
}

static void a_router_is_asked_for_again(void **state)
{
	struct world *w = *state;

	attach(w);
	after(w, 1000);
	assert_int_equal(w->out.data[0], 133);
	after(w, 2000);
	after(w, 4000);
	assert_int_equal(w->out.len, 16);
	assert_int_equal(after(w, 3000), DHCP_FAILED);
	assert_string_equal(w->h.err.msg,
			    "no IPv6 router has answered in 10 s");
	assert_int_equal(w->h.deadline_ms, 0);
	assert_false(host6_is_talking(&w->h));
}

static void an_address_of_the_kernel_s(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, false, 1);
	assert_int_equal(w->out.len, 0);
	assert_int_equal(look(w), DHCP_NOTHING);
	put_addr(w, "2001:db8::7/64", IFA_F_TENTATIVE);
	put_addr(w, "2001:db8::8/64", IFA_F_TEMPORARY);
	put_addr(w, "2001:db8::9/64", IFA_F_PERMANENT);
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_false(host6_has_lease(&w->h));
	w->addrs[1].flags = 0;
	assert_int_equal(look(w), DHCP_BOUND);
	assert_true(host6_has_lease(&w->h));
	assert_int_equal(w->h.addrs_n, 1);
	assert_prefix(&w->h.addrs[0], "2001:db8::7/64");
	assert_ip(&w->h.router, "fe80::1");
	assert_ip(&w->h.dns.servers[0], "2001:db8::53");
	assert_int_equal(w->h.deadline_ms, 0);
	assert_false(host6_is_talking(&w->h));
	assert_false(host6_release(&w->h, w->now, &w->out));
}

static void one_of_each_prefix(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, false, 2);
	put_addr(w, "2001:db8::7/64", 0);
	assert_int_equal(look(w), DHCP_NOTHING);
	put_addr(w, "2001:db8:0:1::7/64", 0);
	assert_int_equal(look(w), DHCP_BOUND);
	assert_int_equal(w->h.addrs_n, 2);
}

static void an_advertisement_that_comes_early_counts(void **state)
{
	struct world *w = *state;

	host6_start(&w->h, w->now);
	advertise(w, true, false, 0);
	assert_int_equal(w->out.len, 0);
	put_addr(w, "fe80::7/64", IFA_F_PERMANENT);
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_int_equal(w->out.data[0], DHCP6_SOLICIT);
}

static void a_managed_address(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, true, false, 1);
	assert_int_equal(w->out.data[0], DHCP6_SOLICIT);
	put_addr(w, "2001:db8::7/64", 0); /* the kernel's does not count */
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_int_equal(ANSWER(w, OPT(14, 0), IA_NA(IAADDR_LEN, 0, 0),
				IAADDR(1, 60, 90)),
			 DHCP_BOUND);
	assert_true(host6_has_lease(&w->h));
	after(w, 30000);
	assert_int_equal(w->out.data[0], DHCP6_RENEW);
	assert_true(host6_is_talking(&w->h));
	assert_int_equal(ANSWER(w, IA_NA(IAADDR_LEN, 0, 0), IAADDR(1, 0, 0)),
			 DHCP_LOST);
	assert_false(host6_has_lease(&w->h));
}

static void a_managed_network_without_a_server(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, true, false, 0);
	after(w, 1000);
	after(w, 2000);
	after(w, 4000);
	assert_int_equal(after(w, 3000), DHCP_FAILED);
	assert_string_equal(w->h.err.msg,
			    "no DHCPv6 server has answered in 10 s");
}

static void a_server_that_refuses_is_quoted(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, true, false, 0);
	ANSWER(w, OPT(14, 0), IA_NA(10, 0, 0), OPT(13, 6), BE16(2), 'f', 'u',
	       'l', 'l');
	w->now += 10000;
	assert_int_equal(host6_timeout(&w->h, w->now, &w->out), DHCP_FAILED);
	assert_string_equal(
		w->h.err.msg,
		"the DHCPv6 server has refused: NoAddrsAvail: full");
}

static void stateless_with_information(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, true, 1);
	assert_int_equal(w->out.data[0], DHCP6_INFORMATION_REQUEST);
	put_addr(w, "2001:db8::7/64", 0);
	assert_int_equal(look(w), DHCP_NOTHING);
	assert_int_equal(ANSWER(w, OPT(23, 16), ADDR(0x54)), DHCP_BOUND);
	assert_ip(&w->h.client.lease.dns.servers[0], "2001:db8::54");
	assert_int_equal(w->h.deadline_ms, 0);
}

static void information_is_not_waited_for_long(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, true, 1);
	put_addr(w, "2001:db8::7/64", 0);
	look(w);
	after(w, 1000);
	assert_int_equal(w->out.data[0], DHCP6_INFORMATION_REQUEST);
	assert_int_equal(after(w, 1500), DHCP_BOUND);
	assert_true(host6_has_lease(&w->h));
	assert_false(host6_is_talking(&w->h));
	assert_int_equal(w->h.deadline_ms, 0);
}

static void a_router_with_nothing_to_give(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, true, 0);
	assert_int_equal(w->out.len, 0);
	w->now += 10000;
	assert_int_equal(host6_timeout(&w->h, w->now, &w->out), DHCP_FAILED);
	assert_string_equal(
		w->h.err.msg,
		"IPv6 router fe80::1 announces neither DHCPv6 nor a prefix to make an address of");
}

static void a_duplicate_is_said(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, false, 1);
	put_addr(w, "2001:db8::7/64", IFA_F_TENTATIVE | IFA_F_DADFAILED);
	assert_int_equal(look(w), DHCP_FAILED);
	assert_string_equal(
		w->h.err.msg,
		"address 2001:db8::7/64 is in use elsewhere on the network");
}

/* --- the journal --------------------------------------------------------- */

/* What a daemon that begins has of @w. */
static struct world *restart(struct world *w)
{
	static struct world other;
	_json_ cJSON *doc = cJSON_CreateObject();

	saved6_put(&w->h, doc);
	other = (struct world){ .now = w->now };
	host6_init(&other.h, &w->h.conf);
	assert_int_equal(saved6_get(doc, &other.h), 0);
	host6_resume(&other.h, other.now, &other.out);
	return &other;
}

static void a_managed_address_outlives_the_daemon(void **state)
{
	struct world *w = *state;
	const struct lease6 *a = &w->h.client.lease, *b;

	attach(w);
	advertise(w, true, false, 0);
	ANSWER(w, OPT(14, 0), IA_NA(2 * IAADDR_LEN, 0, 0), IAADDR(1, 60, 90),
	       IAADDR(2, 60, DHCP6_INFINITY), OPT(23, 16), ADDR(0x54),
	       OPT(24, 7), 1, 'a', 3, 'o', 'r', 'g', 0);
	w = restart(w);
	b = &w->h.client.lease;
	assert_true(host6_has_lease(&w->h));
	assert_int_equal(b->addrs_n, 2);
	assert_memory_equal(b->addrs, a->addrs, sizeof(a->addrs));
	assert_memory_equal(&b->server, &a->server, sizeof(a->server));
	assert_memory_equal(&b->dns, &a->dns, sizeof(a->dns));
	assert_ip(&w->h.router, "fe80::1");
	assert_ip(&w->h.dns.servers[0], "2001:db8::53");
	after(w, 30000);
	assert_int_equal(w->out.data[0], DHCP6_RENEW);
}

static void the_kernel_s_address_outlives_the_daemon(void **state)
{
	struct world *w = *state;

	attach(w);
	advertise(w, false, false, 1);
	put_addr(w, "2001:db8::7/64", 0);
	look(w);
	w = restart(w);
	assert_true(host6_has_lease(&w->h));
	assert_prefix(&w->h.addrs[0], "2001:db8::7/64");
	assert_int_equal(w->h.deadline_ms, 0);
}

static void what_was_never_written_down_so(void **state)
{
	static const char *const texts[] = {
		"{\"server\":\"xy\"}",
		"{\"managed\":1}",
		"{\"renew\":-2}",
		"{\"addresses\":[\"fe80::1\"]}",
		"{\"leases\":[{\"address\":\"10.0.0.1\"}]}",
		"{\"leases\":[{},{},{},{},{}]}",
		"{\"routerDNS\":[]}",
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_json_ cJSON *doc = parse_json(texts[i]);

		assert_int_equal(saved6_get(doc, &w->h), -EINVAL);
	}
	assert_int_equal(saved6_get(NULL, &w->h), -EINVAL);
}

#define WITH_HOST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_HOST(nothing_is_sent_before_there_is_a_source),
		WITH_HOST(a_router_is_asked_for_again),
		WITH_HOST(an_address_of_the_kernel_s),
		WITH_HOST(one_of_each_prefix),
		WITH_HOST(an_advertisement_that_comes_early_counts),
		WITH_HOST(a_managed_address),
		WITH_HOST(a_managed_network_without_a_server),
		WITH_HOST(a_server_that_refuses_is_quoted),
		WITH_HOST(stateless_with_information),
		WITH_HOST(information_is_not_waited_for_long),
		WITH_HOST(a_router_with_nothing_to_give),
		WITH_HOST(a_duplicate_is_said),
		WITH_HOST(a_managed_address_outlives_the_daemon),
		WITH_HOST(the_kernel_s_address_outlives_the_daemon),
		WITH_HOST(what_was_never_written_down_so),
	};

	return RUN(tests);
}
