// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/reference_nft.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "kernel/nft.h"
#include "kernel/nft_batch.h"

/* How often in a row to start again when others change the ruleset. */
#define TRIES 256

/* Rules to a transaction: what a socket's buffer has room for. */
#define BITE 256

/* Which rules of which chain, and the chains that go with them. */
struct target {
	const char *chain;
	const char *chains[2]; /* NULL: none */
	/* whose comments are meant: the first of these that is not NULL says */
	const char *comment;	   /* exactly this */
	const struct owner *owner; /* an attachment's */
	const char *network;	   /* a network's stale ones */
	const struct owner *valid;
	size_t valid_n;
};

static bool is_meant(const struct target *t, const char *comment)
{
	if (t->comment)
		return !strcmp(t->comment, comment);
	if (t->owner)
		return owner_is(t->owner, comment);
	return owner_is_stale(t->network, t->valid, t->valid_n, comment);
}

/* Put the deletion of the rules that are meant into the transaction, some at a
 * time; whether there are more. */
static bool add_deletions(struct nft_batch *b, const struct target *t,
			  const struct nft_rule *v, size_t n, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		if (!is_meant(t, v[i].comment))
			continue;
		if (*ret_count == BITE)
			return true;
		nft_delete_rule(b, t->chain, v[i].handle);
		(*ret_count)++;
	}
	return false;
}

/* The jumps to them being gone, the chains; their rules go with them. */
static int add_chains(struct nft_batch *b, const struct target *t,
		      size_t *count, struct err *e)
{
	uint32_t use;
	int r = 0;

	for (size_t i = 0; i < 2 && t->chains[i]; i++) {
		r = nft_find_chain(b->nft, t->chains[i], &use, e);
		if (r == -ENOENT)
			continue;
		if (r)
			return r;
		nft_delete_chain(b, t->chains[i]);
		(*count)++;
	}
	return 0;
}

/* Delete what is there now; @ret_more says if that was not all. */
static int delete_now(struct nft *nft, const struct target *t, bool *ret_more,
		      struct err *e)
{
	_arena_ struct arena arena = { 0 };
	_nft_batch_ struct nft_batch b = { 0 };
	struct nft_rule *v = NULL;
	uint32_t generation;
	size_t n = 0, count = 0;
	int r = nft_generation(nft, &generation, e);

	if (!r)
		r = nft_list_rules(nft, t->chain, &arena, &v, &n, e);
	if (r)
		return r;
	nft_batch_init(&b, nft, &generation);
	*ret_more = add_deletions(&b, t, v, n, &count);
	if (!*ret_more)
		r = add_chains(&b, t, &count, e);
	return r || !count ? r : nft_commit(&b, e);
}

static int delete_all(struct nft *nft, const struct target *t, struct err *e)
{
	bool more = true;
	int tries = 0, r = 0;

	while (!r && more) {
		r = delete_now(nft, t, &more, e);
		if (!r)
			tries = 0;
		else if ((r == -ERESTART || r == -EINTR || r == -ENOENT) &&
			 tries++ < TRIES) {
			more = true;
			r = 0;
		}
	}
	return r;
}

/* @question is a chain: without it there is nothing. */
static int delete_where(struct nft nft, const char *question,
			const struct target *t, struct err *e)
{
	uint32_t use;
	int r = nft_find_chain(&nft, question, &use, e);

	if (!r)
		r = delete_all(&nft, t, e);
	return r == -ENOENT || nft_is_absent(r) ? 0 : r;
}

/* --- masquerading -------------------------------------------------------- */

#define MASQUERADE_TABLE "cni_plugins_masquerade"
#define MASQUERADE_CHAIN "masq_checks"

static struct nft masquerade_table(struct netfilter *nf)
{
	return (struct nft){ nf, NFPROTO_INET, MASQUERADE_TABLE };
}

int reference_nft_del_masquerade(struct netfilter *nf,
				 const struct owner *owner, struct err *e)
{
	const struct target t = { .chain = MASQUERADE_CHAIN, .owner = owner };

	return delete_where(masquerade_table(nf), t.chain, &t, e);
}

int reference_nft_gc_masquerade(struct netfilter *nf, const char *network,
				const struct owner *valid, size_t n,
				struct err *e)
{
	const struct target t = { .chain = MASQUERADE_CHAIN,
				  .network = network,
				  .valid = valid,
				  .valid_n = n };

	return delete_where(masquerade_table(nf), t.chain, &t, e);
}

/* --- host ports ---------------------------------------------------------- */

#define HOSTPORT_TABLE "cni_hostport"

static int delete_hostports(struct nft *nft, const struct owner *owner,
			    struct err *e)
{
	static const char *const chains[] = { "hostports", "hostip_hostports",
					      "masquerading" };
	struct target t = { .comment = owner->container_id };
	int r = nft_find_table(nft, e);

	for (size_t i = 0; !r && i < 3; i++) {
		t.chain = chains[i];
		r = delete_all(nft, &t, e);
	}
	return r == -ENOENT ? 0 : r;
}

int reference_nft_del_hostports(struct netfilter *nf, const struct owner *owner,
				struct err *e)
{
	struct nft v4 = { nf, NFPROTO_IPV4, HOSTPORT_TABLE },
		   v6 = { nf, NFPROTO_IPV6, HOSTPORT_TABLE };
	int r = delete_hostports(&v4, owner, e);

	if (!r)
		r = delete_hostports(&v6, owner, e);
	return nft_is_absent(r) ? 0 : r;
}

/* --- spoof check --------------------------------------------------------- */

int reference_nft_del_spoof(struct netfilter *nf, const struct owner *owner,
			    struct err *e)
{
	const char *id = owner->container_id, *ifname = owner->ifname;
	_arena_ struct arena a = { 0 };
	const char *chain = arena_printf(&a, "cni-br-iface-%s-%s", id, ifname);
	const char *mac =
		arena_printf(&a, "cni-br-iface-%s-%s-mac", id, ifname);
	const struct nft nat = { nf, NFPROTO_BRIDGE, "nat" };
	const struct target t = {
		.chain = "PREROUTING",
		.chains = { chain, mac },
		.comment = arena_printf(&a, "macspoofchk-%s-%s", id, ifname),
	};

	if (!chain || !mac || !t.comment)
		return err_oom(e);
	if (strlen(mac) >= NFT_NAME_MAXLEN)
		return 0; /* such a chain cannot be */
	/* the rules jump to it, so there are none without it */
	return delete_where(nat, chain, &t, e);
}
