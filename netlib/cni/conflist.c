// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/conflist.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fs.h"
#include "cni/args.h"
#include "cni/version.h"

/* A list while it is decoded. */
struct decoded {
	const char *name;
	const char *version;
	LIST(const char *) versions;
	const cJSON *disable_check;
	const cJSON *disable_gc;
	const cJSON *only_inlined;
	LIST(const cJSON *) plugins;
};

static const struct json_field string_element = { .type = JSON_STRING };
static const struct json_field raw_element = { .type = JSON_RAW };

static const struct json_field list_fields[] = {
	{ "name", JSON_STRING, offsetof(struct decoded, name) },
	{ "cniVersion", JSON_STRING, offsetof(struct decoded, version) },
	{ "cniVersions", JSON_LIST, offsetof(struct decoded, versions),
	  .sub = &string_element, .size = sizeof(const char *) },
	{ "disableCheck", JSON_RAW, offsetof(struct decoded, disable_check) },
	{ "disableGC", JSON_RAW, offsetof(struct decoded, disable_gc) },
	{ "loadOnlyInlinedPlugins", JSON_RAW,
	  offsetof(struct decoded, only_inlined) },
	{ "plugins", JSON_LIST, offsetof(struct decoded, plugins),
	  .sub = &raw_element, .size = sizeof(const cJSON *) },
	{ 0 },
};

/* --- values -------------------------------------------------------------- */

/* true, or the string "true" in any case, as libcni accepts. */
static int decode_bool(const char *key, const cJSON *value, bool *ret,
		       struct err *e)
{
	const char *text = cJSON_GetStringValue(value);

	*ret = cJSON_IsTrue(value) || (text && !strcasecmp(text, "true"));
	if (!value || cJSON_IsBool(value) || *ret ||
	    (text && !strcasecmp(text, "false")))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL, "\"%s\" is not true or false",
		       key);
}

static int check_version(const char *version, struct err *e)
{
	if (!cni_version_check_syntax(version))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "\"cniVersion\": \"%s\" is not a version", version);
}

/*
 * cniVersions offers several: the newest that we speak is taken. A lone
 * cniVersion is passed on as it is; plugins say whether they know it.
 */
static int choose_version(const struct decoded *d, const char **ret,
			  struct err *e)
{
	const char *best = *d->version ? d->version : CNI_VERSION_DEFAULT;
	int r = check_version(best, e);

	for (size_t i = 0; !r && i < d->versions.n; i++) {
		const char *v = d->versions.v[i] ? d->versions.v[i] : "";
		bool known = cni_version_at_least(CNI_VERSION_CURRENT, v);

		r = check_version(v, e);
		if (known && (!cni_version_at_least(best, v) ||
			      !cni_version_at_least(CNI_VERSION_CURRENT, best)))
			best = v;
	}
	if (!r)
		*ret = best;
	return r;
}

const char *cni_list_plugin_type(const cJSON *plugin)
{
	const char *type = cJSON_GetStringValue(json_get(plugin, "type"));

	return type ? type : "";
}

static int check_plugins(const struct cni_list *list, struct err *e)
{
	if (!list->plugins.n)
		return err_set(e, ERR_CONFIG, EINVAL, "no plugins in list");
	for (size_t i = 0; i < list->plugins.n; i++) {
		const cJSON *plugin = list->plugins.v[i];

		if (!plugin || !*cni_list_plugin_type(plugin))
			return err_set(e, ERR_CONFIG, EINVAL,
				       "\"plugins[%zu]\": missing 'type'", i);
	}
	return 0;
}

/* --- files --------------------------------------------------------------- */

static bool has_extension(const char *name, const char *extension)
{
	const char *dot = strrchr(name, '.');

	return dot && !strcmp(dot, extension);
}

static int is_list_file(const struct dirent *entry)
{
	return entry->d_type != DT_DIR &&
	       has_extension(entry->d_name, ".conflist");
}

static int is_single_file(const struct dirent *entry)
{
	return entry->d_type != DT_DIR &&
	       (has_extension(entry->d_name, ".conf") ||
		has_extension(entry->d_name, ".json"));
}

