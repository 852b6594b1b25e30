// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of table hawser that sends what reaches a port of the host to a container.
 * In nft's words, for IPv4, and for IPv6 with a 6 in the place of the 4:
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
 */
#pragma once

#include "service/table.h"

#define HOSTPORT_TRANSLATE "hostports-translate"

/* One family's sets. */
struct hostport_sets {
	uint8_t family;
	struct nft_set_spec at, any, hairpin, self, masquerade;
	struct nft_set_spec at_if, any_if; /* ports with conditions */
};

extern const struct hostport_sets hostport_sets4, hostport_sets6;

/* For reload too. */
extern const struct table_part hostport_part;

/* What is only written down: ports that the container has by another network. */
extern const struct table_part hostport_waiting_part;
