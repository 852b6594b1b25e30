// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of ingress policies. */
#include "unit.h"

#include <errno.h>

#include "service/firewall.h"

static void policies_by_name(void **state)
{
	static const char *const names[] = { "open", "same-bridge",
					     "isolated" };
	enum ingress_policy policy;

	(void)state;
	for (int i = INGRESS_OPEN; i <= INGRESS_ISOLATED; i++) {
		assert_int_equal(ingress_policy_parse(names[i], &policy), 0);
		assert_int_equal(policy, i);
		assert_string_equal(ingress_policy_name(policy), names[i]);
	}
}

static void what_is_no_policy(void **state)
{
	static const char *const names[] = { "", "Open", "isolated ", "same" };
	enum ingress_policy policy = INGRESS_SAME_BRIDGE;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(ingress_policy_parse(names[i], &policy),
				 -EINVAL);
	assert_int_equal(policy, INGRESS_SAME_BRIDGE); /* untouched */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_by_name),
		cmocka_unit_test(what_is_no_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
