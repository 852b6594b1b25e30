// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/background.h"

#include <linux/membarrier.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_one_of(const int *v, size_t n, unsigned fd)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] >= 0 && (unsigned)v[i] == fd)
			return true;
	return false;
}

/* The least of those that are @from or more; ~0: none. */
static unsigned next_of(const int *v, size_t n, unsigned from)
{
	unsigned least = ~0U;

	for (size_t i = 0; i < n; i++)
		if (v[i] >= 0 && (unsigned)v[i] >= from &&
		    (unsigned)v[i] < least)
			least = (unsigned)v[i];
	return least;
}

static void close_all_but(const int *keep, size_t n)
{
	unsigned from = 0, to;
	bool refused = false;

	do {
		to = next_of(keep, n, from);
		if (to > from)
			refused |= syscall(SYS_close_range, from,
					   to == ~0U ? to : to - 1, 0U) != 0;
		from = to + 1;
	} while (to != ~0U);
	/* a sandbox that forbids it: at least what a runtime waits for */
	for (unsigned fd = 0; refused && fd <= STDERR_FILENO; fd++)
		if (!is_one_of(keep, n, fd))
			close((int)fd);
}

pid_t background_begin(const int *keep, size_t n)
{
	pid_t pid = fork();

	if (!pid)
		close_all_but(keep, n);
	return pid;
}

int background_send(int fd, const void *message, size_t len, struct err *e)
{
	pid_t pid = background_begin(&fd, 1);

	if (pid > 0)
		return 0;
	if (pid < 0) /* no more processes: then we wait */
		return send(fd, message, len, 0) < 0
			       ? err_sys(e, "send a netlink message")
			       : 0;
	send(fd, message, len, 0);
	_exit(0);
}

void background_close(int fd)
{
	if (background_begin(&fd, 1)) {
		close(fd);
		return;
	}
	/* a grace period each: the one under way when we asked, and the one
	 * that the kernel's own work may have begun to wait for since */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	_exit(0);
}
