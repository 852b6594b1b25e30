// SPDX-License-Identifier: GPL-2.0-or-later
/* One lease of a daemon, from the inside: what lease.c, which says when there is
 * one, and lease_step.c, which takes its steps, share. */
#pragma once

#include <sys/types.h>

#include "ipam/dhcp/lease.h"

#define LEASE_FAMILIES 2

struct half {
	const struct dhcp_family *family;
	struct lease *lease;
	void *state;
	ev_io io;
	uint64_t listen_until_ms;
};

struct lease {
	struct lease_set *set;
	struct lease *next;
	struct arena arena; /* what follows lives in it */
	struct owner owner;
	struct owner_key key;
	const char *netns; /* as the daemon sees it */
	dev_t dev;
	ino_t ino; /* which namespace that was */
	cJSON *config;
	const char *args;
	struct dhcp_conf conf;
	struct half halves[LEASE_FAMILIES];
	size_t n;
	/* of the ADD that waits; NULL when none does */
	lease_answer *answer;
	void *asked_by;
};

/* Enter the place where it is. -ENODEV when the namespace, or the interface, is not
 * there any more, or is another one. */
int lease_enter(struct lease *lease, struct dhcp_place *ret, struct err *e);
void lease_leave(struct dhcp_place *place);

typedef enum dhcp_event lease_step_fn(void *state,
				      const struct dhcp_place *place,
				      uint64_t now_ms, struct dhcp_packet *out);

/* Take one step of one half, and do what follows from it. Whether the lease is there
 * still. */
bool lease_step(struct half *half, lease_step_fn *fn);

/* Whether all halves have an address; and their result, in @a. */
bool lease_is_complete(const struct lease *lease);
int lease_result(const struct lease *lease, struct arena *a,
		 struct cni_result *ret, struct err *e);

/* Answer the ADD that waits, if one does. Whether it still wanted it. */
bool lease_finish(struct lease *lease, const struct cni_result *res,
		  const struct err *e);

/* End it and tell the server, as far as there is a way to it; an ADD that waits gets
 * @e. */
void lease_release(struct lease *lease, const struct err *e);

/* Forget it here alone. */
void lease_free(struct lease *lease);

/* The set's watchers: a lease's time has come; the loop is about to sleep. */
void lease_timer_ready(struct ev_loop *loop, ev_io *io, int events);
void lease_arm_timer(struct ev_loop *loop, ev_prepare *prepare, int events);
