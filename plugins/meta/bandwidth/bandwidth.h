// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the bandwidth plugin share. */
#pragma once

#include <stdbool.h>

#include "base/ip.h"
#include "base/json.h"
#include "base/owner.h"
#include "cni/plugin.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/qdisc.h"

/* Whose packets are limited, by the address of who is at the far end. */
struct remotes {
	LIST(struct ip_prefix) subnets; /* none: all are */
	bool are_limited;		/* these alone; or else all but these */
};

struct bandwidth_conf {
	/* Into the container, and out of it; with a rate of 0: no limit. */
	struct tbf ingress, egress;
	struct remotes remotes;
};

/* --- conf.c ----------------------------------------------------------------- */

/* Decode and check. */
int bandwidth_conf_load(const struct cni_call *call, struct bandwidth_conf *ret,
			struct err *e);

/* --- limit.c: what an interface sends, and what comes in ---------------------- */

/* Limit what @link sends. *@has_fq_codel is cleared where the kernel turns out to
 * have none. */
int limit_add(const struct netns *ns, const struct link *link,
	      const struct tbf *tbf, const struct remotes *remotes,
	      struct arena *a, bool *has_fq_codel, struct err *e);

/* ERR_MISMATCH, naming what is not as limit_add() would make it. */
int limit_check(const struct netns *ns, const struct link *link,
		const struct tbf *tbf, const struct remotes *remotes,
		struct arena *a, struct err *e);

/* Redirect what comes in at @link to @to, an ifb. */
int redirect_add(const struct netns *ns, const struct link *link,
		 const struct link *to, const struct remotes *remotes,
		 struct arena *a, struct err *e);

int redirect_check(const struct netns *ns, const struct link *link,
		   const struct link *to, const struct remotes *remotes,
		   struct arena *a, struct err *e);

/* Whether anything of what comes in at @link is redirected to @to. */
bool is_redirected(const struct netns *ns, const struct link *link,
		   const struct link *to, struct arena *a);

/* --- ifb.c: what passes what the container sends ------------------------------- */

/* Make it, down: what limits it is put there before anything can pass, and the
 * alias says whose it is when it is up. What is left of an ADD before for this
 * attachment, whose host end is @port, is replaced. */
int ifb_add(const struct netns *host, const struct cni_call *call,
	    const struct link *port, struct link *ret, struct err *e);

int ifb_set_up(const struct netns *host, const struct cni_call *call,
	       const struct link *ifb, struct err *e);

/* This attachment's. -ENODEV when there is none. */
int ifb_find(const struct netns *host, const struct cni_call *call,
	     struct link *ret, struct err *e);

/* Delete it. */
int ifb_del(const struct netns *host, const struct cni_call *call,
	    struct err *e);

/* Delete those of the network's attachments that are not valid any more, and what
 * the Go reference has left behind anywhere. */
int ifb_gc(const struct cni_call *call, struct err *e);
