// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/replay.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/owned_file.h"

#define KIND_MAX    32
#define RUNTIME_DIR "XDG_RUNTIME_DIR" /* has files of a user's calls */

/* What the file of a plugin's call is called after. */
struct kind {
	char text[KIND_MAX];
};

static struct kind kind_of(const char *plugin)
{
	struct kind kind;

	snprintf(kind.text, sizeof(kind.text), "%s-call", plugin);
	return kind;
}

/* --- writing ------------------------------------------------------------- */

static cJSON *config_json(const struct cni_call *call,
			  const struct cni_result *prev)
{
	cJSON *config = cJSON_Duplicate(call->conf->doc, true), *result;

	if (config && prev &&
	    !cni_result_encode(prev, call->conf->version, &result, NULL)) {
		cJSON_DeleteItemFromObject(config, "prevResult");
		cJSON_AddItemToObject(config, "prevResult", result);
	}
	return config;
}

void replay_write(const struct cni_call *call, const char *plugin,
		  const struct cni_result *prev)
{
	const struct cni_args *args = call->args;
	const struct owner owner = cni_owner(call);
	_json_ cJSON *doc = cJSON_CreateObject();
	_free_ char *text = NULL;

	cJSON_AddStringToObject(doc, "containerID", args->container_id);
	cJSON_AddStringToObject(doc, "ifname", args->ifname);
	cJSON_AddStringToObject(doc, "netns", args->netns);
	cJSON_AddStringToObject(doc, "args", args->args);
	cJSON_AddStringToObject(doc, "runtimeDir",
				cni_env_get(call->env, RUNTIME_DIR));
	cJSON_AddItemToObject(doc, "config", config_json(call, prev));
	text = cJSON_PrintUnformatted(doc);
	if (text)
		owned_file_write(&owner, kind_of(plugin).text, text);
}

void replay_delete(const struct cni_call *call, const char *plugin)
{
	const struct owner owner = cni_owner(call);

	owned_file_delete(&owner, kind_of(plugin).text);
}

void replay_gc(const struct cni_call *call, const char *plugin,
	       const struct owner *valid, size_t n)
{
	owned_file_gc(kind_of(plugin).text, call->conf->name, valid, n);
}

/* --- reading ------------------------------------------------------------- */

struct document {
	const char *container_id, *ifname, *netns, *args, *runtime_dir;
	const cJSON *config;
};

static const struct json_field fields[] = {
	{ "containerID", JSON_STRING, offsetof(struct document, container_id) },
	{ "ifname", JSON_STRING, offsetof(struct document, ifname) },
	{ "netns", JSON_STRING, offsetof(struct document, netns) },
	{ "args", JSON_STRING, offsetof(struct document, args) },
	{ "runtimeDir", JSON_STRING, offsetof(struct document, runtime_dir) },
	{ "config", JSON_RAW, offsetof(struct document, config) },
	{ 0 },
};

/* Its container's namespace has gone: DEL or GC will take it down. */
static bool is_dead(const struct document *d)
{
	return *d->netns && access(d->netns, F_OK);
}

static int restore(const struct cni_plugin *plugin,
		   const struct cni_plugin *const *plugins,
		   const struct document *d, struct arena *a, struct err *e)
{
	char *env[] = { arena_printf(a, RUNTIME_DIR "=%s", d->runtime_dir),
			NULL };
	const struct cni_args args = { .command = CNI_ADD,
				       .command_name = "ADD",
				       .container_id = d->container_id,
				       .netns = d->netns,
				       .ifname = d->ifname,
				       .args = d->args,
				       .path = "" };
	struct cni_conf conf;
	const struct cni_call call = { .args = &args,
				       .conf = &conf,
				       .env = env,
				       .plugins = plugins,
				       .arena = a };
	int r = env[0] ? cni_conf_decode(d->config, a, &conf, e) : err_oom(e);

	return r ? r : plugin->restore(&call, e);
}

/* What is not one of ours is left out. */
static int restore_text(const struct cni_plugin *plugin,
			const struct cni_plugin *const *plugins,
			const char *text, size_t *count, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct document d = { .netns = "", .args = "", .runtime_dir = "" };
	_json_ cJSON *doc = NULL;

	if (json_parse(text, strlen(text), &doc, NULL) ||
	    json_decode(fields, doc, NULL, &d, &a, NULL) || !d.container_id ||
	    !d.ifname || !cJSON_IsObject(d.config) || is_dead(&d))
		return 0;
	(*count)++;
	return restore(plugin, plugins, &d, &a, e);
}

int replay_all(const struct cni_plugin *const *plugins, size_t *ret_n,
	       struct err *e)
{
	int first = 0;

	*ret_n = 0;
	for (const struct cni_plugin *const *p = plugins; *p; p++) {
		_arena_ struct arena a = { 0 };
		char **texts;

		if (!(*p)->restore)
			continue;
		texts = owned_file_read_all(kind_of((*p)->name).text, &a);
		for (; texts && *texts; texts++) {
			int r = restore_text(*p, plugins, *texts, ret_n,
					     first ? NULL : e);

			first = first ? first : r;
		}
	}
	return first;
}
