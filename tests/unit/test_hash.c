// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "base/hash.h"

/* FIPS 180-4's own example: SHA-512 of "abc". */
#define ABC                                                                \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void test_known_digest(void **state)
{
	char text[HASH_DIGITS_MAX + 1];

	(void)state;
	hash_hex(text, HASH_DIGITS_MAX, "abc", NULL);
	assert_string_equal(text, ABC);
	hash_hex(text, 16, "", NULL); /* of nothing */
	assert_string_equal(text, "cf83e1357eefb8bd");
}

static void test_strings_are_joined(void **state)
{
	char text[HASH_DIGITS_MAX + 1];

	(void)state;
	hash_hex(text, HASH_DIGITS_MAX, "a", "", "bc", NULL);
	assert_string_equal(text, ABC);
}

static void test_cut_to_the_digits_asked_for(void **state)
{
	char text[8];

	(void)state;
	memset(text, 'x', sizeof(text));
	hash_hex(text, 5, "abc", NULL);
	assert_memory_equal(text, "ddaf3\0xx", 8);
	hash_hex(text, 0, "abc", NULL);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_digest),
		cmocka_unit_test(test_strings_are_joined),
		cmocka_unit_test(test_cut_to_the_digits_asked_for),
	};

	return RUN(tests);
}
