// SPDX-License-Identifier: GPL-2.0-or-later
/* What the results of the interface plugins have in common. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "cni/plugin.h"
#include "kernel/link.h"

/* Append @link; @sandbox is the namespace it is in, NULL for the host's. */
int report_interface(struct cni_result *res, const struct link *link,
		     const char *sandbox, struct arena *a, struct err *e);

/* All addresses are those of interface number @index; the configuration's dns
 * replaces that of IPAM. */
void report_common(const struct cni_call *call, int64_t index,
		   struct cni_result *res);
