// SPDX-License-Identifier: GPL-2.0-or-later
/* Files: read whole, written whole or not at all. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Read @fd to its end; *@ret is NUL-terminated and the caller's to free.
 * -EFBIG when there are more than @max bytes. */
int fs_read_all(int fd, size_t max, char **ret, size_t *ret_len);

/* The same for a file; the error names @path. -ENOENT as it is. */
int fs_read_file(const char *path, size_t max, char **ret, size_t *ret_len,
		 struct err *e);

/* Write all of @len bytes; 0 or -errno. */
int fs_write_all(int fd, const char *data, size_t len);

/* Make @path and what is missing above it, as mkdir -p does. */
int fs_make_dirs(const char *path, mode_t mode, struct err *e);

/* Open the directory @path, which must exist; *@ret is the caller's to close. */
int fs_open_dir(const char *path, int *ret, struct err *e);

/* Put @len bytes into @name, maybe of a subdirectory of @dirfd's, so that a reader sees the old file or
 * the new one, and after a crash there is one of the two: a file without a name
 * (O_TMPFILE), synced, linked or renamed into place, and the directory synced.
 * Killed while it replaces a file it may leave ".NAME.tmp" in @dirfd, which the
 * next one and fs_remove_file() take away: those who write the same file hold a lock.
 * @name is what errors call it. */
int fs_replace_file(int dirfd, const char *name, const char *data, size_t len,
		    mode_t mode, struct err *e);

/* Remove @name below @dirfd and what fs_replace_file() may have left of it.
 * 0 or -errno of the first: -ENOENT when there was none. */
int fs_remove_file(int dirfd, const char *name);
