// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the ptp plugin share. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cni/mac.h"
#include "cni/plugin.h"
#include "interface/mtu.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "service/ip_masq.h"

struct ptp_conf {
	struct mtu_conf mtu;
	struct ip_masq masq;
	struct cni_mac mac; /* of the container's interface */
	bool enable_dad;
};

/* Decode and check. For DEL and GC only what these need has to be right. */
int ptp_conf_load(const struct cni_call *call, struct ptp_conf *ret,
		  struct err *e);

/* routes.c: the addresses and routes as they are to be in the container: with
 * those of @ipam routes to the gateways and, through them, to the subnets.
 * -EINVAL names an address without a gateway. */
int ptp_container_routes(const struct cni_result *ipam, struct arena *a,
			 struct cni_result *ret, struct err *e);

/* routes.c: the gateways' addresses on the host's end, routes over it to the
 * container's addresses, forwarding. -EEXIST names who has such a route. */
int ptp_add_host_routes(const struct netns *host, const struct link *port,
			const struct cni_result *res, struct err *e);
int ptp_check_host_routes(const struct netns *host, const struct link *port,
			  const struct cni_result *res, struct arena *a,
			  struct err *e);

/* check.c */
int ptp_check(const struct cni_call *call, struct err *e);

/* remove.c */
int ptp_del(const struct cni_call *call, struct err *e);
int ptp_gc(const struct cni_call *call, struct err *e);
