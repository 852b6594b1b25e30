// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conntrack entries that outlive what they were made for. A UDP client that
 * goes on sending keeps its entry, and with it the old destination, alive for
 * ever: so entries go when a host port comes or goes.
 *
 * The kernel picks the entries (CTA_FILTER with IPCTNL_MSG_CT_DELETE, Linux
 * 6.8). An older one lists those that the filter matches (Linux 5.8), and they
 * are deleted one by one.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "kernel/netfilter.h"

/* What entries to forget; of the addresses, those without family are any. */
struct conntrack_filter {
	uint8_t family;		/* AF_INET, AF_INET6 */
	uint8_t protocol;	/* IPPROTO_UDP ... */
	uint16_t dport;		/* the client's destination; 0: any */
	struct ip_addr daddr;	/* the client's destination */
	struct ip_addr replier; /* who answers */
};

/* Forget all matching entries. A kernel without conntrack has none. */
int conntrack_forget(struct netfilter *nf,
		     const struct conntrack_filter *filter, struct err *e);
