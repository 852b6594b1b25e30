// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/announce.h"

#include <sys/socket.h>

#include "kernel/link.h"
#include "kernel/sysctl.h"

void announce_enable(const struct netns *ns, const struct link *link)
{
	sysctl_set(ns, AF_INET, link->name, "arp_notify", "1", NULL);
	sysctl_set(ns, AF_INET6, link->name, "ndisc_notify", "1", NULL);
}

int announce(const struct netns *ns, const struct link *link, struct err *e)
{
	const struct link_change same = { .mac = link->mac };

	return link_change(ns, link->name, &same, e);
}
