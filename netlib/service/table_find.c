// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/table_find.h"

#include <errno.h>
#include <string.h>

/* How often to list when others change the ruleset meanwhile: a listing may
 * miss what moves, and the kernel does not say so. */
#define LISTINGS 8

static bool matches(const struct table_filter *f, const char *comment)
{
	if (f->owner)
		return owner_is(f->owner, comment);
	return owner_is_stale(f->network, f->valid, f->valid_n, comment);
}

/* Append the matching elements of one set. */
static int search_set(struct nft *nft, const struct nft_set_spec *set,
		      const struct table_filter *f, struct arena *a,
		      struct table_entries *list, struct err *e)
{
	struct nft_element *all = NULL;
	struct table_entry *v;
	size_t n = 0;
	int r = nft_list_elements(nft, set->name, a, &all, &n, e);

	if (r || !n)
		return r;
	v = arena_array(a, list->n + n, sizeof(*v));
	if (!v)
		return err_oom(e);
	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	list->v = v;
	for (size_t i = 0; i < n; i++)
		if (matches(f, all[i].comment))
			list->v[list->n++] =
				(struct table_entry){ .set = set,
						      .element = all[i] };
	return 0;
}

static int search(struct nft *nft, const struct table_part *part,
		  const struct table_filter *f, struct arena *a,
		  struct table_entries *ret, struct err *e)
{
	uint32_t before, after;
	int r = nft_generation(nft, &after, e);

	for (int i = 0; !r && i < LISTINGS; i++) {
		before = after;
		ret->n = 0;
		for (size_t k = 0; (!r || r == -EINTR) && part->sets[k]; k++)
			r = search_set(nft, part->sets[k], f, a, ret, e);
		if (!r || r == -EINTR)
			r = nft_generation(nft, &after, e);
		if (!r && after == before)
			break;
	}
	return r;
}

int table_find(struct netfilter *nf, const struct table_part *part,
	       const struct table_filter *f, struct arena *a,
	       struct table_entries *ret, struct err *e)
{
	struct nft nft = table_nft(nf, part);
	int r = search(&nft, part, f, a, ret, e);

	return nft_is_absent(r) ? 0 : r;
}

static bool is_as_added(const struct owner *owner,
			const struct nft_element *want,
			const struct nft_element *is)
{
	return owner_is(owner, is->comment) &&
	       !strcmp(want->target, is->target) &&
	       nft_value_equal(&want->value, &is->value);
}

int table_check(struct netfilter *nf, const struct table_part *part,
		const struct owner *owner, const struct table_entry *v,
		size_t n, struct err *e)
{
	struct nft nft = table_nft(nf, part);
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		const struct nft_element *want = &v[i].element;
		struct nft_element is;

		r = nft_find_element(&nft, v[i].set->name, &want->key, &is, e);
		if (!r && !is_as_added(owner, want, &is))
			r = -ENOENT;
		if (r == -ENOENT)
			err_set(e, ERR_MISMATCH, ENOENT,
				"%s: %s of table " TABLE_NAME
				" has no element %s of this attachment",
				part->what, v[i].set->name, want->label);
	}
	return r;
}

int table_status(struct netfilter *nf, const struct table_part *part,
		 struct err *e)
{
	struct nft nft = table_nft(nf, part);
	uint32_t generation;

	return nft_generation(&nft, &generation, e);
}
