// SPDX-License-Identifier: GPL-2.0-or-later
/* What bandwidth's configuration means. */
#include "unit.h"

#include "meta/bandwidth/bandwidth.h"

static struct arena arena;

static int release(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static int load(const char *text, struct bandwidth_conf *ret, struct err *e)
{
	cJSON *doc = parse_json(text);
	struct cni_conf conf = { .doc = doc };
	struct cni_call call = { .conf = &conf, .arena = &arena };

	assert_int_equal(json_keep(&arena, doc, NULL), 0);
	return bandwidth_conf_load(&call, ret, e);
}

static struct bandwidth_conf loaded(const char *text)
{
	struct bandwidth_conf conf;
	struct err e;

	if (load(text, &conf, &e))
		fail_msg("%s: %s", text, e.msg);
	return conf;
}

static void assert_refused(const char *text, int code, const char *words)
{
	struct bandwidth_conf conf;
	struct err e = { 0 };

	assert_int_equal(load(text, &conf, &e), -EINVAL);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" is not in: %s", words, e.msg);
	assert_int_equal(e.code, code);
}

static void assert_tbf(const struct tbf *tbf, uint64_t rate, uint32_t buffer,
		       uint32_t limit)
{
	assert_int_equal(tbf->rate, rate);
	assert_int_equal(tbf->buffer, buffer);
	assert_int_equal(tbf->limit, limit);
}

/* Those of the reference's own tests, and what it was seen to give the kernel. */
static void test_numbers_are_the_references(void **state)
{
	struct bandwidth_conf c =
		loaded("{\"ingressRate\":8,\"ingressBurst\":8,"
		       "\"egressRate\":16,\"egressBurst\":8}");

	(void)state;
	assert_tbf(&c.ingress, 1, 15625000, 1);
	assert_tbf(&c.egress, 2, 7812500, 1);
	c = loaded("{\"ingressRate\":1000000,\"ingressBurst\":100000,"
		   "\"egressRate\":100000000000,\"egressBurst\":80000000}");
	assert_tbf(&c.ingress, 125000, 1562500, 15625);
	assert_tbf(&c.egress, 12500000000, 12500, 322500000);
	c = loaded("{\"ingressRate\":24,\"ingressBurst\":80}");
	assert_tbf(&c.ingress, 3, 52083328, 10); /* 3333333 us */
	assert_tbf(&c.egress, 0, 0, 0);
}

/* containerd's burst, and CRI-O's. */
static void test_bursts_that_do_not_fit_stay_at_the_greatest(void **state)
{
	struct bandwidth_conf c =
		loaded("{\"ingressRate\":1000000,\"ingressBurst\":4294967295,"
		       "\"egressRate\":1000000,\"egressBurst\":34359738359}");

	(void)state;
	assert_tbf(&c.ingress, 125000, UINT32_MAX, 536874036);
	assert_tbf(&c.egress, 125000, UINT32_MAX, UINT32_MAX);
	c = loaded("{\"ingressRate\":8,\"ingressBurst\":34359738359}");
	assert_tbf(&c.ingress, 1, UINT32_MAX, 4294967294);
}

/* Doubles would make the last one divisible by 8. */
static void test_all_64_bits_count(void **state)
{
	struct bandwidth_conf c = loaded("{\"ingressRate\":34359738351999999,"
					 "\"ingressBurst\":34359738359,"
					 "\"egressRate\":9007199254740999,"
					 "\"egressBurst\":34359738359}");

	(void)state;
	assert_int_equal(c.ingress.rate, 4294967293999999);
	assert_int_equal(c.egress.rate, 1125899906842624);
}

static void test_the_top_level_takes_the_runtimes_place(void **state)
{
	static const char *const empty[] = {
		"{\"ingressRate\":0,\"runtimeConfig\":{\"bandwidth\":{"
		"\"ingressRate\":8,\"ingressBurst\":8}}}",
		"{\"EGRESSBURST\":null,\"runtimeConfig\":{\"bandwidth\":{"
		"\"ingressRate\":8,\"ingressBurst\":8}}}",
		"{\"runtimeConfig\":{\"bandwidth\":null}}",
		"{\"runtimeConfig\":{}}",
		"{}",
	};
	struct bandwidth_conf c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		c = loaded(empty[i]);
		assert_int_equal(c.ingress.rate, 0);
	}
	c = loaded("{\"ingressRate\":80,\"ingressBurst\":80,"
		   "\"runtimeConfig\":{\"bandwidth\":{\"ingressRate\":8,"
		   "\"ingressBurst\":8,\"egressRate\":8,\"egressBurst\":8}}}");
	assert_int_equal(c.ingress.rate, 10);
	assert_int_equal(c.egress.rate, 0);
}

static void test_keys_in_either_case(void **state)
{
	struct bandwidth_conf c = loaded(
		"{\"RuntimeConfig\":{\"bandWidth\":{\"IngressRate\":80,"
		"\"IngressBurst\":80,\"EgressRate\":0,\"EgressBurst\":0}}}");

	(void)state;
	assert_int_equal(c.ingress.rate, 10);
	assert_int_equal(c.egress.rate, 0);
}

