// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host ports as people write them, into the capability "portMappings":
 *
 *	[ADDRESS:]HOST:CONTAINER[/PROTOCOL]	127.0.0.1:5353:53/udp
 *
 * HOST and CONTAINER are ports, or ranges of the same length (8000-8010:80-90);
 * an IPv6 address is in brackets; the protocol is tcp, udp or sctp.
 */
#pragma once

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/err.h"

#define PUBLISH_MAX 64 /* texts of one call */

/* The capability arguments @args (NULL: none) and, behind what they publish
 * already, the @n texts @ports, each of one or more separated by commas or blanks; in @a. */
int publish_ports(const cJSON *args, const char *const *ports, size_t n,
		  struct arena *a, const cJSON **ret, struct err *e);
