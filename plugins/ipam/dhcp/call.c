// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two plugins that find no daemon at the same time have to make one, and each has
 * to reach it. So the plugin that is first (the directory's lock says which) makes
 * the socket itself and hands it to the daemon that it starts, as systemd would:
 * whoever connects from then on waits in the socket's queue.
 */
#include "ipam/dhcp/call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "ipam/dhcp/socket.h"

#define LISTEN_FD   3 /* sd_listen_fds(3) */
#define GREETING_MS 10000
#define ATTEMPTS    3

/* --- starting one ---------------------------------------------------------- */

/* Nothing of ours stays open: a runtime waits for our stdout to close. */
static int arrange_descriptors(int listener)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(listener, LISTEN_FD) < 0 || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -errno;
	return syscall(SYS_close_range, LISTEN_FD + 1, ~0U, 0) ? -errno : 0;
}

/* In the process that is to be the daemon. */
static void become_daemon(const char *socket_path, int listener)
{
	char name[] = "dhcp", verb[] = "daemon", flag[] = "-ondemand",
	     path_flag[] = "-socketpath", fds[] = "LISTEN_FDS=1", pid[48],
	     search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *argv[] = {
		name, verb, flag, path_flag, (char *)socket_path, NULL
	};
	char *env[] = { search, fds, pid, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	snprintf(pid, sizeof(pid), "LISTEN_PID=%d", getpid());
	umask(0077);
	if (!chdir("/") && !arrange_descriptors(listener))
		execve("/proc/self/exe", argv, env);
	_exit(127);
}

/* A child's child: init inherits it, and it has a session of its own. */
static int start_daemon(const char *socket_path, int listener, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "start the DHCP daemon");
	if (!pid) {
		setsid();
		pid = fork();
		if (!pid)
			become_daemon(socket_path, listener);
		_exit(pid < 0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static bool nobody_listens(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

static int start(const char *socket_path, int *ret, struct err *e)
{
	_close_ int lock = -1, listener = -1;
	int r = dhcp_socket_lock(socket_path, &lock, e);

	if (r)
		return r;
	r = dhcp_socket_connect(socket_path, ret, e);
	if (!nobody_listens(r)) /* another one was first */
		return r;
	r = dhcp_socket_listen(socket_path, &listener, e);
	if (!r)
		r = start_daemon(socket_path, listener, e);
	return r ? r : dhcp_socket_connect(socket_path, ret, e);
}

static int connect_to(const char *socket_path, bool starts, int *ret,
		      struct err *e)
{
	int r = dhcp_socket_connect(socket_path, ret, e);

	return starts && nobody_listens(r) ? start(socket_path, ret, e) : r;
}

/* --- talking --------------------------------------------------------------- */

struct reader {
	int fd;
	char *buf;
	size_t len, room;
};

static void reader_done_cleanup(struct reader *r)
{
	free(r->buf);
}

#define _reader_ cleanup(reader_done)

static int fill(struct reader *r, int timeout_ms)
{
	struct pollfd in = { .fd = r->fd, .events = POLLIN };
	ssize_t n;
	char *wider;

	if (r->len + 1 >= r->room) {
		r->room = r->room ? r->room * 2 : 4096;
		wider = r->room > DHCP_LINE_MAX ? NULL
						: realloc(r->buf, r->room);
		if (!wider)
			return -EMSGSIZE;
		r->buf = wider;
	}
	do
		n = poll(&in, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	n = recv(r->fd, r->buf + r->len, r->room - r->len - 1, 0);
	if (n <= 0)
		return n ? -errno : -ECONNRESET;
	r->len += (size_t)n;
	return 0;
}

/* The length of the first line, without its end. */
static int read_line(struct reader *r, int timeout_ms, size_t *ret)
{
	const char *end = NULL;
	int failure;

	while (!r->len || !(end = memchr(r->buf, '\n', r->len))) {
		failure = fill(r, timeout_ms);
		if (failure)
			return failure;
	}
	*ret = (size_t)(end - r->buf);
	return 0;
}

static int is_foreign(const char *socket_path, struct err *e)
{
	return err_set(
		e, ERR_CONFIG, EPROTO,
		"what listens at \"%s\" is not Hawser's DHCP daemon (the one of the reference plugins?): stop it, or set \"ipam.daemonSocketPath\" to another path",
		socket_path);
}

/* -ECONNRESET when there was nobody in the end. */
static int greet(struct reader *r, const char *socket_path, struct err *e)
{
	static const char greeting[] = DHCP_GREETING;
	size_t len = 0;
	int failure = read_line(r, GREETING_MS, &len);

	if (failure == -ECONNRESET || failure == -EPIPE)
		return err_set(e, ERR_IO, ECONNRESET,
			       "the DHCP daemon at \"%s\" has ended",
			       socket_path);
	if (failure || len + 1 != sizeof(greeting) - 1 ||
	    memcmp(r->buf, greeting, len) != 0)
		return is_foreign(socket_path, e);
	r->len -= len + 1;
	memmove(r->buf, r->buf + len + 1, r->len);
	return 0;
}

static int read_answer(struct reader *r, struct arena *a,
		       struct cni_result *ret, struct err *e)
{
	size_t len = 0;
	int failure = read_line(r, -1, &len);

	if (failure)
		return err_set(e, ERR_IO, -failure,
			       "the DHCP daemon has not answered: %s",
			       strerror(-failure));
	r->buf[len] = '\0';
	return dhcp_answer_decode(r->buf, len, a, ret, e);
}

/* -ECONNRESET when the daemon ended before it took notice. */
static int talk(int fd, const char *socket_path, const char *line,
		struct arena *a, struct cni_result *ret, struct err *e)
{
	_reader_ struct reader reader = { .fd = fd };
	int r;

	/* what it does not take it will not answer either */
	send(fd, line, strlen(line), MSG_NOSIGNAL);
	r = greet(&reader, socket_path, e);
	return r ? r : read_answer(&reader, a, ret, e);
}

int dhcp_call(const char *socket_path, bool starts,
	      const struct dhcp_request *request, struct arena *a,
	      struct cni_result *ret, struct err *e)
{
	_free_ char *line = dhcp_request_encode(request);
	int r = -ECONNRESET;

	if (!line)
		return err_oom(e);
	/* an idle one may end at just that moment */
	for (int i = 0; r == -ECONNRESET && i < ATTEMPTS; i++) {
		_close_ int fd = -1;

		r = connect_to(socket_path, starts, &fd, e);
		if (!r)
			r = talk(fd, socket_path, line, a, ret, e);
	}
	return r;
}
