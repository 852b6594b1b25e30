// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The MAC address that is asked for the container's interface. Of those given
 * the first counts: runtimeConfig.mac (the runtime's own word), args.cni.mac,
 * MAC in CNI_ARGS, and the configuration's "mac".
 */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "cni/plugin.h"

struct cni_mac {
	bool is_set;
	uint8_t mac[MAC_LEN];
};

/* -EINVAL, with ERR_CONFIG, for what is none or a multicast address. */
int cni_mac_load(const struct cni_call *call, struct cni_mac *ret,
		 struct err *e);

/* The same where args.cni.mac goes before runtimeConfig.mac, as in tuning. */
int cni_mac_load_args_first(const struct cni_call *call, struct cni_mac *ret,
			    struct err *e);

/* The address, or NULL. */
const uint8_t *cni_mac_get(const struct cni_mac *mac);
