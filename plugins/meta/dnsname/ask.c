// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/ask.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "meta/dnsname/message.h"

/* As a stub resolver's, resolv.conf(5). */
#define ANSWER_MS 2000
#define TRIES	  2

/* What is asked, and how. */
struct question {
	int fd;
	const char *name;
	const struct ip_addr *addr;
	uint16_t id;
	uint8_t packet[NS_PACKETSZ];
	size_t len;
};

static int connect_to(const struct netns *ns, const struct ip_addr *server,
		      int *ret, struct err *e)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(NS_DEFAULTPORT) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(NS_DEFAULTPORT) };
	const bool is4 = server->family == AF_INET;
	int r = netns_open_socket(ns, server->family, SOCK_DGRAM, 0, ret, e);

	if (r)
		return r;
	memcpy(&sin.sin_addr, server->bytes, sizeof(sin.sin_addr));
	memcpy(&sin6.sin6_addr, server->bytes, sizeof(sin6.sin6_addr));
	if (connect(*ret, is4 ? (void *)&sin : (void *)&sin6,
		    is4 ? sizeof(sin) : sizeof(sin6)))
		return err_sys(e, "connect to the resolver");
	return 0;
}

static int write_packet(struct question *q, struct err *e)
{
	if (getrandom(&q->id, sizeof(q->id), 0) < 0)
		return err_sys(e, "get a random number");
	q->len = dns_message_write(q->id, q->name, q->addr, q->packet);
	return q->len ? 0
		      : err_set(e, ERR_CONFIG, EINVAL,
				"\"%s\" is not a name DNS can have", q->name);
}

static int ask_once(const struct question *q, bool *ret)
{
	struct pollfd in = { .fd = q->fd, .events = POLLIN };
	uint8_t packet[NS_PACKETSZ];
	ssize_t n;

	if (send(q->fd, q->packet, q->len, 0) < 0)
		return -errno;
	while (poll(&in, 1, ANSWER_MS) > 0) {
		n = recv(q->fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0)
			return -errno;
		if (!dns_message_read(packet, (size_t)n, q->id, q->addr, ret))
			return 0;
	}
	return -EAGAIN;
}

static int ask(const struct question *q, struct err *e)
{
	bool knows = false;
	int r = -EAGAIN;

	for (int i = 0; r && i < TRIES; i++)
		r = ask_once(q, &knows);
	if (r)
		return err_set(e, ERR_MISMATCH, ETIMEDOUT,
			       "no answer to \"%s\": %s", q->name,
			       r == -EAGAIN ? "time is up" : strerror(-r));
	return knows ? 0
		     : err_set(e, ERR_MISMATCH, ENOENT,
			       "it does not know an address of \"%s\"",
			       q->name);
}

int dns_ask(const struct netns *ns, const struct ip_addr *server,
	    const char *name, const struct ip_addr *addr, struct err *e)
{
	_close_ int fd = -1;
	struct question q = { .name = name, .addr = addr };
	char text[IP_TEXT_MAX];
	int r = connect_to(ns, server, &fd, e);

	q.fd = fd;
	if (!r)
		r = write_packet(&q, e);
	if (!r)
		r = ask(&q, e);
	if (r)
		err_wrap(e, "resolver at %s", ip_text(server, text));
	return r;
}
