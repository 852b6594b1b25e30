// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipMasq: what a container sends beyond its own subnet leaves with the host's
 * address. In nft's words, for containers in 10.88.0.0/16:
 *
 *	table inet hawser {
 *		map masquerade4 {
 *			type ipv4_addr : verdict
 *			elements = { 10.88.0.5 comment "OWNER" :
 *				     goto masquerade-10.88.0.0/16 }
 *		}
 *		map masquerade6 { ... }
 *		chain postrouting {
 *			type nat hook postrouting priority srcnat
 *			ip saddr vmap @masquerade4
 *			ip6 saddr vmap @masquerade6
 *		}
 *		chain masquerade-10.88.0.0/16 {
 *			ip daddr 10.88.0.0/16 return
 *			goto masquerade-rest
 *		}
 *		chain masquerade-rest {
 *			ip daddr 224.0.0.0/4 return
 *			ip6 daddr ff00::/8 return
 *			masquerade
 *		}
 *	}
 *
 * A packet costs one look-up however many containers there are. A subnet's
 * chain never changes once it is made, is shared by all networks with that
 * subnet, and goes with the last address that refers to it; the kernel counts
 * them (NFTA_CHAIN_USE). The table with its empty maps stays, and with it the
 * one masquerade statement: the kernel's connection tracking, which the first
 * such statement switches on, stays as it is while containers come and go.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/owner.h"
#include "service/table.h"

/* Masquerade for the @n addresses (with the length of their subnets). They were
 * given to this attachment: an element that stands at one of them, of a dead
 * attachment or on another network, is taken over. */
int masquerade_add(struct netfilter *nf, const struct owner *owner,
		   const struct ip_prefix *v, size_t n, struct err *e);

/* Delete the attachment's elements. */
int masquerade_del(struct netfilter *nf, const struct owner *owner,
		   struct err *e);

/* -ENOENT with ERR_MISMATCH when the element of one of the addresses is not
 * there or not this attachment's. */
int masquerade_check(struct netfilter *nf, const struct owner *owner,
		     const struct ip_prefix *v, size_t n, struct err *e);

/* Delete the elements of @network's attachments other than the @n valid. */
int masquerade_gc(struct netfilter *nf, const char *network,
		  const struct owner *valid, size_t n, struct err *e);

/* For reload. */
extern const struct table_part masquerade_part;

/* Whether the kernel can do it at all. */
int masquerade_status(struct netfilter *nf, struct err *e);
