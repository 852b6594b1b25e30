// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nftables over libmnl and libnftnl: questions about one table, by name. Never a
 * listing where one thing is meant. Changes are in nft_batch.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "kernel/netfilter.h"
#include "kernel/nft_value.h"

/* A table. */
struct nft {
	struct netfilter *nf;
	uint32_t family; /* NFPROTO_INET ... */
	const char *table;
};

/* Whether what failed did so because the kernel has no nf_tables: then there is
 * nothing of ours in it. */
bool nft_is_absent(int r);

/* All that follow return -ENOENT when the thing or its table is not there. */

int nft_generation(struct nft *nft, uint32_t *ret, struct err *e);
int nft_find_table(struct nft *nft, struct err *e);
int nft_find_set(struct nft *nft, const char *set, struct err *e);

/* *@ret_use counts the chain's rules and what goes to it. */
int nft_find_chain(struct nft *nft, const char *chain, uint32_t *ret_use,
		   struct err *e);

/* What a base chain does with packets that its rules say nothing about:
 * NF_ACCEPT or NF_DROP. */
int nft_chain_policy(struct nft *nft, const char *chain, uint32_t *ret,
		     struct err *e);

/* *@ret_use counts the elements and rules that refer to the named counter. */
int nft_find_counter(struct nft *nft, const char *counter, uint32_t *ret_use,
		     struct err *e);

int nft_find_element(struct nft *nft, const char *set,
		     const struct nft_value *key, struct nft_element *ret,
		     struct err *e);

#define NFT_COMMENT_MAX 256 /* a byte says its length */

struct nft_rule {
	uint64_t handle;
	char comment[NFT_COMMENT_MAX]; /* "" for none */
	char target[NFT_NAME_MAX];     /* the chain it goes to, "" for none */
	bool accepts;		       /* what it matches */
};

/* All rules of a chain, in @a; a chain that is not there has none. -EINTR when
 * others changed it meanwhile: it may not be all of them. */
int nft_list_rules(struct nft *nft, const char *chain, struct arena *a,
		   struct nft_rule **ret, size_t *ret_n, struct err *e);

/* All elements, in @a; a set that is not there has none. */
int nft_list_elements(struct nft *nft, const char *set, struct arena *a,
		      struct nft_element **ret, size_t *ret_n, struct err *e);
