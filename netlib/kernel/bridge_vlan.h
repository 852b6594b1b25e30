// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VLANs of a bridge's ports, and of the bridge itself as the host's own port:
 * which a frame may have that comes or goes there, and whether it has a tag.
 * They count once the bridge filters VLANs. Where @port is the bridge, the host's
 * side is meant ("self" in the words of bridge(8)).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/netns.h"

struct link;

#define VLAN_ID_MAX 4094

struct vlan_set {
	uint64_t bits[(VLAN_ID_MAX + 64) / 64];
};

/* All from @first to @last, of 1..VLAN_ID_MAX. */
void vlan_set_add(struct vlan_set *set, unsigned first, unsigned last);
bool vlan_set_has(const struct vlan_set *set, unsigned id);
bool vlan_set_is_empty(const struct vlan_set *set);

struct bridge_vlans {
	uint16_t pvid; /* of frames that come without a tag; 0: none */
	struct vlan_set members;  /* with @pvid */
	struct vlan_set untagged; /* of @members: frames go without a tag */
};

/* Add them, or change their flags, in one request however many they are. The
 * others that the port has stay. */
int bridge_vlan_add(const struct netns *ns, const struct link *port,
		    const struct bridge_vlans *vlans, struct err *e);

/* That the port does not have it is success. */
int bridge_vlan_delete(const struct netns *ns, const struct link *port,
		       uint16_t id, struct err *e);

/* All VLANs of the port (Linux 5.6). */
int bridge_vlan_get(const struct netns *ns, const struct link *port,
		    struct bridge_vlans *ret, struct err *e);

/* Have the bridge filter VLANs. A kernel that cannot says that it did: look at
 * link.vlan_filtering. */
int bridge_vlan_filter(const struct netns *ns, const char *bridge,
		       struct err *e);
