// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv6 on the wire: to the byte, and what is malformed. */
#include "unit.h"

#include "dhcp6.h"
#include "ipam/dhcp/message6.h"

static const struct duid own = { 6, { CLIENT_DUID } };
static const struct duid server = { 5, { 0, 3, 0, 1, 9 } };

static void assert_written(const struct message6_request *request,
			   const uint8_t *want, size_t len)
{
	uint8_t buf[512];

	assert_int_equal(message6_write(request, buf, sizeof(buf)), len);
	assert_memory_equal(buf, want, len);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(message6_write(request, buf, size), 0);
}

static void a_solicit(void **state)
{
	static const uint8_t want[] = {
		1,
		0x12,
		0x34,
		0x56,
		CLIENTID,
		OPT(8, 2),
		BE16(300),  /* elapsed */
		OPT(14, 0), /* rapid commit */
		IA_NA(0, 0, 0),
		OPT(6, 6),
		BE16(23),
		BE16(24),
		BE16(82),
	};
	const struct message6_request request = {
		.type = DHCP6_SOLICIT,
		.xid = 0xff123456,
		.client = &own,
		.elapsed_cs = 300,
		.rapid_commit = true,
		.has_ia = true,
		.iaid = IAID,
	};

	(void)state;
	assert_written(&request, want, sizeof(want));
}

static void a_release_names_server_and_addresses(void **state)
{
	static const uint8_t want[] = {
		8,
		0,
		0,
		1,
		CLIENTID,
		SERVERID(9),
		OPT(8, 2),
		BE16(0),
		IA_NA(2 * IAADDR_LEN, 0, 0),
		IAADDR(1, 0, 0),
		IAADDR(2, 0, 0),
	};
	const struct ip_addr addrs[] = { ip("2001:db8::1"), ip("2001:db8::2") };
	const struct message6_request request = {
		.type = DHCP6_RELEASE,
		.xid = 1,
		.client = &own,
		.server = &server,
		.has_ia = true,
		.iaid = IAID,
		.addrs = addrs,
		.addrs_n = 2,
	};

	(void)state;
	assert_written(&request, want, sizeof(want));
}

static void an_information_request(void **state)
{
	static const uint8_t want[] = {
		11,	 0,	    0,	      2,	CLIENTID, OPT(8, 2),
		BE16(0), OPT(6, 6), BE16(23), BE16(24), BE16(83),
	};
	const struct message6_request request = {
		.type = DHCP6_INFORMATION_REQUEST,
		.xid = 2,
		.client = &own,
	};

	(void)state;
	assert_written(&request, want, sizeof(want));
}

static const uint8_t reply[] = {
	7, 0x12, 0x34, 0x56, CLIENTID, SERVERID(9), OPT(7, 1), 42, OPT(13, 2),
	BE16(0), OPT(14, 0),
	/* another's association, and ours */
	OPT(3, 12), BE32(7), BE32(1), BE32(2),
	IA_NA(2 * IAADDR_LEN + 8, 100, 200), IAADDR(1, 300, 400),
	IAADDR(2, 500, DHCP6_INFINITY), OPT(13, 4), BE16(0), 'o', 'k',
	OPT(23, 32), ADDR(0x53), ADDR(0x54), OPT(24, 12), 1, 'a', 3, 'o', 'r',
	'g', 0, 3, 'n', 'e', 't', 0, OPT(82, 4), BE32(120), OPT(83, 4),
	BE32(5),	     /* too short to be heeded */
	OPT(99, 3), 1, 2, 3, /* unknown */
};

static void a_reply_is_read(void **state)
{
	struct message6 m;

	(void)state;
	assert_int_equal(message6_read(reply, sizeof(reply), IAID, &m), 0);
	assert_int_equal(m.type, DHCP6_REPLY);
	assert_int_equal(m.xid, 0x123456);
	assert_int_equal(m.client.len, own.len);
	assert_memory_equal(m.client.bytes, own.bytes, own.len);
	assert_int_equal(m.server.len, server.len);
	assert_memory_equal(m.server.bytes, server.bytes, server.len);
	assert_int_equal(m.preference, 42);
	assert_true(m.rapid_commit);
	assert_int_equal(m.status, DHCP6_SUCCESS);
	assert_string_equal(m.status_text, "");
	assert_true(m.has_ia);
	assert_int_equal(m.ia.t1_s, 100);
	assert_int_equal(m.ia.t2_s, 200);
	assert_int_equal(m.ia.addrs_n, 2);
	assert_ip(&m.ia.addrs[0].addr, "2001:db8::1");
	assert_int_equal(m.ia.addrs[0].preferred_s, 300);
	assert_int_equal(m.ia.addrs[0].valid_s, 400);
	assert_ip(&m.ia.addrs[1].addr, "2001:db8::2");
	assert_int_equal(m.ia.addrs[1].valid_s, DHCP6_INFINITY);
	assert_int_equal(m.dns.servers_n, 2);
	assert_ip(&m.dns.servers[0], "2001:db8::53");
	assert_ip(&m.dns.servers[1], "2001:db8::54");
	assert_string_equal(m.dns.search.text, "a.org net");
	assert_int_equal(m.sol_max_rt_s, 120);
	assert_int_equal(m.inf_max_rt_s, 0);
}

