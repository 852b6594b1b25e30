// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The leases of a daemon.
 *
 * A lease is of an attachment: an interface of a container. While it is bound
 * there is nothing open that belongs to the container, be it a namespace or a
 * socket, since that would keep what has ended alive, and five hundred of them
 * would be a thousand descriptors. Each step begins with a look whether the
 * namespace is there, the same one, and the interface in it; with them gone the
 * lease ends, and nobody is told.
 *
 * A step is taken when one of two things happens: its time has come (one timer
 * for all leases, at the earliest of their deadlines), or a datagram is in.
 */
#pragma once

#include <ev.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/result.h"
#include "ipam/dhcp/family.h"
#include "ipam/dhcp/request.h"

struct lease;

struct lease_set {
	struct ev_loop *loop;
	struct dhcp_timing timing;
	const char *host_prefix; /* before each path of a namespace */
	int journal;
	void (*log)(const char *text);

	/* the set's own */
	struct lease *first;
	size_t n;
	int timer_fd;
	uint64_t armed_ms;
	ev_io timer;
	ev_prepare prepare;
};

/* How an ADD ends: with a result, or with @e. False when nobody was there to take
 * it: then it is undone. */
typedef bool lease_answer(void *arg, const struct cni_result *res,
			  const struct err *e);

/* Begin, with the members before the set's own filled in, and take up what the
 * journal has. */
int lease_set_init(struct lease_set *set, struct err *e);

/* Forget all, here; the journal stays. */
void lease_set_done(struct lease_set *set);

/* Get a lease for an ADD. When it returns 0, @answer is called once, perhaps before
 * that. One that there is already is the answer. */
int lease_add(struct lease_set *set, const struct dhcp_request *request,
	      lease_answer *answer, void *arg, struct err *e);

/* Who waits with @arg has gone: undo his ADD. */
void lease_cancel(struct lease_set *set, const void *arg);

/* What the attachment has, in @a. ERR_MISMATCH when that is nothing. */
int lease_check(struct lease_set *set, const struct dhcp_request *request,
		struct arena *a, struct cni_result *ret, struct err *e);

/* Give the attachment's lease back, if there is one. */
void lease_del(struct lease_set *set, const struct dhcp_request *request);

/* The same with those of the network that are none of the valid attachments. */
void lease_gc(struct lease_set *set, const struct dhcp_request *request);
