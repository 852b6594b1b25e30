// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deleting a link without waiting for what nobody can see.
 *
 * The kernel acknowledges RTM_DELLINK only after rcu_barrier(), 20 to 30 ms
 * after the device has gone; the RTM_DELLINK notification comes after 1 to
 * 2 ms, when both names are free and no namespace lists the device any more
 * (measured on Linux 6.18; net/core/dev.c, unregister_netdevice_many_notify()
 * and netdev_run_todo()).
 *
 * So the request is sent in the background (background.h), and we listen on the
 * same socket for its refusal and on another for the notification, and return
 * at whichever comes first.
 */
#pragma once

#include "base/err.h"
#include "kernel/netns.h"

struct link;

/* Delete @link of @ns; with a veth, its peer goes too. That it had gone
 * already is success. */
int link_delete(const struct netns *ns, const struct link *link, struct err *e);
