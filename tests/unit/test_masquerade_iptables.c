// SPDX-License-Identifier: GPL-2.0-or-later
/* The texts are what iptables-save prints after the reference bridge plugin has
 * added network n1, container c1, at 10.1.0.2/24 and fd00:1::2/64. */
#include "iptables.h"

#include "service/masquerade_iptables.h"

#define CHAIN "CNI-7be53730afe4dc6eb2178d03"
#define OWNER "-m comment --comment \"name: \\\"n1\\\" id: \\\"c1\\\"\""
#define RULES                                               \
	"-A " CHAIN " -d 10.1.0.0/24 " OWNER " -j ACCEPT\n" \
	"-A " CHAIN " ! -d 224.0.0.0/4 " OWNER " -j MASQUERADE\n"
#define JUMP "POSTROUTING -s 10.1.0.2/32 " OWNER " -j " CHAIN "\n"
#define ADDED                                                   \
	"*nat\n:POSTROUTING ACCEPT [0:0]\n:" CHAIN " - [0:0]\n" \
	"-A " JUMP RULES "COMMIT\n"

static const struct owner c1 = { "n1", "c1", "eth0" };

static struct masquerade_iptables with(const struct ip_prefix *v, size_t n)
{
	return (struct masquerade_iptables){ &c1, v, n };
}

static void expect(iptables_plan *plan, const void *arg, const char *saved,
		   const char *expected)
{
	assert_plan(plan, arg, AF_INET, "nat", saved, expected);
}

static void test_add(void **state)
{
	const struct ip_prefix v[] = { prefix("10.1.0.2/24"),
				       prefix("fd00:1::2/64") };
	const struct masquerade_iptables m = with(v, 2);

	(void)state;
	expect(masquerade_iptables_plan_add, &m, EMPTY_NAT,
	       "*nat\n-N " CHAIN "\n" RULES "-A " JUMP "COMMIT\n");
	expect(masquerade_iptables_plan_add, &m, ADDED, "");
	assert_plan(masquerade_iptables_plan_add, &m, AF_INET6, "nat",
		    EMPTY_NAT,
		    "*nat\n-N " CHAIN "\n"
		    "-A " CHAIN " -d fd00:1::/64 " OWNER " -j ACCEPT\n"
		    "-A " CHAIN " ! -d ff00::/8 " OWNER " -j MASQUERADE\n"
		    "-A POSTROUTING -s fd00:1::2/128 " OWNER " -j " CHAIN "\n"
		    "COMMIT\n");
}

static void test_add_with_another_address_replaces(void **state)
{
	const struct ip_prefix v[] = { prefix("10.1.0.9/24") };
	const struct masquerade_iptables m = with(v, 1);

	(void)state;
	expect(masquerade_iptables_plan_add, &m, ADDED,
	       "*nat\n-D " JUMP "-A POSTROUTING -s 10.1.0.9/32 " OWNER
	       " -j " CHAIN "\nCOMMIT\n");
}

static void test_all_subnets_come_before_the_rest(void **state)
{
	const struct ip_prefix v[] = { prefix("10.1.0.2/24"),
				       prefix("10.1.0.3/24"),
				       prefix("10.2.0.2/16") };
	const struct masquerade_iptables m = with(v, 3);

	(void)state;
	expect(masquerade_iptables_plan_add, &m, EMPTY_NAT,
	       "*nat\n-N " CHAIN "\n"
	       "-A " CHAIN " -d 10.1.0.0/24 " OWNER " -j ACCEPT\n"
	       "-A " CHAIN " -d 10.2.0.0/16 " OWNER " -j ACCEPT\n"
	       "-A " CHAIN " ! -d 224.0.0.0/4 " OWNER " -j MASQUERADE\n"
	       "-A POSTROUTING -s 10.1.0.2/32 " OWNER " -j " CHAIN "\n"
	       "-A POSTROUTING -s 10.1.0.3/32 " OWNER " -j " CHAIN "\n"
	       "-A POSTROUTING -s 10.2.0.2/32 " OWNER " -j " CHAIN "\n"
	       "COMMIT\n");
}

static void test_del_needs_no_address(void **state)
{
	const struct masquerade_iptables m = with(NULL, 0);

	(void)state;
	expect(masquerade_iptables_plan_del, &m, EMPTY_NAT, "");
	expect(masquerade_iptables_plan_del, &m, ADDED,
	       "*nat\n-D " JUMP "-F " CHAIN "\n-X " CHAIN "\nCOMMIT\n");
}

static void test_check_names_the_rule(void **state)
{
	const struct ip_prefix v[] = { prefix("10.1.0.2/24") };
	const struct masquerade_iptables m = with(v, 1);
	char text[8192];
	struct err e;

	(void)state;
	expect(masquerade_iptables_plan_check, &m, ADDED, "");
	assert_int_equal(try_plan(masquerade_iptables_plan_check, &m, AF_INET,
				  "nat", EMPTY_NAT, text, &e),
			 -ENOENT);
	assert_int_equal(e.code, ERR_MISMATCH);
	assert_non_null(strstr(e.msg, "no rule \"-d 10.1.0.0/24 "));
	assert_string_equal(text, "");
}

static void test_gc_takes_this_networks_stale_ones(void **state)
{
	const struct owner c2 = { "n1", "c2", "eth0" };
	const struct iptables_valid none = { "n1", NULL, 0 },
				    same = { "n1", &c1, 1 },
				    other = { "n1", &c2, 1 },
				    n2 = { "n2", NULL, 0 };

	(void)state;
	expect(masquerade_iptables_plan_gc, &none, ADDED,
	       "*nat\n-D " JUMP "-F " CHAIN "\n-X " CHAIN "\nCOMMIT\n");
	expect(masquerade_iptables_plan_gc, &other, ADDED,
	       "*nat\n-D " JUMP "-F " CHAIN "\n-X " CHAIN "\nCOMMIT\n");
	expect(masquerade_iptables_plan_gc, &same, ADDED, "");
	expect(masquerade_iptables_plan_gc, &n2, ADDED, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_with_another_address_replaces),
		cmocka_unit_test(test_all_subnets_come_before_the_rest),
		cmocka_unit_test(test_del_needs_no_address),
		cmocka_unit_test(test_check_names_the_rule),
		cmocka_unit_test(test_gc_takes_this_networks_stale_ones),
	};

	return RUN(tests);
}
