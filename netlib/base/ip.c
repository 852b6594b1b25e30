// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

size_t ip_size(uint8_t family)
{
	if (family == AF_INET)
		return 4;
	return family == AF_INET6 ? 16 : 0;
}

unsigned ip_bits(uint8_t family)
{
	return (unsigned)ip_size(family) * 8;
}

int ip_parse(const char *text, struct ip_addr *ret)
{
	struct ip_addr a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) == 1) {
		a.family = AF_INET;
	} else if (inet_pton(AF_INET6, text, a.bytes) == 1) {
		a.family = AF_INET6;
		if (!memcmp(a.bytes, v4_mapped, sizeof(v4_mapped))) {
			a.family = AF_INET;
			memmove(a.bytes, a.bytes + 12, 4);
			memset(a.bytes + 4, 0, 12);
		}
	} else {
		return -EINVAL;
	}
	*ret = a;
	return 0;
}

/* A length in decimal digits only: no sign, no space, at most @max. */
static int parse_length(const char *text, unsigned max, uint8_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long len;

	if (!digits || digits > 3 || text[digits])
		return -EINVAL;
	len = strtoul(text, NULL, 10);
	if (len > max)
		return -EINVAL;
	*ret = (uint8_t)len;
	return 0;
}

int prefix_parse(const char *text, struct ip_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char addr[IP_TEXT_MAX];
	struct ip_prefix p;
	unsigned mapped_bits = 0;
	uint8_t len;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (ip_parse(addr, &p.addr))
		return -EINVAL;
	/* "::ffff:10.0.0.0/104" counts its bits from the mapped address */
	if (p.addr.family == AF_INET && strchr(addr, ':'))
		mapped_bits = 96;
	if (parse_length(slash + 1, ip_bits(p.addr.family) + mapped_bits, &len))
		return -EINVAL;
	if (len < mapped_bits)
		return -EINVAL;
	p.len = (uint8_t)(len - mapped_bits);
	*ret = p;
	return 0;
}

int prefix_parse_lenient(const char *text, struct ip_prefix *ret)
{
	if (strchr(text, '/'))
		return prefix_parse(text, ret);
	if (ip_parse(text, &ret->addr))
		return -EINVAL;
	ret->len = (uint8_t)ip_bits(ret->addr.family);
	return 0;
}

const char *ip_text(const struct ip_addr *a, char buf[static IP_TEXT_MAX])
{
	static const uint8_t zeros[12];

	buf[0] = '\0';
	/* glibc writes ::/96 with a dotted quad; Go, and so the names of the
	 * files in an IPAM store, do not. */
	if (a->family == AF_INET6 && !memcmp(a->bytes, zeros, 12) &&
	    (a->bytes[12] || a->bytes[13]))
		snprintf(buf, IP_TEXT_MAX, "::%x:%x",
			 a->bytes[12] << 8 | a->bytes[13],
			 a->bytes[14] << 8 | a->bytes[15]);
	else if (a->family)
		inet_ntop(a->family, a->bytes, buf, IP_TEXT_MAX);
	return buf;
}

const char *prefix_text(const struct ip_prefix *p,
			char buf[static PREFIX_TEXT_MAX])
{
	size_t used = strlen(ip_text(&p->addr, buf));

	snprintf(buf + used, PREFIX_TEXT_MAX - used, "/%u", p->len);
	return buf;
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ip_compare(a, b) == 0;
}

bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_equal(&a->addr, &b->addr);
}

int ip_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, ip_size(a->family));
}

struct ip_addr ip_next(struct ip_addr a)
{
	for (size_t i = ip_size(a.family); i-- > 0;)
		if (++a.bytes[i])
			break;
	return a;
}

struct ip_addr ip_previous(struct ip_addr a)
{
	for (size_t i = ip_size(a.family); i-- > 0;)
		if (a.bytes[i]--)
			break;
	return a;
}

/* The host bits of byte @i of a prefix of @len bits. */
static uint8_t host_bits(unsigned len, size_t i)
{
	if (len >= (i + 1) * 8)
		return 0;
	if (len <= i * 8)
		return 0xff;
	return (uint8_t)(0xff >> (len - i * 8));
}

struct ip_addr prefix_first(const struct ip_prefix *p)
{
	struct ip_addr a = p->addr;

	for (size_t i = 0; i < ip_size(a.family); i++)
		a.bytes[i] &= (uint8_t)~host_bits(p->len, i);
	return a;
}

struct ip_addr prefix_last(const struct ip_prefix *p)
{
	struct ip_addr a = p->addr;

	for (size_t i = 0; i < ip_size(a.family); i++)
		a.bytes[i] |= host_bits(p->len, i);
	return a;
}

struct ip_prefix prefix_network(const struct ip_prefix *p)
{
	return (struct ip_prefix){ .addr = prefix_first(p), .len = p->len };
}

bool prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	struct ip_prefix other = { .addr = *a, .len = p->len };
	struct ip_addr net = prefix_first(p), other_net = prefix_first(&other);

	return ip_equal(&net, &other_net);
}

bool prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return prefix_contains(a, &b->addr) || prefix_contains(b, &a->addr);
}

bool prefix_is_default(const struct ip_prefix *p)
{
	struct ip_addr zero = { .family = p->addr.family };

	return p->addr.family && !p->len && ip_equal(&p->addr, &zero);
}

bool ip_is_loopback(const struct ip_addr *a)
{
	static const struct ip_addr v6 = { AF_INET6, { [15] = 1 } };

	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return ip_equal(a, &v6);
}

bool ip_is_link_local(const struct ip_addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

int mac_parse(const char *text, uint8_t ret[static MAC_LEN])
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (strlen(text) != MAC_TEXT_MAX - 1)
		return -EINVAL;
	for (size_t i = 0; i < MAC_LEN; i++) {
		const char *pair = text + i * 3;

		if (strspn(pair, hex) != 2)
			return -EINVAL;
		if (i + 1 < MAC_LEN && pair[2] != text[2])
			return -EINVAL;
		ret[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return text[2] == ':' || text[2] == '-' ? 0 : -EINVAL;
}

const char *mac_text(const uint8_t mac[static MAC_LEN],
		     char buf[static MAC_TEXT_MAX])
{
	snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		 mac[1], mac[2], mac[3], mac[4], mac[5]);
	return buf;
}
