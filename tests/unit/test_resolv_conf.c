// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "ipam/host_local/resolv_conf.h"

static struct arena arena;

static int teardown(void **state)
{
	arena_done(&arena);
	return dir_teardown(state);
}

static void test_reads_every_keyword(void **state)
{
	const char *path = PATH(*state, "resolv.conf");
	struct cni_dns dns = { 0 };
	struct err e;

	put_file(path, "# a comment\n"
		       "; another\n"
		       "\n"
		       "   \n"
		       "nameserver 192.0.2.0 192.0.2.9\n"
		       "  nameserver\t192.0.2.1 \r\n"
		       "domain first.example\n"
		       "domain example.net more\n"
		       "search one.example\t two.example\n"
		       "search three.example\n"
		       "options four\n"
		       "options five  six # seven\n"
		       "nameserver\n"
		       "sortlist 10.0.0.0\n"
		       "nameserver 192.0.2.2");
	assert_int_equal(resolv_conf_load(path, &arena, &dns, &e), 0);
	assert_int_equal(dns.nameservers.n, 3);
	assert_string_equal(dns.nameservers.v[0], "192.0.2.0");
	assert_string_equal(dns.nameservers.v[1], "192.0.2.1");
	assert_string_equal(dns.nameservers.v[2], "192.0.2.2");
	assert_string_equal(dns.domain, "example.net"); /* the last wins */
	assert_int_equal(dns.search.n, 3);		/* they add up */
	assert_string_equal(dns.search.v[1], "two.example");
	assert_string_equal(dns.search.v[2], "three.example");
	/* a comment begins at the beginning only */
	assert_int_equal(dns.options.n, 5);
	assert_string_equal(dns.options.v[3], "#");
}

static void test_empty_file(void **state)
{
	const char *path = PATH(*state, "resolv.conf");
	struct cni_dns dns;
	struct err e;

	put_file(path, "");
	assert_int_equal(resolv_conf_load(path, &arena, &dns, &e), 0);
	assert_int_equal(dns.nameservers.n, 0);
	assert_null(dns.domain);
}

static void test_missing_and_huge_files_are_errors(void **state)
{
	const char *path = PATH(*state, "resolv.conf");
	_free_ char *huge = malloc(70001);
	struct cni_dns dns;
	struct err e;

	assert_int_equal(resolv_conf_load(path, &arena, &dns, &e), -ENOENT);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.msg, path));
	memset(huge, 'a', 70000);
	huge[70000] = '\0';
	put_file(path, huge);
	assert_int_equal(resolv_conf_load(path, &arena, &dns, &e), -EFBIG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reads_every_keyword),
		TEST(test_empty_file),
		TEST(test_missing_and_huge_files_are_errors),
	};

	return RUN(tests);
}
