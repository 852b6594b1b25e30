// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules are what iptables-save prints after the reference's firewall 1.9.1
 * has added a container at 10.1.0.2 and fd00:1::2 on br0. */
#include "iptables.h"

#include "service/firewall_iptables.h"

#define EMPTY_FILTER                                            \
	"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n" \
	":OUTPUT ACCEPT [0:0]\nCOMMIT\n"
#define SAID(what) "-m comment --comment \"CNI firewall plugin " what "\""
#define BOTH	   SAID("rules (ingressPolicy: same-bridge|isolated)")
#define SAME	   SAID("rules (ingressPolicy: same-bridge)")
#define ISOLATED   SAID("rules (ingressPolicy: isolated)")
#define TO_OWN	   "FORWARD " SAID("rules") " -j CNI-FORWARD\n"
#define TO_STAGE   "FORWARD " BOTH " -j CNI-ISOLATION-STAGE-1\n"
#define TO_ADMIN   "CNI-FORWARD " SAID("admin overrides") " -j CNI-ADMIN\n"
#define IN(a)                                \
	"CNI-FORWARD -d " a " -m conntrack " \
	"--ctstate RELATED,ESTABLISHED -j ACCEPT\n"
#define OUT(a) "CNI-FORWARD -s " a " -j ACCEPT\n"
#define V4     "10.1.0.2/32"
#define V6     "fd00:1::2/128"
#define CHAINS                                                  \
	"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n" \
	":OUTPUT ACCEPT [0:0]\n:CNI-ADMIN - [0:0]\n"            \
	":CNI-FORWARD - [0:0]\n"
#define OPEN_SAVED \
	CHAINS "-A " TO_OWN "-A " TO_ADMIN "-A " IN(V4) "-A " OUT(V4) "COMMIT\n"
#define STAGES \
	":CNI-ISOLATION-STAGE-1 - [0:0]\n:CNI-ISOLATION-STAGE-2 - [0:0]\n"
#define ISOLATED_SAVED                                                           \
	CHAINS STAGES                                                            \
		"-A " TO_STAGE "-A " TO_OWN "-A " TO_ADMIN                       \
		"-A " IN(V4) "-A " OUT(                                          \
			V4) "-A CNI-ISOLATION-STAGE-1 -i br0 -o br0 " ISOLATED   \
			    " -j DROP\n"                                         \
			    "-A CNI-ISOLATION-STAGE-1 -i br0 ! -o br0 " ISOLATED \
			    " -j CNI-ISOLATION-STAGE-2\n"                        \
			    "-A CNI-ISOLATION-STAGE-1 " BOTH " -j RETURN\n"      \
			    "-A CNI-ISOLATION-STAGE-2 -o br0 " BOTH              \
			    " -j DROP\n"                                         \
			    "-A CNI-ISOLATION-STAGE-2 " BOTH                     \
			    " -j RETURN\nCOMMIT\n"

static struct ip_addr addresses[2];

static struct firewall container(enum ingress_policy policy)
{
	struct firewall fw = { .policy = policy, .bridge = "br0" };

	addresses[0] = ip("10.1.0.2");
	addresses[1] = ip("fd00:1::2");
	fw.addresses.v = addresses;
	fw.addresses.n = 2;
	return fw;
}

static void expect(iptables_plan *plan, const struct firewall *fw,
		   uint8_t family, const char *saved, const char *expected)
{
	assert_plan(plan, fw, family, "filter", saved, expected);
}

static int try(iptables_plan *plan, const struct firewall *fw,
	       const char *saved, struct err *e)
{
	char text[8192];
	int r = try_plan(plan, fw, AF_INET, "filter", saved, text, e);

	assert_string_equal(text, "");
	return r;
}