static void a_message_that_ends_too_early_is_none(void **state)
{
	struct message6 m = { .type = 77 };
	size_t whole = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(reply); len++)
		whole += !message6_read(reply, len, IAID, &m);
	/* the header, and after each of its 12 options but the last */
	assert_int_equal(whole, 12);
}

static int read_with(const uint8_t *option, size_t len, struct message6 *ret)
{
	uint8_t buf[512] = { 7, 0, 0, 1, SERVERID(9) };

	memcpy(buf + 13, option, len);
	return message6_read(buf, 13 + len, IAID, ret);
}

#define READ(ret, ...)                              \
	read_with((const uint8_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint8_t[]){ __VA_ARGS__ }), ret)

static void what_contradicts_itself_is_refused(void **state)
{
	struct message6 m;

	(void)state;
	assert_int_equal(READ(&m, SERVERID(8)), -EBADMSG); /* a second */
	assert_int_equal(READ(&m, OPT(1, 2), 0, 4), -EBADMSG);
	assert_int_equal(READ(&m, OPT(7, 2), 0, 0), -EBADMSG);
	assert_int_equal(READ(&m, OPT(13, 1), 0), -EBADMSG);
	assert_int_equal(READ(&m, OPT(14, 1), 0), -EBADMSG);
	assert_int_equal(READ(&m, OPT(23, 15), ADDR(1)), -EBADMSG);
	assert_int_equal(READ(&m, OPT(82, 2), 0, 0), -EBADMSG);
	assert_int_equal(READ(&m, OPT(3, 11), BE32(IAID), BE32(0), 0, 0, 0),
			 -EBADMSG);
	/* an address's option longer than the association */
	assert_int_equal(READ(&m, IA_NA(IAADDR_LEN, 0, 0), OPT(5, 25), ADDR(1),
			      BE32(1), BE32(1)),
			 -EBADMSG);
	assert_int_equal(READ(&m, IA_NA(20, 0, 0), OPT(5, 16), ADDR(1)),
			 -EBADMSG);
	assert_int_equal(READ(&m, IA_NA(0, 0, 0), IA_NA(0, 0, 0)), -EBADMSG);
}

static void addresses_of_no_use_are_passed_over(void **state)
{
	struct message6 m;

	(void)state;
	/* preferred longer than valid; multicast, unspecified, loopback */
	assert_int_equal(READ(&m, IA_NA(5 * IAADDR_LEN, 0, 0), IAADDR(1, 9, 8),
			      OPT(5, 24), 0xff, 2, BE32(0), BE32(0), BE32(0), 0,
			      1, BE32(1), BE32(1), OPT(5, 24), BE32(0), BE32(0),
			      BE32(0), BE32(0), BE32(1), BE32(1), OPT(5, 24),
			      BE32(0), BE32(0), BE32(0), BE32(1), BE32(1),
			      BE32(1), IAADDR(2, 8, 8)),
			 0);
	assert_int_equal(m.ia.addrs_n, 1);
	assert_ip(&m.ia.addrs[0].addr, "2001:db8::2");
}

static void more_addresses_than_there_is_room_for(void **state)
{
	struct message6 m;

	(void)state;
	assert_int_equal(READ(&m, IA_NA(6 * IAADDR_LEN, 0, 0), IAADDR(1, 1, 1),
			      IAADDR(2, 1, 1), IAADDR(3, 1, 1), IAADDR(4, 1, 1),
			      IAADDR(5, 1, 1), IAADDR(6, 1, 1)),
			 0);
	assert_int_equal(m.ia.addrs_n, DHCP6_ADDRS_MAX);
	assert_int_equal(READ(&m, OPT(23, 96), ADDR(1), ADDR(2), ADDR(2),
			      ADDR(3), ADDR(4), ADDR(5)),
			 0);
	assert_int_equal(m.dns.servers_n, DHCP6_SERVERS_MAX);
	assert_ip(&m.dns.servers[3], "2001:db8::4");
}

static void an_association_with_t1_above_t2_is_none(void **state)
{
	struct message6 m;

	(void)state;
	assert_int_equal(READ(&m, IA_NA(IAADDR_LEN, 3, 2), IAADDR(1, 9, 9)), 0);
	assert_false(m.has_ia);
	assert_int_equal(m.ia.addrs_n, 0);
	assert_int_equal(READ(&m, IA_NA(IAADDR_LEN, 3, 0), IAADDR(1, 9, 9)), 0);
	assert_true(m.has_ia);
}

