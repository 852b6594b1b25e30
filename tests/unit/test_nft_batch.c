// SPDX-License-Identifier: GPL-2.0-or-later
/* nftables transactions, to the byte. */
#include "golden.h"

#include <linux/netfilter.h>

#include "kernel/nft.h"
#include "kernel/nft_batch.h"
#include "kernel/nft_expr.h"

#define INET	    1		       /* NFPROTO_INET */
#define NFT(type)   (10 << 8 | (type)) /* NFNL_SUBSYS_NFTABLES */
#define CREATE_EXCL 0x601	       /* REQUEST | EXCL | CREATE */
#define WITH_ACK    0x004
#define NFGEN	    INET, 0, U16(0)

/* The batch's frame: NFNL_MSG_BATCH_BEGIN and _END for subsystem 10. */
#define BEGIN HEADER(20, 16, 1), 0, 0, 0, 10
#define END   HEADER(20, 17, 1), 0, 0, 0, 10

static struct netfilter netfilter;
static struct nft nft = { &netfilter, NFPROTO_INET, "t" };

static const struct nft_set_spec map = { .name = "m",
					 .kind = NFT_KIND_VMAP,
					 .key = { NFT_TYPE_IPV4_ADDR } };

static int open_netfilter(void **state)
{
	struct err e;

	(void)state;
	return netfilter_open(&netfilter, &e);
}

static int close_netfilter(void **state)
{
	(void)state;
	netfilter.closes_late = false;
	netfilter_close(&netfilter);
	return 0;
}

static void commit(struct nft_batch *b)
{
	struct err e;

	assert_int_equal(nft_commit(b, &e), -ECANCELED);
	nft_batch_done(b);
}

static void a_table_and_a_nat_chain(void **state)
{
	const struct nft_chain_spec chain = { .name = "post",
					      .type = "nat",
					      .hook = NF_INET_POST_ROUTING,
					      .priority = 100 };
	static const uint8_t want[] = {
		BEGIN,
		HEADER(28, NFT(0), CREATE_EXCL),
		NFGEN, /* NEWTABLE */
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_TABLE_NAME */
		HEADER(68, NFT(3), CREATE_EXCL | WITH_ACK),
		NFGEN, /* NEWCHAIN */
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_CHAIN_TABLE */
		ATTR(9, 3),
		'p',
		'o',
		's',
		't',
		0,
		0,
		0,
		0,		      /* NAME */
		ATTR(20, 4 | NESTED), /* NFTA_CHAIN_HOOK */
		ATTR(8, 1),
		BE32(4), /* NFTA_HOOK_HOOKNUM */
		ATTR(8, 2),
		BE32(100), /* NFTA_HOOK_PRIORITY */
		ATTR(8, 7),
		'n',
		'a',
		't',
		0, /* NFTA_CHAIN_TYPE */
		END,
	};
	struct nft_batch b;

	(void)state;
	nft_batch_init(&b, &nft, NULL);
	nft_add_table(&b);
	nft_add_chain(&b, &chain);
	commit(&b);
	assert_sent(want, sizeof(want));
}

static void a_map_of_verdicts(void **state)
{
	static const uint8_t want[] = {
		BEGIN,	     HEADER(76, NFT(9), CREATE_EXCL | WITH_ACK),
		NFGEN, /* NEWSET */
		ATTR(6, 1),  't',
		0,	     0,
		0, /* NFTA_SET_TABLE */
		ATTR(6, 2),  'm',
		0,	     0,
		0,		      /* NFTA_SET_NAME */
		ATTR(8, 3),  BE32(8), /* NFTA_SET_FLAGS: NFT_SET_MAP */
		ATTR(8, 4),  BE32(7), /* NFTA_SET_KEY_TYPE: ipv4_addr */
		ATTR(8, 5),  BE32(4), /* NFTA_SET_KEY_LEN */
		ATTR(8, 6),  BE32(0xffffff00), /* DATA_TYPE: verdict */
		ATTR(8, 10), 0,
		0,	     0,
		0, /* NFTA_SET_ID: see below */
		END,
	};
	struct nft_batch b;

	(void)state;
	nft_batch_init(&b, &nft, NULL);
	nft_add_set(&b, &map);
	commit(&b);
	memset(sent + 20 + 72, 0, 4); /* any number does */
	assert_sent(want, sizeof(want));
}

/* Without the byte order nft lists the names backwards. */

