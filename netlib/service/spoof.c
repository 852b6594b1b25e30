// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/spoof.h"

#include <errno.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>

#include "kernel/nft_expr.h"
#include "service/table.h"
#include "service/table_find.h"

#define CHAIN	    "spoof"
#define CHAIN_IP    "spoof-ip"
#define CHAIN_ARP   "spoof-arp"
#define CHAIN_V4    "spoof-v4"
#define CHAIN_V6    "spoof-v6"
#define CHAIN_ND    "spoof-nd"
#define MLD2_REPORT 143 /* RFC 3810 */

/* Where a neighbour solicitation or advertisement has its target, without
 * extension headers. */
#define TARGET_OFFSET             \
	(sizeof(struct ip6_hdr) + \
	 offsetof(struct nd_neighbor_advert, nd_na_target))

static const struct nft_set_spec
	ports_mac = { .name = "spoof-ports-mac", .key = { NFT_TYPE_IFNAME } },
	ports_ip = { .name = "spoof-ports-ip", .key = { NFT_TYPE_IFNAME } },
	macs = { .name = "spoof-macs",
		 .key = { NFT_TYPE_IFNAME, NFT_TYPE_ETHER_ADDR } },
	ip4 = { .name = "spoof-ip4",
		.key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV4_ADDR } },
	ip6 = { .name = "spoof-ip6",
		.key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV6_ADDR } },
	targets = { .name = "spoof-targets",
		    .key = { NFT_TYPE_IFNAME, NFT_TYPE_INTEGER },
		    .nh_offset = TARGET_OFFSET };
static const struct nft_set_spec *const sets[] = {
	&ports_mac, &ports_ip, &macs, &ip4, &ip6, &targets, NULL
};

/* --- rules --------------------------------------------------------------- */

/* Where the rules of a chain go. */
struct place {
	struct nft_batch *b;
	const struct nft *nft;
	const char *chain;
};

static struct nftnl_rule *begin(const struct place *p)
{
	return nft_rule_new(p->nft, p->chain);
}

static void end(const struct place *p, struct nftnl_rule *rule)
{
	nft_add_rule(p->b, rule, p->chain);
}

static void end_with_return(const struct place *p, struct nftnl_rule *rule)
{
	expr_return(rule);
	end(p, rule);
}

static void end_with_drop(const struct place *p, struct nftnl_rule *rule)
{
	expr_drop(rule);
	end(p, rule);
}

/* drop */
static void add_drop(const struct place *p)
{
	end_with_drop(p, begin(p));
}

/* iifname . ether saddr != @spoof-macs drop; only at @ports, if not NULL */
static void add_mac_rule(const struct place *p,
			 const struct nft_set_spec *ports)
{
	struct nftnl_rule *rule = begin(p);

	if (ports) {
		expr_iifname(rule, 0);
		expr_in_set(rule, ports->name, 0);
	}
	expr_ether_saddr(rule, expr_iifname(rule, 0));
	expr_not_in_set(rule, macs.name, 0);
	end_with_drop(p, rule);
}

/* iifname @spoof-ports-ip goto spoof-ip */
static void add_strong_rule(const struct place *p)
{
	struct nftnl_rule *rule = begin(p);

	expr_iifname(rule, 0);
	expr_in_set(rule, ports_ip.name, 0);
	expr_goto(rule, CHAIN_IP);
	end(p, rule);
}

/* ether type TYPE goto CHAIN */
static void add_type_rule(const struct place *p, uint16_t type,
			  const char *chain)
{
	struct nftnl_rule *rule = begin(p);

	expr_ether_type(rule, type);
	expr_goto(rule, chain);
	end(p, rule);
}

/* --- ARP ----------------------------------------------------------------- */

struct ether_arp_payload {
	struct arphdr header;
	uint8_t sender_mac[MAC_LEN];
	uint8_t sender_ip[4];
} __attribute__((packed));

/* arp htype 1 arp ptype ip arp hlen 6 arp plen 4
 * iifname . arp saddr ether @spoof-macs */
static struct nftnl_rule *begin_arp(const struct place *p)
{
	static const uint8_t types[] = { 0, ARPHRD_ETHER, ETH_P_IP >> 8, 0 },
			     lengths[] = { MAC_LEN, 4 };
	struct nftnl_rule *rule = begin(p);

