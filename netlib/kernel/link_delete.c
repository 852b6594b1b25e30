// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/link_delete.h"

#include <errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <string.h>

#include "kernel/background.h"
#include "kernel/link.h"
#include "kernel/rtnl.h"

#define DELETE_TIMEOUT_MS 10000

struct deletion {
	struct nlmsghdr header;
	struct ifinfomsg link;
};

/* Read the datagram at @fd: the notification that @index has gone, or the
 * answer to the request. */
static int read_news(int fd, int index, bool *gone, int *error)
{
	char buffer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *msg = (struct nlmsghdr *)buffer;
	ssize_t len = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	int left = (int)len;

	if (len < 0) /* ENOBUFS: some were lost, ours may be among them */
		return errno == EAGAIN ? 0 : -errno;
	for (; nlmsg_ok(msg, left); msg = nlmsg_next(msg, &left)) {
		const struct ifinfomsg *link = nlmsg_data(msg);
		const struct nlmsgerr *answer = nlmsg_data(msg);

		/* a bridge says the same of a port that leaves, as AF_BRIDGE */
		if (msg->nlmsg_type == RTM_DELLINK &&
		    nlmsg_valid_hdr(msg, sizeof(*link)) &&
		    link->ifi_family == AF_UNSPEC && link->ifi_index == index)
			*gone = true;
		if (msg->nlmsg_type == NLMSG_ERROR &&
		    nlmsg_valid_hdr(msg, sizeof(*answer))) {
			*error = answer->error;
			*gone = true;
		}
	}
	return 0;
}

static int wait_until_gone(int socket, int events, int index)
{
	struct pollfd p[] = { { .fd = events, .events = POLLIN },
			      { .fd = socket, .events = POLLIN } };
	bool gone = false;
	int error = 0;

	while (!gone) {
		if (poll(p, 2, DELETE_TIMEOUT_MS) <= 0)
			return -ETIMEDOUT;
		if (p[0].revents && read_news(events, index, &gone, &error))
			p[0].fd = -1; /* then the acknowledgement must do */
		if (p[1].revents && read_news(socket, index, &gone, &error))
			return -EIO;
	}
	return error;
}

/*
 * The answer may still come to this socket, long after: the namespace's own
 * must not receive it in the place of another answer.
 */
static int delete_over(struct nl_sock *sock, struct nl_sock *events,
		       const struct link *link, struct err *e)
{
	struct deletion request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_DELLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_index = link->index },
	};
	int r;

	if (nl_socket_add_memberships(events, RTNLGRP_LINK, 0))
		return err_set(e, ERR_IO, EIO, "watch interface \"%s\"",
			       link->name);
	r = background_send(nl_socket_get_fd(sock), &request, sizeof(request),
			    e);
	if (r)
		return r;
	r = wait_until_gone(nl_socket_get_fd(sock), nl_socket_get_fd(events),
			    link->index);
	if (!r || r == -ENODEV)
		return 0;
	return err_set(e, ERR_IO, -r, "delete interface \"%s\": %s", link->name,
		       strerror(-r));
}

int link_delete(const struct netns *ns, const struct link *link, struct err *e)
{
	struct nl_sock *sock = NULL, *events = NULL;
	int r = netns_open_route(ns, &sock, e);

	if (!r)
		r = netns_open_route(ns, &events, e);
	if (!r)
		r = delete_over(sock, events, link, e);
	nl_socket_free(sock);
	nl_socket_free(events);
	return r;
}
