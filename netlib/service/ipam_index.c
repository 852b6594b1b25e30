// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ipam_index.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

#define MAGIC	  UINT64_C(0x31584973776148) /* the layout below */
#define DIR_MODE  0700
#define FILE_MODE 0600
#define ROOM_MIN  64
#define ROOM_MAX  ((size_t)1 << 30)
#define RUN	  256 /* addresses that differ in their last byte */
#define WORD_BITS 64

struct header {
	uint64_t magic;
	char boot[BOOT_ID_LEN + 1];
	int64_t seal_sec;
	int64_t seal_nsec;
	uint64_t owned_room, owned_n; /* rooms are powers of two */
	uint64_t runs_room, runs_n;
	uint64_t taken; /* addresses, owned or not */
	struct ipam_index_notes notes;
};

struct owned {
	uint64_t owner; /* 0: an empty place */
	struct ip_addr addr;
};

struct run {
	struct ip_addr first; /* no family: an empty place */
	uint64_t taken[RUN / WORD_BITS];
};

struct ipam_index {
	struct header *head; /* and behind it the two tables */
	struct owned *owned;
	struct run *runs;
	size_t size;
	bool is_mapped; /* from the file at its path */
};

/* --- memory -------------------------------------------------------------- */

static size_t block_size(size_t owned_room, size_t runs_room)
{
	return sizeof(struct header) + owned_room * sizeof(struct owned) +
	       runs_room * sizeof(struct run);
}

static void set_block(struct ipam_index *ix, void *block, size_t size,
		      bool is_mapped)
{
	ix->head = block;
	ix->owned = (void *)(ix->head + 1);
	ix->runs = (void *)(ix->owned + ix->head->owned_room);
	ix->size = size;
	ix->is_mapped = is_mapped;
}

static void free_block(struct ipam_index *ix)
{
	if (ix->is_mapped)
		munmap(ix->head, ix->size);
	else
		free(ix->head);
}

void ipam_index_free(struct ipam_index *ix)
{
	if (!ix)
		return;
	free_block(ix);
	free(ix);
}

static struct ipam_index *new_with_room(size_t owned_room, size_t runs_room)
{
	size_t size = block_size(owned_room, runs_room);
	struct ipam_index *ix = calloc(1, sizeof(*ix));
	struct header *head = ix ? calloc(1, size) : NULL;

	if (!head) {
		free(ix);
		return NULL;
	}
	head->magic = MAGIC;
	head->owned_room = owned_room;
	head->runs_room = runs_room;
	set_block(ix, head, size, false);
	return ix;
}

struct ipam_index *ipam_index_new(void)
{
	return new_with_room(ROOM_MIN, ROOM_MIN);
}

/* --- hashing ------------------------------------------------------------- */

/* FNV-1a, and its high bits brought down, where the tables look. */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		hash = (hash ^ *p++) * FNV_PRIME;
	return hash;
}

static uint64_t mix(uint64_t hash)
{
	return hash ^ hash >> 32;
}

uint64_t ipam_index_owner(const char *container_id, const char *ifname)
{
	uint64_t hash =
		hash_bytes(FNV_START, container_id, strlen(container_id) + 1);

	hash = mix(hash_bytes(hash, ifname, strlen(ifname)));
	return hash ? hash : 1;
}

/* --- runs of addresses --------------------------------------------------- */

static uint8_t *last_byte(struct ip_addr *addr)
{
	return &addr->bytes[ip_size(addr->family) - 1];
}

/* The place of the run that @addr is in, or where it would be; NULL in a table
 * without an empty place, which none of ours is. Its bit goes to *@bit. */
static struct run *find_run(const struct ipam_index *ix, struct ip_addr addr,
			    unsigned *bit)
{
	size_t mask = ix->head->runs_room - 1;
	uint64_t at;

	*bit = *last_byte(&addr);
	*last_byte(&addr) = 0;
	at = mix(hash_bytes(FNV_START, &addr, sizeof(addr)));
	for (size_t i = 0; i <= mask; i++) {
		struct run *run = &ix->runs[(at + i) & mask];

		if (!run->first.family || ip_equal(&run->first, &addr))
			return run;
	}
	return NULL;
}

