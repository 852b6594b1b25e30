// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firewall with iptables, table filter, exactly as the reference's firewall
 * plugin has it. In iptables-save's words, for a container at 10.88.0.5:
 *
 *	-A FORWARD -m comment --comment "CNI firewall plugin rules"
 *		-j CNI-FORWARD
 *	-A CNI-FORWARD -m comment
 *		--comment "CNI firewall plugin admin overrides" -j CNI-ADMIN
 *	-A CNI-FORWARD -d 10.88.0.5/32 -m conntrack
 *		--ctstate RELATED,ESTABLISHED -j ACCEPT
 *	-A CNI-FORWARD -s 10.88.0.5/32 -j ACCEPT
 *
 * CNI-ADMIN, or another chain of that purpose, is the administrator's: made when
 * it is not there, and never touched. For a policy other than open, before all
 * that and with a comment each, for each bridge, isolated ones with the first
 * rule of STAGE-1:
 *
 *	-A FORWARD -j CNI-ISOLATION-STAGE-1
 *	-A CNI-ISOLATION-STAGE-1 -i cni0 -o cni0 -j DROP
 *	-A CNI-ISOLATION-STAGE-1 -i cni0 ! -o cni0 -j CNI-ISOLATION-STAGE-2
 *	-A CNI-ISOLATION-STAGE-1 -j RETURN
 *	-A CNI-ISOLATION-STAGE-2 -o cni0 -j DROP
 *	-A CNI-ISOLATION-STAGE-2 -j RETURN
 *
 * Rules do not say whose they are: an address does. What containers share, with
 * a bridge's rules, stays for ever.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "service/firewall.h"
#include "service/iptables.h"

/* Let the container's connections through. On failure none of the rules of its
 * addresses is left. */
int firewall_iptables_add(struct netfilter *nf, const struct firewall *fw,
			  struct err *e);

/* Delete the rules of the container's addresses, in either variant of iptables
 * and whoever has made them. Where there are none no program is started. */
int firewall_iptables_del(struct netfilter *nf, const struct firewall *fw,
			  struct err *e);

/* -ENOENT with ERR_MISMATCH, naming the chain and the rule that is missing.
 * Nothing is changed. */
int firewall_iptables_check(const struct firewall *fw, struct err *e);

/* Whether iptables is there and works. */
int firewall_iptables_status(struct err *e);

/* Whether iptables, in either variant, drops forwarded packets of the family
 * (AF_INET, AF_INET6) that no rule accepts. A question over netlink, unless
 * iptables-legacy is in use. */
int firewall_iptables_policy_drops(struct netfilter *nf, uint8_t family,
				   bool *ret, struct err *e);

/* --- for tests: the plans, see iptables_edit(); @arg is a struct firewall - */

iptables_plan firewall_iptables_plan_add, firewall_iptables_plan_del,
	firewall_iptables_plan_check;