static void test_open(void **state)
{
	const struct firewall fw = container(INGRESS_OPEN);

	(void)state;
	expect(firewall_iptables_plan_add, &fw, AF_INET, EMPTY_FILTER,
	       "*filter\n-N CNI-FORWARD\n-N CNI-ADMIN\n"
	       "-I " TO_OWN "-I " TO_ADMIN
	       "-A " IN(V4) "-A " OUT(V4) "COMMIT\n");
	expect(firewall_iptables_plan_add, &fw, AF_INET, OPEN_SAVED, "");
	expect(firewall_iptables_plan_add, &fw, AF_INET6, EMPTY_FILTER,
	       "*filter\n-N CNI-FORWARD\n-N CNI-ADMIN\n"
	       "-I " TO_OWN "-I " TO_ADMIN
	       "-A " IN(V6) "-A " OUT(V6) "COMMIT\n");
}

static void test_a_family_without_addresses_is_left_alone(void **state)
{
	struct firewall fw = container(INGRESS_ISOLATED);

	(void)state;
	fw.addresses.n = 1;
	expect(firewall_iptables_plan_add, &fw, AF_INET6, EMPTY_FILTER, "");
	expect(firewall_iptables_plan_check, &fw, AF_INET6, EMPTY_FILTER, "");
	expect(firewall_iptables_plan_del, &fw, AF_INET6, EMPTY_FILTER, "");
}

static void test_same_bridge(void **state)
{
	const struct firewall fw = container(INGRESS_SAME_BRIDGE);

	(void)state;
	expect(firewall_iptables_plan_add, &fw, AF_INET, OPEN_SAVED,
	       "*filter\n"
	       "-N CNI-ISOLATION-STAGE-1\n-N CNI-ISOLATION-STAGE-2\n"
	       "-I " TO_STAGE "-I CNI-ISOLATION-STAGE-1 -i br0 ! -o br0 " SAME
	       " -j CNI-ISOLATION-STAGE-2\n"
	       "-A CNI-ISOLATION-STAGE-1 " BOTH " -j RETURN\n"
	       "-I CNI-ISOLATION-STAGE-2 -o br0 " BOTH " -j DROP\n"
	       "-A CNI-ISOLATION-STAGE-2 " BOTH " -j RETURN\nCOMMIT\n");
}

/* What the container may not do comes before what it may. */
static void test_isolated(void **state)
{
	const struct firewall fw = container(INGRESS_ISOLATED);

	(void)state;
	expect(firewall_iptables_plan_add, &fw, AF_INET, EMPTY_FILTER,
	       "*filter\n-N CNI-FORWARD\n-N CNI-ADMIN\n"
	       "-N CNI-ISOLATION-STAGE-1\n-N CNI-ISOLATION-STAGE-2\n"
	       "-I " TO_OWN "-I " TO_ADMIN "-I " TO_STAGE
	       "-I CNI-ISOLATION-STAGE-1 -i br0 ! -o br0 " ISOLATED
	       " -j CNI-ISOLATION-STAGE-2\n"
	       "-I CNI-ISOLATION-STAGE-1 -i br0 -o br0 " ISOLATED " -j DROP\n"
	       "-A CNI-ISOLATION-STAGE-1 " BOTH " -j RETURN\n"
	       "-I CNI-ISOLATION-STAGE-2 -o br0 " BOTH " -j DROP\n"
	       "-A CNI-ISOLATION-STAGE-2 " BOTH " -j RETURN\n"
	       "-A " IN(V4) "-A " OUT(V4) "COMMIT\n");
	expect(firewall_iptables_plan_add, &fw, AF_INET, ISOLATED_SAVED, "");
	expect(firewall_iptables_plan_check, &fw, AF_INET, ISOLATED_SAVED, "");
}

/* Nomad makes the chain itself, with rules, before it calls. */
static void test_the_administrators_own_chain(void **state)
{
	struct firewall fw = container(INGRESS_OPEN);

	(void)state;
	fw.admin_chain = "NOMAD-ADMIN";
	expect(firewall_iptables_plan_add, &fw, AF_INET,
	       "*filter\n:FORWARD DROP [0:0]\n:NOMAD-ADMIN - [0:0]\n"
	       "-A NOMAD-ADMIN -d 172.26.64.0/20 -o nomad -j ACCEPT\nCOMMIT\n",
	       "*filter\n-N CNI-FORWARD\n-I " TO_OWN "-I CNI-FORWARD " SAID(
		       "admin overrides") " -j NOMAD-ADMIN\n"
					  "-A " IN(V4) "-A " OUT(
						  V4) "COMMIT\n");
}

