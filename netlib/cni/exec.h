// SPDX-License-Identifier: GPL-2.0-or-later
/* Another plugin as a process, the way the specification has it: found by its
 * type in CNI_PATH, asked through environment and stdin. */
#pragma once

#include <cjson/cJSON.h>
#include <limits.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* The first regular file called @type in the directories of @path (between
 * colons; empty ones are skipped, they would mean the working directory). */
int cni_find_plugin(const char *type, const char *path,
		    char ret[static PATH_MAX], struct err *e);

struct cni_env_setting {
	const char *name;
	const char *value;
};

/* @env with the @n settings in it, in @a; NULL when out of memory. */
char **cni_env_with(char *const *env, const struct cni_env_setting *settings,
		    size_t n, struct arena *a);

/* Run the plugin at @path with @input on its stdin. When it exits 0 *@ret_output
 * is what it printed, which the caller frees, and its stderr goes to ours.
 * Otherwise -EREMOTEIO and the error that it reported, with its own code, or
 * failing that what it wrote to stderr. */
int cni_exec(const char *path, char *const *env, const char *input,
	     size_t input_len, char **ret_output, size_t *ret_len,
	     struct err *e);

/* Parse what a plugin printed on ADD; the caller frees *@ret. The JSON value
 * null is an empty result, as it is to libcni. */
int cni_parse_output(const char *output, size_t len, cJSON **ret,
		     struct err *e);
