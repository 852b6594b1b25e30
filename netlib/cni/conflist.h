// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network as runtimes know it: a named list of plugins, read from files as
 * libcni reads them. *.conflist holds a list; *.conf and *.json, looked at when
 * no list has the name, hold one plugin, which becomes a list of one.
 *
 * A file that cannot be read stands in nobody's way but its own network's.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

/* Everything in it belongs to the arena it was loaded into. */
struct cni_list {
	const char *name;
	const char *version;
	bool disable_check;
	bool disable_gc;
	LIST(const cJSON *) plugins; /* one at least, each with a type */
	const char *text;	     /* the list's JSON, for the result cache */
};

/* Load the network called @name from the directory @dir; with a '/' in it,
 * @name is the file itself. -ENOENT when there is no such network: the error
 * then names the first unreadable file, which may have been meant. */
int cni_list_load(const char *dir, const char *name, struct arena *a,
		  struct cni_list *ret, struct err *e);

/* The network whose list is @text, as struct cni_list has it; the directory @dir
 * is where a list's own directory of further plugins may be. */
int cni_list_parse(const char *dir, const char *text, struct arena *a,
		   struct cni_list *ret, struct err *e);

/* The type of one of a list's plugins. */
const char *cni_list_plugin_type(const cJSON *plugin);
