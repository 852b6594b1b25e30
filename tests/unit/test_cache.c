// SPDX-License-Identifier: GPL-2.0-or-later
/* The expected bytes follow libcni's cachedInfo (api.go), not our code. */
#include "unit.h"

#include "base/base64.h"
#include "cni/cache.h"

static const struct cni_list list = { .name = "net1", .text = "{\"a\":1}" };

static const struct cni_attachment plain = { .container_id = "c1",
					     .ifname = "eth0",
					     .netns = "/run/netns/x" };

static void save(const char *dir, const struct cni_attachment *at,
		 const char *result)
{
	cJSON *doc = parse_json(result);
	struct err e = { 0 };

	if (cni_cache_save(dir, &list, at, doc, &e))
		fail_msg("%s", e.msg);
	cJSON_Delete(doc);
}

static void test_base64(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "/+++" }, /* the digits that differ in URLs */
	};

	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = base64_encode(cases[i][0], strlen(cases[i][0]));

		assert_string_equal(text, cases[i][1]);
		free(text);
		assert_int_equal(base64_decode(cases[i][1], &text, &len), 0);
		assert_string_equal(text, cases[i][0]);
		assert_int_equal(len, strlen(cases[i][0]));
		free(text);
	}
}

static void test_not_base64(void **state)
{
	static const char *const cases[] = {
		"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm 9",
	};
	char *text;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (base64_decode(cases[i], &text, &len) != -EINVAL)
			fail_msg("\"%s\" was decoded", cases[i]);
}

