// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft_value.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define TYPE_BITS 6 /* of each type in a concatenation's number */

enum nft_datatype nft_address_type(uint8_t family)
{
	return family == AF_INET ? NFT_TYPE_IPV4_ADDR : NFT_TYPE_IPV6_ADDR;
}

static uint32_t type_len(enum nft_datatype type)
{
	switch (type) {
	case NFT_TYPE_IPV6_ADDR:
		return sizeof(struct in6_addr);
	case NFT_TYPE_IFNAME:
		return IFNAMSIZ;
	case NFT_TYPE_ETHER_ADDR:
		return MAC_LEN;
	case NFT_TYPE_INET_SERVICE:
		return sizeof(uint16_t);
	case NFT_TYPE_INET_PROTO:
		return sizeof(uint8_t);
	case NFT_TYPE_IPV4_ADDR:
	case NFT_TYPE_END:
		break;
	}
	return sizeof(uint32_t);
}

static uint32_t filled_up(uint32_t len)
{
	return (len + 3) & ~3U;
}

/* A type that stands alone has its own length, parts of a concatenation are
 * filled up. */
uint32_t nft_types_len(const enum nft_datatype *types)
{
	uint32_t len = 0;

	if (!types[1])
		return type_len(types[0]);
	for (; *types; types++)
		len += filled_up(type_len(*types));
	return len;
}

uint32_t nft_types_id(const enum nft_datatype *types)
{
	uint32_t id = 0;

	for (; *types; types++)
		id = id << TYPE_BITS | *types;
	return id;
}

void nft_value_add(struct nft_value *v, const void *part, size_t len)
{
	uint32_t start = filled_up(v->len);

	if (start + len > sizeof(v->bytes))
		return;
	memset(v->bytes + v->len, 0, sizeof(v->bytes) - v->len);
	memcpy(v->bytes + start, part, len);
	v->len = start ? start + filled_up((uint32_t)len) : (uint32_t)len;
}

void nft_value_add_ip(struct nft_value *v, const struct ip_addr *addr)
{
	nft_value_add(v, addr->bytes, ip_size(addr->family));
}

void nft_value_add_port(struct nft_value *v, uint16_t port)
{
	const uint16_t value = htons(port);

	nft_value_add(v, &value, sizeof(value));
}

void nft_value_add_ifname(struct nft_value *v, const char *ifname)
{
	char name[IFNAMSIZ] = { 0 };

	memcpy(name, ifname, strnlen(ifname, sizeof(name) - 1));
	nft_value_add(v, name, sizeof(name));
}

bool nft_value_equal(const struct nft_value *a, const struct nft_value *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}
