// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins.h"

#include <stddef.h>

const struct cni_plugin *const plugins_built_in[] = {
	&plugin_bridge,	  &plugin_firewall, &plugin_host_local,
	&plugin_loopback, &plugin_portmap,  NULL,
};