	expr_protocol(rule, ETH_P_ARP);
	expr_nh(rule, offsetof(struct arphdr, ar_hrd), sizeof(types), 0);
	expr_is(rule, 0, types, sizeof(types));
	expr_nh(rule, offsetof(struct arphdr, ar_hln), sizeof(lengths), 0);
	expr_is(rule, 0, lengths, sizeof(lengths));
	expr_nh(rule, offsetof(struct ether_arp_payload, sender_mac), MAC_LEN,
		expr_iifname(rule, 0));
	expr_in_set(rule, macs.name, 0);
	return rule;
}

static void add_arp_rules(const struct place *p)
{
	static const uint8_t none[4];
	const size_t ip = offsetof(struct ether_arp_payload, sender_ip);
	struct nftnl_rule *rule = begin_arp(p);

	/* iifname . arp saddr ip @spoof-ip4 return */
	expr_nh(rule, ip, sizeof(none), expr_iifname(rule, 0));
	expr_in_set(rule, ip4.name, 0);
	end_with_return(p, rule);

	/* arp saddr ip 0.0.0.0 return: a probe (RFC 5227) */
	rule = begin_arp(p);
	expr_nh(rule, ip, sizeof(none), 0);
	expr_is(rule, 0, none, sizeof(none));
	end_with_return(p, rule);
	add_drop(p);
}

/* --- IPv4 ---------------------------------------------------------------- */

/* ip saddr 0.0.0.0 udp sport 68 udp dport 67 return */
static void add_dhcp_rule(const struct place *p)
{
	static const uint8_t none[4], udp = IPPROTO_UDP,
				      ports[] = { 0, 68, 0, 67 };
	struct nftnl_rule *rule = begin(p);

	expr_protocol(rule, ETH_P_IP);
	expr_saddr(rule, AF_INET, 0);
	expr_is(rule, 0, none, sizeof(none));
	expr_l4proto(rule, 0);
	expr_is(rule, 0, &udp, sizeof(udp));
	expr_th(rule, 0, sizeof(ports), 0);
	expr_is(rule, 0, ports, sizeof(ports));
	end_with_return(p, rule);
}

static void add_v4_rules(const struct place *p)
{
	struct nftnl_rule *rule = begin(p);

	/* iifname . ip saddr @spoof-ip4 return */
	expr_protocol(rule, ETH_P_IP);
	expr_saddr(rule, AF_INET, expr_iifname(rule, 0));
	expr_in_set(rule, ip4.name, 0);
	end_with_return(p, rule);
	add_dhcp_rule(p);
	add_drop(p);
}

/* --- IPv6 ---------------------------------------------------------------- */

static const uint8_t icmpv6 = IPPROTO_ICMPV6;

/* icmpv6 type TYPE */
static void icmpv6_is(struct nftnl_rule *rule, uint8_t type)
{
	expr_th(rule, 0, sizeof(type), 0);
	expr_is(rule, 0, &type, sizeof(type));
}

/* ip6 saddr :: */
static struct nftnl_rule *begin_unspecified(const struct place *p)
{
	static const struct in6_addr none;
	struct nftnl_rule *rule = begin(p);

	expr_protocol(rule, ETH_P_IPV6);
	expr_saddr(rule, AF_INET6, 0);
	expr_is(rule, 0, &none, sizeof(none));
	return rule;
}

/* ip6 nexthdr ipv6-icmp icmpv6 type TYPE
 * iifname . @nh,384,128 @spoof-targets return */
static void end_with_target(const struct place *p, struct nftnl_rule *rule,
			    uint8_t type)
{
	expr_nh(rule, offsetof(struct ip6_hdr, ip6_nxt), sizeof(icmpv6), 0);
	expr_is(rule, 0, &icmpv6, sizeof(icmpv6));
	icmpv6_is(rule, type);
	expr_nh(rule, TARGET_OFFSET, sizeof(struct in6_addr),
		expr_iifname(rule, 0));
	expr_in_set(rule, targets.name, 0);
	end_with_return(p, rule);
}

static void add_v6_rules(const struct place *p)
{
	struct nftnl_rule *rule;

	/* RFC 4862, 5.4.2: the question, and before it the report */
	end_with_target(p, begin_unspecified(p), ND_NEIGHBOR_SOLICIT);
	rule = begin_unspecified(p);
	expr_l4proto(rule, 0);
	expr_is(rule, 0, &icmpv6, sizeof(icmpv6));
	icmpv6_is(rule, MLD2_REPORT);
	end_with_return(p, rule);

	/* iifname . ip6 saddr @spoof-ip6 goto spoof-nd */
	rule = begin(p);
	expr_protocol(rule, ETH_P_IPV6);
	expr_saddr(rule, AF_INET6, expr_iifname(rule, 0));
	expr_in_set(rule, ip6.name, 0);
	expr_goto(rule, CHAIN_ND);
	end(p, rule);
	add_drop(p);
}

