// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests on NETLINK_ROUTE, to the byte. */
#include "golden.h"
#include "own_netns.h"

#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/link_add.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "kernel/rtnl.h"

#define ACK_CREATE_EXCL 0x605 /* REQUEST | ACK | EXCL | CREATE */
#define ACK_CREATE	0x405
#define ACK		0x005
#define DUMP		0x305

static void a_bridge_is_made_with_its_mac(void **state)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 9 };
	static const uint8_t want[] = {
		HEADER(76, 16, ACK_CREATE_EXCL), /* RTM_NEWLINK */
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
		0, /* IFLA_IFNAME */
		ATTR(10, 1),
		2,
		0,
		0,
		0,
		0,
		9,
		0,
		0, /* IFLA_ADDRESS */
		ATTR(8, 4),
		U32(1400),	       /* IFLA_MTU */
		ATTR(16, 18 | NESTED), /* IFLA_LINKINFO */
		ATTR(11, 1),
		'b',
		'r',
		'i',
		'd',
		'g',
		'e',
		0,
		0, /* KIND */
	};
	const struct bridge_new bridge = { .name = "br0",
					   .mac = mac,
					   .mtu = 1400 };
	struct err e;

	(void)state;
	assert_int_equal(link_add_bridge(&ns, &bridge, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(e.msg, "create bridge \"br0\": Operation canceled");
}

static void a_bridge_filters_vlans_from_the_start(void **state)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 9 };
	static const uint8_t want[] = {
		HEADER(80, 16, ACK_CREATE_EXCL), /* RTM_NEWLINK */
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
		0, /* IFLA_IFNAME */
		ATTR(10, 1),
		2,
		0,
		0,
		0,
		0,
		9,
		0,
		0,		       /* IFLA_ADDRESS */
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
	const struct bridge_new bridge = { .name = "br0",
					   .mac = mac,
					   .vlan_filtering = true };
	struct err e;

	(void)state;
	assert_int_equal(link_add_bridge(&ns, &bridge, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_bridge_ignores_what_is_reserved(void **state)
{
	static const uint8_t want[] = {
		HEADER(72, 16, ACK), /* RTM_NEWLINK */
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
		ATTR(32, 18 | NESTED), /* IFLA_LINKINFO */
		ATTR(11, 1),
		'b',
		'r',
		'i',
		'd',
		'g',
		'e',
		0,
		0,		      /* KIND */
		ATTR(16, 2 | NESTED), /* DATA */
		ATTR(12, 46),
		U32(1),
		U32(1), /* IFLA_BR_MULTI_BOOLOPT: value, mask */
	};
	struct err e;

	(void)state;
	assert_int_equal(link_ignore_reserved(&ns, "br0", &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_veth_is_made_with_its_peer_in_place(void **state)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 1 };
	const struct veth veth = { .name = "vethab",
				   .peer_name = "eth0",
				   .peer_ns = 33,
				   .master = 7,
				   .mtu = 1400,
				   .peer_mac = mac };
	static const uint8_t want[] = {
		HEADER(140, 16, ACK_CREATE_EXCL), /* RTM_NEWLINK */
		0,
		0,
		U16(0),
		U32(0),
		U32(0),
		U32(0), /* ifinfomsg */
		ATTR(11, 3),
		'v',
		'e',
		't',
		'h',
		'a',
		'b',
		0,
		0,
		ATTR(8, 4),
		U32(1400), /* IFLA_MTU */
		ATTR(8, 10),
		U32(7),		       /* IFLA_MASTER */
		ATTR(80, 18 | NESTED), /* IFLA_LINKINFO */
		ATTR(9, 1),
		'v',
		'e',
		't',
		'h',
		0,
		0,
		0,
		0,		      /* KIND */
		ATTR(64, 2 | NESTED), /* IFLA_INFO_DATA */
		ATTR(60, 1 | NESTED), /* VETH_INFO_PEER */
		0,
		0,
		U16(0),
		U32(0),
		U32(0),
		U32(0), /* ifinfomsg */
		ATTR(9, 3),
		'e',
		't',
		'h',
		'0',
		0,
		0,
		0,
		0,
		ATTR(8, 28),
		U32(33), /* IFLA_NET_NS_FD */
		ATTR(8, 4),
		U32(1400),
		ATTR(10, 1),
		2,
		0,
		0,
		0,
		0,
		1,
		0,
		0, /* IFLA_ADDRESS */
	};
	struct err e;

	(void)state;
	assert_int_equal(link_add_veth(&ns, &veth, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_port_is_set_up_in_one_request(void **state)
{
	const struct link_change change = { .flags_on = IFF_UP,
					    .alias = "mine",
					    .hairpin = true,
					    .isolated = true };
	static const uint8_t want[] = {
		HEADER(88, 16, ACK), /* RTM_NEWLINK, nothing created */
		0,
		0,
		U16(0),
		U32(0),
		U32(1),
		U32(1), /* ifinfomsg, IFF_UP */
		ATTR(11, 3),
		'v',
		'e',
		't',
		'h',
		'a',
		'b',
		0,
		0,
		ATTR(8, 20),
		'm',
		'i',
		'n',
		'e',		       /* IFLA_IFALIAS, no NUL */
		ATTR(36, 18 | NESTED), /* IFLA_LINKINFO */
		ATTR(11, 4),
		'b',
		'r',
		'i',
		'd',
		'g',
		'e',
		0,
		0,		      /* SLAVE_KIND */
		ATTR(20, 5 | NESTED), /* IFLA_INFO_SLAVE_DATA */
		ATTR(5, 4),
		1,
		0,
		0,
		0, /* IFLA_BRPORT_MODE */
		ATTR(5, 33),
		1,
		0,
		0,
		0, /* IFLA_BRPORT_ISOLATED */
	};
	struct err e;

	(void)state;
	assert_int_equal(link_change(&ns, "vethab", &change, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_port_that_leaves_has_master_zero_and_no_alias(void **state)
{
	const struct link_change change = { .leave_master = true, .alias = "" };
	static const uint8_t want[] = {
		HEADER(56, 16, ACK),
		0,
		0,
		U16(0),
		U32(0),
		U32(0),
		U32(0), /* ifinfomsg */
		ATTR(11, 3),
		'v',
		'e',
		't',
		'h',
		'a',
		'b',
		0,
		0,
		ATTR(4, 20), /* IFLA_IFALIAS */
		ATTR(8, 10),
		U32(0), /* IFLA_MASTER */
	};
	struct err e;

	(void)state;
	assert_int_equal(link_change(&ns, "vethab", &change, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void going_down_is_a_change_of_one_flag(void **state)
{
	const struct link_change change = { .flags_off = IFF_UP };
	static const uint8_t want[] = {
		HEADER(40, 16, ACK), 0,	  0,   U16(0), U32(0), U32(0), U32(1),
		ATTR(7, 3),	     'l', 'o', 0,      0,
	};
	struct err e;

	(void)state;
	assert_int_equal(link_change(&ns, "lo", &change, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void an_ipv4_address_has_its_broadcast_address(void **state)
{
	static const uint8_t want[] = {
		HEADER(48, 20, ACK_CREATE_EXCL), /* RTM_NEWADDR */
		2,
		24,
		0,
		0,
		U32(5), /* ifaddrmsg: AF_INET, /24 */
		ATTR(8, 2),
		10,
		1,
		0,
		2, /* IFA_LOCAL */
		ATTR(8, 1),
		10,
		1,
		0,
		2, /* IFA_ADDRESS */
		ATTR(8, 4),
		10,
		1,
		0,
		255, /* IFA_BROADCAST */
	};
	struct ip_prefix prefix;
	struct err e;

	(void)state;
	assert_int_equal(prefix_parse("10.1.0.2/24", &prefix), 0);
	assert_int_equal(addr_add(&ns, 5, &prefix, false, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(e.msg,
			    "add address 10.1.0.2/24: Operation canceled");
}

static void an_ipv6_address_is_not_probed(void **state)
{
	static const uint8_t want[] = {
		HEADER(72, 20, ACK_CREATE_EXCL),
		10,
		64,
		0,
		0,
		U32(5), /* AF_INET6, /64 */
		ATTR(20, 2),
		0xfd,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		2,
		ATTR(20, 1),
		0xfd,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		2,
		ATTR(8, 8),
		U32(2), /* IFA_FLAGS: IFA_F_NODAD */
	};
	struct ip_prefix prefix;
	struct err e;

	(void)state;
	assert_int_equal(prefix_parse("fd00:1::2/64", &prefix), 0);
	assert_int_equal(addr_add(&ns, 5, &prefix, false, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_default_route_has_no_destination(void **state)
{
	static const uint8_t want[] = {
		HEADER(52, 24, ACK_CREATE), /* RTM_NEWROUTE */
		2,
		0,
		0,
		0,
		0,
		3,
		0,
		1,
		U32(0), /* rtmsg: BOOT, UNICAST */
		ATTR(8, 15),
		U32(254), /* RTA_TABLE: main */
		ATTR(8, 5),
		10,
		1,
		0,
		1, /* RTA_GATEWAY */
		ATTR(8, 4),
		U32(5), /* RTA_OIF */
	};
	struct route route = { .ifindex = 5, .table = RT_TABLE_MAIN };
	struct err e;

	(void)state;
	prefix_parse("0.0.0.0/0", &route.dst);
	ip_parse("10.1.0.1", &route.gw);
	assert_int_equal(route_add(&ns, &route, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg,
		"add route to 0.0.0.0/0 via 10.1.0.1: Operation canceled");
}

static void a_route_is_deleted_over_any_gateway(void **state)
{
	static const uint8_t want[] = {
		HEADER(52, 25, ACK), /* RTM_DELROUTE */
		2,
		16,
		0,
		0,
		0,
		0,
		255,
		0,
		U32(0), /* rtmsg: any scope */
		ATTR(8, 15),
		U32(254), /* RTA_TABLE: main */
		ATTR(8, 1),
		192,
		168,
		0,
		0, /* RTA_DST */
		ATTR(8, 4),
		U32(5), /* RTA_OIF */
	};
	struct route route = { .ifindex = 5, .table = RT_TABLE_MAIN };
	struct err e;

	(void)state;
	prefix_parse("192.168.0.0/16", &route.dst);
	ip_parse("10.1.0.1", &route.gw);
	assert_int_equal(route_delete(&ns, &route, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_route_has_metrics_priority_table_and_scope(void **state)
{
	static const uint8_t want[] = {
		HEADER(80, 24, ACK_CREATE),
		2,
		16,
		0,
		0,
		0,
		3,
		253,
		1,
		U32(0), /* scope link */
		ATTR(8, 15),
		U32(100), /* RTA_TABLE */
		ATTR(8, 1),
		192,
		168,
		0,
		0, /* RTA_DST */
		ATTR(8, 4),
		U32(5), /* RTA_OIF */
		ATTR(8, 6),
		U32(10),	      /* RTA_PRIORITY */
		ATTR(20, 8 | NESTED), /* RTA_METRICS */
		ATTR(8, 2),
		U32(1400), /* RTAX_MTU */
		ATTR(8, 8),
		U32(1360), /* RTAX_ADVMSS */
	};
	struct route route = { .ifindex = 5,
			       .table = 100,
			       .priority = 10,
			       .scope = 253,
			       .mtu = 1400,
			       .advmss = 1360 };
	struct err e;

	(void)state;
	prefix_parse("192.168.0.0/16", &route.dst);
	assert_int_equal(route_add(&ns, &route, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void an_address_may_be_without_a_route_to_its_subnet(void **state)
{
	static const uint8_t want[] = {
		HEADER(56, 20, ACK_CREATE_EXCL), /* RTM_NEWADDR */
		2,
		24,
		0,
		0,
		U32(5), /* ifaddrmsg: AF_INET, /24 */
		ATTR(8, 2),
		10,
		1,
		0,
		2, /* IFA_LOCAL */
		ATTR(8, 1),
		10,
		1,
		0,
		2, /* IFA_ADDRESS */
		ATTR(8, 4),
		10,
		1,
		0,
		255, /* IFA_BROADCAST */
		ATTR(8, 8),
		U32(0x200), /* IFA_FLAGS: IFA_F_NOPREFIXROUTE, no IFA_F_NODAD */
	};
	struct addr addr = { .flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE };
	struct err e;

	(void)state;
	assert_int_equal(prefix_parse("10.1.0.2/24", &addr.prefix), 0);
	assert_int_equal(addr_add_flags(&ns, 5, &addr, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_sole_route_stands_beside_no_other(void **state)
{
	static const uint8_t want[] = {
		HEADER(52, 24, ACK_CREATE_EXCL), /* RTM_NEWROUTE */
		2,
		32,
		0,
		0,
		0,
		3,
		253,
		1,
		U32(0), /* rtmsg: /32, BOOT, scope link, UNICAST */
		ATTR(8, 15),
		U32(254), /* RTA_TABLE: main */
		ATTR(8, 1),
		10,
		1,
		0,
		2, /* RTA_DST */
		ATTR(8, 4),
		U32(5), /* RTA_OIF */
	};
	struct route route = { .ifindex = 5,
			       .table = RT_TABLE_MAIN,
			       .scope = RT_SCOPE_LINK };
	struct err e;

	(void)state;
	prefix_parse("10.1.0.2/32", &route.dst);
	assert_int_equal(route_add_sole(&ns, &route, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
}

static void a_request_that_is_full_says_so_when_it_is_sent(void **state)
{
	const struct rtmsg header = { 0 };
	static const uint8_t blob[3000];
	_rtreq_ struct rtreq q;
	struct err e;

	(void)state;
	sent_len = 0;
	rtreq_init(&q, RTM_NEWROUTE, 0, &header, sizeof(header));
	rtreq_put(&q, 1, blob, sizeof(blob));
	rtreq_put(&q, 2, blob, sizeof(blob));
	rtreq_put_u32(&q, 3, 1);
	assert_int_equal(rtreq_call(&ns, &q, &e, "do \"%s\"", "it"), -EMSGSIZE);
	assert_string_equal(e.msg, "do \"it\": Message too long");
	assert_int_equal(sent_len, 0);
}

static void a_nest_too_deep_says_so(void **state)
{
	const struct rtmsg header = { 0 };
	_rtreq_ struct rtreq q;
	struct err e;

	(void)state;
	rtreq_init(&q, RTM_NEWROUTE, 0, &header, sizeof(header));
	for (int i = 0; i <= RTREQ_NEST_MAX; i++)
		rtreq_nest(&q, 1);
	assert_int_equal(rtreq_call(&ns, &q, &e, "x"), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bridge_is_made_with_its_mac),
		cmocka_unit_test(a_bridge_filters_vlans_from_the_start),
		cmocka_unit_test(a_bridge_ignores_what_is_reserved),
		cmocka_unit_test(a_veth_is_made_with_its_peer_in_place),
		cmocka_unit_test(a_port_is_set_up_in_one_request),
		cmocka_unit_test(
			a_port_that_leaves_has_master_zero_and_no_alias),
		cmocka_unit_test(going_down_is_a_change_of_one_flag),
		cmocka_unit_test(an_ipv4_address_has_its_broadcast_address),
		cmocka_unit_test(an_ipv6_address_is_not_probed),
		cmocka_unit_test(a_default_route_has_no_destination),
		cmocka_unit_test(
			an_address_may_be_without_a_route_to_its_subnet),
		cmocka_unit_test(a_route_is_deleted_over_any_gateway),
		cmocka_unit_test(a_route_has_metrics_priority_table_and_scope),
		cmocka_unit_test(a_sole_route_stands_beside_no_other),
		cmocka_unit_test(
			a_request_that_is_full_says_so_when_it_is_sent),
		cmocka_unit_test(a_nest_too_deep_says_so),
	};

	return cmocka_run_group_tests_name("rtnl", tests, open_ns, close_ns);
}
