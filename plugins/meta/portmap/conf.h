// SPDX-License-Identifier: GPL-2.0-or-later
/* The portmap plugin's own keys. */
#pragma once

#include "base/err.h"
#include "cni/plugin.h"
#include "service/hostport.h"

struct portmap_conf {
	const char *backend; /* NULL or "": ours to choose */
	struct hostports hp;
};

/* Decode and check, and find the container's addresses in @prev, which may be
 * empty. */
int portmap_conf_load(const struct cni_call *call,
		      const struct cni_result *prev, struct portmap_conf *ret,
		      struct err *e);

/* Whether the conditions are written as iptables options. */
bool portmap_conf_is_iptables(const struct portmap_conf *conf);
