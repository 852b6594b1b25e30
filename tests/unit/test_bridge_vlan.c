// SPDX-License-Identifier: GPL-2.0-or-later
/* VLANs of a bridge's ports: sets, and the requests to the byte. */
#include "golden.h"
#include "own_netns.h"

#include "kernel/bridge_vlan.h"
#include "kernel/link.h"
#include "kernel/netns.h"

#define ACK	 0x005 /* REQUEST | ACK */
#define DUMP	 0x301 /* REQUEST | DUMP */
#define PVID	 0x02
#define UNTAGGED 0x04
#define BEGIN	 0x08
#define END	 0x10

/* ifinfomsg of the port with index 9, IFLA_AF_SPEC of @len bytes. */
#define SPEC(len) \
	AF_BRIDGE, 0, U16(0), U32(9), U32(0), U32(0), ATTR(len, 26 | NESTED)
#define VLAN(id, flags) ATTR(8, 2), U16(flags), U16(id)

static const struct link port = { .index = 9,
				  .name = "vethab",
				  .kind = "veth" };
static const struct link bridge = { .index = 9,
				    .name = "br0",
				    .kind = "bridge" };

static void a_set_has_what_was_added(void **state)
{
	struct vlan_set set = { 0 };

	(void)state;
	assert_true(vlan_set_is_empty(&set));
	vlan_set_add(&set, 63, 65);
	vlan_set_add(&set, 64, 64);
	vlan_set_add(&set, VLAN_ID_MAX, VLAN_ID_MAX);
	assert_false(vlan_set_is_empty(&set));
	for (unsigned id = 0; id <= VLAN_ID_MAX; id++)
		assert_int_equal(vlan_set_has(&set, id),
				 (id >= 63 && id <= 65) || id == VLAN_ID_MAX);
}

