// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/reload.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/firewall_table.h"
#include "service/hostport_table.h"
#include "service/masquerade.h"
#include "service/record.h"
#include "service/spoof.h"
#include "service/table.h"

/* Elements to a transaction that any socket's buffer has room for. */
#define BITE 256

static const struct table_part *const parts[] = {
	&masquerade_part,    &hostport_part, &firewall_part,
	&firewall_port_part, &spoof_part,    NULL,
};

/* The records of one part. */
struct section {
	const struct table_part *part;
	struct record *v;
	size_t n;
};

/* A namespace that has gone takes its container with it; what it had here goes
 * with DEL or GC. */
static bool is_live(const struct record *record)
{
	return !*record->owner.netns || !access(record->owner.netns, F_OK);
}

static int load(struct section *s, struct arena *a, struct err *e)
{
	size_t live = 0;
	int r = record_list(s->part, a, &s->v, &s->n, e);

	if (r)
		return r;
	for (size_t i = 0; i < s->n; i++)
		if (is_live(&s->v[i]))
			s->v[live++] = s->v[i];
	s->n = live;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* The targets of all elements, sorted. */
static const char **list_targets(const struct section *s, struct arena *a,
				 size_t *ret_n)
{
	const char **v;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->v[i].n;
	v = arena_array(a, n, sizeof(*v));
	n = 0;
	for (size_t i = 0; v && i < s->n; i++)
		for (size_t k = 0; k < s->v[i].n; k++)
			v[n++] = s->v[i].v[k].element.target;
	if (v)
		qsort(v, n, sizeof(*v), compare_names);
	*ret_n = n;
	return v;
}

/* Each once. */
static int add_targets(struct nft_batch *b, const struct nft *nft,
		       const struct section *s, struct err *e)
{
	const char **v;
	size_t n;

	if (!s->part->target)
		return 0;
	v = list_targets(s, &b->arena, &n);
	if (!v)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (*v[i] && (!i || strcmp(v[i - 1], v[i]) != 0))
			s->part->target->add(b, nft, v[i]);
	return 0;
}

/* Those that are not there; where another's stands the record is out of date. */
static int add_elements(struct nft_batch *b, struct nft *nft,
			const struct record *record, size_t *count,
			struct err *e)
{
	for (size_t i = 0; i < record->n; i++) {
		const struct table_entry *entry = &record->v[i];
		struct nft_element is;
		int r = nft_find_element(nft, entry->set->name,
					 &entry->element.key, &is, e);

		if (!r)
			continue;
		if (r != -ENOENT)
			return r;
		nft_add_element(b, entry->set, &entry->element);
		(*count)++;
	}
	return 0;
}

static int add_section(struct nft_batch *b, struct nft *nft,
		       const struct section *s, struct reload_report *report,
		       struct err *e)
{
	int r;

	if (!s->n)
		return 0;
	nft->family = s->part->family; /* that of the messages that follow */
	nft_add_table(b);
	s->part->make(b, nft);
	r = add_targets(b, nft, s, e);
	for (size_t i = 0; !r && i < s->n; i++)
		r = add_elements(b, nft, &s->v[i], &report->elements, e);
	return r;
}

static int try_reload(struct nft *nft, const struct section *v, size_t n,
		      struct reload_report *report, struct err *e)
{
	_nft_batch_ struct nft_batch b = { 0 };
	int r = 0;

	memset(report, 0, sizeof(*report));
	nft_batch_init(&b, nft, NULL);
	b.repairs = true;
	for (size_t i = 0; !r && i < n; i++)
		r = add_section(&b, nft, &v[i], report, e);
	return r || !b.n ? r : nft_commit(&b, e);
}

static int compare_owners(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strncmp(*x, *y, OWNER_KEY_LEN);
}

/* An attachment may be in several sections. */
static int count_attachments(const struct section *v, size_t n, struct arena *a,
			     size_t *ret, struct err *e)
{
	size_t all = 0, at = 0;
	const char **owners;

	for (size_t i = 0; i < n; i++)
		all += v[i].n;
	owners = arena_array(a, all, sizeof(*owners));
	if (!owners)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].n; k++)
			owners[at++] = v[i].v[k].text;
	qsort(owners, all, sizeof(*owners), compare_owners);
	*ret = 0;
	for (size_t i = 0; i < all; i++)
		*ret += !i || compare_owners(&owners[i - 1], &owners[i]);
	return 0;
}

/* The rules that users wrote, once the chains they go into are there. */
static int fill_targets(struct nft *nft, const struct section *s, struct err *e)
{
	int r = 0;

	nft->family = s->part->family;
	for (size_t i = 0; !r && i < s->n; i++)
		r = table_fill_targets(nft, s->v[i].v, s->v[i].n, e);
	return r;
}

/* A transaction for some elements of one record. What another attachment has by
 * now makes the record out of date, and is no error. */
static int reload_piece(struct nft *nft, const struct table_part *part,
			const struct record *record, size_t at, size_t n,
			struct reload_report *report, struct err *e)
{
	struct record piece = *record;
	const struct section one = { .part = part, .v = &piece, .n = 1 };
	struct reload_report own;
	int r;

	piece.v += at;
	piece.n = n;
	r = try_reload(nft, &one, 1, &own, e);
	if (!r)
		report->elements += own.elements;
	return r == -EEXIST || r == -EBUSY ? 0 : r;
}

/* Where it cannot be one transaction (a socket's buffer is too small and may not
 * grow, a record is wrong): what can be put back is. */
static int reload_pieces(struct nft *nft, const struct section *s,
			 struct reload_report *report, struct err *e)
{
	int first = 0;

	for (size_t i = 0; i < s->n; i++)
		for (size_t at = 0; at < s->v[i].n; at += BITE) {
			size_t left = s->v[i].n - at;
			int r = reload_piece(nft, s->part, &s->v[i], at,
					     left < BITE ? left : BITE, report,
					     first ? NULL : e);

			first = first ? first : r;
		}
	return first;
}

static int reload_all(struct nft *nft, const struct section *v, size_t n,
		      struct reload_report *report, struct err *e)
{
	int first = try_reload(nft, v, n, report, NULL);

	if (!first)
		return 0;
	memset(report, 0, sizeof(*report));
	first = 0;
	for (size_t i = 0; i < n; i++) {
		int r = reload_pieces(nft, &v[i], report, first ? NULL : e);

		first = first ? first : r;
	}
	return first;
}

int reload(struct reload_report *ret, struct err *e)
{
	struct section sections[sizeof(parts) / sizeof(*parts)] = { 0 };
	_arena_ struct arena arena = { 0 };
	_netfilter_ struct netfilter nf = { 0 };
	struct nft nft = { &nf, NFPROTO_INET, TABLE_NAME };
	size_t n = 0;
	int first, r = 0;

	for (; !r && parts[n]; n++) {
		sections[n].part = parts[n];
		r = load(&sections[n], &arena, e);
	}
	if (r)
		return r;
	first = reload_all(&nft, sections, n, ret, e);
	for (size_t i = 0; i < n; i++) {
		r = fill_targets(&nft, &sections[i], first ? NULL : e);
		first = first ? first : r;
	}
	r = count_attachments(sections, n, &arena, &ret->attachments,
			      first ? NULL : e);
	return first ? first : r;
}
