// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "runtime/publish.h"

/* What @ports make of @args, as text; or the error. */
static char *publish(const char *args, const char *ports, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	cJSON *given = args ? parse_json(args) : NULL;
	const cJSON *ret;
	char *text = NULL;

	if (!publish_ports(given, &ports, 1, &arena, &ret, e))
		text = cJSON_PrintUnformatted(ret);
	cJSON_Delete(given);
	return text;
}

static void assert_published(const char *args, const char *ports,
			     const char *expected)
{
	struct err e = { 0 };
	char *text = publish(args, ports, &e);

	if (!text)
		fail_msg("\"%s\": %s", ports, e.msg);
	assert_string_equal(text, expected);
	free(text);
}

static void test_what_people_write(void **state)
{
	(void)state;
	assert_published(NULL, "8080:80",
			 "{\"portMappings\":[{\"hostPort\":8080,"
			 "\"containerPort\":80,\"protocol\":\"tcp\"}]}");
	assert_published(NULL, "127.0.0.1:5353:53/udp",
			 "{\"portMappings\":[{\"hostPort\":5353,"
			 "\"containerPort\":53,\"protocol\":\"udp\","
			 "\"hostIP\":\"127.0.0.1\"}]}");
	assert_published(NULL, "[::1]:1:65535/sctp",
			 "{\"portMappings\":[{\"hostPort\":1,"
			 "\"containerPort\":65535,\"protocol\":\"sctp\","
			 "\"hostIP\":\"::1\"}]}");
	assert_published(NULL, "8000-8001:80-81, 9:9 ",
			 "{\"portMappings\":["
			 "{\"hostPort\":8000,\"containerPort\":80,"
			 "\"protocol\":\"tcp\"},"
			 "{\"hostPort\":8001,\"containerPort\":81,"
			 "\"protocol\":\"tcp\"},"
			 "{\"hostPort\":9,\"containerPort\":9,"
			 "\"protocol\":\"tcp\"}]}");
}

static void test_added_to_what_is_there(void **state)
{
	(void)state;
	assert_published("{\"mac\":\"x\",\"portMappings\":[1]}", "2:3",
			 "{\"mac\":\"x\",\"portMappings\":[1,{\"hostPort\":2,"
			 "\"containerPort\":3,\"protocol\":\"tcp\"}]}");
	assert_published("{\"mac\":\"x\"}", "2:3",
			 "{\"mac\":\"x\",\"portMappings\":[{\"hostPort\":2,"
			 "\"containerPort\":3,\"protocol\":\"tcp\"}]}");
}

static void test_what_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"80",
		":80",
		"80:",
		"0:80",
		"80:0",
		"65536:80",
		"80:65536",
		"80:80/",
		"80:80/icmp",
		"x:80",
		"80:x",
		"+80:80",
		":80:",
		"90-80:90-80",
		"80-:80-",
		"-80:-80",
		"80-90-99:80",
		"::1:80:80",
		"[::1:1:1",
		"[]:80:80",
		"host:80:80",
		"1.2.3:80:80",
		"1:2:3:4",
		"8:8/tcp/udp",
		"99999999999999999999:80",
		":8080:80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = { 0 };
		char *text = publish(NULL, cases[i], &e);

		if (text)
			fail_msg("\"%s\" was taken: %s", cases[i], text);
		assert_int_equal(e.code, ERR_CONFIG);
		if (!strstr(e.msg, cases[i]))
			fail_msg("\"%s\" is not in: %s", cases[i], e.msg);
	}
}

static void test_only_the_wrong_one_is_named(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(publish(NULL, "1:1,2-4:2-3,5:5", &e));
	assert_string_equal(
		e.msg, "ports \"2-4:2-3\" are ranges of different lengths");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_people_write),
		cmocka_unit_test(test_added_to_what_is_there),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_only_the_wrong_one_is_named),
	};

	return RUN(tests);
}