static void test_what_cannot_be_names_the_key(void **state)
{
	(void)state;
	assert_refused(
		"{\"ingressRate\":8}", ERR_CONFIG,
		"if rate is set, burst must also be set: \"ingressBurst\"");
	assert_refused(
		"{\"egressBurst\":8}", ERR_CONFIG,
		"if burst is set, rate must also be set: \"egressRate\"");
	assert_refused("{\"ingressRate\":8,\"ingressBurst\":34359738360}",
		       ERR_CONFIG, "burst cannot be more than 4GB");
	assert_refused("{\"ingressRate\":7,\"ingressBurst\":8}", ERR_CONFIG,
		       "\"ingressRate\": 7");
	assert_refused("{\"egressRate\":8,\"egressBurst\":7}", ERR_CONFIG,
		       "\"egressBurst\": 7");
	assert_refused("{\"egressRate\":8000000001,\"egressBurst\":7999}",
		       ERR_CONFIG, "\"egressBurst\": 7999");
	assert_refused("{\"egressRate\":-8,\"egressBurst\":8}", ERR_CONFIG,
		       "\"egressRate\": -8");
	assert_refused("{\"egressRate\":8.5,\"egressBurst\":8}", ERR_DECODE,
		       "\"egressRate\": 8.5");
	assert_refused("{\"egressRate\":\"8\",\"egressBurst\":8}", ERR_DECODE,
		       "\"egressRate\": \"8\"");
	assert_refused("{\"egressRate\":18446744073709551616,"
		       "\"egressBurst\":8}",
		       ERR_CONFIG, "\"egressRate\": 18446744073709551616");
	assert_refused("{\"runtimeConfig\":{\"bandwidth\":{"
		       "\"ingressRate\":true}}}",
		       ERR_DECODE, "\"runtimeConfig.bandwidth.ingressRate\"");
}

#define LIMITS "\"ingressRate\":8,\"ingressBurst\":8,"
#define RUNTIME_LIMITS \
	"\"runtimeConfig\":{\"bandwidth\":{" LIMITS "\"egressRate\":0"

static void test_subnets_of_either_kind(void **state)
{
	struct bandwidth_conf c =
		loaded("{" LIMITS
		       "\"unshapedSubnets\":[\"10.0.0.0/8\",\"fd00::/8\"]}");

	(void)state;
	assert_int_equal(c.remotes.subnets.n, 2);
	assert_prefix(&c.remotes.subnets.v[1], "fd00::/8");
	assert_false(c.remotes.are_limited);
	c = loaded("{" LIMITS "\"ShapedSubnets\":[\"10.0.0.0/8\"],"
		   "\"unshapedSubnets\":[]}");
	assert_int_equal(c.remotes.subnets.n, 1);
	assert_true(c.remotes.are_limited);
	assert_refused("{" LIMITS "\"shapedSubnets\":[\"10.0.0.0/8\"],"
		       "\"unshapedSubnets\":[\"fd00::/8\"]}",
		       ERR_CONFIG, "cannot be both specified");
	assert_refused(
		"{" LIMITS "\"shapedSubnets\":[\"10.0.0.0/8\",\"hello\"]}",
		ERR_CONFIG,
		"bad subnet \"hello\" provided, details invalid CIDR address");
	assert_refused("{" LIMITS "\"unshapedSubnets\":[null]}", ERR_CONFIG,
		       "\"unshapedSubnets\"[0]");
}

/* The runtime knows of rates alone. */
static void test_subnets_count_for_what_a_runtime_limits(void **state)
{
	struct bandwidth_conf c = loaded(
		"{\"unshapedSubnets\":[\"10.0.0.0/8\"]," RUNTIME_LIMITS "}}}");

	(void)state;
	assert_int_equal(c.ingress.rate, 1);
	assert_int_equal(c.remotes.subnets.n, 1);
	c = loaded("{\"unshapedSubnets\":[\"10.0.0.0/8\"]," RUNTIME_LIMITS
		   ",\"shapedSubnets\":[\"fd00::/8\"]}}}");
	assert_prefix(&c.remotes.subnets.v[0], "fd00::/8");
	assert_true(c.remotes.are_limited);
	c = loaded("{" LIMITS RUNTIME_LIMITS
		   ",\"shapedSubnets\":[\"fd00::/8\"]}}}");
	assert_int_equal(c.remotes.subnets.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_numbers_are_the_references,
					  release),
		cmocka_unit_test_teardown(
			test_bursts_that_do_not_fit_stay_at_the_greatest,
			release),
		cmocka_unit_test_teardown(test_all_64_bits_count, release),
		cmocka_unit_test_teardown(
			test_the_top_level_takes_the_runtimes_place, release),
		cmocka_unit_test_teardown(test_keys_in_either_case, release),
		cmocka_unit_test_teardown(test_what_cannot_be_names_the_key,
					  release),
		cmocka_unit_test_teardown(test_subnets_of_either_kind, release),
		cmocka_unit_test_teardown(
			test_subnets_count_for_what_a_runtime_limits, release),
	};

	return RUN(tests);
}
