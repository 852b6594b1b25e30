// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/background.h"

#include <linux/membarrier.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void close_all_but(int keep)
{
	if (keep > 0)
		syscall(SYS_close_range, 0U, (unsigned)keep - 1, 0U);
	if (!syscall(SYS_close_range, (unsigned)keep + 1, ~0U, 0U))
		return;
	/* a sandbox that forbids it: at least what a runtime waits for */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fd != keep)
			close(fd);
}

int background_send(int fd, const void *message, size_t len, struct err *e)
{
	pid_t pid = fork();

	if (pid > 0)
		return 0;
	if (pid < 0) /* no more processes: then we wait */
		return send(fd, message, len, 0) < 0
			       ? err_sys(e, "send a netlink message")
			       : 0;
	close_all_but(fd);
	send(fd, message, len, 0);
	_exit(0);
}

void background_close(int fd)
{
	pid_t pid = fork();

	if (pid) {
		close(fd);
		return;
	}
	close_all_but(fd);
	/* a grace period each: the one under way when we asked, and the one
	 * that the kernel's own work may have begun to wait for since */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	_exit(0);
}
