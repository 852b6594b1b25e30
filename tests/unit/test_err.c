// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "base/err.h"

static void test_set_says_and_returns(void **state)
{
	struct err e = { .details = "of before" };

	(void)state;
	assert_int_equal(err_set(&e, ERR_CONFIG, ERANGE, "\"mtu\": %d", 9),
			 -ERANGE);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "\"mtu\": 9");
	assert_string_equal(e.details, "");
}

static void test_sys_appends_errno(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open \"%s\"", "x"), -ENOENT);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.msg, "open \"x\": No such file or directory");
}

static void test_wrap_puts_before(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_CONFIG, EINVAL, "inner");
	err_details(&e, "more %d", 1);
	err_wrap(&e, "range %d", 3);
	assert_string_equal(e.msg, "range 3: inner");
	assert_string_equal(e.details, "more 1");
	assert_int_equal(e.code, ERR_CONFIG);
}

static void test_null_wants_only_the_code(void **state)
{
	(void)state;
	errno = EPERM;
	assert_int_equal(err_sys(NULL, "x"), -EPERM);
	assert_int_equal(err_set(NULL, ERR_IO, EIO, "x"), -EIO);
	assert_int_equal(err_oom(NULL), -ENOMEM);
	err_wrap(NULL, "x");
	err_details(NULL, "x");
}

static void test_long_text_is_cut(void **state)
{
	char text[2 * sizeof(((struct err *)0)->msg)];
	struct err e = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_IO, EIO, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	errno = EIO;
	err_sys(&e, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_details(&e, "%s", text);
	assert_int_equal(strlen(e.details), sizeof(e.details) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_says_and_returns),
		cmocka_unit_test(test_sys_appends_errno),
		cmocka_unit_test(test_wrap_puts_before),
		cmocka_unit_test(test_null_wants_only_the_code),
		cmocka_unit_test(test_long_text_is_cut),
	};

	return RUN(tests);
}
