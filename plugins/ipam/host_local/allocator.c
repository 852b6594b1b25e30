// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The store is locked and nobody else takes or frees addresses while we work.
 * So an ADD first chooses an address of every set, which needs no undo,
 * and then reserves them. Only that second step can leave something behind,
 * and it takes back just what it did itself.
 */
#include "allocator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct choice {
	const struct range *range;
	struct ip_addr addr;
};

struct allocation {
	const struct host_local_config *conf;
	struct ipam_store *store;
	const struct ipam_owner *owner;
	struct choice *choices; /* one a set */
	bool *used;		/* the requested addresses that found a set */
};

/* --- the next free address ----------------------------------------------- */

static bool find_between(const struct range_set *set, struct ipam_store *store,
			 struct ip_addr from, const struct ip_addr *last,
			 struct ip_addr *ret)
{
	while (ipam_store_find_free(store, from, last, ret)) {
		if (!range_set_has_gateway(set, ret))
			return true;
		if (ip_equal(ret, last))
			return false;
		from = ip_next(*ret);
	}
	return false;
}

/* From the address after @last to the end of its range, then through the
 * following ranges and, around, through its own. NULL: from the beginning. */
static bool find_after(const struct range_set *set, struct ipam_store *store,
		       const struct ip_addr *last, struct ip_addr *ret)
{
	const struct range *range = last ? range_set_find(set, last) : NULL;
	size_t n = set->ranges.n, first = 0;

	if (range) {
		first = (size_t)(range - set->ranges.v) + 1;
		if (!ip_equal(last, &range->end) &&
		    find_between(set, store, ip_next(*last), &range->end, ret))
			return true;
	}
	for (size_t i = 0; i < n; i++) {
		range = &set->ranges.v[(first + i) % n];
		if (find_between(set, store, range->start, &range->end, ret))
			return true;
	}
	return false;
}

static int choose_next(const struct range_set *set, size_t index,
		       struct ipam_store *store, struct ip_addr *ret,
		       struct err *e)
{
	struct ip_addr addr;
	bool known = ipam_store_last_reserved(store, index, &addr);
	const struct ip_addr *last = known ? &addr : NULL;

	if (find_after(set, store, last, ret))
		return 0;
	ipam_store_forget_abandoned(store);
	if (find_after(set, store, last, ret))
		return 0;
	return err_set(e, ERR_EXHAUSTED, ENOSPC,
		       "no IP addresses available in range set: %s",
		       range_set_text(set).text);
}

/* --- one address of every set -------------------------------------------- */

/* The first requested address that lies in the set; NULL when none does. */
static const struct ip_addr *find_requested(const struct allocation *al,
					    const struct range_set *set)
{
	for (size_t i = 0; i < al->conf->requested.n; i++) {
		if (al->used[i] ||
		    !range_set_find(set, &al->conf->requested.v[i]))
			continue;
		al->used[i] = true;
		return &al->conf->requested.v[i];
	}
	return NULL;
}

static int check_requested(const struct allocation *al,
			   const struct range_set *set,
			   const struct ip_addr *addr, struct err *e)
{
	char text[IP_TEXT_MAX];

	ip_text(addr, text);
	if (range_set_has_gateway(set, addr))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "requested ip %s is subnet's gateway", text);
	if (!ipam_store_is_free(al->store, addr))
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"requested IP address %s is not available in range set %s",
			text, range_set_text(set).text);
	return 0;
}

static int check_no_duplicate(const struct allocation *al,
			      const struct range_set *set, const ip_list *owned,
			      struct err *e)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < owned->n; i++)
		if (range_set_find(set, &owned->v[i]))
			return err_set(
				e, ERR_EXISTS, EEXIST,
				"%s has been allocated to %s, duplicate allocation is not allowed",
				ip_text(&owned->v[i], text),
				al->owner->container_id);
	return 0;
}

static int choose(const struct allocation *al, size_t index,
		  const ip_list *owned, struct err *e)
{
	const struct range_set *set = &al->conf->sets.v[index];
	const struct ip_addr *requested = find_requested(al, set);
	struct choice *choice = &al->choices[index];
	int r;

	if (requested) {
		choice->addr = *requested;
		r = check_requested(al, set, requested, e);
	} else {
		r = check_no_duplicate(al, set, owned, e);
		if (!r)
			r = choose_next(set, index, al->store, &choice->addr,
					e);
	}
	if (r)
		err_wrap(e, "failed to allocate for range %zu", index);
	else
		choice->range = range_set_find(set, &choice->addr);
	return r;
}

static int check_all_used(const struct allocation *al, struct err *e)
{
	char list[512] = "", text[IP_TEXT_MAX];

	for (size_t i = 0; i < al->conf->requested.n; i++) {
		size_t used = strlen(list);

		if (!al->used[i])
			snprintf(list + used, sizeof(list) - used, " %s",
				 ip_text(&al->conf->requested.v[i], text));
	}
	if (!*list)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "failed to allocate all requested IPs:%s", list);
}

static int choose_all(const struct allocation *al, struct arena *a,
		      struct err *e)
{
	ip_list owned = { 0 };
	int r = ipam_store_owned(al->store, al->owner, a, &owned, e);

	for (size_t i = 0; !r && i < al->conf->sets.n; i++)
		r = choose(al, i, &owned, e);
	return r ? r : check_all_used(al, e);
}

static int reserve_all(const struct allocation *al, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < al->conf->sets.n; i++) {
		r = ipam_store_reserve(al->store, &al->choices[i].addr,
				       al->owner, e);
		if (r)
			break;
	}
	if (!r)
		return 0;
	while (i--)
		ipam_store_release(al->store, &al->choices[i].addr, al->owner,
				   NULL);
	return r;
}

/* --- outside ------------------------------------------------------------- */

static int fill_result(const struct allocation *al, struct arena *a,
		       struct cni_result *ret, struct err *e)
{
	for (size_t i = 0; i < al->conf->sets.n; i++) {
		const struct choice *choice = &al->choices[i];
		struct cni_ip *ip = cni_result_add_ip(ret, a);

		if (!ip)
			return err_oom(e);
		ip->address.addr = choice->addr;
		ip->address.len = choice->range->subnet.len;
		ip->gateway = choice->range->gateway;
	}
	return 0;
}

int host_local_allocate(const struct host_local_config *conf,
			struct ipam_store *store,
			const struct ipam_owner *owner, struct arena *a,
			struct cni_result *ret, struct err *e)
{
	struct allocation al = {
		.conf = conf,
		.store = store,
		.owner = owner,
		.choices = arena_array(a, conf->sets.n, sizeof(*al.choices)),
		.used = arena_array(a, conf->requested.n, sizeof(*al.used)),
	};
	int r;

	if (!al.choices || !al.used)
		return err_oom(e);
	r = choose_all(&al, a, e);
	if (!r) /* before anything is reserved, which would have to be undone */
		r = fill_result(&al, a, ret, e);
	if (!r)
		r = reserve_all(&al, e);
	if (r)
		return r;
	for (size_t i = 0; i < conf->sets.n; i++)
		ipam_store_set_last_reserved(store, i, &al.choices[i].addr);
	return 0;
}

int host_local_check_free(const struct host_local_config *conf, size_t index,
			  struct ipam_store *store, struct err *e)
{
	struct ip_addr addr;

	return choose_next(&conf->sets.v[index], index, store, &addr, e);
}
