// SPDX-License-Identifier: GPL-2.0-or-later
/* Network interfaces. A namespace is always the first argument; names and
 * indexes are those of that namespace. */
#pragma once

/* In this order the C library's and the kernel's headers agree. */
#include <net/if.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "kernel/netns.h"

struct link {
	int index;
	char name[IFNAMSIZ];
	char kind[16];	   /* "bridge", "veth"; "" for a device of its own */
	unsigned flags;	   /* IFF_UP ... */
	uint8_t operstate; /* IF_OPER_UP ... */
	bool has_mac; /* an address of six bytes, and not of another length */
	uint8_t mac[MAC_LEN];
	uint32_t mtu;
	uint32_t tx_queue_len;
	int master; /* index of the bridge it is a port of; 0: none */
	/* A veth's other end, or what a macvlan, ipvlan or vlan is on top of: its
	 * index in its own namespace. */
	int iflink;
	int link_netns; /* the number of its namespace here; -1: the same one */
	uint32_t mode;	/* of a macvlan or ipvlan */
	uint32_t queue_len; /* of a macvlan: broadcasts that may wait */
	struct {
		bool multi_queue;
		int64_t owner, group; /* -1: none */
	} tap;
	uint16_t vlan_id;	/* of a vlan */
	uint32_t vrf_table;	/* of a vrf */
	bool vlan_filtering;	/* of a bridge */
	uint16_t default_pvid;	/* of a bridge: that of new ports; 0: none */
	bool hairpin, isolated; /* as a bridge port */
	char alias[256];	/* "" for none */
};

/* -ENODEV when there is none. */
int link_get(const struct netns *ns, const char *name, struct link *ret,
	     struct err *e);

/* The same by index. */
int link_get_index(const struct netns *ns, int index, struct link *ret,
		   struct err *e);

/* Every link of the namespace, in @a. Slow where there are many: for GC. */
int link_list(const struct netns *ns, struct arena *a, struct link **ret,
	      size_t *ret_n, struct err *e);

/* The ports of a bridge, by its index. */
int link_list_ports(const struct netns *ns, int bridge, struct arena *a,
		    struct link **ret, size_t *ret_n, struct err *e);

/* Have a bridge learn nothing from frames to reserved addresses (those of LLDP
 * pass by every hook of family bridge). Before Linux 4.20 that does nothing. */
int link_ignore_reserved(const struct netns *ns, const char *name,
			 struct err *e);

/* What to change of a link; what is zero or NULL stays as it is. */
struct link_change {
	unsigned flags_on, flags_off; /* IFF_UP, IFF_PROMISC, IFF_ALLMULTI */
	const char *alias;	      /* "": none any more */
	const uint8_t *mac;
	uint32_t mtu;
	const uint32_t *tx_queue_len;
	int master;		/* it becomes a port of */
	bool leave_master;	/* it is a port no more */
	bool hairpin, isolated; /* switched on; the link must be a port */
	/* For link_move() alone: */
	const char *name;	  /* its new one */
	const struct netns *into; /* the namespace it is to be in */
};

/* All of it in one request. */
int link_change(const struct netns *ns, const char *name,
		const struct link_change *change, struct err *e);

/* The same with a new name, another namespace or both. The kernel takes the link
 * down and moves it, then sets the other things, its flags at last, where it is
 * now; so a refusal may find it moved but not renamed. In the same namespace it
 * has to be down for a new name (Linux before 6.2). */
int link_move(const struct netns *ns, const struct link *link,
	      const struct link_change *change, struct err *e);

/* Wait until the link carries traffic (operstate up), woken by the kernel's
 * notification. -ETIMEDOUT after @timeout_ms. */
int link_wait_up(const struct netns *ns, const char *name, int timeout_ms,
		 struct link *ret, struct err *e);

/* Fill @mac with a random local address. */
int link_random_mac(uint8_t mac[static MAC_LEN], struct err *e);