static void an_access_port_has_its_vlan_untagged(void **state)
{
	static const uint8_t want[] = {
		HEADER(44, 19, ACK), /* RTM_SETLINK */
		SPEC(12),
		VLAN(100, PVID | UNTAGGED),
	};
	struct bridge_vlans vlans = { .pvid = 100 };
	struct err e;

	(void)state;
	vlan_set_add(&vlans.members, 100, 100);
	vlan_set_add(&vlans.untagged, 100, 100);
	assert_int_equal(bridge_vlan_add(&ns, &port, &vlans, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(e.msg,
			    "add VLANs to \"vethab\": Operation canceled");
}

static void a_trunk_is_ranges_around_the_native_vlan(void **state)
{
	static const uint8_t want[] = {
		HEADER(84, 19, ACK), SPEC(52),	      VLAN(12, PVID | UNTAGGED),
		VLAN(10, BEGIN),     VLAN(11, END),   VLAN(13, 0),
		VLAN(4093, BEGIN),   VLAN(4094, END),
	};
	struct bridge_vlans vlans = { .pvid = 12 };
	struct err e;

	(void)state;
	vlan_set_add(&vlans.members, 10, 13);
	vlan_set_add(&vlans.members, 4093, 4094);
	vlan_set_add(&vlans.untagged, 12, 12);
	assert_int_equal(bridge_vlan_add(&ns, &port, &vlans, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_range_ends_where_the_flags_change(void **state)
{
	static const uint8_t want[] = {
		HEADER(68, 19, ACK),
		SPEC(36),
		VLAN(1, BEGIN),
		VLAN(2, END),
		VLAN(3, UNTAGGED | BEGIN),
		VLAN(4, UNTAGGED | END),
	};
	struct bridge_vlans vlans = { 0 };
	struct err e;

	(void)state;
	vlan_set_add(&vlans.members, 1, 4);
	vlan_set_add(&vlans.untagged, 3, 4);
	assert_int_equal(bridge_vlan_add(&ns, &port, &vlans, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void all_vlans_are_one_range(void **state)
{
	static const uint8_t want[] = {
		HEADER(60, 19, ACK), SPEC(28),	      VLAN(1, PVID | UNTAGGED),
		VLAN(2, BEGIN),	     VLAN(4094, END),
	};
	struct bridge_vlans vlans = { .pvid = 1 };
	struct err e;

	(void)state;
	vlan_set_add(&vlans.members, 1, VLAN_ID_MAX);
	vlan_set_add(&vlans.untagged, 1, 1);
	assert_int_equal(bridge_vlan_add(&ns, &port, &vlans, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

/* Two of three, so that each pair is a range. */
static void the_worst_set_fits_into_one_request(void **state)
{
	struct bridge_vlans vlans = { 0 };
	unsigned ranges = 0;
	struct err e;

	(void)state;
	for (unsigned id = 1; id < VLAN_ID_MAX; id += 3, ranges++)
		vlan_set_add(&vlans.members, id, id + 1);
	assert_int_equal(bridge_vlan_add(&ns, &port, &vlans, &e), -ECANCELED);
	assert_int_equal(sent_len, 36 + ranges * 16);
}

static void the_bridge_itself_is_told_with_self(void **state)
{
	static const uint8_t want[] = {
		HEADER(52, 19, ACK), SPEC(20), ATTR(6, 0), U16(2), 0, 0,
		VLAN(100, 0), /* IFLA_BRIDGE_FLAGS: BRIDGE_FLAGS_SELF */
	};
	struct bridge_vlans vlans = { 0 };
	struct err e;

	(void)state;
	vlan_set_add(&vlans.members, 100, 100);
	assert_int_equal(bridge_vlan_add(&ns, &bridge, &vlans, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_vlan_is_taken_from_a_port(void **state)
{
	static const uint8_t want[] = {
		HEADER(44, 17, ACK), /* RTM_DELLINK */
		SPEC(12),
		VLAN(1, 0),
	};
	struct err e;

	(void)state;
	assert_int_equal(bridge_vlan_delete(&ns, &port, 1, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg, "delete VLAN 1 from \"vethab\": Operation canceled");
}

static void one_port_is_asked_about(void **state)
{
	static const uint8_t want[] = {
		HEADER(24, 114, DUMP), /* RTM_GETVLAN */
		AF_BRIDGE,
		0,
		0,
		0,
		U32(9), /* br_vlan_msg */
	};
	struct bridge_vlans vlans;
	struct err e;

	(void)state;
	assert_int_equal(bridge_vlan_get(&ns, &port, &vlans, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg, "interface \"vethab\": list VLANs: Operation canceled");
}

static void a_bridge_is_told_to_filter(void **state)
{
	static const uint8_t want[] = {
		HEADER(68, 16, ACK), /* RTM_NEWLINK */
		0,
		0,
		U16(0),
		U32(0),
		U32(0),
		U32(0), /* ifinfomsg */
		ATTR(8, 3),
		'b',
		'r',
		'0',
		0,		       /* IFLA_IFNAME */
		ATTR(28, 18 | NESTED), /* IFLA_LINKINFO */
		ATTR(11, 1),
		'b',
		'r',
		'i',
		'd',
		'g',
		'e',
		0,
		0,		      /* KIND */
		ATTR(12, 2 | NESTED), /* DATA */
		ATTR(5, 7),
		1,
		0,
		0,
		0, /* IFLA_BR_VLAN_FILTERING */
	};
	struct err e;

	(void)state;
	assert_int_equal(bridge_vlan_filter(&ns, "br0", &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_has_what_was_added),
		cmocka_unit_test(an_access_port_has_its_vlan_untagged),
		cmocka_unit_test(a_trunk_is_ranges_around_the_native_vlan),
		cmocka_unit_test(a_range_ends_where_the_flags_change),
		cmocka_unit_test(all_vlans_are_one_range),
		cmocka_unit_test(the_worst_set_fits_into_one_request),
		cmocka_unit_test(the_bridge_itself_is_told_with_self),
		cmocka_unit_test(a_vlan_is_taken_from_a_port),
		cmocka_unit_test(one_port_is_asked_about),
		cmocka_unit_test(a_bridge_is_told_to_filter),
	};

	return cmocka_run_group_tests_name("bridge_vlan", tests, open_ns,
					   close_ns);
}
