// SPDX-License-Identifier: GPL-2.0-or-later
/* What the IPv6 half of a lease is in the journal. */
#pragma once

#include <cjson/cJSON.h>

#include "ipam/dhcp/host6.h"

void saved6_put(const struct host6 *h, cJSON *into);

/* Into @h, which host6_resume() then goes on with. -EINVAL when it is no such
 * thing. */
int saved6_get(const cJSON *from, struct host6 *h);
