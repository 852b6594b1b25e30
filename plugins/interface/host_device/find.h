// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's device that the configuration means. */
#pragma once

#include "interface/host_device/conf.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* -ENODEV when there is none, or none with an interface. */
int device_find(const struct netns *host, const struct device_conf *conf,
		struct arena *a, struct link *ret, struct err *e);
