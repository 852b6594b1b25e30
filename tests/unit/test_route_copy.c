// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes as the kernel lists them, and in another table, to the byte. */
#include "answer.h"
#include "own_netns.h"

#include <linux/rtnetlink.h>

#include "kernel/route_copy.h"

#define ACK_CREATE_REPLACE 0x505 /* REQUEST | ACK | REPLACE | CREATE */
#define ACK		   0x005
#define DUMP		   0x301
#define IFINDEX		   7
#define OTHER		   8

/* struct rtmsg: what these tests have in it */
#define ROUTE(family, len, table, protocol, scope, type, flags) \
	family, len, 0, 0, table, protocol, scope, type, U32(flags)
#define KERNEL	2   /* RTPROT_KERNEL */
#define STATIC	4   /* RTPROT_STATIC */
#define LINK	253 /* RT_SCOPE_LINK */
#define MAIN	254
#define UNICAST 1
#define LOCAL	2
#define CLONED	0x200  /* RTM_F_CLONED */
#define ONLINK	0x4    /* RTNH_F_ONLINK */
#define DOWN	0x10   /* RTNH_F_LINKDOWN */
#define TRAP	0x8000 /* RTM_F_TRAP, of an offloading card */

#define CACHE_INFO                                                            \
	ATTR(36, 12), U32(1), U32(2), U32(3), U32(4), U32(5), U32(6), U32(7), \
		U32(8)
#define PREFERENCE   ATTR(5, 20), 0, 0, 0, 0
#define OIF(index)   ATTR(8, 4), U32(index)
#define TABLE(table) ATTR(8, 15), U32(table)

/* 10.8.0.0/16 via 203.0.113.9 metric 7 mtu 1300 src 203.0.113.2 onlink */
#define DESTINATION                                                           \
	ATTR(8, 1), 10, 8, 0, 0, ATTR(8, 6), U32(7), ATTR(12, 8), ATTR(8, 2), \
		U32(1300)
#define SOURCE	       ATTR(8, 7), 203, 0, 113, 2
#define GATEWAY	       ATTR(8, 5), 203, 0, 113, 9, OIF(IFINDEX)
#define ITS_ATTRIBUTES DESTINATION, SOURCE, GATEWAY

/* As the kernel lists it: with what it counts and thinks of it as well. */
static const _Alignas(4) uint8_t listed[] = {
	HEADER(132, 24, MULTI), /* RTM_NEWROUTE */
	ROUTE(AF_INET, 16, MAIN, STATIC, 0, UNICAST, ONLINK | DOWN | TRAP),
	TABLE(MAIN),
	ITS_ATTRIBUTES,
	CACHE_INFO,
	PREFERENCE
};

static const struct route_copy route = {
	.prefsrc = { .family = AF_INET, .bytes = { 203, 0, 113, 2 } },
	.dst = { { .family = AF_INET, .bytes = { 10, 8, 0, 0 } }, 16 },
	.msg = (const struct nlmsghdr *)listed,
};

