// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The runtime's side of the protocol: a list of plugins is run for one
 * interface of one container, as libcni does it (api.go), with the differences
 * that a person at a shell needs:
 *
 *  - an ADD that fails is undone by a DEL of the whole list;
 *  - an ADD of an interface that the container has already is refused before
 *    any plugin runs, for that undoing would take away the first one;
 *  - a DEL goes through all plugins, whichever of them fails;
 *  - DEL and CHECK get the arguments that ADD had, unless others are given.
 *
 * Callers see to it that one container has one call at a time, and that none
 * runs beside a GC of its network (SPEC.md, "Lifecycle & Ordering").
 */
#pragma once

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/cache.h"
#include "cni/conf.h"
#include "cni/conflist.h"

struct cni_runtime {
	const char *plugin_path; /* CNI_PATH */
	const char *cache_dir;
	char *const *env; /* what plugins inherit besides CNI_* */
};

/* Attach the container. *@ret_result is the last plugin's result, in @a. Errors
 * are the failed plugin's, with its code, after its name. */
int cni_attachment_add(const struct cni_runtime *rt,
		       const struct cni_list *list,
		       const struct cni_attachment *at, struct arena *a,
		       const cJSON **ret_result, struct err *e);

/* Detach it; that it is not attached is success. The first plugin's error is
 * reported, and then the cache keeps the attachment for another try. */
int cni_attachment_del(const struct cni_runtime *rt,
		       const struct cni_list *list,
		       const struct cni_attachment *at, struct err *e);

int cni_attachment_check(const struct cni_runtime *rt,
			 const struct cni_list *list,
			 const struct cni_attachment *at, struct err *e);

/* The attachments of a network that are to stay. */
struct cni_valid_list {
	struct cni_attachment_id *v;
	size_t n;
};

/* Delete what the cache has of the network beside @valid, then let each plugin
 * look for what else is stale. With NULL nothing in the cache is valid, and
 * plugins are told nothing. Goes on after errors and reports all. */
int cni_list_gc(const struct cni_runtime *rt, const struct cni_list *list,
		const struct cni_valid_list *valid, struct err *e);

/* Whether each plugin could serve an ADD; the first error ends it. */
int cni_list_status(const struct cni_runtime *rt, const struct cni_list *list,
		    struct err *e);
