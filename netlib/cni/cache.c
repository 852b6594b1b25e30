// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/fs.h"

#define KIND	 "cniCacheV1"
#define DIR_MODE 0700

/* The file as JSON. */
struct cache_file {
	const char *kind;
	const char *container_id;
	const char *config;
	const char *ifname;
	const char *network;
	const char *netns;
	LIST(const cJSON *) args;
	const cJSON *capability_args;
	const cJSON *result;
};

static const struct json_field args_element = { .type = JSON_RAW };

static const struct json_field file_fields[] = {
	{ "kind", JSON_STRING, offsetof(struct cache_file, kind) },
	{ "containerId", JSON_STRING,
	  offsetof(struct cache_file, container_id) },
	{ "config", JSON_STRING, offsetof(struct cache_file, config) },
	{ "ifName", JSON_STRING, offsetof(struct cache_file, ifname) },
	{ "networkName", JSON_STRING, offsetof(struct cache_file, network) },
	{ "netns", JSON_STRING, offsetof(struct cache_file, netns) },
	{ "cniArgs", JSON_LIST, offsetof(struct cache_file, args),
	  .sub = &args_element, .size = sizeof(const cJSON *) },
	{ "capabilityArgs", JSON_RAW,
	  offsetof(struct cache_file, capability_args) },
	{ "result", JSON_RAW, offsetof(struct cache_file, result) },
	{ 0 },
};

/* --- names --------------------------------------------------------------- */

static int file_name(char buf[static NAME_MAX + 1], const char *network,
		     const struct cni_attachment *at, struct err *e)
{
	int len = snprintf(buf, NAME_MAX + 1, "%s-%s-%s", network,
			   at->container_id, at->ifname);

	if (len <= NAME_MAX)
		return 0;
	return err_set(e, ERR_CONFIG, ENAMETOOLONG,
		       "\"%s-%s-%s\" is too long for the name of a cache file",
		       network, at->container_id, at->ifname);
}

static int open_results(const char *dir, int *ret, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/results", dir);
	return fs_open_dir(path, ret, e);
}

static int make_results(const char *dir, int *ret, struct err *e)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/results", dir);
	r = fs_make_dirs(path, DIR_MODE, e);
	return r ? r : fs_open_dir(path, ret, e);
}

/* --- writing ------------------------------------------------------------- */

/* "K=V;K2=V2" as [["K","V"],["K2","V2"]]. */
static cJSON *split_args(const char *args)
{
	cJSON *pairs = cJSON_CreateArray();
	_free_ char *copy = strdup(args);
	char *rest = copy, *pair;

	while ((pair = strsep(&rest, ";"))) {
		const char *key = strsep(&pair, "=");
		const char *both[] = { key, pair ? pair : "" };

		if (*key)
			cJSON_AddItemToArray(pairs,
					     cJSON_CreateStringArray(both, 2));
	}
	return pairs;
}

static char *file_text(const struct cni_list *list,
		       const struct cni_attachment *at, const cJSON *result)
{
	_free_ char *config = base64_encode(list->text, strlen(list->text));
	_json_ cJSON *doc = cJSON_CreateObject();

	if (!config)
		return NULL;
	cJSON_AddStringToObject(doc, "kind", KIND);
	cJSON_AddStringToObject(doc, "containerId", at->container_id);
	cJSON_AddStringToObject(doc, "config", config);
	cJSON_AddStringToObject(doc, "ifName", at->ifname);
	cJSON_AddStringToObject(doc, "networkName", list->name);
	if (at->netns && *at->netns)
		cJSON_AddStringToObject(doc, "netns", at->netns);
	if (at->args && *at->args)
		cJSON_AddItemToObject(doc, "cniArgs", split_args(at->args));
	if (at->capability_args && at->capability_args->child)
		cJSON_AddItemToObject(
			doc, "capabilityArgs",
			cJSON_Duplicate(at->capability_args, true));
	cJSON_AddItemToObject(doc, "result", cJSON_Duplicate(result, true));
	return cJSON_PrintUnformatted(doc);
}

int cni_cache_save(const char *dir, const struct cni_list *list,
		   const struct cni_attachment *at, const cJSON *result,
		   struct err *e)
{
	_free_ char *text = file_text(list, at, result);
	char name[NAME_MAX + 1];
	_close_ int fd = -1;
	int r;

	if (!text)
		return err_oom(e);
	r = file_name(name, list->name, at, e);
	if (!r)
		r = make_results(dir, &fd, e);
	if (!r)
		r = fs_replace_file(fd, name, text, strlen(text), 0600, e);
	if (r)
		err_wrap(e, "result cache \"%s\"", dir);
	return r;
}

int cni_cache_remove(const char *dir, const char *network,
		     const struct cni_attachment *at, struct err *e)
{
	char name[NAME_MAX + 1];
	_close_ int fd = -1;
	int r = file_name(name, network, at, e);

	if (!r)
		r = open_results(dir, &fd, e);
	if (r)
		return r == -ENOENT ? 0 : r;
	r = fs_remove_file(fd, name);
	return !r || r == -ENOENT
		       ? 0
		       : err_set(e, ERR_IO, -r, "remove \"%s/results/%s\": %s",
				 dir, name, strerror(-r));
}

