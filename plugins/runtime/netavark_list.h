// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of CNI plugins that a network of netavark's amounts to.
 *
 * With the option "conflist" that is a list of the administrator's, which has
 * addresses of its own. Otherwise it is what podman's own driver "bridge" makes:
 * bridge, portmap, firewall and, with names, dnsname; the addresses are podman's.
 * With another's addresses, or none (podman's IPAM drivers dhcp and none), it is a
 * port of a bridge and no more.
 */
#pragma once

#include <cjson/cJSON.h>
#include <net/if.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/conflist.h"
#include "runtime/netavark_conf.h"

/* The bridge of a network whose administrator does not name one. */
struct netavark_bridge {
	char name[IFNAMSIZ];
};
struct netavark_bridge netavark_bridge_of(const struct netavark_network *n);

/* The list of plugins for the container, in @a; @conf_dir is where lists have
 * names. */
int netavark_list(const struct netavark_request *req, const char *conf_dir,
		  struct arena *a, struct cni_list *ret, struct err *e);

/* What the runtime has for capabilities of the list, in @a. Each of the container's
 * networks is told all its ports, and portmap whose turn it is. */
int netavark_capability_args(const struct netavark_request *req,
			     struct arena *a, const cJSON **ret, struct err *e);
