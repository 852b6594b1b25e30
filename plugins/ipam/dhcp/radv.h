// SPDX-License-Identifier: GPL-2.0-or-later
/* Router solicitations and advertisements (RFC 4861, RFC 8106), as ICMPv6
 * without the IPv6 header. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipam/dhcp/message6.h"

#define RADV_SOLICIT_MAX  16
#define RADV_PREFIXES_MAX 8

struct radv_prefix {
	struct ip_prefix prefix;
	bool on_link, autoconf;
	uint32_t valid_s, preferred_s; /* DHCP6_INFINITY: without end */
};

struct radv {
	bool managed, other; /* addresses, or all else, by DHCPv6 */
	uint16_t router_s;   /* 0: it is no default router */
	uint32_t mtu;	     /* 0: not said */
	uint8_t prefixes_n;
	struct radv_prefix prefixes[RADV_PREFIXES_MAX];
	struct dhcp6_dns dns; /* those with a lifetime */
};

/* Read an advertisement. The checksum, the hop limit and the source are the
 * socket's matter. -EBADMSG for what RFC 4861, 6.1.2 has ignored: an option of
 * length 0, or one that is cut off. What is wrong within an option is ignored
 * with that option. */
int radv_read(const uint8_t *data, size_t len, struct radv *ret);

/* Whether a host has an address to make of what the router said. */
bool radv_has_autoconf(const struct radv *radv);

/* Write a solicitation, from an interface with this hardware address, or from
 * the unspecified address (@mac is NULL); its length. The kernel fills in the
 * checksum. */
size_t radv_write_solicit(const uint8_t *mac,
			  uint8_t buf[static RADV_SOLICIT_MAX]);
