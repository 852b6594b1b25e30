// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's socket in the file system. */
#pragma once

#include "base/err.h"

/* Connect. -ENOENT or -ECONNREFUSED when nobody listens. */
int dhcp_socket_connect(const char *path, int *ret, struct err *e);

/* Listen, in place of a socket that was left behind, and make its directory where
 * that is missing. -EADDRINUSE when somebody listens already. Under
 * dhcp_socket_lock(). */
int dhcp_socket_listen(const char *path, int *ret, struct err *e);

/* Who begins or ends to listen in that directory keeps others from it until the
 * descriptor is closed. */
int dhcp_socket_lock(const char *path, int *ret, struct err *e);
