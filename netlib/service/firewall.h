// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firewall between a container and everybody else, in nftables: elements of
 * service/firewall_table.h's sets.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/owner.h"
#include "service/firewall_table.h"

/* What one attachment's rules are made of. */
struct firewall {
	LIST(struct ip_addr) addresses; /* the container's */
	enum ingress_policy policy;
	const char *bridge;	 /* it is attached to; NULL: none */
	const char *port;	 /* of the bridge; NULL: not known */
	const char *admin_chain; /* iptables: the administrator's own rules */
	const char *zone;	 /* firewalld */
};

/* Apply the policy to the attachment, whose addresses and port these are now:
 * an element that stands there is taken over. A policy other than open needs a
 * bridge, INGRESS_ISOLATED its port. On failure nothing is left. */
int firewall_nft_add(struct netfilter *nf, const struct owner *owner,
		     const struct firewall *fw, struct err *e);

/* Delete the attachment's elements. */
int firewall_nft_del(struct netfilter *nf, const struct owner *owner,
		     struct err *e);

/* -ENOENT with ERR_MISMATCH, naming what is not there or not as it should be. */
int firewall_nft_check(struct netfilter *nf, const struct owner *owner,
		       const struct firewall *fw, struct err *e);

/* Delete the elements of @network's attachments other than the @n valid. */
int firewall_nft_gc(struct netfilter *nf, const char *network,
		    const struct owner *valid, size_t n, struct err *e);

/* The addresses that the attachment's elements stand at, in @a: for a DEL that
 * is not told any. */
int firewall_nft_find(struct netfilter *nf, const struct owner *owner,
		      struct arena *a, struct firewall *ret, struct err *e);

/* The same for @network's attachments other than the @n valid. */
int firewall_nft_find_stale(struct netfilter *nf, const char *network,
			    const struct owner *valid, size_t n,
			    struct arena *a, struct firewall *ret,
			    struct err *e);

/* Drop from @fw the addresses that another attachment has by now. */
int firewall_nft_drop_others(struct netfilter *nf, const struct owner *owner,
			     struct firewall *fw, struct err *e);

/* Whether the kernel can do it at all. */
int firewall_nft_status(struct netfilter *nf, struct err *e);
