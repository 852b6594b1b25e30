// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ipam_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/boot.h"
#include "base/fs.h"
#include "service/ipam_index.h"
#include "service/ipam_seal.h"

#define LOCK_NAME "lock"

/* Whatever stands under a name of ours is neither followed nor waited for. */
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

struct ipam_store {
	char *path; /* for messages */
	int dir;    /* -1: peeked at, and there is none */
	int lock;   /* -1: peeked at */
	unsigned flags;
	struct boot boot;
	char *index_path;	  /* NULL: there can be none */
	struct ipam_index *index; /* what we know, on the disk or not */
	bool is_sealed;	  /* the directory is as the index's file says */
	bool is_doubtful; /* the index and a file disagreed */
};

/* --- the index and its seal ---------------------------------------------- */

/* Take the index if its seal is whole. */
static void load_index(struct ipam_store *s, const char *index_dir)
{
	struct stat st;

	if (!index_dir || !ipam_seal_is_possible(s->dir) || fstat(s->dir, &st))
		return;
	if (asprintf(&s->index_path, "%s/%llx-%llx.addresses", index_dir,
		     (unsigned long long)st.st_dev,
		     (unsigned long long)st.st_ino) < 0) {
		s->index_path = NULL;
		return;
	}
	s->index = ipam_index_load(s->index_path, &s->boot, &st.st_mtim,
				   s->lock >= 0);
	s->is_sealed = s->index;
}

/* Have the index's file say what the directory is now. An empty directory needs
 * none, and no index is better than a doubtful one. */
static void save_index(struct ipam_store *s)
{
	struct timespec seal;

	if (!s->index_path || !s->index || s->is_sealed || s->lock < 0)
		return;
	if (s->is_doubtful || !ipam_index_count(s->index) ||
	    ipam_seal_set(s->dir, &seal) ||
	    ipam_index_save(s->index, s->index_path, &s->boot, &seal))
		unlink(s->index_path);
}

/* After the directory the index changes. */
static void note_taken(struct ipam_store *s, const struct ip_addr *addr,
		       uint64_t owner)
{
	s->is_sealed = false;
	s->is_doubtful |= ipam_index_add(s->index, addr, owner) != 0;
}

static void note_free(struct ipam_store *s, const struct ip_addr *addr,
		      uint64_t owner)
{
	s->is_sealed = false;
	ipam_index_remove(s->index, addr, owner);
}

/* --- reading all files --------------------------------------------------- */

/* Only the text that we and the reference write names an address: another
 * spelling of the same one stands in nobody's way. */
static bool parse_name(const char *name, struct ip_addr *ret)
{
	char text[IP_TEXT_MAX];

	return !ip_parse(name, ret) && !strcmp(ip_text(ret, text), name);
}

/* @fn is given a NULL file where it cannot be read. */
static int visit_all(struct ipam_store *s, ipam_store_visit *fn, void *arg,
		     struct err *e)
{
	_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	struct ipam_file file;
	int fd, r = 0;

	if (s->dir < 0)
		return 0;
	fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(e, "read IPAM directory \"%s\"", s->path);
	while (!r && (errno = 0, entry = readdir(dir))) {
		struct ip_addr addr;
		int unreadable;

		if (!parse_name(entry->d_name, &addr))
			continue;
		unreadable =
			ipam_file_read(s->dir, entry->d_name, &s->boot, &file);
		r = fn(&addr, unreadable ? NULL : &file, arg);
	}
	if (!r && errno)
		return err_sys(e, "read IPAM directory \"%s\"", s->path);
	return r;
}

struct readable_visit {
	ipam_store_visit *fn;
	void *arg;
};

static int visit_readable(const struct ip_addr *addr,
			  const struct ipam_file *file, void *arg)
{
	const struct readable_visit *visit = arg;

	return file ? visit->fn(addr, file, visit->arg) : 0;
}

int ipam_store_each(struct ipam_store *s, ipam_store_visit *fn, void *arg,
		    struct err *e)
{
	struct readable_visit visit = { fn, arg };

	return visit_all(s, visit_readable, &visit, e);
}