static void an_element_with_its_owner(void **state)
{
	struct nft_element element = { .target = "c", .comment = "me" };
	struct ip_addr address;
	static const uint8_t want[] = {
		BEGIN,
		HEADER(92, NFT(12), CREATE_EXCL | WITH_ACK),
		NFGEN,
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_SET_ELEM_LIST_TABLE */
		ATTR(6, 2),
		'm',
		0,
		0,
		0,		      /* NFTA_SET_ELEM_LIST_SET */
		ATTR(56, 3 | NESTED), /* NFTA_SET_ELEM_LIST_ELEMENTS */
		ATTR(52, 1 | NESTED), /* NFTA_LIST_ELEM */
		ATTR(12, 1 | NESTED), /* NFTA_SET_ELEM_KEY */
		ATTR(8, 1),
		10,
		1,
		0,
		2,		      /* NFTA_DATA_VALUE */
		ATTR(24, 2 | NESTED), /* NFTA_SET_ELEM_DATA */
		ATTR(20, 2 | NESTED), /* NFTA_DATA_VERDICT */
		ATTR(8, 1),
		BE32(0xfffffffc), /* NFT_GOTO, -4 */
		ATTR(6, 2),
		'c',
		0,
		0,
		0, /* NFTA_VERDICT_CHAIN */
		/* NFTA_SET_ELEM_USERDATA: type 0, 3 bytes, "me" */
		ATTR(9, 6),
		0,
		3,
		'm',
		'e',
		0,
		0,
		0,
		0,
		END,
	};
	struct nft_batch b;

	(void)state;
	ip_parse("10.1.0.2", &address);
	nft_value_add_ip(&element.key, &address);
	nft_batch_init(&b, &nft, NULL);
	nft_add_element(&b, &map, &element);
	commit(&b);
	assert_sent(want, sizeof(want));
}

static void a_deletion_bound_to_a_generation(void **state)
{
	const uint32_t generation = 0x01020304;
	struct nft_element element = { 0 };
	struct ip_addr address;
	static const uint8_t want[] = {
		HEADER(28, 16, 1),
		0,
		0,
		0,
		10,
		ATTR(8, 1),
		BE32(0x01020304), /* NFNL_BATCH_GENID */
		HEADER(56, NFT(14), 1 | WITH_ACK),
		NFGEN, /* DELSETELEM */
		ATTR(6, 1),
		't',
		0,
		0,
		0,
		ATTR(6, 2),
		'm',
		0,
		0,
		0,
		ATTR(20, 3 | NESTED),
		ATTR(16, 1 | NESTED),
		ATTR(12, 1 | NESTED),
		ATTR(8, 1),
		10,
		1,
		0,
		2,
		END,
	};
	struct nft_batch b;

	(void)state;
	ip_parse("10.1.0.2", &address);
	nft_value_add_ip(&element.key, &address);
	nft_batch_init(&b, &nft, &generation);
	nft_delete_element(&b, &map, &element);
	assert_true(netfilter.closes_late);
	commit(&b);
	assert_sent(want, sizeof(want));
}

