// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "service/ipam_index.h"

static const struct boot boot = { "3f1bdc30-61bb-4a39-9a9a-0b1d0c6a3a6b", "" };
static const struct timespec seal = { 1700000000, 123456789 };

static void add(struct ipam_index *ix, const char *text, uint64_t owner)
{
	struct ip_addr addr = ip(text);

	assert_int_equal(ipam_index_add(ix, &addr, owner), 0);
}

static void assert_next_free(const struct ipam_index *ix, const char *from,
			     const char *last, const char *expected)
{
	struct ip_addr end = ip(last), found;

	if (!ipam_index_find_free(ix, ip(from), &end, &found))
		assert_string_equal("none", expected);
	else
		assert_ip(&found, expected);
}

static void test_finds_the_next_free_address(void **state)
{
	_ipam_index_ struct ipam_index *ix = ipam_index_new();

	(void)state;
	assert_next_free(ix, "10.0.0.2", "10.0.0.9", "10.0.0.2");
	add(ix, "10.0.0.3", 0);
	add(ix, "10.0.0.4", 0);
	for (int i = 60; i < 256; i++) {
		char text[16];

		snprintf(text, sizeof(text), "10.0.0.%d", i);
		add(ix, text, 0);
	}
	add(ix, "10.0.1.0", 0);
	add(ix, "255.255.255.255", 0);
	add(ix, "2001:db8::1", 0);
	assert_next_free(ix, "10.0.0.3", "10.0.0.9", "10.0.0.5");
	assert_next_free(ix, "10.0.0.3", "10.0.0.4", "none");
	assert_next_free(ix, "10.0.0.9", "10.0.0.8", "none");
	assert_next_free(ix, "10.0.0.61", "10.0.1.9", "10.0.1.1");
	assert_next_free(ix, "10.0.0.61", "10.0.1.0", "none");
	assert_next_free(ix, "10.0.0.64", "10.0.0.255", "none");
	/* does not go around at the end of all addresses */
	assert_next_free(ix, "255.255.255.255", "255.255.255.255", "none");
	assert_next_free(ix, "2001:db8::1", "2001:db8::f", "2001:db8::2");
	assert_next_free(ix, "2001:db8::", "2001:db8::f", "2001:db8::");
}

static void test_the_last_free_address_of_a_full_16(void **state)
{
	_ipam_index_ struct ipam_index *ix = ipam_index_new();
	struct ip_addr addr = ip("10.1.0.0"), hole = ip("10.1.200.77");

	(void)state;
	for (int i = 0; i < 65536; i++, addr = ip_next(addr))
		assert_int_equal(ipam_index_add(ix, &addr, (uint64_t)i + 1), 0);
	assert_int_equal(ipam_index_count(ix), 65536);
	assert_next_free(ix, "10.1.0.0", "10.1.255.255", "none");
	ipam_index_remove(ix, &hole, 200 * 256 + 77 + 1);
	assert_next_free(ix, "10.1.0.0", "10.1.255.255", "10.1.200.77");
	assert_false(ipam_index_has(ix, &hole));
}

/* Four owners whose places are the same, so that they push each other on, and
 * that of the table's last place, whose neighbour is the first. */
static void test_random_owners_against_an_array(void **state)
{
	static const uint64_t owners[] = { 63, 63 + 64, 63 + 65536, 62, 1, 2 };
	_ipam_index_ struct ipam_index *ix = ipam_index_new();
	uint64_t model[256] = { 0 };

	(void)state;
	srandom(1);
	for (int step = 0; step < 20000; step++) {
		unsigned i = (unsigned)random() % ARRAY_SIZE(model);
		uint64_t owner = owners[random() % ARRAY_SIZE(owners)];
		struct ip_addr addr = ip("10.0.0.0"), found;
		size_t cursor = 0, n = 0;

		addr.bytes[3] = (uint8_t)i;
		if (model[i]) {
			ipam_index_remove(ix, &addr, model[i]);
			model[i] = 0;
		} else if (step % 1000 < 500 || random() % 4 == 0) {
			assert_int_equal(ipam_index_add(ix, &addr, owner), 0);
			model[i] = owner;
		}
		assert_int_equal(ipam_index_has(ix, &addr), model[i] != 0);
		while (ipam_index_next_owned(ix, owner, &cursor, &found)) {
			assert_int_equal(model[found.bytes[3]], owner);
			n++;
		}
		for (i = 0; i < ARRAY_SIZE(model); i++)
			n -= model[i] == owner;
		assert_int_equal(n, 0);
	}
}

