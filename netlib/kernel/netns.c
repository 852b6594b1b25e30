// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/vfs.h>

#define REPLY_TIMEOUT_S 10
#define REPLY_MAX	32768 /* what the kernel puts in one datagram */

static int open_namespace(const char *path, int *ret, struct err *e)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct statfs fs;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_UNKNOWN_CONTAINER, ENOENT,
			       "network namespace \"%s\" does not exist", path);
	if (fd < 0) {
		int r = err_sys(e, "open network namespace \"%s\"", path);

		return r == -ENOTDIR || r == -ENXIO || r == -ELOOP ? -EINVAL
								   : r;
	}
	if (fstatfs(fd, &fs))
		return err_sys(e, "examine network namespace \"%s\"", path);
	if (fs.f_type != NSFS_MAGIC)
		return err_set(
			e, ERR_ENV, EINVAL,
			"\"%s\" is not a network namespace: unknown FS magic on \"%s\": %lx",
			path, path, (unsigned long)fs.f_type);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(
			e, ERR_ENV, EINVAL,
			"\"%s\" is a namespace, but not a network namespace",
			path);
	*ret = steal_fd(&fd);
	return 0;
}

static int open_route_socket(struct nl_sock **ret, struct err *e)
{
	struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_S };
	struct nl_sock *sock = nl_socket_alloc();
	int fd, on = 1;

	if (!sock)
		return err_oom(e);
	/* one receive a reply instead of a peek and a receive */
	nl_socket_disable_msg_peek(sock);
	nl_socket_set_msg_buf_size(sock, REPLY_MAX);
	nl_socket_disable_auto_ack(sock); /* rtnl.c asks where it wants one */
	if (nl_connect(sock, NETLINK_ROUTE)) {
		nl_socket_free(sock);
		return err_sys(e, "open a route netlink socket");
	}
	/* each an addition: older kernels do without */
	fd = nl_socket_get_fd(sock);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	*ret = sock;
	return 0;
}

/* What must be opened from inside. */
static int open_contents(struct netns *ns, struct err *e)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	ns->conf4 = open("/proc/sys/net/ipv4/conf", flags);
	ns->conf6 = open("/proc/sys/net/ipv6/conf", flags);
	return open_route_socket(&ns->route, e);
}

struct visit {
	int fd;
	int (*fn)(void *arg, struct err *e);
	void *arg;
	struct err *e;
	int r;
};

static void *enter_and_stay(void *arg)
{
	struct visit *v = arg;

	v->r = setns(v->fd, CLONE_NEWNET)
		       ? err_sys(v->e, "enter the network namespace")
		       : v->fn(v->arg, v->e);
	return NULL;
}

/* Who may not enter the namespace he is in, as in a user namespace of its own
 * over the host's network, would not come back: then a thread goes, and ends
 * there. What it opens is the process's. */
static void send_thread(struct visit *v)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, enter_and_stay, v);
	if (errno)
		v->r = err_sys(v->e, "make a thread");
	else
		pthread_join(thread, NULL);
}

/* Run @fn inside the namespace @fd. */
static int visit(int fd, int (*fn)(void *arg, struct err *e), void *arg,
		 struct err *e)
{
	_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct visit v = { .fd = fd, .fn = fn, .arg = arg, .e = e };

	if (own < 0)
		return err_sys(e, "open our own network namespace");
	if (setns(own, CLONE_NEWNET)) {
		send_thread(&v);
		return v.r;
	}
	enter_and_stay(&v);
	if (setns(own, CLONE_NEWNET)) /* it has just worked */
		abort();
	return v.r;
}

static int visit_open_contents(void *ns, struct err *e)
{
	return open_contents(ns, e);
}

static int visit_open_route(void *sock, struct err *e)
{
	return open_route_socket(sock, e);
}

static int visit_open_tun(void *ret, struct err *e)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open \"/dev/net/tun\"");
	*(int *)ret = fd;
	return 0;
}

struct socket_kind {
	int domain, type, protocol;
	int fd;
};

static int visit_open_socket(void *arg, struct err *e)
{
	struct socket_kind *kind = arg;

	kind->fd =
		socket(kind->domain, kind->type | SOCK_CLOEXEC, kind->protocol);
	return kind->fd < 0 ? err_sys(e, "open a socket") : 0;
}

int netns_open(const char *path, struct netns *ret, struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = open_namespace(path, &ns.fd, e);

	if (!r) {
		r = visit(ns.fd, visit_open_contents, &ns, e);
		if (r)
			err_wrap(e, "network namespace \"%s\"", path);
	}
	if (r)
		netns_close(&ns);
	else
		*ret = ns;
	return r;
}

int netns_open_own(struct netns *ret, struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = open_namespace("/proc/self/ns/net", &ns.fd, e);

	if (!r)
		r = open_contents(&ns, e);
	if (r)
		netns_close(&ns);
	else
		*ret = ns;
	return r;
}

bool netns_is_gone(int r)
{
	return r == -ENOENT || r == -EINVAL;
}

int netns_open_route(const struct netns *ns, struct nl_sock **ret,
		     struct err *e)
{
	return visit(ns->fd, visit_open_route, ret, e);
}

int netns_open_tun(const struct netns *ns, int *ret, struct err *e)
{
	return visit(ns->fd, visit_open_tun, ret, e);
}

struct sysctls {
	const char *const *paths;
	size_t n;
	int *fds;
};

/* Some can only be read, some only be written; in a read-only /proc/sys all. */
static int open_sysctl(int proc_sys, const char *path, struct err *e)
{
	static const int ways[] = { O_RDWR, O_RDONLY, O_WRONLY };
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(ways) / sizeof(*ways); i++) {
		fd = openat(proc_sys, path, ways[i] | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno != EACCES && errno != EROFS)
			break;
	}
	return fd >= 0 ? fd : err_sys(e, "open \"/proc/sys/%s\"", path);
}

static int visit_open_sysctls(void *arg, struct err *e)
{
	struct sysctls *s = arg;
	_close_ int dir = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "open \"/proc/sys\"");
	for (size_t i = 0; i < s->n; i++) {
		int fd = open_sysctl(dir, s->paths[i], e);

		if (fd >= 0) {
			s->fds[i] = fd;
			continue;
		}
		while (i--)
			close(s->fds[i]);
		return fd;
	}
	return 0;
}

int netns_open_sysctls(const struct netns *ns, const char *const *paths,
		       size_t n, int *fds, struct err *e)
{
	struct sysctls s = { .paths = paths, .n = n, .fds = fds };

	return visit(ns->fd, visit_open_sysctls, &s, e);
}

int netns_open_socket(const struct netns *ns, int domain, int type,
		      int protocol, int *ret, struct err *e)
{
	struct socket_kind kind = { domain, type, protocol, -1 };
	int r = visit(ns->fd, visit_open_socket, &kind, e);

	if (!r)
		*ret = kind.fd;
	return r;
}

void netns_close(struct netns *ns)
{
	if (ns->route)
		nl_socket_free(ns->route);
	close_cleanup(&ns->fd);
	close_cleanup(&ns->conf4);
	close_cleanup(&ns->conf6);
	ns->route = NULL;
}
