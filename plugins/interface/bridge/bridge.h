// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the bridge plugin share. */
#pragma once

#include "base/err.h"
#include "base/owner.h"
#include "cni/plugin.h"
#include "interface/bridge/conf.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "service/spoof.h"

#define BRIDGE_ALIAS_MAX (OWNER_TEXT_MAX + 16)

/* What an ADD works on and has made so far. */
struct bridge_attachment {
	const struct cni_call *call;
	struct bridge_conf conf;
	struct owner owner;
	struct netns host, container;
	struct netfilter *nf;
	uint32_t
		mtu; /* to make bridge and pair with; 0: the kernel's default */
	bool made_bridge;
	struct link bridge, port, iface;
	struct owner_ifname port_name;
	struct link
		gateway; /* the bridge, or the host's interface in the VLAN */
	struct cni_result addresses; /* those of the container's interface */

	/* Behind another plugin, whose interfaces it takes (chained.c). */
	bool is_chained;
	struct cni_result prev;
	struct link taken; /* what became the port, as it was before */
};

/* The gateway of @ip, or where it has none the first address of its subnet. */
struct ip_addr bridge_gateway_of(const struct cni_ip *ip);

/* The guard of a port. The strings and addresses stay the caller's. */
struct spoof_guard bridge_guard(const struct bridge_conf *conf,
				const char *port, const uint8_t *mac,
				const struct ip_prefix *v, size_t n);

/* --- device.c: the bridge itself ------------------------------------------ */

/* From looking for the bridge until it has our port, and until that is in its
 * VLAN, no other call may take these away: a lock on the host's namespace,
 * shared by those who plug in and exclusive to those who undo. It needs no file
 * and ends with its holder. */
void bridge_lock(const struct netns *host, bool exclusive);
void bridge_unlock(const struct netns *host);

/* Find the bridge or make it, and set it up as configured. The caller has the
 * lock. */
int bridge_ensure(struct bridge_attachment *at, struct err *e);

/* Delete the bridge unless it has ports. That there is none, or something else of
 * that name, is success. */
int bridge_delete_unused(const struct netns *host, const char *name,
			 struct err *e);

/* Take away what bridge_ensure() made, unless others use it by now. */
void bridge_undo(const struct bridge_attachment *at);

/* Whether the bridge that is there, if one is, could be used; -ENODEV when
 * there is none. */
int bridge_examine(const struct netns *host, const struct bridge_conf *conf,
		   struct link *ret, struct err *e);

/* --- vlan.c: the VLANs of a port ------------------------------------------- */

/* Before the port is up; the caller has the lock. */
int bridge_set_vlans(const struct netns *host, const struct link *bridge,
		     const struct link *port,
		     const struct bridge_vlan_conf *conf, struct err *e);

/* ERR_MISMATCH, naming it, where the port's VLANs are other ones. */
int bridge_check_vlans(const struct netns *host, const struct link *bridge,
		       const struct link *port,
		       const struct bridge_vlan_conf *conf, struct err *e);

/* --- vlan_gateway.c: the host's interface in a VLAN ------------------------ */

/* Find it, or make it. A port has to be in the VLAN already. */
int bridge_vlan_gateway(const struct netns *host, const struct link *bridge,
			uint16_t vlan, struct link *ret, struct err *e);

/* The same without making it: -ENODEV when there is none. */
int bridge_find_vlan_gateway(const struct netns *host,
			     const struct link *bridge, uint16_t vlan,
			     struct link *ret, struct err *e);

/* Take away one that was made, if no port is in the VLAN any more. That there
 * is none, or no bridge, is success. */
int bridge_release_vlan_gateway(const struct netns *host, const char *bridge,
				uint16_t vlan, struct err *e);

/* The same for all VLANs of the bridge. */
int bridge_gc_vlan_gateways(const struct netns *host, const char *bridge,
			    struct err *e);

/* --- gateway.c ------------------------------------------------------------- */

/* Fill in the gateways and default routes that the configuration asks for. */
int bridge_complete_result(const struct bridge_conf *conf,
			   struct cni_result *res, struct arena *a,
			   struct err *e);

/* Give the gateway's interface the gateways' addresses, and let the host
 * forward. */
int bridge_set_gateways(const struct bridge_attachment *at,
			const struct cni_result *res, struct err *e);

/* --- chained.c: behind another plugin --------------------------------------- */

/* Whether the ADD is a chained one, and what of prevResult becomes the port. */
int bridge_chained_find(struct bridge_attachment *at, struct err *e);

/* Make it a port; undone by itself where it fails. */
int bridge_chained_plug(struct bridge_attachment *at, struct err *e);
void bridge_chained_unplug(const struct bridge_attachment *at);

/* The alias that the port gets, in @buf; NULL: it has one already, which stays. */
const char *bridge_chained_alias(const struct bridge_attachment *at,
				 char buf[static BRIDGE_ALIAS_MAX]);

/* Append to @ret the addresses that the container's interface has in @prev. */
int bridge_chained_addresses(const struct cni_call *call,
			     const struct cni_result *prev,
			     struct cni_result *ret, struct err *e);

/* Make @res, which IPAM has filled in, the result of the chain so far. */
int bridge_chained_complete(const struct bridge_attachment *at,
			    struct cni_result *res, struct err *e);

/* What a result says of the ADD that it comes from. */
enum bridge_add_kind {
	ADD_UNKNOWN,
	ADD_OF_PAIR,
	ADD_CHAINED
};

enum bridge_add_kind bridge_chained_kind(const struct cni_call *call,
					 const struct cni_result *prev,
					 const char *bridge);

/* The port that a chained ADD made of an interface of @prev. -ENODEV. */
int bridge_chained_port(const struct netns *host, const struct owner *owner,
			const struct cni_result *prev,
			const struct link *bridge, struct link *ret,
			struct err *e);

/* Detach what a chained ADD attached. *@ret is whether the attachment is one, so
 * that nothing is to be deleted. */
int bridge_chained_del(const struct cni_call *call,
		       const struct bridge_conf *conf, bool *ret,
		       struct err *e);
int bridge_chained_gc(const struct cni_call *call, const struct owner *valid,
		      size_t n, struct err *e);

/* --- the calls --------------------------------------------------------------- */

/* remove.c */
int bridge_del(const struct cni_call *call, struct err *e);
int bridge_gc(const struct cni_call *call, struct err *e);

/* check.c */
int bridge_check(const struct cni_call *call, struct err *e);
