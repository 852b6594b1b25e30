// SPDX-License-Identifier: GPL-2.0-or-later
/* resolv.conf(5) into the dns part of a result. */
#pragma once

#include "cni/result.h"

/* Read @path. Several "search" and "options" lines add up, as they do in the
 * reference (a resolver takes the last). Errors have code ERR_IO. */
int resolv_conf_load(const char *path, struct arena *a, struct cni_dns *ret,
		     struct err *e);
