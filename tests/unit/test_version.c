// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "cni/version.h"

static void test_supported(void **state)
{
	static const char *const all[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1",
					   "0.4.0", "1.0.0", "1.1.0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_true(cni_version_supported(all[i]));
		assert_string_equal(cni_versions[i], all[i]);
	}
	assert_null(cni_versions[ARRAY_SIZE(all)]);
	assert_false(cni_version_supported("1.2.0"));
	assert_false(cni_version_supported("1.0"));
	assert_false(cni_version_supported(""));
}

static void test_order(void **state)
{
	(void)state;
	assert_true(cni_version_at_least("1.0.0", "0.4.0"));
	assert_true(cni_version_at_least("0.4.0", "0.4.0"));
	assert_true(cni_version_at_least("0.3.1", "0.3.0"));
	assert_true(cni_version_at_least("0.10.0", "0.9.0")); /* not as text */
	assert_true(cni_version_at_least("1", "0.4.0"));
	assert_true(cni_version_at_least("1.1", "1.1.0"));
	assert_false(cni_version_at_least("0.3.1", "0.4.0"));
	assert_false(cni_version_at_least("0.2.0", "0.3.0"));
	assert_false(cni_version_at_least("nonsense", "0.1.0"));
	assert_false(cni_version_at_least("", "0.1.0"));
}

static void test_syntax(void **state)
{
	static const char *const bad[] = { "",	    ".",      "1.",
					   "1..0",  "1.0.0.", "v1.0",
					   "1.0.x", "-1.0.0", "1.0.0.0",
					   " 1.0.0" };

	(void)state;
	assert_int_equal(cni_version_check_syntax("1"), 0);
	assert_int_equal(cni_version_check_syntax("1.2"), 0);
	assert_int_equal(cni_version_check_syntax("1.20.300"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!cni_version_check_syntax(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_supported),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_syntax),
	};

	return RUN(tests);
}
