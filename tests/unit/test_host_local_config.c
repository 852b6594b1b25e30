// SPDX-License-Identifier: GPL-2.0-or-later
/* The texts expected are those of the reference's own tests and sources. */
#include "unit.h"

#include "ipam/host_local/config.h"

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

struct fixture {
	struct cni_args args;
	struct cni_conf conf;
	struct cni_call call;
};

static void prepare(struct fixture *f, enum cni_command command,
		    const char *text, const char *cni_args)
{
	cJSON *doc = parse_json(text);
	struct err e;

	arena_own(&arena, doc, delete_doc);
	*f = (struct fixture){
		.args = { .command = command, .args = cni_args },
		.call = { .args = &f->args, .conf = &f->conf, .arena = &arena },
	};
	if (cni_conf_decode(doc, &arena, &f->conf, &e))
		fail_msg("%s: %s", text, e.msg);
}

static int load_for(enum cni_command command, const char *text,
		    const char *cni_args, struct host_local_config *ret,
		    struct err *e)
{
	struct fixture f;

	prepare(&f, command, text, cni_args);
	return host_local_config_load(&f.call, ret, e);
}

static struct host_local_config loaded(const char *text)
{
	struct host_local_config conf;
	struct err e;

	if (load_for(CNI_ADD, text, "", &conf, &e))
		fail_msg("%s: %s", text, e.msg);
	return conf;
}

/* The text of a configuration: @ipam within the ipam object, @more after. */
#define CONF_AT(version, ipam, more)                                     \
	"{\"cniVersion\":\"" version "\",\"name\":\"n\",\"type\":\"t\"," \
	"\"ipam\":{" ipam "}" more "}"
#define CONF(ipam, more) CONF_AT("1.0.0", ipam, more)

#define SUBNET "\"subnet\":\"10.1.2.0/24\""

static void assert_range(const struct range *r, const char *subnet,
			 const char *start, const char *end,
			 const char *gateway)
{
	assert_prefix(&r->subnet, subnet);
	assert_ip(&r->start, start);
	assert_ip(&r->end, end);
	assert_ip(&r->gateway, gateway);
}

static void test_defaults(void **state)
{
	struct host_local_config c = loaded(CONF(SUBNET, ""));

	(void)state;
	assert_int_equal(c.sets.n, 1);
	assert_int_equal(c.sets.v[0].ranges.n, 1);
	assert_range(&c.sets.v[0].ranges.v[0], "10.1.2.0/24", "10.1.2.1",
		     "10.1.2.254", "10.1.2.1");
	assert_string_equal(c.data_dir, "/var/lib/cni/networks");
	assert_string_equal(c.resolv_conf, "");
	assert_int_equal(c.routes.n, 0);
	assert_int_equal(c.requested.n, 0);
	c = loaded(CONF("\"ranges\":[[{\"subnet\":\"2001:db8:1::/64\"}]]", ""));
	assert_range(&c.sets.v[0].ranges.v[0], "2001:db8:1::/64",
		     "2001:db8:1::1", "2001:db8:1:0:ffff:ffff:ffff:ffff",
		     "2001:db8:1::1");
}

static void test_what_may_be_said_of_a_range(void **state)
{
	struct host_local_config c = loaded(
		CONF("\"ranges\":[[{\"subnet\":\"10.1.2.0/24\","
		     "\"rangeStart\":\"10.1.2.0\",\"rangeEnd\":\"10.1.2.255\","
		     "\"gateway\":\"192.168.0.1\"}]]", /* anywhere */
		     ""));

	(void)state;
	assert_range(&c.sets.v[0].ranges.v[0], "10.1.2.0/24", "10.1.2.0",
		     "10.1.2.255", "192.168.0.1");
	c = loaded(CONF("\"ranges\":[[{\"subnet\":\"192.0.2.4/30\"}]]", ""));
	assert_range(&c.sets.v[0].ranges.v[0], "192.0.2.4/30", "192.0.2.5",
		     "192.0.2.6", "192.0.2.5");
	/* mapped addresses are IPv4 */
	c = loaded(CONF("\"subnet\":\"::ffff:10.1.2.0/120\","
			"\"rangeStart\":\"::ffff:10.1.2.9\"",
			""));
	assert_range(&c.sets.v[0].ranges.v[0], "10.1.2.0/24", "10.1.2.9",
		     "10.1.2.254", "10.1.2.1");
}