static void what_a_server_says_is_made_printable(void **state)
{
	struct message6 m;

	(void)state;
	assert_int_equal(READ(&m, OPT(13, 6), BE16(2), 'n', '\n', 0x1b, 'o'),
			 0);
	assert_int_equal(m.status, DHCP6_NO_ADDRS_AVAIL);
	assert_string_equal(m.status_text, "n??o");
	assert_int_equal(READ(&m, IA_NA(6, 0, 0), STATUS(3)), 0);
	assert_int_equal(m.ia.status, DHCP6_NO_BINDING);
}

static void an_address_with_a_status_is_taken_away(void **state)
{
	struct message6 m;

	(void)state;
	assert_int_equal(READ(&m, IA_NA(34, 0, 0), OPT(5, 30), ADDR(1), BE32(5),
			      BE32(5), STATUS(4)),
			 0);
	assert_int_equal(m.ia.addrs_n, 1);
	assert_int_equal(m.ia.addrs[0].valid_s, 0);
}

/* --- domains ------------------------------------------------------------- */

#define NAMES(list, ...)                                         \
	search_list_read(list, (const uint8_t[]){ __VA_ARGS__ }, \
			 sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void names_are_read_once_each(void **state)
{
	struct search_list list = { "" };

	(void)state;
	assert_int_equal(NAMES(&list, 1, 'a', 1, 'b', 0, 1, 'a', 0, 0, 0, 1,
			       'a', 1, 'b', 0),
			 0);
	assert_string_equal(list.text, "a.b a");
	assert_int_equal(search_list_add(&list, "c.d"), 0);
	assert_int_equal(search_list_add(&list, "a.b"), 0);
	assert_string_equal(list.text, "a.b a c.d");
}

static void names_that_are_none(void **state)
{
	struct search_list list = { "x" };

	(void)state;
	assert_int_equal(NAMES(&list, 1, 'a', 0, 2, 'a'), -EBADMSG);
	assert_int_equal(NAMES(&list, 1, 'a'), -EBADMSG);  /* has no end */
	assert_int_equal(NAMES(&list, 0xc0, 0), -EBADMSG); /* compressed */
	assert_int_equal(NAMES(&list, 1, ' ', 0), -EBADMSG);
	assert_int_equal(NAMES(&list, 1, '\n', 0), -EBADMSG);
	assert_int_equal(NAMES(&list, 1, '.', 0), -EBADMSG);
	assert_int_equal(search_list_add(&list, "a b"), -EBADMSG);
	assert_string_equal(list.text, "x");
}

static void a_name_may_have_253_characters(void **state)
{
	struct search_list list = { "" };
	uint8_t data[300] = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		data[64 * i] = i < 3 ? 63 : 61;
		memset(data + 64 * i + 1, 'a', 63);
	}
	data[254] = 0;
	assert_int_equal(search_list_read(&list, data, 255), 0);
	assert_int_equal(strlen(list.text), 253);
	/* there is room for two of them; the third is left out */
	for (uint8_t c = 'b'; c <= 'd'; c++) {
		data[1] = c;
		assert_int_equal(search_list_read(&list, data, 255), 0);
	}
	assert_int_equal(strlen(list.text), 507);
	data[192] = 62;
	data[254] = 'a';
	assert_int_equal(search_list_read(&list, data, 256), -EBADMSG);
}

static void read_mangled(const uint8_t *data, size_t len, void *arg)
{
	struct message6 m;

	if (!message6_read(data, len, IAID, &m)) {
		++*(unsigned *)arg;
		assert_true(m.ia.addrs_n <= DHCP6_ADDRS_MAX);
		assert_true(m.dns.servers_n <= DHCP6_SERVERS_MAX);
	}
}

static void a_mangled_message_does_no_harm(void **state)
{
	unsigned read = 0;

	(void)state;
	mangle(reply, sizeof(reply), read_mangled, &read);
	assert_true(read > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_solicit),
		cmocka_unit_test(a_release_names_server_and_addresses),
		cmocka_unit_test(an_information_request),
		cmocka_unit_test(a_reply_is_read),
		cmocka_unit_test(a_message_that_ends_too_early_is_none),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(addresses_of_no_use_are_passed_over),
		cmocka_unit_test(more_addresses_than_there_is_room_for),
		cmocka_unit_test(an_association_with_t1_above_t2_is_none),
		cmocka_unit_test(what_a_server_says_is_made_printable),
		cmocka_unit_test(an_address_with_a_status_is_taken_away),
		cmocka_unit_test(names_are_read_once_each),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(a_name_may_have_253_characters),
		cmocka_unit_test(a_mangled_message_does_no_harm),
	};

	return RUN(tests);
}