static uint64_t hash_owner(const struct ipam_owner *owner)
{
	return ipam_index_owner(owner->container_id, owner->ifname);
}

static int index_file(const struct ip_addr *addr, const struct ipam_file *file,
		      void *arg)
{
	struct ipam_store *s = arg;
	struct ipam_index_notes *notes = ipam_index_notes(s->index);
	char name[IP_TEXT_MAX];
	uint64_t owner = 0;

	if (!file) /* it may be readable when the owner asks for it */
		s->is_doubtful = true;
	if (file && file->is_earlier_boot) {
		if (s->flags & IPAM_RECLAIM &&
		    !unlinkat(s->dir, ip_text(addr, name), 0))
			return 0;
		notes->earlier_boot = true;
	}
	if (file && *file->owner.container_id)
		owner = hash_owner(&file->owner);
	else if (file)
		notes->abandoned = true;
	return ipam_index_add(s->index, addr, owner);
}

/* Make the index anew, of the files. */
static int scan(struct ipam_store *s, struct err *e)
{
	int r;

	ipam_index_free(s->index);
	s->index = ipam_index_new();
	s->is_sealed = false;
	if (!s->index)
		return err_oom(e);
	if (s->lock >= 0)
		unlinkat(s->dir, IPAM_FILE_TEMPORARY, 0);
	r = visit_all(s, index_file, s, e);
	if (r)
		s->is_doubtful = true;
	return r == -ENOMEM ? err_oom(e) : r;
}

/* --- opening ------------------------------------------------------------- */

void ipam_store_close(struct ipam_store *s)
{
	if (!s)
		return;
	save_index(s);
	close_cleanup(&s->lock); /* which unlocks */
	close_cleanup(&s->dir);
	ipam_index_free(s->index);
	free(s->index_path);
	free(s->path);
	free(s);
}

static struct ipam_store *store_new(const struct ipam_place *place,
				    unsigned flags)
{
	struct ipam_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->dir = s->lock = -1;
	s->flags = flags;
	s->boot = boot_current();
	if (asprintf(&s->path, "%s/%s", place->data_dir, place->network) < 0) {
		s->path = NULL;
		ipam_store_close(s);
		return NULL;
	}
	return s;
}

static int open_dir(struct ipam_store *s, struct err *e)
{
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | OPEN_FLAGS);
	if (s->dir < 0)
		return err_sys(e, "open IPAM directory \"%s\"", s->path);
	return 0;
}

static int open_or_make_dir(struct ipam_store *s, struct err *e)
{
	int r = open_dir(s, e);

	if (r != -ENOENT || !(s->flags & IPAM_CREATE))
		return r;
	r = fs_make_dirs(s->path, 0755, e);
	return r ? r : open_dir(s, e);
}

static int take_lock(struct ipam_store *s, struct err *e)
{
	s->lock = openat(s->dir, LOCK_NAME, O_RDONLY | O_CREAT | OPEN_FLAGS,
			 0750);
	if (s->lock < 0)
		return err_sys(e, "open \"%s/" LOCK_NAME "\"", s->path);
	while (flock(s->lock, LOCK_EX))
		if (errno != EINTR)
			return err_sys(e, "lock \"%s/" LOCK_NAME "\"", s->path);
	return 0;
}

/* Whether what the index was made without is asked for. */
static bool must_scan(const struct ipam_store *s)
{
	return !s->index || (s->flags & IPAM_RECLAIM &&
			     ipam_index_notes(s->index)->earlier_boot);
}

int ipam_store_open(const struct ipam_place *place, unsigned flags,
		    struct ipam_store **ret, struct err *e)
{
	_ipam_store_ struct ipam_store *s = store_new(place, flags);
	int r;

	if (!s)
		return err_oom(e);
	r = open_or_make_dir(s, e);
	if (!r)
		r = take_lock(s, e);
	if (r)
		return r;
	load_index(s, place->index_dir);
	r = must_scan(s) ? scan(s, e) : 0;
	if (!r)
		*ret = steal_ptr(&s);
	return r;
}