/* ip daddr 10.1.0.0/24 return */
static void a_rule_that_returns_for_a_subnet(void **state)
{
	struct ip_prefix subnet;
	struct nftnl_rule *rule = nft_rule_new(&nft, "c");
	static const uint8_t want[] = {
		BEGIN,
		HEADER(332, NFT(6), 0xc01 | WITH_ACK),
		NFGEN, /* NEWRULE, APPEND */
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_RULE_TABLE */
		ATTR(6, 2),
		'c',
		0,
		0,
		0,		       /* NFTA_RULE_CHAIN */
		ATTR(296, 4 | NESTED), /* NFTA_RULE_EXPRESSIONS */
		/* meta load nfproto => reg 8, the first of 32 bits */
		ATTR(36, 1 | NESTED),
		ATTR(9, 1),
		'm',
		'e',
		't',
		'a',
		0,
		0,
		0,
		0,
		ATTR(20, 2 | NESTED),
		ATTR(8, 2),
		BE32(15),
		ATTR(8, 1),
		BE32(8),
		/* cmp eq reg 8 ipv4 */
		ATTR(44, 1 | NESTED),
		ATTR(8, 1),
		'c',
		'm',
		'p',
		0,
		ATTR(32, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(8, 2),
		BE32(0),
		ATTR(12, 3 | NESTED),
		ATTR(5, 1),
		2,
		0,
		0,
		0,
		/* payload load 4 bytes at network header + 16 => reg 8 */
		ATTR(52, 1 | NESTED),
		ATTR(12, 1),
		'p',
		'a',
		'y',
		'l',
		'o',
		'a',
		'd',
		0,
		ATTR(36, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(8, 2),
		BE32(1),
		ATTR(8, 3),
		BE32(16),
		ATTR(8, 4),
		BE32(4),
		/* bitwise reg 8 = reg 8 & 255.255.255.0 ^ 0 */
		ATTR(68, 1 | NESTED),
		ATTR(12, 1),
		'b',
		'i',
		't',
		'w',
		'i',
		's',
		'e',
		0,
		ATTR(52, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(8, 2),
		BE32(8),
		ATTR(8, 3),
		BE32(4),
		ATTR(12, 4 | NESTED),
		ATTR(8, 1),
		255,
		255,
		255,
		0,
		ATTR(12, 5 | NESTED),
		ATTR(8, 1),
		0,
		0,
		0,
		0,
		/* cmp eq reg 8 10.1.0.0 */
		ATTR(44, 1 | NESTED),
		ATTR(8, 1),
		'c',
		'm',
		'p',
		0,
		ATTR(32, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(8, 2),
		BE32(0),
		ATTR(12, 3 | NESTED),
		ATTR(8, 1),
		10,
		1,
		0,
		0,
		/* immediate reg 0 return */
		ATTR(48, 1 | NESTED),
		ATTR(14, 1),
		'i',
		'm',
		'm',
		'e',
		'd',
		'i',
		'a',
		't',
		'e',
		0,
		0,
		0,
		ATTR(28, 2 | NESTED),
		ATTR(8, 1),
		BE32(0),
		ATTR(16, 2 | NESTED),
		ATTR(12, 2 | NESTED),
		ATTR(8, 1),
		BE32(0xfffffffb), /* NFT_RETURN, -5 */
		END,
	};
	struct nft_batch b;

	(void)state;
	prefix_parse("10.1.0.7/24", &subnet);
	expr_daddr_in(rule, &subnet);
	expr_return(rule);
	nft_batch_init(&b, &nft, NULL);
	nft_add_rule(&b, rule, "c");
	commit(&b);
	assert_sent(want, sizeof(want));
}

static void a_rule_deleted_by_its_handle(void **state)
{
	const uint32_t generation = 0x01020304;
	static const uint8_t want[] = {
		HEADER(28, 16, 1),
		0,
		0,
		0,
		10,
		ATTR(8, 1),
		BE32(0x01020304), /* NFNL_BATCH_GENID */
		HEADER(48, NFT(8), 1 | WITH_ACK),
		NFGEN, /* DELRULE */
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_RULE_TABLE */
		ATTR(6, 2),
		'c',
		0,
		0,
		0, /* NFTA_RULE_CHAIN */
		ATTR(12, 3),
		BE32(1),
		BE32(2), /* NFTA_RULE_HANDLE */
		END,
	};
	struct nft_batch b;

	(void)state;
	netfilter.closes_late = false;
	nft_batch_init(&b, &nft, &generation);
	nft_delete_rule(&b, "c", 0x100000002);
	assert_true(netfilter.closes_late);
	commit(&b);
	assert_sent(want, sizeof(want));
}

static void a_set_of_interface_names(void **state)
{
	static const struct nft_set_spec names = { .name = "m",
						   .key = { NFT_TYPE_IFNAME } };
	static const uint8_t want[] = {
		BEGIN,
		HEADER(80, NFT(9), CREATE_EXCL | WITH_ACK),
		NFGEN, /* NEWSET */
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_SET_TABLE */
		ATTR(6, 2),
		'm',
		0,
		0,
		0, /* NFTA_SET_NAME */
		ATTR(8, 3),
		BE32(0), /* NFTA_SET_FLAGS */
		ATTR(8, 4),
		BE32(41), /* NFTA_SET_KEY_TYPE: ifname */
		ATTR(8, 5),
		BE32(16), /* NFTA_SET_KEY_LEN */
		ATTR(8, 10),
		0,
		0,
		0,
		0, /* NFTA_SET_ID: any number does */
		/* NFTA_SET_USERDATA: type 0, 4 bytes, host endian */
		ATTR(10, 13),
		0,
		4,
		U32(1),
		0,
		0,
		END,
	};
	struct nft_batch b;

	(void)state;
	nft_batch_init(&b, &nft, NULL);
	nft_add_set(&b, &names);
	commit(&b);
	memset(sent + 20 + 64, 0, 4);
	assert_sent(want, sizeof(want));
}

/* The userdata is what nft 1.0.6 sent for "typeof iifname . @nh,384,128". */
static void a_set_of_a_type_without_a_name(void **state)
{
	static const struct nft_set_spec set = {
		.name = "m",
		.key = { NFT_TYPE_IFNAME, NFT_TYPE_INTEGER },
		.nh_offset = 48,
	};
	static const uint8_t want[] = {
		BEGIN,
		HEADER(144, NFT(9), CREATE_EXCL | WITH_ACK),
		NFGEN, /* NEWSET */
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_SET_TABLE */
		ATTR(6, 2),
		'm',
		0,
		0,
		0, /* NFTA_SET_NAME */
		ATTR(8, 3),
		BE32(0), /* NFTA_SET_FLAGS */
		ATTR(8, 4),
		BE32(41 << 6 | 4), /* ifname, integer */
		ATTR(8, 5),
		BE32(32), /* NFTA_SET_KEY_LEN */
		ATTR(8, 10),
		0,
		0,
		0,
		0,	      /* NFTA_SET_ID: any number does */
		ATTR(76, 13), /* NFTA_SET_USERDATA, each a type and a length */
		0,
		4,
		U32(0), /* byte order */
		3,
		64,
		0,
		4,
		U32(13), /* a concatenation */
		1,
		56,
		0,
		14,
		0,
		4,
		U32(9), /* meta */
		1,
		6,
		0,
		4,
		U32(6), /* iifname */
		1,
		38,
		0,
		4,
		U32(7), /* payload */
		1,
		30,
		0,
		4,
		U32(0),
		1,
		4,
		U32(0),
		2,
		4,
		U32(2), /* network header */
		3,
		4,
		U32(384),
		4,
		4,
		U32(128),
		END,
	};
	struct nft_batch b;

	(void)state;
	nft_batch_init(&b, &nft, NULL);
	nft_add_set(&b, &set);
	commit(&b);
	memset(sent + 20 + 64, 0, 4);
	assert_sent(want, sizeof(want));
}

/* frag frag-off != 0 */
static void a_look_at_fragments(void **state)
{
	struct nftnl_rule *rule = nft_rule_new(&nft, "c");
	static const uint8_t want[] = {
		BEGIN,
		HEADER(212, NFT(6), 0xc01 | WITH_ACK),
		NFGEN,
		ATTR(6, 1),
		't',
		0,
		0,
		0, /* NFTA_RULE_TABLE */
		ATTR(6, 2),
		'c',
		0,
		0,
		0,		       /* NFTA_RULE_CHAIN */
		ATTR(176, 4 | NESTED), /* NFTA_RULE_EXPRESSIONS */
		/* exthdr load 2 bytes of header 44 at 2 => reg 8 */
		ATTR(60, 1 | NESTED),
		ATTR(11, 1),
		'e',
		'x',
		't',
		'h',
		'd',
		'r',
		0,
		0,
		ATTR(44, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(5, 2),
		44,
		0,
		0,
		0,
		ATTR(8, 3),
		BE32(2),
		ATTR(8, 4),
		BE32(2),
		ATTR(8, 6),
		BE32(0),
		/* bitwise reg 8 = reg 8 & 0xfff8 ^ 0 */
		ATTR(68, 1 | NESTED),
		ATTR(12, 1),
		'b',
		'i',
		't',
		'w',
		'i',
		's',
		'e',
		0,
		ATTR(52, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(8, 2),
		BE32(8),
		ATTR(8, 3),
		BE32(2),
		ATTR(12, 4 | NESTED),
		ATTR(6, 1),
		0xff,
		0xf8,
		0,
		0,
		ATTR(12, 5 | NESTED),
		ATTR(6, 1),
		0,
		0,
		0,
		0,
		/* cmp neq reg 8 0 */
		ATTR(44, 1 | NESTED),
		ATTR(8, 1),
		'c',
		'm',
		'p',
		0,
		ATTR(32, 2 | NESTED),
		ATTR(8, 1),
		BE32(8),
		ATTR(8, 2),
		BE32(1),
		ATTR(12, 3 | NESTED),
		ATTR(6, 1),
		0,
		0,
		0,
		0,
		END,
	};
	struct nft_batch b;

	(void)state;
	expr_later_fragment(rule);
	nft_batch_init(&b, &nft, NULL);
	nft_add_rule(&b, rule, "c");
	commit(&b);
	assert_sent(want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_and_a_nat_chain),
		cmocka_unit_test(a_map_of_verdicts),
		cmocka_unit_test(an_element_with_its_owner),
		cmocka_unit_test(a_deletion_bound_to_a_generation),
		cmocka_unit_test(a_rule_that_returns_for_a_subnet),
		cmocka_unit_test(a_rule_deleted_by_its_handle),
		cmocka_unit_test(a_set_of_interface_names),
		cmocka_unit_test(a_set_of_a_type_without_a_name),
		cmocka_unit_test(a_look_at_fragments),
	};

	return cmocka_run_group_tests_name("nft_batch", tests, open_netfilter,
					   close_netfilter);
}
