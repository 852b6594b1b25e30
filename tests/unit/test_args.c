// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "cni/args.h"

static void test_get_takes_the_whole_name(void **state)
{
	char *const env[] = { "CNI_ARGSX=no", "CNI_ARGS=a=b",
			      "CNI_PATH=", NULL };

	(void)state;
	assert_string_equal(cni_env_get(env, "CNI_ARGS"), "a=b");
	assert_string_equal(cni_env_get(env, "CNI_PATH"), "");
	assert_string_equal(cni_env_get(env, "CNI_NETNS"), "");
}

#define COMPLETE                                                            \
	"CNI_CONTAINERID=abc", "CNI_NETNS=/run/netns/x", "CNI_IFNAME=eth0", \
		"CNI_PATH=/opt/cni/bin", "CNI_ARGS=K=V",                    \
		"CNI_NETNS_OVERRIDE=TRUE"

static void test_reads_all(void **state)
{
	char *const env[] = { "CNI_COMMAND=ADD", COMPLETE, NULL };
	struct cni_args a;
	struct err e;

	(void)state;
	assert_int_equal(cni_args_load(env, &a, &e), 0);
	assert_int_equal(a.command, CNI_ADD);
	assert_string_equal(a.command_name, "ADD");
	assert_string_equal(a.container_id, "abc");
	assert_string_equal(a.netns, "/run/netns/x");
	assert_string_equal(a.ifname, "eth0");
	assert_string_equal(a.args, "K=V");
	assert_string_equal(a.path, "/opt/cni/bin");
	assert_true(a.netns_override);
}

