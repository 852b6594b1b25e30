// SPDX-License-Identifier: GPL-2.0-or-later
/* What a container, or plugins, see of the file system. Each function works on the
 * mount namespace that the process is in, or makes it one. */
#pragma once

#include "base/err.h"

/* A mount namespace of our own, in which /sys is that of the network namespace
 * we are in. */
int mounts_renew_sys(struct err *e);

/* Where /var/lib is somebody else's, as in the namespace of an ordinary user's podman,
 * whose /run alone is its own: a mount namespace of our own with a /var/lib that lives
 * as long as that /run. */
int mounts_own_state(struct err *e);

/* Make a mount namespace of our own a container's: the root is @rootfs (NULL:
 * as it is), /proc and /sys are those of the namespaces we are in, and
 * /etc/resolv.conf says @resolv_conf, unless that is "". */
int mounts_make_container(const char *rootfs, const char *resolv_conf,
			  struct err *e);
