// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The expressions that rules are made of, each under the nft text it stands
 * for. What is looked at is loaded into a register, the @reg-th of 32 bits:
 * functions that load return the next free one, so that parts of a
 * concatenation are loaded one after the other. All accept a NULL rule (out of
 * memory).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct nftnl_rule;

/* --- what a packet is ---------------------------------------------------- */

/* meta nfproto ipv4 (ipv6): needed before any look at addresses in a table of
 * both families. Uses register 0. */
void expr_family(struct nftnl_rule *r, uint8_t family);

/* ether type TYPE: as the frame has it, so a VLAN tag is a type of its own.
 * Uses register 0. */
void expr_ether_type(struct nftnl_rule *r, uint16_t type);

/* meta protocol TYPE: as expr_family(), in tables of family bridge; nft does not
 * list it before what implies it. Uses register 0. */
void expr_protocol(struct nftnl_rule *r, uint16_t type);

/* ether saddr */
uint32_t expr_ether_saddr(struct nftnl_rule *r, uint32_t reg);

/* frag frag-off != 0: an IPv6 fragment other than the first. Uses register 0. */
void expr_later_fragment(struct nftnl_rule *r);

/* ip saddr, ip daddr (ip6 ...) */
uint32_t expr_saddr(struct nftnl_rule *r, uint8_t family, uint32_t reg);
uint32_t expr_daddr(struct nftnl_rule *r, uint8_t family, uint32_t reg);

/* meta l4proto; th dport */
uint32_t expr_l4proto(struct nftnl_rule *r, uint32_t reg);
uint32_t expr_dport(struct nftnl_rule *r, uint32_t reg);

/* iifname, oifname */
uint32_t expr_iifname(struct nftnl_rule *r, uint32_t reg);
uint32_t expr_oifname(struct nftnl_rule *r, uint32_t reg);

/* @len bytes at @offset of the link layer's (network's, transport's) header */
uint32_t expr_ll(struct nftnl_rule *r, size_t offset, size_t len, uint32_t reg);
uint32_t expr_nh(struct nftnl_rule *r, size_t offset, size_t len, uint32_t reg);
uint32_t expr_th(struct nftnl_rule *r, size_t offset, size_t len, uint32_t reg);

/* --- what it is held against --------------------------------------------- */

/* == VALUE (!= VALUE) */
void expr_is(struct nftnl_rule *r, uint32_t reg, const void *value, size_t len);
void expr_is_not(struct nftnl_rule *r, uint32_t reg, const void *value,
		 size_t len);

/* ip saddr PREFIX, ip daddr PREFIX (ip6 ...), with the look at the family */
void expr_saddr_in(struct nftnl_rule *r, const struct ip_prefix *prefix);
void expr_daddr_in(struct nftnl_rule *r, const struct ip_prefix *prefix);

/* @SET (!= @SET) */
void expr_in_set(struct nftnl_rule *r, const char *set, uint32_t reg);
void expr_not_in_set(struct nftnl_rule *r, const char *set, uint32_t reg);

/* map @MAP, the value into @to */
void expr_map(struct nftnl_rule *r, const char *map, uint32_t reg, uint32_t to);

/* vmap @MAP */
void expr_vmap(struct nftnl_rule *r, const char *map, uint32_t reg);

/* counter name ... map @MAP */
void expr_counter_map(struct nftnl_rule *r, const char *map, uint32_t reg);

/* fib daddr type local. Uses register 0. */
void expr_daddr_is_local(struct nftnl_rule *r);

/* ct status dnat; ct state established,related. Use register 0. */
void expr_ct_is_dnat(struct nftnl_rule *r);
void expr_ct_is_known(struct nftnl_rule *r);

/* --- what becomes of it -------------------------------------------------- */

void expr_return(struct nftnl_rule *r);
void expr_accept(struct nftnl_rule *r);
void expr_drop(struct nftnl_rule *r);
void expr_goto(struct nftnl_rule *r, const char *chain);
void expr_jump(struct nftnl_rule *r, const char *chain);
void expr_masquerade(struct nftnl_rule *r);

/* dnat ip to ADDRESS : PORT, from two registers */
void expr_dnat(struct nftnl_rule *r, uint8_t family, uint32_t addr_reg,
	       uint32_t port_reg);
