// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/hostport_table.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "kernel/nft_expr.h"
#include "service/record.h"

#define LOOKUP	    "hostports"
#define PREROUTING  "hostports-prerouting"
#define OUTPUT	    "hostports-output"
#define POSTROUTING "hostports-postrouting"
#define SOURCE	    "hostports-source"
#define GUARD	    "hostports-guard"

#define RAW    (-300) /* nft's names for priorities */
#define DSTNAT (-100)
#define SRCNAT 100

static const char lo[IFNAMSIZ] = "lo";

const struct hostport_sets hostport_sets4 = {
	.family = AF_INET,
	.at = { .name = "hostports4",
		.kind = NFT_KIND_MAP,
		.key = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_PROTO,
			 NFT_TYPE_INET_SERVICE },
		.value = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE } },
	.any = { .name = "hostports4-any",
		 .kind = NFT_KIND_MAP,
		 .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE },
		 .value = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE } },
	.hairpin = { .name = "hostports4-hairpin",
		     .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV4_ADDR } },
	.self = { .name = "hostports4-self",
		  .key = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_IPV4_ADDR } },
	.masquerade = { .name = "hostports4-masquerade",
			.key = { NFT_TYPE_IPV4_ADDR } },
	.at_if = { .name = "hostports4-if",
		   .kind = NFT_KIND_VMAP,
		   .key = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_PROTO,
			    NFT_TYPE_INET_SERVICE } },
	.any_if = { .name = "hostports4-any-if",
		    .kind = NFT_KIND_VMAP,
		    .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE } },
};

const struct hostport_sets hostport_sets6 = {
	.family = AF_INET6,
	.at = { .name = "hostports6",
		.kind = NFT_KIND_MAP,
		.key = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_PROTO,
			 NFT_TYPE_INET_SERVICE },
		.value = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE } },
	.any = { .name = "hostports6-any",
		 .kind = NFT_KIND_MAP,
		 .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE },
		 .value = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE } },
	.hairpin = { .name = "hostports6-hairpin",
		     .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV6_ADDR } },
	.self = { .name = "hostports6-self",
		  .key = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_IPV6_ADDR } },
	.masquerade = { .name = "hostports6-masquerade",
			.key = { NFT_TYPE_IPV6_ADDR } },
	.at_if = { .name = "hostports6-if",
		   .kind = NFT_KIND_VMAP,
		   .key = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_PROTO,
			    NFT_TYPE_INET_SERVICE } },
	.any_if = { .name = "hostports6-any-if",
		    .kind = NFT_KIND_VMAP,
		    .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE } },
};

static const struct nft_set_spec *const sets[] = {
	&hostport_sets4.any,
	&hostport_sets4.at,
	&hostport_sets6.any,
	&hostport_sets6.at,
	&hostport_sets4.hairpin,
	&hostport_sets6.hairpin,
	&hostport_sets4.self,
	&hostport_sets6.self,
	&hostport_sets4.masquerade,
	&hostport_sets6.masquerade,
	&hostport_sets4.at_if,
	&hostport_sets4.any_if,
	&hostport_sets6.at_if,
	&hostport_sets6.any_if,
	NULL,
};

/* ip daddr . meta l4proto . th dport, from register 0 on */
static void load_at(struct nftnl_rule *rule, const struct hostport_sets *s)
{
	uint32_t reg;

	expr_family(rule, s->family);
	reg = expr_daddr(rule, s->family, 0);
	reg = expr_l4proto(rule, reg);
	expr_dport(rule, reg);
}

/* meta l4proto . th dport */
static void load_any(struct nftnl_rule *rule, const struct hostport_sets *s)
{
	expr_family(rule, s->family);
	expr_dport(rule, expr_l4proto(rule, 0));
}

/* dnat ip to ip daddr . meta l4proto . th dport map @hostports4, or
 * dnat ip to meta l4proto . th dport map @hostports4-any */
