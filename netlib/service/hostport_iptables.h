// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host ports with iptables, table nat, exactly as the reference's portmap has
 * them. In iptables-save's words, for port 8080 of a container at 10.88.0.5/16:
 *
 *	-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
 *	-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
 *	-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade"
 *		-j CNI-HOSTPORT-MASQ
 *	-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment OWNER
 *		-m multiport --dports 8080 -j CNI-DN-<...>
 *	-A CNI-DN-<...> -s 10.88.0.0/16 -p tcp -m tcp --dport 8080
 *		-j CNI-HOSTPORT-SETMARK
 *	-A CNI-DN-<...> -s 127.0.0.1/32 -p tcp -m tcp --dport 8080
 *		-j CNI-HOSTPORT-SETMARK
 *	-A CNI-DN-<...> -p tcp -m tcp --dport 8080
 *		-j DNAT --to-destination 10.88.0.5:80
 *	-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
 *	-A CNI-HOSTPORT-SETMARK -m comment
 *		--comment "CNI portfwd masquerade mark"
 *		-j MARK --set-xmark 0x2000/0x2000
 *
 * OWNER is dnat name: "NETWORK" id: "CONTAINER". nerdctl reads CNI-HOSTPORT-DNAT
 * and CNI-DN-... to find ports that are free. The shared chains stay for ever.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/owner.h"
#include "service/hostport.h"
#include "service/iptables.h"

/* Forward the host ports to the container, in each family that it has an
 * address of, and no other for it. -EADDRINUSE with ERR_EXISTS, naming the
 * holder, when another container has one of them. On failure none of them is
 * left. */
int hostport_iptables_add(struct netfilter *nf, const struct owner *owner,
			  const struct hostports *hp, struct err *e);

/* Delete the container's chains and what goes to them, in either variant of
 * iptables and whoever has made them. Where there are none no program is
 * started. */
int hostport_iptables_del(struct netfilter *nf, const struct owner *owner,
			  struct err *e);

/* -ENOENT with ERR_MISMATCH, naming the chain and the rule that is missing. */
int hostport_iptables_check(const struct owner *owner,
			    const struct hostports *hp, struct err *e);

/* Delete those of @network's containers other than the @n valid attachments. */
int hostport_iptables_gc(struct netfilter *nf, const char *network,
			 const struct owner *valid, size_t n, struct err *e);

/* Whether iptables is there and works. */
int hostport_iptables_status(struct err *e);

/* --- for tests: the plans, see iptables_edit() ---------------------------- */

struct hostport_iptables {
	const struct owner *owner;
	const struct hostports *hp;
};

/* @arg is a struct hostport_iptables. */
iptables_plan hostport_iptables_plan_add, hostport_iptables_plan_del,
	hostport_iptables_plan_check;

/* @arg is a struct iptables_valid. */
iptables_plan hostport_iptables_plan_gc;
