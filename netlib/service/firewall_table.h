// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of table hawser that are the firewall between a container and everybody
 * else. In nft's words, for a container of each policy:
 *
 *	table inet hawser {
 *		map firewall4 {
 *			type ipv4_addr : counter
 *			elements = { 10.1.0.2 comment "OWNER" : "open-br1",
 *				     10.2.0.2 comment "OWNER" : "same-bridge-br2",
 *				     10.3.0.2 comment "OWNER" : "isolated-br3" }
 *		}
 *		map firewall6 { ... }
 *		set firewall-open { type ifname; elements = { "br1" } }
 *		set firewall-same-bridge { ... "br2" }
 *		set firewall-isolated { ... "br3" }
 *		set firewall-within-same-bridge {
 *			type ifname . ifname
 *			elements = { "br2" . "br2" }
 *		}
 *		set firewall-within-isolated { ... "br3" . "br3" }
 *		chain admin { }
 *		chain forward {
 *			type filter hook forward priority filter
 *			jump admin
 *			iifname . oifname @firewall-within-isolated drop
 *			ct state established,related goto firewall-accept
 *			iifname . oifname @firewall-within-same-bridge \
 *				goto firewall-accept
 *			oifname @firewall-same-bridge goto firewall-others
 *			oifname @firewall-isolated goto firewall-others
 *			goto firewall-accept
 *		}
 *		chain firewall-others {
 *			iifname @firewall-open drop
 *			iifname @firewall-same-bridge drop
 *			iifname @firewall-isolated drop
 *			counter name ip saddr map @firewall4 drop
 *			counter name ip6 saddr map @firewall6 drop
 *			goto firewall-accept
 *		}
 *		chain firewall-accept {
 *			counter name ip saddr map @firewall4 accept
 *			counter name ip daddr map @firewall4 accept
 *			the same for ip6
 *		}
 *	}
 *	table bridge hawser {
 *		set isolated {
 *			type ifname
 *			elements = { "veth0123456789a" comment "OWNER" }
 *		}
 *		chain isolated {
 *			type filter hook forward priority filter
 *			iifname @isolated drop
 *			oifname @isolated drop
 *		}
 *	}
 *
 * Theory of operation. Who is who goes by interfaces, not by addresses, which
 * can be forged: what comes out of one bridge and goes into another, whichever
 * way it was addressed (routed, through a host port, over IPv6), has these two
 * names in the forward hook. Containers without a bridge (ptp) are known by
 * their address.
 *
 * A bridge is in the sets as long as an attachment is on it. The kernel counts
 * them: each address refers to a named counter, whose name says the policy and
 * the bridge; it is made together with the bridge's elements and deleted
 * together with them, in the transaction of the first and the last address.
 * Each policy has sets of its own, so that the counters of one bridge have
 * nothing to do with each other; where they differ, the strictest decides.
 *
 * Neighbours on a bridge are kept apart in the bridge family, by the names of
 * ports: that stops frames of every protocol and needs no br_netfilter.
 *
 * Chain "admin" is the operator's: it is jumped to first, and only made here,
 * never changed.
 */
#pragma once

#include "kernel/nft.h"
#include "service/table.h"

#define FIREWALL_FORWARD       "forward"
#define FIREWALL_FORWARD_RULES 7

/* Who may open connections to the container. */
enum ingress_policy {
	INGRESS_OPEN,	     /* everybody */
	INGRESS_SAME_BRIDGE, /* of our networks only its own */
	INGRESS_ISOLATED,    /* of our networks none, nor its neighbours */
};

/* "open", "same-bridge", "isolated" */
const char *ingress_policy_name(enum ingress_policy policy);

/* -EINVAL when there is no policy of that name. */
int ingress_policy_parse(const char *name, enum ingress_policy *ret);

/* The container's addresses, and the ports of bridges that are kept apart. */
extern const struct nft_set_spec firewall_map4, firewall_map6, firewall_ports;

/* The counter of a network's, by its policy and its bridge (NULL: none). */
void firewall_counter(enum ingress_policy policy, const char *bridge,
		      char name[static NFT_NAME_MAX]);

/* The elements that it has in its policy's sets, by the name of the counter. */
struct firewall_network {
	struct table_entry v[2];
	size_t n;
};

void firewall_network(const char *counter, struct firewall_network *ret);

/* For reload too. */
extern const struct table_part firewall_part, firewall_port_part;
