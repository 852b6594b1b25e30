// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Spoof protection: what comes out of a container through a bridge's port bears
 * the container's own addresses, or is dropped. In nft's words:
 *
 *	table bridge hawser {
 *		set spoof-ports-mac { type ifname }
 *		set spoof-ports-ip  { type ifname }
 *		set spoof-macs      { type ifname . ether_addr }
 *		set spoof-ip4       { type ifname . ipv4_addr }
 *		set spoof-ip6       { type ifname . ipv6_addr }
 *		set spoof-targets   { typeof iifname . @nh,384,128 }
 *
 *		chain prerouting {
 *			type filter hook prerouting priority -300
 *			jump spoof
 *		}
 *		chain input {
 *			type filter hook input priority -300
 *			ether daddr 01:80:c2:00:00:00/40 jump spoof
 *		}
 *		chain spoof {
 *			iifname @spoof-ports-mac
 *				iifname . ether saddr != @spoof-macs drop
 *			iifname @spoof-ports-ip goto spoof-ip
 *		}
 *		chain spoof-ip {
 *			iifname . ether saddr != @spoof-macs drop
 *			ether type arp goto spoof-arp
 *			ether type ip goto spoof-v4
 *			ether type ip6 goto spoof-v6
 *			drop
 *		}
 *		...
 *	}
 *
 * A frame costs a fixed number of look-ups however many containers there are.
 * Only elements come and go; each says whose it is.
 *
 * Two strengths. The weak one (macspoofchk) looks at the source address of the
 * frame, also of those to reserved addresses, which the bridge does not pass on
 * and does not show to prerouting, but learns from (br_input.c; those of LLDP it
 * shows to no hook at all: see link_ignore_reserved()). The strong one
 * (ipspoofchk) looks at everything by which neighbours learn addresses:
 *
 *   ARP   the sender's hardware address and IPv4 address; 0.0.0.0 is a probe
 *   IPv4  the source; 0.0.0.0 only as a DHCP client, port 68 to 67
 *   IPv6  the source: the container's addresses, and the link-local one that
 *         the kernel makes of the MAC by itself; :: only to find out whether an
 *         address of its own is taken, with the multicast report before that
 *   ND    the target of an advertisement, and of a question from ::. No
 *         extension headers before these, as RFC 6980 forbids their
 *         fragmentation: what is not found at its place is not passed.
 *         Router advertisements and redirects are dropped, whatever stands
 *         before them; so are fragments that keep ICMPv6's type from sight.
 *
 * Anything else is dropped. That is VLAN tags, for behind one might be
 * anything; RARP; and what no check is known for.
 *
 * What it cannot do: link-layer address options of ND stand in any order, and
 * nft reads at fixed places only. A lie in one concerns an address of the
 * container's own (source or target, which are checked), so that it can send
 * away its own traffic and nobody else's. A container that routes for others,
 * that makes itself addresses (SLAAC, privacy extensions), or whose kernel has
 * another addr_gen_mode than EUI-64 cannot have the strong one. It does not look
 * into DHCP and the like.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/owner.h"
#include "service/table.h"

struct spoof_guard {
	const char *port;   /* the host's end: a port of a bridge */
	const uint8_t *mac; /* the container's; NULL, for DEL: not known */
	bool has_addresses; /* the strong one */
	const struct ip_prefix *v; /* the container's addresses */
	size_t n;
};

/* Guard the port. To be done while it is down; where addresses are not known by
 * then (@n is 0) they follow with spoof_add_addresses(), and until then nothing
 * that claims one is let through. On failure nothing is left. */
int spoof_add(struct netfilter *nf, const struct owner *owner,
	      const struct spoof_guard *guard, struct err *e);

/* Let the addresses through. On failure what spoof_add() made is still there. */
int spoof_add_addresses(struct netfilter *nf, const struct owner *owner,
			const struct spoof_guard *guard, struct err *e);

/* Delete the attachment's guard. */
int spoof_del(struct netfilter *nf, const struct owner *owner, struct err *e);

/* -ENOENT with ERR_MISMATCH, naming the element, when one is not there or not
 * this attachment's. */
int spoof_check(struct netfilter *nf, const struct owner *owner,
		const struct spoof_guard *guard, struct err *e);

/* Delete the elements of @network's attachments other than the @n valid. */
int spoof_gc(struct netfilter *nf, const char *network,
	     const struct owner *valid, size_t n, struct err *e);

/* For reload. */
extern const struct table_part spoof_part;

/* Whether the kernel has nftables; whether those of bridges the kernel says only
 * when a table is made. */
int spoof_status(struct netfilter *nf, struct err *e);
