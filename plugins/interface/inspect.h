// SPDX-License-Identifier: GPL-2.0-or-later
/* What CHECK of the interface plugins has in common. Each difference is an error
 * of code ERR_MISMATCH that names the thing. */
#pragma once

#include "base/err.h"
#include "cni/plugin.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* "WHAT NAME HOW": -ENOENT. */
int inspect_differs(struct err *e, const char *what, const char *name,
		    const char *how);

/* The container's interface in the call's prevResult. It has to be of this
 * attachment, and in this namespace. */
int inspect_result(const struct cni_call *call, const struct cni_result *prev,
		   const struct cni_interface **ret, struct err *e);

/* That @link has the MAC that @wanted says, if it says one. */
int inspect_mac(const struct cni_interface *wanted, const struct link *link,
		const char *what, struct err *e);

/* The container's interface: that it is there, of that kind (NULL: any), and has the
 * MAC.
 * Whether it has to be up, or what @iface holds of it, is the caller's. */
int inspect_iface(const struct netns *container,
		  const struct cni_interface *wanted, const char *kind,
		  struct link *ret, struct err *e);

/* The end on the host of a pair whose other end is @iface. Ours is known by its
 * name; one that another implementation made is the interface of prevResult
 * that is the other end. */
int inspect_host_end(const struct cni_call *call, const struct cni_result *prev,
		     const struct netns *host, const struct link *iface,
		     struct link *ret, struct err *e);
