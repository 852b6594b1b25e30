// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network namespace as an argument. Its sockets and directories are opened
 * inside it once, by one short visit, and go on acting on it from wherever the
 * process is (measured on Linux 6.18): nobody else changes namespaces.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct nl_sock;

struct netns {
	int fd;		       /* the namespace itself */
	struct nl_sock *route; /* NETLINK_ROUTE */
	int conf4, conf6;      /* /proc/sys/net/ipv{4,6}/conf; -1: not there */
};

#define NETNS_NONE                                 \
	{                                          \
		.fd = -1, .conf4 = -1, .conf6 = -1 \
	}

/* Open the namespace at @path. -ENOENT when there is nothing, -EINVAL when it
 * is something other than a network namespace; the error names @path. */
int netns_open(const char *path, struct netns *ret, struct err *e);

/* The namespace the process is in. */
int netns_open_own(struct netns *ret, struct err *e);

/* Whether netns_open() said that no such namespace exists (any more): a file
 * that a namespace was mounted on before a reboot is as gone as a missing
 * one. */
bool netns_is_gone(int r);

/* Another socket like ns->route, for notifications; its owner frees it with
 * nl_socket_free(). */
int netns_open_route(const struct netns *ns, struct nl_sock **ret,
		     struct err *e);

/* /dev/net/tun, for interfaces of @ns. */
int netns_open_tun(const struct netns *ns, int *ret, struct err *e);

/* Files below /proc/sys of @ns, "net/core/somaxconn", for reading and writing as
 * far as that is allowed; in @fds, which the caller closes. All or none: the error
 * names the one that cannot be opened. */
int netns_open_sysctls(const struct netns *ns, const char *const *paths,
		       size_t n, int *fds, struct err *e);

/* socket(2), in the namespace; SOCK_CLOEXEC is added. */
int netns_open_socket(const struct netns *ns, int domain, int type,
		      int protocol, int *ret, struct err *e);

void netns_close(struct netns *ns);

static inline void netns_close_cleanup(struct netns *ns)
{
	netns_close(ns);
}

#define _netns_ cleanup(netns_close)
