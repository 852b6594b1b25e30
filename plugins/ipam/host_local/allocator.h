// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing addresses: one of each range set, the requested ones where they
 * fit, else the next free one after that handed out last, so that an address
 * is not given to somebody new right after its owner has gone.
 */
#pragma once

#include "cni/result.h"
#include "config.h"
#include "service/ipam_store.h"

/* Reserve one address of each set for @owner and append them to @ret. When one
 * cannot be had, none is reserved. -EEXIST (ERR_EXISTS) for an address that
 * another has or that @owner has already, -ENOSPC (ERR_EXHAUSTED) when a set
 * has no free address left. */
int host_local_allocate(const struct host_local_config *conf,
			struct ipam_store *store,
			const struct ipam_owner *owner, struct arena *a,
			struct cni_result *ret, struct err *e);

/* Whether range set @index has a free address; -ENOSPC if not. */
int host_local_check_free(const struct host_local_config *conf, size_t index,
			  struct ipam_store *store, struct err *e);
