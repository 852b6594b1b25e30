// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/attachment.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cni/args.h"
#include "cni/exec.h"
#include "cni/version.h"

/* One command for one list; the attachment is all "" for GC and STATUS. */
struct operation {
	const struct cni_runtime *rt;
	const struct cni_list *list;
	const struct cni_attachment *at;
	enum cni_command command;
	const cJSON *prev_result;	    /* NULL: none */
	const struct cni_valid_list *valid; /* GC; NULL: not said */
	struct arena *arena;
};

static const struct cni_attachment no_attachment = { "", "", "", "", NULL };

/* --- the request to one plugin ------------------------------------------- */

/* Put @value in the place of what @object has under @key. */
static void set_key(cJSON *object, const char *key, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddItemToObject(object, key, value);
}

/* The capabilities that the plugin has turned on and the runtime has arguments
 * for. */
static cJSON *make_runtime_config(const cJSON *plugin, const cJSON *args)
{
	const cJSON *capabilities = json_get(plugin, "capabilities");
	cJSON *config = cJSON_CreateObject();
	const cJSON *capability;

	cJSON_ArrayForEach (capability, capabilities) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(
			args, capability->string);

		if (cJSON_IsTrue(capability) && value)
			set_key(config, capability->string,
				cJSON_Duplicate(value, true));
	}
	return config;
}

static cJSON *make_valid_list(const struct cni_valid_list *valid)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < valid->n; i++) {
		cJSON *id = cJSON_CreateObject();

		cJSON_AddStringToObject(id, "containerID",
					valid->v[i].container_id);
		cJSON_AddStringToObject(id, "ifname", valid->v[i].ifname);
		cJSON_AddItemToArray(list, id);
	}
	return list;
}

static char *make_request(const struct operation *op, const cJSON *plugin)
{
	_json_ cJSON *doc = cJSON_Duplicate(plugin, true);
	_json_ cJSON *config = NULL;

	set_key(doc, "cniVersion", cJSON_CreateString(op->list->version));
	set_key(doc, "name", cJSON_CreateString(op->list->name));
	if (op->prev_result)
		set_key(doc, "prevResult",
			cJSON_Duplicate(op->prev_result, true));
	config = make_runtime_config(plugin, op->at->capability_args);
	if (config && config->child)
		set_key(doc, "runtimeConfig", steal_ptr(&config));
	if (op->valid) {
		/* the second is what libcni first called it */
		set_key(doc, "cni.dev/valid-attachments",
			make_valid_list(op->valid));
		set_key(doc, "cni.dev/attachments", make_valid_list(op->valid));
	}
	return cJSON_PrintUnformatted(doc);
}

static char **make_env(const struct operation *op)
{
	const struct cni_attachment *at = op->at;
	const struct cni_env_setting settings[] = {
		{ "CNI_COMMAND", cni_command_name(op->command) },
		{ "CNI_CONTAINERID", at->container_id },
		{ "CNI_NETNS", at->netns ? at->netns : "" },
		{ "CNI_ARGS", at->args ? at->args : "" },
		{ "CNI_IFNAME", at->ifname },
		{ "CNI_PATH", op->rt->plugin_path },
	};

	return cni_env_with(op->rt->env, settings,
			    sizeof(settings) / sizeof(*settings), op->arena);
}

/* --- one plugin ---------------------------------------------------------- */

/* "plugin type="bridge" failed (add): ...", as libcni words it. */
static void name_plugin(const struct operation *op, const cJSON *plugin,
			struct err *e)
{
	static const char *const verbs[] = {
		[CNI_ADD] = "add",	 [CNI_DEL] = "delete",
		[CNI_CHECK] = "check",	 [CNI_GC] = "gc",
		[CNI_STATUS] = "status",
	};

	err_wrap(e, "plugin type=\"%s\" failed (%s)",
		 cni_list_plugin_type(plugin), verbs[op->command]);
}

static int execute(const struct operation *op, const cJSON *plugin,
		   char **ret_output, size_t *ret_len, struct err *e)
{
	_free_ char *request = make_request(op, plugin);
	char **env = make_env(op);
	char path[PATH_MAX];
	int r;

	if (!request || !env)
		return err_oom(e);
	r = cni_find_plugin(cni_list_plugin_type(plugin), op->rt->plugin_path,
			    path, e);
	return r ? r
		 : cni_exec(path, env, request, strlen(request), ret_output,
			    ret_len, e);
}

