// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipMasq with iptables, table nat, exactly as the reference plugins have it. In
 * iptables-save's words, for a container with 10.88.0.5/16:
 *
 *	:CNI-<24 digits of network and container> - [0:0]
 *	-A POSTROUTING -s 10.88.0.5/32 -m comment --comment OWNER -j CNI-<...>
 *	-A CNI-<...> -d 10.88.0.0/16 -m comment --comment OWNER -j ACCEPT
 *	-A CNI-<...> ! -d 224.0.0.0/4 -m comment --comment OWNER -j MASQUERADE
 *
 * OWNER is name: "NETWORK" id: "CONTAINER"; Nomad and nerdctl look for it. The
 * interface is in neither: two interfaces of one container on one network share
 * the chain, as they do with the reference.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/owner.h"
#include "service/iptables.h"

/* Masquerade for the @n addresses (with the length of their subnets), and no
 * other of this container on this network. On failure for none. */
int masquerade_iptables_add(struct netfilter *nf, const struct owner *owner,
			    const struct ip_prefix *v, size_t n, struct err *e);

/* Delete the container's chain and everything that goes to it, in either
 * variant of iptables and whoever has made it. The addresses are not needed.
 * Where there is no such chain no program is started. */
int masquerade_iptables_del(struct netfilter *nf, const struct owner *owner,
			    const struct ip_prefix *v, size_t n, struct err *e);

/* -ENOENT with ERR_MISMATCH, naming the chain or rule that is missing. */
int masquerade_iptables_check(const struct owner *owner,
			      const struct ip_prefix *v, size_t n,
			      struct err *e);

/* Delete the chains of @network's containers other than those of the @n valid
 * attachments. */
int masquerade_iptables_gc(struct netfilter *nf, const char *network,
			   const struct owner *valid, size_t n, struct err *e);

/* Whether iptables is there and works. */
int masquerade_iptables_status(struct err *e);

/* --- for tests: the plans, see iptables_edit() ---------------------------- */

struct masquerade_iptables {
	const struct owner *owner;
	const struct ip_prefix *v; /* those of the table's family count */
	size_t n;
};

/* @arg is a struct masquerade_iptables. */
iptables_plan masquerade_iptables_plan_add, masquerade_iptables_plan_del,
	masquerade_iptables_plan_check;

/* @arg is a struct iptables_valid. */
iptables_plan masquerade_iptables_plan_gc;
