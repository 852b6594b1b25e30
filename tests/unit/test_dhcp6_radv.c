// SPDX-License-Identifier: GPL-2.0-or-later
/* Router advertisements and solicitations, to the byte. */
#include "unit.h"

#include "dhcp6.h"
#include "ipam/dhcp/radv.h"

#define HEADER(flags) 134, 0, BE16(0), 64, flags, BE16(1800), BE32(0), BE32(0)
#define PREFIX(flags, valid, preferred) \
	3, 4, 64, flags, BE32(valid), BE32(preferred), BE32(0), ADDR(0)
#define MTU(mtu) 5, 1, 0, 0, BE32(mtu)

static const uint8_t whole[] = {
	HEADER(0xc0),
	1,
	1,
	2,
	0,
	0,
	0,
	0,
	1, /* its hardware address */
	PREFIX(0xc0, 86400, 14400),
	MTU(1400),
	25,
	5,
	0,
	0,
	BE32(600),
	ADDR(0x53),
	ADDR(0x54),
	31,
	2,
	0,
	0,
	BE32(600),
	1,
	'a',
	3,
	'o',
	'r',
	'g',
	0,
	0,
	24,
	1,
	0,
	0,
	0,
	0,
	0,
	0, /* a route: the kernel's matter */
};

#define READ(ret, ...)                              \
	radv_read((const uint8_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint8_t[]){ __VA_ARGS__ }), ret)

static void an_advertisement_is_read(void **state)
{
	struct radv r;

	(void)state;
	assert_int_equal(radv_read(whole, sizeof(whole), &r), 0);
	assert_true(r.managed);
	assert_true(r.other);
	assert_int_equal(r.router_s, 1800);
	assert_int_equal(r.mtu, 1400);
	assert_int_equal(r.prefixes_n, 1);
	assert_prefix(&r.prefixes[0].prefix, "2001:db8::/64");
	assert_true(r.prefixes[0].on_link);
	assert_true(r.prefixes[0].autoconf);
	assert_true(radv_has_autoconf(&r));
	assert_int_equal(r.prefixes[0].valid_s, 86400);
	assert_int_equal(r.prefixes[0].preferred_s, 14400);
	assert_int_equal(r.dns.servers_n, 2);
	assert_ip(&r.dns.servers[1], "2001:db8::54");
	assert_string_equal(r.dns.search.text, "a.org");
}

static void the_flags_are_told_apart(void **state)
{
	struct radv r;

	(void)state;
	assert_int_equal(READ(&r, HEADER(0x80)), 0);
	assert_true(r.managed && !r.other);
	assert_int_equal(READ(&r, HEADER(0x40)), 0);
	assert_true(!r.managed && r.other);
	assert_int_equal(READ(&r, HEADER(0), PREFIX(0x80, 9, 9)), 0);
	assert_true(r.prefixes[0].on_link && !r.prefixes[0].autoconf);
	assert_false(radv_has_autoconf(&r));
	assert_int_equal(READ(&r, HEADER(0), PREFIX(0x40, 0, 0)), 0);
	assert_false(radv_has_autoconf(&r)); /* it is withdrawn */
}

static void what_is_wrong_is_refused(void **state)
{
	struct radv r;

	(void)state;
	for (size_t len = 0; len < 16; len++)
		assert_int_equal(radv_read(whole, len, &r), -EBADMSG);
	assert_int_equal(READ(&r, 133, 0, BE16(0), BE32(0), BE32(0), BE32(0)),
			 -EBADMSG);
	assert_int_equal(READ(&r, 134, 1, BE16(0), BE32(0), BE32(0), BE32(0)),
			 -EBADMSG);
	assert_int_equal(READ(&r, HEADER(0), 5, 0, 0, 0, 0, 0, 0, 0), -EBADMSG);
	assert_int_equal(READ(&r, HEADER(0), 5, 2, 0, 0, 0, 0, 0, 0), -EBADMSG);
	assert_int_equal(READ(&r, HEADER(0), 5), -EBADMSG);
}

static void what_is_wrong_in_an_option_costs_that_option(void **state)
{
	struct radv r;

	(void)state;
	assert_int_equal(READ(&r, HEADER(0), MTU(1279), PREFIX(0xc0, 8, 9), 3,
			      1, 64, 0xc0, BE32(9),		/* too short */
			      25, 3, 0, 0, BE32(0), ADDR(0x53), /* withdrawn */
			      25, 1, 0, 0, BE32(9), 25, 4, 0, 0, BE32(9),
			      ADDR(0x54), BE32(0), BE32(0), 31, 3, 0, 0,
			      BE32(9), 1, 'a', 0, 63, 'b', 0, 0, 0, 0, 0, 0, 0,
			      0, 0, 0, 0),
			 0);
	assert_int_equal(r.mtu, 0);
	assert_int_equal(r.prefixes_n, 0);
	assert_int_equal(r.dns.servers_n, 0);
	assert_string_equal(r.dns.search.text, "");
}

static void more_prefixes_than_there_is_room_for(void **state)
{
	uint8_t data[16 + 32 * (RADV_PREFIXES_MAX + 1)] = { HEADER(0) };
	const uint8_t prefix[] = { PREFIX(0xc0, 9, 9) };
	struct radv r;

	(void)state;
	for (size_t i = 0; i <= RADV_PREFIXES_MAX; i++)
		memcpy(data + 16 + 32 * i, prefix, sizeof(prefix));
	assert_int_equal(radv_read(data, sizeof(data), &r), 0);
	assert_int_equal(r.prefixes_n, RADV_PREFIXES_MAX);
}

static void a_solicitation(void **state)
{
	static const uint8_t want[] = {
		133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 7,
	};
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 7 };
	uint8_t buf[RADV_SOLICIT_MAX];

	(void)state;
	assert_int_equal(radv_write_solicit(mac, buf), 16);
	assert_memory_equal(buf, want, 16);
	assert_int_equal(radv_write_solicit(NULL, buf), 8);
	assert_memory_equal(buf, want, 8);
}

static void read_mangled(const uint8_t *data, size_t len, void *arg)
{
	struct radv r;

	if (!radv_read(data, len, &r)) {
		++*(unsigned *)arg;
		assert_true(r.prefixes_n <= RADV_PREFIXES_MAX);
	}
}

static void a_mangled_advertisement_does_no_harm(void **state)
{
	unsigned read = 0;

	(void)state;
	mangle(whole, sizeof(whole), read_mangled, &read);
	assert_true(read > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_advertisement_is_read),
		cmocka_unit_test(the_flags_are_told_apart),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(what_is_wrong_in_an_option_costs_that_option),
		cmocka_unit_test(more_prefixes_than_there_is_room_for),
		cmocka_unit_test(a_solicitation),
		cmocka_unit_test(a_mangled_advertisement_does_no_harm),
	};

	return RUN(tests);
}
