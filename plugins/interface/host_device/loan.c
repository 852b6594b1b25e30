// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/host_device/loan.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "cni/args.h"
#include "interface/host_device/find.h"
#include "kernel/watch.h"

/* Namespaces end in the background, after RCU grace periods. */
#define NAMESPACE_END_MS 3000

void loan_lock(const struct netns *host)
{
	flock(host->fd, LOCK_EX);
}

void loan_unlock(const struct netns *host)
{
	flock(host->fd, LOCK_UN);
}

/* --- there ----------------------------------------------------------------- */

int loan_give(const struct netns *host, const struct netns *container,
	      const struct origin *origin, struct err *e)
{
	const struct link *link = &origin->link;
	const struct link_change name = { .alias = link->name };
	const struct link_change there = { .name = origin->owner.ifname,
					   .into = container };
	int r = link_change(host, link->name, &name, e);

	return r ? r : link_move(host, link, &there, e);
}

/* --- where it is ----------------------------------------------------------- */

struct place {
	const struct netns *ns;
	struct link link;
};

static bool same_mac(const struct link *a, const struct link *b)
{
	return a->has_mac == b->has_mac && !memcmp(a->mac, b->mac, MAC_LEN);
}

static bool is_same(const struct link *a, const struct link *b)
{
	return !strcmp(a->kind, b->kind) && same_mac(a, b);
}

/* Of two with that alias (one whose loan nobody ended, and another that got the
 * name since) it is the one with the MAC. */
static int find_alias(const struct netns *ns, const struct link *was,
		      struct link *ret)
{
	_arena_ struct arena arena = { 0 };
	const struct link *found = NULL;
	struct link *v;
	size_t n;
	int r = link_list(ns, &arena, &v, &n, NULL);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].alias, was->name) &&
		    (!found || same_mac(&v[i], was)))
			found = &v[i];
	if (!found)
		return -ENODEV;
	*ret = *found;
	return 0;
}

/* The container may have renamed it, or emptied its alias. */
static int find_inside(const struct netns *container,
		       const struct origin *origin, struct link *ret)
{
	const struct link *was = &origin->link;
	struct link named;
	int r = link_get(container, origin->owner.ifname, &named, NULL);
	bool is_named = !r;

	if (is_named && !strcmp(named.alias, was->name)) {
		*ret = named;
		return 0;
	}
	r = find_alias(container, was, ret);
	if (r != -ENODEV || !is_named || *named.alias || !is_same(&named, was))
		return r;
	*ret = named;
	return 0;
}

/* Under its name it is at home already: ADD did not get any further, or somebody
 * else has put it back. */
static int find_outside(const struct netns *host, const struct origin *origin,
			struct link *ret)
{
	const struct link *was = &origin->link;
	struct link named;

	if (!link_get(host, was->name, &named, NULL) &&
	    (!strcmp(named.alias, was->name) || is_same(&named, was))) {
		*ret = named;
		return 0;
	}
	return find_alias(host, was, ret);
}

static int locate(const struct netns *host, const struct netns *container,
		  const struct origin *origin, struct place *ret)
{
	int r = container ? find_inside(container, origin, &ret->link)
			  : -ENODEV;

	ret->ns = container;
	if (r != -ENODEV)
		return r;
	ret->ns = host;
	return find_outside(host, origin, &ret->link);
}

/* --- back ------------------------------------------------------------------ */

static int take_down(const struct place *at, struct err *e)
{
	const struct link_change down = { .flags_off = IFF_UP };

	if (!(at->link.flags & IFF_UP))
		return 0;
	return link_change(at->ns, at->link.name, &down, e);
}

static int check_name_is_free(const struct netns *host, const struct place *at,
			      const char *name, struct err *e)
{
	struct link other;
	int r = link_get(host, name, &other, e);

	if (r)
		return r == -ENODEV ? 0 : r;
	if (at->ns == host && other.index == at->link.index)
		return 0;
	return err_set(
		e, ERR_EXISTS, EEXIST,
		"interface \"%s\" %s is the host's \"%s\" and cannot be put back: another has that name now",
		at->link.name,
		at->ns == host ? "on the host" : "in the container", name);
}

/* It is renamed before it is moved, so that whoever watches the host's devices
 * (udev, NetworkManager) never meets the container's name. Where that cannot be,
 * the name being taken in the container, it is renamed with the move. */
