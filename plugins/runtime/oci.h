// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a runtime tells a hook (OCI runtime-spec: runtime.md, "State"; config.md,
 * "POSIX-platform Hooks"), as far as networks are concerned. Texts are in the
 * arena it was read into.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct oci_state {
	const char *id;
	const char *status;
	int64_t pid;		      /* 0: none (any more) */
	const char *bundle;	      /* NULL: not said */
	struct {		      /* NULL: none */
		const char *networks; /* "hawser.networks" */
		const char *ports;    /* "hawser.ports" */
		const char *name;     /* "hawser.name" */
	} annotations;
};

/* What of the bundle's config.json matters; NULL: not said. */
struct oci_config {
	const char *hostname;
	const char *netns; /* the path of a namespace that was there before */
};

/* Read the state from @fd, to its end. */
int oci_state_read(int fd, struct arena *a, struct oci_state *ret,
		   struct err *e);

/* Read config.json of @bundle. That there is none is no error. */
int oci_config_read(const char *bundle, struct arena *a, struct oci_config *ret,
		    struct err *e);
