// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is remembered of an attachment between its ADD and its DEL: one file
 * each, <dir>/results/<network>-<container ID>-<interface>, in the format of
 * libcni (api.go, "cachedInfo"), so that cnitool and other runtimes on the same
 * directory can take over from here and the other way round.
 *
 * A file appears complete or not at all.
 */
#pragma once

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "cni/conflist.h"

/* What a runtime says about one interface of one container. */
struct cni_attachment {
	const char *container_id;
	const char *ifname;
	const char *netns;	      /* path; "" or NULL: none (any more) */
	const char *args;	      /* CNI_ARGS; NULL: not said */
	const cJSON *capability_args; /* object; NULL: not said */
};

struct cni_cached {
	const char *network;
	const char *config; /* the list's JSON; NULL: none */
	struct cni_attachment attachment;
	const cJSON *result; /* of ADD; NULL: none */
};

struct cni_cached_list {
	struct cni_cached *v;
	size_t n;
};

/* Write the attachment's file with the result of its ADD. */
int cni_cache_save(const char *dir, const struct cni_list *list,
		   const struct cni_attachment *at, const cJSON *result,
		   struct err *e);

/* Read the file of container ID and interface of @at on @network. -ENOENT when
 * there is none; any other error means that its content cannot be used. */
int cni_cache_load(const char *dir, const char *network,
		   const struct cni_attachment *at, struct arena *a,
		   struct cni_cached *ret, struct err *e);

/* Remove the attachment's file; that there is none is success. */
int cni_cache_remove(const char *dir, const char *network,
		     const struct cni_attachment *at, struct err *e);

/* Every attachment that is remembered; with @of, only those of its container
 * ID and, unless that is NULL, interface. Files that cannot be used are left out. */
int cni_cache_list(const char *dir, const struct cni_attachment *of,
		   struct arena *a, struct cni_cached_list *ret, struct err *e);
