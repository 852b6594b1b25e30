// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"

int fs_read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	_free_ char *data = NULL;
	size_t len = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - len < 2) {
			char *grown;

			room = room ? room * 2 : 8192;
			grown = realloc(data, room);
			if (!grown)
				return -ENOMEM;
			data = grown;
		}
		n = read(fd, data + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	data[len] = '\0';
	*ret = steal_ptr(&data);
	*ret_len = len;
	return 0;
}

int fs_read_file(const char *path, size_t max, char **ret, size_t *ret_len,
		 struct err *e)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return err_sys(e, "open \"%s\"", path);
	r = fs_read_all(fd, max, ret, ret_len);
	if (r)
		return err_set(e, ERR_IO, -r, "read \"%s\": %s", path,
			       strerror(-r));
	return 0;
}

int fs_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int fs_make_dirs(const char *path, mode_t mode, struct err *e)
{
	_free_ char *partial = strdup(path);

	if (!partial)
		return err_oom(e);
	for (char *slash = partial; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(partial, mode) && errno != EEXIST)
			return err_sys(e, "create directory \"%s\"", partial);
		*slash = '/';
	}
	if (mkdir(partial, mode) && errno != EEXIST)
		return err_sys(e, "create directory \"%s\"", partial);
	return 0;
}

int fs_open_dir(const char *path, int *ret, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open directory \"%s\"", path);
	*ret = fd;
	return 0;
}

/* Write, sync and close a new file; close() too can tell of a full disk. */
static int write_new_file(int dirfd, const char *name, const char *data,
			  size_t len, mode_t mode)
{
	_close_ int fd = openat(
		dirfd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fs_write_all(fd, data, len);
	if (!r && fsync(fd))
		r = -errno;
	if (close(steal_fd(&fd)) && !r)
		r = -errno;
	return r;
}

int fs_replace_file(int dirfd, const char *name, const char *data, size_t len,
		    mode_t mode, struct err *e)
{
	char temporary[NAME_MAX + 1];
	uint64_t unique;
	int r;

	/* not the process's ID: another PID namespace has the same */
	if (getrandom(&unique, sizeof(unique), 0) < 0)
		return err_sys(e, "get a random name for \"%s\"", name);
	snprintf(temporary, sizeof(temporary), ".%016" PRIx64 ".tmp", unique);
	r = write_new_file(dirfd, temporary, data, len, mode);
	if (!r && renameat(dirfd, temporary, dirfd, name))
		r = -errno;
	if (!r && !fsync(dirfd))
		return 0;
	r = r ? r : -errno;
	unlinkat(dirfd, temporary, 0);
	return err_set(e, ERR_IO, -r, "write \"%s\": %s", name, strerror(-r));
}
