// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the plugins have in common whose work is one interface in the container
 * and nothing on the host: dummy, ipvlan, macvlan, tap and vlan; and host-device,
 * whose interface is the host's own. Particular to each is how the interface is
 * made, and what CHECK looks at.
 *
 * ADD, in order: the interface, straight into the container and under its name
 * there; its alias, which says whose it is; IPAM, which may want to talk through
 * it (DHCP); addresses and routes; the neighbours are told. A failure undoes
 * what the call has made, in reverse order.
 *
 * The interface ends with the container's namespace, so GC has only addresses to
 * give back, and DEL needs neither the namespace nor the interface below. (Not so
 * with host-device, which has a DEL and a GC of its own.)
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/owner.h"
#include "cni/plugin.h"
#include "kernel/link.h"
#include "kernel/link_add.h"
#include "kernel/netns.h"

/* What a call works on. */
struct endpoint {
	const struct cni_call *call;
	struct owner owner;
	struct netns host, container;
	/* CHECK's .check may look at these: the interface in the container, and
	 * what prevResult says of it. */
	struct link iface;
	const struct cni_interface *wanted;
};

struct endpoint_kind {
	const char *plugin;
	const char *kind; /* as the kernel calls it: "macvlan"; NULL: any */
	bool needs_ipam;
	/* Its MAC is that of the interface below, or is not to be set: it comes
	 * up with its addresses, not before. */
	bool has_fixed_mac;
	/* Instead of IPAM's, where there is none, those of the plugin before
	 * it in the chain. */
	bool takes_addresses;
	/* Make the interface owner.ifname in the container. -EEXIST when there
	 * is one of that name. NULL: there is none, a program drives the device
	 * by itself. */
	int (*make)(const struct endpoint *at, const void *conf, struct err *e);
	/* End a failed ADD's interface; NULL: delete it. One that is not deleted
	 * keeps its alias. */
	void (*undo)(const struct endpoint *at, const void *conf);
	/* Compare what is particular to the plugin; may be NULL. */
	int (*check)(const struct endpoint *at, const void *conf,
		     struct err *e);
};

/* @conf is the plugin's own, for .make and .check. */
int endpoint_add(const struct cni_call *call, const struct endpoint_kind *kind,
		 const void *conf, struct cni_result *ret, struct err *e);
int endpoint_check(const struct cni_call *call,
		   const struct endpoint_kind *kind, const void *conf,
		   struct err *e);

/* These need no configuration but the common one. */
int endpoint_del(const struct cni_call *call, const struct endpoint_kind *kind,
		 struct err *e);
int endpoint_gc(const struct cni_call *call, struct err *e);

/* The new interface as far as it is common. */
struct link_new endpoint_link(const struct endpoint *at);
