// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ranges of addresses. A range set is a pool of several ranges of one family,
 * out of which an attachment gets one address.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"

struct range {
	struct ip_prefix subnet;
	struct ip_addr start, end; /* both included */
	struct ip_addr gateway;	   /* may lie outside; never handed out */
};

struct range_set {
	LIST(struct range) ranges;
};

/* Check the ranges and fill in what was not said: the gateway is the subnet's
 * first address, the range all of it but network and broadcast address. */
int range_set_canonicalise(struct range_set *set, struct err *e);

/* The range that holds @addr; NULL when none does. */
const struct range *range_set_find(const struct range_set *set,
				   const struct ip_addr *addr);

bool range_set_overlaps(const struct range_set *a, const struct range_set *b);

/* Whether @addr is the gateway of any range of the set. */
bool range_set_has_gateway(const struct range_set *set,
			   const struct ip_addr *addr);

/* "10.1.2.1-10.1.2.254,..." for messages, cut where it does not fit. */
struct range_text {
	char text[512];
};

struct range_text range_set_text(const struct range_set *set);
