// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The netfilter socket of a call, for nftables and conntrack of the namespace
 * the process is in. One serves for everything: it is opened when the first
 * question is asked, and closed once.
 *
 * To close one while things that were deleted, by anybody in the namespace, wait
 * to be freed makes the kernel wait for that, with a lock held that every
 * transaction and the end of every interface need (nf_tables_api.c,
 * nft_rcv_nl_event()). That is left to the background after a deletion, and for
 * whoever sets closes_late: a DEL that asks comes soon after another plugin's
 * that has deleted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "base/cleanup.h"
#include "base/err.h"

/* { 0 } to begin with. */
struct netfilter {
	struct mnl_socket *sock; /* NULL: nothing was asked yet */
	uint32_t port, seq;
	bool closes_late; /* left to the background */
};

/* Open the socket if it is not: for who sends without netfilter_ask(). */
int netfilter_open(struct netfilter *nf, struct err *e);

/* Ask, with the sequence number nf->seq, and hand each message of the answer to
 * @reply. What the kernel refuses is the return value and not yet said in any
 * words. */
int netfilter_ask(struct netfilter *nf, const struct nlmsghdr *request,
		  mnl_cb_t reply, void *arg);

void netfilter_close(struct netfilter *nf);

static inline void netfilter_close_cleanup(struct netfilter *nf)
{
	netfilter_close(nf);
}

#define _netfilter_ cleanup(netfilter_close)
