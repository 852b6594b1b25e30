// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules are what iptables-save prints after the reference's portmap 1.9.1
 * has added the same ports for network n1, container c1, at 10.1.0.2/24 and
 * fd00:1::2/64. */
#include "iptables.h"

#include <netinet/in.h>

#include "service/hostport_iptables.h"

#define CHAIN "CNI-DN-7be53730afe4dc6eb2178"
#define OWNER(id) \
	"-m comment --comment \"dnat name: \\\"n1\\\" id: \\\"" id "\\\"\""
#define SHARED                                                              \
	"-N CNI-HOSTPORT-DNAT\n"                                            \
	"-N CNI-HOSTPORT-SETMARK\n"                                         \
	"-A CNI-HOSTPORT-SETMARK -m comment --comment "                     \
	"\"CNI portfwd masquerade mark\" -j MARK "                          \
	"--set-xmark 0x2000/0x2000\n"                                       \
	"-N CNI-HOSTPORT-MASQ\n"                                            \
	"-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE\n" \
	"-I POSTROUTING -m comment --comment "                              \
	"\"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ\n" JUMPS
#define JUMPS                                                               \
	"-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n" \
	"-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n"
#define OWN_RULES                                                 \
	"-A " CHAIN " -s 10.1.0.0/24 -p tcp -m tcp --dport 8080"  \
	" -j CNI-HOSTPORT-SETMARK\n"                              \
	"-A " CHAIN " -s 127.0.0.1/32 -p tcp -m tcp --dport 8080" \
	" -j CNI-HOSTPORT-SETMARK\n"                              \
	"-A " CHAIN " -p tcp -m tcp --dport 8080"                 \
	" -j DNAT --to-destination 10.1.0.2:80\n"
#define ENTRY                                                    \
	"CNI-HOSTPORT-DNAT -p tcp " OWNER("c1") " -m multiport " \
						"--dports 8080 -j " CHAIN "\n"
#define ADDED                                                                   \
	"*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"                \
	":POSTROUTING ACCEPT [0:0]\n:" CHAIN " - [0:0]\n"                       \
	":CNI-HOSTPORT-DNAT - [0:0]\n:CNI-HOSTPORT-MASQ - [0:0]\n"              \
	":CNI-HOSTPORT-SETMARK - [0:0]\n" JUMPS                                 \
	"-A POSTROUTING -m comment --comment "                                  \
	"\"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ\n" OWN_RULES \
	"-A " ENTRY                                                             \
	"-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE\n"     \
	"-A CNI-HOSTPORT-SETMARK -m comment --comment "                         \
	"\"CNI portfwd masquerade mark\" -j MARK "                              \
	"--set-xmark 0x2000/0x2000\nCOMMIT\n"

static const struct owner c1 = { "n1", "c1", "eth0" };
static const struct owner c2 = { "n1", "c2", "eth0" };

static struct hostports ports(struct hostport *v, size_t n)
{
	struct hostports hp = { .snat = true, .mark = 0x2000 };

	hp.ports.v = v;
	hp.ports.n = n;
	hp.v4 = prefix("10.1.0.2/24");
	hp.v6 = prefix("fd00:1::2/64");
	return hp;
}

static struct hostport tcp(uint16_t host_port, uint16_t container_port)
{
	return (struct hostport){ .host_port = host_port,
				  .container_port = container_port,
				  .protocol = IPPROTO_TCP };
}

static void expect(iptables_plan *plan, const struct hostports *hp,
		   uint8_t family, const char *saved, const char *expected)
{
	const struct hostport_iptables h = { &c1, hp };

	assert_plan(plan, &h, family, "nat", saved, expected);
}

static void assert_refused(const struct owner *owner,
			   const struct hostports *hp, const char *saved, int r,
			   const char *msg)
{
	const struct hostport_iptables h = { owner, hp };
	char text[8192];
	struct err e = { 0 };

	assert_int_equal(try_plan(hostport_iptables_plan_add, &h, AF_INET,
				  "nat", saved, text, &e),
			 r);
	assert_string_equal(text, "");
	if (!strstr(e.msg, msg))
		fail_msg("\"%s\" is not in: %s", msg, e.msg);
}

