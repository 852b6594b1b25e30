// SPDX-License-Identifier: GPL-2.0-or-later
/* What a lease is made of: a client for each family it has, each with sockets of its
 * own, behind one table of functions. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/result.h"
#include "ipam/dhcp/conf.h"
#include "ipam/dhcp/machine.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* What the daemon was started with, for all clients. */
struct dhcp_timing {
	bool broadcast;
	uint64_t request_ms, resend_max_ms, give_up_ms;
};

/* The interface that a client is for. */
struct dhcp_place {
	struct netns ns;
	struct link link;
};

/* Each function gets the family's own state, of .size bytes, zeroed at first. */
struct dhcp_family {
	const char *name; /* as in configurations and the journal */
	enum dhcp_choice choice;
	size_t size;

	/* Before the interface comes up, once for all; NULL: nothing. */
	int (*prepare)(const struct dhcp_place *place, struct err *e);
	void (*init)(void *state, const struct dhcp_conf *conf,
		     const struct dhcp_timing *timing, const struct link *link);
	/* Go on after a restart; 0, or -EINVAL when it is no such lease. */
	int (*load)(void *state, const cJSON *from);
	void (*save)(const void *state, cJSON *into);

	/* The steps of the machine; ->receive reads one datagram itself. @place is
	 * NULL when for once it cannot be entered. */
	enum dhcp_event (*start)(void *state, const struct dhcp_place *place,
				 uint64_t now_ms, struct dhcp_packet *out);
	enum dhcp_event (*resume)(void *state, const struct dhcp_place *place,
				  uint64_t now_ms, struct dhcp_packet *out);
	enum dhcp_event (*timeout)(void *state, const struct dhcp_place *place,
				   uint64_t now_ms, struct dhcp_packet *out);
	enum dhcp_event (*receive)(void *state, const struct dhcp_place *place,
				   uint64_t now_ms, struct dhcp_packet *out);
	bool (*release)(void *state, uint64_t now_ms, struct dhcp_packet *out);

	uint64_t (*deadline)(const void *state); /* 0: never */
	bool (*is_talking)(const void *state);
	bool (*has_lease)(const void *state);
	const struct err *(*err)(const void *state);

	/* Send, through a socket that is opened in the place where it has to be,
	 * and stays open for the answer. */
	int (*send)(void *state, const struct dhcp_place *place,
		    const struct dhcp_packet *packet, struct err *e);
	int (*fd)(const void *state); /* -1: closed */
	void (*close)(void *state);

	/* Append the lease to @ret, in @a. */
	int (*result)(const void *state, struct arena *a,
		      struct cni_result *ret, struct err *e);
	uint32_t (*mtu)(const void *state); /* 0: not said; or NULL */
};

extern const struct dhcp_family dhcp_family4, dhcp_family6;
