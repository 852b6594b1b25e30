// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A host's half of IPv6 as a machine: it asks for a router, and does what that
 * says. With the managed flag it is a client of DHCPv6; else the kernel makes
 * addresses of the announced prefixes, which is looked at and not done here, and
 * with the other flag a server is asked for DNS.
 *
 *	ATTACH --link-local address--> ROUTER --advertisement--> CONFIGURE --> BOUND
 *
 * As with the clients there is no socket and no clock in it.
 */
#pragma once

#include "base/err.h"
#include "ipam/dhcp/client6.h"
#include "ipam/dhcp/radv.h"
#include "kernel/addr.h"

enum host6_state {
	HOST6_IDLE,
	HOST6_ATTACH,
	HOST6_ROUTER,
	HOST6_CONFIGURE,
	HOST6_BOUND,
};

struct host6_conf {
	struct client6_conf client;
	uint8_t mac[MAC_LEN];
	uint64_t give_up_ms; /* 0: never */
};

struct host6 {
	struct host6_conf conf;
	enum host6_state state;
	uint64_t deadline_ms;  /* host6_timeout() is due; 0: never */
	struct client6 client; /* IDLE where no server is needed */
	struct err err;	       /* why DHCP_FAILED */

	bool managed;	       /* addresses are the client's, else .addrs */
	struct ip_addr router; /* no family: none that forwards */
	uint8_t addrs_n;
	struct ip_prefix addrs[RADV_PREFIXES_MAX];
	struct dhcp6_dns dns; /* the router's */

	/* the machine's own */
	uint64_t give_up_at_ms, inform_until_ms;
	uint64_t solicit_at_ms; /* or look again */
	uint32_t solicit_rt_ms;
	bool has_radv;
	struct radv radv;
	struct ip_addr useless; /* a router that has nothing to give */
};

void host6_init(struct host6 *h, const struct host6_conf *conf);

/* Begin; host6_look() is to follow. */
void host6_start(struct host6 *h, uint64_t now_ms);

/* Go on with what h->managed, .router, .addrs, .dns and .client.lease say. */
void host6_resume(struct host6 *h, uint64_t now_ms, struct dhcp_packet *out);

/* These are the addresses of the interface now. @out is written when there is
 * something to send. */
enum dhcp_event host6_look(struct host6 *h, uint64_t now_ms,
			   const struct addr *addrs, size_t n,
			   struct dhcp_packet *out);

/* An advertisement came from @router; host6_look() is to follow. */
void host6_advertised(struct host6 *h, uint64_t now_ms, const struct radv *radv,
		      const struct ip_addr *router, struct dhcp_packet *out);

/* A datagram came from a DHCPv6 server. */
enum dhcp_event host6_receive(struct host6 *h, uint64_t now_ms,
			      const uint8_t *data, size_t len,
			      struct dhcp_packet *out);

/* It is h->deadline_ms. */
enum dhcp_event host6_timeout(struct host6 *h, uint64_t now_ms,
			      struct dhcp_packet *out);

bool host6_release(struct host6 *h, uint64_t now_ms, struct dhcp_packet *out);

/* Whether an answer is awaited, from the network or the kernel. */
bool host6_is_talking(const struct host6 *h);
bool host6_has_lease(const struct host6 *h);
