// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/places.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cni/args.h"

#define CONF_DIR  "/etc/cni/net.d"
#define CACHE_DIR "/var/lib/cni"

static const struct argp_option options[] = {
	{ "conf", 'c', "DIR", 0,
	  "Read networks from DIR [$NETCONFPATH, else " CONF_DIR "]", 0 },
	{ "cache-dir", 'C', "DIR", 0,
	  "Remember attachments below DIR [" CACHE_DIR "]", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct places *places = state->input;

	switch (key) {
	case 'c':
		places->conf_dir = arg;
		return 0;
	case 'C':
		places->cache_dir = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp places_argp = { options, parse };

struct places places_default(char *const *env)
{
	const char *conf = cni_env_get(env, "NETCONFPATH");

	return (struct places){ .conf_dir = *conf ? conf : CONF_DIR,
				.cache_dir = CACHE_DIR };
}

/* The directory that we are run from, where a build has all plugins, and the
 * one where they are installed. */
static const char *default_plugin_path(struct arena *a)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (len < 0)
		return HAWSER_CNIBINDIR;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	return arena_printf(a, "%.*s:%s", slash ? (int)(slash - exe) : 0, exe,
			    HAWSER_CNIBINDIR);
}

int places_runtime(const struct places *places, char *const *env,
		   struct arena *a, struct cni_runtime *ret, struct err *e)
{
	const char *path = cni_env_get(env, "CNI_PATH");

	if (!*path)
		path = default_plugin_path(a);
	if (!path)
		return err_oom(e);
	*ret = (struct cni_runtime){ .plugin_path = path,
				     .cache_dir = places->cache_dir,
				     .env = env };
	return 0;
}

int places_capability_args(char *const *env, struct arena *a, const cJSON **ret,
			   struct err *e)
{
	const char *text = cni_env_get(env, "CAP_ARGS");
	cJSON *args;
	int r;

	*ret = NULL;
	if (!*text)
		return 0;
	r = json_parse(text, strlen(text), &args, e);
	if (!r)
		r = json_keep(a, args, e);
	if (r)
		err_wrap(e, "CAP_ARGS");
	else
		*ret = args;
	return r;
}
