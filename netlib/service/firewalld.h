// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * firewalld, over D-Bus: a container's addresses become sources of a zone,
 * which lets their traffic through. In its runtime configuration only, as with
 * the reference: "firewall-cmd --reload" forgets them.
 *
 * libsystemd is loaded when it is first used, which takes half a millisecond;
 * linked, it would cost that at each start of every plugin.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "kernel/netfilter.h"
#include "service/firewall.h"

/* Whether there is a sign that it runs: a system bus, and rules that only it
 * makes. Cheap; "no" is certain, "yes" is not. */
bool firewalld_is_likely(struct netfilter *nf);

/* Whether it runs, by asking the bus. */
int firewalld_status(struct err *e);

/* Put the addresses into the zone. One that is in it already may be. On
 * failure those that the call has put there are taken out again. */
int firewalld_add(const struct firewall *fw, struct err *e);

/* Take the addresses out of the zone, if it runs and they are there. */
int firewalld_del(const struct firewall *fw, struct err *e);

/* -ENOENT with ERR_MISMATCH when an address is not in the zone. */
int firewalld_check(const struct firewall *fw, struct err *e);
