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

#include "base/fs.h"

#define LOCK_NAME      "lock"
#define TEMPORARY_NAME ".hawser.tmp" /* one is enough: we hold the lock */
#define WHITE_SPACE    " \t\r\n\v\f"

/* Whatever stands under a name of ours is neither followed nor waited for. */
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

struct ipam_store {
	char *path; /* for messages */
	DIR *dir;   /* NULL: peeked at, and there is none */
	int lock;
	bool has_temporary; /* of a process that died */
	struct ip_addr *taken;
	size_t n;
};

/* --- opening ------------------------------------------------------------- */

void ipam_store_close(struct ipam_store *s)
{
	if (!s)
		return;
	close_cleanup(&s->lock); /* which unlocks */
	if (s->dir)
		closedir(s->dir);
	free(s->taken);
	free(s->path);
	free(s);
}

static struct ipam_store *store_new(const char *data_dir, const char *network)
{
	struct ipam_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->lock = -1;
	if (asprintf(&s->path, "%s/%s", data_dir, network) < 0) {
		s->path = NULL;
		ipam_store_close(s);
		return NULL;
	}
	return s;
}

static int open_dir(struct ipam_store *s, struct err *e)
{
	_close_ int fd = open(s->path, O_RDONLY | O_DIRECTORY | OPEN_FLAGS);

	if (fd < 0)
		return err_sys(e, "open IPAM directory \"%s\"", s->path);
	s->dir = fdopendir(fd);
	if (!s->dir)
		return err_sys(e, "open IPAM directory \"%s\"", s->path);
	steal_fd(&fd);
	return 0;
}

static int open_or_make_dir(struct ipam_store *s, struct err *e)
{
	int r = open_dir(s, e);

	if (r != -ENOENT)
		return r;
	r = fs_make_dirs(s->path, 0755, e);
	return r ? r : open_dir(s, e);
}

static int take_lock(struct ipam_store *s, struct err *e)
{
	s->lock = openat(dirfd(s->dir), LOCK_NAME,
			 O_RDONLY | O_CREAT | OPEN_FLAGS, 0750);
	if (s->lock < 0)
		return err_sys(e, "open \"%s/" LOCK_NAME "\"", s->path);
	while (flock(s->lock, LOCK_EX))
		if (errno != EINTR)
			return err_sys(e, "lock \"%s/" LOCK_NAME "\"", s->path);
	return 0;
}

/* --- the set of taken addresses ------------------------------------------ */

static int compare(const void *a, const void *b)
{
	return ip_compare(a, b);
}

/* Only the text that we and the reference write names an address: another
 * spelling of the same one stands in nobody's way. */
static bool parse_name(const char *name, struct ip_addr *ret)
{
	char text[IP_TEXT_MAX];

	return !ip_parse(name, ret) && !strcmp(ip_text(ret, text), name);
}

static int append_taken(struct ipam_store *s, const struct ip_addr *addr,
			size_t *room)
{
	if (s->n == *room) {
		size_t grown = *room ? *room * 2 : 256;
		void *v = reallocarray(s->taken, grown, sizeof(*s->taken));

		if (!v)
			return -ENOMEM;
		s->taken = v;
		*room = grown;
	}
	s->taken[s->n++] = *addr;
	return 0;
}

static int list_taken(struct ipam_store *s, struct err *e)
{
	const struct dirent *entry;
	size_t room = 0;

	while (errno = 0, (entry = readdir(s->dir))) {
		struct ip_addr addr;

		if (!strcmp(entry->d_name, TEMPORARY_NAME))
			s->has_temporary = true;
		if (parse_name(entry->d_name, &addr) &&
		    append_taken(s, &addr, &room))
			return err_oom(e);
	}
	if (errno)
		return err_sys(e, "read IPAM directory \"%s\"", s->path);
	if (s->n)
		qsort(s->taken, s->n, sizeof(*s->taken), compare);
	return 0;
}

int ipam_store_open(const char *data_dir, const char *network, bool create,
		    struct ipam_store **ret, struct err *e)
{
	_ipam_store_ struct ipam_store *s = store_new(data_dir, network);
	int r;

	if (!s)
		return err_oom(e);
	r = create ? open_or_make_dir(s, e) : open_dir(s, e);
	if (!r)
		r = take_lock(s, e);
	if (!r)
		r = list_taken(s, e);
	if (r)
		return r;
	if (s->has_temporary)
		unlinkat(dirfd(s->dir), TEMPORARY_NAME, 0);
	*ret = steal_ptr(&s);
	return 0;
}

