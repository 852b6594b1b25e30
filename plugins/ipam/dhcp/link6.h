// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How router solicitations and DHCPv6 get in and out of a container's interface,
 * and how the kernel's work on addresses there is seen: up to three sockets behind
 * one descriptor (epoll) that tells that one of them has something.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/ip.h"
#include "ipam/dhcp/machine.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/watch.h"

#define LINK6_DATAGRAM_MAX 2048

struct link6 {
	int fd; /* -1: closed */
	int icmp, udp;
	struct watch addrs; /* IPv6 addresses of the namespace */
};

#define LINK6_CLOSED                             \
	{                                        \
		.fd = -1, .icmp = -1, .udp = -1, \
	}

/* Hear advertisements on @iface, and news of addresses. */
int link6_open_router(struct link6 *link, const struct netns *ns,
		      const struct link *iface, struct err *e);

/* Hear DHCPv6 servers on @iface. Either may be open already. */
int link6_open_dhcp(struct link6 *link, const struct netns *ns,
		    const struct link *iface, struct err *e);

/* Send to the multicast group that @packet is for, on @iface: ICMPv6 to
 * routers, else UDP, through what is open. */
int link6_send(const struct link6 *link, const struct link *iface,
	       const struct dhcp_packet *packet, struct err *e);

/* An advertisement's length, in @buf, and who sent it. Only what has come from
 * this very link counts (RFC 4861, 6.1.2): hop limit 255, a link-local source.
 * 0: what has come is none; -EAGAIN: nothing more. */
ssize_t link6_receive_radv(const struct link6 *link,
			   uint8_t buf[static LINK6_DATAGRAM_MAX],
			   struct ip_addr *ret_from);

/* The same with a datagram to the client's port. */
ssize_t link6_receive_dhcp(const struct link6 *link,
			   uint8_t buf[static LINK6_DATAGRAM_MAX]);

/* Take the news of addresses as read. */
void link6_forget_news(const struct link6 *link);

void link6_close(struct link6 *link);
