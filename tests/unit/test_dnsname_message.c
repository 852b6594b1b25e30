// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "meta/dnsname/message.h"

#define ID 0x1234

/* The address of "web", as dnsmasq answers: the name is a pointer to the
 * question's. */
static const uint8_t answer[] = {
	0x12, 0x34, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0,	 /* header */
	3,    'w',  'e',  'b',	0, 0, 1, 0, 1,		 /* question */
	0xc0, 12,   0,	  28,	0, 1, 0, 0, 0, 0, 0, 16, /* AAAA */
	0xfd, 0,    0,	  0,	0, 0, 0, 0, 0, 0, 0, 0,	 0,  0, 0, 7,
	0xc0, 12,   0,	  1,	0, 1, 0, 0, 0, 0, 0, 4,	 10, 1, 0, 7, /* A */
};

static struct ip_addr address(const char *text)
{
	struct ip_addr addr = { .family = strchr(text, ':') ? AF_INET6
							    : AF_INET };

	assert_int_equal(inet_pton(addr.family, text, addr.bytes), 1);
	return addr;
}

static int read_all(const char *text, uint16_t id, const uint8_t *packet,
		    size_t len, bool *ret)
{
	const struct ip_addr addr = address(text);

	return dns_message_read(packet, len, id, &addr, ret);
}

static void test_question(void **state)
{
	static const uint8_t expected[] = { 0x12, 0x34, 0, 0, 0,  1, 0,
					    0,	  0,	0, 0, 0,  3, 'w',
					    'e',  'b',	0, 0, 28, 0, 1 };
	const struct ip_addr addr = address("fd00::7");
	uint8_t packet[NS_PACKETSZ];
	char name[300];

	(void)state;
	assert_int_equal(dns_message_write(ID, "web", &addr, packet),
			 sizeof(expected));
	assert_memory_equal(packet, expected, sizeof(expected));
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(dns_message_write(ID, name, &addr, packet), 0);
}

static void test_answer(void **state)
{
	bool has;

	(void)state;
	assert_int_equal(read_all("10.1.0.7", ID, answer, sizeof(answer), &has),
			 0);
	assert_true(has);
	assert_int_equal(read_all("fd00::7", ID, answer, sizeof(answer), &has),
			 0);
	assert_true(has);
	assert_int_equal(read_all("10.1.0.8", ID, answer, sizeof(answer), &has),
			 0);
	assert_false(has);
	assert_int_equal(read_all("10.1.0.7", 1, answer, sizeof(answer), &has),
			 -EBADMSG);
}

static void test_truncated_says_nothing_against_it(void **state)
{
	uint8_t packet[sizeof(answer)];
	bool has;

	(void)state;
	memcpy(packet, answer, sizeof(packet));
	packet[2] |= 0x02;
	packet[7] = 0;
	assert_int_equal(read_all("10.1.0.7", ID, packet, sizeof(packet), &has),
			 0);
	assert_true(has);
}

/* Each in memory of its own, where a sanitizer sees the end. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(answer); len++) {
		_free_ uint8_t *packet = malloc(len ? len : 1);
		bool has = false;

		memcpy(packet, answer, len);
		if (!read_all("10.1.0.7", ID, packet, len, &has))
			assert_false(has);
	}
}

static void test_any_byte_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answer); i++) {
		_free_ uint8_t *packet = malloc(sizeof(answer));
		bool has;

		memcpy(packet, answer, sizeof(answer));
		packet[i] = 0xff;
		read_all("10.1.0.7", ID, packet, sizeof(answer), &has);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_truncated_says_nothing_against_it),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_any_byte_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
