// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waiting for the kernel to change something, without polling: open the watch,
 * look, and while what is wanted is not so, wait for news and look again. No
 * change can fall between, and a lost notification falsifies nothing, since
 * what a notification says is thrown away and the question asked anew.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "kernel/netns.h"

struct watch {
	struct nl_sock *events;
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
};

/* Watch a group of linux/rtnetlink.h (RTNLGRP_...) in the namespace. */
int watch_open(const struct netns *ns, int group, int timeout_ms,
	       struct watch *ret, struct err *e);

/* 0 when something has happened, -ETIMEDOUT at the end of the time. */
int watch_wait(const struct watch *watch);

/* For a loop of the caller's own, which has no use for the time: the descriptor that
 * something can be read from when there is news, and taking that as read. */
int watch_fd(const struct watch *watch);
void watch_drain(const struct watch *watch);

void watch_close(struct watch *watch);