static void test_empty_and_null_are_absent(void **state)
{
	/* as containerd sends them, case and all */
	struct host_local_config c = loaded(
		CONF("\"ranges\":[],\"routes\":null,\"dataDir\":\"\","
		     "\"resolvConf\":null,\"subnet\":\"\",\"gateway\":null",
		     ",\"args\":{},\"runtimeConfig\":{\"ipRanges\":[["
		     "{\"Subnet\":\"10.1.2.0/24\",\"RangeStart\":\"\","
		     "\"RangeEnd\":\"\",\"Gateway\":\"\"}]],\"ips\":null}"));

	(void)state;
	assert_int_equal(c.sets.n, 1);
	assert_range(&c.sets.v[0].ranges.v[0], "10.1.2.0/24", "10.1.2.1",
		     "10.1.2.254", "10.1.2.1");
	assert_string_equal(c.data_dir, "/var/lib/cni/networks");
	loaded(CONF(SUBNET, ",\"args\":{\"cni\":null},\"runtimeConfig\":{}"));
	loaded(CONF(SUBNET, ",\"args\":null,\"runtimeConfig\":null"));
	c = loaded(CONF(SUBNET, ",\"args\":{\"cni\":{\"ips\":[\"\",null]}}"));
	assert_int_equal(c.requested.n, 0);
}

static void test_order_of_range_sets(void **state)
{
	struct host_local_config c = loaded(CONF(
		"\"subnet\":\"10.0.1.0/24\",\"ranges\":["
		"[{\"subnet\":\"10.0.2.0/24\"},{\"subnet\":\"10.0.3.0/24\"}],"
		"[{\"subnet\":\"2001:db8::/64\"}]]",
		",\"runtimeConfig\":{\"ipRanges\":"
		"[[{\"subnet\":\"10.0.0.0/24\"}]]}"));

	(void)state;
	assert_int_equal(c.sets.n, 4);
	assert_ip(&c.sets.v[0].ranges.v[0].start, "10.0.0.1");
	assert_ip(&c.sets.v[1].ranges.v[0].start, "10.0.1.1");
	assert_ip(&c.sets.v[2].ranges.v[0].start, "10.0.2.1");
	assert_ip(&c.sets.v[2].ranges.v[1].start, "10.0.3.1");
	assert_ip(&c.sets.v[3].ranges.v[0].start, "2001:db8::1");
	assert_string_equal(range_set_text(&c.sets.v[2]).text,
			    "10.0.2.1-10.0.2.254,10.0.3.1-10.0.3.254");
}

static void test_other_keys(void **state)
{
	struct host_local_config c = loaded(
		CONF(SUBNET ",\"dataDir\":\"/run/x\",\"resolvConf\":\"/r\","
			    "\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
			    "{\"dst\":\"10.9.0.0/16\",\"gw\":\"10.1.2.9\","
			    "\"mtu\":1400,\"advmss\":1300,\"priority\":5,"
			    "\"table\":100,\"scope\":0}]",
		     ""));

	(void)state;
	assert_string_equal(c.data_dir, "/run/x");
	assert_string_equal(c.resolv_conf, "/r");
	assert_int_equal(c.routes.n, 2);
	assert_prefix(&c.routes.v[0].dst, "0.0.0.0/0");
	assert_int_equal(c.routes.v[0].table, -1);
	assert_ip(&c.routes.v[1].gw, "10.1.2.9");
	assert_int_equal(c.routes.v[1].table, 100);
	assert_int_equal(c.routes.v[1].scope, 0);
}

static const char *requests(const struct host_local_config *c)
{
	static char text[256];
	char buf[IP_TEXT_MAX];

	*text = '\0';
	for (size_t i = 0; i < c->requested.n; i++) {
		strcat(text, ip_text(&c->requested.v[i], buf));
		strcat(text, " ");
	}
	return text;
}

#define REQUESTS                                                          \
	CONF(SUBNET,                                                      \
	     ",\"args\":{\"cni\":{\"ips\":[\"10.1.2.8\",\"10.1.2.9/24\"," \
	     "\"10.1.2.7\"]}},\"runtimeConfig\":{\"ips\":["               \
	     "\"10.1.2.10/16\",\"10.1.2.8\"]}")

static void test_requested_addresses(void **state)
{
	struct host_local_config c = loaded(REQUESTS);
	struct err e;

	(void)state;
	assert_string_equal(requests(&c),
			    "10.1.2.8 10.1.2.9 10.1.2.7 10.1.2.10 ");
	assert_int_equal(load_for(CNI_ADD, REQUESTS, "IP=10.1.2.7", &c, &e), 0);
	assert_string_equal(requests(&c),
			    "10.1.2.7 10.1.2.8 10.1.2.9 10.1.2.10 ");
	assert_int_equal(load_for(CNI_ADD, CONF(SUBNET, ""),
				  "IgnoreUnknown=1;K8S_POD_NAME=a;"
				  "IP=10.1.2.7/24",
				  &c, &e),
			 0);
	assert_string_equal(requests(&c), "10.1.2.7 ");
	assert_int_equal(load_for(CNI_ADD, CONF(SUBNET, ""), "IP=", &c, &e), 0);
	assert_string_equal(requests(&c), "");
}

