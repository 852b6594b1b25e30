// SPDX-License-Identifier: GPL-2.0-or-later
/* What a call of dnsname says: the network's domain, and the container's names. */
#pragma once

#include <stdbool.h>

#include "base/ip.h"
#include "cni/plugin.h"

struct dnsname_conf {
	const char *domain;
	bool multi_domain;    /* networks that say so find each other's names */
	const char *resolver; /* "dnsmasq", "aardvark-dns"; "": what is there */
	/* Who is asked for other names; none: those of /etc/resolv.conf. */
	LIST(struct ip_addr) remote_servers;
	int internal;		  /* 1, 0; -1: not said */
	LIST(const char *) names; /* the container's, at least one */
};

/* Everything, for ADD and CHECK. A name that is none is an error that says
 * which (ERR_CONFIG). */
int dnsname_conf_load(const struct cni_call *call, struct dnsname_conf *ret,
		      struct err *e);