static int run_plugin(const struct operation *op, const cJSON *plugin,
		      struct err *e)
{
	_free_ char *output = NULL;
	size_t len = 0;
	int r = execute(op, plugin, &output, &len, e);

	if (r)
		name_plugin(op, plugin, e);
	return r;
}

/* A result of no version is of the configuration's. */
static int parse_result(const struct operation *op, const char *output,
			size_t len, const cJSON **ret, struct err *e)
{
	struct cni_result decoded;
	cJSON *doc;
	int r = cni_parse_output(output, len, &doc, e);

	if (!r)
		r = json_keep(op->arena, doc, e);
	if (r)
		return r;
	if (!cJSON_IsString(json_get(doc, "cniVersion")))
		set_key(doc, "cniVersion",
			cJSON_CreateString(op->list->version));
	r = cni_result_decode(doc, op->list->version, op->arena, &decoded, e);
	if (!r)
		*ret = doc;
	return r;
}

/* ADD of one plugin, whose result is what the next one gets. */
static int add_plugin(struct operation *op, const cJSON *plugin, struct err *e)
{
	_free_ char *output = NULL;
	size_t len = 0;
	int r = execute(op, plugin, &output, &len, e);

	if (!r)
		r = parse_result(op, output, len, &op->prev_result, e);
	if (r)
		name_plugin(op, plugin, e);
	return r;
}

/* --- a list of them ------------------------------------------------------ */

/* In reverse, to the end whatever happens, with the first error told. */
static int del_plugins(const struct operation *op, struct err *e)
{
	int first = 0;

	for (size_t i = op->list->plugins.n; i-- > 0;) {
		int r = run_plugin(op, op->list->plugins.v[i],
				   first ? NULL : e);

		if (!first)
			first = r;
	}
	return first;
}

static int add_plugins(struct operation *op, struct err *e)
{
	for (size_t i = 0; i < op->list->plugins.n; i++) {
		int r = add_plugin(op, op->list->plugins.v[i], e);

		if (r)
			return r;
	}
	return 0;
}

/* Take back a failed ADD; the reason it failed stays the first one told. */
static void undo_add(const struct operation *op, struct err *e)
{
	struct operation undo = *op;
	struct err why;

	undo.command = CNI_DEL;
	undo.prev_result = NULL; /* there never was a result */
	if (del_plugins(&undo, &why)) {
		err_wrap(&why, "and undoing it");
		err_join(e, &why);
	}
}

/* Whatever the network: a second "eth0" can only fail, and undoing that could
 * not tell it from the first. */
static int check_not_attached(const struct operation *op, struct err *e)
{
	struct cni_cached_list cached;
	int r = cni_cache_list(op->rt->cache_dir, op->at, op->arena, &cached,
			       e);

	if (r || !cached.n)
		return r;
	return err_set(
		e, ERR_EXISTS, EEXIST,
		"container \"%s\" already has \"%s\", on network \"%s\": delete that first",
		op->at->container_id, op->at->ifname, cached.v[0].network);
}

/* All of them, before the first one runs: what can be refused at once needs no
 * undoing. */
static int check_plugins_exist(const struct operation *op, struct err *e)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; !r && i < op->list->plugins.n; i++) {
		const cJSON *plugin = op->list->plugins.v[i];

		r = cni_find_plugin(cni_list_plugin_type(plugin),
				    op->rt->plugin_path, path, e);
		if (r)
			name_plugin(op, plugin, e);
	}
	return r;
}

static int check_names(const struct operation *op, struct err *e)
{
	int r = cni_check_container_id(op->at->container_id, e);

	return r ? r : cni_check_ifname(op->at->ifname, e);
}

int cni_attachment_add(const struct cni_runtime *rt,
		       const struct cni_list *list,
		       const struct cni_attachment *at, struct arena *a,
		       const cJSON **ret_result, struct err *e)
{
	struct operation op = { rt, list, at, CNI_ADD, .arena = a };
	int r = check_names(&op, e);

	if (!r)
		r = check_not_attached(&op, e);
	if (!r)
		r = check_plugins_exist(&op, e);
	if (r)
		return r;
	r = add_plugins(&op, e);
	if (!r)
		r = cni_cache_save(rt->cache_dir, list, at, op.prev_result, e);
	if (r)
		undo_add(&op, e);
	else
		*ret_result = op.prev_result;
	return r;
}

/* Complete the operation by what the cache remembers. Before 0.4.0 neither DEL
 * nor CHECK knew a previous result. */
