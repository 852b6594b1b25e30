// SPDX-License-Identifier: GPL-2.0-or-later
/* What a container sees of the file system. Each function works on the mount
 * namespace that the process is in, or makes it one. */
#pragma once

#include "base/err.h"

/* A mount namespace of our own, in which /sys is that of the network namespace
 * we are in. */
int mounts_renew_sys(struct err *e);

/* Make a mount namespace of our own a container's: the root is @rootfs (NULL:
 * as it is), /proc and /sys are those of the namespaces we are in, and
 * /etc/resolv.conf says @resolv_conf, unless that is "". */
int mounts_make_container(const char *rootfs, const char *resolv_conf,
			  struct err *e);
