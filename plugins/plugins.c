// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins.h"

#include <stddef.h>

const struct cni_plugin *const plugins_built_in[] = {
	&plugin_bandwidth,   &plugin_bridge,
	&plugin_dhcp,	     &plugin_dnsname,
	&plugin_dummy,	     &plugin_firewall,
	&plugin_host_device, &plugin_host_local,
	&plugin_ipvlan,	     &plugin_loopback,
	&plugin_macvlan,     &plugin_portmap,
	&plugin_ptp,	     &plugin_sbr,
	&plugin_static,	     &plugin_tap,
	&plugin_tuning,	     &plugin_vlan,
	&plugin_vrf,	     NULL,
};
