// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of a network, as they stand in the file addnhosts (the dnsname
 * plugin of podman 4 has it): a line an address, in the form of hosts(5), with
 * a comment of ours that says whose it is:
 *
 *	10.89.0.2	web	www	# 6fd9...-287f..., net: podman1, if: eth0, ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/owner.h"

struct dns_host {
	struct ip_addr addr;
	const char *names; /* separated by tabs, at least one */
	const char *owner; /* as owner_text() has it; "": none of ours */
};

struct dns_hosts {
	struct dns_host *v;
	size_t n;
};

/* The hosts that @text has, in @a, with room for @more; lines that are none are
 * left out. */
int dns_hosts_parse(const char *text, size_t more, struct arena *a,
		    struct dns_hosts *ret, struct err *e);

/* There has to be room. All are in the arena, or live as long. */
int dns_hosts_add(struct dns_hosts *hosts, const struct ip_addr *addr,
		  const char *const *names, size_t n, const struct owner *owner,
		  struct arena *a, struct err *e);

/* Whether @host is to go. */
typedef bool dns_host_test(const struct dns_host *host, const void *arg);

/* Remove those of which @test says so; whether there were any. */
bool dns_hosts_remove(struct dns_hosts *hosts, dns_host_test *test,
		      const void *arg);

/* The text again; NULL when out of memory. */
const char *dns_hosts_text(const struct dns_hosts *hosts, struct arena *a);

/* The first of the host's names, in @a; NULL when out of memory. */
const char *dns_host_name(const struct dns_host *host, struct arena *a);
