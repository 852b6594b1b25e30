// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/container.h"

#include <errno.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/mounts.h"
#include "runtime/verb.h"

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127
#define EXIT_SIGNAL	    128 /* plus the signal */

/* --- signals and exit statuses ------------------------------------------- */

/* What is passed on, and SIGCHLD. The rest does to us what it does to all. */
static void fill_signals(sigset_t *set)
{
	static const int signals[] = { SIGHUP,	SIGINT,	  SIGQUIT,
				       SIGTERM, SIGUSR1,  SIGUSR2,
				       SIGALRM, SIGWINCH, SIGCHLD };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(set, signals[i]);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* Wait for whoever ended; true when that was @pid. */
static bool reap(pid_t pid, int *ret_status)
{
	bool found = false;
	int status;
	pid_t ended;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
		if (ended != pid)
			continue;
		*ret_status = exit_status(status);
		found = true;
	}
	return found;
}

/*
 * Wait for @pid and hand it the signals that we get. Not those of the terminal
 * (SI_KERNEL): it sends them to all its processes, so @pid has had them.
 */
static int attend(pid_t pid)
{
	sigset_t set;
	int status = 0;

	fill_signals(&set);
	for (;;) {
		siginfo_t info;

		if (sigwaitinfo(&set, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(pid, info.si_signo);
		if (info.si_signo == SIGCHLD && reap(pid, &status))
			return status;
	}
}

/* --- in the container ---------------------------------------------------- */

/* Die with the process that started us; false when it has died already. */
static bool tie_to(int parent)
{
	struct pollfd ended = { .fd = parent, .events = POLLIN };

	return !prctl(PR_SET_PDEATHSIG, SIGKILL) && !poll(&ended, 1, 0);
}

static int set_loopback_up(struct err *e)
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		return err_sys(e, "set interface \"lo\" up");
	return 0;
}

static int set_hostname(const char *name, struct err *e)
{
	if (name && sethostname(name, strlen(name)))
		return err_sys(e, "set hostname \"%s\"", name);
	return 0;
}

static int enter_namespaces(const struct container *c, struct err *e)
{
	int r;

	if (setns(c->netns, CLONE_NEWNET))
		return err_sys(e, "enter the network namespace");
	r = set_loopback_up(e);
	if (!r)
		r = set_hostname(c->hostname, e);
	return r ? r : mounts_make_container(c->rootfs, c->resolv_conf, e);
}

static void __attribute__((noreturn))
execute(char **command, const sigset_t *mask)
{
	struct err e;
	int errnum;

	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	errnum = errno;
	err_sys(&e, "execute \"%s\"", command[0]);
	verb_fail("hawser run", &e);
	_exit(errnum == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Process 1. Its exit status is the command's. */
static int init(const struct container *c, int parent, const sigset_t *mask)
{
	struct err e;
	pid_t pid;

	if (!tie_to(parent))
		return 1;
	if (enter_namespaces(c, &e))
		return verb_fail("hawser run", &e);
	pid = fork();
	if (pid < 0) {
		err_sys(&e, "start \"%s\"", c->command[0]);
		return verb_fail("hawser run", &e);
	}
	if (!pid)
		execute(c->command, mask);
	return attend(pid);
}

/* --- outside ------------------------------------------------------------- */

/* fork(), but with the child in new namespaces. unshare(CLONE_NEWPID) would
 * do as much to us: no more children once the first of them has ended. */
static pid_t fork_into(unsigned namespaces)
{
	struct clone_args args = { .flags = namespaces,
				   .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int start(const struct container *c, const sigset_t *mask, pid_t *ret,
		 struct err *e)
{
	_close_ int self = pidfd_open(getpid(), 0);
	pid_t pid;

	if (self < 0)
		return err_sys(e, "open ourselves as a process");
	pid = fork_into(CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC);
	if (pid < 0)
		return err_sys(e, "start a process in namespaces of its own");
	if (!pid)
		_exit(init(c, self, mask));
	*ret = pid;
	return 0;
}

int container_run(const struct container *c, int *ret_status, struct err *e)
{
	sigset_t forwarded, before;
	pid_t pid = 0;
	int r;

	fill_signals(&forwarded);
	sigprocmask(SIG_BLOCK, &forwarded, &before);
	r = start(c, &before, &pid, e);
	if (!r)
		*ret_status = attend(pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