/* meta protocol ip6 meta l4proto ipv6-icmp */
static struct nftnl_rule *begin_icmpv6(const struct place *p)
{
	struct nftnl_rule *rule = begin(p);

	expr_protocol(rule, ETH_P_IPV6);
	expr_l4proto(rule, 0);
	expr_is(rule, 0, &icmpv6, sizeof(icmpv6));
	return rule;
}

/* icmpv6 type != TYPE return: true of every type that can be read, TYPE itself
 * having been dropped before; false where there is none to read */
static void add_readable_rule(const struct place *p, uint8_t type)
{
	struct nftnl_rule *rule = begin_icmpv6(p);

	expr_th(rule, 0, sizeof(type), 0);
	expr_is_not(rule, 0, &type, sizeof(type));
	end_with_return(p, rule);
}

static void add_nd_rules(const struct place *p)
{
	static const uint8_t forbidden[] = { ND_NEIGHBOR_ADVERT,
					     ND_ROUTER_ADVERT, ND_REDIRECT };
	struct nftnl_rule *rule = begin(p);

	/* meta l4proto != ipv6-icmp return; false where no header is found */
	expr_l4proto(rule, 0);
	expr_is_not(rule, 0, &icmpv6, sizeof(icmpv6));
	end_with_return(p, rule);

	rule = begin(p);
	expr_protocol(rule, ETH_P_IPV6);
	end_with_target(p, rule, ND_NEIGHBOR_ADVERT);
	for (size_t i = 0; i < sizeof(forbidden); i++) {
		rule = begin_icmpv6(p);
		icmpv6_is(rule, forbidden[i]);
		end_with_drop(p, rule);
	}
	add_readable_rule(p, ND_ROUTER_ADVERT);

	/* frag frag-off != 0 return: the first fragment had the type */
	rule = begin(p);
	expr_protocol(rule, ETH_P_IPV6);
	expr_later_fragment(rule);
	end_with_return(p, rule);
	add_drop(p);
}

/* --- the table's part ---------------------------------------------------- */

/* jump spoof; to @len bytes of a destination only */
static void add_jump(const struct place *p, const uint8_t *daddr, size_t len)
{
	struct nftnl_rule *rule = begin(p);

	if (len) {
		expr_ll(rule, offsetof(struct ethhdr, h_dest), len, 0);
		expr_is(rule, 0, daddr, len);
	}
	expr_jump(rule, CHAIN);
	end(p, rule);
}

static void make_hooks(struct nft_batch *b, const struct nft *nft)
{
	static const uint8_t reserved[] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };
	const struct nft_chain_spec prerouting = {
		.name = "prerouting",
		.type = "filter",
		.hook = NF_BR_PRE_ROUTING,
		.priority = NF_BR_PRI_NAT_DST_BRIDGED,
	};
	const struct nft_chain_spec input = {
		.name = "input",
		.type = "filter",
		.hook = NF_BR_LOCAL_IN,
		.priority = NF_BR_PRI_NAT_DST_BRIDGED,
	};
	const struct place at_prerouting = { b, nft, prerouting.name },
			   at_input = { b, nft, input.name };

	nft_add_chain(b, &prerouting);
	nft_add_chain(b, &input);
	add_jump(&at_prerouting, NULL, 0);
	add_jump(&at_input, reserved, sizeof(reserved));
}

static void add_weak_rules(const struct place *p)
{
	add_mac_rule(p, &ports_mac);
	add_strong_rule(p);
}

static void add_strong_rules(const struct place *p)
{
	add_mac_rule(p, NULL);
	add_type_rule(p, ETH_P_ARP, CHAIN_ARP);
	add_type_rule(p, ETH_P_IP, CHAIN_V4);
	add_type_rule(p, ETH_P_IPV6, CHAIN_V6);
	add_drop(p);
}

static void make_part(struct nft_batch *b, const struct nft *nft)
{
	static const struct {
		const char *name;
		void (*add)(const struct place *p);
	} chains[] = {
		{ CHAIN_ND, add_nd_rules },	{ CHAIN_V6, add_v6_rules },
		{ CHAIN_V4, add_v4_rules },	{ CHAIN_ARP, add_arp_rules },
		{ CHAIN_IP, add_strong_rules }, { CHAIN, add_weak_rules },
	};

	for (size_t i = 0; sets[i]; i++)
		nft_add_set(b, sets[i]);
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		const struct nft_chain_spec chain = { .name = chains[i].name };
		const struct place place = { b, nft, chain.name };

		nft_add_chain(b, &chain);
		chains[i].add(&place);
	}
	make_hooks(b, nft);
}

