// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host ports: what reaches a port of the host goes to a container. In nft's
 * words, for IPv4, and for IPv6 with a 6 in the place of the 4:
 *
 *	table inet hawser {
 *		map hostports4 {	# at one of the host's addresses
 *			type ipv4_addr . inet_proto . inet_service
 *			   : ipv4_addr . inet_service
 *		}
 *		map hostports4-any {	# at any of them
 *			type inet_proto . inet_service : ipv4_addr . inet_service
 *			elements = { tcp . 8080 comment OWNER : 10.88.0.5 . 80 }
 *		}
 *		set hostports4-hairpin { type ifname . ipv4_addr }
 *		set hostports4-self { type ipv4_addr . ipv4_addr }
 *		set hostports4-masquerade { type ipv4_addr }
 *		chain hostports {
 *			ip daddr . meta l4proto . th dport vmap @hostports4-if
 *			dnat ip to ip daddr . meta l4proto . th dport map @hostports4
 *			meta l4proto . th dport vmap @hostports4-any-if
 *			dnat ip to meta l4proto . th dport map @hostports4-any
 *		}
 *		chain hostports-prerouting {
 *			type nat hook prerouting priority dstnat
 *			fib daddr type local jump hostports
 *		}
 *		chain hostports-output {
 *			type nat hook output priority -100
 *			fib daddr type local jump hostports
 *		}
 *		chain hostports-postrouting {
 *			type nat hook postrouting priority srcnat - 1
 *			ct status dnat goto hostports-source
 *		}
 *		chain hostports-source {
 *			iifname . ip daddr @hostports4-hairpin masquerade
 *			ip saddr . ip daddr @hostports4-self masquerade
 *			ip saddr 127.0.0.0/8 ip daddr . ip daddr
 *				@hostports4-self masquerade
 *			ip daddr @hostports4-masquerade masquerade
 *		}
 *		chain hostports-guard {
 *			type filter hook prerouting priority raw
 *			ip daddr 127.0.0.0/8 iifname != "lo" drop
 *			ip saddr 127.0.0.0/8 iifname != "lo" drop
 *		}
 *	}
 *
 * One look-up a connection, two at most, however many ports there are. An
 * address of its own goes before "any".
 *
 * A client outside keeps its address. Masqueraded is only what would not come
 * back: from a neighbour on the same link (it would be answered directly), from
 * the container itself, and from the host's loopback addresses. With
 * br_netfilter a neighbour's packet never leaves the bridge, so it has no
 * iifname here and is answered through conntrack; the container itself then
 * needs the bridge's hairpin mode.
 *
 * Packets from 127.0.0.1 leave the host only if the container's link has
 * route_localnet, which also lets packets to 127.0.0.1 come in: the guard drops
 * them first. Answers to ::1 come in only if the link has a route to ::1 of its
 * own (IPv6 looks up loopback destinations strictly by interface,
 * rt6_need_strict()); the kernel itself drops what claims to come from or go to
 * ::1 (ip6_rcv_core()), and so, with br_netfilter, the answers as well.
 *
 * A port with conditions (conditionsV4) is in a map "-if" as well, which sends
 * its connections through a chain of its own: one rule, the conditions in the
 * user's words, and "goto hostports-translate", where the maps are looked up
 * without asking again.
 *
 * A port that another container has at the same address is refused. One that the
 * container itself has by another network stays as it is: podman asks for a
 * container's ports on each of its networks, and the first answers.
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

/* Delete the attachment's mappings. */
int hostport_del(struct netfilter *nf, const struct owner *owner,
		 struct err *e);

/* -ENOENT with ERR_MISMATCH names the port that is not mapped. */
int hostport_check(struct netfilter *nf, const struct owner *owner,
		   const struct hostports *hp,
		   const struct hostport_links *links, struct err *e);

/* Delete the mappings of @network's attachments other than the @n valid. */
int hostport_gc(struct netfilter *nf, const char *network,
		const struct owner *valid, size_t n, struct err *e);

/* For reload. */
extern const struct table_part hostport_part;

/* Whether the kernel can do it at all. */
int hostport_status(struct netfilter *nf, struct err *e);
