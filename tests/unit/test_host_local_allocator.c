// SPDX-License-Identifier: GPL-2.0-or-later
/* The vectors are those of the reference's allocator_test.go. */
#include "unit.h"

#include "ipam/host_local/allocator.h"

static struct arena arena;

static int teardown(void **state)
{
	arena_done(&arena);
	return dir_teardown(state);
}

/* A set of the subnets in @text, between spaces, "subnet[start-end]" for a
 * part of one. */
static struct range_set make_set(const char *text)
{
	char *rest = arena_strdup(&arena, text), *word;
	struct range_set set = { { arena_array(&arena, 8,
					       sizeof(struct range)) } };
	struct err e;

	while ((word = strsep(&rest, " "))) {
		struct range *r = &set.ranges.v[set.ranges.n++];
		char *part = strpbrk(word, "["), *end;

		if (part) {
			*part++ = '\0';
			end = strchr(part, '-');
			*end++ = '\0';
			end[strcspn(end, "]")] = '\0';
			r->start = ip(part);
			r->end = ip(end);
		}
		r->subnet = prefix(word);
	}
	if (range_set_canonicalise(&set, &e))
		fail_msg("%s: %s", text, e.msg);
	return set;
}

/* A configuration of the sets in @text, between bars. */
static struct host_local_config make_conf(const char *text)
{
	char *rest = arena_strdup(&arena, text), *word;
	struct host_local_config conf = { 0 };

	conf.sets.v = arena_array(&arena, 8, sizeof(struct range_set));
	conf.requested.v = arena_array(&arena, 8, sizeof(struct ip_addr));
	while ((word = strsep(&rest, "|")))
		conf.sets.v[conf.sets.n++] = make_set(word);
	return conf;
}

/* The store in "net" below @dir, with indexes in "index". */
static struct ipam_place place(const char *dir)
{
	return (struct ipam_place){ dir, "net",
				    arena_printf(&arena, "%s/index", dir) };
}

static int allocate_as(const char *dir, const struct host_local_config *conf,
		       const char *id, struct cni_result *res, struct err *e)
{
	const struct ipam_owner owner = { id, "eth0" };
	const struct ipam_place at = place(dir);
	_ipam_store_ struct ipam_store *s = NULL;

	*res = (struct cni_result){ 0 };
	assert_int_equal(ipam_store_open(&at, IPAM_CREATE, &s, e), 0);
	return host_local_allocate(conf, s, &owner, &arena, res, e);
}

/* The addresses that @id is given, between spaces; or the error. */
static const char *allocate(const char *dir,
			    const struct host_local_config *conf,
			    const char *id)
{
	static char text[1024];
	char buf[IP_TEXT_MAX];
	struct cni_result res;
	struct err e = { 0 };

	if (allocate_as(dir, conf, id, &res, &e))
		return strcpy(text, e.msg);
	*text = '\0';
	for (size_t i = 0; i < res.ips.n; i++)
		sprintf(text + strlen(text), "%s%s", i ? " " : "",
			ip_text(&res.ips.v[i].address.addr, buf));
	return text;
}

/* Start anew, with the addresses of @taken (between spaces) given away and
 * @last, if not "", handed out last. */
static void reset(const char *dir, const char *taken, const char *last)
{
	char *rest = arena_strdup(&arena, taken), *word;

	nftw(PATH(dir, "net"), dir_remove, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(PATH(dir, "net"), 0755), 0);
	while ((word = strsep(&rest, " ")))
		if (*word)
			put_file(PATH(PATH(dir, "net"), word), "other\r\neth0");
	if (*last)
		put_file(PATH(dir, "net/last_reserved_ip.0"), last);
}

