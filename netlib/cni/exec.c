// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/exec.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/process.h"

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

/* Without an error object that is the reason there is. */
static int report_log(const char *path, const struct process_result *result,
		      struct err *e)
{
	size_t len = result->log_len;

	while (len && strchr(" \t\r\n", result->log[len - 1]))
		result->log[--len] = '\0';
	if (len)
		return err_set(e, ERR_IO, EREMOTEIO, "plugin \"%s\" failed: %s",
			       path, result->log);
	return err_set(
		e, ERR_IO, EREMOTEIO,
		"plugin \"%s\" failed with exit status %d and no error message",
		path, WEXITSTATUS(result->status));
}

/* Say what the failed plugin said, with its code. */
static int report_failure(const char *path, const struct process_result *result,
			  struct err *e)
{
	struct reported reported = { .code = ERR_IO, .msg = "", .details = "" };
	_arena_ struct arena arena = { 0 };
	_json_ cJSON *doc = NULL;

	if (WIFSIGNALED(result->status))
		return err_set(e, ERR_IO, EREMOTEIO,
			       "plugin \"%s\" was killed by signal %d", path,
			       WTERMSIG(result->status));
	if (json_parse(result->output, result->output_len, &doc, NULL) ||
	    json_decode(reported_fields, doc, NULL, &reported, &arena, NULL) ||
	    !*reported.msg)
		return report_log(path, result, e);
	err_set(e, (int)reported.code, EREMOTEIO, "%s", reported.msg);
	err_details(e, "%s", reported.details);
	return -EREMOTEIO;
}

int cni_exec(const char *path, char *const *env, const char *input,
	     size_t input_len, char **ret_output, size_t *ret_len,
	     struct err *e)
{
	const char *const argv[] = { path, NULL };
	const struct process plugin = { .argv = argv,
					.env = env,
					.input = input,
					.input_len = input_len,
					.output_max = JSON_TEXT_MAX };
	_process_result_ struct process_result result = { 0 };
	int r = process_run(&plugin, &result, e);

	if (r)
		return r;
	if (result.status)
		return report_failure(path, &result, e);
	/* what a plugin that succeeded wrote to stderr is for people to see */
	fs_write_all(STDERR_FILENO, result.log, result.log_len);
	*ret_output = steal_ptr(&result.output);
	*ret_len = result.output_len;
	return 0;
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
