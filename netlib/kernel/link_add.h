// SPDX-License-Identifier: GPL-2.0-or-later
/* Making network interfaces of each kind. All are down at first. -EEXIST when a
 * name is taken. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct bridge_new {
	const char *name;
	/* Given so that it stays: that of a bridge otherwise follows its ports'
	 * (NET_ADDR_PERM in the kernel). */
	const uint8_t *mac;
	uint32_t mtu; /* 0: the kernel's default */
	/* A kernel that cannot says nothing: look at link.vlan_filtering. */
	bool vlan_filtering;
};

int link_add_bridge(const struct netns *ns, const struct bridge_new *bridge,
		    struct err *e);

struct veth {
	const char *name;	 /* in @ns */
	const char *peer_name;	 /* in @peer_ns */
	int peer_ns;		 /* descriptor of its namespace */
	int master;		 /* bridge that @name becomes a port of; or 0 */
	uint32_t mtu;		 /* of both ends; 0: the kernel's default */
	const uint8_t *peer_mac; /* NULL: random */
};

/* -EEXIST when either name is taken. */
int link_add_veth(const struct netns *ns, const struct veth *veth,
		  struct err *e);

/* An interface that is to be in the namespace @into, under its name there from
 * the start. */
struct link_new {
	const char *name;
	const struct netns *into;
	int lower;	    /* the one in @ns it is on top of; 0: none */
	uint32_t mtu;	    /* 0: the kernel's default, or that of @lower */
	const uint8_t *mac; /* NULL: the kernel's choice */
};

int link_add_dummy(const struct netns *ns, const struct link_new *link,
		   struct err *e);

/* @mode is IPVLAN_MODE_L2 ... */
int link_add_ipvlan(const struct netns *ns, const struct link_new *link,
		    uint16_t mode, struct err *e);

/* @mode is MACVLAN_MODE_BRIDGE ...; @queue_len bounds the broadcasts that wait,
 * 0: the kernel's default (Linux 5.11). */
int link_add_macvlan(const struct netns *ns, const struct link_new *link,
		     uint32_t mode, uint32_t queue_len, struct err *e);

/* 802.1Q. -EEXIST as well when the one below has an interface for @id. */
int link_add_vlan(const struct netns *ns, const struct link_new *link,
		  uint16_t id, struct err *e);

/* It sends back to where it came from what is redirected to it. */
int link_add_ifb(const struct netns *ns, const struct link_new *link,
		 struct err *e);

/* A vrf, whose interfaces' routes are in @table. */
int link_add_vrf(const struct netns *ns, const struct link_new *link,
		 uint32_t table, struct err *e);
