// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread, one loop: it accepts connections, of which each brings one request
 * and takes one answer (request.h), and drives the leases (lease.h). Nothing in it
 * waits for anybody: a client that is slow is one more descriptor in the loop, for
 * a limited time.
 *
 * On SIGTERM it ends and leaves the leases as they are, on disk: the next daemon
 * goes on with them.
 */
#include "ipam/dhcp/daemon.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/fs.h"
#include "ipam/dhcp/journal.h"
#include "ipam/dhcp/lease.h"
#include "ipam/dhcp/options.h"
#include "ipam/dhcp/request.h"
#include "ipam/dhcp/socket.h"

#define REQUEST_TIME_S	10.0 /* for the whole of it */
#define ACCEPT_PAUSE_S	0.2
#define CONNECTIONS_MAX 1000
#define LISTEN_FD	3 /* sd_listen_fds(3) */

/* What the reference's plugin, which speaks HTTP, shows its user. */
static const char http_answer[] =
	"HTTP/1.0 505 this is the DHCP daemon of Hawser, which the dhcp plugin of Hawser talks to\r\n\r\n";

struct daemon {
	struct dhcp_options options;
	char socket_path[PATH_MAX];
	struct ev_loop *loop;
	struct lease_set leases;
	int listener;
	bool owns_socket;
	size_t connections;
	ev_io accept;
	ev_timer accept_again, idle;
	ev_prepare watch_idle;
	ev_signal sigterm, sigint;
};

struct connection {
	struct daemon *daemon;
	int fd;
	ev_io io;
	ev_timer time;
	bool waits; /* its ADD is under way */
	char *buf;
	size_t len, room;
};

static void log_stderr(const char *text)
{
	fprintf(stderr, "dhcp: %s\n", text);
}

static void log_syslog(const char *text)
{
	syslog(LOG_DAEMON | LOG_NOTICE, "dhcp: %s", text);
}

/* --- connections ----------------------------------------------------------- */

static void close_connection(struct connection *c)
{
	struct daemon *d = c->daemon;

	ev_io_stop(d->loop, &c->io);
	ev_timer_stop(d->loop, &c->time);
	close(c->fd);
	free(c->buf);
	free(c);
	d->connections--;
	if (!ev_is_active(&d->accept))
		ev_io_start(d->loop, &d->accept);
}

/* Whether all of it has gone out: there is room for it in any socket, or nobody
 * reads. */
static bool send_text(const struct connection *c, const char *text)
{
	const size_t len = strlen(text);

	return send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       (ssize_t)len;
}

/* Answer, and end the connection. */
static bool answer(void *arg, const struct cni_result *res, const struct err *e)
{
	struct connection *c = arg;
	_free_ char *line = dhcp_answer_encode(res, e);
	const bool sent = line && send_text(c, line);

	close_connection(c);
	return sent;
}

/* Does away with @c, now or when the lease is there. */
static void serve(struct connection *c, const struct dhcp_request *request,
		  struct arena *a)
{
	struct lease_set *leases = &c->daemon->leases;
	struct cni_result res = { 0 };
	struct err e = { 0 };
	int r = 0;

	if (request->command == CNI_ADD) {
		c->waits = true;
		ev_timer_stop(c->daemon->loop, &c->time);
		r = lease_add(leases, request, answer, c, &e);
		if (r)
			answer(c, NULL, &e);
		return;
	}
	if (request->command == CNI_CHECK)
		r = lease_check(leases, request, a, &res, &e);
	else if (request->command == CNI_DEL)
		lease_del(leases, request);
	else if (request->command == CNI_GC)
		lease_gc(leases, request);
	answer(c, &res, r ? &e : NULL);
}

static void serve_line(struct connection *c, size_t len)
{
	_arena_ struct arena a = { 0 };
	struct dhcp_request request;
	struct err e = { 0 };

	c->buf[len] = '\0';
	if (dhcp_request_decode(c->buf, len, &a, &request, &e))
		answer(c, NULL, &e);
	else
		serve(c, &request, &a);
}

