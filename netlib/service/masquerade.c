// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/masquerade.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "kernel/nft.h"
#include "kernel/nft_batch.h"
#include "kernel/nft_expr.h"

#define TABLE	    "hawser"
#define POSTROUTING "postrouting"
#define SRCNAT	    100 /* nft's name for the priority of source NAT */

/* How often to start again when others change the ruleset meanwhile. */
#define TRIES 64

/* Elements to a transaction: what a socket's buffer has room for. */
#define BITE 256

/* The chain that all subnets' chains end in. */
#define MASQUERADE "masquerade-rest"

/* Rules of a subnet's chain: the rest of its use count are elements. */
#define SUBNET_RULES 2

static const char *map_for(uint8_t family)
{
	return family == AF_INET ? "masquerade4" : "masquerade6";
}

/* nft's grammar has no ':' in names. */
static const char *chain_for(const struct ip_prefix *subnet,
			     char buf[static NFT_CHAIN_MAX])
{
	struct ip_prefix network = prefix_network(subnet);
	char text[PREFIX_TEXT_MAX];

	snprintf(buf, NFT_CHAIN_MAX, "masquerade-%s",
		 prefix_text(&network, text));
	for (char *c = buf; (c = strchr(c, ':'));)
		*c = '-';
	return buf;
}

static struct ip_prefix multicast(uint8_t family)
{
	struct ip_prefix p = { .addr.family = family };

	p.addr.bytes[0] = family == AF_INET ? 224 : 0xff;
	p.len = family == AF_INET ? 4 : 8;
	return p;
}

/* --- making -------------------------------------------------------------- */

static void add_dispatch(struct nft_batch *b, const struct nft *nft,
			 uint8_t family)
{
	struct nftnl_rule *rule = nft_rule_new(nft, POSTROUTING);

	nft_add_address_vmap(b, map_for(family), family);
	expr_saddr_vmap(rule, family, map_for(family));
	nft_add_rule(b, rule, POSTROUTING);
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

static void add_table(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec postrouting = {
		.name = POSTROUTING,
		.type = "nat",
		.hook = NF_INET_POST_ROUTING,
		.priority = SRCNAT,
	};

	nft_add_table(b);
	nft_add_chain(b, &postrouting);
	add_dispatch(b, nft, AF_INET);
	add_dispatch(b, nft, AF_INET6);
	add_masquerade(b, nft);
}

static void add_subnet(struct nft_batch *b, const struct nft *nft,
		       const struct ip_prefix *subnet)
{
	char name[NFT_CHAIN_MAX];
	const struct nft_chain_spec chain = { .name = chain_for(subnet, name) };
	struct nftnl_rule *rule;

	nft_add_chain(b, &chain);
	add_return(b, nft, name, subnet);
	rule = nft_rule_new(nft, name);
	expr_goto(rule, MASQUERADE);
	nft_add_rule(b, rule, name);
}

/* Whether one of the first @n shares its subnet with v[n]. */
static bool seen_before(const struct ip_prefix *v, size_t n)
{
	struct ip_prefix subnet = prefix_network(&v[n]);

	for (size_t i = 0; i < n; i++) {
		struct ip_prefix other = prefix_network(&v[i]);

		if (prefix_equal(&subnet, &other))
			return true;
	}
	return false;
}

/* Make what is not there of the table and the subnets' chains. */
static int add_missing(struct nft_batch *b, struct nft *nft,
		       const struct ip_prefix *v, size_t n, struct err *e)
{
	char name[NFT_CHAIN_MAX];
	bool has_table = false;
	uint32_t use;
	int r;

	for (size_t i = 0; i < n; i++) {
		if (seen_before(v, i))
			continue;
		r = nft_find_chain(nft, chain_for(&v[i], name), &use, e);
		if (r && r != -ENOENT)
			return r;
		if (!r) {
			has_table = true;
			continue;
		}
		if (!has_table && nft_find_table(nft, NULL) == -ENOENT)
			add_table(b, nft);
		has_table = true;
		add_subnet(b, nft, &v[i]);
	}
	return 0;
}

/*
 * With @replace, first take away what stands at the addresses; the transaction
 * is then bound to the generation at which it was seen.
 */
static int try_add(struct nft *nft, const struct owner *owner,
		   const struct ip_prefix *v, size_t n, bool replace,
		   struct err *e)
{
	_nft_batch_ struct nft_batch b = { 0 };
	struct nft_element element = { 0 };
	uint32_t generation;
	int r = replace ? nft_generation(nft, &generation, e) : 0;

	if (r)
		return r;
	nft_batch_init(&b, nft, replace ? &generation : NULL);
	r = add_missing(&b, nft, v, n, e);
	snprintf(element.comment, sizeof(element.comment), "%s",
		 owner_text(owner).text);
	for (size_t i = 0; !r && i < n; i++) {
		struct nft_element old;
		const char *map = map_for(v[i].addr.family);

		if (replace &&
		    !nft_find_element(nft, map, &v[i].addr, &old, NULL))
			nft_delete_element(&b, map, &v[i].addr);
		element.key = v[i].addr;
		chain_for(&v[i], element.chain);
		nft_add_element(&b, map, &element);
	}
	return r ? r : nft_commit(&b, e);
}

/* Whether another's change came between, and not something that stays. */
static bool is_race(int r)
{
	return r == -EEXIST || r == -ENOENT || r == -ERESTART || r == -EBUSY ||
	       r == -EINTR;
}

int masquerade_add(const struct owner *owner, const struct ip_prefix *v,
		   size_t n, struct err *e)
{
	_nft_ struct nft nft = { 0 };
	int r = nft_open(NFPROTO_INET, TABLE, &nft, e);

	if (r || !n)
		return r;
	r = try_add(&nft, owner, v, n, false, e);
	for (int i = 0; i < TRIES && is_race(r); i++)
		r = try_add(&nft, owner, v, n, true, e);
	return r;
}

/* --- deleting ------------------------------------------------------------ */

/* How many of the elements go to @chain. */
static uint32_t count_going_to(const struct nft_element *v, size_t n,
			       const char *chain)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !strcmp(v[i].chain, chain);
	return count;
}