static void add_dnat(struct nft_batch *b, const struct nft *nft,
		     const char *chain, const struct hostport_sets *s,
		     const struct nft_set_spec *map)
{
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	if (map == &s->at)
		load_at(rule, s);
	else
		load_any(rule, s);
	expr_map(rule, map->name, 0, 0);
	expr_dnat(rule, s->family, 0, (uint32_t)ip_size(s->family) / 4);
	nft_add_rule(b, rule, chain);
}

/* ip daddr . meta l4proto . th dport vmap @hostports4-if, or
 * meta l4proto . th dport vmap @hostports4-any-if */
static void add_condition(struct nft_batch *b, const struct nft *nft,
			  const struct hostport_sets *s,
			  const struct nft_set_spec *map)
{
	struct nftnl_rule *rule = nft_rule_new(nft, LOOKUP);

	if (map == &s->at_if)
		load_at(rule, s);
	else
		load_any(rule, s);
	expr_vmap(rule, map->name, 0);
	nft_add_rule(b, rule, LOOKUP);
}

/* iifname . ip daddr @hostports4-hairpin masquerade */
static void add_hairpin(struct nft_batch *b, const struct nft *nft,
			const struct hostport_sets *s)
{
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_family(rule, s->family);
	expr_daddr(rule, s->family, expr_iifname(rule, 0));
	expr_in_set(rule, s->hairpin.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

/* ip saddr . ip daddr @hostports4-self masquerade */
static void add_self(struct nft_batch *b, const struct nft *nft,
		     const struct hostport_sets *s)
{
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_family(rule, s->family);
	expr_daddr(rule, s->family, expr_saddr(rule, s->family, 0));
	expr_in_set(rule, s->self.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

static struct ip_prefix loopback(uint8_t family)
{
	struct ip_prefix p = { .addr.family = family };

	if (family == AF_INET)
		p.addr.bytes[0] = IN_LOOPBACKNET;
	else
		p.addr.bytes[15] = 1;
	p.len = family == AF_INET ? 8 : 128;
	return p;
}

/* ip saddr 127.0.0.0/8 ip daddr . ip daddr @hostports4-self masquerade: twice,
 * for the set has the container's address twice */
static void add_loopback(struct nft_batch *b, const struct nft *nft,
			 const struct hostport_sets *s)
{
	const struct ip_prefix from = loopback(s->family);
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_saddr_in(rule, &from);
	expr_daddr(rule, s->family, expr_daddr(rule, s->family, 0));
	expr_in_set(rule, s->self.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

/* ip daddr @hostports4-masquerade masquerade */
static void add_masquerade(struct nft_batch *b, const struct nft *nft,
			   const struct hostport_sets *s)
{
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_family(rule, s->family);
	expr_daddr(rule, s->family, 0);
	expr_in_set(rule, s->masquerade.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

static void add_family(struct nft_batch *b, const struct nft *nft,
		       const struct hostport_sets *s)
{
	nft_add_set(b, &s->at);
	nft_add_set(b, &s->any);
	nft_add_set(b, &s->hairpin);
	nft_add_set(b, &s->self);
	nft_add_set(b, &s->masquerade);
	nft_add_set(b, &s->at_if);
	nft_add_set(b, &s->any_if);
	add_condition(b, nft, s, &s->at_if);
	add_dnat(b, nft, LOOKUP, s, &s->at);
	add_condition(b, nft, s, &s->any_if);
	add_dnat(b, nft, LOOKUP, s, &s->any);
	add_dnat(b, nft, HOSTPORT_TRANSLATE, s, &s->at);
	add_dnat(b, nft, HOSTPORT_TRANSLATE, s, &s->any);
	add_hairpin(b, nft, s);
	add_self(b, nft, s);
	add_loopback(b, nft, s);
	add_masquerade(b, nft, s);
}

/* fib daddr type local jump hostports */
static void add_dispatch(struct nft_batch *b, const struct nft *nft,
			 const char *chain, uint32_t hook)
{
	const struct nft_chain_spec spec = {
		.name = chain, .type = "nat", .hook = hook, .priority = DSTNAT
	};
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	nft_add_chain(b, &spec);
	expr_daddr_is_local(rule);
	expr_jump(rule, LOOKUP);
	nft_add_rule(b, rule, chain);
}

/* ct status dnat goto hostports-source */
static void add_postrouting(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec spec = { .name = POSTROUTING,
					     .type = "nat",
					     .hook = NF_INET_POST_ROUTING,
					     .priority = SRCNAT - 1 };
	struct nftnl_rule *rule = nft_rule_new(nft, POSTROUTING);

	nft_add_chain(b, &spec);
	expr_ct_is_dnat(rule);
	expr_goto(rule, SOURCE);
	nft_add_rule(b, rule, POSTROUTING);
}

/* ip daddr 127.0.0.0/8 iifname != "lo" drop (ip saddr ...) */
static void add_guard_rule(struct nft_batch *b, const struct nft *nft,
			   void (*look)(struct nftnl_rule *,
					const struct ip_prefix *))
{
	const struct ip_prefix localnet = loopback(AF_INET);
	struct nftnl_rule *rule = nft_rule_new(nft, GUARD);

	look(rule, &localnet);
	expr_iifname(rule, 0);
	expr_is_not(rule, 0, lo, sizeof(lo));
	expr_drop(rule);
	nft_add_rule(b, rule, GUARD);
}

static void add_guard(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec spec = { .name = GUARD,
					     .type = "filter",
					     .hook = NF_INET_PRE_ROUTING,
					     .priority = RAW };

	nft_add_chain(b, &spec);
	add_guard_rule(b, nft, expr_daddr_in);
	add_guard_rule(b, nft, expr_saddr_in);
}

static void make_part(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec lookup = { .name = LOOKUP },
				    translate = { .name = HOSTPORT_TRANSLATE },
				    source = { .name = SOURCE };

	nft_add_chain(b, &lookup);
	nft_add_chain(b, &translate);
	nft_add_chain(b, &source);
	add_family(b, nft, &hostport_sets4);
	add_family(b, nft, &hostport_sets6);
	add_dispatch(b, nft, PREROUTING, NF_INET_PRE_ROUTING);
	add_dispatch(b, nft, OUTPUT, NF_INET_LOCAL_OUT);
	add_postrouting(b, nft);
	add_guard(b, nft);
}

/* A port is whose it is; an address was given to the attachment, and what else
 * stands there belongs to a dead one. */
static int refuse(const struct table_entry *entry,
		  const struct nft_element *held, struct err *e)
{
	const char *holder = held->comment;

	if (entry->set->kind == NFT_KIND_SET ||
	    record_is_dead(&hostport_part, holder))
		return 0;
	return err_set(e, ERR_EXISTS, EADDRINUSE,
		       "host port %s is in use by another container (%s)",
		       entry->element.label,
		       *holder ? owner_words(holder) : "not one of ours");
}

/* Until its rule is there, nothing passes. */
static void add_conditions(struct nft_batch *b, const struct nft *nft,
			   const char *name)
{
	const struct nft_chain_spec chain = { .name = name };

	(void)nft;
	nft_add_chain(b, &chain);
}

static const struct table_target conditions_chain = {
	.find = nft_find_chain,
	.add = add_conditions,
	.del = nft_delete_chain,
	.count_uses = table_count_gotos,
};

const struct table_part hostport_part = {
	.name = "hostports",
	.what = "host ports",
	.family = NFPROTO_INET,
	.sets = sets,
	.make = make_part,
	.target = &conditions_chain,
	.refuse = refuse,
};

const struct table_part hostport_waiting_part = {
	.name = "hostports-waiting",
	.what = "host ports",
	.family = NFPROTO_INET,
	.sets = sets,
};
