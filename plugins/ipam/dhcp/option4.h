// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in the options of a DHCPv4 lease, as a result of the CNI. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "cni/result.h"
#include "ipam/dhcp/client4.h"

/* The lease's address, routes and name servers appended to @ret, in @a. Routes get
 * @priority. Names that no host could have are left out. -EBADMSG when there is
 * no subnet mask, or one with holes. */
int option4_result(const struct lease4 *lease, int64_t priority,
		   struct arena *a, struct cni_result *ret, struct err *e);

/* The MTU that the server wants on its link; 0: it does not say. */
uint32_t option4_mtu(const struct lease4 *lease);
