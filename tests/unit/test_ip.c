// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <sys/socket.h>

static void test_text_is_gos(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "10.1.2.3", "10.1.2.3" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8::5", "2001:db8::5" },
		{ "2001:db8:0:0:0:0:0:5", "2001:db8::5" },
		{ "2001:db8:0:0:1:0:0:5", "2001:db8::1:0:0:5" },
		{ "1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0" },
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "::1", "::1" },
		{ "fe80::", "fe80::" },
		{ "::ffff:10.1.2.3", "10.1.2.3" }, /* mapped: IPv4, as in Go */
		{ "::ffff:a01:203", "10.1.2.3" },
		{ "::10.1.2.3", "::a01:203" }, /* compatible: not dotted */
		{ "::1:2", "::1:2" },
		{ "::2.0.0.0", "::200:0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_addr a = ip(cases[i].in);

		assert_ip(&a, cases[i].out);
	}
}

static void test_refuses_what_go_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"10.1.2",
		"10.1.2.3.4",
		"10.1.2.256",
		"010.0.0.1",
		"10.1.2.03",
		" 10.1.2.3",
		"10.1.2.3 ",
		"10.1.2.3\n",
		"0x0a.1.2.3",
		"fe80::1%eth0",
		"fe80::1%1",
		":::",
		"1:2:3:4:5:6:7",
		"1::2::3",
		"12345::",
		"1:2:3:4:5:6:7:8:9",
		"10.1.2.3/24",
		"::ffff:1.2.3",
	};
	struct ip_addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!ip_parse(bad[i], &a))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "10.1.2.3/24", "10.1.2.3/24" }, /* host bits stay */
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "2001:db8::5/128", "2001:db8::5/128" },
		{ "::/0", "::/0" },
		{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
	};
	static const char *const bad[] = {
		"10.1.2.3",	      "10.1.2.3/",    "10.1.2.3/33",
		"10.1.2.3/-1",	      "10.1.2.3/+8",  "10.1.2.3/ 8",
		"10.1.2.3/8 ",	      "10.1.2.3/8/8", "/24",
		"2001:db8::/129",     "10.1.2.3/0x8", "10.1.2.3/4294967304",
		"::ffff:10.0.0.0/95",
	};
	struct ip_prefix p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		p = prefix(cases[i].in);
		assert_prefix(&p, cases[i].out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!prefix_parse(bad[i], &p))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void test_lenient_prefix_may_lack_its_length(void **state)
{
	struct ip_prefix p;

	(void)state;
	assert_int_equal(prefix_parse_lenient("10.1.2.3", &p), 0);
	assert_prefix(&p, "10.1.2.3/32");
	assert_int_equal(prefix_parse_lenient("2001:db8::1", &p), 0);
	assert_prefix(&p, "2001:db8::1/128");
	assert_int_equal(prefix_parse_lenient("10.1.2.3/24", &p), 0);
	assert_prefix(&p, "10.1.2.3/24");
	assert_int_equal(prefix_parse_lenient("10.1.2.3/", &p), -EINVAL);
	assert_int_equal(prefix_parse_lenient("", &p), -EINVAL);
}

