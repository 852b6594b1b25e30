// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/link6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "ipam/dhcp/message6.h"

#define HOPS_ON_LINK 255 /* RFC 4861, 4.1: nothing else has passed no router */

/* --- opening ------------------------------------------------------------- */

static int add_descriptor(struct link6 *link, int fd, struct err *e)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (link->fd < 0)
		link->fd = epoll_create1(EPOLL_CLOEXEC);
	if (link->fd < 0 || epoll_ctl(link->fd, EPOLL_CTL_ADD, fd, &event))
		return err_sys(e, "watch a socket");
	return 0;
}

static int bind_to_device(int fd, const struct link *iface, struct err *e)
{
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, iface->name,
		       (socklen_t)strlen(iface->name)))
		return err_sys(e, "bind a socket to \"%s\"", iface->name);
	return 0;
}

static int set_icmp_options(int fd, struct err *e)
{
	const int hops = HOPS_ON_LINK, on = 1;
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
		       sizeof(filter)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops,
		       sizeof(hops)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)))
		return err_sys(e, "set up an ICMPv6 socket");
	return 0;
}

static int open_icmp(const struct netns *ns, const struct link *iface, int *ret,
		     struct err *e)
{
	_close_ int fd = -1;
	int r = netns_open_socket(ns, AF_INET6, SOCK_RAW | SOCK_NONBLOCK,
				  IPPROTO_ICMPV6, &fd, e);

	if (!r)
		r = bind_to_device(fd, iface, e);
	if (!r)
		r = set_icmp_options(fd, e);
	if (!r)
		*ret = steal_fd(&fd);
	return r;
}

/* Before it has its filter and its device, it may have heard something else. */
static void empty(int fd)
{
	char discarded;

	while (recv(fd, &discarded, sizeof(discarded), MSG_DONTWAIT) >= 0)
		;
}

int link6_open_router(struct link6 *link, const struct netns *ns,
		      const struct link *iface, struct err *e)
{
	int r = 0;

	if (link->icmp >= 0)
		return 0;
	r = watch_open(ns, RTNLGRP_IPV6_IFADDR, 0, &link->addrs, e);
	if (!r)
		r = add_descriptor(link, watch_fd(&link->addrs), e);
	if (!r)
		r = open_icmp(ns, iface, &link->icmp, e);
	if (!r) {
		empty(link->icmp);
		r = add_descriptor(link, link->icmp, e);
	}
	if (r)
		link6_close(link);
	return r;
}

/* All addresses of the device: what answers to multicast comes to one of them
 * that the kernel picks. */
static int open_udp(const struct netns *ns, const struct link *iface, int *ret,
		    struct err *e)
{
	const struct sockaddr_in6 at = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(DHCP6_CLIENT_PORT),
	};
	_close_ int fd = -1;
	const int on = 1;
	int r = netns_open_socket(ns, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0,
				  &fd, e);

	if (!r)
		r = bind_to_device(fd, iface, e);
	if (r)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		return err_sys(e, "bind a UDP socket to \"%s\"", iface->name);
	*ret = steal_fd(&fd);
	return 0;
}

int link6_open_dhcp(struct link6 *link, const struct netns *ns,
		    const struct link *iface, struct err *e)
{
	int r = 0;

	if (link->udp >= 0)
		return 0;
	r = open_udp(ns, iface, &link->udp, e);
	if (!r)
		r = add_descriptor(link, link->udp, e);
	if (r)
		link6_close(link);
	return r;
}

void link6_close(struct link6 *link)
{
	int *const fds[] = { &link->fd, &link->icmp, &link->udp };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	if (link->addrs.events)
		watch_close(&link->addrs);
}

/* --- sending ------------------------------------------------------------- */

/* ff02::2 is where routers listen, and no DHCPv6 server. */
static bool is_for_routers(const struct ip_addr *to)
{
	return to->bytes[1] == 2 && !to->bytes[13] && to->bytes[15] == 2;
}

int link6_send(const struct link6 *link, const struct link *iface,
	       const struct dhcp_packet *packet, struct err *e)
{
	const bool icmp = is_for_routers(&packet->to);
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(icmp ? 0 : DHCP6_SERVER_PORT),
		.sin6_scope_id = (uint32_t)iface->index,
	};

	memcpy(&to.sin6_addr, packet->to.bytes, sizeof(to.sin6_addr));
	if (sendto(icmp ? link->icmp : link->udp, packet->data, packet->len, 0,
		   (const struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, "send to %s on \"%s\"",
			       icmp ? "IPv6 routers" : "DHCPv6 servers",
			       iface->name);
	return 0;
}

/* --- receiving ----------------------------------------------------------- */

static int hop_limit(struct msghdr *msg)
{
	int hops = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_HOPLIMIT &&
		    c->cmsg_len >= CMSG_LEN(sizeof(hops)))
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	return hops;
}

/* -1 as recvmsg(); 0 for what was cut. */
static ssize_t receive(int fd, struct msghdr *msg)
{
	ssize_t n = recvmsg(fd, msg, 0);

	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : 0;
	return msg->msg_flags & MSG_TRUNC ? 0 : n;
}

ssize_t link6_receive_radv(const struct link6 *link,
			   uint8_t buf[static LINK6_DATAGRAM_MAX],
			   struct ip_addr *ret_from)
{
	struct sockaddr_in6 peer = { 0 };
	struct iovec iov = { buf, LINK6_DATAGRAM_MAX };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr msg = { .msg_name = &peer,
			      .msg_namelen = sizeof(peer),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = link->icmp < 0 ? -EAGAIN : receive(link->icmp, &msg);

	if (n <= 0)
		return n;
	*ret_from = (struct ip_addr){ .family = AF_INET6 };
	memcpy(ret_from->bytes, &peer.sin6_addr, sizeof(peer.sin6_addr));
	return hop_limit(&msg) == HOPS_ON_LINK && ip_is_link_local(ret_from)
		       ? n
		       : 0;
}

ssize_t link6_receive_dhcp(const struct link6 *link,
			   uint8_t buf[static LINK6_DATAGRAM_MAX])
{
	struct iovec iov = { buf, LINK6_DATAGRAM_MAX };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	return link->udp < 0 ? -EAGAIN : receive(link->udp, &msg);
}

void link6_forget_news(const struct link6 *link)
{
	if (link->addrs.events)
		watch_drain(&link->addrs);
}
