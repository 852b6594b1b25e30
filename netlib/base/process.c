// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define OUTPUT_MAX ((size_t)64 << 20)

struct files {
	int in, out, log;
};

static void files_close(struct files *f)
{
	close_cleanup(&f->in);
	close_cleanup(&f->out);
	close_cleanup(&f->log);
}

static int make_file(const char *name, const char *content, size_t len,
		     int *ret, struct err *e)
{
	_close_ int fd = memfd_create(name, MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "create a file for \"%s\"", name);
	r = fs_write_all(fd, content, len);
	if (r)
		return err_set(e, ERR_IO, -r, "write the input of \"%s\": %s",
			       name, strerror(-r));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind the input of \"%s\"", name);
	*ret = steal_fd(&fd);
	return 0;
}

/* The name of a program for messages, and for its files, which have room for
 * 249 bytes. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int spawn(const char *const *argv, const struct files *f, pid_t *ret,
		 struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return err_oom(e);
	posix_spawn_file_actions_adddup2(&actions, f->in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, f->out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, f->log, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawnp(ret, argv[0], &actions, &attr, (char *const *)argv,
			 environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return err_set(e, ERR_IO, r, "run \"%s\": %s", argv[0],
			       strerror(r));
	return 0;
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

static int read_back(int fd, const char *name, char **ret, struct err *e)
{
	size_t len;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (!r)
		r = fs_read_all(fd, OUTPUT_MAX, ret, &len);
	if (r)
		return err_set(e, ERR_IO, -r, "read the output of \"%s\": %s",
			       name, strerror(-r));
	return 0;
}

static int run(const char *const *argv, struct files *f,
	       struct process_result *ret, struct err *e)
{
	const char *name = base_name(argv[0]);
	pid_t pid = 0;
	int r = spawn(argv, f, &pid, e);

	if (r)
		return r;
	ret->status = wait_for(pid);
	r = read_back(f->out, name, &ret->output, e);
	return r ? r : read_back(f->log, name, &ret->log, e);
}

int process_run(const char *const *argv, const char *input, size_t input_len,
		struct process_result *ret, struct err *e)
{
	_process_result_ struct process_result result = { 0 };
	struct files f = { -1, -1, -1 };
	const char *name = base_name(argv[0]);
	int r = make_file(name, input, input_len, &f.in, e);

	if (!r)
		r = make_file(name, "", 0, &f.out, e);
	if (!r)
		r = make_file(name, "", 0, &f.log, e);
	if (!r)
		r = run(argv, &f, &result, e);
	files_close(&f);
	if (r)
		return r;
	ret->output = steal_ptr(&result.output);
	ret->log = steal_ptr(&result.log);
	ret->status = result.status;
	return 0;
}

void process_result_done(struct process_result *result)
{
	free(result->output);
	free(result->log);
	result->output = result->log = NULL;
}