static void test_add(void **state)
{
	struct hostport v[] = { tcp(8080, 80) };
	const struct hostports hp = ports(v, 1);

	(void)state;
	expect(hostport_iptables_plan_add, &hp, AF_INET, EMPTY_NAT,
	       "*nat\n" SHARED "-N " CHAIN "\n" OWN_RULES "-A " ENTRY
	       "COMMIT\n");
	expect(hostport_iptables_plan_add, &hp, AF_INET, ADDED, "");
	expect(hostport_iptables_plan_add, &hp, AF_INET6, EMPTY_NAT,
	       "*nat\n" SHARED "-N " CHAIN "\n"
	       "-A " CHAIN " -s fd00:1::/64 -p tcp -m tcp --dport 8080"
	       " -j CNI-HOSTPORT-SETMARK\n"
	       "-A " CHAIN " -p tcp -m tcp --dport 8080"
	       " -j DNAT --to-destination [fd00:1::2]:80\n"
	       "-A " ENTRY "COMMIT\n");
}

static void test_add_again_replaces(void **state)
{
	struct hostport v[] = { tcp(8081, 80) };
	struct hostports hp = ports(v, 1);

	(void)state;
	hp.snat = false;
	expect(hostport_iptables_plan_add, &hp, AF_INET, ADDED,
	       "*nat\n-F " CHAIN "\n"
	       "-A " CHAIN " -p tcp -m tcp --dport 8081"
	       " -j DNAT --to-destination 10.1.0.2:80\n"
	       "-D " ENTRY "-A CNI-HOSTPORT-DNAT -p tcp " OWNER(
		       "c1") " -m multiport --dports 8081 -j " CHAIN
			     "\nCOMMIT\n");
}

static void test_everything_masqueraded_with_another_mark(void **state)
{
	struct hostport v[] = { tcp(90, 9) };
	struct hostports hp = ports(v, 1);

	(void)state;
	hp.masq_all = true;
	hp.mark = 0x20;
	expect(hostport_iptables_plan_add, &hp, AF_INET, ADDED,
	       "*nat\n"
	       "-A CNI-HOSTPORT-SETMARK -m comment --comment "
	       "\"CNI portfwd masquerade mark\" -j MARK --set-xmark 0x20/0x20\n"
	       "-A CNI-HOSTPORT-MASQ -m mark --mark 0x20/0x20 -j MASQUERADE\n"
	       "-F " CHAIN "\n"
	       "-A " CHAIN " -p tcp -m tcp --dport 90"
	       " -j CNI-HOSTPORT-SETMARK\n"
	       "-A " CHAIN " -p tcp -m tcp --dport 90"
	       " -j DNAT --to-destination 10.1.0.2:9\n"
	       "-D " ENTRY "-A CNI-HOSTPORT-DNAT -p tcp " OWNER(
		       "c1") " -m multiport --dports 90 -j " CHAIN
			     "\nCOMMIT\n");
}

static void test_somebody_else_sets_the_mark(void **state)
{
	struct hostport v[] = { tcp(90, 9) };
	struct hostports hp = ports(v, 1);

	(void)state;
	hp.set_mark_chain = "KUBE-MARK-MASQ";
	expect(hostport_iptables_plan_add, &hp, AF_INET, EMPTY_NAT,
	       "*nat\n-N CNI-HOSTPORT-DNAT\n" JUMPS "-N " CHAIN "\n"
	       "-A " CHAIN " -s 10.1.0.0/24 -p tcp -m tcp --dport 90"
	       " -j KUBE-MARK-MASQ\n"
	       "-A " CHAIN " -s 127.0.0.1/32 -p tcp -m tcp --dport 90"
	       " -j KUBE-MARK-MASQ\n"
	       "-A " CHAIN " -p tcp -m tcp --dport 90"
	       " -j DNAT --to-destination 10.1.0.2:9\n"
	       "-A CNI-HOSTPORT-DNAT -p tcp " OWNER(
		       "c1") " -m multiport --dports 90 -j " CHAIN
			     "\nCOMMIT\n");
}