static bool make_room(struct connection *c)
{
	char *wider;

	if (c->len < c->room)
		return true;
	c->room = c->room ? c->room * 2 : 4096;
	wider = c->room > DHCP_LINE_MAX ? NULL : realloc(c->buf, c->room);
	if (wider)
		c->buf = wider;
	return wider;
}

static void refuse(struct connection *c)
{
	struct err e;

	err_set(&e, ERR_DECODE, EMSGSIZE,
		"the request is longer than %zu bytes", DHCP_LINE_MAX);
	answer(c, NULL, &e);
}

/* One that waits for its ADD has nothing more to say: it has gone, or is none of
 * ours. */
static void abandon(struct connection *c)
{
	if (c->waits)
		lease_cancel(&c->daemon->leases, c);
	close_connection(c);
}

/* By the first byte it is one of our plugins. */
static bool greet(const struct connection *c)
{
	if (c->buf[0] == '{')
		return send_text(c, DHCP_GREETING);
	send_text(c, http_answer);
	return false;
}

static void connection_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct connection *c = io->data;
	const char *end;
	ssize_t n;

	(void)loop;
	(void)events;
	if (!make_room(c)) {
		refuse(c);
		return;
	}
	n = recv(c->fd, c->buf + c->len, c->room - c->len, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || c->waits) {
		abandon(c);
		return;
	}
	if (!c->len && !greet(c)) {
		close_connection(c);
		return;
	}
	end = memchr(c->buf + c->len, '\n', (size_t)n);
	c->len += (size_t)n;
	if (end)
		serve_line(c, (size_t)(end - c->buf));
}

static void connection_late(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	close_connection(timer->data);
}

static void new_connection(struct daemon *d, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->daemon = d;
	c->fd = fd;
	d->connections++;
	ev_io_init(&c->io, connection_ready, fd, EV_READ);
	ev_timer_init(&c->time, connection_late, REQUEST_TIME_S, 0);
	c->io.data = c->time.data = c;
	ev_io_start(d->loop, &c->io);
	ev_timer_start(d->loop, &c->time);
}

static int accept_one(const struct daemon *d)
{
	return accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct daemon *d = timer->data;

	(void)events;
	ev_io_start(loop, &d->accept);
}

/* Without a descriptor for one more, the others wait in the kernel's queue. */
static void listener_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct daemon *d = io->data;
	int fd = -1;

	(void)events;
	if (d->connections < CONNECTIONS_MAX) {
		fd = accept_one(d);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
			return;
	}
	if (fd >= 0) {
		new_connection(d, fd);
		return;
	}
	ev_io_stop(loop, &d->accept);
	ev_timer_start(loop, &d->accept_again);
}

/* --- the end --------------------------------------------------------------- */

static void stop(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)signal;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

/* Nobody can start another daemon meanwhile; who has connected before its socket
 * went is served. */
static void idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct daemon *d = timer->data;
	_close_ int lock = -1;
	int fd;

	(void)events;
	if (dhcp_socket_lock(d->socket_path, &lock, NULL))
		return;
	fd = accept_one(d);
	if (fd >= 0)
		new_connection(d, fd);
	else
		ev_break(loop, EVBREAK_ALL);
}

static void watch_idle(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct daemon *d = prepare->data;
	const bool is_busy = d->connections || d->leases.n;

	(void)events;
	if (is_busy)
		ev_timer_stop(loop, &d->idle);
	else if (!ev_is_active(&d->idle)) {
		ev_timer_set(&d->idle, (double)d->options.idle_ms / 1000, 0);
		ev_timer_start(loop, &d->idle);
	}
}

/* --- the beginning --------------------------------------------------------- */

/* A socket that was handed over (sd_listen_fds(3)): 1, or 0 for none. */
static int inherit_socket(struct daemon *d, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

	if (!pid || !n || strtol(pid, NULL, 10) != getpid())
		return 0;
	if (strtol(n, NULL, 10) != 1)
		return err_set(e, ERR_ENV, EINVAL,
			       "LISTEN_FDS=%s: exactly one socket is expected",
			       n);
	if (fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC))
		return err_sys(e, "the socket that was handed over");
	d->listener = LISTEN_FD;
	d->owns_socket = d->options.on_demand;
	return 1;
}

