// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of a store. An address's has "<container ID>\r\n<interface>", as the
 * reference writes it, and on its inode, in an attribute that the reference does
 * not see, which boot it was written in. last_reserved_ip.N has an address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/ip.h"

/* What an address file may hold; longer ones are nobody's. */
#define IPAM_OWNER_MAX 4096

/* The one name that a process that dies may leave behind. */
#define IPAM_FILE_TEMPORARY ".hawser.tmp"

struct ipam_owner {
	const char *container_id; /* "": the file has no content */
	const char *ifname;	  /* "" in a file of before there were any */
};

struct ipam_file {
	char text[IPAM_OWNER_MAX + 1];
	struct ipam_owner owner; /* points into the text */
	/* Written by us in an earlier boot of this machine: its network
	 * namespace is gone. */
	bool is_earlier_boot;
};

/* Read the file @name below @dir; with @boot (NULL: do not look) say whether it
 * is of an earlier one. 0 or -errno: of what is no plain file, or too long,
 * nobody can say whose it is. */
int ipam_file_read(int dir, const char *name, const struct boot *boot,
		   struct ipam_file *ret);

/* Whether @name is a file without content (or with the zeros that some file
 * systems leave after a power failure), which is nobody's. */
bool ipam_file_is_empty(int dir, const char *name);

/* Create @name, which then is complete; the caller holds the store's lock. A
 * file without content gives way, -EEXIST (ERR_EXISTS) for any other. With @sync it
 * is on the disk afterwards. Errors name it below @path. */
int ipam_file_create(int dir, const char *name, const struct ipam_owner *owner,
		     const struct boot *boot, bool sync, const char *path,
		     struct err *e);

/* The address that range set @index gave out last: 0 or -errno. To write it may
 * fail, it is but a hint where to search. */
int ipam_file_read_last(int dir, size_t index, struct ip_addr *ret);
void ipam_file_write_last(int dir, size_t index, const struct ip_addr *addr);
