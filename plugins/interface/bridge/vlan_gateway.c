// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's interface in a VLAN of a bridge: where the gateway of the VLAN's
 * containers has its addresses. It is the first of these that there is:
 *
 *   one named BRIDGE.VLAN: ours, an administrator's, or the veth pair that the
 *   reference makes, whose other end is a port of the bridge;
 *   the bridge itself, if it has that VLAN without a tag;
 *   a vlan device for it on top of the bridge, under whatever name.
 *
 * Else a vlan device is made: unlike a pair it takes no port of the bridge and
 * no time for each packet, and a kernel whose bridges filter VLANs has them
 * (net/bridge/Kconfig). The bridge must let the VLAN through to it, as to any
 * port. A name too long for an interface has the bridge's name hashed.
 *
 * Its alias says that it was made here, and whether the bridge was told to let
 * the VLAN through. It goes with the last port that has the VLAN as its own,
 * whoever's that is. An ADD has such a port before it looks for the gateway and
 * a DEL looks for such ports when its own has gone, so that the last one sees
 * none; making and taking away exclude each other by bridge_lock().
 *
 * It is brought up when all is done, and down before anything is undone: one
 * that is down was left by a call that was killed, and is made ready again.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "kernel/bridge_vlan.h"
#include "kernel/link_add.h"
#include "kernel/link_delete.h"
#include "kernel/sysctl.h"

#define MADE	    "gateway of the bridge's VLAN"
#define MADE_LET_IN MADE ", which was let in"

struct name {
	char text[IFNAMSIZ + 8]; /* of a VLAN's number nothing is cut */
};

/* BRIDGE.VLAN, or brHASH.VLAN. */
static struct name name_of(const char *bridge, uint16_t vlan)
{
	struct name name;
	char hash[9];

	snprintf(name.text, sizeof(name.text), "%s.%u", bridge, vlan);
	if (strlen(name.text) < IFNAMSIZ)
		return name;
	hash_hex(hash, sizeof(hash) - 1, bridge, NULL);
	snprintf(name.text, sizeof(name.text), "br%s.%u", hash, vlan);
	return name;
}

static bool is_vlan_device(const struct link *link, const struct link *bridge,
			   uint16_t vlan)
{
	return !strcmp(link->kind, "vlan") && link->iflink == bridge->index &&
	       link->vlan_id == vlan;
}

/* Made by an ADD: it says so, or is as one that was killed has left it. */
static bool is_made(const struct link *link, const struct link *bridge)
{
	const struct name name = name_of(bridge->name, link->vlan_id);

	if (!is_vlan_device(link, bridge, link->vlan_id) ||
	    strcmp(link->name, name.text) != 0)
		return false;
	if (!*link->alias)
		return !(link->flags & IFF_UP);
	return !strncmp(link->alias, MADE, strlen(MADE));
}

/* --- finding --------------------------------------------------------------- */

/* As the reference makes it. */
static bool is_pair_to(const struct netns *host, const struct link *link,
		       const struct link *bridge)
{
	struct link port;

	return !strcmp(link->kind, "veth") &&
	       !link_get_index(host, link->iflink, &port, NULL) &&
	       port.iflink == link->index && port.master == bridge->index;
}

static int find_by_name(const struct netns *host, const struct link *bridge,
			uint16_t vlan, struct link *ret, struct err *e)
{
	const struct name name = name_of(bridge->name, vlan);
	int r = link_get(host, name.text, ret, e);

	if (r || is_vlan_device(ret, bridge, vlan) ||
	    is_pair_to(host, ret, bridge))
		return r;
	return err_set(
		e, ERR_EXISTS, EEXIST,
		"\"%s\" already exists but is no interface in VLAN %u of bridge \"%s\"",
		name.text, vlan, bridge->name);
}

static int find_by_id(const struct netns *host, const struct link *bridge,
		      uint16_t vlan, struct link *ret, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct link *v = NULL;
	size_t n = 0;
	int r = link_list(host, &arena, &v, &n, e);

	for (size_t i = 0; !r && i < n; i++)
		if (is_vlan_device(&v[i], bridge, vlan)) {
			*ret = v[i];
			return 0;
		}
	return r ? r : -ENODEV;
}

int bridge_find_vlan_gateway(const struct netns *host,
			     const struct link *bridge, uint16_t vlan,
			     struct link *ret, struct err *e)
{
	struct bridge_vlans own = { 0 };
	int r = find_by_name(host, bridge, vlan, ret, e);

	if (r != -ENODEV)
		return r;
	r = bridge_vlan_get(host, bridge, &own, e);
	if (r)
		return r;
	if (vlan_set_has(&own.untagged, vlan)) {
		*ret = *bridge;
		return 0;
	}
	return find_by_id(host, bridge, vlan, ret, e);
}

/* --- making ---------------------------------------------------------------- */

static int make_device(const struct netns *host, const struct link *bridge,
		       uint16_t vlan, struct link *ret, struct err *e)
{
	const struct name name = name_of(bridge->name, vlan);
	const struct link_new link = { .name = name.text,
				       .into = host,
				       .lower = bridge->index };
	int r = link_add_vlan(host, &link, vlan, e);

	return r ? r : link_get(host, name.text, ret, e);
}