/* The port's name follows from the attachment: what stands there is of an
 * earlier life of the same, and is taken over. */
const struct table_part spoof_part = {
	.name = "spoof",
	.what = "spoof protection",
	.family = NFPROTO_BRIDGE,
	.sets = sets,
	.make = make_part,
};

/* --- elements ------------------------------------------------------------ */

struct entries {
	const char *port;
	struct table_entry *v;
	size_t n;
};

static bool entries_have(const struct entries *list,
			 const struct table_entry *entry)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].set == entry->set &&
		    nft_value_equal(&list->v[i].element.key,
				    &entry->element.key))
			return true;
	return false;
}

/* An element for the port and @part, @len bytes that are @text in messages. */
static void put(struct entries *list, const struct nft_set_spec *set,
		const void *bytes, size_t len, const char *text)
{
	struct table_entry entry = { .set = set };
	struct nft_element *element = &entry.element;

	nft_value_add_ifname(&element->key, list->port);
	if (len)
		nft_value_add(&element->key, bytes, len);
	snprintf(element->label, sizeof(element->label), "%.20s%s%.48s",
		 list->port, len ? " . " : "", text);
	if (!entries_have(list, &entry))
		list->v[list->n++] = entry;
}

static void put_address(struct entries *list, const struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];
	size_t len = ip_size(addr->family);

	ip_text(addr, text);
	put(list, addr->family == AF_INET ? &ip4 : &ip6, addr->bytes, len,
	    text);
	if (addr->family == AF_INET6)
		put(list, &targets, addr->bytes, len, text);
}

/* RFC 4291, appendix A */
static struct ip_addr link_local(const uint8_t mac[static MAC_LEN])
{
	return (struct ip_addr){
		.family = AF_INET6,
		.bytes = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff,
			   0xfe, mac[3], mac[4], mac[5] },
	};
}

static void put_guard(struct entries *list, const struct spoof_guard *guard)
{
	char text[MAC_TEXT_MAX];
	struct ip_addr own = link_local(guard->mac);

	put(list, guard->has_addresses ? &ports_ip : &ports_mac, NULL, 0, "");
	put(list, &macs, guard->mac, MAC_LEN, mac_text(guard->mac, text));
	if (guard->has_addresses)
		put_address(list, &own);
}

static void put_addresses(struct entries *list, const struct spoof_guard *guard)
{
	for (size_t i = 0; guard->has_addresses && i < guard->n; i++)
		put_address(list, &guard->v[i].addr);
}

/* Room for both of these. */
static int make_room(struct entries *ret, const struct spoof_guard *guard,
		     struct arena *a, struct err *e)
{
	*ret = (struct entries){
		.port = guard->port,
		.v = arena_array(a, 2 * guard->n + 4, sizeof(*ret->v)),
	};
	return ret->v ? 0 : err_oom(e);
}

int spoof_add(struct netfilter *nf, const struct owner *owner,
	      const struct spoof_guard *guard, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entries list;
	int r = make_room(&list, guard, &a, e);

	if (r)
		return r;
	put_guard(&list, guard);
	put_addresses(&list, guard);
	return table_add(nf, &spoof_part, owner, list.v, list.n, e);
}

int spoof_add_addresses(struct netfilter *nf, const struct owner *owner,
			const struct spoof_guard *guard, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entries list;
	int r = make_room(&list, guard, &a, e);

	if (r)
		return r;
	put_addresses(&list, guard);
	return table_add_more(nf, &spoof_part, owner, list.v, list.n, e);
}

int spoof_del(struct netfilter *nf, const struct owner *owner, struct err *e)
{
	return table_del(nf, &spoof_part, owner, e);
}

int spoof_check(struct netfilter *nf, const struct owner *owner,
		const struct spoof_guard *guard, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entries list;
	int r = make_room(&list, guard, &a, e);

	if (r)
		return r;
	put_guard(&list, guard);
	put_addresses(&list, guard);
	return table_check(nf, &spoof_part, owner, list.v, list.n, e);
}

int spoof_gc(struct netfilter *nf, const char *network,
	     const struct owner *valid, size_t n, struct err *e)
{
	return table_gc(nf, &spoof_part, network, valid, n, e);
}

int spoof_status(struct netfilter *nf, struct err *e)
{
	return table_status(nf, &spoof_part, e);
}
