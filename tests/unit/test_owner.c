// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "base/owner.h"

/* printf podman | sha512sum, printf eth0:abc | sha512sum, 16 digits of each */
#define KEY "1d8721804f16f412-e65086f8a75535c6"

static const struct owner owner = { .network = "podman",
				    .container_id = "abc",
				    .ifname = "eth0" };

static void test_text(void **state)
{
	(void)state;
	assert_string_equal(owner_text(&owner).text,
			    KEY ", net: podman, if: eth0, id: abc");
}

static void test_text_is_cut_and_unquoted(void **state)
{
	char id[300];
	struct owner o = { .network = "n\"q",
			   .container_id = id,
			   .ifname = "e" };
	struct owner_text t;

	(void)state;
	memset(id, 'a', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	t = owner_text(&o);
	assert_non_null(strstr(t.text, ", net: nq, if: e, id: aaa"));
	assert_true(strlen(t.text) < OWNER_TEXT_MAX);
	assert_true(owner_is(&o, t.text)); /* the hashes are all there */
}

static void test_recognises_its_own_only(void **state)
{
	struct owner other_id = owner, other_ifname = owner, other_net = owner;

	(void)state;
	other_id.container_id = "abd";
	other_ifname.ifname = "eth1";
	other_net.network = "podman2";
	assert_true(owner_is(&owner, KEY));
	assert_true(owner_is(&owner, KEY ", whatever"));
	assert_false(owner_is(&other_id, KEY));
	assert_false(owner_is(&other_ifname, KEY));
	assert_false(owner_is(&other_net, KEY));
	assert_false(owner_is(&owner, NULL));
	assert_false(owner_is(&owner, ""));
	assert_false(owner_is(&owner, "1d8721804f16f412-e65086f8a75535"));
}

static void test_recognises_its_network(void **state)
{
	(void)state;
	assert_true(owner_is_stale("podman", NULL, 0, KEY));
	assert_true(owner_is_stale("podman", NULL, 0, "1d8721804f16f412-x"));
	assert_false(owner_is_stale("podman2", NULL, 0, KEY));
	assert_false(owner_is_stale("podman", NULL, 0, "1d8721804f16f412"));
	assert_false(owner_is_stale("podman", NULL, 0, ""));
	assert_false(owner_is_stale("podman", NULL, 0, NULL));
}

static void test_host_ifname(void **state)
{
	struct owner other = owner;

	(void)state;
	/* printf KEY | sha512sum, 11 digits */
	assert_string_equal(owner_host_ifname(&owner).name, "veth50281616069");
	other.ifname = "eth1";
	assert_string_not_equal(owner_host_ifname(&other).name,
				owner_host_ifname(&owner).name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_is_cut_and_unquoted),
		cmocka_unit_test(test_recognises_its_own_only),
		cmocka_unit_test(test_recognises_its_network),
		cmocka_unit_test(test_host_ifname),
	};

	return RUN(tests);
}
