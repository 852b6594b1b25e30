// SPDX-License-Identifier: GPL-2.0-or-later
/* Another plugin is a shell script here. */
#include "unit.h"

#include "cni/exec.h"

static void put_plugin(const char *path, const char *body)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	put_file(path, text);
	assert_int_equal(chmod(path, 0755), 0);
}

static int find(const char *type, const char *path, char *found, struct err *e)
{
	return cni_find_plugin(type, path, found, e);
}

static void test_finds_the_first_regular_file(void **state)
{
	char path[3 * PATH_MAX], found[PATH_MAX];
	struct err e;

	mkdir(PATH(*state, "a"), 0700);
	mkdir(PATH(*state, "a/x"), 0700); /* a directory is no plugin */
	mkdir(PATH(*state, "b"), 0700);
	mkdir(PATH(*state, "c"), 0700);
	put_file(PATH(*state, "b/x"), "");
	put_file(PATH(*state, "c/x"), "");
	assert_int_equal(symlink("x", PATH(*state, "c/y")), 0);
	snprintf(path, sizeof(path), "%s/none::%s/a:%s/b:%s/c", (char *)*state,
		 (char *)*state, (char *)*state, (char *)*state);
	assert_int_equal(find("x", path, found, &e), 0);
	assert_string_equal(found, PATH(*state, "b/x"));
	assert_int_equal(find("y", path, found, &e), 0);
	assert_string_equal(found, PATH(*state, "c/y"));
}

static void test_refuses_names_that_are_paths(void **state)
{
	static const char *const bad[] = { "../x", "a/b", "/bin/sh", ".",
					   ".." };
	char found[PATH_MAX];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(find(bad[i], "/bin", found, &e), -EINVAL);
		assert_non_null(strstr(e.msg, "invalid plugin name: "));
		assert_int_equal(e.code, ERR_CONFIG);
	}
	assert_int_equal(find("", "/bin", found, &e), -EINVAL);
	assert_string_equal(e.msg, "no plugin name provided");
	assert_int_equal(find("x", "/none:/nothing", found, &e), -ENOENT);
	assert_string_equal(
		e.msg, "failed to find plugin \"x\" in path [/none:/nothing]");
	assert_int_equal(find("x", "", found, &e), -ENOENT);
}

static void test_a_too_long_directory_is_skipped(void **state)
{
	char path[2 * PATH_MAX], found[PATH_MAX];
	struct err e;

	memset(path, 'a', sizeof(path));
	put_file(PATH(*state, "x"), "");
	snprintf(path + PATH_MAX, sizeof(path) - PATH_MAX, ":%s",
		 (char *)*state);
	assert_int_equal(find("x", path, found, &e), 0);
	assert_string_equal(found, PATH(*state, "x"));
}

static void test_environment_with_settings(void **state)
{
	char *const env[] = { "A=1", "AB=2", "B=3", NULL };
	const struct cni_env_setting settings[] = { { "A", "9" },
						    { "C", "x=y" } };
	_arena_ struct arena a = { 0 };
	char **with = cni_env_with(env, settings, 2, &a);

	(void)state;
	assert_string_equal(with[0], "AB=2");
	assert_string_equal(with[1], "B=3");
	assert_string_equal(with[2], "A=9");
	assert_string_equal(with[3], "C=x=y");
	assert_null(with[4]);
}

static int run(const char *path, const char *input, char **output,
	       struct err *e)
{
	char *const env[] = { "PATH=/usr/bin:/bin", "GREETING=hello", NULL };
	size_t len;

	return cni_exec(path, env, input, strlen(input), output, &len, e);
}

static void test_passes_input_and_environment(void **state)
{
	_free_ char *output = NULL;
	struct err e = { 0 };

	put_plugin(PATH(*state, "p"), "echo \"$GREETING\"; cat");
	assert_int_equal(run(PATH(*state, "p"), "{\"a\":1}", &output, &e), 0);
	assert_string_equal(output, "hello\n{\"a\":1}");
}

static void test_input_larger_than_a_pipe(void **state)
{
	_free_ char *input = malloc(300001), *output = NULL;
	struct err e = { 0 };

	memset(input, 'i', 300000);
	input[300000] = '\0';
	/* which writes before it reads, as no pipe would let it */
	put_plugin(PATH(*state, "p"), "echo first; cat");
	assert_int_equal(run(PATH(*state, "p"), input, &output, &e), 0);
	assert_int_equal(strlen(output), 300006);
}

static void test_reports_the_plugins_own_error(void **state)
{
	_free_ char *output = NULL;
	struct err e = { 0 };

	put_plugin(
		PATH(*state, "p"),
		"echo '{\"code\":11,\"msg\":\"busy\",\"details\":\"more\"}'; exit 1");
	assert_int_equal(run(PATH(*state, "p"), "", &output, &e), -EREMOTEIO);
	assert_null(output);
	assert_int_equal(e.code, 11);
	assert_string_equal(e.msg, "busy");
	assert_string_equal(e.details, "more");
}

static void test_other_ways_to_fail(void **state)
{
	static const struct {
		const char *body, *msg;
	} cases[] = {
		{ "exit 3", "failed with exit status 3 and no error message" },
		{ "echo nonsense; exit 1", "failed with exit status 1" },
		{ "echo '{\"code\":\"x\"}'; exit 1",
		  "failed with exit status 1" },
		{ "kill -9 $$", "was killed by signal 9" },
		{ "head -c 2000000 /dev/zero", "read the output of" },
	};
	const char *path = PATH(*state, "p");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *output = NULL;
		struct err e = { 0 };

		put_plugin(path, cases[i].body);
		assert_true(run(path, "", &output, &e) < 0);
		assert_int_equal(e.code, ERR_IO);
		assert_non_null(strstr(e.msg, cases[i].msg));
		assert_non_null(strstr(e.msg, path));
	}
}

static void test_what_cannot_be_executed(void **state)
{
	_free_ char *output = NULL;
	struct err e = { 0 };

	put_file(PATH(*state, "p"), "no program");
	assert_int_equal(run(PATH(*state, "p"), "", &output, &e), -EACCES);
	assert_non_null(strstr(e.msg, PATH(*state, "p")));
	assert_int_equal(run(PATH(*state, "none"), "", &output, &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_finds_the_first_regular_file),
		cmocka_unit_test(test_refuses_names_that_are_paths),
		IN_DIR(test_a_too_long_directory_is_skipped),
		cmocka_unit_test(test_environment_with_settings),
		IN_DIR(test_passes_input_and_environment),
		IN_DIR(test_input_larger_than_a_pipe),
		IN_DIR(test_reports_the_plugins_own_error),
		IN_DIR(test_other_ways_to_fail),
		IN_DIR(test_what_cannot_be_executed),
	};

	return RUN(tests);
}