static void a_route_goes_into_the_table_with_all_that_it_is(void **state)
{
	static const uint8_t want[] = {
		HEADER(88, 24, ACK_CREATE_REPLACE), /* RTM_NEWROUTE */
		ROUTE(AF_INET, 16, 0, STATIC, 0, UNICAST, ONLINK), TABLE(4321),
		ITS_ATTRIBUTES
	};
	struct err e;

	(void)state;
	assert_int_equal(route_copy_put(&ns, &route, 4321, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg,
		"fill table 4321: route to 10.8.0.0/16: Operation canceled");
}

static void a_route_is_deleted_from_the_table_by_all_that_it_is(void **state)
{
	static const uint8_t want[] = { HEADER(88, 25, ACK), /* RTM_DELROUTE */
					ROUTE(AF_INET, 16, 0, STATIC, 0,
					      UNICAST, ONLINK),
					TABLE(MAIN), ITS_ATTRIBUTES };
	struct err e;

	(void)state;
	assert_int_equal(route_copy_delete(&ns, &route, MAIN, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg,
		"empty table 254: route to 10.8.0.0/16: Operation canceled");
}

static void a_route_may_be_put_without_its_source(void **state)
{
	static const uint8_t want[] = { HEADER(80, 24, ACK_CREATE_REPLACE),
					ROUTE(AF_INET, 16, 0, STATIC, 0,
					      UNICAST, ONLINK),
					TABLE(4321), DESTINATION, GATEWAY };
	struct route_copy copy = route;

	(void)state;
	copy.prefsrc.family = AF_UNSPEC;
	assert_int_equal(route_copy_put(&ns, &copy, 4321, NULL), -ECANCELED);
	assert_sent(want, sizeof(want));
}

/* --- lists ----------------------------------------------------------------- */

#define SUBNET(len, table, type, flags)                               \
	HEADER(len, 24, MULTI),                                       \
		ROUTE(AF_INET, 24, table, KERNEL, LINK, type, flags), \
		ATTR(8, 1), 203, 0, 113, 0

/* struct rtnexthop, and its gateway */
#define HOP(index, last) \
	U16(16), 0, 0, U32(index), ATTR(8, 5), 203, 0, 113, last

static void list(const uint8_t *routes, size_t len, struct arena *a,
		 struct route_copy **ret, size_t *ret_n)
{
	static const uint8_t want[] = { HEADER(28, 26, DUMP), /* RTM_GETROUTE */
					ROUTE(AF_INET, 0, 0, 0, 0, 0, 0) };
	struct err e;

	answer_with(routes, len);
	assert_int_equal(
		route_copy_list(&ns, AF_INET, MAIN, IFINDEX, a, ret, ret_n, &e),
		0);
	assert_sent(want, sizeof(want));
}

static void a_list_has_the_interfaces_routes_in_that_table(void **state)
{
	static const uint8_t all[] = {
		SUBNET(52, 252, UNICAST, 0),	   TABLE(4321),	 OIF(IFINDEX),
		SUBNET(52, MAIN, UNICAST, 0),	   TABLE(MAIN),	 OIF(OTHER),
		SUBNET(52, MAIN, UNICAST, CLONED), TABLE(MAIN),	 OIF(IFINDEX),
		SUBNET(52, MAIN, LOCAL, 0),	   TABLE(MAIN),	 OIF(IFINDEX),
		SUBNET(44, MAIN, UNICAST, 0),	   OIF(IFINDEX), DONE
	};
	struct arena a = { 0 };
	struct route_copy *v;
	size_t n;

	(void)state;
	list(all, sizeof(all), &a, &v, &n);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].dst.len, 24);
	assert_int_equal(v[0].dst.addr.bytes[2], 113);
	assert_true(v[0].is_on_link);
	assert_int_equal(v[0].gw.family, 0);
	assert_int_equal(v[0].prefsrc.family, 0);
	assert_memory_equal(v[0].msg, all + sizeof(all) - 20 - 44, 8);
	arena_done(&a);
}

static void a_listed_route_says_gateway_and_source(void **state)
{
	uint8_t all[sizeof(listed) + 20];
	static const uint8_t done[] = { DONE };
	struct arena a = { 0 };
	struct route_copy *v;
	size_t n;

	(void)state;
	memcpy(all, listed, sizeof(listed));
	memcpy(all + sizeof(listed), done, sizeof(done));
	list(all, sizeof(all), &a, &v, &n);
	assert_int_equal(n, 1);
	assert_false(v[0].is_on_link);
	assert_int_equal(v[0].gw.bytes[3], 9);
	assert_int_equal(v[0].prefsrc.bytes[3], 2);
	assert_true(prefix_equal(&v[0].dst, &route.dst));
	arena_done(&a);
}

/* Only one whose next hops all leave by the interface is its. */
static void a_route_of_several_hops_is_its_if_all_are(void **state)
{
	static const uint8_t all[] = { SUBNET(80, MAIN, UNICAST, 0),
				       TABLE(MAIN),
				       ATTR(36, 9),
				       HOP(IFINDEX, 5),
				       HOP(OTHER, 6),
				       SUBNET(80, MAIN, UNICAST, 0),
				       TABLE(MAIN),
				       ATTR(36, 9),
				       HOP(IFINDEX, 5),
				       HOP(IFINDEX, 6),
				       DONE };
	struct arena a = { 0 };
	struct route_copy *v;
	size_t n;

	(void)state;
	list(all, sizeof(all), &a, &v, &n);
	assert_int_equal(n, 1);
	assert_false(v[0].is_on_link);
	assert_memory_equal((const uint8_t *)v[0].msg + 16, all + 80 + 16, 64);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_route_goes_into_the_table_with_all_that_it_is),
		cmocka_unit_test(
			a_route_is_deleted_from_the_table_by_all_that_it_is),
		cmocka_unit_test(a_route_may_be_put_without_its_source),
		cmocka_unit_test(
			a_list_has_the_interfaces_routes_in_that_table),
		cmocka_unit_test(a_listed_route_says_gateway_and_source),
		cmocka_unit_test(a_route_of_several_hops_is_its_if_all_are),
	};

	return cmocka_run_group_tests_name("route_copy", tests, open_ns,
					   close_ns);
}
