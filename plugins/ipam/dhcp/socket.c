// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/socket.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define DIR_MODE 0700
#define BACKLOG	 4096 /* the kernel cuts it to net.core.somaxconn */

static int make_address(const char *path, struct sockaddr_un *ret,
			struct err *e)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path))
		return err_set(e, ERR_CONFIG, ENAMETOOLONG,
			       "socket path \"%s\" is longer than %zu bytes",
			       path, sizeof(ret->sun_path) - 1);
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", path);
	return 0;
}

/* A socket, and the address it is for. */
static int open_socket(const char *path, struct sockaddr_un *sa, int *ret,
		       struct err *e)
{
	int r = make_address(path, sa, e);

	if (r)
		return r;
	*ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return *ret < 0 ? err_sys(e, "open a socket") : 0;
}

int dhcp_socket_connect(const char *path, int *ret, struct err *e)
{
	_close_ int fd = -1;
	struct sockaddr_un sa;
	int r = open_socket(path, &sa, &fd, e);

	if (r)
		return r;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return err_sys(e, "connect to the DHCP daemon at \"%s\"", path);
	*ret = steal_fd(&fd);
	return 0;
}

/* The directory that @path is in, in @dir. */
static int find_directory(const char *path, char dir[static PATH_MAX],
			  struct err *e)
{
	const char *slash = strrchr(path, '/');
	const int len = slash ? (int)(slash - path) : 0;

	if (*path != '/' || len >= PATH_MAX - 1)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "socket path \"%s\" is not an absolute path",
			       path);
	snprintf(dir, PATH_MAX, "%.*s", len ? len : 1, path);
	return 0;
}

int dhcp_socket_lock(const char *path, int *ret, struct err *e)
{
	_close_ int fd = -1;
	char dir[PATH_MAX];
	int r = find_directory(path, dir, e);

	if (!r)
		r = fs_make_dirs(dir, DIR_MODE, e);
	if (!r)
		r = fs_open_dir(dir, &fd, e);
	if (r)
		return r;
	if (flock(fd, LOCK_EX))
		return err_sys(e, "lock \"%s\"", dir);
	*ret = steal_fd(&fd);
	return 0;
}

/* A socket that nobody listens on goes; anything else stays. */
static int clear_path(const char *path, struct err *e)
{
	_close_ int fd = -1;
	struct stat st;
	int r;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : err_sys(e, "examine \"%s\"", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_IO, EEXIST, "\"%s\" is not a socket",
			       path);
	r = dhcp_socket_connect(path, &fd, e);
	if (!r)
		return err_set(e, ERR_IO, EADDRINUSE,
			       "another daemon listens at \"%s\"", path);
	if (r != -ECONNREFUSED)
		return r == -ENOENT ? 0 : r;
	return unlink(path) && errno != ENOENT
		       ? err_sys(e, "remove \"%s\"", path)
		       : 0;
}

int dhcp_socket_listen(const char *path, int *ret, struct err *e)
{
	_close_ int fd = -1;
	struct sockaddr_un sa;
	int r = open_socket(path, &sa, &fd, e);

	if (!r)
		r = clear_path(path, e);
	if (r)
		return r;
	/* before it has a name: what bind() makes has the socket's own mode */
	if (fchmod(fd, 0660) || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(fd, BACKLOG))
		return err_sys(e, "listen at \"%s\"", path);
	*ret = steal_fd(&fd);
	return 0;
}
