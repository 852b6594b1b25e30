// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ifb of an attachment. The reference's name for it says the network and the
 * container, not the interface: of a container's several interfaces on one network
 * the first has that name, and the others have names of their own.
 *
 * Those of the reference have no alias, and are up from the start; one of ours has
 * no alias as long as it is down.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "kernel/link_add.h"
#include "kernel/link_delete.h"
#include "meta/bandwidth/bandwidth.h"

#define PREFIX	    "bwp"
#define NAME_DIGITS (IFNAMSIZ - 1 - (sizeof(PREFIX) - 1))

/* --- names ---------------------------------------------------------------------- */

struct name {
	char text[IFNAMSIZ];
};

static struct name reference_name(const struct owner *o)
{
	struct name name = { PREFIX };

	hash_hex(name.text + strlen(PREFIX), NAME_DIGITS, o->network,
		 o->container_id, NULL);
	return name;
}

static struct name own_name(const struct owner *o)
{
	struct name name = { PREFIX };

	hash_hex(name.text + strlen(PREFIX), NAME_DIGITS, owner_key(o).text,
		 NULL);
	return name;
}

static bool is_ifb(const struct link *link)
{
	return !strcmp(link->kind, "ifb");
}

/* Whether the reference would give an ifb such a name. */
static bool is_like_the_reference(const struct link *link)
{
	return is_ifb(link) && !*link->alias &&
	       !strncmp(link->name, PREFIX, strlen(PREFIX)) &&
	       strspn(link->name + strlen(PREFIX), "0123456789abcdef") ==
		       NAME_DIGITS;
}

/* --- making --------------------------------------------------------------------- */

/* Of an ADD that was killed, or of the reference's for the same interface. */
static bool is_leftover(const struct netns *host, const struct cni_call *call,
			const struct link *port, const struct link *link)
{
	const struct owner owner = cni_owner(call);

	if (!is_ifb(link) || *link->alias)
		return is_ifb(link) && owner_is(&owner, link->alias);
	return !(link->flags & IFF_UP) ||
	       is_redirected(host, port, link, call->arena);
}

/* -EEXIST where another has the name. */
static int add(const struct netns *host, const struct cni_call *call,
	       const struct link *port, const struct name *name, struct err *e)
{
	const struct link_new ifb = { .name = name->text,
				      .into = host,
				      .mtu = port->mtu };
	struct link there;
	int r = link_add_ifb(host, &ifb, e);

	if (r != -EEXIST || link_get(host, name->text, &there, NULL) ||
	    !is_leftover(host, call, port, &there))
		return r;
	r = link_delete(host, &there, e);
	return r ? r : link_add_ifb(host, &ifb, e);
}

int ifb_add(const struct netns *host, const struct cni_call *call,
	    const struct link *port, struct link *ret, struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct name name = reference_name(&owner);
	int r = add(host, call, port, &name, e);

	if (r == -EEXIST) {
		name = own_name(&owner);
		r = add(host, call, port, &name, e);
	}
	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, EEXIST,
			       "interface \"%s\" already exists", name.text);
	if (r)
		return r;
	r = link_get(host, name.text, ret, e);
	if (r && !link_get(host, name.text, ret, NULL))
		link_delete(host, ret, NULL);
	return r;
}

int ifb_set_up(const struct netns *host, const struct cni_call *call,
	       const struct link *ifb, struct err *e)
{
	const struct owner owner = cni_owner(call);
	const struct owner_text alias = owner_text(&owner);
	const struct link_change change = { .flags_on = IFF_UP,
					    .alias = alias.text };

	return link_change(host, ifb->name, &change, e);
}

/* --- finding, deleting ------------------------------------------------------------ */

/* What has the names that this attachment's may have. */
struct candidates {
	struct link v[2];
	bool is_ours[2];
	bool is_reference; /* the first one: of some interface of the container */
};

static void look(const struct netns *host, const struct cni_call *call,
		 struct candidates *ret)
{
	const struct owner owner = cni_owner(call);
	const struct name names[] = { reference_name(&owner),
				      own_name(&owner) };

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < 2; i++)
		ret->is_ours[i] =
			!link_get(host, names[i].text, &ret->v[i], NULL) &&
			is_ifb(&ret->v[i]) && owner_is(&owner, ret->v[i].alias);
	ret->is_ours[1] |= is_like_the_reference(&ret->v[1]);
	ret->is_reference = is_like_the_reference(&ret->v[0]);
}

int ifb_find(const struct netns *host, const struct cni_call *call,
	     struct link *ret, struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct candidates there;

	look(host, call, &there);
	if (!there.is_ours[0] && !there.is_ours[1] && !there.is_reference)
		return err_set(e, ERR_MISMATCH, ENODEV,
			       "there is no interface \"%s\"",
			       reference_name(&owner).text);
	*ret = there.v[!there.is_ours[0] && there.is_ours[1]];
	return 0;
}

/* There may be two, of an ADD that was killed and one after it. */
int ifb_del(const struct netns *host, const struct cni_call *call,
	    struct err *e)
{
	struct candidates there;
	int first = 0;

	look(host, call, &there);
	there.is_ours[0] |= there.is_reference && !there.is_ours[1];
	for (int i = 0; i < 2; i++) {
		int r = there.is_ours[i] ? link_delete(host, &there.v[i],
						       first ? NULL : e)
					 : 0;

		first = first ? first : r;
	}
	return first;
}

/* --- GC --------------------------------------------------------------------------- */

/* What the reference left has no sign of whose it was, but one that is of use has
 * packets redirected to it, by a filter that ends with the container's pair. */
static bool is_unused(const struct netns *host, const struct link *v, size_t n,
		      const struct link *ifb, struct arena *a)
{
	for (size_t i = 0; i < n; i++)
		if (is_redirected(host, &v[i], ifb, a))
			return false;
	return true;
}

static bool is_valid_by_name(const struct owner *valid, size_t n,
			     const struct link *ifb)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(reference_name(&valid[i]).text, ifb->name))
			return true;
	return false;
}

int ifb_gc(const struct cni_call *call, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct owner *valid = NULL;
	struct link *v = NULL;
	size_t n = 0, n_valid = 0;
	int first = cni_valid_owners(call, &valid, &n_valid, e);

	if (first || !valid)
		return first;
	first = netns_open_own(&host, e);
	if (!first)
		first = link_list(&host, call->arena, &v, &n, e);
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if ((is_ifb(&v[i]) && owner_is_stale(call->conf->name, valid,
						     n_valid, v[i].alias)) ||
		    (is_like_the_reference(&v[i]) &&
		     !is_valid_by_name(valid, n_valid, &v[i]) &&
		     is_unused(&host, v, n, &v[i], call->arena)))
			r = link_delete(&host, &v[i], first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}