static void test_round_robin(void **state)
{
	static const struct {
		const char *subnets, *taken, *last, *expected;
	} cases[] = {
		{ "10.0.0.0/29", "", "", "10.0.0.2" },
		{ "2001:db8:1::/64", "", "", "2001:db8:1::2" },
		{ "10.0.0.0/30", "", "", "10.0.0.2" },
		{ "10.0.0.0/29", "10.0.0.2", "", "10.0.0.3" },
		{ "10.0.0.0/29", "", "10.0.0.5", "10.0.0.6" },
		{ "10.0.0.0/29", "10.0.0.4 10.0.0.5", "10.0.0.3", "10.0.0.6" },
		{ "10.0.0.0/29", "10.0.0.6", "10.0.0.5", "10.0.0.2" },
		{ "10.0.0.0/29", "10.0.0.2", "10.0.0.128", "10.0.0.3" },
		{ "10.0.0.0/29", "10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.6",
		  "10.0.0.3", "10.0.0.3" },
		{ "10.0.0.0/30 10.0.1.0/30", "", "", "10.0.0.2" },
		{ "10.0.0.0/30 10.0.1.0/30", "", "10.0.0.2", "10.0.1.2" },
		{ "10.0.0.0/30 10.0.1.0/30 10.0.2.0/30", "", "10.0.2.2",
		  "10.0.0.2" },
		{ "192.168.1.0/30[192.168.1.0-192.168.1.3] "
		  "192.168.2.0/30[192.168.2.0-192.168.2.3]",
		  "", "192.168.1.3", "192.168.2.0" },
		/* beyond the reference's: a gateway of the other range */
		{ "10.0.0.0/24[10.0.0.9-10.0.0.9] 10.0.0.0/24[10.0.0.1-10.0.0.3]",
		  "10.0.0.9", "10.0.0.9", "10.0.0.2" },
		/* last is the end of all addresses */
		{ "255.255.255.0/24[255.255.255.9-255.255.255.255]", "",
		  "255.255.255.255", "255.255.255.9" },
		{ "10.0.0.0/29", "", "nonsense", "10.0.0.2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_local_config conf = make_conf(cases[i].subnets);

		reset(*state, cases[i].taken, cases[i].last);
		assert_string_equal(allocate(*state, &conf, "id"),
				    cases[i].expected);
		assert_file(PATH(*state, "net/last_reserved_ip.0"),
			    cases[i].expected);
	}
}

static void test_iterates_until_exhausted(void **state)
{
	static const struct {
		const char *last, *expected[6];
	} cases[] = {
		{ "", { ".2", ".3", ".4", ".5", ".6", NULL } },
		{ "192.168.1.6", { ".2", ".3", ".4", ".5", ".6", NULL } },
		{ "192.168.1.3", { ".4", ".5", ".6", ".2", ".3", NULL } },
	};
	struct host_local_config conf = make_conf("192.168.1.0/29");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[] = "a";

		reset(*state, "", cases[i].last);
		for (const char *const *p = cases[i].expected; *p; p++) {
			char addr[32];

			snprintf(addr, sizeof(addr), "192.168.1%s", *p);
			assert_string_equal(allocate(*state, &conf, id), addr);
			id[0]++;
		}
		assert_string_equal(
			allocate(*state, &conf, id),
			"failed to allocate for range 0: no IP addresses available in range set: 192.168.1.1-192.168.1.6");
	}
}

static void test_one_address_of_each_set(void **state)
{
	struct host_local_config conf =
		make_conf("10.0.0.0/24|2001:db8::/64|10.0.1.0/24 10.0.2.0/24");
	struct cni_result res;
	struct err e;

	reset(*state, "", "");
	assert_int_equal(allocate_as(*state, &conf, "id", &res, &e), 0);
	assert_int_equal(res.ips.n, 3);
	assert_prefix(&res.ips.v[0].address, "10.0.0.2/24");
	assert_prefix(&res.ips.v[1].address, "2001:db8::2/64");
	assert_prefix(&res.ips.v[2].address, "10.0.1.2/24");
	assert_ip(&res.ips.v[1].gateway, "2001:db8::1");
	assert_ip(&res.ips.v[2].gateway, "10.0.1.1");
	assert_int_equal(res.ips.v[0].interface, -1);
	assert_file(PATH(*state, "net/last_reserved_ip.1"), "2001:db8::2");
	assert_file(PATH(*state, "net/10.0.1.2"), "id\r\neth0");
}

static void test_the_codes_and_what_stays_of_a_failure(void **state)
{
	struct host_local_config conf = make_conf("10.0.0.0/24|10.0.1.0/30");
	struct cni_result res;
	struct err e = { 0 };

	reset(*state, "10.0.1.2", "");
	assert_int_equal(allocate_as(*state, &conf, "id", &res, &e), -ENOSPC);
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_string_equal(
		e.msg,
		"failed to allocate for range 1: no IP addresses available in range set: 10.0.1.1-10.0.1.2");
	assert_missing(PATH(*state, "net/10.0.0.2"));
	assert_missing(PATH(*state, "net/last_reserved_ip.0"));

	reset(*state, "", "");
	put_file(PATH(*state, "net/10.0.1.2"), "id\r\neth0");
	assert_int_equal(allocate_as(*state, &conf, "id", &res, &e), -EEXIST);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_string_equal(
		e.msg,
		"failed to allocate for range 1: 10.0.1.2 has been allocated to id, duplicate allocation is not allowed");
	assert_missing(PATH(*state, "net/10.0.0.2"));
	assert_file(PATH(*state, "net/10.0.1.2"), "id\r\neth0");
}

