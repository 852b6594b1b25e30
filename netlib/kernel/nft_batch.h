// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nftables transactions: all or nothing.
 *
 * One may carry the generation at which the caller looked: if anybody changed
 * the ruleset since, the kernel refuses it with -ERESTART (NFNL_BATCH_GENID,
 * Linux 4.18), so that "delete this element if it is ours" cannot hit
 * another's.
 *
 * A transaction that fails costs an RCU grace period, some 10 ms
 * (net/netfilter/nf_tables_api.c, __nf_tables_abort()); a question costs 10 us.
 * So ask first where failure is likely. A wrong generation costs nothing: it is
 * refused before anything is done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct nft;
struct nft_element;
struct nft_set_spec;
struct nftnl_batch;
struct nftnl_rule;
struct nlmsghdr;

struct nft_batch {
	struct nft *nft;
	struct nftnl_batch *messages;
	struct nlmsghdr *last;
	int err; /* first failure while building, as -errno */
	/* What is there already is no error, and chains are emptied to be
	 * filled again. Set it before anything is added. */
	bool repairs;
	struct arena arena;
	struct nft_note *notes; /* what each message does, for the error */
	size_t n, room;
};

/* Begin; with @generation the transaction holds for that state only. */
void nft_batch_init(struct nft_batch *b, struct nft *nft,
		    const uint32_t *generation);
void nft_batch_done(struct nft_batch *b);

static inline void nft_batch_done_cleanup(struct nft_batch *b)
{
	nft_batch_done(b);
}

#define _nft_batch_ cleanup(nft_batch_done)

/* Each of these is an error (-EEXIST, -ENOENT) if the thing is (not) there. */
void nft_add_table(struct nft_batch *b);

struct nft_chain_spec {
	const char *name;
	const char *type; /* "nat", "filter"; NULL: a chain without a hook */
	uint32_t hook;
	int32_t priority;
	const char *comment; /* NULL for none */
	bool may_exist;	     /* then it is left as it is, rules and all */
};

void nft_add_chain(struct nft_batch *b, const struct nft_chain_spec *chain);
void nft_delete_chain(struct nft_batch *b, const char *chain);

void nft_add_counter(struct nft_batch *b, const char *counter);
void nft_delete_counter(struct nft_batch *b, const char *counter);

void nft_add_set(struct nft_batch *b, const struct nft_set_spec *set);

/* The error names the element by its label. */
void nft_add_element(struct nft_batch *b, const struct nft_set_spec *set,
		     const struct nft_element *element);

/* The same, but no error if it is there already. */
void nft_ensure_element(struct nft_batch *b, const struct nft_set_spec *set,
			const struct nft_element *element);
void nft_delete_element(struct nft_batch *b, const struct nft_set_spec *set,
			const struct nft_element *element);

/* A rule at the end of @chain: begin it, append expressions (nft_expr.h), and
 * put it into the batch, which owns it from then on. NULL is passed through. */
struct nftnl_rule *nft_rule_new(const struct nft *nft, const char *chain);
void nft_add_rule(struct nft_batch *b, struct nftnl_rule *rule,
		  const char *chain);

/* One that is there, by its handle. */
void nft_delete_rule(struct nft_batch *b, const char *chain, uint64_t handle);

/* Carry it out. -EEXIST, -ENOENT, -EBUSY and -ERESTART are for the caller to
 * act on; the error names the object the kernel refused. */
int nft_commit(struct nft_batch *b, struct err *e);
