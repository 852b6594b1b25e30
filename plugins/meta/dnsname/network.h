// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What there is of a network's names on disk: a directory of its own, below
 * /run/containers/cni/dnsname (or $XDG_RUNTIME_DIR/...), as the dnsname plugin
 * of podman 4 has it. Who has it open has it alone: its file "lock" is locked.
 */
#pragma once

#include "meta/dnsname/hosts.h"

#include "cni/plugin.h"

struct dns_network {
	const char *name;
	const char *path; /* of the directory */
	int dir, lock;
};

#define DNS_HOSTS "addnhosts"

/* The one directory in it, for a resolver that has to have one. */
#define DNS_SUBDIR "aardvark-dns"

#define DNS_NETWORK_NONE              \
	{                             \
		.dir = -1, .lock = -1 \
	}

/* The directory that all networks' are in; NULL when out of memory. */
const char *dns_networks_path(const struct cni_call *call);

/* Open the call's network, and make it first with @makes; else -ENOENT when there
 * is none. Waits for whoever has it open. */
int dns_network_open(const struct cni_call *call, bool makes,
		     struct dns_network *ret, struct err *e);

void dns_network_close(struct dns_network *net);

static inline void dns_network_close_cleanup(struct dns_network *net)
{
	dns_network_close(net);
}

#define _dns_network_ cleanup(dns_network_close)

/* Delete what is in the directory, but not the lock, as far as that is possible. */
void dns_network_clear(const struct dns_network *net);

/* Delete the lock and the directory. */
void dns_network_delete(const struct dns_network *net);

/* The network's names; with room for @more. A missing file is an empty one. */
int dns_network_read_hosts(const struct dns_network *net, size_t more,
			   struct arena *a, struct dns_hosts *ret,
			   struct err *e);
int dns_network_write_hosts(const struct dns_network *net,
			    const struct dns_hosts *hosts, struct arena *a,
			    struct err *e);

/* A file in the directory as a text in @a; NULL where there is none. */
const char *dns_network_read(const struct dns_network *net, const char *name,
			     struct arena *a);

/* Have the file say @text; *@ret_changed: it did not before. */
int dns_network_write(const struct dns_network *net, const char *name,
		      const char *text, bool *ret_changed, struct err *e);
