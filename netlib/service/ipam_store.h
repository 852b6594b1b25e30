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
 * whole ADD is one critical section. The files are the record. To read all of
 * them takes longer the more there are, so an index (ipam_index.h) is kept in
 * /run, and used only if nobody but us has changed the directory since: the
 * directory is sealed (ipam_seal.h). With a broken seal, as after a process of
 * ours was killed, and without an index all files are read.
 *
 * What the index says is compared with the file concerned, which costs next to
 * nothing: a free address has no file, and whose it is its file must say.
 *
 * A file appears complete or not at all: it is written under a name that is no
 * address and then linked to its own, which never replaces a file. Killed in
 * between, we leave that one name, which the next call removes. Its content is
 * one write(), so that it is never part of an ID that the reference, which
 * reads every file, could take for another's.
 *
 * By default nothing is synced to the disk. A sync costs milliseconds, more
 * than the rest of an ADD, and would save what is worth little: after a power
 * failure there is no container left to own an address. What must not happen is
 * that a file cut short by it blocks an address for good. So a file without
 * content is nobody's, and its address is given out when nothing else is left.
 *
 * After a reboot no container of before is left either, but its DEL may never
 * come. So each file says in an extended attribute which boot of which machine
 * it was written in, and an ADD removes those of an earlier one. The reference
 * writes no such attribute: what it reserved stays.
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
#include "service/ipam_file.h"

struct ipam_store;

/* Where stores and their indexes are by default. */
#define IPAM_DATA_DIR  "/var/lib/cni/networks"
#define IPAM_INDEX_DIR "/run/hawser"

struct ipam_place {
	const char *data_dir;
	const char *network;
	const char *index_dir; /* NULL: none */
};

enum {
	IPAM_CREATE = 1,  /* the directory where it is missing */
	IPAM_RECLAIM = 2, /* what is of an earlier boot */
	IPAM_SYNC = 4,	  /* each change to the disk before it counts */
};

typedef LIST(struct ip_addr) ip_list;

/* Open and lock the directory; waits for others. -ENOENT when it is missing,
 * unless IPAM_CREATE is among the @flags. Errors have code ERR_IO. */
int ipam_store_open(const struct ipam_place *place, unsigned flags,
		    struct ipam_store **ret, struct err *e);

/* Look without lock and without leaving a trace: for STATUS. A missing
 * directory is an empty store. */
int ipam_store_peek(const struct ipam_place *place, struct ipam_store **ret,
		    struct err *e);

/* Whether an ADD could write there; names what keeps it from that. */
int ipam_store_check_writable(const struct ipam_place *place, struct err *e);

/* Seal the index, if there were changes, and unlock. */
void ipam_store_close(struct ipam_store *s);

/* Whether there is a directory: one peeked at may have none. */
bool ipam_store_exists(const struct ipam_store *s);

/* How many addresses are taken. */
size_t ipam_store_count(const struct ipam_store *s);

/* The lowest free address in @from..@last, as of now: false for none. */
bool ipam_store_find_free(struct ipam_store *s, struct ip_addr from,
			  const struct ip_addr *last, struct ip_addr *ret);

/* Whether @addr can be reserved: it has no file, or one without content. */
bool ipam_store_is_free(const struct ipam_store *s, const struct ip_addr *addr);

/* Let ipam_store_find_free() have the addresses of files without content too,
 * and remove those: for when nothing else is left. */
void ipam_store_forget_abandoned(struct ipam_store *s);

/* Reserve @addr. -EEXIST (ERR_EXISTS) when it is taken. */
int ipam_store_reserve(struct ipam_store *s, const struct ip_addr *addr,
		       const struct ipam_owner *owner, struct err *e);

/* Remove the file of @addr, which is @owner's; one that is gone is success. */
int ipam_store_release(struct ipam_store *s, const struct ip_addr *addr,
		       const struct ipam_owner *owner, struct err *e);

/* The addresses of @owner, in @a, in order; without any, those that an old file
 * gives to the container alone. */
int ipam_store_owned(struct ipam_store *s, const struct ipam_owner *owner,
		     struct arena *a, ip_list *ret, struct err *e);

/* Read the file of @addr: 0 or -errno, as ipam_file_read(). */
int ipam_store_read(const struct ipam_store *s, const struct ip_addr *addr,
		    struct ipam_file *ret);

/* Call @fn with each address file that can be read, in no order, until it does
 * not return 0; returns what it does. */
typedef int ipam_store_visit(const struct ip_addr *addr,
			     const struct ipam_file *file, void *arg);
int ipam_store_each(struct ipam_store *s, ipam_store_visit *fn, void *arg,
		    struct err *e);

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
