// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * router: a router as far as it advertises itself, honest or not.
 *
 *	router INTERFACE HOP-LIMIT BYTE...
 *
 * Says "ready", then sends the bytes (hexadecimal; an ICMPv6 message whose checksum
 * the kernel fills in) to all nodes, at once and in answer to each solicitation,
 * for which it prints "asked", until it is killed.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "router: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_socket(const char *name, int hops)
{
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	const struct ipv6_mreq routers = {
		.ipv6mr_multiaddr.s6_addr = { 0xff, 0x02, [15] = 2 },
		.ipv6mr_interface = if_nametoindex(name),
	};
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
		       sizeof(filter)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
		       (socklen_t)strlen(name)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &routers,
		       sizeof(routers)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops,
		       sizeof(hops)))
		die(name);
	return fd;
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	struct sockaddr_in6 all = { .sin6_family = AF_INET6,
				    .sin6_addr.s6_addr = { 0xff,
							   0x02, [15] = 1 } };
	unsigned char message[1024], discarded[2048];
	size_t len = 0;
	int fd;

	if (argc < 4 || argc - 3 > (int)sizeof(message)) {
		fprintf(stderr, "usage: router INTERFACE HOP-LIMIT BYTE...\n");
		return 2;
	}
	for (; len < (size_t)argc - 3; len++)
		message[len] = (unsigned char)strtoul(argv[3 + len], NULL, 16);
	fd = open_socket(argv[1], atoi(argv[2]));
	all.sin6_scope_id = if_nametoindex(argv[1]);
	say("ready");
	do {
		/* its address may not be there yet, for the first */
		if (sendto(fd, message, len, 0, (struct sockaddr *)&all,
			   sizeof(all)) < 0 &&
		    errno != EADDRNOTAVAIL)
			die("send");
	} while (recv(fd, discarded, sizeof(discarded), 0) >= 0 &&
		 (say("asked"), 1));
	die("receive");
}
