// SPDX-License-Identifier: GPL-2.0-or-later
/* The bridge plugin's own keys. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cni/mac.h"
#include "cni/plugin.h"
#include "interface/mtu.h"
#include "kernel/bridge_vlan.h"
#include "service/ip_masq.h"

/* The VLANs of the port. */
struct bridge_vlan_conf {
	bool on; /* the bridge filters VLANs: a key says something, be it [] */
	uint16_t id;	       /* of frames without a tag; 0: not said */
	struct vlan_set trunk; /* of frames with one */
	bool preserve_default; /* the one that the bridge gives each port */
};

struct bridge_conf {
	const char *bridge;
	bool is_gateway;
	bool is_default_gateway;
	bool force_address;
	struct ip_masq masq;
	struct mtu_conf mtu;
	bool hairpin;
	bool promisc;
	bool port_isolation;
	bool enable_dad;
	bool mac_spoof_check;
	bool ip_spoof_check; /* our own key; implies the other */
	bool disable_container_interface;
	bool delete_unused; /* our own key: the bridge goes with its last port */
	struct bridge_vlan_conf vlan;
	struct cni_mac mac; /* of the container's interface */
};

/* Decode and check. For DEL and GC only what these need has to be right. */
int bridge_conf_load(const struct cni_call *call, struct bridge_conf *ret,
		     struct err *e);
