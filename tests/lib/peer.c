// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peer: both ends of a conversation, for tests of who reaches whom.
 *
 *	peer serve PROTO PORT NAME          until killed: answer "NAME CLIENT-ADDRESS"
 *	peer ask PROTO ADDRESS PORT [FROM [FROM-PORT]]  print the answer; 1 if none
 *	peer frames INTERFACE               print "VLAN TEXT" of each test frame that comes
 *	                                    in, to the one with "end"; VLAN 0: no tag
 *	peer frame INTERFACE VLAN TEXT...   send test frames to all, with a tag or without
 *	peer time ADDRESS PORT COUNT        print the median time of a TCP connect, in ns
 *	peer tap NAME [multi_queue]         open the tap, and print each frame's type
 *
 * PROTO is tcp, udp or sctp. An answer that does not come within a second is
 * none. "peer can PROTO" asks whether the kernel has the protocol.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h> /* before the kernel's header, with which it agrees so */
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 1000

struct protocol {
	const char *name;
	int type, number;
};

static const struct protocol protocols[] = {
	{ "tcp", SOCK_STREAM, IPPROTO_TCP },
	{ "udp", SOCK_DGRAM, IPPROTO_UDP },
	{ "sctp", SOCK_STREAM, IPPROTO_SCTP },
};

static void die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	exit(2);
}

static const struct protocol *find_protocol(const char *name)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
		if (!strcmp(protocols[i].name, name))
			return &protocols[i];
	errno = EPROTONOSUPPORT;
	die(name);
	return NULL;
}

/* --- serving ------------------------------------------------------------- */

static const char *text_of(const struct sockaddr_in6 *from, char *buf)
{
	const struct in6_addr *a = &from->sin6_addr;

	if (IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, &a->s6_addr[12], buf, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, a, buf, INET6_ADDRSTRLEN);
	return buf;
}

/* One socket for both families. UDP answers from the address that was asked:
 * the container has one, so a plain sendto() does. */
static int listen_on(const struct protocol *p, const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, p->type, p->number), on = 1, off = 0;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)))
		die("bind");
	if (p->type == SOCK_STREAM && listen(fd, 64))
		die("listen");
	return fd;
}

static void serve(const struct protocol *p, const char *port, const char *name)
{
	int fd = listen_on(p, port);

	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		char ip[INET6_ADDRSTRLEN], text[256];
		int client = fd;

		if (p->type == SOCK_STREAM)
			client = accept(fd, (struct sockaddr *)&from, &len);
		else
			recvfrom(fd, text, sizeof(text), 0,
				 (struct sockaddr *)&from, &len);
		snprintf(text, sizeof(text), "%s %s\n", name,
			 text_of(&from, ip));
		if (p->type == SOCK_STREAM) {
			send(client, text, strlen(text), MSG_NOSIGNAL);
			close(client);
		} else {
			sendto(fd, text, strlen(text), 0,
			       (struct sockaddr *)&from, len);
		}
	}
}

/* --- asking -------------------------------------------------------------- */

static struct addrinfo *resolve(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
				  .ai_socktype = SOCK_STREAM },
			*ret;

	if (getaddrinfo(host, port, &hints, &ret)) {
		fprintf(stderr, "peer: %s: not an address\n", host);
		exit(2);
	}
	return ret;
}

static int wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, PATIENCE_MS) == 1;
}

static int connected(int fd, const struct addrinfo *to)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (!connect(fd, to->ai_addr, to->ai_addrlen))
		return 1;
	if (errno != EINPROGRESS || !wait_for(fd, POLLOUT))
		return 0;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	errno = err;
	return !err;
}

static int ask(const struct protocol *p, const char *host, const char *port,
	       const char *from, const char *from_port)
{
	struct addrinfo *to = resolve(host, port), *src;
	int fd = socket(to->ai_family, p->type | SOCK_NONBLOCK, p->number);
	int on = 1;
	char answer[256];
	ssize_t len;

	if (fd < 0)
		die("socket");
	if (from) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		src = resolve(from, from_port);
		if (bind(fd, src->ai_addr, src->ai_addrlen))
			die("bind");
	}
	if (!connected(fd, to))
		return 1;
	if (p->type == SOCK_DGRAM)
		send(fd, "?", 1, 0);
	if (!wait_for(fd, POLLIN))
		return 1;
	len = recv(fd, answer, sizeof(answer), 0);
	if (len <= 0)
		return 1;
	fwrite(answer, 1, (size_t)len, stdout);
	return 0;
}

/* --- frames with VLAN tags ------------------------------------------------ */

#define TEST_TYPE 0x88b5 /* for local experiments (IEEE 802) */
#define TAG_TYPE  0x8100

static int open_packets(const char *ifname, int type)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((uint16_t)type),
				  .sll_ifindex = (int)if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

	if (!at.sll_ifindex)
		die(ifname);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
	return fd;
}

