// SPDX-License-Identifier: GPL-2.0-or-later
/* What each plugin file exports: itself. */
#pragma once

#include "cni/plugin.h"

/* All of them, NULL-terminated. */
extern const struct cni_plugin *const plugins_built_in[];

extern const struct cni_plugin plugin_bandwidth;
extern const struct cni_plugin plugin_bridge;
extern const struct cni_plugin plugin_dhcp;
extern const struct cni_plugin plugin_dnsname;
extern const struct cni_plugin plugin_dummy;
extern const struct cni_plugin plugin_firewall;
extern const struct cni_plugin plugin_host_device;
extern const struct cni_plugin plugin_host_local;
extern const struct cni_plugin plugin_ipvlan;
extern const struct cni_plugin plugin_loopback;
extern const struct cni_plugin plugin_macvlan;
extern const struct cni_plugin plugin_portmap;
extern const struct cni_plugin plugin_ptp;
extern const struct cni_plugin plugin_sbr;
extern const struct cni_plugin plugin_static;
extern const struct cni_plugin plugin_tap;
extern const struct cni_plugin plugin_tuning;
extern const struct cni_plugin plugin_vlan;
extern const struct cni_plugin plugin_vrf;
