// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/owned_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define DIRECTORY "/run/hawser"
#define DIR_MODE  0700
#define FILE_MODE 0600
#define TEXT_MAX  ((size_t)64 << 20)

static void write_name(const char *key, const char *kind,
		       char name[static NAME_MAX])
{
	snprintf(name, NAME_MAX, "%.*s.%s", OWNER_KEY_LEN, key, kind);
}

static int open_dir(void)
{
	return open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void owned_file_write(const struct owner *owner, const char *kind,
		      const char *text)
{
	_close_ int dir = open_dir();
	char name[NAME_MAX];

	if (dir < 0 && errno == ENOENT &&
	    !fs_make_dirs(DIRECTORY, DIR_MODE, NULL))
		dir = open_dir();
	if (dir < 0)
		return;
	write_name(owner_key(owner).text, kind, name);
	fs_replace_file(dir, name, text, strlen(text), FILE_MODE, NULL);
}

void owned_file_delete(const struct owner *owner, const char *kind)
{
	_close_ int dir = open_dir();
	char name[NAME_MAX];

	write_name(owner_key(owner).text, kind, name);
	if (dir >= 0)
		fs_remove_file(dir, name);
}

/* Whether it is "HASHES.kind". */
static bool is_of(const char *kind, const char *name)
{
	return strlen(name) > OWNER_KEY_LEN && name[OWNER_KEY_LEN] == '.' &&
	       !strcmp(name + OWNER_KEY_LEN + 1, kind);
}

static DIR *list_dir(void)
{
	int fd = open_dir();
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

void owned_file_gc(const char *kind, const char *network,
		   const struct owner *valid, size_t n)
{
	_closedir_ DIR *dir = list_dir();
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_of(kind, entry->d_name) &&
		    owner_is_stale(network, valid, n, entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
}

static char *read_file(int dir, const char *name, struct arena *a)
{
	_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *text;
	size_t len;

	if (fd < 0 || fs_read_all(fd, TEXT_MAX, &text, &len))
		return NULL;
	return arena_own(a, text, free) ? NULL : text;
}

char *owned_file_read(const char *key, const char *kind, struct arena *a)
{
	_close_ int dir = open_dir();
	char name[NAME_MAX];

	if (strnlen(key, OWNER_KEY_LEN) < OWNER_KEY_LEN || strchr(key, '/'))
		return NULL;
	write_name(key, kind, name);
	return dir < 0 ? NULL : read_file(dir, name, a);
}

static char **grow(char **v, size_t n, size_t *room, struct arena *a)
{
	char **wider;

	if (n < *room)
		return v;
	*room = *room ? *room * 2 : 64;
	wider = arena_array(a, *room, sizeof(*wider));
	if (wider && n)
		memcpy(wider, v, n * sizeof(*wider));
	return wider;
}

char **owned_file_read_all(const char *kind, struct arena *a)
{
	_closedir_ DIR *dir = list_dir();
	const struct dirent *entry;
	size_t n = 0, room = 0;
	char **v = grow(NULL, n, &room, a);

	while (v && dir && (entry = readdir(dir))) {
		if (!is_of(kind, entry->d_name))
			continue;
		v[n] = read_file(dirfd(dir), entry->d_name, a);
		if (v[n])
			v = grow(v, ++n, &room, a);
	}
	if (v)
		v[n] = NULL;
	return v;
}

int owned_file_lock(bool alone)
{
	int dir = open_dir();

	if (dir >= 0)
		flock(dir, alone ? LOCK_EX : LOCK_SH);
	return dir;
}