static int is_plugin_file(const struct dirent *entry)
{
	return entry->d_type != DT_DIR && has_extension(entry->d_name, ".conf");
}

/* The paths of a directory's files that @filter picks, sorted by name. */
struct file_list {
	char **v;
	size_t n;
};

static int list_files(const char *dir,
		      int (*filter)(const struct dirent *entry),
		      struct arena *a, struct file_list *ret, struct err *e)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, filter, alphasort);

	if (n < 0)
		return err_sys(e, "read directory \"%s\"", dir);
	ret->n = 0;
	ret->v = arena_array(a, (size_t)n, sizeof(*ret->v));
	for (int i = 0; i < n; i++) {
		char *path = ret->v ? arena_printf(a, "%s/%s", dir,
						   entries[i]->d_name)
				    : NULL;

		free(entries[i]);
		if (path)
			ret->v[ret->n++] = path;
	}
	free(entries);
	return ret->n == (size_t)n ? 0 : err_oom(e);
}

static int read_json(const char *path, struct arena *a, const char **ret_text,
		     cJSON **ret, struct err *e)
{
	_free_ char *text = NULL;
	size_t len;
	int r = fs_read_file(path, JSON_TEXT_MAX, &text, &len, e);

	if (r)
		return r;
	r = json_parse(text, len, ret, e);
	if (!r)
		r = json_keep(a, *ret, e);
	if (r) {
		err_wrap(e, "\"%s\"", path);
		return r;
	}
	*ret_text = arena_strdup(a, text);
	return *ret_text ? 0 : err_oom(e);
}

/* Append the plugins that the directory called as the network, beside the
 * list's file, has in *.conf files. */
static int append_plugin_files(const char *path, struct cni_list *list,
			       struct arena *a, struct err *e)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) : 1;
	char *dir = arena_printf(a, "%.*s/%s", dir_len, slash ? path : ".",
				 list->name);
	struct file_list files = { 0 };
	const cJSON **plugins;
	int r = dir ? list_files(dir, is_plugin_file, a, &files, e)
		    : err_oom(e);

	if (r == -ENOENT || r == -ENOTDIR || (!r && !files.n))
		return 0;
	if (r)
		return r;
	plugins = arena_array(a, list->plugins.n + files.n, sizeof(*plugins));
	if (!plugins)
		return err_oom(e);
	if (list->plugins.n)
		memcpy(plugins, list->plugins.v,
		       list->plugins.n * sizeof(*plugins));
	list->plugins.v = plugins;
	for (size_t i = 0; !r && i < files.n; i++) {
		const char *text;
		cJSON *plugin;

		r = read_json(files.v[i], a, &text, &plugin, e);
		if (!r)
			plugins[list->plugins.n++] = plugin;
	}
	return r;
}

/* --- loading ------------------------------------------------------------- */

/* A file that was read, before its content is believed. */
struct candidate {
	const char *path;
	const char *text;
	cJSON *doc;
};

/* Whether the file holds one plugin and not a list of them. */
static bool is_single(const struct candidate *file)
{
	return !has_extension(file->path, ".conflist") &&
	       !json_get(file->doc, "plugins");
}

/* Make a list of one from a single plugin, as libcni does. */
static int wrap_single(struct candidate *file, struct arena *a, struct err *e)
{
	const char *version =
		cJSON_GetStringValue(json_get(file->doc, "cniVersion"));
	const char *name = cJSON_GetStringValue(json_get(file->doc, "name"));
	cJSON *list = cJSON_CreateObject();
	cJSON *plugins = cJSON_CreateArray();
	_free_ char *text = NULL;

	cJSON_AddStringToObject(list, "cniVersion", version ? version : "");
	cJSON_AddStringToObject(list, "name", name ? name : "");
	cJSON_AddTrueToObject(list, "loadOnlyInlinedPlugins");
	cJSON_AddItemToArray(plugins, cJSON_Duplicate(file->doc, true));
	cJSON_AddItemToObject(list, "plugins", plugins);
	file->doc = list;
	text = cJSON_PrintUnformatted(list);
	file->text = text ? arena_strdup(a, text) : NULL;
	return json_keep(a, list, e) || !file->text ? err_oom(e) : 0;
}

