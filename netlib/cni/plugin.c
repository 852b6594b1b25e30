// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/plugin.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/owned_file.h"
#include "cni/version.h"

/* How long VERSION waits for a cniVersion to echo: a runtime's is there at
 * once, a person's terminal or an idle pipe never says anything. */
#define VERSION_INPUT_MS 100

/* What a runtime hands back may be anything: plugins use the index. */
static int check_index(const struct cni_result *res, size_t i, struct err *e)
{
	int64_t index = res->ips.v[i].interface;

	if (index < (int64_t)res->interfaces.n)
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"\"ips[%zu].interface\": %lld is not the index of one of %zu interfaces",
		i, (long long)index, res->interfaces.n);
}

int cni_prev_result(const struct cni_call *call, struct cni_result *ret,
		    struct err *e)
{
	int r;

	if (!call->conf->prev_result)
		return err_set(e, ERR_CONFIG, ENODATA,
			       "Required prevResult missing");
	r = cni_result_decode(call->conf->prev_result, call->conf->version,
			      call->arena, ret, e);
	for (size_t i = 0; !r && i < ret->ips.n; i++)
		r = check_index(ret, i, e);
	if (r)
		err_wrap(e, "prevResult");
	return r;
}

int cni_chained_result(const struct cni_call *call, struct cni_result *ret,
		       struct err *e)
{
	if (!call->conf->prev_result)
		return err_set(e, ERR_CONFIG, ENODATA,
			       "must be called as chained plugin");
	return cni_prev_result(call, ret, e);
}

struct owner cni_owner(const struct cni_call *call)
{
	return (struct owner){ .network = call->conf->name,
			       .container_id = call->args->container_id,
			       .ifname = call->args->ifname,
			       .netns = call->args->netns };
}