/* The kernel has taken the tag off the frame and tells of it beside. */
static int vlan_of(struct msghdr *msg)
{
	struct cmsghdr *c;
	struct tpacket_auxdata aux;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (aux.tp_status & TP_STATUS_VLAN_VALID)
			return aux.tp_vlan_tci & 0xfff;
	}
	return 0;
}

/* All types are read: a tag hides the frame's from the kernel's choice. */
static int print_frames(const char *ifname)
{
	int fd = open_packets(ifname, 3 /* ETH_P_ALL */);
	char text[256] = "", control[256];

	printf("ready\n");
	fflush(stdout);
	while (strcmp(text, "end") != 0) {
		unsigned char head[14];
		struct iovec iov[] = { { head, sizeof(head) },
				       { text, sizeof(text) - 1 } };
		struct sockaddr_ll from;
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = iov,
				      .msg_iovlen = 2,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (!wait_for(fd, POLLIN))
			return 1;
		if (recvmsg(fd, &msg, 0) < (ssize_t)sizeof(head) ||
		    from.sll_pkttype == PACKET_OUTGOING ||
		    (head[12] << 8 | head[13]) != TEST_TYPE)
			continue;
		printf("%d %s\n", vlan_of(&msg), text);
		fflush(stdout);
	}
	return 0;
}

static void send_frame(int fd, int vlan, const char *text)
{
	unsigned char frame[128] = { 255, 255, 255, 255, 255, 255,
				     2,	  0,   0,   0,	 0,   0x77 };
	size_t at = 12;

	if (vlan) {
		frame[at++] = TAG_TYPE >> 8;
		frame[at++] = TAG_TYPE & 255;
		frame[at++] = (unsigned char)(vlan >> 8);
		frame[at++] = (unsigned char)(vlan & 255);
	}
	frame[at++] = TEST_TYPE >> 8;
	frame[at++] = TEST_TYPE & 255;
	snprintf((char *)frame + at, sizeof(frame) - at, "%s", text);
	if (send(fd, frame, sizeof(frame), 0) < 0)
		die("send");
}

/* --- timing -------------------------------------------------------------- */

static long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

/* The clock stops when the connection is there. The answer is waited for as
 * well, so that the server is idle again when the next one starts, and the
 * connection is reset, so that none stays behind in TIME_WAIT. */
static long time_connect(const struct addrinfo *to)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	static const struct linger reset = { .l_onoff = 1 };
	int fd = socket(to->ai_family, SOCK_STREAM, 0);
	long start, end;
	char answer[256];

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	start = now_ns();
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		die("connect");
	end = now_ns();
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
	close(fd);
	return end - start;
}

static int compare_longs(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static int time_connects(const char *host, const char *port, size_t n)
{
	struct addrinfo *to = resolve(host, port);
	long *took = calloc(n ? n : 1, sizeof(*took));

	if (!took)
		die("calloc");
	for (size_t i = 0; i < n; i++)
		took[i] = time_connect(to);
	qsort(took, n, sizeof(*took), compare_longs);
	printf("%ld\n", took[n / 2]);
	return 0;
}

/* --- a tap --------------------------------------------------------------- */

/* What is sent to the interface comes out here, with its Ethernet header. */
static void open_tap(const char *name, const char *flags)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);
	unsigned char frame[2048];

	if (!strcmp(flags, "multi_queue"))
		request.ifr_flags |= IFF_MULTI_QUEUE;
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		die(name);
	printf("open\n");
	fflush(stdout);
	while (read(fd, frame, sizeof(frame)) > 0) {
		printf("%02x%02x\n", frame[12], frame[13]);
		fflush(stdout);
	}
	die(name);
}

int main(int argc, char *argv[])
{
	if (argc == 3 && !strcmp(argv[1], "can"))
		return socket(AF_INET, find_protocol(argv[2])->type,
			      find_protocol(argv[2])->number) < 0;
	if (argc == 5 && !strcmp(argv[1], "serve"))
		serve(find_protocol(argv[2]), argv[3], argv[4]);
	if (argc >= 5 && argc <= 7 && !strcmp(argv[1], "ask"))
		return ask(find_protocol(argv[2]), argv[3], argv[4],
			   argc > 5 ? argv[5] : NULL, argc > 6 ? argv[6] : "0");
	if (argc == 3 && !strcmp(argv[1], "frames"))
		return print_frames(argv[2]);
	if (argc >= 5 && !strcmp(argv[1], "frame")) {
		int fd = open_packets(argv[2], 0);

		for (int i = 4; i < argc; i++)
			send_frame(fd, atoi(argv[3]), argv[i]);
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "time"))
		return time_connects(argv[2], argv[3], (size_t)atoi(argv[4]));
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "tap"))
		open_tap(argv[2], argc > 3 ? argv[3] : "");
	fprintf(stderr,
		"usage: peer serve PROTO PORT NAME | peer ask PROTO "
		"ADDRESS PORT [FROM [FROM-PORT]] | peer can PROTO | "
		"peer time ADDRESS PORT COUNT | peer tap NAME [multi_queue] | "
		"peer frames INTERFACE | peer frame INTERFACE VLAN TEXT...\n");
	return 2;
}
