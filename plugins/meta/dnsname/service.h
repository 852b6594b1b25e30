// SPDX-License-Identifier: GPL-2.0-or-later
/* What a resolver is told of its network. */
#pragma once

#include <stdbool.h>

#include "meta/dnsname/conf.h"

struct dns_service {
	const char *domain;
	const char *ifname;	       /* where it listens */
	struct ip_prefix *nameservers; /* its addresses there, at least one */
	size_t nameservers_n;
	const struct ip_addr *remote_servers;
	size_t remote_servers_n; /* 0: those of /etc/resolv.conf */
	bool internal;		 /* nobody else is asked */
	bool multi_domain;
};

/* From configuration and prevResult, and the addresses of its bridge. ERR_CONFIG
 * where the container could not ask anybody. */
int dns_service_find(const struct cni_call *call,
		     const struct dnsname_conf *conf,
		     const struct cni_result *prev, struct dns_service *ret,
		     struct err *e);
