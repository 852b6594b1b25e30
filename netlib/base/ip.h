// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IP addresses and prefixes: text as Go's net package reads and writes it
 * (which every CNI configuration and IPAM store was written with), and the
 * arithmetic that address pools need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT_MAX	48 /* an address with its NUL */
#define PREFIX_TEXT_MAX 52 /* an address, '/', three digits and NUL */
#define MAC_LEN		6
#define MAC_TEXT_MAX	18

struct ip_addr {
	uint8_t family;	   /* AF_INET, AF_INET6; 0 is "no address" */
	uint8_t bytes[16]; /* network order; 4 of them for AF_INET */
};

struct ip_prefix {
	struct ip_addr addr; /* host bits are kept */
	uint8_t len;	     /* bits of the network part */
};

/* Bytes (4 or 16) and bits of an address of the family; 0 for no family. */
size_t ip_size(uint8_t family);
unsigned ip_bits(uint8_t family);

/* Parse @text; an IPv4-mapped IPv6 address becomes IPv4, as in Go. Leading
 * zeros, zones and white space are refused. 0 or -EINVAL. */
int ip_parse(const char *text, struct ip_addr *ret);

/* "address/length"; 0 or -EINVAL. */
int prefix_parse(const char *text, struct ip_prefix *ret);

/* An address, with or without "/length" (then that of a host); 0 or -EINVAL. */
int prefix_parse_lenient(const char *text, struct ip_prefix *ret);

/* Write RFC 5952 text into @buf and return it. */
const char *ip_text(const struct ip_addr *a, char buf[static IP_TEXT_MAX]);
const char *prefix_text(const struct ip_prefix *p,
			char buf[static PREFIX_TEXT_MAX]);

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);

/* Order within a family, as memcmp(); IPv4 sorts before IPv6. */
int ip_compare(const struct ip_addr *a, const struct ip_addr *b);

/* @a plus or minus one; the address after the last is the first. */
struct ip_addr ip_next(struct ip_addr a);
struct ip_addr ip_previous(struct ip_addr a);

/* First and last address of the prefix (IPv4: network and broadcast). */
struct ip_addr prefix_first(const struct ip_prefix *p);
struct ip_addr prefix_last(const struct ip_prefix *p);

/* The prefix with its host bits cleared. */
struct ip_prefix prefix_network(const struct ip_prefix *p);

bool prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);
bool prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);

/* Whether @p is 0.0.0.0/0 or ::/0. */
bool prefix_is_default(const struct ip_prefix *p);

bool ip_is_loopback(const struct ip_addr *a);
bool ip_is_link_local(const struct ip_addr *a);

/* Six bytes written "aa:bb:.." or "aa-bb-.."; 0 or -EINVAL. */
int mac_parse(const char *text, uint8_t ret[static MAC_LEN]);
const char *mac_text(const uint8_t mac[static MAC_LEN],
		     char buf[static MAC_TEXT_MAX]);
