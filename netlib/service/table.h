// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Table hawser: parts, each of sets whose elements belong to attachments.
 *
 * A part's chains and rules never change once they are made: what comes and
 * goes with containers is elements, one look-up a packet however many there
 * are. An element belongs to the attachment that its comment names
 * (base/owner.h). It is only ever deleted in a transaction bound to the
 * generation at which that comment was read, so another attachment that holds
 * the same key by now never loses its element.
 *
 * Elements may refer to a target, a chain or a named counter, which several
 * share: made with the first of them and deleted with the last. The kernel
 * counts them.
 *
 * What an attachment gets is written down as well (service/record.h), before it
 * is there and until it has gone.
 *
 * Other programs may change nftables all the while. A transaction that met such
 * a change is begun again, with half as many elements, and so in half the time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "kernel/nft.h"
#include "kernel/nft_batch.h"

#define TABLE_NAME "hawser"

struct table_target {
	/* nft_find_chain or nft_find_counter */
	int (*find)(struct nft *nft, const char *name, uint32_t *ret_use,
		    struct err *e);
	void (*add)(struct nft_batch *b, const struct nft *nft,
		    const char *name);
	void (*del)(struct nft_batch *b, const char *name);
	/* the elements that refer to it: table_count_gotos or
	 * nft_find_counter */
	int (*count_uses)(struct nft *nft, const char *name, uint32_t *ret,
			  struct err *e);
};

struct table_entry {
	const struct nft_set_spec *set;
	struct nft_element element; /* the comment is filled in */
	const char *rule; /* the target's, in nft's words; NULL: as made */
};

struct table_part {
	const char *name; /* of the files it is written down in */
	const char *what; /* for messages: "masquerading" */
	uint32_t family;  /* NFPROTO_INET, NFPROTO_BRIDGE */
	/* those with elements of attachments, and NULL; the first tells whether
	 * the part is there */
	const struct nft_set_spec *const *sets;
	void (*make)(struct nft_batch *b, const struct nft *nft);
	const struct table_target *target; /* NULL: elements refer to none */
	/* Say that another's element @held stands at the key of @entry; or 0,
	 * and that is taken over. NULL: always. */
	int (*refuse)(const struct table_entry *entry,
		      const struct nft_element *held, struct err *e);
};

/* The table that the part is in. */
static inline struct nft table_nft(struct netfilter *nf,
				   const struct table_part *part)
{
	return (struct nft){ .nf = nf,
			     .family = part->family,
			     .table = TABLE_NAME };
}

/* Make the part if it is not there. */
int table_make(struct netfilter *nf, const struct table_part *part,
	       struct err *e);

/* Give the attachment these @n elements and no others, making the part if it is
 * not there. On failure none of them is left. What .refuse says is returned as it is. */
int table_add(struct netfilter *nf, const struct table_part *part,
	      const struct owner *owner, struct table_entry *v, size_t n,
	      struct err *e);

/* The same for elements besides those that it has already. */
int table_add_more(struct netfilter *nf, const struct table_part *part,
		   const struct owner *owner, struct table_entry *v, size_t n,
		   struct err *e);

/* Fill the targets that have a rule in nft's words: part of table_add(), and for
 * reload. */
int table_fill_targets(const struct nft *nft, const struct table_entry *v,
		       size_t n, struct err *e);

/* Delete all elements of the attachment. */
int table_del(struct netfilter *nf, const struct table_part *part,
	      const struct owner *owner, struct err *e);

/* How many elements go to a chain, which is more than its own rules. -ENOENT
 * when there is no such chain. */
int table_count_gotos(struct nft *nft, const char *chain, uint32_t *ret,
		      struct err *e);

/* Delete the elements of @network's attachments other than the @n valid. */
int table_gc(struct netfilter *nf, const struct table_part *part,
	     const char *network, const struct owner *valid, size_t n,
	     struct err *e);

/* Whether another's change came between. */
bool table_is_race(int r);
