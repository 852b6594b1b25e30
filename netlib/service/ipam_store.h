// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which addresses of a network are handed out, and to whom: the directory of
 * the reference plugin host-local, byte for byte, so that a host can change
 * between the two at any time and even run both.
 *
 *	<data directory>/<network>/
 *		lock                  flock(2) while anybody reads or writes
 *		10.1.2.5              "<container ID>\r\n<interface>"
 *		2001:db8::5           the same; old files have the ID alone
 *		last_reserved_ip.0    where range set 0 goes on searching
 *
 * Theory of operation
 *
 * A store is opened once per call and holds the lock until it is closed, so a
 * whole ADD is one critical section. The names in the directory are the record
 * of what is taken: one pass over them gives a sorted array in which the next
 * free address is found without asking the file system again, however large
 * the range or full the pool. Whom an address belongs to stands in its file.
 *
 * A file appears complete or not at all: it is written under a name that is no
 * address and then linked to its own, which never replaces a file. Killed in
 * between, we leave that one name, and the next call removes it. Its content
 * is one write(), so that it is never part of an ID that the reference, which
 * reads every file, could take for another's.
 *
 * Nothing is synced to the disk. A sync costs milliseconds, more than the rest
 * of an ADD, and would save what is worth nothing: after a power failure there
 * is no container left to own an address. What must not happen is that a file
 * cut short by it blocks an address for good. So a file without content is
 * free: nobody else can be writing it, we hold the lock.
 *
 * The data directory is the administrator's word and may be reached through
 * symbolic links; nothing below it may be one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"

struct ipam_store;

/* What an address file may hold; longer ones are nobody's. */
#define IPAM_OWNER_MAX 4096

struct ipam_owner {
	const char *container_id;
	const char *ifname; /* "" in a file of before there were any */
};

typedef LIST(struct ip_addr) ip_list;

/* Open and lock the directory of @network below @data_dir; waits for others.
 * -ENOENT when it is missing, unless @create. Errors have code ERR_IO. */
int ipam_store_open(const char *data_dir, const char *network, bool create,
		    struct ipam_store **ret, struct err *e);

/* Look without lock and without leaving a trace: for STATUS. A missing
 * directory is an empty store. Fails where an ADD could not write. */
int ipam_store_peek(const char *data_dir, const char *network,
		    struct ipam_store **ret, struct err *e);

void ipam_store_close(struct ipam_store *s);

/* The lowest free address in @from..@last, as of when the store was opened. */
bool ipam_store_find_free(const struct ipam_store *s, struct ip_addr from,
			  const struct ip_addr *last, struct ip_addr *ret);

/* Whether @addr can be reserved; looks into its file. */
bool ipam_store_is_free(const struct ipam_store *s, const struct ip_addr *addr);

/* Let ipam_store_find_free() have the addresses of files without content too.
 * This reads every file: for when nothing else is left. */
void ipam_store_forget_abandoned(struct ipam_store *s);

/* Reserve @addr. -EEXIST (ERR_EXISTS) when it is taken. */
int ipam_store_reserve(struct ipam_store *s, const struct ip_addr *addr,
		       const struct ipam_owner *owner, struct err *e);

/* Remove the file of @addr; one that is gone is success. */
int ipam_store_release(struct ipam_store *s, const struct ip_addr *addr,
		       struct err *e);

/* The addresses of @owner, in @a; without any, those that an old file gives to
 * the container alone. This reads every file. */
int ipam_store_owned(const struct ipam_store *s, const struct ipam_owner *owner,
		     struct arena *a, ip_list *ret, struct err *e);

/* Release every address whose owner @is_stale calls so, and files without
 * content. Goes on after an error and returns the first. */
int ipam_store_prune(struct ipam_store *s,
		     bool (*is_stale)(const struct ipam_owner *owner,
				      const void *arg),
		     const void *arg, struct err *e);

/* The address that range set @index gave out last; false when unknown. */
bool ipam_store_last_reserved(const struct ipam_store *s, size_t index,
			      struct ip_addr *ret);

/* Remember it. It is but a hint where to search: no error if that fails. */
void ipam_store_set_last_reserved(struct ipam_store *s, size_t index,
				  const struct ip_addr *addr);

static inline void ipam_store_close_cleanup(struct ipam_store **s)
{
	ipam_store_close(*s);
}

#define _ipam_store_ cleanup(ipam_store_close)
