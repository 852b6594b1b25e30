// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DHCPv4 client (RFC 2131, section 4.4) as a machine.
 *
 *	SELECTING --OFFER--> REQUESTING --ACK--> BOUND --T1--> RENEWING
 *	    ^                    | NAK             ^ ACK |        | T2
 *	    +--------------------+                 +-----+--- REBINDING
 *	    +------- expired, or NAK: the address is lost --------+
 *
 * A client that holds a lease of earlier begins in REBOOTING: it asks for the
 * same address again, and looks for another when that is refused or unanswered.
 */
#pragma once

#include "base/err.h"
#include "ipam/dhcp/machine.h"

enum client4_state {
	CLIENT4_INIT,
	CLIENT4_SELECTING,
	CLIENT4_REQUESTING,
	CLIENT4_REBOOTING,
	CLIENT4_BOUND,
	CLIENT4_RENEWING,
	CLIENT4_REBINDING,
};

#define CLIENT4_OPTIONS_MAX 1024
#define CLIENT4_REQUEST_MAX 255

struct client4_conf {
	uint8_t mac[MAC_LEN];
	bool broadcast; /* have the server answer by broadcast */
	/* Options that go with every message, as they are on the wire: the client
	 * identifier among them, without the end. */
	uint8_t options[CLIENT4_OPTIONS_MAX];
	size_t options_len;
	uint8_t request[CLIENT4_REQUEST_MAX]; /* the parameter request list */
	size_t request_len;
	/* A message is sent again after half a second, and then after twice as
	 * long each time, up to resend_max_ms. An offer that is not confirmed
	 * within request_ms is forgotten. Without a lease after give_up_ms (0:
	 * never), the client has failed. */
	uint64_t resend_max_ms, request_ms, give_up_ms;
	/* Random numbers: transactions, and what sets clients apart that were
	 * started together. */
	uint32_t (*random)(void *arg);
	void *random_arg;
};

/* What a server gave. */
struct lease4 {
	uint8_t ack[DHCP_PACKET_MAX]; /* its message, for message4_read() */
	size_t ack_len;		      /* 0: no lease */
	struct ip_addr address, server;
	uint64_t renew_ms, rebind_ms, expire_ms; /* DHCP_NEVER: no end */
};

struct client4 {
	struct client4_conf conf;
	enum client4_state state;
	struct lease4
		lease; /* valid from BOUND to REBINDING, and at REBOOTING */
	uint64_t deadline_ms; /* client4_timeout() is due; 0: never */
	struct err err;	      /* why DHCP_FAILED, or the last refusal */

	/* the machine's own */
	uint32_t xid;
	uint16_t secs;
	unsigned tries, refusals;
	uint64_t started_ms, give_up_at_ms, exchange_end_ms;
	struct ip_addr offered, offered_by;
};

/* @conf is copied. For a lease of earlier fill in .lease afterwards. */
void client4_init(struct client4 *c, const struct client4_conf *conf);

/* Begin: DISCOVER, or REQUEST where there is a lease of earlier. */
enum dhcp_event client4_start(struct client4 *c, uint64_t now_ms,
			      struct dhcp_packet *out);

/* Go on with a lease of earlier by its own times, as if never interrupted. */
void client4_resume(struct client4 *c);

/* It is c->deadline_ms. Called too early, it does nothing. */
enum dhcp_event client4_timeout(struct client4 *c, uint64_t now_ms,
				struct dhcp_packet *out);

/* A datagram came to the client's port. What is malformed, not for this client or
 * not awaited is ignored. */
enum dhcp_event client4_receive(struct client4 *c, uint64_t now_ms,
				const uint8_t *data, size_t len,
				struct dhcp_packet *out);

/* Give the lease back; whether there is a packet to send for it. */
bool client4_release(struct client4 *c, struct dhcp_packet *out);

/* Whether an answer is awaited: what somebody must listen for. */
bool client4_is_talking(const struct client4 *c);
