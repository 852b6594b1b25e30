// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/owned_file.h"
#include "kernel/nft_text.h"
#include "service/record.h"
#include "service/table_find.h"

/* How often in a row to start again when others change the ruleset. */
#define TRIES 256

/* Elements to a transaction: what a socket's buffer has room for. */
#define BITE 256

/* What an attempt met that was bound to no generation: look, and try again. */
static bool is_worth_a_look(int r)
{
	return r == -EEXIST || r == -ENOENT || r == -EBUSY;
}

bool table_is_race(int r)
{
	return r == -ERESTART || r == -EINTR;
}

/* What is done to entries, some at a time. */
struct work {
	struct nft *nft;
	const struct table_part *part;
	const struct owner *owner;
	struct table_entry *v;
	size_t done; /* elements, of those the work found to do */
	int (*some)(struct work *w, struct table_entry *v, size_t n,
		    bool is_retry, struct err *e);
};

/*
 * *@ret_at is where it stopped. Once an attempt has met something, all that
 * follow look first; what such a one meets is no race and stays.
 */
static int in_bites(struct work *w, size_t n, size_t *ret_at, struct err *e)
{
	size_t at = 0, size = BITE;
	bool looks = false;
	int tries = 0, r = 0;

	while (!r && at < n) {
		size_t bite = size < n - at ? size : n - at;

		r = w->some(w, w->v + at, bite, looks, e);
		if (!r) {
			at += bite;
			tries = 0;
			size = 2 * size < BITE ? 2 * size : BITE;
		} else if (!looks && is_worth_a_look(r)) {
			looks = true;
			r = 0;
		} else if (table_is_race(r) && tries++ < TRIES) {
			size = size > 1 ? size / 2 : 1;
			r = 0;
		}
	}
	*ret_at = at;
	return r;
}

/* --- targets that nothing refers to any more ----------------------------- */

static bool seen_before(const struct table_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].element.target, v[n].element.target))
			return true;
	return false;
}

/* How many of the entries refer to @target. */
static uint32_t count_uses(const struct table_entry *v, size_t n,
			   const char *target)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !strcmp(v[i].element.target, target);
	return count;
}

/* Delete the targets that only entries refer to that are deleted as well. */
static void delete_unused_targets(struct nft_batch *b, const struct work *w,
				  const struct table_entry *v, size_t n)
{
	const struct table_target *target = w->part->target;

	for (size_t i = 0; target && i < n; i++) {
		const char *name = v[i].element.target;
		uint32_t uses = count_uses(v, n, name), use;

		if (!*name || seen_before(v, i))
			continue;
		if (!target->count_uses(w->nft, name, &use, NULL) &&
		    use == uses)
			target->del(b, name);
	}
}

int table_count_gotos(struct nft *nft, const char *chain, uint32_t *ret,
		      struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct nft_rule *rules;
	uint32_t use;
	size_t n;
	int r = nft_find_chain(nft, chain, &use, e);

	if (!r)
		r = nft_list_rules(nft, chain, &a, &rules, &n, e);
	if (!r)
		*ret = use - (uint32_t)n;
	return r;
}

/* --- adding -------------------------------------------------------------- */

/* Which entries are the first with a target that is not there. Where one is
 * there, so is the part. */
static int find_targets(const struct work *w, const struct table_entry *v,
			size_t n, bool *missing, bool *ret_part, struct err *e)
{
	uint32_t use;

	*ret_part = false;
	for (size_t i = 0; w->part->target && i < n; i++) {
		const char *name = v[i].element.target;
		int r;

		if (!*name || seen_before(v, i))
			continue;
		r = w->part->target->find(w->nft, name, &use, e);
		if (r && r != -ENOENT)
			return r;
		missing[i] = r == -ENOENT;
		*ret_part |= !r;
	}
	return 0;
}

/* Put the table and the part into the transaction where they are missing. */
static int add_part(struct nft_batch *b, const struct work *w, struct err *e)
{
	int r = nft_find_set(w->nft, w->part->sets[0]->name, e);

	if (r != -ENOENT)
		return r;
	r = nft_find_table(w->nft, e);
	if (r == -ENOENT)
		nft_add_table(b);
	else if (r)
		return r;
	w->part->make(b, w->nft);
	return 0;
}

/* Everything that the elements need. */
static int add_missing(struct nft_batch *b, const struct work *w,
		       const struct table_entry *v, size_t n, struct err *e)
{
	bool *missing = arena_array(&b->arena, n, sizeof(*missing));
	bool has_part = false;
	int r;

	if (!missing)
		return err_oom(e);
	r = find_targets(w, v, n, missing, &has_part, e);
	if (!r && !has_part)
		r = add_part(b, w, e);
	for (size_t i = 0; !r && i < n; i++)
		if (missing[i])
			w->part->target->add(b, w->nft, v[i].element.target);
	return r;
}

