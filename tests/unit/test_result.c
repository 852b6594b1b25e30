// SPDX-License-Identifier: GPL-2.0-or-later
/* The layouts are those of the specification, written by hand. */
#include "unit.h"

#include "cni/result.h"

#define DNS                                                        \
	"\"dns\":{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"x\"," \
	"\"search\":[\"a\"],\"options\":[\"b\"]}"

/* what 1.0.0 has no place for */
#define NEW_IN_1_1 \
	"\"mtu\":1500,\"socketPath\":\"/a\",\"pciID\":\"0000:04:00.5\","

#define CURRENT(version, extra)                                                \
	"{\"cniVersion\":\"" version "\","                                     \
	"\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"00:11:22:33:44:55\"},"   \
	"{\"name\":\"eth0\",\"mac\":\"00:11:22:33:44:66\"," extra              \
	"\"sandbox\":\"/run/netns/x\"}],"                                      \
	"\"ips\":[{\"address\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\","      \
	"\"interface\":0},{\"address\":\"2001:db8::2/64\","                    \
	"\"gateway\":\"2001:db8::1\",\"interface\":1},"                        \
	"{\"address\":\"10.1.3.3/24\"}],"                                      \
	"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\",\"mtu\":1500," \
	"\"advmss\":1400,\"priority\":10,\"table\":100,\"scope\":0},"          \
	"{\"dst\":\"::/0\"}]," DNS "}"

/* the same as 0.3.x and 0.4.0 can say it */
#define OLDER(version)                                                         \
	"{\"cniVersion\":\"" version "\","                                     \
	"\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"00:11:22:33:44:55\"},"   \
	"{\"name\":\"eth0\",\"mac\":\"00:11:22:33:44:66\","                    \
	"\"sandbox\":\"/run/netns/x\"}],"                                      \
	"\"ips\":[{\"version\":\"4\",\"interface\":0,"                         \
	"\"address\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\"},"               \
	"{\"version\":\"6\",\"interface\":1,\"address\":\"2001:db8::2/64\","   \
	"\"gateway\":\"2001:db8::1\"},"                                        \
	"{\"version\":\"4\",\"address\":\"10.1.3.3/24\"}],"                    \
	"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\",\"mtu\":1500," \
	"\"advmss\":1400,\"priority\":10,\"table\":100,\"scope\":0},"          \
	"{\"dst\":\"::/0\"}]," DNS "}"

/* and as 0.1.0 and 0.2.0 can */
#define OLDEST(version)                                                   \
	"{\"cniVersion\":\"" version "\","                                \
	"\"ip4\":{\"ip\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\","       \
	"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\"}]},"      \
	"\"ip6\":{\"ip\":\"2001:db8::2/64\",\"gateway\":\"2001:db8::1\"," \
	"\"routes\":[{\"dst\":\"::/0\"}]}," DNS "}"

static struct arena arena;

static int release(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void delete_doc(void *doc)
{
	cJSON_Delete(doc);
}

static int decode(const char *text, const char *version, struct cni_result *ret,
		  struct err *e)
{
	cJSON *doc = parse_json(text);

	arena_own(&arena, doc, delete_doc);
	return cni_result_decode(doc, version, &arena, ret, e);
}

static struct cni_result decoded(const char *text)
{
	struct cni_result res;
	struct err e;

	if (decode(text, "9.9.9", &res, &e))
		fail_msg("%s: %s", text, e.msg);
	return res;
}

static void assert_encodes(const struct cni_result *res, const char *version,
			   const char *expected)
{
	_json_ cJSON *doc = NULL, *wanted = parse_json(expected);
	_free_ char *text = NULL;
	struct err e;

	if (cni_result_encode(res, version, &doc, &e))
		fail_msg("version %s: %s", version, e.msg);
	text = cJSON_PrintUnformatted(doc);
	if (!cJSON_Compare(doc, wanted, true))
		fail_msg("\ngot      %s\nexpected %s", text, expected);
}

static void test_every_version_from_the_current_one(void **state)
{
	struct cni_result res = decoded(CURRENT("1.1.0", NEW_IN_1_1));

	(void)state;
	assert_encodes(&res, "1.1.0", CURRENT("1.1.0", NEW_IN_1_1));
	assert_encodes(&res, "1.0.0", CURRENT("1.0.0", ""));
	assert_encodes(&res, "0.4.0", OLDER("0.4.0"));
	assert_encodes(&res, "0.3.1", OLDER("0.3.1"));
	assert_encodes(&res, "0.3.0", OLDER("0.3.0"));
	assert_encodes(&res, "0.2.0", OLDEST("0.2.0"));
	assert_encodes(&res, "0.1.0", OLDEST("0.1.0"));
}

static void test_what_a_version_can_say_comes_back(void **state)
{
	struct cni_result older = decoded(OLDER("0.3.1"));
	struct cni_result oldest = decoded(OLDEST("0.1.0"));

	(void)state;
	assert_encodes(&older, "0.4.0", OLDER("0.4.0"));
	assert_encodes(&older, "0.2.0", OLDEST("0.2.0"));
	assert_encodes(&oldest, "0.2.0", OLDEST("0.2.0"));
	/* ip4 first, then ip6, with the routes in the same order */
	assert_encodes(&oldest, "1.0.0",
		       "{\"cniVersion\":\"1.0.0\",\"ips\":["
		       "{\"address\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\"},"
		       "{\"address\":\"2001:db8::2/64\","
		       "\"gateway\":\"2001:db8::1\"}],"
		       "\"routes\":[{\"dst\":\"0.0.0.0/0\","
		       "\"gw\":\"10.1.2.1\"},{\"dst\":\"::/0\"}]," DNS "}");
}

static void test_decoded_structure(void **state)
{
	struct cni_result res = decoded(CURRENT("1.1.0", NEW_IN_1_1));

	(void)state;
	assert_int_equal(res.interfaces.n, 2);
	assert_string_equal(res.interfaces.v[1].socket_path, "/a");
	assert_int_equal(res.interfaces.v[1].mtu, 1500);
	assert_null(res.interfaces.v[0].sandbox);
	assert_int_equal(res.ips.n, 3);
	assert_prefix(&res.ips.v[1].address, "2001:db8::2/64");
	assert_int_equal(res.ips.v[1].interface, 1);
	assert_int_equal(res.ips.v[2].interface, -1);
	assert_int_equal(res.ips.v[2].gateway.family, 0);
	assert_int_equal(res.routes.v[0].scope, 0);
	assert_int_equal(res.routes.v[1].scope, -1);
	assert_int_equal(res.routes.v[1].table, -1);
}

static void test_empty_results(void **state)
{
	struct cni_result res = { 0 };
	_json_ cJSON *doc = NULL;
	struct err e;

	(void)state;
	assert_encodes(&res, "1.1.0", "{\"cniVersion\":\"1.1.0\"}");
	assert_encodes(&res, "0.4.0", "{\"cniVersion\":\"0.4.0\",\"dns\":{}}");
	assert_int_equal(cni_result_encode(&res, "0.2.0", &doc, &e), -EINVAL);
	assert_string_equal(e.msg, "cannot convert: no valid IP addresses");
	assert_null(doc);
}

static void test_one_family_is_enough_for_the_oldest(void **state)
{
	struct cni_result res = { 0 };
	struct cni_ip *added = cni_result_add_ip(&res, &arena);

	(void)state;
	added->address = prefix("2001:db8::2/64");
	assert_encodes(&res, "0.2.0",
		       "{\"cniVersion\":\"0.2.0\","
		       "\"ip6\":{\"ip\":\"2001:db8::2/64\"},\"dns\":{}}");
}

static void test_building(void **state)
{
	struct cni_result res = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		cni_result_add_interface(&res, &arena)->name = "x";
		assert_int_equal(cni_result_add_ip(&res, &arena)->interface,
				 -1);
		assert_int_equal(cni_result_add_route(&res, &arena)->table, -1);
	}
	assert_int_equal(res.interfaces.n, 3);
	assert_string_equal(res.interfaces.v[0].name, "x"); /* kept */
	assert_int_equal(res.ips.n, 3);
	assert_int_equal(res.routes.n, 3);
}

