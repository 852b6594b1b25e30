// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define LOG_MAX ((size_t)1 << 20)

/* A program that runs. */
struct child {
	const char *name; /* for messages */
	pid_t pid;
	int in, out, log;
};

static void child_close(struct child *child)
{
	close_cleanup(&child->in);
	close_cleanup(&child->out);
	close_cleanup(&child->log);
}

static int make_file(const struct child *child, const char *content, size_t len,
		     int *ret, struct err *e)
{
	_close_ int fd = memfd_create("stdio", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "create a file for \"%s\"", child->name);
	r = fs_write_all(fd, content, len);
	if (r)
		return err_set(e, ERR_IO, -r, "write the stdin of \"%s\": %s",
			       child->name, strerror(-r));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind the stdin of \"%s\"", child->name);
	*ret = steal_fd(&fd);
	return 0;
}

static int spawn(struct child *child, const struct process *process, int out,
		 struct err *e)
{
	char *const *argv = (char *const *)process->argv;
	char *const *env = process->env ? process->env : environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return err_oom(e);
	posix_spawn_file_actions_adddup2(&actions, child->in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, child->log, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawnp(&child->pid, argv[0], &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return err_set(e, ERR_IO, r, "execute \"%s\": %s", child->name,
			       strerror(r));
	return 0;
}

static int start(struct child *child, const struct process *process,
		 struct err *e)
{
	_close_ int out = -1;
	int pipe_fds[2];
	int r = make_file(child, process->input, process->input_len, &child->in,
			  e);

	if (!r)
		r = make_file(child, "", 0, &child->log, e);
	if (r)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return err_sys(e, "create a pipe for \"%s\"", child->name);
	child->out = pipe_fds[0];
	out = pipe_fds[1];
	return spawn(child, process, out, e);
}

/* Where the kernel will not say how it ended, it counts as a failure. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return W_EXITCODE(1, 0);
	return status;
}

static int finish(struct child *child, size_t output_max,
		  struct process_result *ret, struct err *e)
{
	int r = fs_read_all(child->out, output_max, &ret->output,
			    &ret->output_len);

	close_cleanup(&child->out); /* who says too much gets SIGPIPE */
	ret->status = wait_for(child->pid);
	if (r)
		return err_set(e, ERR_IO, -r, "read the output of \"%s\": %s",
			       child->name, strerror(-r));
	/* what cannot be read was never of much importance */
	if (lseek(child->log, 0, SEEK_SET) ||
	    fs_read_all(child->log, LOG_MAX, &ret->log, &ret->log_len))
		ret->log = strdup("");
	return ret->log ? 0 : err_oom(e);
}

int process_run(const struct process *process, struct process_result *ret,
		struct err *e)
{
	_process_result_ struct process_result result = { 0 };
	struct child child = {
		.name = process->argv[0], .in = -1, .out = -1, .log = -1
	};
	int r = start(&child, process, e);

	if (!r)
		r = finish(&child, process->output_max, &result, e);
	child_close(&child);
	if (r)
		return r;
	*ret = result;
	result = (struct process_result){ 0 };
	return 0;
}

void process_result_done(struct process_result *result)
{
	free(result->output);
	free(result->log);
	*result = (struct process_result){ 0 };
}
