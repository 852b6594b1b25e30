// SPDX-License-Identifier: GPL-2.0-or-later
/* Queueing disciplines and filters: the requests to the byte. */
#include "golden.h"
#include "own_netns.h"

#include <linux/if_ether.h>

#include "base/ip.h"
#include "kernel/filter.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/qdisc.h"

#define NEW 0x605 /* REQUEST | ACK | EXCL | CREATE */
#define ACK 0x005
#define ASK 0x00d /* REQUEST | ACK | ECHO */

#define ROOT	0xffffffffU
#define INGRESS 0xfffffff1U

/* struct tcmsg of the interface with the index 9. */
#define TC(handle, parent, info) \
	U32(0), U32(9), U32(handle), U32(parent), U32(info)
/* struct tc_ratespec */
#define RATE(rate)     U32(0), U32(0), U32(rate)
#define U64(low, high) U32(low), U32(high)

static const struct link link9 = { .index = 9, .name = "vethab" };

static void a_tbf_is_made_as_the_reference_makes_it(void **state)
{
	static const uint8_t want[] = {
		HEADER(88, 36, NEW), /* RTM_NEWQDISC */
		TC(0x10000, ROOT, 0),
		ATTR(8, 1), /* TCA_KIND */
		't',
		'b',
		'f',
		0,
		ATTR(44, 2 | NESTED), /* TCA_OPTIONS */
		ATTR(40, 1),	      /* TCA_TBF_PARMS */
		RATE(125000),
		RATE(0),
		U32(15625),
		U32(1562500),
		U32(0), /* limit, buffer, mtu */
	};
	const struct tbf tbf = { .rate = 125000,
				 .limit = 15625,
				 .buffer = 1562500 };
	struct err e;

	(void)state;
	assert_int_equal(qdisc_add_tbf(&ns, &link9, &tbf, &e), -ECANCELED);
	assert_sent(want, sizeof(want));
	assert_string_equal(
		e.msg, "add tbf to interface \"vethab\": Operation canceled");
}

static void a_rate_of_more_than_32_bits_has_an_attribute(void **state)
{
	static const uint8_t want[] = {
		HEADER(100, 36, NEW),
		TC(0x10000, ROOT, 0),
		ATTR(8, 1),
		't',
		'b',
		'f',
		0,
		ATTR(56, 2 | NESTED),
		ATTR(40, 1),
		RATE(0xffffffffU),
		RATE(0),
		U32(2),
		U32(1),
		U32(0),
		ATTR(12, 4), /* TCA_TBF_RATE64 */
		U64(5, 3),
	};
	const struct tbf tbf = { .rate = (3ULL << 32) + 5,
				 .limit = 2,
				 .buffer = 1 };

	(void)state;
	qdisc_add_tbf(&ns, &link9, &tbf, NULL);
	assert_sent(want, sizeof(want));
}

static void an_htb_says_what_its_default_is(void **state)
{
	static const uint8_t want[] = {
		HEADER(80, 36, NEW),
		TC(0x10000, ROOT, 0),
		ATTR(8, 1),
		'h',
		't',
		'b',
		0,
		ATTR(36, 2 | NESTED),
		ATTR(24, 2), /* TCA_HTB_INIT */
		U32(3),
		U32(10),
		U32(1),
		U32(0),
		U32(0),
		ATTR(8, 5), /* TCA_HTB_DIRECT_QLEN */
		U32(1000),
	};
	const struct tbf tbf = { .rate = 1, .limit = 2, .buffer = 1 };

	(void)state;
	qdisc_add_htb(&ns, &link9, &tbf, true, NULL);
	assert_sent(want, sizeof(want));
}

static void an_ingress_is_made_and_deleted_by_its_kind(void **state)
{
	static const uint8_t made[] = {
		HEADER(48, 36, NEW),
		TC(0xffff0000U, INGRESS, 0),
		ATTR(12, 1),
		'i',
		'n',
		'g',
		'r',
		'e',
		's',
		's',
		0,
	};
	static const uint8_t deleted[] = {
		HEADER(48, 37, ACK),
		TC(0xffff0000U, INGRESS, 0),
		ATTR(12, 1),
		'i',
		'n',
		'g',
		'r',
		'e',
		's',
		's',
		0,
	};

	(void)state;
	qdisc_add_ingress(&ns, &link9, NULL);
	assert_sent(made, sizeof(made));
	qdisc_delete_ingress(&ns, &link9, NULL);
	assert_sent(deleted, sizeof(deleted));
}

