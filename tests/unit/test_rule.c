// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that choose a table: requests and lists, to the byte. */
#include "answer.h"
#include "own_netns.h"

#include "kernel/rule.h"

#define ACK_CREATE_EXCL 0x605 /* REQUEST | ACK | EXCL | CREATE */
#define ACK		0x005
#define DUMP		0x301

/* struct fib_rule_hdr: family, source's length, table, action */
#define RULE(family, src_len, table, action) \
	family, 0, src_len, 0, table, 0, 0, action, U32(0)
#define SOURCE4(a, b, c, d) ATTR(8, 2), a, b, c, d /* FRA_SRC */
#define SOURCE6		    ATTR(20, 2), 0x20, 1, 0xd, 0xb8, U32(0), U32(0), 0, 0, 0, 2
#define PRIORITY(n)	    ATTR(8, 6), U32(n)	/* FRA_PRIORITY */
#define TABLE(n)	    ATTR(8, 15), U32(n) /* FRA_TABLE */
#define TO_TABLE	    1
#define UNREACHABLE	    7

static const struct rule from4 = {
	.family = AF_INET,
	.from = { { .family = AF_INET, .bytes = { 203, 0, 113, 2 } }, 32 },
	.table = 4321,
	.priority = 10000,
};

static const struct rule from6 = {
	.family = AF_INET6,
	.from = { { .family = AF_INET6,
		    .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
		  128 },
	.table = 100,
	.priority = 10000,
};

/* ip rule add from 203.0.113.2 table 4321 priority 10000 */
static void a_rule_names_source_table_and_priority(void **state)
{
	static const uint8_t want[] = {
		HEADER(52, 32, ACK_CREATE_EXCL), /* RTM_NEWRULE */
		RULE(AF_INET, 32, 0, TO_TABLE), SOURCE4(203, 0, 113, 2),
		TABLE(4321), PRIORITY(10000)
	};
	struct err e;

	(void)state;
	assert_int_equal(rule_add(&ns, &from4, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg,
		"add rule from 203.0.113.2/32 to table 4321: Operation canceled");
}

/* ip -6 rule del from 2001:db8::2 table 100 priority 10000 */
static void a_rule_is_deleted_by_all_that_it_says(void **state)
{
	static const uint8_t want[] = { HEADER(64, 33, ACK), /* RTM_DELRULE */
					RULE(AF_INET6, 128, 0, TO_TABLE),
					SOURCE6, TABLE(100), PRIORITY(10000) };
	struct err e;

	(void)state;
	assert_int_equal(rule_delete(&ns, &from6, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg,
		"delete rule from 2001:db8::2/128 to table 100: Operation canceled");
}

static void a_rule_from_anywhere_has_no_source(void **state)
{
	static const uint8_t want[] = { HEADER(44, 32, ACK_CREATE_EXCL),
					RULE(AF_INET, 0, 0, TO_TABLE), TABLE(7),
					PRIORITY(1) };
	const struct rule rule = { .family = AF_INET,
				   .from.addr.family = AF_INET,
				   .table = 7,
				   .priority = 1 };

	(void)state;
	assert_int_equal(rule_add(&ns, &rule, NULL), -ECANCELED);
	assert_sent(want, sizeof(want));
}

/* A table above 255 is in the attribute alone; what is no table has none, and
 * another family's rules are not this one's. */
static void a_list_has_what_each_rule_says(void **state)
{
	static const uint8_t want[] = { HEADER(28, 34, DUMP), /* RTM_GETRULE */
					RULE(AF_INET, 0, 0, 0) };
	static const uint8_t rules[] = { HEADER(36, 32, MULTI),
					 RULE(AF_INET, 0, 255, TO_TABLE),
					 TABLE(255),
					 HEADER(52, 32, MULTI),
					 RULE(AF_INET, 32, 252, TO_TABLE),
					 TABLE(4321),
					 SOURCE4(203, 0, 113, 2),
					 PRIORITY(10000),
					 HEADER(44, 32, MULTI),
					 RULE(AF_INET, 24, 9, TO_TABLE),
					 SOURCE4(10, 1, 2, 0),
					 PRIORITY(5),
					 HEADER(36, 32, MULTI),
					 RULE(AF_INET, 0, 9, UNREACHABLE),
					 PRIORITY(6),
					 HEADER(36, 32, MULTI),
					 RULE(AF_INET6, 0, 254, TO_TABLE),
					 TABLE(254),
					 DONE };
	struct arena a = { 0 };
	struct rule *v;
	struct err e;
	size_t n;

	(void)state;
	answer_with(rules, sizeof(rules));
	assert_int_equal(rule_list(&ns, AF_INET, &a, &v, &n, &e), 0);
	assert_sent(want, sizeof(want));
	assert_int_equal(n, 4);
	assert_int_equal(v[0].table, 255);
	assert_int_equal(v[0].from.len, 0);
	assert_true(prefix_equal(&v[1].from, &from4.from));
	assert_int_equal(v[1].table, 4321);
	assert_int_equal(v[1].priority, 10000);
	assert_int_equal(v[2].table, 9);
	assert_int_equal(v[2].from.len, 24);
	assert_int_equal(v[2].priority, 5);
	assert_int_equal(v[3].table, 0);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_names_source_table_and_priority),
		cmocka_unit_test(a_rule_is_deleted_by_all_that_it_says),
		cmocka_unit_test(a_rule_from_anywhere_has_no_source),
		cmocka_unit_test(a_list_has_what_each_rule_says),
	};

	return cmocka_run_group_tests_name("rule", tests, open_ns, close_ns);
}
