// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DHCPv6 on the wire (RFC 8415): what a client that wants one address sends,
 * and what a server says, with every length checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipam/dhcp/duid.h"
#include "ipam/dhcp/search_list.h"

#define DHCP6_CLIENT_PORT 546
#define DHCP6_SERVER_PORT 547
#define DHCP6_INFINITY	  0xffffffffU

enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE = 2,
	DHCP6_REQUEST = 3,
	DHCP6_RENEW = 5,
	DHCP6_REBIND = 6,
	DHCP6_REPLY = 7,
	DHCP6_RELEASE = 8,
	DHCP6_INFORMATION_REQUEST = 11,
};

enum dhcp6_status {
	DHCP6_SUCCESS = 0,
	DHCP6_UNSPEC_FAIL = 1,
	DHCP6_NO_ADDRS_AVAIL = 2,
	DHCP6_NO_BINDING = 3,
	DHCP6_NOT_ON_LINK = 4,
	DHCP6_USE_MULTICAST = 5,
};

#define DHCP6_ADDRS_MAX	  4
#define DHCP6_SERVERS_MAX 4

struct dhcp6_addr {
	struct ip_addr addr;
	uint32_t preferred_s, valid_s; /* DHCP6_INFINITY: without end */
};

/* The identity association for addresses that the client has asked about; more
 * addresses than there is room for are passed over. */
struct dhcp6_ia {
	uint32_t t1_s, t2_s; /* 0: left to the client */
	uint16_t status;
	uint8_t addrs_n;
	struct dhcp6_addr addrs[DHCP6_ADDRS_MAX];
};

struct dhcp6_dns {
	uint8_t servers_n;
	struct ip_addr servers[DHCP6_SERVERS_MAX];
	struct search_list search;
};

/* Add a server, if it is not there and there is room. */
void dhcp6_dns_add(struct dhcp6_dns *dns, const struct ip_addr *server);

/* Add the servers of an option, but addresses that are none of a host's;
 * -EBADMSG when it is no list of addresses. */
int dhcp6_dns_read(struct dhcp6_dns *dns, const uint8_t *data, size_t len);

#define DHCP6_STATUS_TEXT_MAX 64

struct message6 {
	uint8_t type;
	uint32_t xid; /* 24 bits */
	struct duid client, server;
	bool rapid_commit, has_ia;
	uint8_t preference;
	uint16_t status;			 /* of the message as a whole */
	char status_text[DHCP6_STATUS_TEXT_MAX]; /* of any; printable ASCII */
	struct dhcp6_ia ia;
	struct dhcp6_dns dns;
	uint32_t sol_max_rt_s, inf_max_rt_s; /* 0: not said */
};

/* Read what a server sent. Of associations only that of @iaid is looked at.
 * -EBADMSG for what is cut off, contradicts itself, or has twice what may be
 * there once; options that are not known are passed over. */
int message6_read(const uint8_t *data, size_t len, uint32_t iaid,
		  struct message6 *ret);

/* What a client says. */
struct message6_request {
	uint8_t type;
	uint32_t xid;
	const struct duid *client, *server; /* server: NULL for any */
	uint16_t elapsed_cs;		    /* hundredths of a second */
	bool rapid_commit;
	bool has_ia;
	uint32_t iaid;
	const struct ip_addr *addrs; /* those it has, or would like */
	size_t addrs_n;
};

/* The length written to @buf, 0 when @size is too small. */
size_t message6_write(const struct message6_request *request, uint8_t *buf,
		      size_t size);