static void what_is_in_a_limit_is_at_1_1(void **state)
{
	static const uint8_t fq_codel[] = {
		HEADER(64, 36, NEW),
		TC(0, 0x10001, 0),
		ATTR(13, 1),
		'f',
		'q',
		'_',
		'c',
		'o',
		'd',
		'e',
		'l',
		0,
		0,
		0,
		0,
		ATTR(12, 2 | NESTED),
		ATTR(8, 1), /* TCA_FQ_CODEL_TARGET */
		U32(18000),
	};
	static const uint8_t bfifo[] = {
		HEADER(56, 36, NEW),
		TC(0, 0x10001, 0),
		ATTR(10, 1),
		'b',
		'f',
		'i',
		'f',
		'o',
		0,
		0,
		0,
		ATTR(8, 2),
		U32(3000),
	};

	(void)state;
	qdisc_add_fq_codel(&ns, &link9, 18000, NULL);
	assert_sent(fq_codel, sizeof(fq_codel));
	qdisc_add_bfifo(&ns, &link9, 3000, NULL);
	assert_sent(bfifo, sizeof(bfifo));
}

static void what_there_is_is_asked_for_an_answer(void **state)
{
	static const uint8_t root[] = {
		HEADER(36, 38, ASK),
		TC(0, ROOT, 0),
	};
	static const uint8_t class[] = {
		HEADER(36, 42, ASK),
		TC(0x10001, 0x10000, 0),
	};
	struct qdisc qdisc;
	struct tbf tbf;

	(void)state;
	qdisc_get(&ns, &link9, TC_H_ROOT, &qdisc, NULL);
	assert_sent(root, sizeof(root));
	qdisc_get_class(&ns, &link9, &tbf, NULL);
	assert_sent(class, sizeof(class));
}

/* TCA_U32_CLASSID, then TCA_U32_SEL with that many keys. */
#define KIND_U32		 ATTR(8, 1), 'u', '3', '2', 0
#define CLASS(id)		 ATTR(8, 1), U32(id)
#define SELECTOR(n)		 ATTR(20 + 16 * (n), 5), 1, 0, n, 0, U32(0), U32(0), U32(0)
#define KEY(mask, value, offset) BE32(mask), BE32(value), U32(offset), U32(0)

static void everything_is_redirected_by_one_action(void **state)
{
	static const uint8_t want[] = {
		HEADER(148, 44, NEW),	     /* RTM_NEWTFILTER */
		TC(0, 0xffff0000U, 0x10300), /* priority 1, ETH_P_ALL */
		KIND_U32,
		ATTR(104, 2 | NESTED),
		CLASS(0x10001),
		SELECTOR(1),
		KEY(0, 0, 0),
		ATTR(56, 7 | NESTED), /* TCA_U32_ACT */
		ATTR(52, 1 | NESTED),
		ATTR(11, 1),
		'm',
		'i',
		'r',
		'r',
		'e',
		'd',
		0,
		0,
		ATTR(36, 2 | NESTED), /* TCA_ACT_OPTIONS */
		ATTR(32, 2),	      /* TCA_MIRRED_PARMS */
		U32(0),
		U32(0),
		U32(4),
		U32(0),
		U32(0), /* TC_ACT_STOLEN */
		U32(1),
		U32(12), /* TCA_EGRESS_REDIR */
	};
	const struct filter filter = { .priority = 1,
				       .protocol = ETH_P_ALL,
				       .class_id = QDISC_CLASS,
				       .redirect_to = 12 };

	(void)state;
	filter_add(&ns, &link9, QDISC_INGRESS, &filter, NULL);
	assert_sent(want, sizeof(want));
}

