// SPDX-License-Identifier: GPL-2.0-or-later
/* The interface that a macvlan, an ipvlan or a vlan is on top of: the keys
 * "master", "linkInContainer" and "mtu". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cni/plugin.h"
#include "interface/endpoint.h"

struct master_conf {
	const char *name; /* NULL, "": where the default route leads */
	bool in_container;
	int64_t mtu; /* 0: the master's */
};

int master_load(const struct cni_call *call, struct master_conf *ret,
		struct err *e);

/* The namespace it is in. */
const struct netns *master_ns(const struct endpoint *at,
			      const struct master_conf *conf);

/* Look it up, and see that the MTU is not above its own. */
int master_find(const struct endpoint *at, const struct master_conf *conf,
		struct link *ret, struct err *e);

/* CHECK: that the container's interface is on top of it and has the MTU. */
int master_check(const struct endpoint *at, const struct master_conf *conf,
		 struct err *e);

/* STATUS: that it is there, if it is one of the host's, and IPAM's. */
int master_status(const struct cni_call *call, const struct master_conf *conf,
		  struct err *e);