static bool is_set(const struct run *run, unsigned bit)
{
	return run->taken[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

bool ipam_index_has(const struct ipam_index *ix, const struct ip_addr *addr)
{
	unsigned bit;
	const struct run *run = find_run(ix, *addr, &bit);

	return run && is_set(run, bit);
}

/* The first bit from @bit on that is not set; RUN when all are. */
static unsigned find_clear(const struct run *run, unsigned bit)
{
	while (bit < RUN) {
		uint64_t clear =
			~run->taken[bit / WORD_BITS] >> bit % WORD_BITS;

		if (clear)
			return bit + (unsigned)__builtin_ctzll(clear);
		bit = (bit / WORD_BITS + 1) * WORD_BITS;
	}
	return RUN;
}

bool ipam_index_find_free(const struct ipam_index *ix, struct ip_addr from,
			  const struct ip_addr *last, struct ip_addr *ret)
{
	while (ip_compare(&from, last) <= 0) {
		unsigned bit = 0;
		const struct run *run = find_run(ix, from, &bit);
		unsigned clear = run ? find_clear(run, bit) : bit;

		*last_byte(&from) = (uint8_t)(clear < RUN ? clear : RUN - 1);
		if (clear < RUN) {
			*ret = from;
			return ip_compare(&from, last) <= 0;
		}
		if (ip_compare(&from, last) >= 0) /* before it wraps around */
			return false;
		from = ip_next(from);
	}
	return false;
}

/* --- owners -------------------------------------------------------------- */

bool ipam_index_next_owned(const struct ipam_index *ix, uint64_t owner,
			   size_t *cursor, struct ip_addr *ret)
{
	size_t mask = ix->head->owned_room - 1;

	while (*cursor <= mask) {
		const struct owned *o = &ix->owned[(owner + *cursor) & mask];

		if (!o->owner)
			return false;
		++*cursor;
		if (o->owner == owner) {
			*ret = o->addr;
			return true;
		}
	}
	return false;
}

static void add_owned(struct ipam_index *ix, const struct ip_addr *addr,
		      uint64_t owner)
{
	size_t mask = ix->head->owned_room - 1, i = owner & mask;

	while (ix->owned[i].owner)
		i = (i + 1) & mask;
	ix->owned[i].owner = owner;
	ix->owned[i].addr = *addr;
	ix->head->owned_n++;
}

/* Empty a place; those behind it that would not be found any more, as a search
 * ends at an empty place, move up. (Knuth, TAOCP 6.4, algorithm R.) */
static void empty_place(struct ipam_index *ix, size_t hole)
{
	size_t mask = ix->head->owned_room - 1;

	for (size_t i = 1; i <= mask; i++) {
		size_t at = (hole + i) & mask;
		size_t home = ix->owned[at].owner & mask;

		if (!ix->owned[at].owner)
			break;
		if (((at - home) & mask) < i)
			continue;
		ix->owned[hole] = ix->owned[at];
		hole = at;
		i = 0;
	}
	memset(&ix->owned[hole], 0, sizeof(ix->owned[hole]));
	ix->head->owned_n--;
}

static void remove_owned(struct ipam_index *ix, const struct ip_addr *addr,
			 uint64_t owner)
{
	struct ip_addr found;
	size_t cursor = 0;

	while (ipam_index_next_owned(ix, owner, &cursor, &found)) {
		if (!ip_equal(&found, addr))
			continue;
		empty_place(ix,
			    (owner + cursor - 1) & (ix->head->owned_room - 1));
		return;
	}
}

/* --- changing ------------------------------------------------------------ */

static void copy_tables(struct ipam_index *to, const struct ipam_index *from)
{
	unsigned bit;

	for (size_t i = 0; i < from->head->owned_room; i++) {
		const struct owned *o = &from->owned[i];

		if (o->owner)
			add_owned(to, &o->addr, o->owner);
	}
	for (size_t i = 0; i < from->head->runs_room; i++) {
		const struct run *run = &from->runs[i];

		if (!run->first.family)
			continue;
		*find_run(to, run->first, &bit) = *run;
		to->head->runs_n++;
	}
	to->head->taken = from->head->taken;
	to->head->notes = from->head->notes;
}

/* Both tables stay half empty. */
static int make_room(struct ipam_index *ix)
{
	const struct header *head = ix->head;
	size_t owned_room = head->owned_room, runs_room = head->runs_room;
	struct ipam_index *larger;

	if (head->owned_n * 2 >= owned_room)
		owned_room *= 2;
	if (head->runs_n * 2 >= runs_room)
		runs_room *= 2;
	if (owned_room == head->owned_room && runs_room == head->runs_room)
		return 0;
	larger = new_with_room(owned_room, runs_room);
	if (!larger)
		return -ENOMEM;
	copy_tables(larger, ix);
	free_block(ix);
	*ix = *larger;
	free(larger);
	return 0;
}

int ipam_index_add(struct ipam_index *ix, const struct ip_addr *addr,
		   uint64_t owner)
{
	int r = make_room(ix);
	struct run *run;
	unsigned bit;

	if (r)
		return r;
	run = find_run(ix, *addr, &bit);
	if (!run)
		return -ENOMEM;
	if (!run->first.family) {
		run->first = *addr;
		*last_byte(&run->first) = 0;
		ix->head->runs_n++;
	}
	ix->head->taken += !is_set(run, bit);
	run->taken[bit / WORD_BITS] |= UINT64_C(1) << bit % WORD_BITS;
	if (owner)
		add_owned(ix, addr, owner);
	return 0;
}

/* A run stays when it is empty: there are few, and a new index drops them. */
void ipam_index_remove(struct ipam_index *ix, const struct ip_addr *addr,
		       uint64_t owner)
{
	unsigned bit;
	struct run *run = find_run(ix, *addr, &bit);

	if (run && is_set(run, bit)) {
		run->taken[bit / WORD_BITS] &=
			~(UINT64_C(1) << bit % WORD_BITS);
		ix->head->taken--;
	}
	if (owner)
		remove_owned(ix, addr, owner);
}

size_t ipam_index_count(const struct ipam_index *ix)
{
	return ix->head->taken;
}

struct ipam_index_notes *ipam_index_notes(struct ipam_index *ix)
{
	return &ix->head->notes;
}

/* --- the file ------------------------------------------------------------ */

static bool is_room(uint64_t room)
{
	return room >= ROOM_MIN && room <= ROOM_MAX && !(room & (room - 1));
}

/* Whether the file is whole, so that no index leads out of it, and current. */
static bool is_valid(const struct header *head, size_t size,
		     const struct boot *boot, const struct timespec *seal)
{
	return head->magic == MAGIC && is_room(head->owned_room) &&
	       is_room(head->runs_room) &&
	       size == block_size(head->owned_room, head->runs_room) &&
	       head->owned_n < head->owned_room &&
	       head->runs_n < head->runs_room && *boot->id &&
	       !memcmp(head->boot, boot->id, sizeof(head->boot)) &&
	       head->seal_sec == seal->tv_sec &&
	       head->seal_nsec == seal->tv_nsec;
}

struct ipam_index *ipam_index_load(const char *path, const struct boot *boot,
				   const struct timespec *seal, bool writable)
{
	_close_ int fd =
		open(path, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW |
				   O_NONBLOCK | O_CLOEXEC);
	struct ipam_index *ix;
	struct stat st;
	size_t size;
	void *block;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(struct header))
		return NULL;
	size = (size_t)st.st_size;
	block = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     writable ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	if (block == MAP_FAILED)
		return NULL;
	ix = is_valid(block, size, boot, seal) ? calloc(1, sizeof(*ix)) : NULL;
	if (ix)
		set_block(ix, block, size, true);
	else
		munmap(block, size);
	return ix;
}

/* The name is ours: who saves holds the store's lock. */
static int open_new(const char *path, const char *new)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(new, flags, FILE_MODE);
	char parent[PATH_MAX];

	if (fd >= 0 || errno != ENOENT)
		return fd;
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	fs_make_dirs(parent, DIR_MODE, NULL);
	return open(new, flags, FILE_MODE);
}

static int write_file(const struct ipam_index *ix, const char *path)
{
	char new[PATH_MAX];
	_close_ int fd = -1;
	int r;

	snprintf(new, sizeof(new), "%s.new", path);
	fd = open_new(path, new);
	if (fd < 0)
		return -errno;
	r = fs_write_all(fd, (const char *)ix->head, ix->size);
	if (!r && rename(new, path))
		r = -errno;
	if (r)
		unlink(new);
	return r;
}

int ipam_index_save(struct ipam_index *ix, const char *path,
		    const struct boot *boot, const struct timespec *seal)
{
	memcpy(ix->head->boot, boot->id, sizeof(ix->head->boot));
	ix->head->seal_sec = seal->tv_sec;
	ix->head->seal_nsec = seal->tv_nsec;
	return ix->is_mapped ? 0 : write_file(ix, path);
}