/* Have what stands at the key replaced, if it may be: *@ret_old. */
static int replace(struct nft_batch *b, const struct work *w,
		   const struct table_entry *entry, struct table_entry *ret_old,
		   struct err *e)
{
	const struct nft_element *element = &entry->element;
	struct nft_element *old = &ret_old->element;
	int r = nft_find_element(w->nft, entry->set->name, &element->key, old,
				 NULL);

	if (r) { /* gone, or the transaction will tell */
		*old->target = '\0';
		return 0;
	}
	if (w->part->refuse && !owner_is(w->owner, old->comment))
		r = w->part->refuse(entry, old, e);
	if (!r)
		nft_delete_element(b, entry->set, element);
	return r;
}

/* Have what stands at the keys replaced, and what only that referred to
 * deleted. */
static int replace_all(struct nft_batch *b, const struct work *w,
		       const struct table_entry *v, size_t n, struct err *e)
{
	struct table_entry *old = arena_array(&b->arena, n, sizeof(*old));
	int r = 0;

	if (!old)
		return err_oom(e);
	for (size_t i = 0; !r && i < n; i++) {
		r = replace(b, w, &v[i], &old[i], e);
		if (count_uses(v, n, old[i].element.target))
			*old[i].element.target = '\0'; /* it stays */
	}
	if (!r)
		delete_unused_targets(b, w, old, n);
	return r;
}

/* A retry first takes away what stands at the keys; the transaction is then
 * bound to the generation at which it was seen. */
static int add_some(struct work *w, struct table_entry *v, size_t n,
		    bool is_retry, struct err *e)
{
	_nft_batch_ struct nft_batch b = { 0 };
	uint32_t generation;
	int r = is_retry ? nft_generation(w->nft, &generation, e) : 0;

	if (r)
		return r;
	nft_batch_init(&b, w->nft, is_retry ? &generation : NULL);
	r = add_missing(&b, w, v, n, e);
	if (!r && is_retry)
		r = replace_all(&b, w, v, n, e);
	for (size_t i = 0; !r && i < n; i++)
		nft_add_element(&b, v[i].set, &v[i].element);
	return r ? r : nft_commit(&b, e);
}

static int try_make(const struct work *w, struct err *e)
{
	_nft_batch_ struct nft_batch b = { 0 };
	int r;

	nft_batch_init(&b, w->nft, NULL);
	r = add_part(&b, w, e);
	return r || !b.n ? r : nft_commit(&b, e);
}

int table_make(struct netfilter *nf, const struct table_part *part,
	       struct err *e)
{
	struct nft nft = table_nft(nf, part);
	const struct work w = { .nft = &nft, .part = part };
	int r = try_make(&w, e);

	if (is_worth_a_look(r)) /* another was faster */
		r = try_make(&w, e);
	return r;
}

static int delete_entries(struct nft *nft, const struct table_part *part,
			  const struct owner *owner,
			  const struct table_entry *v, size_t n, struct err *e);

int table_fill_targets(const struct nft *nft, const struct table_entry *v,
		       size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		if (v[i].rule && !seen_before(v, i))
			r = nft_text_fill_chain(nft, v[i].element.target,
						v[i].rule, e);
	return r;
}

static int add(struct netfilter *nf, const struct table_part *part,
	       const struct owner *owner, struct table_entry *v, size_t n,
	       struct err *e)
{
	const struct owner_text comment = owner_text(owner);
	struct nft nft = table_nft(nf, part);
	struct work w = { .nft = &nft,
			  .part = part,
			  .owner = owner,
			  .v = v,
			  .some = add_some };
	size_t at = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		memcpy(v[i].element.comment, comment.text,
		       sizeof(comment.text));
	r = in_bites(&w, n, &at, e);
	if (!r)
		r = table_fill_targets(&nft, v, n, e);
	if (r && at)
		delete_entries(&nft, part, owner, v, at, NULL);
	return r;
}

/* Those of an ADD before this one that this one does not have. */
static int delete_outdated(struct netfilter *nf, const struct table_part *part,
			   const struct owner *owner,
			   const struct record *before,
			   const struct table_entry *v, size_t n, struct err *e)
{
	struct nft nft = table_nft(nf, part);
	size_t outdated = 0;

	for (size_t i = 0; i < before->n; i++)
		if (!record_has(v, n, &before->v[i]))
			before->v[outdated++] = before->v[i];
	if (!outdated)
		return 0;
	return delete_entries(&nft, part, owner, before->v, outdated, e);
}