static void test_a_failure_to_write_takes_back_its_own(void **state)
{
	struct host_local_config conf = make_conf("10.0.0.0/24|10.0.1.0/24");
	char id[IPAM_OWNER_MAX];
	struct cni_result res;
	struct err e = { 0 };

	reset(*state, "", "");
	/* in the way of the temporary file, where nobody can remove it */
	mkdir(PATH(*state, "net/.hawser.tmp"), 0755);
	assert_int_equal(allocate_as(*state, &conf, "id", &res, &e), -EISDIR);
	assert_missing(PATH(*state, "net/10.0.0.2"));
	assert_int_equal(rmdir(PATH(*state, "net/.hawser.tmp")), 0);
	/* an ID that its file has no room for */
	memset(id, 'a', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(allocate_as(*state, &conf, id, &res, &e), -EINVAL);
	assert_int_equal(e.code, ERR_ENV);
	assert_missing(PATH(*state, "net/10.0.0.2"));
}

static void request(struct host_local_config *conf, const char *text)
{
	char *rest = arena_strdup(&arena, text), *word;

	conf->requested.n = 0;
	while ((word = strsep(&rest, " ")))
		conf->requested.v[conf->requested.n++] = ip(word);
}

static void test_requested_addresses(void **state)
{
	static const struct {
		const char *requested, *expected;
		int code;
	} cases[] = {
		{ "10.0.0.7", "10.0.0.7 10.0.1.2", 0 },
		{ "10.0.1.7", "10.0.0.2 10.0.1.7", 0 },
		{ "10.0.1.7 10.0.0.8", "10.0.0.8 10.0.1.7", 0 },
		{ "10.0.0.1",
		  "failed to allocate for range 0: requested ip 10.0.0.1 is subnet's gateway",
		  ERR_CONFIG },
		{ "10.0.0.9",
		  "failed to allocate for range 0: requested IP address 10.0.0.9 is not available in range set 10.0.0.1-10.0.0.254",
		  ERR_EXISTS },
		{ "10.0.0.7 10.0.0.8 192.168.0.1",
		  "failed to allocate all requested IPs: 10.0.0.8 192.168.0.1",
		  ERR_CONFIG },
	};
	struct host_local_config conf = make_conf("10.0.0.0/24|10.0.1.0/24");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_result res;
		struct err e = { 0 };

		request(&conf, cases[i].requested);
		reset(*state, "10.0.0.9", "");
		assert_string_equal(allocate(*state, &conf, "id"),
				    cases[i].expected);
		reset(*state, "10.0.0.9", "");
		allocate_as(*state, &conf, "id", &res, &e);
		assert_int_equal(e.code, cases[i].code);
		if (cases[i].code)
			assert_missing(PATH(*state, "net/10.0.1.2"));
	}
}

static void test_abandoned_files_do_not_exhaust_a_pool(void **state)
{
	struct host_local_config conf = make_conf("10.0.0.0/29");

	reset(*state, "10.0.0.2 10.0.0.3 10.0.0.5 10.0.0.6", "");
	put_file(PATH(*state, "net/10.0.0.4"), "");
	assert_string_equal(allocate(*state, &conf, "id"), "10.0.0.4");
	assert_file(PATH(*state, "net/10.0.0.4"), "id\r\neth0");
	put_file(PATH(*state, "net/10.0.0.4"), "");
	request(&conf, "10.0.0.4");
	assert_string_equal(allocate(*state, &conf, "id"), "10.0.0.4");
	assert_file(PATH(*state, "net/10.0.0.4"), "id\r\neth0");
}

static void test_vast_pools(void **state)
{
	struct host_local_config conf =
		make_conf("10.0.0.0/8|2001:db8::/32|::/1");

	/* the end of the second, and not one step for each address */
	reset(*state, "", "10.255.255.254");
	put_file(PATH(*state, "net/last_reserved_ip.1"),
		 "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe");
	conf.sets.n = 2;
	assert_string_equal(allocate(*state, &conf, "id"),
			    "10.0.0.2 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_string_equal(allocate(*state, &conf, "id2"),
			    "10.0.0.3 2001:db8::2");
}

static void test_status_looks_only(void **state)
{
	struct host_local_config conf = make_conf("10.0.0.0/30");
	const struct ipam_place at = place(*state);
	_ipam_store_ struct ipam_store *s = NULL;
	struct err e = { 0 };

	reset(*state, "10.0.0.2", "");
	assert_int_equal(ipam_store_peek(&at, &s, &e), 0);
	assert_int_equal(host_local_check_free(&conf, 0, s, &e), -ENOSPC);
	assert_string_equal(
		e.msg,
		"no IP addresses available in range set: 10.0.0.1-10.0.0.2");
	ipam_store_close(steal_ptr(&s));
	put_file(PATH(*state, "net/10.0.0.2"), "");
	assert_int_equal(ipam_store_peek(&at, &s, &e), 0);
	assert_int_equal(host_local_check_free(&conf, 0, s, &e), 0);
	assert_file(PATH(*state, "net/10.0.0.2"), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_robin),
		TEST(test_iterates_until_exhausted),
		TEST(test_one_address_of_each_set),
		TEST(test_the_codes_and_what_stays_of_a_failure),
		TEST(test_a_failure_to_write_takes_back_its_own),
		TEST(test_requested_addresses),
		TEST(test_abandoned_files_do_not_exhaust_a_pool),
		TEST(test_vast_pools),
		TEST(test_status_looks_only),
	};

	return RUN(tests);
}