static void test_the_version_of_a_result(void **state)
{
	static const char old[] = "{\"ip4\":{\"ip\":\"10.0.0.2/24\"}}";
	struct cni_result res;
	struct err e;

	(void)state;
	/* none: that of the configuration */
	assert_int_equal(decode(old, "0.2.0", &res, &e), 0);
	assert_int_equal(res.ips.n, 1);
	/* its own counts more */
	assert_int_equal(decode("{\"CNIVersion\":\"0.2.0\","
				"\"ip4\":{\"ip\":\"10.0.0.2/24\"}}",
				"1.0.0", &res, &e),
			 0);
	assert_int_equal(res.ips.n, 1);
	assert_int_equal(decode("{\"cniVersion\":\"\"}", "1.0.0", &res, &e), 0);
	assert_int_equal(decode("{\"cniVersion\":\"7.0\"}", "1.0.0", &res, &e),
			 -EINVAL);
	assert_int_equal(e.code, ERR_DECODE);
	assert_non_null(strstr(e.msg, "\"7.0\""));
}

static void test_wrong_results(void **state)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "{\"ips\":{}}", "\"ips\": {} is not a list" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1\"}]}",
		  "\"ips[0].address\": \"10.0.0.1\" is not an address in CIDR notation" },
		{ "{\"ips\":[{\"interface\":1.5}]}",
		  "\"ips[0].interface\": 1.5" },
		{ "{\"interfaces\":[{\"name\":1}]}",
		  "\"interfaces[0].name\": 1 is not a string" },
		{ "{\"routes\":[{\"dst\":\"x\"}]}",
		  "\"routes[0].dst\": \"x\"" },
		{ "{\"dns\":[]}", "\"dns\": [] is not an object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_result res;
		struct err e = { 0 };

		assert_int_equal(decode(cases[i].text, "1.0.0", &res, &e),
				 -EINVAL);
		assert_non_null(strstr(e.msg, cases[i].msg));
	}
}

static void test_dns_is_set(void **state)
{
	struct cni_result none = decoded("{\"cniVersion\":\"1.0.0\","
					 "\"dns\":{\"domain\":\"\"}}");
	struct cni_result empty = decoded("{\"cniVersion\":\"1.0.0\","
					  "\"dns\":{\"search\":[]}}");

	(void)state;
	assert_false(cni_dns_is_set(&none.dns));
	assert_true(cni_dns_is_set(&empty.dns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_every_version_from_the_current_one, release),
		cmocka_unit_test_teardown(
			test_what_a_version_can_say_comes_back, release),
		cmocka_unit_test_teardown(test_decoded_structure, release),
		cmocka_unit_test_teardown(test_empty_results, release),
		cmocka_unit_test_teardown(
			test_one_family_is_enough_for_the_oldest, release),
		cmocka_unit_test_teardown(test_building, release),
		cmocka_unit_test_teardown(test_the_version_of_a_result,
					  release),
		cmocka_unit_test_teardown(test_wrong_results, release),
		cmocka_unit_test_teardown(test_dns_is_set, release),
	};

	return RUN(tests);
}