/* As with the reference the entries have the ports of both families. */
static void test_addresses_of_the_host_choose_the_family(void **state)
{
	struct hostport v[] = {
		{ ip("192.0.2.1"), 53, 53, IPPROTO_UDP },
		{ ip("0.0.0.0"), 54, 54, IPPROTO_SCTP },
		{ ip("2001:db8::1"), 55, 54, IPPROTO_UDP },
	};
	struct hostports hp = ports(v, 3);

	(void)state;
	hp.snat = false;
	expect(hostport_iptables_plan_add, &hp, AF_INET, EMPTY_NAT,
	       "*nat\n-N CNI-HOSTPORT-DNAT\n" JUMPS "-N " CHAIN "\n"
	       "-A " CHAIN " -d 192.0.2.1/32 -p udp -m udp --dport 53"
	       " -j DNAT --to-destination 10.1.0.2:53\n"
	       "-A " CHAIN " -p sctp -m sctp --dport 54"
	       " -j DNAT --to-destination 10.1.0.2:54\n"
	       "-A CNI-HOSTPORT-DNAT -p sctp " OWNER(
		       "c1") " -m multiport --dports 54 -j " CHAIN "\n"
			     "-A CNI-HOSTPORT-DNAT -p udp " OWNER(
				     "c1") " -m multiport --dports 53,55 -j " CHAIN
					   "\nCOMMIT\n");
	expect(hostport_iptables_plan_add, &hp, AF_INET6, EMPTY_NAT,
	       "*nat\n-N CNI-HOSTPORT-DNAT\n" JUMPS "-N " CHAIN "\n"
	       "-A " CHAIN " -d 2001:db8::1/128 -p udp -m udp --dport 55"
	       " -j DNAT --to-destination [fd00:1::2]:54\n"
	       "-A CNI-HOSTPORT-DNAT -p sctp " OWNER(
		       "c1") " -m multiport --dports 54 -j " CHAIN "\n"
			     "-A CNI-HOSTPORT-DNAT -p udp " OWNER(
				     "c1") " -m multiport --dports 53,55 -j " CHAIN
					   "\nCOMMIT\n");
}

/* As many as the match "multiport" takes go into one entry. */
static void test_fifteen_ports_to_an_entry(void **state)
{
	struct hostport v[17];
	const struct hostports hp = ports(v, ARRAY_SIZE(v));
	const struct hostport_iptables h = { &c1, &hp };
	char text[8192];
	struct err e;

	(void)state;
	for (uint16_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = tcp((uint16_t)(65519 + i), 80);
	assert_int_equal(try_plan(hostport_iptables_plan_add, &h, AF_INET,
				  "nat", EMPTY_NAT, text, &e),
			 0);
	assert_non_null(strstr(
		text,
		" -m multiport --dports 65519,65520,65521,65522,65523,65524,"
		"65525,65526,65527,65528,65529,65530,65531,65532,65533 -j "));
	assert_non_null(strstr(text, " -m multiport --dports 65534,65535 -j "));
}

/* They come last, in any words; iptables puts them in its own order. */
static void test_conditions(void **state)
{
	const char *words[] = { "!", "-s", "10.0.0.0/8", "it's\"x\"" };
	struct hostport v[] = { tcp(8080, 80) };
	struct hostports hp = ports(v, 1);

	(void)state;
	hp.conditions4.v = words;
	hp.conditions4.n = ARRAY_SIZE(words);
	expect(hostport_iptables_plan_add, &hp, AF_INET, ADDED,
	       "*nat\n-D " ENTRY "-A CNI-HOSTPORT-DNAT -p tcp " OWNER(
		       "c1") " -m multiport --dports 8080 \"!\" -s \"10.0.0.0/8\" "
			     "\"it\\'s\\\"x\\\"\" -j " CHAIN "\nCOMMIT\n");
	expect(hostport_iptables_plan_check, &hp, AF_INET, ADDED, "");
}

static void test_conditions_that_would_be_more_than_that(void **state)
{
	static const char *const bad[] = {
		"-j",	  "--jump",	   "--j",   "-g",	 "--goto",
		"-M",	  "--modprobe=/x", "--mod", "-t",	 "--table",
		"-A",	  "-jACCEPT",	   "-vM/x", "a\nCOMMIT", "--=",
		"--help", "--version",	   "a b",
	};
	static const char *const good[] = { "-s",    "!", "--mode", "--dst",
					    "--pol", "-", "j",	    "-m" };
	struct hostport v[] = { tcp(8080, 80) };
	struct hostports hp = ports(v, 1);
	const char *word;
	char text[8192];

	(void)state;
	hp.conditions4.v = &word;
	hp.conditions4.n = 1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		word = bad[i];
		assert_refused(&c1, &hp, EMPTY_NAT, -EINVAL, "a condition");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct hostport_iptables h = { &c1, &hp };

		word = good[i];
		assert_int_equal(try_plan(hostport_iptables_plan_add, &h,
					  AF_INET, "nat", EMPTY_NAT, text,
					  NULL),
				 0);
	}
}

