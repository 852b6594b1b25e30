// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The skeleton of a plugin: everything between the process's start and the
 * plugin's own work, and between that and the process's end. A plugin file
 * exports one struct cni_plugin and holds only what is particular to it.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "cni/args.h"
#include "cni/conf.h"
#include "cni/result.h"

struct cni_plugin;

/* One call of a plugin; everything in it outlives the call. */
struct cni_call {
	const struct cni_args *args;
	const struct cni_conf *conf;
	char *const *env;
	const struct cni_plugin *const *plugins; /* built in, NULL-terminated */
	struct arena *arena;
};

/*
 * Each function returns 0, or -errno with the error filled in. A NULL one means
 * that there is nothing to do.
 *
 * add leaves nothing behind when it fails; when the result cannot be delivered
 * del is called. del and gc treat what has gone already as success.
 */
struct cni_plugin {
	const char *name;
	bool is_ipam; /* never looks at the namespace CNI_NETNS names */
	int (*add)(const struct cni_call *call, struct cni_result *ret,
		   struct err *e);
	int (*del)(const struct cni_call *call, struct err *e);
	int (*check)(const struct cni_call *call, struct err *e);
	int (*gc)(const struct cni_call *call, struct err *e);
	int (*status)(const struct cni_call *call, struct err *e);
	/* Set up again what a flush took away of an ADD that was written down
	 * (cni/replay.h); its result is the configuration's prevResult. */
	int (*restore)(const struct cni_call *call, struct err *e);
};

/* Serve the one request that @env and stdin hold, answering on stdout; returns
 * the exit status. @plugins are those a delegation may call in process. */
int cni_plugin_main(const struct cni_plugin *plugin,
		    const struct cni_plugin *const *plugins, char *const *env);

/* Decode the configuration's prevResult. -ENODATA when there is none, with
 * "Required prevResult missing". */
int cni_prev_result(const struct cni_call *call, struct cni_result *ret,
		    struct err *e);

/* The same for a plugin that works behind others only: "must be called as chained
 * plugin", as the reference's say. */
int cni_chained_result(const struct cni_call *call, struct cni_result *ret,
		       struct err *e);

/* The attachment a call is about. */
struct owner cni_owner(const struct cni_call *call);

/* The attachments that GC's caller says are valid, in the arena. *@ret is NULL
 * when it does not say: then nothing is known to be stale. */
int cni_valid_owners(const struct cni_call *call, struct owner **ret,
		     size_t *ret_n, struct err *e);

/* The error as the JSON that SPEC.md, "Error", describes, with @version as its
 * cniVersion; the caller frees it. NULL when out of memory. */
char *cni_error_json(const struct err *e, const char *version);
