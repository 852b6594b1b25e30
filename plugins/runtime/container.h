// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A command in namespaces of its own. Its process 1 is a small init of ours:
 * the kernel keeps signals from a process 1 that has no handler for them, and
 * orphans need someone to wait for them. When init ends, the kernel kills
 * whatever is left in the container.
 *
 *	hawser run ---- init (1) ---- the command
 *	         signals →      signals →
 *	        ← exit status  ← exit status
 *
 * This separates; it does not confine. Root in the container is root.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "base/err.h"

struct container {
	int netns;
	const char *rootfs;   /* NULL: the host's */
	const char *hostname; /* NULL: the host's */
	const char *resolv_conf;
	char **command; /* NULL-terminated */
};

/* Start the command and wait for it, passing on the signals that we get. The
 * container does not outlive the caller. *@ret_status is the command's exit
 * status, as a shell has it (127 not found, 128 + signal). */
int container_run(const struct container *c, int *ret_status, struct err *e);