/* --- reading ------------------------------------------------------------- */

/* Back into the form of CNI_ARGS; NULL when out of memory. */
static const char *join_args(const struct cache_file *file, struct arena *a)
{
	const char *args = NULL;

	for (size_t i = 0; i < file->args.n; i++) {
		const cJSON *pair = file->args.v[i];
		const char *key =
			cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
		const char *value =
			cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));

		if (!key || !value)
			continue;
		args = arena_printf(a, "%s%s%s=%s", args ? args : "",
				    args ? ";" : "", key, value);
		if (!args)
			return NULL;
	}
	return args;
}

/* NULL when there is none that can be read: without it the rest is as good. */
static const char *decode_config(const char *encoded, struct arena *a)
{
	_free_ char *text = NULL;
	size_t len;

	if (!encoded || base64_decode(encoded, &text, &len) ||
	    strlen(text) != len)
		return NULL;
	return arena_strdup(a, text);
}

static int decode_file(const cJSON *doc, struct arena *a,
		       struct cni_cached *ret, struct err *e)
{
	struct cache_file file = { .kind = "" };
	int r = json_decode(file_fields, doc, NULL, &file, a, e);

	if (r)
		return r;
	if (strcmp(file.kind, KIND) || !file.container_id || !file.ifname ||
	    !file.network)
		return err_set(e, ERR_DECODE, EINVAL,
			       "not a cached result of kind \"%s\"", KIND);
	*ret = (struct cni_cached){
		.network = file.network,
		.config = decode_config(file.config, a),
		.attachment = { .container_id = file.container_id,
				.ifname = file.ifname,
				.netns = file.netns ? file.netns : "",
				.args = join_args(&file, a),
				.capability_args = file.capability_args },
		.result = file.result,
	};
	return 0;
}

static int read_file(int dirfd, const char *name, struct arena *a,
		     struct cni_cached *ret, struct err *e)
{
	_close_ int fd = openat(dirfd, name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_free_ char *text = NULL;
	cJSON *doc;
	size_t len;
	int r;

	if (fd < 0)
		return err_sys(e, "open \"results/%s\"", name);
	r = fs_read_all(fd, JSON_TEXT_MAX, &text, &len);
	if (r)
		return err_set(e, ERR_IO, -r, "read \"results/%s\": %s", name,
			       strerror(-r));
	r = json_parse(text, len, &doc, e);
	if (!r)
		r = json_keep(a, doc, e);
	if (!r)
		r = decode_file(doc, a, ret, e);
	if (r)
		err_wrap(e, "\"results/%s\"", name);
	return r;
}

int cni_cache_load(const char *dir, const char *network,
		   const struct cni_attachment *at, struct arena *a,
		   struct cni_cached *ret, struct err *e)
{
	char name[NAME_MAX + 1] = "";
	_close_ int fd = -1;
	int r = file_name(name, network, at, e);

	if (!r)
		r = open_results(dir, &fd, e);
	if (!r)
		r = read_file(fd, name, a, ret, e);
	if (r)
		err_wrap(e, "result cache \"%s\"", dir);
	return r;
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool is_of(const struct cni_attachment *at,
		  const struct cni_attachment *of)
{
	return !of || (same(at->container_id, of->container_id) &&
		       (!of->ifname || same(at->ifname, of->ifname)));
}

/* A name decides nothing ("a-b-c" splits two ways), but spares most reads. */
static bool may_be_of(const char *name, const struct cni_attachment *of)
{
	char part[NAME_MAX + 1];
	size_t len = strlen(name), part_len;

	if (*name == '.')
		return false;
	if (!of)
		return true;
	snprintf(part, sizeof(part), "-%s-%s", of->container_id,
		 of->ifname ? of->ifname : "");
	if (!of->ifname)
		return strstr(name, part);
	part_len = strlen(part);
	return len > part_len && !strcmp(name + len - part_len, part);
}

static int append(struct cni_cached_list *list, const struct cni_cached *cached,
		  struct arena *a, struct err *e)
{
	/* grown at each power of two; the arena keeps the smaller ones */
	if (!(list->n & (list->n - 1))) {
		size_t room = list->n ? list->n * 2 : 1;
		struct cni_cached *v = arena_array(a, room, sizeof(*v));

		if (!v)
			return err_oom(e);
		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
	}
	list->v[list->n++] = *cached;
	return 0;
}

int cni_cache_list(const char *dir, const struct cni_attachment *of,
		   struct arena *a, struct cni_cached_list *ret, struct err *e)
{
	struct cni_cached_list list = { 0 };
	_closedir_ DIR *entries = NULL;
	struct dirent *entry;
	int fd = -1, r = open_results(dir, &fd, e);

	if (r && r != -ENOENT)
		return r;
	if (!r && !(entries = fdopendir(fd))) {
		close(fd);
		return err_sys(e, "read directory \"%s/results\"", dir);
	}
	while (entries && (entry = readdir(entries))) {
		struct cni_cached cached = { 0 };

		if (!may_be_of(entry->d_name, of) ||
		    read_file(fd, entry->d_name, a, &cached, NULL) ||
		    !is_of(&cached.attachment, of))
			continue;
		r = append(&list, &cached, a, e);
		if (r)
			return r;
	}
	*ret = list;
	return 0;
}
