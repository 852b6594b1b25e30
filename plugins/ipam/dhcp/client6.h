// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A DHCPv6 client (RFC 8415) as a machine: no socket, no clock, no memory of
 * its own. Whoever has it tells it what time it is and what has come in; it
 * says what is to be sent, and when it wants to be woken.
 *
 * It asks for addresses (IA_NA) or, stateless, for information only. What a
 * container has no use for is left out: prefixes, temporary addresses, relays,
 * Reconfigure, and Decline, since whoever puts the address on the interface
 * says whether duplicates are looked for.
 *
 * Times are those of machine.h; DHCP_NEVER is what has no end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipam/dhcp/lease6.h"
#include "ipam/dhcp/machine.h"
#include "ipam/dhcp/message6.h"

struct client6_conf {
	struct duid duid;
	uint32_t iaid;
	bool stateless;
	/* Random numbers: transactions, and what sets clients apart. */
	uint32_t (*random)(void *arg);
	void *random_arg;
};

enum client6_state {
	CLIENT6_IDLE,
	CLIENT6_SOLICIT,
	CLIENT6_REQUEST,
	CLIENT6_BOUND,
	CLIENT6_RENEW,
	CLIENT6_REBIND,
	CLIENT6_RELEASE,
	CLIENT6_INFORM,
};

struct client6 {
	struct client6_conf conf;
	enum client6_state state;
	uint64_t deadline_ms; /* client6_timeout() is due; 0: never */
	struct lease6 lease;

	/* the exchange it is in */
	uint32_t xid;
	uint64_t began_ms, timer_ms;
	uint32_t rt_ms, tries;
	uint32_t sol_max_rt_s, inf_max_rt_s; /* 0: the RFC's own */
	uint32_t refusals;		     /* since the last lease */
	char refusal[DHCP6_STATUS_TEXT_MAX + 16];

	/* whom a Request goes to */
	struct {
		struct duid server; /* len 0: no offer */
		uint8_t preference, addrs_n;
		struct ip_addr addrs[DHCP6_ADDRS_MAX];
	} offer;
};

void client6_init(struct client6 *c, const struct client6_conf *conf);

/* Begin: to solicit, or, with a lease of earlier in c->lease, to go on with it
 * where its times say, as if never interrupted. */
enum dhcp_event client6_start(struct client6 *c, uint64_t now_ms,
			      struct dhcp_packet *out);

/* At c->deadline_ms. DHCP_BOUND: one of several addresses has run out, or at the
 * end of DHCP_LOST all have, and it solicits anew. */
enum dhcp_event client6_timeout(struct client6 *c, uint64_t now_ms,
				struct dhcp_packet *out);

/* Something came to its port. DHCP_BOUND: c->lease is new, prolonged or
 * changed; when stateless, c->lease.dns is there. DHCP_LOST: the server has
 * taken the addresses back; it solicits anew. What is not an answer to what it
 * has asked last is passed over. */
enum dhcp_event client6_receive(struct client6 *c, uint64_t now_ms,
				const uint8_t *data, size_t len,
				struct dhcp_packet *out);

/* Give the addresses back; false when there are none. It is done when, after
 * the server's answer or some tries, the state is CLIENT6_IDLE. */
bool client6_release(struct client6 *c, uint64_t now_ms,
		     struct dhcp_packet *out);

/* Whether an answer is awaited: what somebody must listen for. */
bool client6_is_talking(const struct client6 *c);

/* What a server has last refused, for an error's text; "" for nothing. */
const char *client6_refusal(const struct client6 *c);
