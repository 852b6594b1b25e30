// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VLANs of a port, by the keys vlan, vlanTrunk and preserveDefaultVlan.
 *
 * Frames that come from the container without a tag are of the VLAN "vlan", or
 * with a trunk alone of VLAN 1, and that one's go to it without a tag; those of
 * the trunk go and come with one. Where the trunk names that VLAN as well, it
 * stays without. The default VLAN that the bridge has given the port is taken
 * from it, unless it is one of these or is to be kept. With "vlanTrunk": [] the
 * port has the default VLAN as it is.
 */
#include "interface/bridge/bridge.h"

#include <errno.h>

#include "interface/inspect.h"

#define NATIVE_VLAN 1

/* What the configuration asks for: without the default VLAN. */
static struct bridge_vlans configured(const struct bridge_vlan_conf *conf)
{
	struct bridge_vlans vlans = { .members = conf->trunk };

	if (conf->id)
		vlans.pvid = conf->id;
	else if (!vlan_set_is_empty(&conf->trunk))
		vlans.pvid = NATIVE_VLAN;
	if (vlans.pvid) {
		vlan_set_add(&vlans.members, vlans.pvid, vlans.pvid);
		vlan_set_add(&vlans.untagged, vlans.pvid, vlans.pvid);
	}
	return vlans;
}

static bool keeps_default(const struct bridge_vlans *wanted,
			  const struct bridge_vlan_conf *conf)
{
	return !wanted->pvid || conf->preserve_default;
}

int bridge_set_vlans(const struct netns *host, const struct link *bridge,
		     const struct link *port,
		     const struct bridge_vlan_conf *conf, struct err *e)
{
	const struct bridge_vlans wanted = configured(conf);
	uint16_t pvid = bridge->default_pvid;
	int r = 0;

	if (!wanted.pvid)
		return 0;
	if (pvid && !keeps_default(&wanted, conf) &&
	    !vlan_set_has(&wanted.members, pvid))
		r = bridge_vlan_delete(host, port, pvid, e);
	return r ? r : bridge_vlan_add(host, port, &wanted, e);
}

/* --- CHECK ----------------------------------------------------------------- */

/* What the port has to have: with the default VLAN, where it stays. */
static struct bridge_vlans expected(const struct link *bridge,
				    const struct bridge_vlan_conf *conf)
{
	struct bridge_vlans vlans = configured(conf);
	uint16_t pvid = bridge->default_pvid;

	if (!pvid || !keeps_default(&vlans, conf) ||
	    vlan_set_has(&vlans.members, pvid))
		return vlans;
	if (!vlans.pvid)
		vlans.pvid = pvid;
	vlan_set_add(&vlans.members, pvid, pvid);
	vlan_set_add(&vlans.untagged, pvid, pvid);
	return vlans;
}

static int differs(struct err *e, const struct link *port, unsigned id,
		   const char *how)
{
	return err_set(e, ERR_MISMATCH, ENOENT, "host interface %s %s VLAN %u",
		       port->name, how, id);
}

static int compare(const struct bridge_vlans *have,
		   const struct bridge_vlans *want, const struct link *port,
		   unsigned id, struct err *e)
{
	bool is_member = vlan_set_has(&want->members, id);
	bool is_untagged = vlan_set_has(&want->untagged, id);

	if (vlan_set_has(&have->members, id) != is_member)
		return differs(e, port, id,
			       is_member ? "is not in"
					 : "is, other than configured, in");
	if (is_member && vlan_set_has(&have->untagged, id) != is_untagged)
		return differs(e, port, id,
			       is_untagged ? "has a tag on frames of"
					   : "has no tag on frames of");
	return 0;
}

int bridge_check_vlans(const struct netns *host, const struct link *bridge,
		       const struct link *port,
		       const struct bridge_vlan_conf *conf, struct err *e)
{
	const struct bridge_vlans want = expected(bridge, conf);
	struct bridge_vlans have = { 0 };
	int r = 0;

	if (!conf->on)
		return 0;
	if (!bridge->vlan_filtering)
		return inspect_differs(e, "bridge", bridge->name,
				       "does not filter VLANs");
	r = bridge_vlan_get(host, port, &have, e);
	for (unsigned id = 1; !r && id <= VLAN_ID_MAX; id++)
		r = compare(&have, &want, port, id, e);
	if (!r && have.pvid != want.pvid)
		r = err_set(
			e, ERR_MISMATCH, ENOENT,
			"host interface %s has frames without a tag in VLAN %u, configured is %u",
			port->name, have.pvid, want.pvid);
	return r;
}
