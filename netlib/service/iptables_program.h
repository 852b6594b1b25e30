// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The programs iptables-save and iptables-restore, and what can be known
 * without starting one. There are two iptables: "nft", which keeps its tables
 * in nftables, and "legacy". The plain names are one of them, by the
 * administrator's choice; objects may be left in the other.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/netfilter.h"

enum iptables_variant {
	IPTABLES_PLAIN, /* whatever "iptables" is here */
	IPTABLES_NFT,
	IPTABLES_LEGACY,
};

/* What one table of one family is read and changed with. */
struct iptables_place {
	enum iptables_variant variant;
	uint8_t family; /* AF_INET, AF_INET6 */
	const char *table;
};

/* What iptables-save prints of the table; the caller frees *@ret. -ENOENT when
 * there is no such program. */
int iptables_save(const struct iptables_place *place, char **ret,
		  struct err *e);

/* Hand @text to iptables-restore --noflush -w. -EREMOTEIO when it refuses. */
int iptables_restore(const struct iptables_place *place, const char *text,
		     struct err *e);

/* Whether it is worth while to read the table for the sake of one of @chains
 * (ended by NULL; none: any): false if there is certainly none of them. No
 * program is started. */
bool iptables_may_have_any(struct netfilter *nf,
			   const struct iptables_place *place,
			   const char *const *chains);

/* Whether the base chain of the table ("FORWARD") may drop: its policy is another
 * than ACCEPT, or it has rules that do not accept and are neither ours nor the
 * reference's. False
 * where iptables is not installed, for then it cannot be told to accept. A
 * program is started for the legacy variant only, if it is in use. */
int iptables_chain_drops(struct netfilter *nf,
			 const struct iptables_place *place, const char *chain,
			 bool *ret, struct err *e);
