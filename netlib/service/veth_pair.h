// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pair that connects a container with the host: one end is the container's
 * interface, the other has a name that follows from network, container and
 * interface, and an alias that says them. So DEL and GC find it when the
 * container's namespace has gone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/owner.h"
#include "cni/plugin.h"
#include "kernel/netns.h"

struct veth_pair {
	const struct owner *owner;
	int master;   /* bridge that the host's end becomes a port of; or 0 */
	uint32_t mtu; /* of both ends; 0: the kernel's default */
	const uint8_t *mac; /* the container's; NULL: random */
};

/* Make the pair, both ends down. The alias is still to be set, with what brings
 * the host's end up. -EEXIST, with ERR_EXISTS, names the end that is there. */
int veth_pair_add(const struct netns *host, const struct netns *container,
		  const struct veth_pair *pair, struct err *e);

/* Delete the pair, by either end; not one that is another attachment's. */
int veth_pair_del(const struct cni_call *call, const struct owner *owner,
		  struct err *e);

/* Delete those of the network's attachments other than the @n valid. */
int veth_pair_gc(const struct cni_call *call, const struct owner *valid,
		 size_t n, struct err *e);
