// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dhcp_peer: those whom a DHCP client and its daemon should not trust.
 *
 *	dhcp_peer rogue INTERFACE   until killed: whatever a client sends, answer with
 *	                            everything that it should take no notice of
 *	dhcp_peer say SOCKET        send stdin to a unix socket, print what comes back
 *	dhcp_peer hold SOCKET N     N connections that begin a request and never end it;
 *	                            print "held"; until killed
 *	dhcp_peer mute SOCKET       listen, and never say a word; print "mute"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "dhcp_peer: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- a server that lies ---------------------------------------------------- */

#define OPTIONS 240

static int open_server(const char *interface)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(67) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die(interface);
	return fd;
}

static void tell(int fd, const uint8_t *m, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(68),
				  .sin_addr.s_addr = INADDR_BROADCAST };

	sendto(fd, m, len, 0, (struct sockaddr *)&to, sizeof(to));
}

/* A reply of the type to @from: 203.0.113.66, from the server 203.0.113.1. */
static size_t make(uint8_t *m, const uint8_t *from, uint8_t type)
{
	const uint8_t options[] = { 53, 1,   type, 54,	4, 203, 0, 113,
				    1,	51,  4,	   0,	0, 0,	9, 1,
				    4,	255, 255,  255, 0, 255 };

	memcpy(m, from, OPTIONS);
	m[0] = 2;
	memcpy(m + 16, "\xcb\x00\x71\x42", 4);
	memcpy(m + OPTIONS, options, sizeof(options));
	return OPTIONS + sizeof(options);
}

static void lie(int fd, const uint8_t *from)
{
	static const uint8_t types[] = { 2, 5, 6 }; /* OFFER, ACK, NAK */
	static const size_t broken[] = { 0, 1, 2, 4, 28, 33, 236, 239, 241 };
	uint8_t m[1024];

	for (size_t t = 0; t < sizeof(types); t++) {
		size_t len = make(m, from, types[t]);

		for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
			m[broken[i]] ^= 0x5a;
			tell(fd, m, len);
			m[broken[i]] ^= 0x5a;
		}
		for (size_t n = 0; n < OPTIONS + 9; n += n < 230 ? 23 : 1)
			tell(fd, m, n);
		if (types[t] != 2) /* whole, but not from whom it asked */
			tell(fd, m, len);
	}
}

static void rogue(const char *interface)
{
	uint8_t from[2048];
	int fd = open_server(interface);

	puts("rogue");
	fflush(stdout);
	for (;;) {
		ssize_t n = recv(fd, from, sizeof(from), 0);

		if (n >= OPTIONS && from[0] == 1)
			lie(fd, from);
	}
}

/* --- clients of the daemon ------------------------------------------------- */

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	return sa;
}

static int open_client(const char *path)
{
	struct sockaddr_un sa = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		die(path);
	return fd;
}

static int say(const char *path)
{
	char buf[65536];
	int fd = open_client(path);
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) < 0)
			break;
	shutdown(fd, SHUT_WR);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	return 0;
}

static void hold(const char *path, int n)
{
	while (n-- > 0)
		if (write(open_client(path), "{\"hawser\"", 9) < 0)
			die(path);
	puts("held");
	fflush(stdout);
	pause();
}

static void mute(const char *path)
{
	struct sockaddr_un sa = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 5))
		die(path);
	puts("mute");
	fflush(stdout);
	pause();
}

int main(int argc, char *argv[])
{
	if (argc == 3 && !strcmp(argv[1], "rogue"))
		rogue(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "say"))
		return say(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "hold"))
		hold(argv[2], atoi(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "mute"))
		mute(argv[2]);
	fprintf(stderr, "usage: dhcp_peer rogue INTERFACE | say SOCKET | "
			"hold SOCKET N | mute SOCKET\n");
	return 2;
}