static void test_other_words_of_a_configuration(void **state)
{
	struct hostport v[] = { tcp(8080, 80) };
	struct hostports hp = ports(v, 1);

	(void)state;
	hp.set_mark_chain = "X\n-A INPUT -j DROP";
	assert_refused(&c1, &hp, EMPTY_NAT, -EINVAL, "externalSetMarkChain");
	hp.set_mark_chain = NULL;
	v[0].protocol = IPPROTO_ICMP;
	assert_refused(&c1, &hp, EMPTY_NAT, -EINVAL,
		       "host port 8080: protocol 1");
}

static void test_a_port_that_another_container_has(void **state)
{
	struct hostport v[] = { tcp(8081, 80), tcp(8080, 81) };
	struct hostports hp = ports(v, 2);
	const struct hostport_iptables h = { &c2, &hp };
	char text[8192];
	struct err e;

	(void)state;
	assert_refused(&c2, &hp, ADDED, -EADDRINUSE,
		       "host port 8080/tcp is taken by container "
		       "name: \"n1\" id: \"c1\"");
	v[1].host_ip = ip("192.0.2.1"); /* c1's is for all addresses */
	assert_refused(&c2, &hp, ADDED, -EADDRINUSE,
		       "host port 8080/tcp of 192.0.2.1 is taken");
	v[1].host_ip = ip("::1");
	assert_int_equal(try_plan(hostport_iptables_plan_add, &h, AF_INET,
				  "nat", ADDED, text, &e),
			 0);
	v[1] = tcp(8080, 81);
	v[1].protocol = IPPROTO_UDP;
	assert_int_equal(try_plan(hostport_iptables_plan_add, &h, AF_INET,
				  "nat", ADDED, text, &e),
			 0);
}

#define HELD(id, host)                                                \
	"*nat\n:CNI-HOSTPORT-DNAT - [0:0]\n:CNI-DN-x - [0:0]\n"       \
	"-A CNI-DN-x -d " host " -p tcp -m tcp --dport 8080 -j DNAT " \
	"--to-destination 10.1.0.9:80\n" id "COMMIT\n"
#define HOLDER                                \
	"-A CNI-HOSTPORT-DNAT -p tcp " OWNER( \
		"c9") " -m multiport "        \
		      "--dports 8080 -j CNI-DN-x\n"

/* Another address of the host is free, and a chain that nothing goes to holds
 * nothing. */
static void test_a_port_of_one_address(void **state)
{
	struct hostport v[] = { tcp(8080, 80) };
	const struct hostports hp = ports(v, 1);
	const struct hostport_iptables h = { &c1, &hp };
	char text[8192];
	struct err e;

	(void)state;
	assert_refused(&c1, &hp, HELD(HOLDER, "192.0.2.1/32"), -EADDRINUSE,
		       "id: \"c9\"");
	v[0].host_ip = ip("192.0.2.1");
	assert_refused(&c1, &hp, HELD(HOLDER, "192.0.2.1/32"), -EADDRINUSE,
		       "id: \"c9\"");
	assert_int_equal(try_plan(hostport_iptables_plan_add, &h, AF_INET,
				  "nat", HELD(HOLDER, "192.0.2.2/32"), text,
				  &e),
			 0);
	assert_int_equal(try_plan(hostport_iptables_plan_add, &h, AF_INET,
				  "nat", HELD("", "192.0.2.1/32"), text, &e),
			 0);
}

