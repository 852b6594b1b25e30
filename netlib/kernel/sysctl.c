// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fs.h"

#define VALUE_MAX 65536 /* of a bitmap of ports */
#define SPACE	  " \t\n"

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

int sysctl_read(int fd, struct arena *a, const char **ret)
{
	_free_ char *text = NULL;
	size_t len;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (!r)
		r = fs_read_all(fd, VALUE_MAX, &text, &len);
	if (r)
		return r;
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	*ret = arena_strdup(a, text);
	return *ret ? 0 : -ENOMEM;
}

int sysctl_write(int fd, const char *value)
{
	_arena_ struct arena a = { 0 };
	const char *now;

	if (!sysctl_read(fd, &a, &now) && sysctl_is_same(now, value))
		return 0;
	if (pwrite(fd, value, strlen(value), 0) >= 0)
		return 0;
	return errno == EBADF ? -EROFS : -errno;
}

static const char *next_word(const char *s, size_t *len)
{
	s += strspn(s, SPACE);
	*len = strcspn(s, SPACE);
	return s;
}

bool sysctl_is_same(const char *a, const char *b)
{
	size_t n, m;

	do {
		a = next_word(a, &n);
		b = next_word(b, &m);
		if (n != m || memcmp(a, b, n) != 0)
			return false;
		a += n;
		b += n;
	} while (n);
	return true;
}
