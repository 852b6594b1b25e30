// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ipam_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define WHITE_SPACE    " \t\r\n\v\f"
#define BOOT_ATTRIBUTE "user.hawser.boot"

/* Whatever stands under a name of ours is neither followed nor waited for. */
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* --- reading ------------------------------------------------------------- */

/* "id\r\nifname" or "id", within white space; a lone '\n' does as well. */
static void parse_owner(struct ipam_file *f)
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

static bool is_earlier_boot(int fd, const struct boot *boot)
{
	char text[BOOT_TEXT_MAX] = "";
	ssize_t len = fgetxattr(fd, BOOT_ATTRIBUTE, text, sizeof(text) - 1);

	return len > 0 && boot_is_earlier(boot, text);
}

int ipam_file_read(int dir, const char *name, const struct boot *boot,
		   struct ipam_file *ret)
{
	_close_ int fd = openat(dir, name, O_RDONLY | OPEN_FLAGS);
	struct stat st;
	ssize_t len;

	ret->owner = (struct ipam_owner){ "", "" };
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
	ret->is_earlier_boot = boot && is_earlier_boot(fd, boot);
	return 0;
}

bool ipam_file_is_empty(int dir, const char *name)
{
	struct ipam_file f;

	return !ipam_file_read(dir, name, NULL, &f) && !*f.owner.container_id;
}

/* --- writing ------------------------------------------------------------- */

static int open_temporary(int dir)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS;
	int fd = openat(dir, IPAM_FILE_TEMPORARY, flags, 0600);

	if (fd >= 0 || errno != EEXIST ||
	    unlinkat(dir, IPAM_FILE_TEMPORARY, 0)) /* of one who died */
		return fd;
	return openat(dir, IPAM_FILE_TEMPORARY, flags, 0600);
}

/* On a full disk close() may be the one to tell. */
static int write_and_close(int fd, const char *text, size_t len,
			   const struct boot *boot, bool sync)
{
	char value[BOOT_TEXT_MAX];
	int r = fs_write_all(fd, text, len);

	if (*boot_text(boot, value)) /* not every file system keeps it */
		fsetxattr(fd, BOOT_ATTRIBUTE, value, strlen(value), 0);
	if (!r && sync && fsync(fd))
		r = -errno;
	if (close(fd) && !r)
		r = -errno;
	return r;
}

static int write_temporary(int dir, const struct ipam_owner *owner,
			   const struct boot *boot, bool sync, const char *path,
			   struct err *e)
{
	char text[IPAM_OWNER_MAX + 1];
	int fd, len, r;

	len = snprintf(text, sizeof(text), "%s\r\n%s", owner->container_id,
		       owner->ifname);
	if (len > IPAM_OWNER_MAX)
		return err_set(e, ERR_ENV, EINVAL,
			       "containerID is longer than %d bytes",
			       IPAM_OWNER_MAX);
	fd = open_temporary(dir);
	if (fd < 0)
		return err_sys(e, "create \"%s/" IPAM_FILE_TEMPORARY "\"",
			       path);
	r = write_and_close(fd, text, (size_t)len, boot, sync);
	if (r)
		err_set(e, ERR_IO, -r,
			"write \"%s/" IPAM_FILE_TEMPORARY "\": %s", path,
			strerror(-r));
	return r;
}

static int try_link(int dir, const char *name)
{
	return linkat(dir, IPAM_FILE_TEMPORARY, dir, name, 0) ? -errno : 0;
}

/* Give the temporary file its name, which never replaces one with content. */
static int link_temporary(int dir, const char *name, const char *path,
			  struct err *e)
{
	int r = try_link(dir, name);

	if (r == -EEXIST && ipam_file_is_empty(dir, name) &&
	    !unlinkat(dir, name, 0))
		r = try_link(dir, name);
	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, EEXIST, "\"%s/%s\" is taken",
			       path, name);
	if (r)
		return err_set(e, ERR_IO, -r, "create \"%s/%s\": %s", path,
			       name, strerror(-r));
	return 0;
}

int ipam_file_create(int dir, const char *name, const struct ipam_owner *owner,
		     const struct boot *boot, bool sync, const char *path,
		     struct err *e)
{
	int r = write_temporary(dir, owner, boot, sync, path, e);

	if (!r)
		r = link_temporary(dir, name, path, e);
	unlinkat(dir, IPAM_FILE_TEMPORARY, 0);
	if (!r && sync && fsync(dir)) {
		r = err_sys(e, "sync \"%s\"", path);
		unlinkat(dir, name, 0);
	}
	return r;
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

int ipam_file_read_last(int dir, size_t index, struct ip_addr *ret)
{
	_close_ int fd =
		openat(dir, last_name(index).text, O_RDONLY | OPEN_FLAGS);
	char text[IP_TEXT_MAX];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	return ip_parse(text, ret);
}

/* Written over and then cut, not emptied first: ext4 would start to write an
 * emptied file to the disk when it is closed. */
void ipam_file_write_last(int dir, size_t index, const struct ip_addr *addr)
{
	struct last_name name = last_name(index);
	_close_ int fd =
		openat(dir, name.text, O_WRONLY | O_CREAT | OPEN_FLAGS, 0600);
	char text[IP_TEXT_MAX];
	size_t len = strlen(ip_text(addr, text));

	if (fd < 0)
		return;
	if (fs_write_all(fd, text, len) || ftruncate(fd, (off_t)len))
		unlinkat(dir, name.text, 0);
}
