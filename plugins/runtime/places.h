// SPDX-License-Identifier: GPL-2.0-or-later
/* Where networks, plugins and the result cache are: from options, then from
 * the environment as cnitool takes it, then the usual places. */
#pragma once

#include <argp.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/attachment.h"

struct places {
	const char *conf_dir;
	const char *cache_dir;
};

/* A child parser for --conf and --cache-dir; its input is struct places. */
extern const struct argp places_argp;

/* The places before any option was seen. */
struct places places_default(char *const *env);

/* The runtime for these places, with what plugins need of @env; in @a. */
int places_runtime(const struct places *places, char *const *env,
		   struct arena *a, struct cni_runtime *ret, struct err *e);

/* The capability arguments that CAP_ARGS in @env has, as cnitool takes them, in
 * @a; NULL for none. */
int places_capability_args(char *const *env, struct arena *a, const cJSON **ret,
			   struct err *e);