static void test_file(void **state)
{
	struct stat st;

	save(*state, &plain, "{\"cniVersion\":\"1.0.0\",\"ips\":[]}");
	assert_file(PATH(*state, "results/net1-c1-eth0"),
		    "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\","
		    "\"config\":\"eyJhIjoxfQ==\",\"ifName\":\"eth0\","
		    "\"networkName\":\"net1\",\"netns\":\"/run/netns/x\","
		    "\"result\":{\"cniVersion\":\"1.0.0\",\"ips\":[]}}");
	assert_int_equal(stat(PATH(*state, "results"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(PATH(*state, "results/net1-c1-eth0"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_file_with_arguments(void **state)
{
	cJSON *capabilities = parse_json("{\"mac\":\"c2:11:22:33:44:55\"}");
	struct cni_attachment at = {
		.container_id = "c1",
		.ifname = "eth0",
		.args = "IgnoreUnknown=1;K8S_POD_NAME=p;B64=YQ==",
		.capability_args = capabilities
	};

	save(*state, &at, "{}");
	assert_file(PATH(*state, "results/net1-c1-eth0"),
		    "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\","
		    "\"config\":\"eyJhIjoxfQ==\",\"ifName\":\"eth0\","
		    "\"networkName\":\"net1\","
		    "\"cniArgs\":[[\"IgnoreUnknown\",\"1\"],"
		    "[\"K8S_POD_NAME\",\"p\"],[\"B64\",\"YQ==\"]],"
		    "\"capabilityArgs\":{\"mac\":\"c2:11:22:33:44:55\"},"
		    "\"result\":{}}");
	cJSON_Delete(capabilities);
}

static void test_reads_what_libcni_wrote(void **state)
{
	struct arena arena = { 0 };
	struct cni_cached cached;
	struct err e = { 0 };

	mkdir(PATH(*state, "results"), 0700);
	put_file(PATH(*state, "results/net1-c1-eth0"),
		 "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\","
		 "\"config\":\"e30=\",\"ifName\":\"eth0\","
		 "\"networkName\":\"net1\",\"netns\":\"/var/run/netns/x\","
		 "\"cniArgs\":[[\"K\",\"V\"],[\"L\",\"W\"]],"
		 "\"capabilityArgs\":{\"ips\":[\"10.0.0.1\"]},"
		 "\"result\":{\"cniVersion\":\"1.0.0\"}}\n");
	assert_int_equal(
		cni_cache_load(*state, "net1", &plain, &arena, &cached, &e), 0);
	assert_string_equal(cached.network, "net1");
	assert_string_equal(cached.attachment.container_id, "c1");
	assert_string_equal(cached.attachment.ifname, "eth0");
	assert_string_equal(cached.attachment.netns, "/var/run/netns/x");
	assert_string_equal(cached.attachment.args, "K=V;L=W");
	assert_non_null(json_get(cached.attachment.capability_args, "ips"));
	assert_non_null(json_get(cached.result, "cniVersion"));
	arena_done(&arena);
}

static void test_useless_files(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"null",
		"{\"kind\":\"cniCacheV1\"}",
		("{\"kind\":\"other\",\"containerId\":\"c1\","
		 "\"ifName\":\"eth0\",\"networkName\":\"net1\"}"),
	};

	mkdir(PATH(*state, "results"), 0700);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct cni_cached_list all;
		struct arena arena = { 0 };
		struct cni_cached cached;
		struct err e = { 0 };

		put_file(PATH(*state, "results/net1-c1-eth0"), texts[i]);
		assert_int_equal(cni_cache_load(*state, "net1", &plain, &arena,
						&cached, &e),
				 -EINVAL);
		assert_non_null(strstr(e.msg, "results/net1-c1-eth0"));
		assert_int_equal(cni_cache_list(*state, NULL, &arena, &all, &e),
				 0);
		assert_int_equal(all.n, 0);
		arena_done(&arena);
	}
}

static void test_remove(void **state)
{
	struct arena arena = { 0 };
	struct cni_cached cached;
	struct err e = { 0 };

	assert_int_equal(cni_cache_remove(*state, "net1", &plain, &e), 0);
	save(*state, &plain, "{}");
	assert_int_equal(cni_cache_remove(*state, "net1", &plain, &e), 0);
	assert_missing(PATH(*state, "results/net1-c1-eth0"));
	assert_int_equal(cni_cache_remove(*state, "net1", &plain, &e), 0);
	assert_int_equal(
		cni_cache_load(*state, "net1", &plain, &arena, &cached, &e),
		-ENOENT);
	arena_done(&arena);
}

/* "net1-c1-eth0-eth0" is container "c1-eth0", or interface "eth0-eth0". */
static void test_list_of_one_container(void **state)
{
	struct cni_attachment other = plain, longer = plain;
	struct cni_cached_list found;
	struct arena arena = { 0 };
	struct err e = { 0 };

	other.ifname = "eth1";
	longer.container_id = "x-c1";
	assert_int_equal(cni_cache_list(*state, NULL, &arena, &found, &e), 0);
	assert_int_equal(found.n, 0);
	save(*state, &plain, "{}");
	save(*state, &other, "{}");
	save(*state, &longer, "{}");
	assert_int_equal(cni_cache_list(*state, NULL, &arena, &found, &e), 0);
	assert_int_equal(found.n, 3);
	assert_int_equal(cni_cache_list(*state, &plain, &arena, &found, &e), 0);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].attachment.container_id, "c1");
	assert_string_equal(found.v[0].config, "{\"a\":1}");
	arena_done(&arena);
}

static void test_list_of_all_interfaces(void **state)
{
	struct cni_attachment other = plain, longer = plain;
	struct cni_attachment of = { .container_id = "c1" };
	struct cni_cached_list found;
	struct arena arena = { 0 };
	struct err e = { 0 };

	other.ifname = "eth1";
	longer.container_id = "x-c1-y";
	save(*state, &plain, "{}");
	save(*state, &other, "{}");
	save(*state, &longer, "{}");
	assert_int_equal(cni_cache_list(*state, &of, &arena, &found, &e), 0);
	assert_int_equal(found.n, 2);
	for (size_t i = 0; i < found.n; i++)
		assert_string_equal(found.v[i].attachment.container_id, "c1");
	arena_done(&arena);
}

static void test_name_too_long(void **state)
{
	cJSON *result = parse_json("{}");
	struct cni_attachment at = plain;
	char id[300];
	struct err e = { 0 };

	memset(id, 'a', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	at.container_id = id;
	assert_int_equal(cni_cache_save(*state, &list, &at, result, &e),
			 -ENAMETOOLONG);
	cJSON_Delete(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_not_base64),
		IN_DIR(test_file),
		IN_DIR(test_file_with_arguments),
		IN_DIR(test_reads_what_libcni_wrote),
		IN_DIR(test_useless_files),
		IN_DIR(test_remove),
		IN_DIR(test_list_of_one_container),
		IN_DIR(test_list_of_all_interfaces),
		IN_DIR(test_name_too_long),
	};

	return RUN(tests);
}
