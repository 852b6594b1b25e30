// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool has_value(int fd, const char *value)
{
	char now[32];
	ssize_t n = read(fd, now, sizeof(now) - 1);

	if (n <= 0)
		return false;
	now[n] = '\0';
	now[strcspn(now, "\n")] = '\0';
	return !strcmp(now, value);
}

static int set(int conf_dir, const char *path, const char *value)
{
	_close_ int fd = openat(conf_dir, path, O_RDWR | O_CLOEXEC);
	int why = errno;

	if (fd < 0 && (why == EROFS || why == EACCES))
		fd = openat(conf_dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -why;
	if (has_value(fd, value))
		return 0;
	if (pwrite(fd, value, strlen(value), 0) < 0)
		return errno == EBADF ? -why : -errno;
	return 0;
}

int sysctl_set(const struct netns *ns, uint8_t family, const char *conf,
	       const char *key, const char *value, struct err *e)
{
	int version = family == AF_INET ? 4 : 6;
	int dir = version == 4 ? ns->conf4 : ns->conf6;
	char path[128];
	int r = -ENOENT;

	snprintf(path, sizeof(path), "%s/%s", conf, key);
	if (dir >= 0)
		r = set(dir, path, value);
	if (!r)
		return 0;
	return err_set(e, ERR_IO, -r, "set net/ipv%d/conf/%s to %s: %s",
		       version, path, value, strerror(-r));
}
