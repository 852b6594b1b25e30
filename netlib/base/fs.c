// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

/* What a killed fs_replace_file() leaves, if anything: of a name that is too
 * long, the end. */
static void temporary_name(const char *name, char ret[static NAME_MAX + 1])
{
	const size_t room = NAME_MAX - strlen("..tmp");
	const char *slash = strrchr(name, '/');
	size_t len;

	name = slash ? slash + 1 : name;
	len = strlen(name);
	snprintf(ret, NAME_MAX + 1, ".%s.tmp",
		 len > room ? name + len - room : name);
}

/* A file without a name, which a kill takes away with its process. Some
 * filesystems have none (open(2), O_TMPFILE): there it has @temporary. */
static int open_new(int dirfd, const char *temporary, mode_t mode,
		    bool *ret_named)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);

	*ret_named = fd < 0;
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	fd = openat(dirfd, temporary, flags, mode);
	if (fd >= 0 || errno != EEXIST)
		return fd;
	unlinkat(dirfd, temporary, 0);
	return openat(dirfd, temporary, flags, mode);
}

static int give_name(int fd, int dirfd, const char *name)
{
	char path[sizeof("/proc/self/fd/") + 11];

	/* AT_EMPTY_PATH would want CAP_DAC_READ_SEARCH: open(2) */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW);
}

/* linkat() does not replace: over what has the name already goes rename(). */
static int put_in_place(int fd, int dirfd, const char *temporary,
			const char *name)
{
	if (!give_name(fd, dirfd, name))
		return 0;
	if (errno != EEXIST)
		return -1;
	unlinkat(dirfd, temporary, 0);
	if (give_name(fd, dirfd, temporary))
		return -1;
	return renameat(dirfd, temporary, dirfd, name);
}

/* What close() could tell, of a full disk say, fsync() has told before it. */
static int write_and_place(int dirfd, const char *temporary, const char *name,
			   const char *data, size_t len, mode_t mode)
{
	bool named;
	_close_ int fd = open_new(dirfd, temporary, mode, &named);
	int r;

	if (fd < 0)
		return -errno;
	r = fs_write_all(fd, data, len);
	if (r)
		return r;
	if (fsync(fd))
		return -errno;
	r = named ? renameat(dirfd, temporary, dirfd, name)
		  : put_in_place(fd, dirfd, temporary, name);
	return r ? -errno : 0;
}

int fs_replace_file(int dirfd, const char *name, const char *data, size_t len,
		    mode_t mode, struct err *e)
{
	char temporary[NAME_MAX + 1];
	int r;

	temporary_name(name, temporary);
	r = write_and_place(dirfd, temporary, name, data, len, mode);
	if (!r && !fsync(dirfd))
		return 0;
	r = r ? r : -errno;
	unlinkat(dirfd, temporary, 0);
	return err_set(e, ERR_IO, -r, "write \"%s\": %s", name, strerror(-r));
}

int fs_remove_file(int dirfd, const char *name)
{
	char temporary[NAME_MAX + 1];

	temporary_name(name, temporary);
	unlinkat(dirfd, temporary, 0);
	return unlinkat(dirfd, name, 0) ? -errno : 0;
}
