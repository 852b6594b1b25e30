// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <sys/wait.h>

#include "base/process.h"

/* Run a shell script with input. */
static int run(const char *script, const char *input,
	       struct process_result *result, struct err *e)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct process process = { .argv = argv,
					 .input = input,
					 .input_len = strlen(input),
					 .output_max = 100 };

	return process_run(&process, result, e);
}

static void test_input_output_log_and_status(void **state)
{
	_process_result_ struct process_result result = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(run("cat; echo log >&2; exit 3", "in", &result, &e),
			 0);
	assert_string_equal(result.output, "in");
	assert_int_equal(result.output_len, 2);
	assert_string_equal(result.log, "log\n");
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 3);
}

static void test_our_environment_or_another(void **state)
{
	static const char *const argv[] = { "/bin/sh", "-c", "echo $A", NULL };
	char *const env[] = { "A=b", NULL };
	struct process process = {
		.argv = argv, .env = env, .input = "", .output_max = 100
	};
	_process_result_ struct process_result result = { 0 };

	(void)state;
	assert_int_equal(process_run(&process, &result, NULL), 0);
	assert_string_equal(result.output, "b\n");
	process_result_done(&result);
	setenv("A", "ours", 1);
	process.env = NULL;
	assert_int_equal(process_run(&process, &result, NULL), 0);
	assert_string_equal(result.output, "ours\n");
}

static void test_who_says_too_much_is_stopped(void **state)
{
	_process_result_ struct process_result result = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(run("while echo yes; do :; done", "", &result, &e),
			 -EFBIG);
	assert_non_null(strstr(e.msg, "read the output of \"sh\""));
	assert_null(result.output);
}

static void test_a_program_that_is_not_there(void **state)
{
	static const char *const argv[] = { "no-such-program", NULL };
	const struct process process = { .argv = argv, .input = "" };
	_process_result_ struct process_result result = { 0 };
	struct err e;

	(void)state;
	/* a directory that may not be searched makes it another error */
	setenv("PATH", "/usr/bin:/bin", 1);
	assert_int_equal(process_run(&process, &result, &e), -ENOENT);
	assert_string_equal(
		e.msg,
		"execute \"no-such-program\": No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_output_log_and_status),
		cmocka_unit_test(test_our_environment_or_another),
		cmocka_unit_test(test_who_says_too_much_is_stopped),
		cmocka_unit_test(test_a_program_that_is_not_there),
	};

	return RUN(tests);
}