static void test_names_of_owners_do_not_run_together(void **state)
{
	(void)state;
	assert_true(ipam_index_owner("ab", "c") != ipam_index_owner("a", "bc"));
	assert_true(ipam_index_owner("ab", "") != ipam_index_owner("a", "b"));
	assert_true(ipam_index_owner("ab", "c") == ipam_index_owner("ab", "c"));
}

static struct ipam_index *load(const char *path)
{
	return ipam_index_load(path, &boot, &seal, true);
}

static void test_saved_and_loaded(void **state)
{
	const char *path = PATH(*state, "dir/index");
	struct ipam_index *ix = ipam_index_new();
	struct ip_addr addr = ip("10.0.0.7"), found;
	size_t cursor = 0;

	add(ix, "10.0.0.7", 5);
	ipam_index_notes(ix)->abandoned = true;
	assert_int_equal(ipam_index_save(ix, path, &boot, &seal), 0);
	ipam_index_free(ix);
	ix = load(path);
	assert_non_null(ix);
	assert_true(ipam_index_has(ix, &addr));
	assert_true(ipam_index_notes(ix)->abandoned);
	assert_true(ipam_index_next_owned(ix, 5, &cursor, &found));
	assert_ip(&found, "10.0.0.7");
	/* what is changed in one that was loaded is in the file at once, and
	 * so is one that has outgrown it, but only when it is saved */
	add(ix, "10.0.0.8", 6);
	ipam_index_free(ix);
	ix = load(path);
	assert_int_equal(ipam_index_count(ix), 2);
	addr = ip("10.1.0.0");
	for (int i = 0; i < 1000; i++, addr = ip_next(addr))
		assert_int_equal(ipam_index_add(ix, &addr, 7), 0);
	assert_int_equal(ipam_index_save(ix, path, &boot, &seal), 0);
	ipam_index_free(ix);
	ix = load(path);
	assert_int_equal(ipam_index_count(ix), 1002);
	ipam_index_free(ix);
	ix = ipam_index_load(path, &boot, &seal, false); /* to look only */
	add(ix, "10.9.0.1", 6);
	ipam_index_free(ix);
	ix = load(path);
	assert_int_equal(ipam_index_count(ix), 1002);
	ipam_index_free(ix);
}

static void test_what_is_not_loaded(void **state)
{
	static const struct boot other = {
		"00000000-61bb-4a39-9a9a-0b1d0c6a3a6b", ""
	};
	static const struct boot unknown = { "", "" };
	const char *path = PATH(*state, "index");
	_ipam_index_ struct ipam_index *ix = ipam_index_new();
	struct timespec later = seal;
	struct stat st;
	FILE *f;

	add(ix, "10.0.0.7", 5);
	assert_int_equal(ipam_index_save(ix, path, &boot, &seal), 0);
	assert_null(ipam_index_load(path, &other, &seal, true));
	later.tv_nsec++;
	assert_null(ipam_index_load(path, &boot, &later, true));
	assert_null(ipam_index_load(PATH(*state, "none"), &boot, &seal, true));
	assert_null(ipam_index_load(*state, &boot, &seal, false));
	assert_int_equal(symlink("index", PATH(*state, "link")), 0);
	assert_null(load(PATH(*state, "link")));
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = 0; size < st.st_size; size += 50) {
		assert_int_equal(truncate(path, size), 0);
		assert_null(load(path));
		assert_int_equal(ipam_index_save(ix, path, &boot, &seal), 0);
	}
	/* rooms that are none: the first follows magic, boot and seal */
	f = fopen(path, "r+");
	assert_int_equal(fseek(f, 8 + 40 + 16, SEEK_SET), 0);
	for (int i = 0; i < 32; i++)
		assert_int_equal(fputc(0xff, f), 0xff);
	assert_int_equal(fclose(f), 0);
	assert_null(load(path));
	assert_int_equal(ipam_index_save(ix, path, &unknown, &seal), 0);
	assert_null(ipam_index_load(path, &unknown, &seal, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_next_free_address),
		cmocka_unit_test(test_the_last_free_address_of_a_full_16),
		cmocka_unit_test(test_random_owners_against_an_array),
		cmocka_unit_test(test_names_of_owners_do_not_run_together),
		IN_DIR(test_saved_and_loaded),
		IN_DIR(test_what_is_not_loaded),
	};

	return RUN(tests);
}
