// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

struct inner {
	struct ip_addr ip;
	struct ip_prefix prefix;
	int64_t n;
};

struct thing {
	const char *name;
	bool flag;
	int64_t mtu;
	uint64_t big;
	struct inner inner;
	LIST(const char *) words;
	LIST(struct inner) inners;
	const cJSON *raw;
};

static const struct inner inner_initial = { .n = -1 };

static const struct json_field inner_fields[] = {
	{ "ip", JSON_PARSED, offsetof(struct inner, ip), .parse = json_parse_ip,
	  .what = "an IP address" },
	{ "prefix", JSON_PARSED, offsetof(struct inner, prefix),
	  .parse = json_parse_prefix, .what = "an address in CIDR notation" },
	{ "n", JSON_INT, offsetof(struct inner, n), -1, 9 },
	{ 0 },
};

static const struct json_field word_element = { .type = JSON_STRING };
static const struct json_field inner_element = { .type = JSON_OBJECT,
						 .sub = inner_fields };

static const struct json_field fields[] = {
	{ "name", JSON_STRING, offsetof(struct thing, name) },
	{ "flag", JSON_BOOL, offsetof(struct thing, flag) },
	{ "mtu", JSON_INT, offsetof(struct thing, mtu), 0, 65535 },
	{ "big", JSON_UINT64, offsetof(struct thing, big) },
	{ "inner", JSON_OBJECT, offsetof(struct thing, inner),
	  .sub = inner_fields },
	{ "words", JSON_LIST, offsetof(struct thing, words),
	  .sub = &word_element, .size = sizeof(char *) },
	{ "inners", JSON_LIST, offsetof(struct thing, inners),
	  .sub = &inner_element, .size = sizeof(struct inner),
	  .initial = &inner_initial },
	{ "raw", JSON_RAW, offsetof(struct thing, raw) },
	{ "future", JSON_UNSUPPORTED, 0, .what = "is not supported" },
	{ 0 },
};

/* What @text decodes into; the arena and document are kept until the end. */
static struct arena arena;

static void delete_doc(void *doc)
{
	cJSON_Delete(doc);
}

static int decode(const char *text, struct thing *out, struct err *e)
{
	cJSON *doc = parse_json(text);

	*out = (struct thing){ .name = "default", .mtu = 7 };
	arena_own(&arena, doc, delete_doc);
	return json_decode(fields, doc, NULL, out, &arena, e);
}

static struct thing decoded(const char *text)
{
	struct thing t;
	struct err e;

	if (decode(text, &t, &e))
		fail_msg("%s: %s", text, e.msg);
	return t;
}

