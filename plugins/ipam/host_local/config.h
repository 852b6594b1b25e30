// SPDX-License-Identifier: GPL-2.0-or-later
/* What host-local reads from its configuration and CNI_ARGS. */
#pragma once

#include "cni/plugin.h"
#include "range.h"

struct host_local_config {
	const char *data_dir;
	const char *resolv_conf; /* "": none */
	bool keep_after_reboot;	 /* ours: what an earlier boot reserved */
	bool sync;		 /* ours: to the disk before ADD or DEL ends */
	/* In the reference's order, whose index is in last_reserved_ip.N:
	 * runtimeConfig.ipRanges, the single range, ipam.ranges. */
	LIST(struct range_set) sets;
	LIST(struct cni_route) routes;
	LIST(struct ip_addr) requested; /* each once, filled in for ADD only */
};

/* Everything: ranges are checked and completed. Errors have code ERR_CONFIG,
 * or ERR_DECODE for wrong types, and ERR_ENV for CNI_ARGS (ADD only). */
int host_local_config_load(const struct cni_call *call,
			   struct host_local_config *ret, struct err *e);

/* Only where the store is and how it is written, for commands that must work
 * whatever else is wrong; *@data_dir is never NULL. */
int host_local_store_config(const struct cni_call *call, const char **data_dir,
			    bool *sync, struct err *e);
