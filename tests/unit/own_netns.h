// SPDX-License-Identifier: GPL-2.0-or-later
/* A handle of the namespace the test is in: its set-up and tear-down. */
#pragma once

#include "kernel/netns.h"

static struct netns ns = NETNS_NONE;

static int open_ns(void **state)
{
	struct err e;

	(void)state;
	return netns_open_own(&ns, &e);
}

static int close_ns(void **state)
{
	(void)state;
	netns_close(&ns);
	return 0;
}
