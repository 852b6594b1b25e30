// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "cni/conf.h"

static struct arena arena;

static void delete_doc(void *doc)
{
	cJSON_Delete(doc);
}

static int decode(const char *text, struct cni_conf *conf, struct err *e)
{
	cJSON *doc = parse_json(text);

	*conf = (struct cni_conf){ 0 };
	arena_own(&arena, doc, delete_doc);
	return cni_conf_decode(doc, &arena, conf, e);
}

static struct cni_conf decoded(const char *text)
{
	struct cni_conf conf;
	struct err e;

	if (decode(text, &conf, &e))
		fail_msg("%s: %s", text, e.msg);
	return conf;
}

static int release(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void test_common_keys(void **state)
{
	struct cni_conf c = decoded(
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"bridge\","
		"\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.0.0.0/24\"},"
		"\"dns\":{\"nameservers\":[\"10.0.0.1\"],\"domain\":\"d\","
		"\"search\":[\"s\"],\"options\":[\"o\"]},"
		"\"prevResult\":{\"ips\":[]}}");

	(void)state;
	assert_string_equal(c.version, "1.0.0");
	assert_string_equal(c.name, "net");
	assert_string_equal(c.type, "bridge");
	assert_string_equal(c.ipam_type, "host-local");
	assert_string_equal(c.dns.nameservers.v[0], "10.0.0.1");
	assert_string_equal(c.dns.domain, "d");
	assert_string_equal(c.dns.search.v[0], "s");
	assert_string_equal(c.dns.options.v[0], "o");
	assert_non_null(c.prev_result);
	assert_null(c.valid_attachments.v);
}

static void test_absent_keys(void **state)
{
	struct cni_conf c = decoded("{\"name\":\"net\",\"prevResult\":null,"
				    "\"ipam\":{}}");

	(void)state;
	assert_string_equal(c.version, "0.1.0");
	assert_string_equal(c.type, "");
	assert_null(c.ipam_type);
	assert_null(c.prev_result);
	assert_null(c.dns.nameservers.v);
	c = decoded("{\"cniVersion\":\"\",\"name\":\"n\",\"ipam\":null}");
	assert_string_equal(c.version, "0.1.0");
	assert_null(c.ipam_type);
}

static void test_names_are_checked(void **state)
{
	struct cni_conf c;
	struct err e;

	(void)state;
	assert_int_equal(decode("{}", &c, &e), -EINVAL);
	assert_string_equal(e.msg, "missing network name");
	assert_int_equal(decode("{\"name\":\"a/b\"}", &c, &e), -EINVAL);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(decode("{\"name\":5}", &c, &e), -EINVAL);
	assert_int_equal(e.code, ERR_DECODE);
	/* the version is known to the error's printer all the same */
	assert_int_equal(
		decode("{\"cniVersion\":\"1.1.0\",\"name\":\"\"}", &c, &e),
		-EINVAL);
	assert_string_equal(c.version, "1.1.0");
}

static void test_valid_attachments(void **state)
{
	struct cni_conf c = decoded(
		"{\"name\":\"n\",\"cni.dev/valid-attachments\":["
		"{\"containerID\":\"a\",\"ifname\":\"eth0\"},"
		"{\"containerID\":\"b\",\"ifname\":\"eth1\"},{},null]}");

	(void)state;
	assert_true(cni_conf_is_valid(&c, "a", "eth0"));
	assert_true(cni_conf_is_valid(&c, "b", "eth1"));
	assert_false(cni_conf_is_valid(&c, "a", "eth1"));
	assert_false(cni_conf_is_valid(&c, "c", "eth0"));
	assert_true(cni_conf_is_valid(&c, "a", NULL)); /* any interface */
	assert_false(cni_conf_is_valid(&c, "c", NULL));
}

static void test_valid_attachments_absent_empty_and_old(void **state)
{
	struct cni_conf c = decoded("{\"name\":\"n\","
				    "\"cni.dev/valid-attachments\":null}");

	(void)state;
	assert_null(c.valid_attachments.v);
	c = decoded("{\"name\":\"n\",\"cni.dev/valid-attachments\":[]}");
	assert_non_null(c.valid_attachments.v);
	assert_int_equal(c.valid_attachments.n, 0);
	assert_false(cni_conf_is_valid(&c, "a", NULL));
	c = decoded("{\"name\":\"n\",\"cni.dev/attachments\":["
		    "{\"containerID\":\"a\",\"ifname\":\"eth0\"}]}");
	assert_true(cni_conf_is_valid(&c, "a", "eth0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_common_keys, release),
		cmocka_unit_test_teardown(test_absent_keys, release),
		cmocka_unit_test_teardown(test_names_are_checked, release),
		cmocka_unit_test_teardown(test_valid_attachments, release),
		cmocka_unit_test_teardown(
			test_valid_attachments_absent_empty_and_old, release),
	};

	return RUN(tests);
}
