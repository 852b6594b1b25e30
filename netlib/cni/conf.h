// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a runtime says on stdin: the keys every plugin shares. A plugin decodes
 * its own keys from the same document with a table of its own.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "cni/result.h"

/* An attachment as GC names the valid ones. */
struct cni_attachment_id {
	const char *container_id;
	const char *ifname;
};

struct cni_conf {
	const char *text; /* the bytes as they came, for delegated plugins */
	size_t text_len;
	const cJSON *doc;

	const char *version; /* cniVersion, "0.1.0" when missing */
	const char *name;
	const char *type;
	const char *ipam_type; /* NULL or "": no IPAM */
	struct cni_dns dns;
	const cJSON *prev_result; /* NULL: absent */
	/* .v is NULL when the runtime did not say: then nothing is known to be
	 * stale, unlike with an empty list (SPEC.md, "GC"). */
	LIST(struct cni_attachment_id) valid_attachments;
};

/* Decode the common keys of @doc. Errors have code ERR_DECODE for wrong types
 * and ERR_CONFIG for a bad name. */
int cni_conf_decode(const cJSON *doc, struct arena *a, struct cni_conf *ret,
		    struct err *e);

/* Whether GC's list of valid attachments has this one. A NULL @ifname stands
 * for any interface of the container. */
bool cni_conf_is_valid(const struct cni_conf *conf, const char *container_id,
		       const char *ifname);
