// SPDX-License-Identifier: GPL-2.0-or-later
/* A question of DNS and its answer, as they are in a packet (RFC 1035, 4). */
#pragma once

#include <arpa/nameser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* Write the question for @name's addresses of @addr's family; its length, or 0
 * when DNS can have no such name. */
size_t dns_message_write(uint16_t id, const char *name,
			 const struct ip_addr *addr,
			 uint8_t ret[static NS_PACKETSZ]);

/* Whether @addr is among the answers in the packet; with too many addresses for
 * it (TC), what is missing cannot be said, and *@ret is true. -EBADMSG for what
 * does not answer the question @id. */
int dns_message_read(const uint8_t *packet, size_t len, uint16_t id,
		     const struct ip_addr *addr, bool *ret);
