// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define OUTPUT_MAX JSON_TEXT_MAX

int cni_find_plugin(const char *type, const char *path,
		    char ret[static PATH_MAX], struct err *e)
{
	const char *dir = path;

	if (!*type)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "no plugin name provided");
	if (strchr(type, '/') || !strcmp(type, ".") || !strcmp(type, ".."))
		return err_set(e, ERR_CONFIG, EINVAL, "invalid plugin name: %s",
			       type);
	while (*dir) {
		int len = (int)strcspn(dir, ":");
		struct stat st;

		snprintf(ret, PATH_MAX, "%.*s/%s", len, dir, type);
		if (len && !stat(ret, &st) && S_ISREG(st.st_mode))
			return 0;
		dir += len + (dir[len] == ':');
	}
	return err_set(e, ERR_CONFIG, ENOENT,
		       "failed to find plugin \"%s\" in path [%s]", type, path);
}

static bool is_set_by(const char *variable,
		      const struct cni_env_setting *settings, size_t n)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < n; i++)
		if (strlen(settings[i].name) == len &&
		    !strncmp(variable, settings[i].name, len))
			return true;
	return false;
}

char **cni_env_with(char *const *env, const struct cni_env_setting *settings,
		    size_t n, struct arena *a)
{
	size_t count = 0, out = 0;
	char **result;

	while (env[count])
		count++;
	result = arena_array(a, count + n + 1, sizeof(*result));
	if (!result)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!is_set_by(env[i], settings, n))
			result[out++] = env[i];
	for (size_t i = 0; i < n; i++) {
		result[out] = arena_printf(a, "%s=%s", settings[i].name,
					   settings[i].value);
		if (!result[out++])
			return NULL;
	}
	return result;
}

/*
 * A plugin that runs. Its stdin is a file in memory: unlike a pipe it takes all
 * of the input at once, so that nobody has to write and read at the same time.
 * So is its stderr, which is told only if the plugin has nothing better to say.
 */
struct child {
	const char *path;
	pid_t pid;
	int in, out, log;
};

static int make_file(const char *content, size_t len, int *ret, struct err *e)
{
	_close_ int fd = memfd_create("cni-plugin", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "create a file for a plugin");
	r = fs_write_all(fd, content, len);
	if (r)
		return err_set(e, ERR_IO, -r, "write a plugin's stdin: %s",
			       strerror(-r));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind a plugin's stdin");
	*ret = steal_fd(&fd);
	return 0;
}

static int spawn(struct child *child, int out, char *const *env, struct err *e)
{
	char *const argv[] = { (char *)child->path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int r;

	r = posix_spawn_file_actions_init(&actions);
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
	r = posix_spawn(&child->pid, child->path, &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return err_set(e, ERR_IO, r, "execute \"%s\": %s", child->path,
			       strerror(r));
	return 0;
}

static int start(struct child *child, char *const *env, const char *input,
		 size_t input_len, struct err *e)
{
	_close_ int out = -1;
	int pipe_fds[2];
	int r = make_file(input, input_len, &child->in, e);

	if (!r)
		r = make_file("", 0, &child->log, e);
	if (r)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return err_sys(e, "create a pipe for plugin \"%s\"",
			       child->path);
	child->out = pipe_fds[0];
	out = pipe_fds[1];
	return spawn(child, out, env, e);
}

static void child_close(struct child *child)
{
	close_cleanup(&child->in);
	close_cleanup(&child->out);
	close_cleanup(&child->log);
}

struct reported {
	int64_t code;
	const char *msg;
	const char *details;
};

static const struct json_field reported_fields[] = {
	{ "code", JSON_INT, offsetof(struct reported, code), 0, INT32_MAX },
	{ "msg", JSON_STRING, offsetof(struct reported, msg) },
	{ "details", JSON_STRING, offsetof(struct reported, details) },
	{ 0 },
};

/* What the plugin wrote to stderr; the caller frees it. */
static size_t read_log(const struct child *child, char **ret)
{
	size_t len;

	if (lseek(child->log, 0, SEEK_SET) ||
	    fs_read_all(child->log, OUTPUT_MAX, ret, &len))
		return 0;
	return len;
}

/* Without an error object that is the reason there is. */
static int report_log(const struct child *child, int status, struct err *e)
{
	_free_ char *log = NULL;
	size_t len = read_log(child, &log);

	while (len && strchr(" \t\r\n", log[len - 1]))
		log[--len] = '\0';
	if (len)
		return err_set(e, ERR_IO, EREMOTEIO, "plugin \"%s\" failed: %s",
			       child->path, log);
	return err_set(
		e, ERR_IO, EREMOTEIO,
		"plugin \"%s\" failed with exit status %d and no error message",
		child->path, WEXITSTATUS(status));
}

/* Say what the failed plugin said, with its code. */
static int report_failure(const struct child *child, int status,
			  const char *output, size_t len, struct err *e)
{
	struct reported reported = { .code = ERR_IO, .msg = "", .details = "" };
	_arena_ struct arena arena = { 0 };
	_json_ cJSON *doc = NULL;

	if (WIFSIGNALED(status))
		return err_set(e, ERR_IO, EREMOTEIO,
			       "plugin \"%s\" was killed by signal %d",
			       child->path, WTERMSIG(status));
	if (json_parse(output, len, &doc, NULL) ||
	    json_decode(reported_fields, doc, NULL, &reported, &arena, NULL) ||
	    !*reported.msg)
		return report_log(child, status, e);
	err_set(e, (int)reported.code, EREMOTEIO, "%s", reported.msg);
	err_details(e, "%s", reported.details);
	return -EREMOTEIO;
}

/* What a plugin that succeeded wrote to stderr is for people to see. */
static void pass_log_on(const struct child *child)
{
	_free_ char *log = NULL;
	size_t len = read_log(child, &log);

	fs_write_all(STDERR_FILENO, log, len);
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

static int finish(struct child *child, char **ret_output, size_t *ret_len,
		  struct err *e)
{
	_free_ char *output = NULL;
	size_t len = 0;
	int r = fs_read_all(child->out, OUTPUT_MAX, &output, &len), status;

	close_cleanup(&child->out); /* who says too much gets SIGPIPE */
	status = wait_for(child->pid);
	if (r)
		return err_set(e, ERR_IO, -r,
			       "read the output of plugin \"%s\": %s",
			       child->path, strerror(-r));
	if (status)
		return report_failure(child, status, output, len, e);
	pass_log_on(child);
	*ret_output = steal_ptr(&output);
	*ret_len = len;
	return 0;
}

int cni_exec(const char *path, char *const *env, const char *input,
	     size_t input_len, char **ret_output, size_t *ret_len,
	     struct err *e)
{
	struct child child = { .path = path, .in = -1, .out = -1, .log = -1 };
	int r = start(&child, env, input, input_len, e);

	if (!r)
		r = finish(&child, ret_output, ret_len, e);
	child_close(&child);
	return r;
}

static bool is_null(const char *output)
{
	output += strspn(output, " \t\r\n");
	return !strncmp(output, "null", 4) &&
	       !output[4 + strspn(output + 4, " \t\r\n")];
}

int cni_parse_output(const char *output, size_t len, cJSON **ret, struct err *e)
{
	if (!is_null(output))
		return json_parse(output, len, ret, e);
	*ret = cJSON_CreateObject();
	return *ret ? 0 : err_oom(e);
}
