// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv4 on the wire (RFC 2131, section 2; RFC 2132). */
#pragma once

#include "ipam/dhcp/machine.h"

#define DHCP4_SERVER_PORT 67
#define DHCP4_CLIENT_PORT 68

enum dhcp4_type {
	DHCP4_DISCOVER = 1,
	DHCP4_OFFER,
	DHCP4_REQUEST,
	DHCP4_DECLINE,
	DHCP4_ACK,
	DHCP4_NAK,
	DHCP4_RELEASE,
};

enum dhcp4_option {
	DHCP4_PAD = 0,
	DHCP4_SUBNET_MASK = 1,
	DHCP4_ROUTERS = 3,
	DHCP4_DNS_SERVERS = 6,
	DHCP4_HOST_NAME = 12,
	DHCP4_DOMAIN_NAME = 15,
	DHCP4_MTU = 26,
	DHCP4_STATIC_ROUTES = 33,
	DHCP4_REQUESTED_ADDRESS = 50,
	DHCP4_LEASE_TIME = 51,
	DHCP4_OVERLOAD = 52,
	DHCP4_MESSAGE_TYPE = 53,
	DHCP4_SERVER_ID = 54,
	DHCP4_PARAMETER_REQUEST = 55,
	DHCP4_MESSAGE = 56,
	DHCP4_MAX_SIZE = 57,
	DHCP4_RENEWAL_TIME = 58,
	DHCP4_REBINDING_TIME = 59,
	DHCP4_VENDOR_CLASS = 60,
	DHCP4_CLIENT_ID = 61,
	DHCP4_USER_CLASS = 77,
	DHCP4_DOMAIN_SEARCH = 119,
	DHCP4_CLASSLESS_ROUTES = 121,
	DHCP4_END = 255,
};

/* A client's message. Addresses without family are left out. */
struct message4_new {
	enum dhcp4_type type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;
	const uint8_t *mac;
	struct ip_addr ciaddr, requested, server;
	const uint8_t *options; /* as on the wire */
	size_t options_len;
	const uint8_t *request; /* the parameter request list */
	size_t request_len;
};

/* Write it; there is room for it by the bounds of client4.h. */
void message4_write(const struct message4_new *m, struct dhcp_packet *out);

/* A server's message. Points into the datagram. */
struct message4 {
	const uint8_t *data;
	size_t len;
	enum dhcp4_type type;
	uint32_t xid;
	const uint8_t *mac;
	struct ip_addr yiaddr;
	struct ip_addr server; /* option 54; no family where there is none */
	unsigned overload;     /* option 52: 1 file, 2 sname, 3 both */
};

/* Read a server's message. -EBADMSG when it is not one: too short, another
 * protocol, an option that runs over the end. */
int message4_read(const uint8_t *data, size_t len, struct message4 *ret);

/* Put together all parts of an option (RFC 3396) in @buf; its length, or 0 when
 * there is none. What does not fit in @buf is no option either. */
size_t message4_option(const struct message4 *m, uint8_t code, uint8_t *buf,
		       size_t size);

/* An option of one number or address; false when it is missing or has another
 * length. */
bool message4_u32(const struct message4 *m, uint8_t code, uint32_t *ret);
bool message4_address(const struct message4 *m, uint8_t code,
		      struct ip_addr *ret);