static void test_next_and_previous(void **state)
{
	static const struct {
		const char *low, *high;
	} cases[] = {
		{ "10.0.0.1", "10.0.0.2" },
		{ "10.0.0.255", "10.0.1.0" },
		{ "10.255.255.255", "11.0.0.0" },
		{ "255.255.255.255", "0.0.0.0" },
		{ "2001:db8::ffff", "2001:db8::1:0" },
		{ "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_addr next = ip_next(ip(cases[i].low));
		struct ip_addr previous = ip_previous(ip(cases[i].high));

		assert_ip(&next, cases[i].high);
		assert_ip(&previous, cases[i].low);
	}
}

static void test_ends_of_a_prefix(void **state)
{
	static const struct {
		const char *prefix, *first, *last;
	} cases[] = {
		{ "10.1.2.77/24", "10.1.2.0", "10.1.2.255" },
		{ "10.1.2.77/29", "10.1.2.72", "10.1.2.79" },
		{ "10.1.2.77/32", "10.1.2.77", "10.1.2.77" },
		{ "10.1.2.77/0", "0.0.0.0", "255.255.255.255" },
		{ "172.31.255.1/12", "172.16.0.0", "172.31.255.255" },
		{ "2001:db8::5/64",
		  "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff" },
		{ "2001:db8::5/126", "2001:db8::4", "2001:db8::7" },
		{ "::1/1", "::", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_prefix p = prefix(cases[i].prefix);
		struct ip_prefix network = prefix_network(&p);
		struct ip_addr first = prefix_first(&p), last = prefix_last(&p);

		assert_ip(&first, cases[i].first);
		assert_ip(&last, cases[i].last);
		assert_ip(&network.addr, cases[i].first);
		assert_int_equal(network.len, p.len);
	}
}

static void test_contains_and_overlaps(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool contains;
	} cases[] = {
		{ "10.1.2.0/24", "10.1.2.0", true },
		{ "10.1.2.0/24", "10.1.2.255", true },
		{ "10.1.2.0/24", "10.1.3.0", false },
		{ "10.1.2.0/24", "10.1.1.255", false },
		{ "10.1.2.9/29", "10.1.2.15", true },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "1.2.3.4", false },
		{ "2001:db8::/64", "2001:db8::1:0:0:1", true },
		{ "2001:db8::/64", "2001:db8:0:1::", false },
	};
	struct ip_prefix a = prefix("10.0.0.0/8"), b = prefix("10.1.0.0/16");
	struct ip_prefix c = prefix("11.0.0.0/8"), d = prefix("::/0");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_prefix p = prefix(cases[i].prefix);
		struct ip_addr addr = ip(cases[i].addr);

		assert_int_equal(prefix_contains(&p, &addr), cases[i].contains);
	}
	assert_true(prefix_overlaps(&a, &b) && prefix_overlaps(&b, &a));
	assert_false(prefix_overlaps(&b, &c) || prefix_overlaps(&a, &d));
}

static void test_order(void **state)
{
	static const char *const sorted[] = { "0.0.0.0",    "9.255.0.0",
					      "10.0.0.1",   "10.0.0.2",
					      "::",	    "::2",
					      "2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		for (size_t j = 0; j < ARRAY_SIZE(sorted); j++) {
			struct ip_addr a = ip(sorted[i]), b = ip(sorted[j]);
			int order = ip_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0),
					 (i > j) - (i < j));
			assert_int_equal(ip_equal(&a, &b), i == j);
		}
}

static void test_kinds(void **state)
{
	struct ip_addr lo4 = ip("127.9.0.1"), lo6 = ip("::1");
	struct ip_addr ll4 = ip("169.254.1.1"), ll6 = ip("febf::1");
	struct ip_addr a = ip("169.255.1.1"), b = ip("fec0::1");
	struct ip_prefix any4 = prefix("0.0.0.0/0"), any6 = prefix("::/0");
	struct ip_prefix zero = prefix("0.0.0.0/8"), none = { 0 };

	(void)state;
	assert_true(ip_is_loopback(&lo4) && ip_is_loopback(&lo6));
	assert_false(ip_is_loopback(&ll4) || ip_is_loopback(&ll6));
	assert_true(ip_is_link_local(&ll4) && ip_is_link_local(&ll6));
	assert_false(ip_is_link_local(&a) || ip_is_link_local(&b));
	assert_true(prefix_is_default(&any4) && prefix_is_default(&any6));
	assert_false(prefix_is_default(&zero) || prefix_is_default(&none));
	assert_int_equal(ip_size(AF_INET6), 16);
	assert_int_equal(ip_bits(AF_INET), 32);
	assert_int_equal(ip_size(0), 0);
}

static void test_macs(void **state)
{
	static const char *const bad[] = {
		"",
		"c2:11:22:33:44",
		"c2:11:22:33:44:5",
		"c2:11:22:33:44:5g",
		"c2:11-22:33:44:55",
		"c2.11.22.33.44.55",
		"c211:22:33:44:55:",
		"c2:11:22:33:44:55:66",
	};
	uint8_t mac[MAC_LEN];
	char text[MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(mac_parse("C2:11:22:0a:44:55", mac), 0);
	assert_string_equal(mac_text(mac, text), "c2:11:22:0a:44:55");
	assert_int_equal(mac_parse("c2-11-22-33-44-ff", mac), 0);
	assert_string_equal(mac_text(mac, text), "c2:11:22:33:44:ff");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!mac_parse(bad[i], mac))
			fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_gos),
		cmocka_unit_test(test_refuses_what_go_refuses),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_lenient_prefix_may_lack_its_length),
		cmocka_unit_test(test_next_and_previous),
		cmocka_unit_test(test_ends_of_a_prefix),
		cmocka_unit_test(test_contains_and_overlaps),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_macs),
	};

	return RUN(tests);
}