static void recall(struct operation *op, const struct cni_cached *cached,
		   struct cni_attachment *at)
{
	*at = *op->at;
	if (!at->args)
		at->args = cached->attachment.args;
	if (!at->capability_args)
		at->capability_args = cached->attachment.capability_args;
	if (cni_version_at_least(op->list->version, "0.4.0"))
		op->prev_result = cached->result;
	op->at = at;
}

int cni_attachment_del(const struct cni_runtime *rt,
		       const struct cni_list *list,
		       const struct cni_attachment *at, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct operation op = { rt, list, at, CNI_DEL, .arena = &arena };
	struct cni_attachment recalled;
	struct cni_cached cached;
	int r = check_names(&op, e);

	if (r)
		return r;
	/* a file that cannot be read is as good as none: DEL must get through */
	if (!cni_cache_load(rt->cache_dir, list->name, at, &arena, &cached,
			    NULL))
		recall(&op, &cached, &recalled);
	r = del_plugins(&op, e);
	return r ? r : cni_cache_remove(rt->cache_dir, list->name, at, e);
}

int cni_attachment_check(const struct cni_runtime *rt,
			 const struct cni_list *list,
			 const struct cni_attachment *at, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct operation op = { rt, list, at, CNI_CHECK, .arena = &arena };
	struct cni_attachment recalled;
	struct cni_cached cached;
	int r;

	if (!cni_version_at_least(list->version, "0.4.0"))
		return err_set(
			e, ERR_VERSION, EINVAL,
			"configuration version \"%s\" does not support CHECK",
			list->version);
	if (list->disable_check)
		return 0;
	r = check_names(&op, e);
	if (!r)
		r = cni_cache_load(rt->cache_dir, list->name, at, &arena,
				   &cached, e);
	if (r && r != -ENOENT)
		return r;
	if (!r)
		recall(&op, &cached, &recalled);
	r = 0;
	for (size_t i = 0; !r && i < list->plugins.n; i++)
		r = run_plugin(&op, list->plugins.v[i], e);
	return r;
}

/* --- a network ----------------------------------------------------------- */

static bool is_valid(const struct cni_valid_list *valid,
		     const struct cni_attachment *at)
{
	for (size_t i = 0; valid && i < valid->n; i++)
		if (!strcmp(valid->v[i].container_id, at->container_id) &&
		    !strcmp(valid->v[i].ifname, at->ifname))
			return true;
	return false;
}

/* Add @why to the errors there are; the first one's value is the result's. */
static void collect(int r, const struct err *why, int *first, struct err *e)
{
	if (!r)
		return;
	err_join(e, why);
	if (!*first)
		*first = r;
}

static int del_stale(const struct operation *op, struct err *e)
{
	struct cni_cached_list cached;
	struct err why;
	int first = 0, r;

	r = cni_cache_list(op->rt->cache_dir, NULL, op->arena, &cached, e);
	if (r)
		return r;
	for (size_t i = 0; i < cached.n; i++) {
		const struct cni_attachment *at = &cached.v[i].attachment;

		if (strcmp(cached.v[i].network, op->list->name) ||
		    is_valid(op->valid, at))
			continue;
		r = cni_attachment_del(op->rt, op->list, at, &why);
		if (r)
			err_wrap(&why, "stale attachment \"%s\" of \"%s\"",
				 at->ifname, at->container_id);
		collect(r, &why, &first, e);
	}
	return first;
}

int cni_list_gc(const struct cni_runtime *rt, const struct cni_list *list,
		const struct cni_valid_list *valid, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct operation op = { rt,	list,		&no_attachment,
				CNI_GC, .valid = valid, .arena = &arena };
	struct err all = { 0 }, why;
	int first = 0;

	if (list->disable_gc)
		return 0;
	why = (struct err){ 0 };
	collect(del_stale(&op, &why), &why, &first, &all);
	for (size_t i = 0; i < list->plugins.n; i++)
		if (cni_version_at_least(list->version, "1.1.0"))
			collect(run_plugin(&op, list->plugins.v[i], &why), &why,
				&first, &all);
	if (first && e)
		*e = all;
	return first;
}

int cni_list_status(const struct cni_runtime *rt, const struct cni_list *list,
		    struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct operation op = { rt, list, &no_attachment, CNI_STATUS,
				.arena = &arena };
	int r = 0;

	if (!cni_version_at_least(list->version, "1.1.0"))
		return 0;
	for (size_t i = 0; !r && i < list->plugins.n; i++)
		r = run_plugin(&op, list->plugins.v[i], e);
	return r;
}