static int move_home(const struct netns *host, const struct place *at,
		     const char *name, struct err *e)
{
	const struct link_change rename = { .name = name };
	const struct link_change again = { .name = at->link.name };
	const struct link_change move = { .name = name, .into = host };
	int r;

	if (at->ns == host)
		return strcmp(at->link.name, name) != 0
			       ? link_move(host, &at->link, &rename, e)
			       : 0;
	link_move(at->ns, &at->link, &rename, NULL);
	r = link_move(at->ns, &at->link, &move, e);
	if (r)
		link_move(at->ns, &at->link, &again, NULL);
	return r;
}

/* Now it has its name; the alias goes at last, with all that may be refused. */
static int restore(const struct netns *host, const struct link *was,
		   struct err *e)
{
	struct link_change change = {
		.alias = was->alias,
		.flags_on = was->flags & IFF_UP,
		.flags_off = ~was->flags & IFF_UP,
	};
	struct link now;
	int r = link_get(host, was->name, &now, e);

	if (r)
		return r;
	if (was->has_mac && !same_mac(was, &now))
		change.mac = was->mac;
	if (was->mtu && was->mtu != now.mtu)
		change.mtu = was->mtu;
	return link_change(host, was->name, &change, e);
}

int loan_return(const struct netns *host, const struct netns *container,
		const struct origin *origin, struct err *e)
{
	const struct link *was = &origin->link;
	struct place at;
	int r = locate(host, container, origin, &at);

	if (r == -ENODEV)
		return r;
	if (r)
		return err_set(e, ERR_IO, -r, "look for the host's \"%s\": %s",
			       was->name, strerror(-r));
	if (at.ns == host && !strcmp(at.link.name, was->name))
		return restore(host, was, e);
	r = take_down(&at, e);
	if (!r)
		r = check_name_is_free(host, &at, was->name, e);
	if (!r)
		r = move_home(host, &at, was->name, e);
	return r ? r : restore(host, was, e);
}

int loan_await(const struct netns *host, const struct origin *origin,
	       struct err *e)
{
	struct watch watch;
	int r = watch_open(host, RTNLGRP_LINK, NAMESPACE_END_MS, &watch, e);

	if (r)
		return r;
	do {
		loan_lock(host);
		r = loan_return(host, NULL, origin, e);
		loan_unlock(host);
	} while (r == -ENODEV && !watch_wait(&watch));
	watch_close(&watch);
	return r;
}

/* --- without a record ------------------------------------------------------ */

/* What host-device makes an alias of. (That of another plugin's interface is
 * longer.) */
static bool tells_a_name(const struct link *link)
{
	return *link->alias && !cni_check_ifname(link->alias, NULL);
}

/* Whether the kernel may have put it on the host. */
static bool may_have_fallen(const struct link *link, const char *ifname)
{
	return strcmp(link->alias, link->name) != 0 &&
	       (!strcmp(link->name, ifname) || !strncmp(link->name, "dev", 3));
}

static int find_fallen(const struct netns *host, const struct device_conf *conf,
		       const char *ifname, struct arena *a, struct link *ret)
{
	struct link was = { 0 };
	int r;

	if (conf->by == DEVICE_BY_NAME) {
		snprintf(was.name, sizeof(was.name), "%s",
			 conf->value[conf->by]);
		r = find_alias(host, &was, ret);
	} else {
		r = device_find(host, conf, a, ret, NULL);
	}
	return !r && !may_have_fallen(ret, ifname) ? -ENODEV : r;
}

int loan_guess(const struct netns *host, const struct netns *container,
	       const struct device_conf *conf, const struct owner *owner,
	       struct arena *a, struct origin *ret)
{
	struct origin guess = { .owner = *owner, .wanted = "" };
	struct link *link = &guess.link;
	int r = container ? link_get(container, owner->ifname, link, NULL)
			  : find_fallen(host, conf, owner->ifname, a, link);

	if (!r && !tells_a_name(link))
		r = -ENODEV;
	if (r)
		return r;
	memcpy(link->name, link->alias, sizeof(link->name) - 1);
	link->alias[0] = '\0';
	link->flags = 0; /* nobody knows whether it was up */
	*ret = guess;
	return 0;
}