int table_add(struct netfilter *nf, const struct table_part *part,
	      const struct owner *owner, struct table_entry *v, size_t n,
	      struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct record before = { 0 };
	int r;

	record_read(part, owner, &a, &before);
	if (!n && !before.n)
		return 0;
	record_write(part, owner, &before, v, n);
	r = add(nf, part, owner, v, n, e);
	if (r) {
		record_write(part, owner, &before, NULL, 0);
		return r;
	}
	r = delete_outdated(nf, part, owner, &before, v, n, e);
	if (!r && before.n)
		record_write(part, owner, NULL, v, n);
	return r;
}

int table_add_more(struct netfilter *nf, const struct table_part *part,
		   const struct owner *owner, struct table_entry *v, size_t n,
		   struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct record before = { 0 };
	int r;

	if (!n)
		return 0;
	record_read(part, owner, &a, &before);
	record_write(part, owner, &before, v, n);
	r = add(nf, part, owner, v, n, e);
	if (r)
		record_write(part, owner, &before, NULL, 0);
	return r;
}

/* --- deleting ------------------------------------------------------------ */

/* Those of the entries that have the comment they are expected to have: an
 * attachment's, or just what was read when they were listed. */
static int find_again(const struct work *w, const struct table_entry *v,
		      size_t n, struct table_entry *found, size_t *ret_n,
		      struct err *e)
{
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct table_entry *entry = &found[*ret_n];
		int r = nft_find_element(w->nft, v[i].set->name,
					 &v[i].element.key, &entry->element, e);

		if (r && r != -ENOENT)
			return r;
		if (r || (w->owner ? !owner_is(w->owner, entry->element.comment)
				   : strcmp(entry->element.comment,
					    v[i].element.comment) != 0))
			continue;
		entry->set = v[i].set;
		snprintf(entry->element.label, sizeof(entry->element.label),
			 "of %.60s", entry->element.comment);
		(*ret_n)++;
	}
	return 0;
}

static int delete_some(struct work *w, struct table_entry *v, size_t n,
		       bool is_retry, struct err *e)
{
	_nft_batch_ struct nft_batch b = { 0 };
	struct table_entry *found;
	uint32_t generation;
	size_t count = 0;
	int r = nft_generation(w->nft, &generation, e);

	(void)is_retry; /* each attempt looks first */
	if (r)
		return r;
	nft_batch_init(&b, w->nft, &generation);
	found = arena_array(&b.arena, n, sizeof(*found));
	r = found ? find_again(w, v, n, found, &count, e) : err_oom(e);
	if (r || !count)
		return r;
	for (size_t i = 0; i < count; i++)
		nft_delete_element(&b, found[i].set, &found[i].element);
	delete_unused_targets(&b, w, found, count);
	r = nft_commit(&b, e);
	if (!r)
		w->done += count;
	return r;
}

static int delete_matching(struct nft *nft, const struct table_part *part,
			   const struct table_filter *f, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct table_entries list = { 0 };
	struct work w = {
		.nft = nft, .part = part, .owner = f->owner, .some = delete_some
	};
	size_t at;
	int r = table_find(nft->nf, part, f, &arena, &list, e);

	w.v = list.v;
	return r ? r : in_bites(&w, list.n, &at, e);
}

static int delete_entries(struct nft *nft, const struct table_part *part,
			  const struct owner *owner,
			  const struct table_entry *v, size_t n, struct err *e)
{
	struct work w = { .nft = nft,
			  .part = part,
			  .owner = owner,
			  .v = (struct table_entry *)v, /* only read */
			  .some = delete_some };
	size_t at;

	return in_bites(&w, n, &at, e);
}

/* What is written down is all there is. Where nothing is, all sets are
 * searched. */
int table_del(struct netfilter *nf, const struct table_part *part,
	      const struct owner *owner, struct err *e)
{
	const struct table_filter f = { .owner = owner };
	_arena_ struct arena a = { 0 };
	struct nft nft = table_nft(nf, part);
	struct record record = { 0 };
	bool is_known = !record_read(part, owner, &a, &record);
	int r = is_known ? delete_entries(&nft, part, owner, record.v, record.n,
					  e)
			 : delete_matching(&nft, part, &f, e);

	if (nft_is_absent(r))
		r = 0;
	if (!r)
		owned_file_delete(owner, part->name);
	return r;
}

int table_gc(struct netfilter *nf, const struct table_part *part,
	     const char *network, const struct owner *valid, size_t n,
	     struct err *e)
{
	const struct table_filter f = { .network = network,
					.valid = valid,
					.valid_n = n };
	struct nft nft = table_nft(nf, part);
	int r = delete_matching(&nft, part, &f, e);

	if (nft_is_absent(r))
		r = 0;
	if (!r)
		owned_file_gc(part->name, network, valid, n);
	return r;
}