static int listen_at_path(struct daemon *d, struct err *e)
{
	_close_ int lock = -1;
	int r = dhcp_socket_lock(d->socket_path, &lock, e);

	if (!r)
		r = dhcp_socket_listen(d->socket_path, &d->listener, e);
	d->owns_socket = !r;
	return r;
}

static int open_socket(struct daemon *d, struct err *e)
{
	int n = snprintf(d->socket_path, sizeof(d->socket_path), "%s%s",
			 d->options.host_prefix, d->options.socket_path);
	int r;

	if ((size_t)n >= sizeof(d->socket_path))
		return err_set(e, ERR_ENV, ENAMETOOLONG,
			       "the socket's path is too long");
	r = inherit_socket(d, e);
	if (!r)
		r = listen_at_path(d, e);
	if (r < 0)
		return r;
	fcntl(d->listener, F_SETFL, O_NONBLOCK);
	return 0;
}

static int write_pid_file(const char *path, struct err *e)
{
	_close_ int fd = -1;
	char text[32];
	int n = snprintf(text, sizeof(text), "%d", getpid());

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || fs_write_all(fd, text, (size_t)n))
		return err_sys(e, "write \"%s\"", path);
	return 0;
}

/* A socket for each container that gets a lease at the moment, and each that waits
 * for one. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void watch_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* those of kernel/background.h */
	ev_signal_init(&d->sigterm, stop, SIGTERM);
	ev_signal_init(&d->sigint, stop, SIGINT);
	ev_signal_start(d->loop, &d->sigterm);
	ev_signal_start(d->loop, &d->sigint);
}

static void start_watchers(struct daemon *d)
{
	watch_signals(d);
	ev_io_init(&d->accept, listener_ready, d->listener, EV_READ);
	ev_timer_init(&d->accept_again, accept_again, ACCEPT_PAUSE_S, 0);
	ev_timer_init(&d->idle, idle, 0, 0);
	ev_prepare_init(&d->watch_idle, watch_idle);
	d->accept.data = d->accept_again.data = d;
	d->idle.data = d->watch_idle.data = d;
	ev_io_start(d->loop, &d->accept);
	if (d->options.idle_ms)
		ev_prepare_start(d->loop, &d->watch_idle);
}

static int run(struct daemon *d, struct err *e)
{
	int r;

	raise_limit();
	d->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!d->loop)
		return err_oom(e);
	d->leases = (struct lease_set){
		.loop = d->loop,
		.timing = d->options.timing,
		.host_prefix = d->options.host_prefix,
		.log = d->options.on_demand ? log_syslog : log_stderr,
	};
	r = journal_open(d->options.host_prefix, d->options.socket_path,
			 &d->leases.journal, e);
	if (!r)
		r = lease_set_init(&d->leases, e);
	if (r)
		return r;
	start_watchers(d);
	ev_run(d->loop, 0);
	lease_set_done(&d->leases);
	return 0;
}

/* The journal's lock goes with the process, after the socket: who starts the next
 * daemon waits for the directory's lock, and finds both free. */
static void close_socket(struct daemon *d)
{
	if (d->owns_socket)
		unlink(d->socket_path);
	if (d->options.pid_file)
		unlink(d->options.pid_file);
	close(d->listener);
}

int dhcp_daemon_main(int argc, char *argv[])
{
	struct daemon d = { .listener = -1 };
	struct err e = { 0 };
	int r;

	prctl(PR_SET_NAME, "dhcp"); /* it may have been "exe": call.c */
	r = dhcp_options_parse(argc, argv, &d.options, &e);

	if (r == -ECANCELED)
		return fputs(dhcp_options_help, stdout) < 0;
	if (!r)
		r = open_socket(&d, &e);
	if (!r) {
		r = write_pid_file(d.options.pid_file, &e);
		if (!r)
			r = run(&d, &e);
		close_socket(&d);
	}
	if (!r)
		return 0;
	(d.options.on_demand ? log_syslog : log_stderr)(e.msg);
	return 1;
}
