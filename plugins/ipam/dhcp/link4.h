// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How DHCPv4 gets in and out of a container's interface.
 *
 * An interface without an address has no IP to speak of: its datagrams are made
 * and read here, on a packet socket. With one, a renewal goes to the server as
 * any program's datagram does, over whatever router there is.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "ipam/dhcp/machine.h"
#include "kernel/link.h"
#include "kernel/netns.h"

struct link4 { /* zeroed: closed */
	bool is_open, is_udp;
	int fd; /* non-blocking */
	int ifindex;
};

/* A packet socket that hears what is for the client's port and @mac. */
int link4_open(const struct netns *ns, const struct link *iface,
	       const uint8_t mac[static MAC_LEN], struct link4 *ret,
	       struct err *e);

/* A UDP socket of the interface's @address. */
int link4_open_udp(const struct netns *ns, const struct link *iface,
		   const struct ip_addr *address, struct link4 *ret,
		   struct err *e);

/* Send to @packet.to, or to everybody on the link. A packet socket takes it from
 * @from (no family: none yet) to the machine @via (NULL: to every one). */
int link4_send(const struct link4 *link, const struct dhcp_packet *packet,
	       const struct ip_addr *from, const uint8_t *via, struct err *e);

/* The next datagram for the client's port: its length, in @buf, and the MAC of who
 * sent it, where the socket tells. 0: what has come is not for us; -EAGAIN:
 * nothing more. */
ssize_t link4_receive(const struct link4 *link, uint8_t buf[static 2048],
		      uint8_t from[static MAC_LEN], bool *ret_has_from);

/* May return before the kernel is done with it. */
void link4_close(struct link4 *link);