/* Delete the chains to which only the elements go that are deleted as well. */
static void delete_unused_chains(struct nft_batch *b, struct nft *nft,
				 const struct nft_element *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t ours = count_going_to(v, n, v[i].chain), use;

		if (count_going_to(v, i, v[i].chain)) /* once a chain */
			continue;
		if (!nft_find_chain(nft, v[i].chain, &use, NULL) &&
		    use == SUBNET_RULES + ours)
			nft_delete_chain(b, v[i].chain);
	}
}

/* With nothing to delete, -ERESTART if something changed while we looked: the
 * kernel does not say when a listing missed what moved meanwhile. */
static int delete_elements(struct nft *nft, uint32_t generation,
			   const struct nft_element *v, size_t n, struct err *e)
{
	_nft_batch_ struct nft_batch b = { 0 };
	uint32_t now;
	int r;

	if (!n) {
		r = nft_generation(nft, &now, e);
		return r || now == generation ? r : -ERESTART;
	}
	nft_batch_init(&b, nft, &generation);
	for (size_t i = 0; i < n; i++)
		nft_delete_element(&b, map_for(v[i].key.family), &v[i].key);
	delete_unused_chains(&b, nft, v, n);
	return nft_commit(&b, e);
}

/* Which elements go: one attachment's, or a network's stale ones. */
struct criterion {
	const struct owner *owner; /* NULL: the stale ones */
	const char *network;
	const struct owner *valid;
	size_t valid_n;
};

static bool matches(const struct criterion *c, const char *comment)
{
	if (c->owner)
		return owner_is(c->owner, comment);
	return owner_is_stale(c->network, c->valid, c->valid_n, comment);
}

/* Delete from one map, but no more than a transaction has room for; whether
 * more are left is said in *@ret_more. */
static int try_delete_matching(struct nft *nft, uint8_t family,
			       const struct criterion *c, bool *ret_more,
			       struct err *e)
{
	_arena_ struct arena arena = { 0 };
	size_t n = 0, found = 0;
	struct nft_element *v = NULL;
	uint32_t generation;
	int r = nft_generation(nft, &generation, e);

