// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keeper: a process that attaches a container's network namespace, holds
 * it, and detaches it when the container has ended, however it did.
 *
 * It is a process of its own because the one that runs the container can be
 * killed. The two are joined by a socket, "the line". Nobody needs to say on
 * it that the end has come: the kernel does, by closing the line of a process
 * that is gone. The container's init inherits the line, so that the plugins
 * come when the last process has left.
 *
 * All plugins run in the keeper, one after the other: no DEL ever meets an ADD
 * that is still under way.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/networks.h"
#include "runtime/resolv.h"

struct keeper_job {
	struct networks
		networks; /* the path of the namespace is the keeper's */
	int netns;	  /* to attach */
};

struct keeper {
	pid_t pid;
	int line;
	char resolv_conf[RESOLV_CONF_MAX]; /* of all networks; "": none */
};

/* Start a keeper and wait until everything is attached. When something could
 * not be, what had been attached is detached again. */
int keeper_start(const struct keeper_job *job, struct keeper *ret,
		 struct err *e);

/* Have it detach everything, and wait until that is done. The first error is
 * reported. */
int keeper_finish(struct keeper *k, struct err *e);
