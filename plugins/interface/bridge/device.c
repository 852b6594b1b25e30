// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bridge itself: found or made, and set up as the configuration asks.
 *
 * VLAN filtering is on from the start with a bridge that we make. Switching it
 * on later could cut others off: frames with a tag then pass only where a port
 * has that VLAN, which nobody had to say before. Containers' ports have the
 * bridge's default VLAN and use no tags, so with ports of ours alone it is
 * switched on. With any other port (an uplink may carry tags), or with a vlan
 * device on top of the bridge, that is for the administrator to do, and the
 * error says how. It stays on when the ADD fails later: who relies on it by then
 * is not to be seen.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "kernel/link_add.h"
#include "kernel/link_delete.h"
#include "kernel/sysctl.h"

void bridge_lock(const struct netns *host, bool exclusive)
{
	flock(host->fd, exclusive ? LOCK_EX : LOCK_SH);
}

void bridge_unlock(const struct netns *host)
{
	flock(host->fd, LOCK_UN);
}

/* --- VLAN filtering ------------------------------------------------------ */

/* One of ours; one without an alias and down has an ADD at work on it. */
static bool is_our_port(const struct link *link)
{
	if (!*link->alias)
		return !strcmp(link->kind, "veth") && !(link->flags & IFF_UP);
	return owner_is_some(link->alias);
}

/* Whether the interface might lose traffic when the bridge begins to filter. */
static bool is_in_danger(const struct link *link, const struct link *bridge)
{
	if (link->master == bridge->index)
		return !is_our_port(link);
	return link->iflink == bridge->index && !strcmp(link->kind, "vlan");
}

static int examine_filtering(const struct netns *host,
			     const struct link *bridge,
			     const struct bridge_vlan_conf *conf, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct link *v = NULL;
	size_t n = 0;
	int r;

	if (!conf->on || bridge->vlan_filtering)
		return 0;
	r = link_list(host, &arena, &v, &n, e);
	for (size_t i = 0; !r && i < n; i++)
		if (is_in_danger(&v[i], bridge))
			r = err_set(
				e, ERR_EXISTS, EBUSY,
				"bridge \"%s\" does not filter VLANs, which \"%s\" needs, and beginning to might cut off \"%s\", which is not ours; if it does not: ip link set %s type bridge vlan_filtering 1",
				bridge->name, conf->id ? "vlan" : "vlanTrunk",
				v[i].name, bridge->name);
	return r;
}

static int cannot_filter(const struct bridge_conf *conf, struct err *e)
{
	return err_set(
		e, ERR_UNSUPPORTED, EOPNOTSUPP,
		"bridge \"%s\": this kernel's bridges cannot filter VLANs, which \"%s\" needs",
		conf->bridge, conf->vlan.id ? "vlan" : "vlanTrunk");
}

/* A kernel that cannot refuses, or says nothing and does nothing. */
static int filter_vlans(struct bridge_attachment *at, struct err *e)
{
	int r;

	if (!at->conf.vlan.on || at->bridge.vlan_filtering)
		return 0;
	r = bridge_vlan_filter(&at->host, at->bridge.name, e);
	if (!r)
		r = link_get(&at->host, at->bridge.name, &at->bridge, e);
	if (r == -EOPNOTSUPP || (!r && !at->bridge.vlan_filtering))
		return cannot_filter(&at->conf, e);
	return r;
}

/* --- the bridge ---------------------------------------------------------- */

int bridge_examine(const struct netns *host, const struct bridge_conf *conf,
		   struct link *ret, struct err *e)
{
	int r = link_get(host, conf->bridge, ret, e);

	if (r)
		return r;
	if (strcmp(ret->kind, "bridge") != 0)
		return err_set(e, ERR_EXISTS, EEXIST,
			       "\"%s\" already exists but is not a bridge",
			       conf->bridge);
	return examine_filtering(host, ret, &conf->vlan, e);
}

static int make_bridge(struct bridge_attachment *at, struct err *e)
{
	uint8_t mac[MAC_LEN];
	const struct bridge_new bridge = { .name = at->conf.bridge,
					   .mac = mac,
					   .mtu = at->mtu,
					   .vlan_filtering = at->conf.vlan.on };
	int r = link_random_mac(mac, e);

	if (r)
		return r;
	r = link_add_bridge(&at->host, &bridge, e);
	at->made_bridge = !r;
	if (r == -EOPNOTSUPP && at->conf.vlan.on)
		return cannot_filter(&at->conf, e);
	if (!r || r == -EEXIST) /* another call was faster */
		r = bridge_examine(&at->host, &at->conf, &at->bridge, e);
	return r;
}

/* Up, promiscuous if so configured, and deaf to what a container might want to
 * configure the host with (CVE-2020-10749). */
static int set_up_bridge(struct bridge_attachment *at, struct err *e)
{
	const struct link_change change = {
		.flags_on = IFF_UP | (at->conf.promisc ? IFF_PROMISC : 0)
	};

	sysctl_set(&at->host, AF_INET6, at->bridge.name, "accept_ra", "0",
		   NULL);
	if ((at->bridge.flags & change.flags_on) == change.flags_on)
		return 0;
	return link_change(&at->host, at->bridge.name, &change, e);
}

int bridge_ensure(struct bridge_attachment *at, struct err *e)
{
	int r = bridge_examine(&at->host, &at->conf, &at->bridge, e);

	at->made_bridge = false;
	if (r == -ENODEV)
		r = make_bridge(at, e);
	if (!r)
		r = filter_vlans(at, e);
	return r ? r : set_up_bridge(at, e);
}

static bool has_ports(const struct netns *host, int bridge)
{
	_arena_ struct arena arena = { 0 };
	struct link *v;
	size_t n;

	return link_list_ports(host, bridge, &arena, &v, &n, NULL) || n;
}

/* Nobody is between finding it and having a port on it. */
int bridge_delete_unused(const struct netns *host, const char *name,
			 struct err *e)
{
	struct link bridge;
	int r;

	bridge_lock(host, true);
	r = link_get(host, name, &bridge, e);
	if (!r && !strcmp(bridge.kind, "bridge") &&
	    !has_ports(host, bridge.index))
		r = link_delete(host, &bridge, e);
	bridge_unlock(host);
	return r == -ENODEV ? 0 : r;
}

void bridge_undo(const struct bridge_attachment *at)
{
	if (at->made_bridge)
		bridge_delete_unused(&at->host, at->conf.bridge, NULL);
}
