// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATH_TEXT_MAX 64

/* What the keeper says when it has attached, and when it has detached. */
struct report {
	int r;
	struct err e;
	char resolv_conf[RESOLV_CONF_MAX];
};

/* --- in the keeper ------------------------------------------------------- */

/* The keeper's own networks: the namespace is where it holds it. */
static struct networks networks_of(const struct keeper_job *job,
				   char netns[static PATH_TEXT_MAX])
{
	struct networks nets = job->networks;

	snprintf(netns, PATH_TEXT_MAX, "/proc/%ld/fd/%d", (long)getpid(),
		 job->netns);
	nets.netns = netns;
	return nets;
}

static int attach(const struct networks *nets, struct report *report)
{
	_arena_ struct arena arena = { 0 };
	struct cni_dns *dns = arena_array(&arena, nets->n, sizeof(*dns));
	int r;

	if (!dns)
		return err_oom(&report->e);
	r = networks_attach(nets, &arena, dns, &report->e);
	if (r)
		return r;
	r = resolv_conf_text(dns, nets->n, report->resolv_conf, &report->e);
	if (r)
		networks_detach(nets, NULL);
	return r;
}

static void send_report(int line, const struct report *report)
{
	ssize_t n = send(line, report, sizeof(*report), MSG_NOSIGNAL);

	if (n < 0 && report->r) /* nobody is left to tell it */
		fprintf(stderr, "hawser: run: %s\n", report->e.msg);
}

static void keep(const struct keeper_job *job, int line)
{
	struct report attached = { 0 }, detached = { 0 };
	char netns[PATH_TEXT_MAX], nothing;
	struct networks nets = networks_of(job, netns);

	networks_stand_apart();
	attached.r = attach(&nets, &attached);
	send_report(line, &attached);
	if (attached.r)
		return;
	while (recv(line, &nothing, sizeof(nothing), 0) < 0 && errno == EINTR)
		;
	detached.r = networks_detach(&nets, &detached.e);
	send_report(line, &detached);
}

/* --- in the process that runs the container ------------------------------ */

static int receive_report(int line, struct report *ret, struct err *e)
{
	ssize_t n;

	do
		n = recv(line, ret, sizeof(*ret), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*ret))
		return err_set(
			e, ERR_IO, EPIPE,
			"the process that keeps the networks has died: hawser gc removes what it left");
	if (ret->r)
		*e = ret->e;
	return ret->r;
}

/* After its last report; ECHILD when it was reaped with the container. */
static void wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int keeper_start(const struct keeper_job *job, struct keeper *ret,
		 struct err *e)
{
	_close_ int ours = -1, theirs = -1;
	struct report report;
	int line[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		return err_sys(e, "create a socket pair");
	ours = line[0];
	theirs = line[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, "start a process to keep the networks");
	if (!pid) {
		close(steal_fd(&ours));
		keep(job, theirs);
		_exit(0);
	}
	close(steal_fd(&theirs));
	r = receive_report(ours, &report, e);
	if (r) {
		wait_for(pid);
		return r;
	}
	ret->pid = pid;
	ret->line = steal_fd(&ours);
	memcpy(ret->resolv_conf, report.resolv_conf, RESOLV_CONF_MAX);
	return 0;
}

int keeper_finish(struct keeper *k, struct err *e)
{
	struct report report;
	int r;

	/* unlike closing it, this works whoever else holds the line */
	shutdown(k->line, SHUT_WR);
	r = receive_report(k->line, &report, e);
	close_cleanup(&k->line);
	wait_for(k->pid);
	return r;
}
