// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One file an attachment, where the reference has it and with its keys (mac, mtu,
 * promisc, allmulti, txQLen), so that either restores what the other has changed.
 * Ours are network, which GC goes by, and sysctl.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "meta/tuning/tuning.h"

#define BACKUP_MAX ((size_t)1 << 20)
#define SUFFIX	   ".json"

/* --- reading --------------------------------------------------------------- */

struct document {
	const char *network, *mac;
	const cJSON *promisc, *allmulti, *sysctl;
	int64_t mtu, tx_queue_len;
};

static const struct json_field fields[] = {
	{ "network", JSON_STRING, offsetof(struct document, network) },
	{ "mac", JSON_STRING, offsetof(struct document, mac) },
	{ "promisc", JSON_RAW, offsetof(struct document, promisc) },
	{ "allmulti", JSON_RAW, offsetof(struct document, allmulti) },
	{ "sysctl", JSON_RAW, offsetof(struct document, sysctl) },
	{ "mtu", JSON_INT, offsetof(struct document, mtu), 0, UINT32_MAX },
	{ "txQLen", JSON_INT, offsetof(struct document, tx_queue_len), 0,
	  UINT32_MAX },
	{ 0 },
};

static const char *name_of(struct arena *a, const char *id, const char *ifname)
{
	return arena_printf(a, "%s_%s" SUFFIX, id, ifname);
}

static const char *path_of(const struct cni_call *call, const char *dir)
{
	return arena_printf(call->arena, "%s/%s", dir,
			    name_of(call->arena, call->args->container_id,
				    call->args->ifname));
}

static int64_t tri(const cJSON *value)
{
	return cJSON_IsBool(value) ? cJSON_IsTrue(value) : -1;
}

/* The key is the path: names of the kernel's, with nothing left to replace. */
static int take_sysctls(const cJSON *object, struct arena *a,
			struct tuning *ret, struct err *e)
{
	const cJSON *item;

	ret->sysctls.v = arena_array(a, (size_t)cJSON_GetArraySize(object),
				     sizeof(*ret->sysctls.v));
	if (cJSON_GetArraySize(object) && !ret->sysctls.v)
		return err_oom(e);
	cJSON_ArrayForEach (item, object)
		if (cJSON_IsString(item))
			ret->sysctls.v[ret->sysctls.n++] =
				(struct tuning_sysctl){ item->string,
							item->string,
							item->valuestring };
	return 0;
}

static int parse(const char *path, struct arena *a, struct document *ret,
		 struct err *e)
{
	_free_ char *text = NULL;
	size_t len;
	cJSON *json = NULL;
	int r = fs_read_file(path, BACKUP_MAX, &text, &len, e);

	*ret = (struct document){ .network = "", .tx_queue_len = -1 };
	if (!r)
		r = json_parse(text, len, &json, e);
	if (!r)
		r = json_keep(a, json, e);
	return r ? r : json_decode(fields, json, NULL, ret, a, e);
}

int backup_read(const struct cni_call *call, const char *dir,
		struct tuning *ret, struct err *e)
{
	const char *path = path_of(call, dir);
	struct tuning t = TUNING_NONE;
	struct document doc = { 0 };
	int r = path ? parse(path, call->arena, &doc, e) : err_oom(e);

	if (!r)
		r = take_sysctls(doc.sysctl, call->arena, &t, e);
	if (r)
		return r;
	t.mac.is_set = doc.mac && !mac_parse(doc.mac, t.mac.mac);
	t.mtu = doc.mtu;
	t.tx_queue_len = doc.tx_queue_len;
	t.promisc = tri(doc.promisc);
	t.allmulti = tri(doc.allmulti);
	*ret = t;
	return 0;
}

/* --- writing --------------------------------------------------------------- */

static void put_sysctls(cJSON *object, const struct tuning *t)
{
	for (size_t i = 0; i < t->sysctls.n; i++)
		if (!cJSON_HasObjectItem(object, t->sysctls.v[i].path))
			cJSON_AddStringToObject(object, t->sysctls.v[i].path,
						t->sysctls.v[i].value);
}

