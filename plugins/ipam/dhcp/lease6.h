// SPDX-License-Identifier: GPL-2.0-or-later
/* What a DHCPv6 server has given, and until when. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipam/dhcp/machine.h"
#include "ipam/dhcp/message6.h"

struct lease6_addr {
	struct ip_addr addr;
	uint64_t preferred_ms, valid_ms; /* until when */
};

struct lease6 {
	struct duid server;
	uint64_t t1_ms, t2_ms; /* when to renew, when to ask any server */
	uint8_t addrs_n;       /* 0: there is no lease */
	struct lease6_addr addrs[DHCP6_ADDRS_MAX];
	struct dhcp6_dns dns;
};

/* Take up what a server has answered. With @all it said all that there is, else
 * only what has changed (RFC 8415, 18.2.10.1). */
void lease6_take(struct lease6 *lease, const struct message6 *m, bool all,
		 uint64_t now_ms);

/* Without the addresses whose time is over; whether there were any. */
bool lease6_drop_expired(struct lease6 *lease, uint64_t now_ms);

/* When the first address runs out, and the last. */
uint64_t lease6_first_end(const struct lease6 *lease);
uint64_t lease6_last_end(const struct lease6 *lease);