/* Whether the directory, or what of its path there is, can be written to. */
static int check_writable(const char *path, struct err *e)
{
	char nearest[PATH_MAX];
	char *slash;

	snprintf(nearest, sizeof(nearest), "%s", path);
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

int ipam_store_peek(const char *data_dir, const char *network,
		    struct ipam_store **ret, struct err *e)
{
	_ipam_store_ struct ipam_store *s = store_new(data_dir, network);
	int r;

	if (!s)
		return err_oom(e);
	r = open_dir(s, e);
	if (!r)
		r = list_taken(s, e);
	if (!r || r == -ENOENT)
		r = check_writable(s->path, e);
	if (!r)
		*ret = steal_ptr(&s);
	return r;
}

/* The index of the first taken address that is @addr or above. */
static size_t lower_bound(const struct ipam_store *s,
			  const struct ip_addr *addr)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_compare(&s->taken[middle], addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ipam_store_find_free(const struct ipam_store *s, struct ip_addr from,
			  const struct ip_addr *last, struct ip_addr *ret)
{
	size_t i = lower_bound(s, &from);

	for (; i < s->n && ip_equal(&s->taken[i], &from); i++) {
		if (ip_equal(&from, last))
			return false;
		from = ip_next(from);
	}
	if (ip_compare(&from, last) > 0)
		return false;
	*ret = from;
	return true;
}

/* --- owners -------------------------------------------------------------- */

struct owner_file {
	char text[IPAM_OWNER_MAX + 1];
	struct ipam_owner owner; /* points into the text; an ID of "": nobody */
};

/* "id\r\nifname" or "id", within white space; a lone '\n' does as well. */
static void parse_owner(struct owner_file *f)
{
	char *id = f->text + strspn(f->text, WHITE_SPACE);
	char *ifname = strchr(id, '\n');

	if (ifname)
		*ifname++ = '\0';
	else
		ifname = id + strlen(id);
	id[strcspn(id, WHITE_SPACE)] = '\0';
	ifname[strcspn(ifname, WHITE_SPACE)] = '\0';
	f->owner = (struct ipam_owner){ .container_id = id, .ifname = ifname };
}

static int read_owner(const struct ipam_store *s, const struct ip_addr *addr,
		      struct owner_file *ret)
{
	char name[IP_TEXT_MAX];
	_close_ int fd = -1;
	struct stat st;
	ssize_t len;

	ret->owner = (struct ipam_owner){ "", "" };
	if (!s->dir)
		return -ENOENT;
	fd = openat(dirfd(s->dir), ip_text(addr, name), O_RDONLY | OPEN_FLAGS);
	if (fd < 0)
		return -errno;
	len = read(fd, ret->text, sizeof(ret->text));
	if (len < 0)
		return -errno;
	if (len == sizeof(ret->text))
		return -EFBIG;
	/* empty, as a pipe or a device seems too: those are not ours */
	if (!len && (fstat(fd, &st) || !S_ISREG(st.st_mode)))
		return -EINVAL;
	ret->text[len] = '\0';
	parse_owner(ret);
	return 0;
}

/* No content, or the zeros that some file systems leave after a crash. */
static bool is_abandoned(const struct ipam_store *s, const struct ip_addr *addr)
{
	struct owner_file f;

	return !read_owner(s, addr, &f) && !*f.owner.container_id;
}

bool ipam_store_is_free(const struct ipam_store *s, const struct ip_addr *addr)
{
	size_t i = lower_bound(s, addr);

	return i == s->n || !ip_equal(&s->taken[i], addr) ||
	       is_abandoned(s, addr);
}

void ipam_store_forget_abandoned(struct ipam_store *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!is_abandoned(s, &s->taken[i]))
			s->taken[kept++] = s->taken[i];
	s->n = kept;
}

int ipam_store_owned(const struct ipam_store *s, const struct ipam_owner *owner,
		     struct arena *a, ip_list *ret, struct err *e)
{
	ip_list own = { arena_array(a, s->n, sizeof(*own.v)), 0 };
	ip_list old = { arena_array(a, s->n, sizeof(*old.v)), 0 };
	struct owner_file f;

	if (!own.v || !old.v)
		return err_oom(e);
	for (size_t i = 0; i < s->n; i++) {
		if (read_owner(s, &s->taken[i], &f) ||
		    strcmp(f.owner.container_id, owner->container_id) != 0)
			continue;
		if (!strcmp(f.owner.ifname, owner->ifname))
			own.v[own.n++] = s->taken[i];
		else if (!*f.owner.ifname)
			old.v[old.n++] = s->taken[i];
	}
	*ret = own.n ? own : old;
	return 0;
}

/* --- writing ------------------------------------------------------------- */

/* On a full disk close() may be the one to tell. */
static int write_temporary(const struct ipam_store *s,
			   const struct ipam_owner *owner, struct err *e)
{
	char text[IPAM_OWNER_MAX + 1];
	_close_ int fd = -1;
	int len, r;

	len = snprintf(text, sizeof(text), "%s\r\n%s", owner->container_id,
		       owner->ifname);
	if (len > IPAM_OWNER_MAX)
		return err_set(e, ERR_ENV, EINVAL,
			       "containerID is longer than %d bytes",
			       IPAM_OWNER_MAX);
	fd = openat(dirfd(s->dir), TEMPORARY_NAME,
		    O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, 0600);
	if (fd < 0)
		return err_sys(e, "create \"%s/" TEMPORARY_NAME "\"", s->path);
	r = fs_write_all(fd, text, (size_t)len);
	if (close(steal_fd(&fd)) && !r)
		r = -errno;
	if (r)
		err_set(e, ERR_IO, -r, "write \"%s/" TEMPORARY_NAME "\": %s",
			s->path, strerror(-r));
	return r;
}

/* Make the temporary file that of @addr; a file without content gives way. */
static int link_temporary(struct ipam_store *s, const struct ip_addr *addr,
			  struct err *e)
{
	int dir = dirfd(s->dir);
	char name[IP_TEXT_MAX];

	ip_text(addr, name);
	if (is_abandoned(s, addr))
		unlinkat(dir, name, 0);
	if (!linkat(dir, TEMPORARY_NAME, dir, name, 0))
		return 0;
	if (errno == EEXIST)
		return err_set(e, ERR_EXISTS, EEXIST, "\"%s/%s\" is taken",
			       s->path, name);
	return err_sys(e, "create \"%s/%s\"", s->path, name);
}

int ipam_store_reserve(struct ipam_store *s, const struct ip_addr *addr,
		       const struct ipam_owner *owner, struct err *e)
{
	int r = write_temporary(s, owner, e);

	if (!r)
		r = link_temporary(s, addr, e);
	unlinkat(dirfd(s->dir), TEMPORARY_NAME, 0);
	return r;
}

int ipam_store_release(struct ipam_store *s, const struct ip_addr *addr,
		       struct err *e)
{
	char name[IP_TEXT_MAX];

	if (!unlinkat(dirfd(s->dir), ip_text(addr, name), 0) || errno == ENOENT)
		return 0;
	return err_sys(e, "remove \"%s/%s\"", s->path, name);
}

int ipam_store_prune(struct ipam_store *s,
		     bool (*is_stale)(const struct ipam_owner *owner,
				      const void *arg),
		     const void *arg, struct err *e)
{
	struct owner_file f;
	int first = 0;

	for (size_t i = 0; i < s->n; i++) {
		int r;

		if (read_owner(s, &s->taken[i], &f))
			continue;
		if (*f.owner.container_id && !is_stale(&f.owner, arg))
			continue;
		r = ipam_store_release(s, &s->taken[i], first ? NULL : e);
		if (r && !first)
			first = r;
	}
	return first;
}

/* --- where to search next ------------------------------------------------ */

struct last_name {
	char text[64];
};

static struct last_name last_name(size_t index)
{
	struct last_name name;

	snprintf(name.text, sizeof(name.text), "last_reserved_ip.%zu", index);
	return name;
}

bool ipam_store_last_reserved(const struct ipam_store *s, size_t index,
			      struct ip_addr *ret)
{
	char text[IP_TEXT_MAX];
	_close_ int fd = -1;
	ssize_t len;

	if (!s->dir)
		return false;
	fd = openat(dirfd(s->dir), last_name(index).text,
		    O_RDONLY | OPEN_FLAGS);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return false;
	text[len] = '\0';
	return !ip_parse(text, ret);
}

/* Written over and then cut, not emptied first: ext4 would start to write an
 * emptied file to the disk when it is closed. */
void ipam_store_set_last_reserved(struct ipam_store *s, size_t index,
				  const struct ip_addr *addr)
{
	struct last_name name = last_name(index);
	_close_ int fd = openat(dirfd(s->dir), name.text,
				O_WRONLY | O_CREAT | OPEN_FLAGS, 0600);
	char text[IP_TEXT_MAX];
	size_t len = strlen(ip_text(addr, text));

	if (fd < 0)
		return;
	if (fs_write_all(fd, text, len) || ftruncate(fd, (off_t)len))
		unlinkat(dirfd(s->dir), name.text, 0);
}
