// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nftables over libmnl and libnftnl: a handle on one table, and questions by
 * name. Never a listing where one thing is meant. Changes are in nft_batch.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "kernel/nft_value.h"

struct mnl_socket;

/* A table of the namespace the process is in. */
struct nft {
	struct mnl_socket *sock;
	uint32_t port, seq;
	uint32_t family; /* NFPROTO_INET ... */
	const char *table;
	bool closes_late; /* left to the background: see nft_close() */
};

/* Whether a handle cannot be opened, or the generation not be read (-EINVAL),
 * because the kernel has no nf_tables: then there is nothing of ours in it. */
bool nft_is_absent(int r);

int nft_open(uint32_t family, const char *table, struct nft *ret,
	     struct err *e);

/* A socket that is closed while deleted things wait to be freed makes the
 * kernel wait for that, with a lock held that every transaction and the end of
 * every interface need (nf_tables_api.c, nft_rcv_nl_event()). That is left to the
 * background after a deletion, and for whoever sets closes_late: a DEL that asks
 * comes soon after another plugin's that has deleted. */
void nft_close(struct nft *nft);

static inline void nft_close_cleanup(struct nft *nft)
{
	nft_close(nft);
}

#define _nft_ cleanup(nft_close)

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
};

/* All rules of a chain, in @a; a chain that is not there has none. -EINTR when
 * others changed it meanwhile: it may not be all of them. */
int nft_list_rules(struct nft *nft, const char *chain, struct arena *a,
		   struct nft_rule **ret, size_t *ret_n, struct err *e);

/* All elements, in @a; a set that is not there has none. */
int nft_list_elements(struct nft *nft, const char *set, struct arena *a,
		      struct nft_element **ret, size_t *ret_n, struct err *e);
