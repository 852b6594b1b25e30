// SPDX-License-Identifier: GPL-2.0-or-later
/* A request to the daemon, which is started where none listens. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/result.h"
#include "ipam/dhcp/request.h"

/* Ask the daemon at @socket_path and wait for its answer, in @a. With @starts
 * there is always one; without, -ENOENT or -ECONNREFUSED says that none listens. */
int dhcp_call(const char *socket_path, bool starts,
	      const struct dhcp_request *request, struct arena *a,
	      struct cni_result *ret, struct err *e);
