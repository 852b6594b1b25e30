// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft_expr.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

/* A new expression at the end of the rule. libnftnl's setters end the process
 * on a wrong attribute, so none comes from outside. */
static struct nftnl_expr *append(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *x = r ? nftnl_expr_alloc(name) : NULL;

	if (x)
		nftnl_rule_add_expr(r, x);
	return x;
}

static void compare(struct nftnl_rule *r, const void *value, size_t len)
{
	struct nftnl_expr *x = append(r, "cmp");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, value, (uint32_t)len);
}

/* meta nfproto FAMILY: in an inet table both families pass */
static void match_family(struct nftnl_rule *r, uint8_t family)
{
	const uint8_t protocol =
		family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	struct nftnl_expr *x = append(r, "meta");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, NFT_META_NFPROTO);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, NFT_REG_1);
	compare(r, &protocol, sizeof(protocol));
}

static void load_network_header(struct nftnl_rule *r, size_t offset, size_t len)
{
	struct nftnl_expr *x = append(r, "payload");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE,
			   NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, (uint32_t)offset);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)len);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

static void load_saddr(struct nftnl_rule *r, uint8_t family)
{
	match_family(r, family);
	load_network_header(r,
			    family == AF_INET
				    ? offsetof(struct iphdr, saddr)
				    : offsetof(struct ip6_hdr, ip6_src),
			    ip_size(family));
}

static void load_daddr(struct nftnl_rule *r, uint8_t family)
{
	match_family(r, family);
	load_network_header(r,
			    family == AF_INET
				    ? offsetof(struct iphdr, daddr)
				    : offsetof(struct ip6_hdr, ip6_dst),
			    ip_size(family));
}

/* keep the first @bits of the @len bytes */
static void mask(struct nftnl_rule *r, unsigned bits, size_t len)
{
	struct ip_prefix all_ones = { .len = (uint8_t)bits };
	static const uint8_t zeros[16];
	struct nftnl_expr *x = append(r, "bitwise");
	struct ip_addr m;

	if (!x)
		return;
	all_ones.addr.family = len == 4 ? AF_INET : AF_INET6;
	for (size_t i = 0; i < len; i++)
		all_ones.addr.bytes[i] = 0xff;
	m = prefix_first(&all_ones);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, (uint32_t)len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, m.bytes, (uint32_t)len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, zeros, (uint32_t)len);
}

void expr_saddr_vmap(struct nftnl_rule *r, uint8_t address_family,
		     const char *map)
{
	struct nftnl_expr *x;

	load_saddr(r, address_family);
	x = append(r, "lookup");
	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, map);
}

void expr_daddr_in(struct nftnl_rule *r, const struct ip_prefix *prefix)
{
	struct ip_addr network = prefix_first(prefix);
	size_t len = ip_size(network.family);

	load_daddr(r, network.family);
	mask(r, prefix->len, len);
	compare(r, network.bytes, len);
}

static struct nftnl_expr *verdict(struct nftnl_rule *r, int code)
{
	struct nftnl_expr *x = append(r, "immediate");

	if (!x)
		return NULL;
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	return x;
}

void expr_return(struct nftnl_rule *r)
{
	verdict(r, NFT_RETURN);
}

void expr_goto(struct nftnl_rule *r, const char *chain)
{
	struct nftnl_expr *x = verdict(r, NFT_GOTO);

	if (x)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

void expr_masquerade(struct nftnl_rule *r)
{
	append(r, "masq");
}
