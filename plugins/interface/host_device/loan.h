// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's way into a container and back.
 *
 * There: its name on the host becomes its alias; then it is moved and renamed in
 * one request. Wherever a call ends in between, device and name stay together.
 *
 * Back: it is found again by that alias, in the container, or on the host if the
 * container's namespace went first: then the kernel has put it there, down and
 * under the name it had in the container or, were that taken, dev<N> (net/core/
 * dev.c, default_device_exit_net()). It gets its name, and what is written down of
 * it (origin.h). With the move the kernel drops its addresses, routes, queueing
 * discipline and master; these are not put back.
 */
#pragma once

#include "interface/host_device/conf.h"
#include "interface/host_device/origin.h"
#include "kernel/netns.h"

/* Who gives a device or gets one back does so alone on a host: the caller holds
 * the lock around what follows but loan_await(). */
void loan_lock(const struct netns *host);
void loan_unlock(const struct netns *host);

/* Move origin->link into the container, as @ifname. */
int loan_give(const struct netns *host, const struct netns *container,
	      const struct origin *origin, struct err *e);

/* The device back on the host as it was, from the container (NULL: gone) or from
 * where the kernel put it. -ENODEV when it is in neither: no error is set. -EEXIST
 * when another has its name; then it stays where it is, but down. */
int loan_return(const struct netns *host, const struct netns *container,
		const struct origin *origin, struct err *e);

/* The same, waiting until the kernel has put it on the host: the container has
 * gone, and namespaces end in the background. */
int loan_await(const struct netns *host, const struct origin *origin,
	       struct err *e);

/* What nothing is written down of: *@ret is the device that container and
 * configuration tell of, with its name by its alias. -ENODEV for
 * none. */
int loan_guess(const struct netns *host, const struct netns *container,
	       const struct device_conf *conf, const struct owner *owner,
	       struct arena *a, struct origin *ret);
