// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "service/iptables_rule.h"

/* What iptables-save 1.8.9 prints of these, both variants. */
static void test_words_are_quoted_as_iptables_save_does(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "-j", "-j" },
		{ "", "\"\"" },
		{ "p.x", "\"p.x\"" },
		{ "two words", "\"two words\"" },
		{ "a\"b\\c'd -j ACCEPT", "\"a\\\"b\\\\c\\'d -j ACCEPT\"" },
	};
	_arena_ struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(iptables_quote(cases[i][0], &a),
				    cases[i][1]);
}

static void test_words_that_iptables_cannot_be_given(void **state)
{
	char longest[IPTABLES_WORD_MAX + 1];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(iptables_check_word("a word", "a\nCOMMIT", &e),
			 -EINVAL);
	assert_string_equal(e.msg, "a word has a control character");
	assert_int_equal(iptables_check_word("a word", "a\rb", &e), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[IPTABLES_WORD_MAX] = '\0';
	assert_int_equal(iptables_check_word("a word", longest, &e), -EINVAL);
	longest[IPTABLES_WORD_MAX - 1] = '\0';
	assert_int_equal(iptables_check_word("a word", longest, &e), 0);
	assert_int_equal(iptables_check_word("a word", "-j \"ACCEPT\"", &e), 0);
}

static void test_names_of_chains(void **state)
{
	static const char *const good[] = { "X", "KUBE-MARK-MASQ", "a.b:c",
					    "1234567890123456789012345678" };
	static const char *const bad[] = {
		"",	"-j",  "!x",   "a b",	"a\nb",
		"a\"b", "a'b", "a\\b", "a\x7f", "12345678901234567890123456789"
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(iptables_check_chain("it", good[i], &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(iptables_check_chain("it", bad[i], &e),
				 -EINVAL);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "it: "));
	}
}

static void test_names_of_interfaces(void **state)
{
	static const char *const bad[] = {
		"", "br+", "+", "!br", "-i", "a b", "1234567890123456"
	};
	struct err e = { 0 };

	(void)state;
	assert_int_equal(iptables_check_interface("it", "br-a.5@x", &e), 0);
	assert_int_equal(iptables_check_interface("it", "b+r", &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(iptables_check_interface("it", bad[i], &e),
				 -EINVAL);
}

static void assert_option(const char *rule, const char *option,
			  const char *expected)
{
	char word[IPTABLES_WORD_MAX];

	assert_int_equal(iptables_option(rule, option, word), expected != NULL);
	if (expected)
		assert_string_equal(word, expected);
}

static void test_options_of_a_rule(void **state)
{
	const char *rule = "-s 10.1.0.2/32 ! -o \"a b\" -p tcp -m comment "
			   "--comment \"x -j \\\"A\\\" \\\\\" --dport 80 -j B";

	(void)state;
	assert_option(rule, "-s", "10.1.0.2/32");
	assert_option(rule, "-o", "a b");
	assert_option(rule, "--dport", "80");
	assert_option(rule, "-j", "B");
	assert_option(rule, "--comment", "x -j \"A\" \\");
	assert_option(rule, "-d", NULL);
	assert_option("-m comment --comment -j -j RETURN", "-j", "RETURN");
	assert_option("-m comment --comment", "--comment", NULL);
	assert_option("", "-j", NULL);
	assert_option("-m comment --comment \"no end", "--comment", "no end");
}

static void assert_match(const char *p, const char *expected)
{
	const struct ip_prefix address = prefix(p);

	assert_string_equal(iptables_match("-d", &address).text, expected);
}

static void test_addresses(void **state)
{
	const struct ip_addr v6 = ip("2001:db8::1");

	(void)state;
	assert_match("10.1.0.2/24", "-d 10.1.0.0/24 ");
	assert_match("10.1.0.2/32", "-d 10.1.0.2/32 ");
	assert_match("0.0.0.0/0", "");
	assert_match("fd00:1::2/64", "-d fd00:1::/64 ");
	assert_match("1111:2222:3333:4444:5555:6666:7777:8888/128",
		     "-d 1111:2222:3333:4444:5555:6666:7777:8888/128 ");
	assert_string_equal(iptables_match_host("! -s", &v6).text,
			    "! -s 2001:db8::1/128 ");
}

static void test_comments_say_whose_the_rule_is(void **state)
{
	const struct owner owner = { "n1", "c1", "eth0" };
	_arena_ struct arena a = { 0 };
	const char *masq = iptables_comment("", &owner, &a),
		   *dnat = iptables_comment("dnat ", &owner, &a);

	(void)state;
	assert_string_equal(
		masq,
		"-m comment --comment \"name: \\\"n1\\\" id: \\\"c1\\\"\"");
	assert_string_equal(
		dnat,
		"-m comment --comment \"dnat name: \\\"n1\\\" id: \\\"c1\\\"\"");
	assert_true(iptables_comment_is_of(masq, "", "n1"));
	assert_false(iptables_comment_is_of(masq, "", "n"));
	assert_false(iptables_comment_is_of(masq, "", "n11"));
	assert_false(iptables_comment_is_of(masq, "dnat ", "n1"));
	assert_false(iptables_comment_is_of(dnat, "", "n1"));
	assert_true(iptables_comment_is_of(dnat, "dnat ", "n1"));
	assert_false(iptables_comment_is_of("-j RETURN", "", "n1"));
}

/* Of the 253 bytes and three dots of the reference the kernel keeps 255. */
static void test_long_comments_are_cut_as_the_reference_does(void **state)
{
	char id[301], expected[400], comment[IPTABLES_WORD_MAX];
	const struct owner owner = { "n1", id, "eth0" };
	_arena_ struct arena a = { 0 };
	const char *rule;

	(void)state;
	memset(id, 'x', 300);
	id[300] = '\0';
	rule = iptables_comment("dnat ", &owner, &a);
	snprintf(expected, sizeof(expected), "dnat name: \"n1\" id: \"%s", id);
	strcpy(expected + 253, "..");
	assert_true(iptables_option(rule, "--comment", comment));
	assert_int_equal(strlen(comment), 255);
	assert_string_equal(comment, expected);
	assert_true(iptables_comment_is_of(rule, "dnat ", "n1"));
	id[255 - strlen("name: \"n1\" id: \"\"")] = '\0';
	rule = iptables_comment("", &owner, &a);
	assert_true(iptables_option(rule, "--comment", comment));
	assert_int_equal(strlen(comment), 255);
	assert_non_null(strstr(comment, "xx\""));
}

static void test_hostile_owners_stay_in_their_comment(void **state)
{
	const struct owner owner = { "n\" -j ACCEPT\n", "c\\\"'", "eth0" };
	_arena_ struct arena a = { 0 };
	char comment[IPTABLES_WORD_MAX], word[IPTABLES_WORD_MAX];
	const char *rule = iptables_comment("", &owner, &a);

	(void)state;
	assert_null(strchr(rule, '\n'));
	assert_true(iptables_option(rule, "--comment", comment));
	assert_string_equal(comment,
			    "name: \"n\\\" -j ACCEPT?\" id: \"c\\\\\\\"'\"");
	assert_false(iptables_option(rule, "-j", word));
}

/* The reference's own test vectors (pkg/utils, plugins/meta/portmap). */
static void test_names_of_chains_follow_from_the_owner(void **state)
{
	const struct owner owner = { "test", "1234", "eth0" };
	const struct owner n1 = { "n1", "c1", "eth0" };

	(void)state;
	assert_string_equal(iptables_chain_name("CNI-", &owner).text,
			    "CNI-2bbe0c48b91a7d1b8a6753a8");
	assert_string_equal(iptables_chain_name("CNI-DN-", &n1).text,
			    "CNI-DN-7be53730afe4dc6eb2178");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_quoted_as_iptables_save_does),
		cmocka_unit_test(test_words_that_iptables_cannot_be_given),
		cmocka_unit_test(test_names_of_chains),
		cmocka_unit_test(test_names_of_interfaces),
		cmocka_unit_test(test_options_of_a_rule),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_comments_say_whose_the_rule_is),
		cmocka_unit_test(
			test_long_comments_are_cut_as_the_reference_does),
		cmocka_unit_test(test_hostile_owners_stay_in_their_comment),
		cmocka_unit_test(test_names_of_chains_follow_from_the_owner),
	};

	return RUN(tests);
}
