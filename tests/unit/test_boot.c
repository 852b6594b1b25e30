// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "base/boot.h"

#define NOW   "3f1bdc30-61bb-4a39-9a9a-0b1d0c6a3a6b"
#define THEN  "11111111-61bb-4a39-9a9a-0b1d0c6a3a6b"
#define HERE  "0123456789abcdef0123456789abcdef"
#define THERE "fedcba9876543210fedcba9876543210"

static void test_text(void **state)
{
	const struct boot whole = { NOW, HERE }, half = { NOW, "" };
	char text[BOOT_TEXT_MAX];

	(void)state;
	assert_string_equal(boot_text(&whole, text), NOW " " HERE);
	assert_string_equal(boot_text(&half, text), "");
}

static void test_earlier_is_another_boot_of_this_machine(void **state)
{
	const struct boot now = { NOW, HERE }, half = { NOW, "" };

	(void)state;
	assert_true(boot_is_earlier(&now, THEN " " HERE));
	assert_false(boot_is_earlier(&now, NOW " " HERE));
	assert_false(boot_is_earlier(&now, THEN " " THERE));
	assert_false(boot_is_earlier(&now, THEN " "));
	assert_false(boot_is_earlier(&now, THEN));
	assert_false(boot_is_earlier(&now, ""));
	assert_false(boot_is_earlier(&half, THEN " "));
	assert_false(boot_is_earlier(&half, THEN " " HERE));
}

static void test_current(void **state)
{
	struct boot boot = boot_current(), again = boot_current();

	(void)state;
	assert_int_equal(strlen(boot.id), BOOT_ID_LEN);
	assert_memory_equal(&boot, &again, sizeof(boot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_earlier_is_another_boot_of_this_machine),
		cmocka_unit_test(test_current),
	};

	return RUN(tests);
}
