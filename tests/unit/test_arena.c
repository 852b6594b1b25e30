// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

static void test_memory_is_zeroed_and_aligned(void **state)
{
	_arena_ struct arena a = { 0 };
	char *one = arena_alloc(&a, 100), *two = arena_array(&a, 3, 7);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(one[i], 0);
	for (int i = 0; i < 21; i++)
		assert_int_equal(two[i], 0);
	assert_int_equal((uintptr_t)two % _Alignof(max_align_t), 0);
	assert_non_null(arena_alloc(&a, 0)); /* nothing is something too */
}

static void test_overflow_is_no_memory(void **state)
{
	_arena_ struct arena a = { 0 };

	(void)state;
	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(a.last);
}

static void test_strings(void **state)
{
	_arena_ struct arena a = { 0 };
	char source[] = "text", *copy = arena_strdup(&a, source);

	(void)state;
	source[0] = 'n';
	assert_string_equal(copy, "text");
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_printf(&a, "%s-%d", "a", 42), "a-42");
}

static char released[8];

static void note(void *p)
{
	strncat(released, p, 1);
}

static void test_releases_youngest_first_and_once(void **state)
{
	struct arena a = { 0 };
	char x[] = "x", y[] = "y", z[] = "z";

	(void)state;
	assert_int_equal(arena_own(&a, x, note), 0);
	arena_alloc(&a, 10);
	assert_int_equal(arena_own(&a, y, note), 0);
	arena_done(&a);
	assert_string_equal(released, "yx");
	assert_null(a.last);
	assert_int_equal(arena_own(&a, z, note), 0); /* usable again */
	arena_done(&a);
	assert_string_equal(released, "yxz");
	arena_done(&a);
	assert_string_equal(released, "yxz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_overflow_is_no_memory),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_releases_youngest_first_and_once),
	};

	return RUN(tests);
}
