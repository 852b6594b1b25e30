// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queueing disciplines: what limits what an interface sends. There is one at its
 * root, with the handle 1:, and what comes in is looked at by that of kind ingress,
 * with the handle ffff:.
 */
#pragma once

#include <linux/pkt_sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/netns.h"

struct link;

#define QDISC_ROOT    TC_H_MAKE(1U << 16, 0)
#define QDISC_CLASS   TC_H_MAKE(1U << 16, 1) /* 1:1, what is in a root */
#define QDISC_INGRESS TC_H_MAKE(0xffffU << 16, 0)

/* The kernel's unit of time here, 64 ns: /proc/net/psched. */
#define QDISC_TICKS_PER_SECOND 15625000

/* A bucket of tokens. */
struct tbf {
	uint64_t rate;	 /* bytes a second */
	uint32_t buffer; /* that much time the tokens last, in ticks */
	uint32_t limit;	 /* bytes that may wait for tokens */
};

struct qdisc {
	char kind[16];
	uint32_t handle;
	struct tbf tbf;		/* of a tbf */
	uint32_t default_class; /* of an htb: its number; 0: none */
};

/* At the root, everything limited. What is there with that handle is replaced,
 * here and below; -EEXIST where there is something else. */
int qdisc_add_tbf(const struct netns *ns, const struct link *link,
		  const struct tbf *tbf, struct err *e);

/* At the root, with the class 1:1 limited (its .limit is left to what is put
 * there), and everything else not. What no filter has an opinion on goes to the
 * class, or past it. */
int qdisc_add_htb(const struct netns *ns, const struct link *link,
		  const struct tbf *tbf, bool is_default, struct err *e);

/* For filters on what comes in. */
int qdisc_add_ingress(const struct netns *ns, const struct link *link,
		      struct err *e);

/* Below a root, in 1:1, a queue for each flow that drops what has waited for too
 * long (RFC 8290): @target_us, 0: the kernel's default. -ENOENT where the kernel
 * has none. */
int qdisc_add_fq_codel(const struct netns *ns, const struct link *link,
		       uint32_t target_us, struct err *e);

/* There as well, a queue of @limit bytes. */
int qdisc_add_bfifo(const struct netns *ns, const struct link *link,
		    uint32_t limit, struct err *e);

/* What is at @parent: TC_H_ROOT, TC_H_INGRESS or QDISC_CLASS. -ENOENT where there
 * is nothing but what the kernel puts there itself. */
int qdisc_get(const struct netns *ns, const struct link *link, uint32_t parent,
	      struct qdisc *ret, struct err *e);

/* The limit of an htb's class 1:1. -ENOENT where there is none. */
int qdisc_get_class(const struct netns *ns, const struct link *link,
		    struct tbf *ret, struct err *e);

/* Delete ours, and what is below. That there is none, or another's, is success. */
int qdisc_delete_root(const struct netns *ns, const struct link *link,
		      struct err *e);
int qdisc_delete_ingress(const struct netns *ns, const struct link *link,
			 struct err *e);