static void test_commands(void **state)
{
	static const struct {
		char *env;
		enum cni_command command;
	} cases[] = {
		{ "CNI_COMMAND=DEL", CNI_DEL },
		{ "CNI_COMMAND=CHECK", CNI_CHECK },
		{ "CNI_COMMAND=GC", CNI_GC },
		{ "CNI_COMMAND=STATUS", CNI_STATUS },
		{ "CNI_COMMAND=VERSION", CNI_VERSION },
		{ "CNI_COMMAND=add", CNI_UNKNOWN },
		{ "CNI_COMMAND=PAUSE", CNI_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *const env[] = { cases[i].env, COMPLETE, NULL };
		struct cni_args a;
		struct err e;

		assert_int_equal(cni_args_load(env, &a, &e), 0);
		assert_int_equal(a.command, cases[i].command);
	}
	assert_string_equal(cni_command_name(CNI_CHECK), "CHECK");
}

/* The message, or "" when @command needs nothing more. */
static struct err load_error(char *command, char *setting)
{
	char *const env[] = { command, setting, NULL };
	struct cni_args a;
	struct err e = { 0 };

	cni_args_load(env, &a, &e);
	return e;
}

static void test_missing_variables_are_told_together(void **state)
{
	static const struct {
		char *command, *setting;
		const char *msg;
	} cases[] = {
		{ "CNI_COMMAND=ADD", "X=",
		  "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing" },
		{ "CNI_COMMAND=CHECK", "CNI_CONTAINERID=a",
		  "required env variables [CNI_NETNS,CNI_IFNAME] missing" },
		{ "CNI_COMMAND=DEL", "CNI_CONTAINERID=a",
		  "required env variables [CNI_IFNAME] missing" },
		{ "CNI_COMMAND=GC",
		  "X=", "required env variables [CNI_PATH] missing" },
		{ "CNI_COMMAND=STATUS", "CNI_PATH=", "" },
		{ "CNI_COMMAND=GC", "CNI_PATH=/x", "" },
		{ "CNI_COMMAND=VERSION", "X=", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = load_error(cases[i].command, cases[i].setting);

		assert_string_equal(e.msg, cases[i].msg);
		assert_int_equal(e.code, *cases[i].msg ? ERR_ENV : 0);
	}
}

static void test_a_bad_value_comes_first(void **state)
{
	struct err e = load_error("CNI_COMMAND=ADD", "CNI_CONTAINERID=a/b");

	(void)state;
	assert_string_equal(e.msg, "invalid characters in containerID");
	assert_string_equal(e.details, "a/b");
	assert_int_equal(e.code, ERR_ENV);
}

static void test_container_ids(void **state)
{
	static const char *const good[] = { "a", "0", "A_b-c.d", "a..b", "9f" };
	static const char *const bad[] = { "_a",  ".a",	 "-a",
					   "a/b", "a b", "\xc3\xa9",
					   "a\n", "a:b", ".." };
	char longest[1000];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(cni_check_container_id(good[i], &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(cni_check_container_id(bad[i], &e), -EINVAL);
		assert_int_equal(e.code, ERR_ENV);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(cni_check_container_id(longest, &e), 0);
	assert_int_equal(cni_check_container_id("", &e), -EINVAL);
	assert_int_equal(e.code, ERR_UNKNOWN_CONTAINER);
	assert_string_equal(e.msg, "missing containerID");
}

static void test_network_names(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cni_check_network_name("my.net-1", &e), 0);
	assert_int_equal(cni_check_network_name("../etc", &e), -EINVAL);
	assert_string_equal(e.msg, "invalid characters found in network name");
	assert_string_equal(e.details, "../etc");
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(cni_check_network_name("", &e), -EINVAL);
	assert_string_equal(e.msg, "missing network name");
}

static void test_interface_names(void **state)
{
	static const struct {
		const char *name, *msg;
	} cases[] = {
		{ "", "interface name is empty" },
		{ "sixteen-letters!", "interface name is too long" },
		{ ".", "interface name is . or .." },
		{ "..", "interface name is . or .." },
		{ "a/b",
		  "interface name contains / or : or whitespace characters" },
		{ "a:b",
		  "interface name contains / or : or whitespace characters" },
		{ "a b",
		  "interface name contains / or : or whitespace characters" },
		{ "a\tb",
		  "interface name contains / or : or whitespace characters" },
		{ "a\xc2\xa0",
		  "interface name contains / or : or whitespace characters" },
		{ "a\xc2\x85",
		  "interface name contains / or : or whitespace characters" },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(cni_check_ifname(cases[i].name, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].msg);
		assert_int_equal(e.code, ERR_ENV);
	}
	assert_int_equal(cni_check_ifname("fifteen-letters", &e), 0);
	assert_int_equal(cni_check_ifname("...", &e), 0);
	assert_int_equal(cni_check_ifname("caf\xc3\xa9", &e), 0);
}

/* The value of IP in @args; NULL when absent, "!" and the error on failure. */
static char *parse_ip(const char *args, bool lenient, struct err *e)
{
	struct cni_arg known[] = { { .key = "MAC" }, { .key = "IP" } };
	int r = cni_args_parse(args, lenient, known, ARRAY_SIZE(known), e);

	free(known[0].value);
	if (!r)
		return known[1].value;
	free(known[1].value);
	return strdup("!");
}

static void test_cni_args(void **state)
{
	static const struct {
		const char *args, *strict, *lenient;
	} cases[] = {
		{ "", NULL, NULL },
		{ "IP=10.0.0.1", "10.0.0.1", "10.0.0.1" },
		{ "MAC=x;IP=1", "1", "1" },
		{ "IP=", "", "" },
		{ "IP=1;IP=2", "2", "2" },
		{ "IP=1;", "1",
		  "1" }, /* Go refuses the last ';', we need not */
		{ "ip=1;IgnoreUnknown=1", NULL, NULL }, /* case matters */
		{ "IgnoreUnknown=true;K8S_POD_NAME=a;IP=1", "1", "1" },
		{ "K8S_POD_NAME=a;IP=1;IgnoreUnknown=TRUE", "1", "1" },
		{ "K8S_POD_NAME=a;IP=1", "!", "1" },
		{ "K8S_POD_NAME=a;IP=1;IgnoreUnknown=0", "!", "1" },
		{ "IP=1;IgnoreUnknown=yes", "!", "1" },
		{ "nonsense;IP=1", "!", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = { 0 };
		_free_ char *strict = parse_ip(cases[i].args, false, &e);
		_free_ char *lenient = parse_ip(cases[i].args, true, NULL);

		if (cases[i].strict)
			assert_string_equal(strict, cases[i].strict);
		else
			assert_null(strict);
		if (strict && !strcmp(strict, "!"))
			assert_int_equal(e.code, ERR_ENV);
		if (cases[i].lenient)
			assert_string_equal(lenient, cases[i].lenient);
		else
			assert_null(lenient);
	}
}

static void test_cni_args_errors_name_the_pair(void **state)
{
	struct err e = { 0 };

	(void)state;
	free(parse_ip("K8S_POD_NAME=a", false, &e));
	assert_string_equal(e.msg, "ARGS: unknown args [\"K8S_POD_NAME=a\"]");
	free(parse_ip("nonsense", false, &e));
	assert_non_null(strstr(e.msg, "invalid pair \"nonsense\""));
	free(parse_ip("IgnoreUnknown=yes", false, &e));
	assert_non_null(strstr(e.msg, "IgnoreUnknown=yes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_takes_the_whole_name),
		cmocka_unit_test(test_reads_all),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_missing_variables_are_told_together),
		cmocka_unit_test(test_a_bad_value_comes_first),
		cmocka_unit_test(test_container_ids),
		cmocka_unit_test(test_network_names),
		cmocka_unit_test(test_interface_names),
		cmocka_unit_test(test_cni_args),
		cmocka_unit_test(test_cni_args_errors_name_the_pair),
	};

	return RUN(tests);
}