int cni_valid_owners(const struct cni_call *call, struct owner **ret,
		     size_t *ret_n, struct err *e)
{
	const struct cni_conf *conf = call->conf;
	size_t n = conf->valid_attachments.n;
	struct owner *v = NULL;

	if (conf->valid_attachments.v) {
		v = arena_array(call->arena, n, sizeof(*v));
		if (!v)
			return err_oom(e);
		for (size_t i = 0; i < n; i++) {
			const struct cni_attachment_id *id =
				&conf->valid_attachments.v[i];

			v[i].network = conf->name;
			v[i].container_id =
				id->container_id ? id->container_id : "";
			v[i].ifname = id->ifname ? id->ifname : "";
		}
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

char *cni_error_json(const struct err *e, const char *version)
{
	_json_ cJSON *doc = cJSON_CreateObject();

	cJSON_AddStringToObject(doc, "cniVersion", version);
	cJSON_AddNumberToObject(doc, "code", e->code);
	cJSON_AddStringToObject(doc, "msg", e->msg);
	if (*e->details)
		cJSON_AddStringToObject(doc, "details", e->details);
	return cJSON_PrintUnformatted(doc);
}

static int print_json(const cJSON *doc, struct err *e)
{
	_free_ char *text = cJSON_PrintUnformatted(doc);
	size_t len = text ? strlen(text) : 0;
	int r;

	if (!text)
		return err_oom(e);
	text[len] = '\n'; /* in the place of its NUL: one write, one line */
	r = fs_write_all(STDOUT_FILENO, text, len + 1);
	if (r)
		return err_set(e, ERR_IO, -r, "write the result: %s",
			       strerror(-r));
	return 0;
}

static int print_error(const struct err *e, const char *version)
{
	_free_ char *text =
		cni_error_json(e, version && cni_version_supported(version)
					  ? version
					  : CNI_VERSION_CURRENT);

	if (text && puts(text) >= 0 && !fflush(stdout))
		return 1;
	fprintf(stderr, "%s\n", e->msg);
	return 1;
}

/* For people, and for runtimes that look for a version (nerdctl, Nomad). */
static int print_about(const struct cni_plugin *plugin)
{
	fprintf(stderr,
		"CNI %s plugin v" HAWSER_VERSION
		"\nCNI protocol versions supported: ",
		plugin->name);
	for (const char *const *v = cni_versions; *v; v++)
		fprintf(stderr, "%s%s", v == cni_versions ? "" : ", ", *v);
	fprintf(stderr, "\n");
	return 0;
}

/* --- versions ------------------------------------------------------------ */

static int check_supported(const char *version, struct err *e)
{
	char list[128] = "";

	if (cni_version_supported(version))
		return 0;
	for (const char *const *v = cni_versions; *v; v++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s\"%s\"", v == cni_versions ? "" : " ", *v);
	err_set(e, ERR_VERSION, EINVAL, "incompatible CNI versions");
	err_details(e, "config is \"%s\", plugin supports [%s]", version, list);
	return -EINVAL;
}

/* CHECK came with 0.4.0, GC and STATUS with 1.1.0. */
static int check_version(enum cni_command command, const char *version,
			 struct err *e)
{
	const char *since = "0.0.0";

	if (command == CNI_CHECK)
		since = "0.4.0";
	else if (command == CNI_GC || command == CNI_STATUS)
		since = "1.1.0";
	else
		return check_supported(version, e);
	if (cni_version_check_syntax(version))
		return err_set(e, ERR_DECODE, EINVAL, "invalid version \"%s\"",
			       version);
	if (!cni_version_at_least(version, since))
		return err_set(e, ERR_VERSION, EINVAL,
			       "config version does not allow %s",
			       cni_command_name(command));
	if (cni_version_at_least(version, "1.1.1"))
		return err_set(e, ERR_VERSION, EINVAL,
			       "plugin version does not allow %s",
			       cni_command_name(command));
	return check_supported(version, e);
}

/*
 * Answer with the version asked with (SPEC.md, "VERSION"). Nothing to read is
 * no error: the reference never reads stdin here, and its callers know.
 */
static int answer_version(struct arena *a)
{
	_json_ cJSON *doc = cJSON_CreateObject(), *input = NULL;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct cni_conf conf = { .version = CNI_VERSION_CURRENT };
	_free_ char *text = NULL;
	size_t len = 0;
	struct err e;
	cJSON *list;

	if (!isatty(STDIN_FILENO) && poll(&in, 1, VERSION_INPUT_MS) > 0 &&
	    !fs_read_all(STDIN_FILENO, JSON_TEXT_MAX, &text, &len) &&
	    !json_parse(text, len, &input, NULL))
		cni_conf_decode(input, a, &conf, NULL);
	if (cni_version_check_syntax(conf.version))
		conf.version = CNI_VERSION_CURRENT;
	cJSON_AddStringToObject(doc, "cniVersion", conf.version);
	list = cJSON_AddArrayToObject(doc, "supportedVersions");
	for (const char *const *v = cni_versions; *v; v++)
		cJSON_AddItemToArray(list, cJSON_CreateString(*v));
	return print_json(doc, &e) ? print_error(&e, NULL) : 0;
}

/* --- the call ------------------------------------------------------------ */

/*
 * A plugin that works on its own namespace would turn the host's interfaces
 * over. libcni looks afterwards; here nothing has been touched yet.
 */
static int check_other_netns(const struct cni_call *call, struct err *e)
{
	struct stat own, target;

	if (call->args->netns_override || !*call->args->netns ||
	    stat("/proc/self/ns/net", &own) || stat(call->args->netns, &target))
		return 0;
	if (own.st_dev != target.st_dev || own.st_ino != target.st_ino)
		return 0;
	return err_set(
		e, ERR_NETNS, EINVAL,
		"plugin's netns and netns from CNI_NETNS should not be the same");
}

static void undo_add(const struct cni_plugin *plugin,
		     const struct cni_call *call)
{
	struct cni_args args = *call->args;
	struct cni_call del = *call;

	args.command = CNI_DEL;
	del.args = &args;
	if (plugin->del)
		plugin->del(&del, NULL);
}

static int call_add(const struct cni_plugin *plugin,
		    const struct cni_call *call, struct err *e)
{
	struct cni_result result = { 0 };
	_json_ cJSON *doc = NULL;
	int r = plugin->add(call, &result, e);

	if (r)
		return r;
	r = cni_result_encode(&result, call->conf->version, &doc, e);
	if (!r)
		r = print_json(doc, e);
	if (r)
		undo_add(plugin, call); /* nobody learnt what was made */
	return r;
}

/* What changes an attachment keeps "hawser reload" out, and nobody else. */
static int dispatch(const struct cni_plugin *plugin,
		    const struct cni_call *call, struct err *e)
{
	int (*serve)(const struct cni_call *, struct err *) = NULL;
	_close_ int lock = plugin->restore ? owned_file_lock(false) : -1;

	(void)lock; /* until the end */

	switch (call->args->command) {
	case CNI_ADD:
		return call_add(plugin, call, e);
	case CNI_DEL:
		serve = plugin->del;
		break;
	case CNI_CHECK:
		serve = plugin->check;
		break;
	case CNI_GC:
		serve = plugin->gc;
		break;
	case CNI_STATUS:
		serve = plugin->status;
		break;
	case CNI_VERSION:
	case CNI_UNKNOWN:
		break;
	}
	return serve ? serve(call, e) : 0;
}

static int check_call(const struct cni_plugin *plugin,
		      const struct cni_call *call, struct err *e)
{
	enum cni_command command = call->args->command;
	int r;

	if (command == CNI_UNKNOWN)
		return err_set(e, ERR_ENV, EINVAL, "unknown CNI_COMMAND: %s",
			       call->args->command_name);
	r = check_version(command, call->conf->version, e);
	if (r || plugin->is_ipam)
		return r;
	return command == CNI_ADD || command == CNI_DEL
		       ? check_other_netns(call, e)
		       : 0;
}

static int read_conf(char **text, cJSON **doc, struct arena *a,
		     struct cni_conf *conf, struct err *e)
{
	size_t len;
	int r = fs_read_all(STDIN_FILENO, JSON_TEXT_MAX, text, &len);

	if (r == -EFBIG)
		return err_set(e, ERR_DECODE, -r,
			       "network config is larger than %zu bytes",
			       JSON_TEXT_MAX);
	if (r)
		return err_set(e, ERR_IO, -r, "error reading from stdin: %s",
			       strerror(-r));
	r = json_parse(*text, len, doc, e);
	if (!r)
		r = cni_conf_decode(*doc, a, conf, e);
	if (r && e->code == ERR_DECODE)
		err_wrap(e, "error unmarshall network config");
	conf->text = *text;
	conf->text_len = len;
	return r;
}

static int serve(const struct cni_plugin *plugin, struct cni_call *call,
		 struct cni_conf *conf, struct err *e)
{
	_free_ char *text = NULL;
	_json_ cJSON *doc = NULL;
	int r = read_conf(&text, &doc, call->arena, conf, e);

	call->conf = conf;
	if (!r)
		r = check_call(plugin, call, e);
	if (!r)
		r = dispatch(plugin, call, e);
	if (r)
		print_error(e, conf->version);
	return r;
}

int cni_plugin_main(const struct cni_plugin *plugin,
		    const struct cni_plugin *const *plugins, char *const *env)
{
	_arena_ struct arena arena = { 0 };
	struct cni_conf conf = { 0 };
	struct cni_args args;
	struct cni_call call = {
		.args = &args, .env = env, .plugins = plugins, .arena = &arena
	};
	struct err e = { 0 };

	/* whatever the runtime does with them: a closed stdout is an error to
	 * undo an ADD for, and a delegated plugin's end must be seen */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	if (!*cni_env_get(env, "CNI_COMMAND"))
		return print_about(plugin);
	if (cni_args_load(env, &args, &e))
		return print_error(&e, NULL);
	if (args.command == CNI_VERSION)
		return answer_version(&arena);
	return serve(plugin, &call, &conf, &e) ? 1 : 0;
}