static int decode_list(const struct candidate *file, struct arena *a,
		       struct cni_list *ret, struct err *e)
{
	struct decoded d = { .name = "", .version = "" };
	struct cni_list list = { .text = file->text };
	bool only_inlined;
	int r = json_decode(list_fields, file->doc, NULL, &d, a, e);

	if (!r)
		r = cni_check_network_name(d.name, e);
	if (!r)
		r = choose_version(&d, &list.version, e);
	if (!r)
		r = decode_bool("disableCheck", d.disable_check,
				&list.disable_check, e);
	if (!r)
		r = decode_bool("disableGC", d.disable_gc, &list.disable_gc, e);
	if (!r)
		r = decode_bool("loadOnlyInlinedPlugins", d.only_inlined,
				&only_inlined, e);
	if (r)
		return r;
	list.name = d.name;
	list.plugins.v = d.plugins.v;
	list.plugins.n = d.plugins.n;
	if (!only_inlined)
		r = append_plugin_files(file->path, &list, a, e);
	if (!r)
		r = check_plugins(&list, e);
	if (!r)
		*ret = list;
	return r;
}

static int load_candidate(struct candidate *file, struct arena *a,
			  struct cni_list *ret, struct err *e)
{
	int r = is_single(file) ? wrap_single(file, a, e) : 0;

	if (!r)
		r = decode_list(file, a, ret, e);
	if (r)
		err_wrap(e, "\"%s\"", file->path);
	return r;
}

/*
 * Look for the network among @files. Only the file that has the name must be
 * right; of the others the first that is no JSON is kept in @broken. -ESRCH
 * when none has it.
 */
static int search(const struct file_list *files, const char *name,
		  struct arena *a, struct cni_list *ret, struct err *broken,
		  struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		struct candidate file = { .path = files->v[i] };
		const char *own_name;
		struct err why;

		if (read_json(file.path, a, &file.text, &file.doc, &why)) {
			if (!*broken->msg)
				*broken = why;
			continue;
		}
		own_name = cJSON_GetStringValue(json_get(file.doc, "name"));
		if (own_name && !strcmp(own_name, name))
			return load_candidate(&file, a, ret, e);
	}
	return -ESRCH;
}

static int load_from_dir(const char *dir, const char *name, struct arena *a,
			 struct cni_list *ret, struct err *e)
{
	struct file_list lists = { 0 }, singles = { 0 };
	struct err broken = { 0 };
	int r = list_files(dir, is_list_file, a, &lists, e);

	if (!r)
		r = list_files(dir, is_single_file, a, &singles, e);
	if (r)
		return r;
	r = search(&lists, name, a, ret, &broken, e);
	if (r == -ESRCH)
		r = search(&singles, name, a, ret, &broken, e);
	if (r != -ESRCH)
		return r;
	return err_set(e, ERR_CONFIG, ENOENT, "no network \"%s\" in \"%s\"%s%s",
		       name, dir, *broken.msg ? "; broken there: " : "",
		       broken.msg);
}

int cni_list_load(const char *dir, const char *name, struct arena *a,
		  struct cni_list *ret, struct err *e)
{
	struct candidate file = { .path = name };
	int r;

	if (!strchr(name, '/'))
		return load_from_dir(dir, name, a, ret, e);
	r = read_json(file.path, a, &file.text, &file.doc, e);
	return r ? r : load_candidate(&file, a, ret, e);
}

int cni_list_parse(const char *dir, const char *text, struct arena *a,
		   struct cni_list *ret, struct err *e)
{
	struct candidate file = { .path = arena_printf(a, "%s/", dir),
				  .text = arena_strdup(a, text) };
	int r;

	if (!file.path || !file.text)
		return err_oom(e);
	r = json_parse(text, strlen(text), &file.doc, e);
	if (!r)
		r = json_keep(a, file.doc, e);
	return r ? r : decode_list(&file, a, ret, e);
}