/* The older of two counts. */
static void put(cJSON *doc, const struct tuning *older,
		const struct tuning *was)
{
	const struct cni_mac *mac = older->mac.is_set ? &older->mac : &was->mac;
	int64_t mtu = older->mtu ? older->mtu : was->mtu;
	int64_t promisc = older->promisc >= 0 ? older->promisc : was->promisc;
	int64_t allmulti =
		older->allmulti >= 0 ? older->allmulti : was->allmulti;
	int64_t len = older->tx_queue_len >= 0 ? older->tx_queue_len
					       : was->tx_queue_len;
	char text[MAC_TEXT_MAX];
	cJSON *sysctls;

	if (mac->is_set)
		cJSON_AddStringToObject(doc, "mac", mac_text(mac->mac, text));
	if (promisc >= 0)
		cJSON_AddBoolToObject(doc, "promisc", promisc > 0);
	if (mtu)
		cJSON_AddNumberToObject(doc, "mtu", (double)mtu);
	if (allmulti >= 0)
		cJSON_AddBoolToObject(doc, "allmulti", allmulti > 0);
	if (len >= 0)
		cJSON_AddNumberToObject(doc, "txQLen", (double)len);
	sysctls = cJSON_AddObjectToObject(doc, "sysctl");
	put_sysctls(sysctls, older);
	put_sysctls(sysctls, was);
}

static int write_file(const char *dir, const char *name, const char *text,
		      struct err *e)
{
	_close_ int fd = -1;
	int r = fs_make_dirs(dir, 0700, e);

	if (!r)
		r = fs_open_dir(dir, &fd, e);
	return r ? r : fs_replace_file(fd, name, text, strlen(text), 0600, e);
}

int backup_write(const struct cni_call *call, const char *dir,
		 const struct tuning *was, bool *ret_first, struct err *e)
{
	const char *name = name_of(call->arena, call->args->container_id,
				   call->args->ifname);
	struct tuning older = TUNING_NONE;
	_json_ cJSON *doc = cJSON_CreateObject();
	_free_ char *text = NULL;

	*ret_first = backup_read(call, dir, &older, NULL) != 0;
	cJSON_AddStringToObject(doc, "network", call->conf->name);
	put(doc, &older, was);
	text = cJSON_PrintUnformatted(doc);
	if (!name || !text)
		return err_oom(e);
	return write_file(dir, name, text, e);
}

/* --- deleting -------------------------------------------------------------- */

void backup_delete(const struct cni_call *call, const char *dir)
{
	const char *name = name_of(call->arena, call->args->container_id,
				   call->args->ifname);
	_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (name && fd >= 0)
		fs_remove_file(fd, name);
}

static bool is_valid(const char *name, const struct owner *valid, size_t n,
		     struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		const char *own =
			name_of(a, valid[i].container_id, valid[i].ifname);

		if (!own || !strcmp(own, name))
			return true;
	}
	return false;
}

/* The reference's say no network: those are not ours to judge. */
static bool is_of(const char *path, const char *network, struct arena *a)
{
	struct document doc = { 0 };

	return !parse(path, a, &doc, NULL) && !strcmp(doc.network, network);
}

int backup_gc(const struct cni_call *call, const char *dir, struct err *e)
{
	_closedir_ DIR *files = NULL;
	const char *network = call->conf->name;
	struct owner *valid = NULL;
	struct dirent *entry;
	size_t n = 0;
	int r = cni_valid_owners(call, &valid, &n, e);

	if (r || !valid)
		return r;
	files = opendir(dir);
	while (files && (entry = readdir(files))) {
		const char *path =
			arena_printf(call->arena, "%s/%s", dir, entry->d_name);

		if (path && strstr(entry->d_name, SUFFIX) &&
		    !is_valid(entry->d_name, valid, n, call->arena) &&
		    is_of(path, network, call->arena))
			unlink(path);
	}
	return 0;
}
