// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the clients of both families have in common with whoever drives them: a
 * client is a machine that is told what has happened (the time has come, a
 * packet is in), says what to send, and at which moment it wants to be called
 * again. It has no socket and no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* What a step has come to. Whichever it is, there may be a packet to send. */
enum dhcp_event {
	DHCP_NOTHING,
	DHCP_BOUND,  /* new, renewed or changed: read the lease */
	DHCP_LOST,   /* expired or refused: no address; it goes on looking */
	DHCP_FAILED, /* gave up: the client's .err says why */
};

#define DHCP_PACKET_MAX 1500

struct dhcp_packet {
	uint8_t data[DHCP_PACKET_MAX]; /* what goes into the UDP datagram */
	size_t len;		       /* 0: nothing to send */
	bool unicast;		       /* to .to; else to everybody */
	struct ip_addr to;
};

/* Times are milliseconds of CLOCK_BOOTTIME. */
#define DHCP_NEVER UINT64_MAX
