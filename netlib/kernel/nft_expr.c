// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft_expr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#define WORD 4 /* bytes of a register */

static uint32_t number_of(uint32_t reg)
{
	return NFT_REG32_00 + reg;
}

static uint32_t after(uint32_t reg, size_t len)
{
	return reg + (uint32_t)((len + WORD - 1) / WORD);
}

/* A new expression at the end of the rule. libnftnl's setters end the process
 * on a wrong attribute, so none comes from outside. */
static struct nftnl_expr *append(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *x = r ? nftnl_expr_alloc(name) : NULL;

	if (x)
		nftnl_rule_add_expr(r, x);
	return x;
}

/* --- what a packet is ---------------------------------------------------- */

static uint32_t meta(struct nftnl_rule *r, uint32_t key, size_t len,
		     uint32_t reg)
{
	struct nftnl_expr *x = append(r, "meta");

	if (x) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, key);
		nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, number_of(reg));
	}
	return after(reg, len);
}

void expr_family(struct nftnl_rule *r, uint8_t family)
{
	const uint8_t protocol =
		family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	meta(r, NFT_META_NFPROTO, sizeof(protocol), 0);
	expr_is(r, 0, &protocol, sizeof(protocol));
}

static uint32_t payload(struct nftnl_rule *r, uint32_t base, size_t offset,
			size_t len, uint32_t reg)
{
	struct nftnl_expr *x = append(r, "payload");

	if (x) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, base);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET,
				   (uint32_t)offset);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)len);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, number_of(reg));
	}
	return after(reg, len);
}

uint32_t expr_ll(struct nftnl_rule *r, size_t offset, size_t len, uint32_t reg)
{
	return payload(r, NFT_PAYLOAD_LL_HEADER, offset, len, reg);
}

uint32_t expr_nh(struct nftnl_rule *r, size_t offset, size_t len, uint32_t reg)
{
	return payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, len, reg);
}

uint32_t expr_th(struct nftnl_rule *r, size_t offset, size_t len, uint32_t reg)
{
	return payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, len, reg);
}

void expr_ether_type(struct nftnl_rule *r, uint16_t type)
{
	const uint16_t value = htons(type);

	expr_ll(r, offsetof(struct ethhdr, h_proto), sizeof(value), 0);
	expr_is(r, 0, &value, sizeof(value));
}

void expr_protocol(struct nftnl_rule *r, uint16_t type)
{
	const uint16_t value = htons(type);

	meta(r, NFT_META_PROTOCOL, sizeof(value), 0);
	expr_is(r, 0, &value, sizeof(value));
}

uint32_t expr_ether_saddr(struct nftnl_rule *r, uint32_t reg)
{
	return expr_ll(r, offsetof(struct ethhdr, h_source), MAC_LEN, reg);
}

uint32_t expr_saddr(struct nftnl_rule *r, uint8_t family, uint32_t reg)
{
	return expr_nh(r,
		       family == AF_INET ? offsetof(struct iphdr, saddr)
					 : offsetof(struct ip6_hdr, ip6_src),
		       ip_size(family), reg);
}

uint32_t expr_daddr(struct nftnl_rule *r, uint8_t family, uint32_t reg)
{
	return expr_nh(r,
		       family == AF_INET ? offsetof(struct iphdr, daddr)
					 : offsetof(struct ip6_hdr, ip6_dst),
		       ip_size(family), reg);
}

uint32_t expr_l4proto(struct nftnl_rule *r, uint32_t reg)
{
	return meta(r, NFT_META_L4PROTO, sizeof(uint8_t), reg);
}

/* TCP, UDP and SCTP have it at the same place. */
uint32_t expr_dport(struct nftnl_rule *r, uint32_t reg)
{
	return expr_th(r, offsetof(struct tcphdr, dest), sizeof(uint16_t), reg);
}

uint32_t expr_iifname(struct nftnl_rule *r, uint32_t reg)
{
	return meta(r, NFT_META_IIFNAME, IFNAMSIZ, reg);
}

uint32_t expr_oifname(struct nftnl_rule *r, uint32_t reg)
{
	return meta(r, NFT_META_OIFNAME, IFNAMSIZ, reg);
}

/* --- what it is held against --------------------------------------------- */

static void compare(struct nftnl_rule *r, uint32_t op, uint32_t reg,
		    const void *value, size_t len)
{
	struct nftnl_expr *x = append(r, "cmp");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, number_of(reg));
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, value, (uint32_t)len);
}

void expr_is(struct nftnl_rule *r, uint32_t reg, const void *value, size_t len)
{
	compare(r, NFT_CMP_EQ, reg, value, len);
}

void expr_is_not(struct nftnl_rule *r, uint32_t reg, const void *value,
		 size_t len)
{
	compare(r, NFT_CMP_NEQ, reg, value, len);
}

/* & MASK, in place */
static void mask(struct nftnl_rule *r, uint32_t reg, const void *bits,
		 size_t len)
{
	static const uint8_t zeros[16];
	struct nftnl_expr *x = append(r, "bitwise");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, number_of(reg));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, number_of(reg));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, (uint32_t)len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, bits, (uint32_t)len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, zeros, (uint32_t)len);
}

