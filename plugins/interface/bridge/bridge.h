// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the bridge plugin share. */
#pragma once

#include "base/err.h"
#include "base/owner.h"
#include "cni/plugin.h"
#include "interface/bridge/conf.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "service/spoof.h"

/* The gateway of @ip, or where it has none the first address of its subnet. */
struct ip_addr bridge_gateway_of(const struct cni_ip *ip);

/* gateway.c: fill in the gateways and default routes that the configuration
 * asks for. */
int bridge_complete_result(const struct bridge_conf *conf,
			   struct cni_result *res, struct arena *a,
			   struct err *e);

/* gateway.c: give the bridge the gateways' addresses, and let the host
 * forward. */
int bridge_set_gateways(const struct netns *host, const struct link *bridge,
			const struct bridge_conf *conf,
			const struct cni_result *res, struct arena *a,
			struct err *e);

/* remove.c */
int bridge_del(const struct cni_call *call, struct err *e);
int bridge_gc(const struct cni_call *call, struct err *e);

/* check.c */
int bridge_check(const struct cni_call *call, struct err *e);

/* The guard of a port. The strings and addresses stay the caller's. */
struct spoof_guard bridge_guard(const struct bridge_conf *conf,
				const char *port, const uint8_t *mac,
				const struct ip_prefix *v, size_t n);