/* Say what it is, before the bridge is told: a call that is killed in between
 * leaves nothing that nobody knows of. */
static int label(const struct netns *host, const struct link *bridge,
		 uint16_t vlan, struct link *link, struct err *e)
{
	struct link_change change = { .alias = MADE };
	struct bridge_vlans own = { 0 };
	int r;

	if (*link->alias)
		return 0;
	r = bridge_vlan_get(host, bridge, &own, e);
	if (r)
		return r;
	if (!vlan_set_has(&own.members, vlan))
		change.alias = MADE_LET_IN;
	r = link_change(host, link->name, &change, e);
	return r ? r : link_get(host, link->name, link, e);
}

static int let_in(const struct netns *host, const struct link *bridge,
		  uint16_t vlan, const struct link *link, struct err *e)
{
	struct bridge_vlans own = { 0 };

	if (strcmp(link->alias, MADE_LET_IN) != 0)
		return 0;
	vlan_set_add(&own.members, vlan, vlan);
	return bridge_vlan_add(host, bridge, &own, e);
}

static int bring_up(const struct netns *host, const struct link *bridge,
		    uint16_t vlan, struct link *link, struct err *e)
{
	const struct link_change up = { .flags_on = IFF_UP };
	int r = 0;

	if (link->flags & IFF_UP)
		return 0;
	if (is_made(link, bridge)) {
		r = label(host, bridge, vlan, link, e);
		if (!r)
			r = let_in(host, bridge, vlan, link, e);
	}
	if (r)
		return r;
	sysctl_set(host, AF_INET6, link->name, "accept_ra", "0", NULL);
	return link_change(host, link->name, &up, e);
}

int bridge_vlan_gateway(const struct netns *host, const struct link *bridge,
			uint16_t vlan, struct link *ret, struct err *e)
{
	int r = bridge_find_vlan_gateway(host, bridge, vlan, ret, e);

	if (!r && (ret->flags & IFF_UP))
		return 0;
	if (r && r != -ENODEV)
		return r;
	bridge_lock(host, true);
	r = bridge_find_vlan_gateway(host, bridge, vlan, ret, e);
	if (r == -ENODEV)
		r = make_device(host, bridge, vlan, ret, e);
	if (!r)
		r = bring_up(host, bridge, vlan, ret, e);
	bridge_unlock(host);
	return r;
}

/* --- taking away ----------------------------------------------------------- */

/* A port that is none any more is in no VLAN. Where it cannot be seen, it is as
 * if it were. */
static bool has_vlan(const struct netns *host, const struct link *port,
		     uint16_t vlan)
{
	struct bridge_vlans vlans = { 0 };
	int r = bridge_vlan_get(host, port, &vlans, NULL);

	if (r)
		return r != -ENODEV && r != -EINVAL;
	return vlans.pvid == vlan;
}

/* Whether some port has it as its own VLAN. */
static bool is_in_use(const struct netns *host, const struct link *bridge,
		      uint16_t vlan)
{
	_arena_ struct arena arena = { 0 };
	struct link *v = NULL;
	size_t n = 0;

	if (link_list_ports(host, bridge->index, &arena, &v, &n, NULL))
		return true;
	for (size_t i = 0; i < n; i++)
		if (has_vlan(host, &v[i], vlan))
			return true;
	return false;
}

static int take_away(const struct netns *host, const struct link *bridge,
		     const struct link *link, struct err *e)
{
	const struct link_change down = { .flags_off = IFF_UP };
	int r = link_change(host, link->name, &down, e);

	if (!r && !strcmp(link->alias, MADE_LET_IN))
		r = bridge_vlan_delete(host, bridge, link->vlan_id, e);
	return r ? r : link_delete(host, link, e);
}

/* Most calls see that it is in use, and need no lock to see it. */
static int release(const struct netns *host, const struct link *bridge,
		   const struct link *seen, struct err *e)
{
	struct link link;
	int r = 0;

	if (!is_made(seen, bridge) || is_in_use(host, bridge, seen->vlan_id))
		return 0;
	bridge_lock(host, true);
	if (!link_get_index(host, seen->index, &link, NULL) &&
	    is_made(&link, bridge) && !is_in_use(host, bridge, link.vlan_id))
		r = take_away(host, bridge, &link, e);
	bridge_unlock(host);
	return r;
}

int bridge_release_vlan_gateway(const struct netns *host, const char *bridge,
				uint16_t vlan, struct err *e)
{
	const struct name name = name_of(bridge, vlan);
	struct link master, link;

	if (link_get(host, name.text, &link, NULL) ||
	    link_get(host, bridge, &master, NULL))
		return 0;
	return release(host, &master, &link, e);
}

int bridge_gc_vlan_gateways(const struct netns *host, const char *bridge,
			    struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct link master, *v = NULL;
	size_t n = 0;
	int first;

	if (link_get(host, bridge, &master, NULL))
		return 0;
	first = link_list(host, &arena, &v, &n, e);
	for (size_t i = 0; i < n; i++) {
		int r = release(host, &master, &v[i], first ? NULL : e);

		first = first ? first : r;
	}
	return first;
}
