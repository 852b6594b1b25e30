// SPDX-License-Identifier: GPL-2.0-or-later
/* The firewall between a container and everybody else. */
#pragma once

#include "base/ip.h"
#include "base/json.h"

/* Who may open connections to the container. */
enum ingress_policy {
	INGRESS_OPEN,	     /* everybody */
	INGRESS_SAME_BRIDGE, /* of our networks only its own */
	INGRESS_ISOLATED,    /* of our networks none, nor its neighbours */
};

/* What one attachment's rules are made of. */
struct firewall {
	LIST(struct ip_addr) addresses; /* the container's */
	enum ingress_policy policy;
	const char *bridge;	 /* it is attached to; NULL: none */
	const char *admin_chain; /* iptables: the administrator's own rules */
	const char *zone;	 /* firewalld */
};
