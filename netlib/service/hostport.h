// SPDX-License-Identifier: GPL-2.0-or-later
/* Host ports: what reaches a port of the host goes to a container. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/json.h"

struct hostport {
	struct ip_addr host_ip; /* no family: any address of the host */
	uint16_t host_port, container_port;
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
};

/* All host ports of one attachment. */
struct hostports {
	LIST(struct hostport) ports;
	/* The container's addresses with the length of their subnets; no
	 * family: it has none of that kind. */
	struct ip_prefix v4, v6;
	bool snat;     /* masquerade what would not come back otherwise */
	bool masq_all; /* masquerade everything that goes to the container */
	/* Conditions that a connection has to meet as well, each a part of a
	 * rule in the words of the backend. */
	LIST(const char *) conditions4, conditions6;
	uint32_t mark;		    /* iptables: marks what is masqueraded */
	const char *set_mark_chain; /* iptables: does that; NULL: our own */
};
