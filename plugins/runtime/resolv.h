// SPDX-License-Identifier: GPL-2.0-or-later
/* /etc/resolv.conf from what networks say about DNS. */
#pragma once

#include "base/err.h"
#include "cni/result.h"

#define RESOLV_CONF_MAX 4096

/* Write the file for @n networks into @buf; "" when none has a name server.
 * -E2BIG when it does not fit. */
int resolv_conf_text(const struct cni_dns *dns, size_t n,
		     char buf[static RESOLV_CONF_MAX], struct err *e);
