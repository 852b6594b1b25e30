// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Telling the neighbours: a gratuitous ARP for the IPv4 addresses and an
 * unsolicited neighbour advertisement for the IPv6 addresses of an interface,
 * so that an address that moved here is not looked for where it was.
 *
 * The kernel sends them when an interface's MAC address is set, if the
 * settings arp_notify and ndisc_notify ask for it (arp.c and ndisc.c,
 * NETDEV_CHANGEADDR); so it is set to what it is. A packet socket of our own
 * would cost an RCU grace period, 8 to 20 ms, to close (af_packet.c,
 * packet_release()).
 */
#pragma once

#include "base/err.h"
#include "kernel/netns.h"

struct link;

/* From now on, announce whenever the interface comes up or its MAC changes.
 * Best effort: with a read-only /proc/sys neighbours find out by themselves. */
void announce_enable(const struct netns *ns, const struct link *link);

/* Announce now: the interface is up, has its addresses, and what it is
 * plugged into forwards. */
int announce(const struct netns *ns, const struct link *link, struct err *e);