void expr_later_fragment(struct nftnl_rule *r)
{
	const uint16_t none = 0, offset = htons(0xfff8);
	struct nftnl_expr *x = append(r, "exthdr");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_DREG, number_of(0));
	nftnl_expr_set_u8(x, NFTNL_EXPR_EXTHDR_TYPE, IPPROTO_FRAGMENT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OFFSET,
			   offsetof(struct ip6_frag, ip6f_offlg));
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_LEN, sizeof(offset));
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	mask(r, 0, &offset, sizeof(offset));
	expr_is_not(r, 0, &none, sizeof(none));
}

static void in_prefix(struct nftnl_rule *r, uint32_t reg,
		      const struct ip_prefix *prefix)
{
	struct ip_addr network = prefix_first(prefix);
	size_t len = ip_size(network.family);
	struct ip_prefix ones = *prefix;

	for (size_t i = 0; i < len; i++)
		ones.addr.bytes[i] = 0xff;
	mask(r, reg, prefix_first(&ones).bytes, len);
	expr_is(r, reg, network.bytes, len);
}

void expr_saddr_in(struct nftnl_rule *r, const struct ip_prefix *prefix)
{
	expr_family(r, prefix->addr.family);
	expr_saddr(r, prefix->addr.family, 0);
	in_prefix(r, 0, prefix);
}

void expr_daddr_in(struct nftnl_rule *r, const struct ip_prefix *prefix)
{
	expr_family(r, prefix->addr.family);
	expr_daddr(r, prefix->addr.family, 0);
	in_prefix(r, 0, prefix);
}

static struct nftnl_expr *look_up(struct nftnl_rule *r, const char *set,
				  uint32_t reg)
{
	struct nftnl_expr *x = append(r, "lookup");

	if (!x)
		return NULL;
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, number_of(reg));
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, set);
	return x;
}

void expr_in_set(struct nftnl_rule *r, const char *set, uint32_t reg)
{
	look_up(r, set, reg);
}

void expr_not_in_set(struct nftnl_rule *r, const char *set, uint32_t reg)
{
	struct nftnl_expr *x = look_up(r, set, reg);

	if (x)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS,
				   NFT_LOOKUP_F_INV);
}

void expr_map(struct nftnl_rule *r, const char *map, uint32_t reg, uint32_t to)
{
	struct nftnl_expr *x = look_up(r, map, reg);

	if (x)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, number_of(to));
}

void expr_vmap(struct nftnl_rule *r, const char *map, uint32_t reg)
{
	struct nftnl_expr *x = look_up(r, map, reg);

	if (x)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void expr_counter_map(struct nftnl_rule *r, const char *map, uint32_t reg)
{
	struct nftnl_expr *x = append(r, "objref");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_SET_SREG, number_of(reg));
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_SET_NAME, map);
}

void expr_daddr_is_local(struct nftnl_rule *r)
{
	const uint32_t local = RTN_LOCAL;
	struct nftnl_expr *x = append(r, "fib");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_DREG, number_of(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expr_is(r, 0, &local, sizeof(local));
}

/* Whether one of the bits is set in what conntrack says of the packet. */
static void ct_has(struct nftnl_rule *r, uint32_t key, uint32_t bits)
{
	const uint32_t none = 0;
	struct nftnl_expr *x = append(r, "ct");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, number_of(0));
	mask(r, 0, &bits, sizeof(bits));
	expr_is_not(r, 0, &none, sizeof(none));
}

void expr_ct_is_dnat(struct nftnl_rule *r)
{
	ct_has(r, NFT_CT_STATUS, IPS_DST_NAT);
}

void expr_ct_is_known(struct nftnl_rule *r)
{
	ct_has(r, NFT_CT_STATE,
	       NF_CT_STATE_BIT(IP_CT_ESTABLISHED) |
		       NF_CT_STATE_BIT(IP_CT_RELATED));
}

/* --- what becomes of it -------------------------------------------------- */

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

void expr_accept(struct nftnl_rule *r)
{
	verdict(r, NF_ACCEPT);
}

void expr_drop(struct nftnl_rule *r)
{
	verdict(r, NF_DROP);
}

void expr_goto(struct nftnl_rule *r, const char *chain)
{
	struct nftnl_expr *x = verdict(r, NFT_GOTO);

	if (x)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

void expr_jump(struct nftnl_rule *r, const char *chain)
{
	struct nftnl_expr *x = verdict(r, NFT_JUMP);

	if (x)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

void expr_masquerade(struct nftnl_rule *r)
{
	append(r, "masq");
}

void expr_dnat(struct nftnl_rule *r, uint8_t family, uint32_t addr_reg,
	       uint32_t port_reg)
{
	struct nftnl_expr *x = append(r, "nat");

	if (!x)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_FAMILY,
			   family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_ADDR_MIN, number_of(addr_reg));
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_PROTO_MIN,
			   number_of(port_reg));
}