/* The jump that lets through may never come before the one that isolates. */
static void test_a_jump_made_anew_stays_behind_the_isolation(void **state)
{
	const struct firewall fw = container(INGRESS_OPEN);

	(void)state;
	expect(firewall_iptables_plan_add, &fw, AF_INET,
	       CHAINS STAGES "-A " TO_STAGE "-A " TO_ADMIN
			     "-A " IN(V4) "-A " OUT(V4) "COMMIT\n",
	       "*filter\n-I " TO_OWN "-D " TO_STAGE "-I " TO_STAGE "COMMIT\n");
}

static void test_del_takes_the_addresses_rules_alone(void **state)
{
	const struct firewall fw = container(INGRESS_ISOLATED);

	(void)state;
	expect(firewall_iptables_plan_del, &fw, AF_INET, ISOLATED_SAVED,
	       "*filter\n-D " IN(V4) "-D " OUT(V4) "COMMIT\n");
	expect(firewall_iptables_plan_del, &fw, AF_INET, EMPTY_FILTER, "");
	expect(firewall_iptables_plan_del, &fw, AF_INET6, OPEN_SAVED, "");
}

static void test_check_names_the_rule_and_changes_nothing(void **state)
{
	const struct firewall open = container(INGRESS_OPEN),
			      same = container(INGRESS_SAME_BRIDGE);
	struct err e;

	(void)state;
	assert_int_equal(
		try(firewall_iptables_plan_check, &open, OPEN_SAVED, &e), 0);
	assert_int_equal(
		try(firewall_iptables_plan_check, &open, EMPTY_FILTER, &e),
		-ENOENT);
	assert_int_equal(e.code, ERR_MISMATCH);
	assert_non_null(strstr(e.msg, "chain FORWARD of iptables' table "
				      "filter has no rule"));
	assert_int_equal(
		try(firewall_iptables_plan_check, &same, OPEN_SAVED, &e),
		-ENOENT);
	assert_non_null(strstr(e.msg, "same-bridge"));
	assert_int_equal(try(firewall_iptables_plan_check, &open,
			     CHAINS "-A " TO_OWN "-A " TO_ADMIN
				    "-A " IN(V4) "COMMIT\n",
			     &e),
			 -ENOENT);
	assert_non_null(strstr(e.msg, "\"-s " V4 " -j ACCEPT\""));
}

static void test_words_of_a_configuration(void **state)
{
	struct firewall fw = container(INGRESS_SAME_BRIDGE);
	struct err e;

	(void)state;
	fw.admin_chain = "X -j ACCEPT";
	assert_int_equal(try(firewall_iptables_plan_add, &fw, EMPTY_FILTER, &e),
			 -EINVAL);
	assert_non_null(strstr(e.msg, "iptablesAdminChainName"));
	fw.admin_chain = NULL;
	fw.bridge = "br+";
	assert_int_equal(try(firewall_iptables_plan_add, &fw, EMPTY_FILTER, &e),
			 -EINVAL);
	fw.bridge = NULL;
	assert_int_equal(try(firewall_iptables_plan_add, &fw, EMPTY_FILTER, &e),
			 -EINVAL);
	assert_string_equal(e.msg, "\"ingressPolicy\": there is no bridge");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_a_family_without_addresses_is_left_alone),
		cmocka_unit_test(test_same_bridge),
		cmocka_unit_test(test_isolated),
		cmocka_unit_test(test_the_administrators_own_chain),
		cmocka_unit_test(
			test_a_jump_made_anew_stays_behind_the_isolation),
		cmocka_unit_test(test_del_takes_the_addresses_rules_alone),
		cmocka_unit_test(test_check_names_the_rule_and_changes_nothing),
		cmocka_unit_test(test_words_of_a_configuration),
	};

	return RUN(tests);
}