static void test_del(void **state)
{
	(void)state;
	expect(hostport_iptables_plan_del, NULL, AF_INET, EMPTY_NAT, "");
	expect(hostport_iptables_plan_del, NULL, AF_INET, ADDED,
	       "*nat\n-D " ENTRY "-F " CHAIN "\n-X " CHAIN "\nCOMMIT\n");
	expect(hostport_iptables_plan_del, NULL, AF_INET,
	       "*nat\n:CNI-HOSTPORT-SNAT - [0:0]\n"
	       ":CNI-SN-7be53730afe4dc6eb2178 - [0:0]\n"
	       "-A CNI-HOSTPORT-SNAT -j CNI-SN-7be53730afe4dc6eb2178\nCOMMIT\n",
	       "*nat\n-D CNI-HOSTPORT-SNAT -j CNI-SN-7be53730afe4dc6eb2178\n"
	       "-X CNI-SN-7be53730afe4dc6eb2178\nCOMMIT\n");
}

static void test_check_names_the_rule(void **state)
{
	struct hostport v[] = { tcp(8080, 80) };
	struct hostports hp = ports(v, 1);
	const struct hostport_iptables h = { &c1, &hp };
	char text[8192];
	struct err e;

	(void)state;
	expect(hostport_iptables_plan_check, &hp, AF_INET, ADDED, "");
	assert_int_equal(try_plan(hostport_iptables_plan_check, &h, AF_INET,
				  "nat", EMPTY_NAT, text, &e),
			 -ENOENT);
	assert_int_equal(e.code, ERR_MISMATCH);
	assert_non_null(strstr(e.msg, "CNI-HOSTPORT-SETMARK"));
	v[0].host_port = 8081;
	assert_int_equal(try_plan(hostport_iptables_plan_check, &h, AF_INET,
				  "nat", ADDED, text, &e),
			 -ENOENT);
	assert_non_null(strstr(e.msg, CHAIN));
	assert_non_null(strstr(e.msg, "--dport 8081"));
}

static void test_gc_takes_this_networks_stale_ones(void **state)
{
	const struct iptables_valid none = { "n1", NULL, 0 },
				    same = { "n1", &c1, 1 },
				    other = { "n1", &c2, 1 },
				    n2 = { "n2", NULL, 0 };
	const char *deleted =
		"*nat\n-D " ENTRY "-F " CHAIN "\n-X " CHAIN "\nCOMMIT\n";

	(void)state;
	assert_plan(hostport_iptables_plan_gc, &none, AF_INET, "nat", ADDED,
		    deleted);
	assert_plan(hostport_iptables_plan_gc, &other, AF_INET, "nat", ADDED,
		    deleted);
	assert_plan(hostport_iptables_plan_gc, &same, AF_INET, "nat", ADDED,
		    "");
	assert_plan(hostport_iptables_plan_gc, &n2, AF_INET, "nat", ADDED, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_again_replaces),
		cmocka_unit_test(test_everything_masqueraded_with_another_mark),
		cmocka_unit_test(test_somebody_else_sets_the_mark),
		cmocka_unit_test(test_addresses_of_the_host_choose_the_family),
		cmocka_unit_test(test_fifteen_ports_to_an_entry),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_conditions_that_would_be_more_than_that),
		cmocka_unit_test(test_other_words_of_a_configuration),
		cmocka_unit_test(test_a_port_that_another_container_has),
		cmocka_unit_test(test_a_port_of_one_address),
		cmocka_unit_test(test_del),
		cmocka_unit_test(test_check_names_the_rule),
		cmocka_unit_test(test_gc_takes_this_networks_stale_ones),
	};

	return RUN(tests);
}