int ipam_store_peek(const struct ipam_place *place, struct ipam_store **ret,
		    struct err *e)
{
	_ipam_store_ struct ipam_store *s = store_new(place, 0);
	int r;

	if (!s)
		return err_oom(e);
	r = open_dir(s, e);
	if (r && r != -ENOENT)
		return r;
	if (!r)
		load_index(s, place->index_dir);
	r = must_scan(s) ? scan(s, e) : 0;
	if (!r)
		*ret = steal_ptr(&s);
	return r;
}

/* The directory, or what of its path there is. */
int ipam_store_check_writable(const struct ipam_place *place, struct err *e)
{
	char nearest[PATH_MAX];
	char *slash;

	snprintf(nearest, sizeof(nearest), "%s/%s", place->data_dir,
		 place->network);
	while (faccessat(AT_FDCWD, nearest, W_OK | X_OK, AT_EACCESS)) {
		if (errno != ENOENT)
			return err_sys(e, "write to IPAM directory \"%s\"",
				       nearest);
		slash = strrchr(nearest, '/');
		if (!slash) /* a relative path, below where we are */
			return 0;
		slash[slash == nearest] = '\0';
	}
	return 0;
}

bool ipam_store_exists(const struct ipam_store *s)
{
	return s->dir >= 0;
}

size_t ipam_store_count(const struct ipam_store *s)
{
	return ipam_index_count(s->index);
}

/* --- what is free -------------------------------------------------------- */

static bool has_file(const struct ipam_store *s, const struct ip_addr *addr)
{
	char name[IP_TEXT_MAX];
	struct stat st;

	return s->dir >= 0 && (!fstatat(s->dir, ip_text(addr, name), &st,
					AT_SYMLINK_NOFOLLOW) ||
			       errno != ENOENT);
}

bool ipam_store_is_free(const struct ipam_store *s, const struct ip_addr *addr)
{
	char name[IP_TEXT_MAX];

	return !has_file(s, addr) ||
	       ipam_file_is_empty(s->dir, ip_text(addr, name));
}

bool ipam_store_find_free(struct ipam_store *s, struct ip_addr from,
			  const struct ip_addr *last, struct ip_addr *ret)
{
	while (ipam_index_find_free(s->index, from, last, ret)) {
		if (ipam_store_is_free(s, ret))
			return true;
		s->is_doubtful = true;
		note_taken(s, ret, 0);
		from = *ret;
	}
	return false;
}

static int forget_if_empty(const struct ip_addr *addr,
			   const struct ipam_file *file, void *arg)
{
	struct ipam_store *s = arg;
	char name[IP_TEXT_MAX];

	if (*file->owner.container_id)
		return 0;
	if (s->lock < 0 || !unlinkat(s->dir, ip_text(addr, name), 0))
		note_free(s, addr, 0);
	return 0;
}

void ipam_store_forget_abandoned(struct ipam_store *s)
{
	struct ipam_index_notes *notes = ipam_index_notes(s->index);

	if (!notes->abandoned || ipam_store_each(s, forget_if_empty, s, NULL))
		return;
	notes->abandoned = false;
	s->is_sealed = false;
}

/* --- owners -------------------------------------------------------------- */

int ipam_store_read(const struct ipam_store *s, const struct ip_addr *addr,
		    struct ipam_file *ret)
{
	char name[IP_TEXT_MAX];

	return ipam_file_read(s->dir, ip_text(addr, name), &s->boot, ret);
}

static bool is_owner(const struct ipam_store *s, const struct ip_addr *addr,
		     const struct ipam_owner *owner)
{
	char name[IP_TEXT_MAX];
	struct ipam_file file;

	return !ipam_file_read(s->dir, ip_text(addr, name), NULL, &file) &&
	       !strcmp(file.owner.container_id, owner->container_id) &&
	       !strcmp(file.owner.ifname, owner->ifname);
}

static int compare(const void *a, const void *b)
{
	return ip_compare(a, b);
}

/* When a file says something else than the index, -ESTALE if @strict; else it
 * is left out: the hash is that of two owners, or nobody holds the lock. */
