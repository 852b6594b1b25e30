// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "meta/dnsname/hosts.h"

#define KEY "1d8721804f16f412-e65086f8a75535c6"

static const struct owner owner = { .network = "podman",
				    .container_id = "abc",
				    .ifname = "eth0" };

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static struct dns_hosts parse(const char *text, struct arena *a)
{
	struct dns_hosts hosts;
	struct err e = { 0 };

	assert_int_equal(dns_hosts_parse(text, 2, a, &hosts, &e), 0);
	return hosts;
}

static void test_lines_of_both(void **state)
{
	static const char text[] = "10.1.0.2\tweb\twww\t# " KEY
				   ", net: podman, if: eth0, id: abc\n"
				   "fd00::3\tdb\n";
	_arena_ struct arena a = { 0 };
	const struct dns_hosts hosts = parse(text, &a);

	(void)state;
	assert_int_equal(hosts.n, 2);
	assert_string_equal(hosts.v[0].names, "web\twww");
	assert_true(owner_is(&owner, hosts.v[0].owner));
	assert_string_equal(dns_host_name(&hosts.v[0], &a), "web");
	assert_string_equal(hosts.v[1].names, "db");
	assert_string_equal(hosts.v[1].owner, "");
	assert_string_equal(dns_hosts_text(&hosts, &a), text);
}

static void test_what_is_no_line(void **state)
{
	static const char *const none[] = {
		"",
		"\n\n",
		"# comment\n",
		"10.1.0.2\n",
		"\tweb\n",
		"10.1.0.2\t# web\n",
		"10.1.0.2/24 web\n",
		"web 10.1.0.2\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		_arena_ struct arena a = { 0 };

		assert_int_equal(parse(none[i], &a).n, 0);
	}
}

static void test_blanks_and_foreign_comments(void **state)
{
	_arena_ struct arena a = { 0 };
	const struct dns_hosts hosts =
		parse("10.1.0.2   web  www # mine\n10.1.0.3 x", &a);

	(void)state;
	assert_int_equal(hosts.n, 2);
	assert_string_equal(hosts.v[0].names, "web\twww");
	assert_string_equal(hosts.v[0].owner, "");
	assert_string_equal(hosts.v[1].names, "x");
}

static void test_add(void **state)
{
	static const char *const names[] = { "web", "www" };
	const struct ip_addr four = addr("10.1.0.2"), six = addr("fd00::2");
	_arena_ struct arena a = { 0 };
	struct dns_hosts hosts = parse("", &a);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(dns_hosts_add(&hosts, &four, names, 2, &owner, &a, &e),
			 0);
	assert_int_equal(dns_hosts_add(&hosts, &six, names, 1, &owner, &a, &e),
			 0);
	assert_string_equal(dns_hosts_text(&hosts, &a),
			    "10.1.0.2\tweb\twww\t# " KEY
			    ", net: podman, if: eth0, id: abc\n"
			    "fd00::2\tweb\t# " KEY
			    ", net: podman, if: eth0, id: abc\n");
}

static bool has_owner(const struct dns_host *host, const void *arg)
{
	(void)arg;
	return *host->owner;
}

static void test_remove(void **state)
{
	_arena_ struct arena a = { 0 };
	struct dns_hosts hosts = parse("10.1.0.2 a # " KEY "\n10.1.0.3 b\n"
				       "10.1.0.4 c # " KEY "\n",
				       &a);

	(void)state;
	assert_true(dns_hosts_remove(&hosts, has_owner, NULL));
	assert_string_equal(dns_hosts_text(&hosts, &a), "10.1.0.3\tb\n");
	assert_false(dns_hosts_remove(&hosts, has_owner, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_both),
		cmocka_unit_test(test_what_is_no_line),
		cmocka_unit_test(test_blanks_and_foreign_comments),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
