// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table of iptables, changed as a whole: it is read once, what is to change
 * is worked out on the copy, and all of it goes to one iptables-restore, which
 * the kernel takes or refuses in one piece. Where nothing is to change nothing
 * is run. Chains, rules and comments are those of the reference plugins, so
 * that either can take down what the other has set up.
 *
 * Our own calls keep out of each other's way by a lock on the network
 * namespace; when another program has changed the table meanwhile so that
 * iptables-restore refuses, everything is begun again.
 *
 * Rules are texts as iptables-save prints them (iptables_rule.h). What is asked
 * of the copy accounts for the changes planned so far. A plan keeps its first
 * error (out of memory, a word that iptables cannot be given).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "service/iptables_program.h"
#include "service/iptables_rule.h"

/* A rule, or with text NULL a chain. */
struct iptables_line {
	struct iptables_line *next;
	const char *chain;
	const char *text;
	bool is_gone;
};

struct iptables {
	struct iptables_place place;
	struct arena arena; /* for texts that a plan makes */
	struct iptables_line *first, *last;
	struct iptables_line *first_change, *last_change;
	int r; /* the first error of a plan */
	struct err why;
};

/* Work out changes to @t. What it returns ends the call, unless it is 0. */
typedef int iptables_plan(struct iptables *t, const void *arg, struct err *e);

/* Read the table, have @plan change it, and restore what it has changed. */
int iptables_edit(const struct iptables_place *place, iptables_plan *plan,
		  const void *arg, struct err *e);

/* The same in both variants of iptables, and for AF_UNSPEC of both families, as
 * far as they may have one of @chains (ended by NULL; none: any): for taking
 * down what may be there. */
int iptables_edit_existing(struct netfilter *nf, uint8_t family,
			   const char *table, const char *const *chains,
			   iptables_plan *plan, const void *arg, struct err *e);

/* Whether the programs are there and can read the table. */
int iptables_status(const struct iptables_place *place, struct err *e);

/* --- for plans ----------------------------------------------------------- */

bool iptables_has_chain(const struct iptables *t, const char *chain);
bool iptables_has_rule(const struct iptables *t, const char *chain,
		       const char *rule);

/* The rule after @prev (NULL: the first) in @chain (NULL: in any), or NULL. */
const struct iptables_line *iptables_next_rule(
	const struct iptables *t, const char *chain,
	const struct iptables_line *prev);

/* -ENOENT with ERR_MISMATCH, naming it, when the chain does not have one of the
 * rules. */
int iptables_require(const struct iptables *t, const char *chain,
		     const char *const *rules, size_t n, struct err *e);

/* Whether the rule goes to the chain or target. */
bool iptables_goes_to(const struct iptables_line *rule, const char *target);

/* The text of a rule, in the table's arena; NULL when @t has an error. */
const char *iptables_text(struct iptables *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Make the chain if it is not there. */
void iptables_ensure_chain(struct iptables *t, const char *chain);

/* Put the rule at the end or the beginning of the chain, if it is not in it. */
void iptables_append(struct iptables *t, const char *chain, const char *rule);
void iptables_insert(struct iptables *t, const char *chain, const char *rule);

/* Delete all copies of the rule. */
void iptables_delete(struct iptables *t, const char *chain, const char *rule);

/* Make it so that @chain has these rules, in this order, and no other. */
void iptables_fill_chain(struct iptables *t, const char *chain,
			 const char *const *rules, size_t n);

/* Make it so that of the rules of @chain these, and no other, go to @target. */
void iptables_set_jumps(struct iptables *t, const char *chain,
			const char *target, const char *const *rules, size_t n);

/* Delete the chain with its rules, if it is there. Rules that go to it have to
 * be deleted before. */
void iptables_delete_chain(struct iptables *t, const char *chain);

/* --- for tests ----------------------------------------------------------- */

/* Take the table from what iptables-save has printed. */
int iptables_parse(struct iptables *t, const char *saved, struct err *e);

/* What iptables-restore is to be given, in the table's arena: "" if nothing. */
int iptables_restore_text(struct iptables *t, const char **ret, struct err *e);

void iptables_done(struct iptables *t);

static inline void iptables_done_cleanup(struct iptables *t)
{
	iptables_done(t);
}

#define _iptables_ cleanup(iptables_done)
