// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "meta/tuning/tuning.h"

#define DATA_DIR "/run/cni/tuning"
#define MTU_MAX	 INT32_MAX
#define PREFIX	 "net/"

/* The keys that the configuration and its args.cni both have. */
struct keys {
	const cJSON *sysctl;
	const cJSON *allmulti;
	bool promisc;
	int64_t mtu, tx_queue_len;
};

struct document {
	struct keys own;
	struct {
		struct keys cni;
	} args;
	const char *data_dir;
};

#define KEYS(where)                                                     \
	{ "sysctl", JSON_RAW, offsetof(where, sysctl) },                \
		{ "allmulti", JSON_RAW, offsetof(where, allmulti) },    \
		{ "promisc", JSON_BOOL, offsetof(where, promisc) },     \
		{ "mtu", JSON_INT, offsetof(where, mtu), 0, MTU_MAX },  \
		{ "txQLen", JSON_INT, offsetof(where, tx_queue_len), 0, \
		  INT32_MAX },                                          \
	{                                                               \
		0                                                       \
	}

static const struct json_field keys_fields[] = { KEYS(struct keys) };

static const struct json_field args_fields[] = {
	{ "cni", JSON_OBJECT, 0, .sub = keys_fields },
	{ 0 },
};

static const struct json_field fields[] = {
	{ "dataDir", JSON_STRING, offsetof(struct document, data_dir) },
	{ "args", JSON_OBJECT, offsetof(struct document, args),
	  .sub = args_fields },
	{ 0 },
};

/* --- sysctls --------------------------------------------------------------- */

/* As sysctl(8): what stands first, a dot or a slash, separates, and the other is
 * then a part of names, as in eth0.100. */
static void to_path(char *key)
{
	bool has_dots = key[strcspn(key, "./")] == '.';

	for (; has_dots && *key; key++)
		if (*key == '.' || *key == '/')
			*key = *key == '.' ? '/' : '.';
}

static bool is_sound(const char *path)
{
	size_t n;

	if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
		return false;
	for (;; path += n + 1) {
		n = strcspn(path, "/");
		if (!n || (path[0] == '.' && n == 1) ||
		    (n == 2 && !memcmp(path, "..", 2)))
			return false;
		if (!path[n])
			return true;
	}
}

/* With the interface's name for the first part that is IFNAME. */
static const char *name_interface(struct arena *a, char *path,
				  const char *ifname)
{
	static const char placeholder[] = "/IFNAME";
	const size_t n = sizeof(placeholder) - 1;
	char *at = strstr(path, placeholder);

	while (at && at[n] && at[n] != '/')
		at = strstr(at + 1, placeholder);
	if (!at)
		return path;
	*at = '\0';
	return arena_printf(a, "%s/%s%s", path, ifname, at + n);
}

static int add_sysctl(const struct cni_call *call, const cJSON *item,
		      struct tuning_sysctl *ret, struct err *e)
{
	char *path = arena_strdup(call->arena, item->string);

	if (!path)
		return err_oom(e);
	if (!cJSON_IsString(item))
		return err_set(
			e, ERR_DECODE, EINVAL,
			"\"sysctl\": the value of \"%s\" is not a string",
			item->string);
	to_path(path);
	if (!is_sound(path))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "invalid net sysctl key: \"%s\"", item->string);
	*ret = (struct tuning_sysctl){
		.key = item->string,
		.path = name_interface(call->arena, path, call->args->ifname),
		.value = item->valuestring,
	};
	return ret->path ? 0 : err_oom(e);
}

static struct tuning_sysctl *find_sysctl(const struct tuning *t, size_t n,
					 const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(t->sysctls.v[i].path, path))
			return &t->sysctls.v[i];
	return NULL;
}

/* Those of one object, which takes the place of what was there before, but has
 * nothing twice. */
static int add_sysctls(const struct cni_call *call, const cJSON *object,
		       struct tuning *t, struct err *e)
{
	size_t before = t->sysctls.n;
	struct tuning_sysctl one = { "", "", "" };
	const cJSON *item;

	cJSON_ArrayForEach (item, object) {
		struct tuning_sysctl *same;
		int r = add_sysctl(call, item, &one, e);

		if (r)
			return r;
		same = find_sysctl(t, t->sysctls.n, one.path);
		if (same && same >= t->sysctls.v + before)
			return err_set(
				e, ERR_CONFIG, EINVAL,
				"duplicated sysctl keys are not allowed: \"%s\"",
				one.key);
		if (same)
			*same = one;
		else
			t->sysctls.v[t->sysctls.n++] = one;
	}
	return 0;
}

static int count(const cJSON *object, size_t *n, struct err *e)
{
	if (object && !cJSON_IsObject(object))
		return err_set(e, ERR_DECODE, EINVAL,
			       "\"sysctl\" is not an object");
	*n += (size_t)cJSON_GetArraySize(object);
	return 0;
}

static int load_sysctls(const struct cni_call *call, const struct document *doc,
			struct tuning *t, struct err *e)
{
	size_t n = 0;
	int r = count(doc->own.sysctl, &n, e);

	if (!r)
		r = count(doc->args.cni.sysctl, &n, e);
	if (r || !n)
		return r;
	t->sysctls.v = arena_array(call->arena, n, sizeof(*t->sysctls.v));
	if (!t->sysctls.v)
		return err_oom(e);
	r = add_sysctls(call, doc->own.sysctl, t, e);
	return r ? r : add_sysctls(call, doc->args.cni.sysctl, t, e);
}

/* --- the rest -------------------------------------------------------------- */

static int take(const struct keys *keys, struct tuning *t, struct err *e)
{
	if (keys->allmulti && !cJSON_IsBool(keys->allmulti))
		return err_set(e, ERR_DECODE, EINVAL,
			       "\"allmulti\" is not a boolean");
	if (keys->allmulti)
		t->allmulti = cJSON_IsTrue(keys->allmulti);
	if (keys->promisc)
		t->promisc = 1;
	if (keys->mtu)
		t->mtu = keys->mtu;
	if (keys->tx_queue_len >= 0)
		t->tx_queue_len = keys->tx_queue_len;
	return 0;
}

int tuning_conf_load(const struct cni_call *call, struct tuning_conf *ret,
		     struct err *e)
{
	const cJSON *json = call->conf->doc;
	struct document doc = { .own.tx_queue_len = -1,
				.args.cni.tx_queue_len = -1 };
	struct tuning_conf conf = { .asked = TUNING_NONE };
	int r = json_decode(fields, json, NULL, &doc, call->arena, e);

	if (!r)
		r = json_decode(keys_fields, json, NULL, &doc.own, call->arena,
				e);
	if (!r)
		r = load_sysctls(call, &doc, &conf.asked, e);
	if (!r)
		r = take(&doc.own, &conf.asked, e);
	if (!r)
		r = take(&doc.args.cni, &conf.asked, e);
	if (!r)
		r = cni_mac_load_args_first(call, &conf.asked.mac, e);
	conf.data_dir = tuning_data_dir(call);
	*ret = conf;
	return r;
}

const char *tuning_data_dir(const struct cni_call *call)
{
	const cJSON *dir = json_get(call->conf->doc, "dataDir");
	const char *path = cJSON_GetStringValue(dir);

	return path && *path ? path : DATA_DIR;
}

bool tuning_has_link(const struct tuning *t)
{
	return t->mac.is_set || t->mtu || t->tx_queue_len >= 0 ||
	       t->promisc >= 0 || t->allmulti >= 0;
}
