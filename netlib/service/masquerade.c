// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/masquerade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "kernel/nft_expr.h"
#include "service/record.h"
#include "service/table.h"
#include "service/table_find.h"

#define POSTROUTING "postrouting"
#define SRCNAT	    100 /* nft's name for the priority of source NAT */

/* The chain that all subnets' chains end in. */
#define MASQUERADE "masquerade-rest"

/* What the name of a subnet's chain begins with. */
#define SUBNET_CHAIN "masquerade-"

static const struct nft_set_spec map4 = { .name = "masquerade4",
					  .kind = NFT_KIND_VMAP,
					  .key = { NFT_TYPE_IPV4_ADDR } },
				 map6 = { .name = "masquerade6",
					  .kind = NFT_KIND_VMAP,
					  .key = { NFT_TYPE_IPV6_ADDR } };
static const struct nft_set_spec *const maps[] = { &map4, &map6, NULL };

/* --- the table's part ---------------------------------------------------- */

/* ip saddr vmap @masquerade4 */
static void add_dispatch(struct nft_batch *b, const struct nft *nft,
			 uint8_t family, const struct nft_set_spec *map)
{
	struct nftnl_rule *rule = nft_rule_new(nft, POSTROUTING);

	nft_add_set(b, map);
	expr_family(rule, family);
	expr_saddr(rule, family, 0);
	expr_vmap(rule, map->name, 0);
	nft_add_rule(b, rule, POSTROUTING);
}

static struct ip_prefix multicast(uint8_t family)
{
	struct ip_prefix p = { .addr.family = family };

	p.addr.bytes[0] = family == AF_INET ? 224 : 0xff;
	p.len = family == AF_INET ? 4 : 8;
	return p;
}

static void add_return(struct nft_batch *b, const struct nft *nft,
		       const char *chain, const struct ip_prefix *to)
{
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	expr_daddr_in(rule, to);
	expr_return(rule);
	nft_add_rule(b, rule, chain);
}

static void add_masquerade(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec chain = { .name = MASQUERADE };
	const struct ip_prefix v4 = multicast(AF_INET),
			       v6 = multicast(AF_INET6);
	struct nftnl_rule *rule = nft_rule_new(nft, MASQUERADE);

	nft_add_chain(b, &chain);
	add_return(b, nft, MASQUERADE, &v4);
	add_return(b, nft, MASQUERADE, &v6);
	expr_masquerade(rule);
	nft_add_rule(b, rule, MASQUERADE);
}

static void make_part(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec postrouting = {
		.name = POSTROUTING,
		.type = "nat",
		.hook = NF_INET_POST_ROUTING,
		.priority = SRCNAT,
	};

	nft_add_chain(b, &postrouting);
	add_dispatch(b, nft, AF_INET, &map4);
	add_dispatch(b, nft, AF_INET6, &map6);
	add_masquerade(b, nft);
}

/* --- subnets' chains ----------------------------------------------------- */

/* nft's grammar has no ':' in names. */
static void write_chain(const struct ip_prefix *subnet,
			char chain[static NFT_NAME_MAX])
{
	struct ip_prefix network = prefix_network(subnet);
	char text[PREFIX_TEXT_MAX];

	snprintf(chain, NFT_NAME_MAX, SUBNET_CHAIN "%s",
		 prefix_text(&network, text));
	for (char *c = chain; (c = strchr(c, ':'));)
		*c = '-';
}

/* The same backwards; no family when the name is none of write_chain()'s. */
static struct ip_prefix read_chain(const char *chain)
{
	struct ip_prefix subnet = { 0 };
	char text[PREFIX_TEXT_MAX];

	if (strncmp(chain, SUBNET_CHAIN, strlen(SUBNET_CHAIN)) != 0)
		return subnet;
	snprintf(text, sizeof(text), "%s", chain + strlen(SUBNET_CHAIN));
	for (char *c = text; (c = strchr(c, '-'));)
		*c = ':';
	prefix_parse(text, &subnet);
	return subnet;
}

static void add_subnet(struct nft_batch *b, const struct nft *nft,
		       const char *name)
{
	const struct nft_chain_spec chain = { .name = name };
	const struct ip_prefix subnet = read_chain(name);
	struct nftnl_rule *rule;

	if (!subnet.addr.family) /* a file said so, see reload */
		return;
	rule = nft_rule_new(nft, name);
	nft_add_chain(b, &chain);
	add_return(b, nft, name, &subnet);
	expr_goto(rule, MASQUERADE);
	nft_add_rule(b, rule, name);
}

static const struct table_target subnet_chain = {
	.find = nft_find_chain,
	.add = add_subnet,
	.del = nft_delete_chain,
	.count_uses = table_count_gotos,
};

/* An address was given to its attachment: an element that stands there, of a
 * dead attachment or on another network, is taken over. */
const struct table_part masquerade_part = {
	.name = "masquerade",
	.what = "masquerading",
	.family = NFPROTO_INET,
	.sets = maps,
	.make = make_part,
	.target = &subnet_chain,
};

/* --- elements ------------------------------------------------------------ */

static void fill_entry(const struct ip_prefix *address, struct table_entry *ret)
{
	struct nft_element *element = &ret->element;

	ret->set = address->addr.family == AF_INET ? &map4 : &map6;
	nft_value_add_ip(&element->key, &address->addr);
	write_chain(address, element->target);
	ip_text(&address->addr, element->label);
}

/* An address that is named twice is one element. */
static struct table_entry *entries(const struct ip_prefix *v, size_t n,
				   struct arena *a, size_t *ret_n)
{
	struct table_entry *entry = arena_array(a, n, sizeof(*entry));

	*ret_n = 0;
	for (size_t i = 0; entry && i < n; i++) {
		struct table_entry *next = &entry[*ret_n];

		memset(next, 0, sizeof(*next));
		fill_entry(&v[i], next);
		if (!record_has(entry, *ret_n, next))
			(*ret_n)++;
	}
	return entry;
}

int masquerade_add(struct netfilter *nf, const struct owner *owner,
		   const struct ip_prefix *v, size_t n, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct table_entry *entry = entries(v, n, &a, &n);

	return entry ? table_add(nf, &masquerade_part, owner, entry, n, e)
		     : err_oom(e);
}

int masquerade_del(struct netfilter *nf, const struct owner *owner,
		   struct err *e)
{
	return table_del(nf, &masquerade_part, owner, e);
}

int masquerade_check(struct netfilter *nf, const struct owner *owner,
		     const struct ip_prefix *v, size_t n, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct table_entry *entry = entries(v, n, &a, &n);

	return entry ? table_check(nf, &masquerade_part, owner, entry, n, e)
		     : err_oom(e);
}

int masquerade_gc(struct netfilter *nf, const char *network,
		  const struct owner *valid, size_t n, struct err *e)
{
	return table_gc(nf, &masquerade_part, network, valid, n, e);
}

int masquerade_status(struct netfilter *nf, struct err *e)
{
	return table_status(nf, &masquerade_part, e);
}
