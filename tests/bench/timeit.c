// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * timeit INPUT OUTPUT COMMAND [ARG...]: run a command with stdin from one file
 * and stdout to another, and print what it took:
 *
 *	elapsed microseconds, exit status, peak memory in KiB
 *
 * The clock runs from just before the process is made until it has been
 * reaped; a process it leaves behind is not waited for. The peak is that of
 * the largest process among the command and the children it waited for, and
 * never less than this program's own, which the kernel counts up to the exec:
 * link it statically to have that small. Death by signal N is status 128 + N.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(125, "%s", path);
	return fd;
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	long long start, end;
	int in, out, ret, status;
	pid_t pid;

	if (argc < 4)
		errx(125, "usage: timeit INPUT OUTPUT COMMAND [ARG...]");

	in = open_or_die(argv[1], O_RDONLY);
	out = open_or_die(argv[2], O_WRONLY | O_CREAT | O_TRUNC);
	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO) ||
	    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO))
		errx(125, "out of memory");

	start = now_ns();
	ret = posix_spawnp(&pid, argv[3], &actions, NULL, argv + 3, environ);
	if (ret) {
		errno = ret;
		err(125, "%s", argv[3]);
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			err(125, "wait4");
	end = now_ns();

	posix_spawn_file_actions_destroy(&actions);
	if (WIFSIGNALED(status))
		status = 128 + WTERMSIG(status);
	else
		status = WEXITSTATUS(status);
	printf("%lld %d %ld\n", (end - start) / 1000, status, usage.ru_maxrss);
	return 0;
}
