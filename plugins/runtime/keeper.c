// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What the keeper says when it has attached, and when it has detached. */
struct report {
	int r;
	struct err e;
	char resolv_conf[RESOLV_CONF_MAX];
};

/* --- in the keeper ------------------------------------------------------- */

static void ignore(int sig)
{
	(void)sig;
}

/* What ends the others must not end the keeper, nor a plugin half-way: not
 * Ctrl-C, which only reaches the terminal's session, nor the SIGTERM that a
 * service manager sends to all. Handlers, for an ignored signal would stay
 * ignored in plugins. */
static void stand_apart(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = ignore,
				    .sa_flags = SA_RESTART };

	setsid();
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* One network's interface; the texts are where the attachment points to. */
struct interface {
	char name[24];	/* "eth" and any number */
	char netns[64]; /* good as long as the keeper lives */
	struct cni_attachment at;
};

static void describe(const struct keeper_job *job, size_t i,
		     struct interface *ret)
{
	snprintf(ret->name, sizeof(ret->name), "eth%zu", i);
	snprintf(ret->netns, sizeof(ret->netns), "/proc/%ld/fd/%d",
		 (long)getpid(), job->netns);
	ret->at = (struct cni_attachment){ .container_id = job->container_id,
					   .args = job->args,
					   .capability_args =
						   job->capability_args,
					   .ifname = ret->name,
					   .netns = ret->netns };
}

static int attach(const struct keeper_job *job, size_t i, struct arena *a,
		  struct cni_dns *ret_dns, struct err *e)
{
	const struct cni_list *list = &job->lists[i];
	struct cni_result result = { 0 };
	struct interface interface = { 0 };
	const cJSON *doc;
	int r;

	describe(job, i, &interface);
	r = cni_attachment_add(job->rt, list, &interface.at, a, &doc, e);
	if (r) {
		err_wrap(e, "network \"%s\"", list->name);
		return r;
	}
	r = cni_result_decode(doc, list->version, a, &result, e);
	if (r)
		cni_attachment_del(job->rt, list, &interface.at, NULL);
	*ret_dns = result.dns;
	return r;
}

/* Returns how many were attached. */
static size_t attach_all(const struct keeper_job *job, struct report *report)
{
	_arena_ struct arena arena = { 0 };
	struct cni_dns *dns = arena_array(&arena, job->n, sizeof(*dns));
	size_t i;

	if (!dns) {
		report->r = err_oom(&report->e);
		return 0;
	}
	for (i = 0; i < job->n; i++) {
		report->r = attach(job, i, &arena, &dns[i], &report->e);
		if (report->r)
			return i;
	}
	report->r =
		resolv_conf_text(dns, job->n, report->resolv_conf, &report->e);
	return i;
}

static void detach_all(const struct keeper_job *job, size_t n,
		       struct report *report)
{
	for (size_t i = n; i-- > 0;) {
		struct interface interface = { 0 };
		struct err e;
		int r;

		describe(job, i, &interface);
		r = cni_attachment_del(job->rt, &job->lists[i], &interface.at,
				       &e);
		if (r && !report->r) {
			err_wrap(&e, "network \"%s\"", job->lists[i].name);
			report->r = r;
			report->e = e;
		}
	}
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
	char nothing;
	size_t n;

	stand_apart();
	n = attach_all(job, &attached);
	if (!attached.r) {
		send_report(line, &attached);
		while (recv(line, &nothing, sizeof(nothing), 0) < 0 &&
		       errno == EINTR)
			;
	}
	detach_all(job, n, &detached);
	send_report(line, attached.r ? &attached : &detached);
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
