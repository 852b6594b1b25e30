// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/watch.h"

#include <errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int watch_open(const struct netns *ns, int group, int timeout_ms,
	       struct watch *ret, struct err *e)
{
	int r = netns_open_route(ns, &ret->events, e);

	if (r)
		return r;
	if (nl_socket_add_memberships(ret->events, group, 0)) {
		watch_close(ret);
		return err_set(e, ERR_IO, EIO,
			       "subscribe to route netlink group %d", group);
	}
	ret->deadline_ms = now_ms() + timeout_ms;
	return 0;
}

int watch_fd(const struct watch *watch)
{
	return nl_socket_get_fd(watch->events);
}

void watch_drain(const struct watch *watch)
{
	char discarded[4096];

	while (recv(watch_fd(watch), discarded, sizeof(discarded),
		    MSG_DONTWAIT) > 0)
		;
}

int watch_wait(const struct watch *watch)
{
	struct pollfd p = { .fd = watch_fd(watch), .events = POLLIN };
	int64_t left = watch->deadline_ms - now_ms();

	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return -ETIMEDOUT;
	watch_drain(watch);
	return 0;
}

void watch_close(struct watch *watch)
{
	nl_socket_free(watch->events);
	watch->events = NULL;
}
