// SPDX-License-Identifier: GPL-2.0-or-later
/* What host-device is configured with: which of the host's devices is meant. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/ip.h"
#include "cni/plugin.h"

/* In this order, of several that are given the first counts. */
enum device_by {
	DEVICE_BY_NAME,	       /* device */
	DEVICE_BY_MAC,	       /* hwaddr */
	DEVICE_BY_KERNEL_PATH, /* kernelpath, below /sys/devices */
	DEVICE_BY_PCI,	       /* pciBusID, runtimeConfig.deviceID */
	DEVICE_BY_AUXILIARY,   /* runtimeConfig.deviceID */
	DEVICE_BY_NOTHING,
};

struct device_conf {
	enum device_by by;
	const char *value[DEVICE_BY_NOTHING]; /* NULL: not given */
	uint8_t mac[MAC_LEN];
	bool userspace; /* a driver such as DPDK's has it, there is no link */
};

/* Where runtimeConfig.deviceID stands and who drives a PCI device is looked up
 * in /sys. A configuration that names no device is no error here. */
int device_conf_load(const struct cni_call *call, struct device_conf *ret,
		     struct err *e);

/* The device as the configuration has it, for people and to be compared:
 * hwaddr "02:00:00:00:00:01". NULL when out of memory. */
const char *device_words(const struct device_conf *conf, struct arena *a);