static int release(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void test_decodes_every_type(void **state)
{
	struct thing t = decoded(
		"{\"name\":\"x\",\"flag\":true,\"mtu\":1500,"
		"\"inner\":{\"ip\":\"10.0.0.1\",\"prefix\":\"10.0.0.2/8\",\"n\":3},"
		"\"words\":[\"a\",\"b\"],\"inners\":[{\"n\":4},{}],"
		"\"raw\":[1,2]}");

	(void)state;
	assert_string_equal(t.name, "x");
	assert_true(t.flag);
	assert_int_equal(t.mtu, 1500);
	assert_ip(&t.inner.ip, "10.0.0.1");
	assert_prefix(&t.inner.prefix, "10.0.0.2/8");
	assert_int_equal(t.inner.n, 3);
	assert_int_equal(t.words.n, 2);
	assert_string_equal(t.words.v[1], "b");
	assert_int_equal(t.inners.n, 2);
	assert_int_equal(t.inners.v[0].n, 4);
	assert_int_equal(t.inners.v[1].n, -1); /* an element's default */
	assert_int_equal(cJSON_GetArraySize(t.raw), 2);
}

/* A double would round each of them; strings and other numbers are in between. */
static void test_integers_of_64_bits_are_exact(void **state)
{
	(void)state;
	assert_int_equal(decoded("{\"big\":18446744073709551615}").big,
			 UINT64_MAX);
	assert_int_equal(decoded("{\"x\":[-1,\"2\\\"3\",{\"y 4\":5.5e1}],"
				 "\"mtu\":6,\"big\":9007199254740993}")
				 .big,
			 9007199254740993);
	assert_int_equal(decoded("{\"big\":1e3}").big, 1000);
	assert_int_equal(decoded("{\"big\":0}").big, 0);
}

static void test_null_and_absence_leave_the_default(void **state)
{
	struct thing t = decoded("{\"name\":null,\"mtu\":null,\"words\":null,"
				 "\"inner\":null,\"raw\":null,\"future\":null,"
				 "\"unknown\":{\"x\":[1]}}");

	(void)state;
	assert_string_equal(t.name, "default");
	assert_int_equal(t.mtu, 7);
	assert_null(t.words.v);
	assert_null(t.raw);
	t = decoded("{\"words\":[],\"inners\":[null]}");
	assert_non_null(t.words.v); /* said to be empty, which is not absent */
	assert_int_equal(t.words.n, 0);
	assert_int_equal(t.inners.n, 1);
	assert_int_equal(t.inners.v[0].n, -1);
}

static void test_keys_match_as_in_go(void **state)
{
	struct thing t = decoded("{\"MTU\":1400,\"NaMe\":\"x\"}");

	(void)state;
	assert_int_equal(t.mtu, 1400);
	assert_string_equal(t.name, "x");
	t = decoded("{\"mtu\":1,\"mtu\":2}");
	assert_int_equal(t.mtu, 2);
	t = decoded("{\"mtu\":1,\"Mtu\":3}");
	assert_int_equal(t.mtu, 3);
	t = decoded("{\"inner\":{\"n\":1},\"inner\":{\"ip\":\"::1\"}}");
	assert_int_equal(t.inner.n, 1); /* objects merge */
	assert_ip(&t.inner.ip, "::1");
}

static void test_errors_name_key_and_value(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *msg;
	} cases[] = {
		{ "{\"name\":5}", ERR_DECODE, "\"name\": 5 is not a string" },
		{ "{\"flag\":\"true\"}", ERR_DECODE,
		  "\"flag\": \"true\" is not true or false" },
		{ "{\"flag\":1}", ERR_DECODE,
		  "\"flag\": 1 is not true or false" },
		{ "{\"mtu\":1.5}", ERR_DECODE,
		  "\"mtu\": 1.5 is not an integer in 0..65535" },
		{ "{\"mtu\":\"9\"}", ERR_DECODE,
		  "\"mtu\": \"9\" is not an integer in 0..65535" },
		{ "{\"mtu\":70000}", ERR_CONFIG,
		  "\"mtu\": 70000 is not an integer in 0..65535" },
		{ "{\"mtu\":-1}", ERR_CONFIG,
		  "\"mtu\": -1 is not an integer in 0..65535" },
		{ "{\"words\":\"a\"}", ERR_DECODE,
		  "\"words\": \"a\" is not a list" },
		{ "{\"words\":[\"a\",2]}", ERR_DECODE,
		  "\"words[1]\": 2 is not a string" },
		{ "{\"inner\":[]}", ERR_DECODE,
		  "\"inner\": [] is not an object" },
		{ "{\"inner\":{\"ip\":\"10.0.0\"}}", ERR_CONFIG,
		  "\"inner.ip\": \"10.0.0\" is not an IP address" },
		{ "{\"inner\":{\"ip\":10}}", ERR_DECODE,
		  "\"inner.ip\": 10 is not an IP address" },
		{ "{\"inners\":[{},{\"prefix\":\"10.0.0.1\"}]}", ERR_CONFIG,
		  "\"inners[1].prefix\": \"10.0.0.1\" is not an address in CIDR notation" },
		{ "{\"future\":\"x\"}", ERR_UNSUPPORTED,
		  "\"future\": \"x\" is not supported" },
		{ "{\"future\":[]}", ERR_UNSUPPORTED,
		  "\"future\": [] is not supported" },
		{ "{\"future\":true}", ERR_UNSUPPORTED,
		  "\"future\": true is not supported" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thing t;
		struct err e = { 0 };

		if (decode(cases[i].text, &t, &e) != -EINVAL)
			fail_msg("%s was taken", cases[i].text);
		assert_string_equal(e.msg, cases[i].msg);
		assert_int_equal(e.code, cases[i].code);
	}
}

static void test_unsupported_may_be_said_to_be_unused(void **state)
{
	(void)state;
	decoded("{\"future\":false}");
	decoded("{\"future\":0}");
	decoded("{\"future\":\"\"}");
}

static void test_empty_ip_is_none(void **state)
{
	struct thing t = decoded("{\"inner\":{\"ip\":\"\"}}");

	(void)state;
	assert_int_equal(t.inner.ip.family, 0);
}

static void assert_refused(const char *text, size_t len, const char *msg)
{
	struct err e = { 0 };
	cJSON *doc = NULL;

	assert_int_equal(json_parse(text, len, &doc, &e), -EINVAL);
	assert_null(doc);
	assert_int_equal(e.code, ERR_DECODE);
	assert_non_null(strstr(e.msg, msg));
}

#define REFUSED(text, msg) assert_refused(text, sizeof(text) - 1, msg)

static void test_refuses_what_is_not_one_object(void **state)
{
	(void)state;
	REFUSED("", "unexpected end of JSON input");
	REFUSED("{", "not JSON");
	REFUSED("nonsense", "not JSON");
	REFUSED("[1]", "not an object");
	REFUSED("\"x\"", "not an object");
	REFUSED("{} {}", "data after the JSON value at byte 3");
	REFUSED("{\"a\":1} trash", "data after the JSON value");
	REFUSED("{\"a\":\"b\\u0000c\"}", "NUL");
	REFUSED("{\"a\":\"b\0c\"}", "string that does not end at byte 5");
	REFUSED("{}\0", "character out of place at byte 2");
	REFUSED("\xef\xbb\xbf{}", "character out of place at byte 0");
	REFUSED("{\"a\":01}", "malformed number at byte 5");
	REFUSED("{\"a\":1.}", "malformed number");
	REFUSED("{\"a\":-}", "malformed number");
	REFUSED("{\"a\":1e}", "malformed number");
	REFUSED("{\"a\":\"b\nc\"}", "string");
	REFUSED("{\"a\":\"b\\", "string that does not end");
	REFUSED("{\f}", "character out of place at byte 1");
	cJSON_Delete(parse_json(" {\"a\": 1}\r\n\t "));
	cJSON_Delete(parse_json("{\"a\":\"\\\\u0000\"}")); /* a backslash */
}

static void nest(char *text, size_t depth)
{
	text += sprintf(text, "{\"a\":");
	memset(text, '[', depth - 1);
	memset(text + depth - 1, ']', depth - 1);
	strcpy(text + 2 * (depth - 1), "}");
}

static void test_limits(void **state)
{
	char text[1024];

	(void)state;
	nest(text, JSON_DEPTH_MAX);
	cJSON_Delete(parse_json(text));
	nest(text, JSON_DEPTH_MAX + 1);
	assert_refused(text, strlen(text), "nested over 64 levels");
	/* brackets in strings do not nest */
	memset(text, '[', 200);
	memcpy(text, "{\"a\":\"", 6);
	strcpy(text + 200, "\"}");
	cJSON_Delete(parse_json(text));
}

static void test_get(void **state)
{
	cJSON *doc = parse_json("{\"a\":1,\"A\":2,\"b\":null,\"c\":3,\"c\":4}");

	(void)state;
	assert_int_equal(json_get(doc, "a")->valueint, 2);
	assert_int_equal(json_get(doc, "C")->valueint, 4);
	assert_null(json_get(doc, "b"));
	assert_null(json_get(doc, "d"));
	cJSON_Delete(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_decodes_every_type, release),
		cmocka_unit_test_teardown(test_integers_of_64_bits_are_exact,
					  release),
		cmocka_unit_test_teardown(
			test_null_and_absence_leave_the_default, release),
		cmocka_unit_test_teardown(test_keys_match_as_in_go, release),
		cmocka_unit_test_teardown(test_errors_name_key_and_value,
					  release),
		cmocka_unit_test_teardown(
			test_unsupported_may_be_said_to_be_unused, release),
		cmocka_unit_test_teardown(test_empty_ip_is_none, release),
		cmocka_unit_test(test_refuses_what_is_not_one_object),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_get),
	};

	return RUN(tests);
}