static int find_owned(const struct ipam_store *s,
		      const struct ipam_owner *owner, bool strict,
		      struct arena *a, ip_list *ret)
{
	uint64_t hash = hash_owner(owner);
	struct ip_addr addr;
	size_t cursor = 0, n = 0;

	while (ipam_index_next_owned(s->index, hash, &cursor, &addr))
		n++;
	*ret = (ip_list){ arena_array(a, n, sizeof(*ret->v)), 0 };
	if (!ret->v)
		return -ENOMEM;
	cursor = 0;
	while (ret->n < n &&
	       ipam_index_next_owned(s->index, hash, &cursor, &addr)) {
		if (is_owner(s, &addr, owner))
			ret->v[ret->n++] = addr;
		else if (strict)
			return -ESTALE;
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return 0;
}

static int find_own_or_old(const struct ipam_store *s,
			   const struct ipam_owner *owner, bool strict,
			   struct arena *a, ip_list *ret)
{
	const struct ipam_owner old = { owner->container_id, "" };
	int r = find_owned(s, owner, strict, a, ret);

	return r || ret->n ? r : find_owned(s, &old, strict, a, ret);
}

int ipam_store_owned(struct ipam_store *s, const struct ipam_owner *owner,
		     struct arena *a, ip_list *ret, struct err *e)
{
	int r = find_own_or_old(s, owner, true, a, ret);

	if (r == -ESTALE) {
		r = scan(s, e);
		if (!r)
			r = find_own_or_old(s, owner, false, a, ret);
	}
	return r == -ENOMEM ? err_oom(e) : r;
}

/* --- changing ------------------------------------------------------------ */

int ipam_store_reserve(struct ipam_store *s, const struct ip_addr *addr,
		       const struct ipam_owner *owner, struct err *e)
{
	char name[IP_TEXT_MAX];
	int r;

	s->is_sealed = false; /* even if it fails: there was a temporary file */
	r = ipam_file_create(s->dir, ip_text(addr, name), owner, &s->boot,
			     s->flags & IPAM_SYNC, s->path, e);
	if (!r)
		note_taken(s, addr, hash_owner(owner));
	return r;
}

int ipam_store_release(struct ipam_store *s, const struct ip_addr *addr,
		       const struct ipam_owner *owner, struct err *e)
{
	char name[IP_TEXT_MAX];

	if (unlinkat(s->dir, ip_text(addr, name), 0) && errno != ENOENT)
		return err_sys(e, "remove \"%s/%s\"", s->path, name);
	note_free(s, addr, *owner->container_id ? hash_owner(owner) : 0);
	if (s->flags & IPAM_SYNC && fsync(s->dir))
		return err_sys(e, "sync \"%s\"", s->path);
	return 0;
}

struct prune {
	struct ipam_store *store;
	bool (*is_stale)(const struct ipam_owner *owner, const void *arg);
	const void *arg;
	struct err *e;
	int first;
};

static int prune_file(const struct ip_addr *addr, const struct ipam_file *file,
		      void *arg)
{
	struct prune *p = arg;
	int r;

	if (*file->owner.container_id && !p->is_stale(&file->owner, p->arg))
		return 0;
	r = ipam_store_release(p->store, addr, &file->owner,
			       p->first ? NULL : p->e);
	if (r && !p->first)
		p->first = r;
	return 0;
}

int ipam_store_prune(struct ipam_store *s,
		     bool (*is_stale)(const struct ipam_owner *owner,
				      const void *arg),
		     const void *arg, struct err *e)
{
	struct prune prune = { s, is_stale, arg, e, 0 };
	int r = ipam_store_each(s, prune_file, &prune, e);

	return prune.first ? prune.first : r;
}

/* --- where to search next ------------------------------------------------ */

bool ipam_store_last_reserved(const struct ipam_store *s, size_t index,
			      struct ip_addr *ret)
{
	return s->dir >= 0 && !ipam_file_read_last(s->dir, index, ret);
}

void ipam_store_set_last_reserved(struct ipam_store *s, size_t index,
				  const struct ip_addr *addr)
{
	s->is_sealed = false; /* the file may be new */
	ipam_file_write_last(s->dir, index, addr);
}
