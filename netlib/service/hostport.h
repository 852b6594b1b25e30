// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host ports: what reaches a port of the host goes to a container, by elements of
 * service/hostport_table.h's sets.
 *
 * A port that another container has at the same address is refused. One that the
 * container itself has by another network stays as it is: podman asks for a
 * container's ports on each of its networks, and the first answers. When that one
 * goes it is the next one's turn, which has written down what it waits for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/owner.h"
#include "service/table.h"

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

/* "tcp", "udp", "sctp"; NULL for another. */
const char *hostport_protocol(uint8_t protocol);

/* Whether the port is mapped to an address of the family: not if it stands at
 * one of the host's addresses of the other family. */
bool hostport_is_for(const struct hostport *port, uint8_t family);

/* Whether it stands at every address of the host. */
bool hostport_is_any(const struct hostport *port);

/* The name of the interface on the link to the container, "" for none, is by
 * family: [0] for IPv4, [1] for IPv6. */
struct hostport_links {
	char ifname[2][16];
};

/* Map the ports. -EADDRINUSE, with ERR_EXISTS and the holder's name, when
 * another attachment has one of them. */
int hostport_add(struct netfilter *nf, const struct owner *owner,
		 const struct hostports *hp, const struct hostport_links *links,
		 struct err *e);

/* Have the guard in place, with nothing mapped: for another backend. */
int hostport_guard(struct netfilter *nf, struct err *e);

/* Delete the attachment's mappings; what another of the same namespace waits for is
 * mapped to that. */
int hostport_del(struct netfilter *nf, const struct owner *owner,
		 struct err *e);

/* -ENOENT with ERR_MISMATCH names the port that is not mapped. */
int hostport_check(struct netfilter *nf, const struct owner *owner,
		   const struct hostports *hp,
		   const struct hostport_links *links, struct err *e);

/* Delete the mappings of @network's attachments other than the @n valid. */
int hostport_gc(struct netfilter *nf, const char *network,
		const struct owner *valid, size_t n, struct err *e);

/* Whether the kernel can do it at all. */
int hostport_status(struct netfilter *nf, struct err *e);