static void addresses_are_matched_where_they_are(void **state)
{
	static const uint8_t source[] = {
		HEADER(92, 44, NEW),
		TC(0, 0x10000, 0x10008), /* ETH_P_IP */
		KIND_U32,
		ATTR(48, 2 | NESTED),
		CLASS(0x10000),
		SELECTOR(1),
		KEY(0xfffff000U, 0x0a010000, 12),
	};
	static const uint8_t destination[] = {
		HEADER(124, 44, NEW),
		TC(0, 0xffff0000U, 0x2dd86), /* ETH_P_IPV6 */
		KIND_U32,
		ATTR(80, 2 | NESTED),
		CLASS(0x10001),
		SELECTOR(3),
		KEY(0xffffffffU, 0xfd000db8U, 24),
		KEY(0xffffffffU, 0xabcd1234U, 28),
		KEY(0xf0000000U, 0xe0000000U, 32),
	};
	struct filter filter = { .priority = 1,
				 .protocol = ETH_P_IP,
				 .is_source = true,
				 .class_id = QDISC_ROOT };

	(void)state;
	prefix_parse("10.1.2.3/20", &filter.prefix);
	filter_add(&ns, &link9, QDISC_ROOT, &filter, NULL);
	assert_sent(source, sizeof(source));
	filter = (struct filter){ .priority = 2,
				  .protocol = ETH_P_IPV6,
				  .class_id = QDISC_CLASS };
	prefix_parse("fd00:db8:abcd:1234:e000::1/68", &filter.prefix);
	filter_add(&ns, &link9, QDISC_INGRESS, &filter, NULL);
	assert_sent(destination, sizeof(destination));
}

static void a_subnet_of_everything_has_one_key(void **state)
{
	static const uint8_t want[] = {
		HEADER(92, 44, NEW),  TC(0, 0x10000, 0x2dd86), KIND_U32,
		ATTR(48, 2 | NESTED), CLASS(0x10001),	       SELECTOR(1),
		KEY(0, 0, 0),
	};
	struct filter filter = { .priority = 2,
				 .protocol = ETH_P_IPV6,
				 .class_id = QDISC_CLASS };

	(void)state;
	prefix_parse("::/0", &filter.prefix);
	filter_add(&ns, &link9, QDISC_ROOT, &filter, NULL);
	assert_sent(want, sizeof(want));
}

static void filters_are_equal_if_they_do_the_same(void **state)
{
	struct filter a = { .priority = 1,
			    .protocol = ETH_P_IP,
			    .class_id = QDISC_CLASS };
	struct filter b;

	(void)state;
	prefix_parse("10.1.2.3/20", &a.prefix);
	b = a;
	b.priority = 7;
	prefix_parse("10.1.0.0/20", &b.prefix);
	assert_true(filter_equal(&a, &b));
	b.is_source = true;
	assert_false(filter_equal(&a, &b));
	b = a;
	b.class_id = QDISC_ROOT;
	assert_false(filter_equal(&a, &b));
	b.redirect_to = a.redirect_to = 3; /* then the class is of no use */
	assert_true(filter_equal(&a, &b));
	b.redirect_to = 4;
	assert_false(filter_equal(&a, &b));
	b = a;
	b.prefix.len = 21;
	assert_false(filter_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tbf_is_made_as_the_reference_makes_it),
		cmocka_unit_test(a_rate_of_more_than_32_bits_has_an_attribute),
		cmocka_unit_test(an_htb_says_what_its_default_is),
		cmocka_unit_test(an_ingress_is_made_and_deleted_by_its_kind),
		cmocka_unit_test(what_is_in_a_limit_is_at_1_1),
		cmocka_unit_test(what_there_is_is_asked_for_an_answer),
		cmocka_unit_test(everything_is_redirected_by_one_action),
		cmocka_unit_test(addresses_are_matched_where_they_are),
		cmocka_unit_test(a_subnet_of_everything_has_one_key),
		cmocka_unit_test(filters_are_equal_if_they_do_the_same),
	};

	return cmocka_run_group_tests_name("qdisc", tests, open_ns, close_ns);
}
