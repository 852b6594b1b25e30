// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An index of an address store: which addresses are taken, and which of them an
 * owner has, found without reading the store's directory, whose files are the
 * truth. It can be made of them again at any time.
 *
 * Theory of operation
 *
 * Two hash tables in one block of memory. One has, under the hash of an owner,
 * the addresses that are his: what DEL and the search for a second ADD ask. The
 * other has runs of 256 addresses with a bit for each that is taken: the next
 * free one of a full /16 is found in 256 steps, and a /64 takes room only where
 * it is used.
 *
 * The block is a file that is mapped, so a call touches the few pages that it
 * asks for. The file says which boot it was made in and what the directory's
 * time of modification was then, its seal; an index whose seal is not that time
 * any more is not loaded. How the seal is chosen, ipam_store.c says.
 *
 * An owner is a hash here: what is found is a candidate, to be compared with
 * the address's own file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/boot.h"
#include "base/cleanup.h"
#include "base/ip.h"

struct ipam_index;

/* What is known of the files as a whole. */
struct ipam_index_notes {
	bool abandoned;	   /* some have no content */
	bool earlier_boot; /* some are of an earlier boot */
};

/* An empty index; NULL when out of memory. */
struct ipam_index *ipam_index_new(void);
void ipam_index_free(struct ipam_index *ix);

/* The hash of an owner; never 0, which stands for nobody. */
uint64_t ipam_index_owner(const char *container_id, const char *ifname);

/* Load the file at @path if it is of this boot and has the seal @seal; NULL if
 * not. What is changed is changed in the file if it is @writable, which the
 * caller sees to that nobody else does at the same time. */
struct ipam_index *ipam_index_load(const char *path, const struct boot *boot,
				   const struct timespec *seal, bool writable);

/* Give it the seal @seal and put it at @path, making the directory if need be.
 * 0 or -errno; after a failure there may be an older one. */
int ipam_index_save(struct ipam_index *ix, const char *path,
		    const struct boot *boot, const struct timespec *seal);

/* @addr is @owner's; 0 for an address that is taken by nobody known. -ENOMEM. */
int ipam_index_add(struct ipam_index *ix, const struct ip_addr *addr,
		   uint64_t owner);

/* @addr is free, and was @owner's. */
void ipam_index_remove(struct ipam_index *ix, const struct ip_addr *addr,
		       uint64_t owner);

bool ipam_index_has(const struct ipam_index *ix, const struct ip_addr *addr);
size_t ipam_index_count(const struct ipam_index *ix);
struct ipam_index_notes *ipam_index_notes(struct ipam_index *ix);

/* The lowest address in @from..@last that is not taken. */
bool ipam_index_find_free(const struct ipam_index *ix, struct ip_addr from,
			  const struct ip_addr *last, struct ip_addr *ret);

/* The next address of @owner; *@cursor is 0 at first. False: no more. */
bool ipam_index_next_owned(const struct ipam_index *ix, uint64_t owner,
			   size_t *cursor, struct ip_addr *ret);

DEFINE_CLEANUP(struct ipam_index *, ipam_index_free)
#define _ipam_index_ cleanup(ipam_index_free)