static void test_wrong_cni_args_matter_to_add_only(void **state)
{
	static const char *const wrong[] = { "IP=10.1.2",
					     "IP=10.1.2.3,10.1.2.4",
					     "K8S_POD_NAME=a", "nonsense" };
	struct host_local_config c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(
			load_for(CNI_ADD, CONF(SUBNET, ""), wrong[i], &c, &e),
			-EINVAL);
		assert_int_equal(e.code, ERR_ENV);
		assert_int_equal(
			load_for(CNI_CHECK, CONF(SUBNET, ""), wrong[i], &c, &e),
			0);
	}
	load_for(CNI_ADD, CONF(SUBNET, ""), "IP=10.1.2", &c, &e);
	assert_string_equal(e.msg, "CNI_ARGS: IP=10.1.2 is not an IP address");
}

#define RANGE(text) CONF("\"ranges\":[[{" text "}]]", "")

static void test_wrong_configurations(void **state)
{
	static const struct {
		const char *conf, *msg;
	} cases[] = {
		{ "{\"name\":\"n\"}", "IPAM config missing 'ipam' key" },
		{ "{\"name\":\"n\",\"ipam\":null}",
		  "IPAM config missing 'ipam' key" },
		{ CONF("", ""), "no IP ranges specified" },
		{ CONF("\"ranges\":[]", ""), "no IP ranges specified" },
		{ CONF("\"rangeStart\":\"10.0.0.1\"", ""),
		  "no IP ranges specified" },
		{ CONF("\"ranges\":[[]]", ""),
		  "invalid range set 0: empty range set" },
		{ CONF(SUBNET ",\"ranges\":[null]", ""),
		  "invalid range set 1: empty range set" },
		{ RANGE(""), "invalid range set 0: range has no \"subnet\"" },
		{ RANGE("\"subnet\":\"10.0.0.0/31\""),
		  "invalid range set 0: Network 10.0.0.0/31 too small to allocate from" },
		{ RANGE("\"subnet\":\"10.0.0.0/32\""),
		  "invalid range set 0: Network 10.0.0.0/32 too small to allocate from" },
		{ RANGE("\"subnet\":\"2001:db8::/127\""),
		  "invalid range set 0: Network 2001:db8::/127 too small to allocate from" },
		{ RANGE("\"subnet\":\"10.1.2.3/24\""),
		  "invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 10.1.2.0" },
		{ RANGE(SUBNET ",\"rangeStart\":\"10.1.3.0\""),
		  "invalid range set 0: RangeStart 10.1.3.0 not in network 10.1.2.0/24" },
		{ RANGE(SUBNET ",\"rangeStart\":\"2001:db8::1\""),
		  "invalid range set 0: RangeStart 2001:db8::1 not in network 10.1.2.0/24" },
		{ RANGE(SUBNET ",\"rangeEnd\":\"10.1.3.0\""),
		  "invalid range set 0: RangeEnd 10.1.3.0 not in network 10.1.2.0/24" },
		{ RANGE(SUBNET ",\"rangeEnd\":\"10.1.2.0\""),
		  "invalid range set 0: RangeEnd 10.1.2.0 not in network 10.1.2.0/24" },
		{ RANGE(SUBNET
			",\"rangeStart\":\"10.1.2.50\",\"rangeEnd\":\"10.1.2.40\""),
		  "invalid range set 0: RangeStart 10.1.2.50 not in network 10.1.2.0/24" },
		{ CONF("\"ranges\":[[{\"subnet\":\"10.0.0.0/24\"},"
		       "{\"subnet\":\"2001:db8::/64\"}]]",
		       ""),
		  "invalid range set 0: mixed address families" },
		{ CONF("\"ranges\":[[{\"subnet\":\"10.0.0.0/20\"},"
		       "{\"subnet\":\"10.0.10.0/24\"}]]",
		       ""),
		  "invalid range set 0: subnets 10.0.0.1-10.0.15.254 and 10.0.10.1-10.0.10.254 overlap" },
		{ CONF("\"ranges\":[[{\"subnet\":\"10.0.0.0/24\"}],"
		       "[{\"subnet\":\"10.1.0.0/24\"}],"
		       "[{\"subnet\":\"10.0.0.128/25\"}]]",
		       ""),
		  "range set 0 overlaps with 2" },
		{ CONF_AT("0.2.0",
			  "\"subnet\":\"10.1.2.0/24\",\"ranges\":"
			  "[[{\"subnet\":\"10.1.3.0/24\"}]]",
			  ""),
		  "CNI version 0.2.0 does not support more than 1 address per family" },
		{ CONF_AT("0.2.0",
			  "\"ranges\":[[{\"subnet\":\"2001:db8::/64\"}],"
			  "[{\"subnet\":\"2001:db8:1::/64\"}]]",
			  ""),
		  "CNI version 0.2.0 does not support more than 1 address per family" },
		{ RANGE("\"subnet\":\"10.1.2.0\""),
		  "\"ipam.ranges[0][0].subnet\": \"10.1.2.0\" is not a subnet in CIDR notation" },
		{ CONF("\"subnet\":\"10.1.2.0\"", ""),
		  "\"ipam.subnet\": \"10.1.2.0\" is not a subnet in CIDR notation" },
		{ CONF(SUBNET ",\"gateway\":\"10.1.2.01\"", ""),
		  "\"ipam.gateway\": \"10.1.2.01\" is not an IP address" },
		{ CONF(SUBNET, ",\"args\":{\"cni\":{\"ips\":[\"x\"]}}"),
		  "\"args.cni.ips[0]\": \"x\" is not an IP address" },
		{ CONF(SUBNET ",\"routes\":[{\"gw\":\"10.1.2.1\"}]", ""),
		  "\"ipam.routes[0]\" has no \"dst\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_local_config c;
		struct err e = { 0 };

		if (load_for(CNI_ADD, cases[i].conf, "", &c, &e) != -EINVAL)
			fail_msg("%s was taken", cases[i].conf);
		assert_string_equal(e.msg, cases[i].msg);
		assert_int_equal(e.code, ERR_CONFIG);
	}
}

static void test_wrong_types(void **state)
{
	static const char *const wrong[] = {
		CONF(SUBNET ",\"dataDir\":5", ""),
		CONF("\"ranges\":[{\"subnet\":\"10.0.0.0/24\"}]", ""),
		CONF("\"ranges\":\"10.0.0.0/24\"", ""),
		CONF("\"subnet\":10", ""),
		CONF(SUBNET ",\"routes\":{}", ""),
		CONF(SUBNET, ",\"runtimeConfig\":{\"ips\":\"10.0.0.1\"}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct host_local_config c;
		struct err e = { 0 };

		if (load_for(CNI_ADD, wrong[i], "", &c, &e) != -EINVAL)
			fail_msg("%s was taken", wrong[i]);
		assert_int_equal(e.code, ERR_DECODE);
	}
}

static void test_ranges_of_one_subnet_may_stand_side_by_side(void **state)
{
	struct host_local_config c = loaded(
		CONF("\"ranges\":[[{\"subnet\":\"10.1.2.0/24\","
		     "\"rangeEnd\":\"10.1.2.9\"},{\"subnet\":\"10.1.2.0/24\","
		     "\"rangeStart\":\"10.1.2.10\"}]]",
		     ""));

	(void)state;
	assert_int_equal(c.sets.v[0].ranges.n, 2);
	/* two families are no obstacle to 0.2.0 */
	loaded(CONF_AT("0.2.0",
		       "\"ranges\":[[{\"subnet\":\"10.1.2.0/24\"}],"
		       "[{\"subnet\":\"2001:db8::/64\"}]]",
		       ""));
}

static void test_data_dir_is_found_whatever_else_is_wrong(void **state)
{
	static const struct {
		const char *conf, *data_dir;
		bool sync;
	} cases[] = {
		{ CONF("\"dataDir\":\"/x\",\"ranges\":5", ",\"args\":7"),
		  "/x" },
		{ CONF("\"DataDir\":\"/y\",\"sync\":true", ""), "/y", true },
		{ CONF("\"dataDir\":null", ""), "/var/lib/cni/networks" },
		{ "{\"name\":\"n\"}", "/var/lib/cni/networks" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *data_dir;
		struct fixture f;
		struct err e;
		bool sync;

		prepare(&f, CNI_DEL, cases[i].conf, "nonsense");
		assert_int_equal(
			host_local_store_config(&f.call, &data_dir, &sync, &e),
			0);
		assert_string_equal(data_dir, cases[i].data_dir);
		assert_int_equal(sync, cases[i].sync);
	}
}

#define TEST(f) cmocka_unit_test_teardown(f, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_what_may_be_said_of_a_range),
		TEST(test_empty_and_null_are_absent),
		TEST(test_order_of_range_sets),
		TEST(test_other_keys),
		TEST(test_requested_addresses),
		TEST(test_wrong_cni_args_matter_to_add_only),
		TEST(test_wrong_configurations),
		TEST(test_wrong_types),
		TEST(test_ranges_of_one_subnet_may_stand_side_by_side),
		TEST(test_data_dir_is_found_whatever_else_is_wrong),
	};

	return RUN(tests);
}