	if (!r)
		r = nft_list_elements(nft, map_for(family), &arena, &v, &n, e);
	if (r)
		return r;
	for (size_t i = 0; i < n && found < BITE; i++)
		if (matches(c, v[i].comment))
			v[found++] = v[i];
	*ret_more = found == BITE;
	return delete_elements(nft, generation, v, found, e);
}

static int delete_matching(struct nft *nft, const struct criterion *c,
			   struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++) {
		bool more = true;

		for (int try = 0; try < TRIES && (more || is_race(r)); try++)
			r = try_delete_matching(nft, families[i], c, &more, e);
	}
	return r;
}

/* Those of the @n addresses that the attachment holds. */
static int find_at(struct nft *nft, const struct owner *owner,
		   const struct ip_prefix *v, size_t n,
		   struct nft_element *found, size_t *ret_n, struct err *e)
{
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct nft_element *element = &found[*ret_n];
		int r = nft_find_element(nft, map_for(v[i].addr.family),
					 &v[i].addr, element, e);

		if (r && r != -ENOENT)
			return r;
		if (!r && owner_is(owner, element->comment))
			(*ret_n)++;
	}
	return 0;
}

static int try_delete_at(struct nft *nft, const struct owner *owner,
			 const struct ip_prefix *v, size_t n, size_t *ret_n,
			 struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct nft_element *found = arena_array(&arena, n, sizeof(*found));
	uint32_t generation;
	int r;

	if (!found)
		return err_oom(e);
	r = nft_generation(nft, &generation, e);
	if (!r)
		r = find_at(nft, owner, v, n, found, ret_n, e);
	if (!r)
		r = delete_elements(nft, generation, found, *ret_n, e);
	return r;
}

int masquerade_del(const struct owner *owner, const struct ip_prefix *v,
		   size_t n, struct err *e)
{
	const struct criterion c = { .owner = owner };
	_nft_ struct nft nft = { 0 };
	size_t found = 0;
	int r = nft_open(NFPROTO_INET, TABLE, &nft, e);

	if (!r)
		r = -ERESTART;
	for (int i = 0; i < TRIES && is_race(r); i++)
		r = try_delete_at(&nft, owner, v, n, &found, e);
	if (!r && !found)
		r = delete_matching(&nft, &c, e);
	return nft_is_absent(r) ? 0 : r;
}

int masquerade_gc(const char *network, const struct owner *valid, size_t n,
		  struct err *e)
{
	const struct criterion c = { .network = network,
				     .valid = valid,
				     .valid_n = n };
	_nft_ struct nft nft = { 0 };
	int r = nft_open(NFPROTO_INET, TABLE, &nft, e);

	if (!r)
		r = delete_matching(&nft, &c, e);
	return nft_is_absent(r) ? 0 : r;
}

/* --- looking ------------------------------------------------------------- */

int masquerade_check(const struct owner *owner, const struct ip_prefix *v,
		     size_t n, struct err *e)
{
	_nft_ struct nft nft = { 0 };
	int r = nft_open(NFPROTO_INET, TABLE, &nft, e);

	for (size_t i = 0; !r && i < n; i++) {
		const char *map = map_for(v[i].addr.family);
		char text[IP_TEXT_MAX], chain[NFT_CHAIN_MAX];
		struct nft_element element;

		r = nft_find_element(&nft, map, &v[i].addr, &element, e);
		if (!r && (!owner_is(owner, element.comment) ||
			   strcmp(element.chain, chain_for(&v[i], chain))))
			r = -ENOENT;
		if (r == -ENOENT)
			err_set(e, ERR_MISMATCH, ENOENT,
				"masquerading: map %s of table inet " TABLE
				" has no element %s of this attachment",
				map, ip_text(&v[i].addr, text));
	}
	return r;
}

int masquerade_status(struct err *e)
{
	_nft_ struct nft nft = { 0 };
	uint32_t generation;
	int r = nft_open(NFPROTO_INET, TABLE, &nft, e);

	return r ? r : nft_generation(&nft, &generation, e);
}
