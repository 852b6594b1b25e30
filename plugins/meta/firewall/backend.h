// SPDX-License-Identifier: GPL-2.0-or-later
/* What enforces the firewall's rules, and which of it does for a call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/owner.h"
#include "service/firewall.h"

struct firewall_backend {
	const char *name;
	int (*add)(struct netfilter *nf, const struct owner *owner,
		   const struct firewall *fw, struct err *e);
	int (*del)(struct netfilter *nf, const struct owner *owner,
		   const struct firewall *fw, struct err *e);
	int (*check)(struct netfilter *nf, const struct owner *owner,
		     const struct firewall *fw, struct err *e);
	/* NULL: it does not know whose is what */
	int (*gc)(struct netfilter *nf, const char *network,
		  const struct owner *valid, size_t n,
		  const struct firewall *fw, struct err *e);
	int (*status)(struct netfilter *nf, struct err *e);
	bool is_elsewhere; /* reload has to call .add again (cni/replay.h) */
};

/* All of them, and NULL: for DEL and GC, as ADD may have chosen another one
 * than would be chosen now. nftables is the last: it knows whose is what. */
extern const struct firewall_backend *const firewall_backends[];

/* What the configuration says about the choice. */
struct firewall_wish {
	const char *backend;  /* NULL: nothing */
	bool has_admin_chain; /* iptables' own key was given */
};

/* The one that the wish and the machine call for. A name nobody knows is taken
 * for none, as in the reference. */
int firewall_choose(struct netfilter *nf, const struct firewall_wish *wish,
		    const struct firewall *fw,
		    const struct firewall_backend **ret, struct err *e);
