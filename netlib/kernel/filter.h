// SPDX-License-Identifier: GPL-2.0-or-later
/* Filters of queueing disciplines (u32), by where packets come from or go to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct link;

struct filter {
	uint16_t priority; /* the least is asked first; one protocol each */
	uint16_t protocol; /* ETH_P_ALL; or that of .addresses */
	struct ip_prefix prefix; /* of no family: whatever it is */
	bool is_source;		 /* or else the destination's */
	uint32_t class_id; /* where it goes; in an ingress: past the rest */
	int redirect_to;   /* an interface that is to send it; 0: none */
};

/* Add to the queueing discipline with the handle @parent. */
int filter_add(const struct netns *ns, const struct link *link, uint32_t parent,
	       const struct filter *filter, struct err *e);

/* All that are there, in @a; of those of other kinds, and of matches for other
 * things, the priority and the protocol alone. */
int filter_list(const struct netns *ns, const struct link *link,
		uint32_t parent, struct arena *a, struct filter **ret,
		size_t *ret_n, struct err *e);

/* Whether they do the same, at whatever priority. */
bool filter_equal(const struct filter *a, const struct filter *b);
