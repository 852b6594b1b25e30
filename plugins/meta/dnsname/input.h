// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Questions get to the resolver though the host's firewall is closed: where
 * iptables' chain INPUT may drop, rules in it accept port 53 of the bridge, udp
 * and tcp. A table of our own could not help there: what one base chain
 * accepts the next may still drop (nftables' wiki, "Configuring chains").
 */
#pragma once

#include "kernel/netfilter.h"
#include "meta/dnsname/network.h"

/* Where questions come in: the interface, and families that there are
 * nameservers of. */
struct dns_input {
	const char *ifname;
	bool has4, has6;
};

/* Accept them where they may be dropped, and write down that it was done. */
int dns_input_accept(struct netfilter *nf, const struct dns_network *net,
		     const struct dns_input *in, struct err *e);

/* Whether they are accepted where they may be dropped; ERR_MISMATCH if not. */
int dns_input_check(struct netfilter *nf, const struct dns_input *in,
		    struct err *e);

/* Take away what was written down, if anything. */
int dns_input_withdraw(struct netfilter *nf, const struct dns_network *net,
		       struct err *e);
