// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define SCRATCH	    "/proc" /* covered for a moment by files of ours */
#define STATE	    "/var/lib"
#define OWN_STATE   "/run/hawser/var-lib"

struct mount_point {
	const char *path;
	const char *source;
	const char *type;
	unsigned long flags;
};

static const struct mount_point proc = { "/proc", "proc", "proc",
					 MS_NOSUID | MS_NODEV | MS_NOEXEC };
static const struct mount_point sys = { "/sys", "sysfs", "sysfs",
					MS_NOSUID | MS_NODEV | MS_NOEXEC };
static const struct mount_point state = { STATE, OWN_STATE, NULL, MS_BIND };
static const struct mount_point dev = { "/dev", "/dev", NULL,
					MS_BIND | MS_REC };

static int do_mount(const struct mount_point *m, const char *root,
		    struct err *e)
{
	char target[PATH_MAX];

	snprintf(target, sizeof(target), "%s%s", root, m->path);
	if (*root)
		mkdir(target, 0755); /* if it cannot be, mount() says so */
	if (mount(m->source, target, m->type, m->flags, NULL))
		return err_sys(e, "mount %s on \"%s\"", m->source, target);
	return 0;
}

/* What we mount stays ours; what the host unmounts goes away here too. */
static int unshare_mounts(struct err *e)
{
	if (unshare(CLONE_NEWNS))
		return err_sys(e, "create a mount namespace");
	if (mount("", "/", NULL, MS_SLAVE | MS_REC, NULL))
		return err_sys(e, "separate our mounts from the host's");
	return 0;
}

int mounts_renew_sys(struct err *e)
{
	int r = unshare_mounts(e);

	return r ? r : do_mount(&sys, "", e);
}

int mounts_own_state(struct err *e)
{
	int r;

	if (!access(STATE, W_OK))
		return 0;
	r = fs_make_dirs(OWN_STATE, 0700, e);
	if (!r)
		r = unshare_mounts(e);
	return r ? r : do_mount(&state, "", e);
}

/* The old root ends up on top of the new one and is taken off from there: no
 * directory is needed for it (pivot_root(2), "pivot_root(".", ".")"). */
static int pivot(const char *rootfs, struct err *e)
{
	if (chdir(rootfs))
		return err_sys(e, "enter \"%s\"", rootfs);
	if (syscall(SYS_pivot_root, ".", "."))
		return err_sys(e, "make \"%s\" the root", rootfs);
	if (umount2(".", MNT_DETACH) || chdir("/"))
		return err_sys(e, "leave the host's root");
	return 0;
}

static int change_root(const char *rootfs, struct err *e)
{
	static const struct mount_point *const inside[] = { &proc, &sys, &dev };
	int r = 0;

	/* pivot_root() wants a mount, and wants no bind of a shared one */
	if (mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL))
		return err_sys(e, "mount \"%s\"", rootfs);
	for (size_t i = 0; !r && i < sizeof(inside) / sizeof(*inside); i++)
		r = do_mount(inside[i], rootfs, e);
	return r ? r : pivot(rootfs, e);
}

static int write_file(const char *path, const char *text, struct err *e)
{
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return err_sys(e, "create \"%s\"", path);
	r = fs_write_all(fd, text, strlen(text));
	return r ? err_set(e, ERR_IO, -r, "write \"%s\": %s", path,
			   strerror(-r))
		 : 0;
}

/*
 * A file of its own, mounted over the one there is. It lives in a file system
 * in memory that has no other place in the tree and goes with the mount.
 */
static int mount_resolv_conf(const char *text, struct err *e)
{
	int r;

	if (mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, NULL))
		return err_sys(e, "mount a tmpfs for " RESOLV_CONF);
	r = write_file(SCRATCH "/resolv.conf", text, e);
	if (!r &&
	    mount(SCRATCH "/resolv.conf", RESOLV_CONF, NULL, MS_BIND, NULL))
		r = err_sys(e, "mount over " RESOLV_CONF);
	if (umount2(SCRATCH, MNT_DETACH) && !r)
		r = err_sys(e, "unmount the tmpfs for " RESOLV_CONF);
	return r;
}

/* In a root directory of its own it can be made; the host's stays untouched. */
static void touch_resolv_conf(void)
{
	/* if neither can be made, mount() says so */
	mkdir("/etc", 0755);
	mknod(RESOLV_CONF, S_IFREG | 0644, 0);
}

int mounts_make_container(const char *rootfs, const char *resolv_conf,
			  struct err *e)
{
	int r = unshare_mounts(e);

	if (r)
		return r;
	if (rootfs) {
		r = change_root(rootfs, e);
	} else {
		r = do_mount(&proc, "", e);
		if (!r)
			r = do_mount(&sys, "", e);
	}
	if (r || !*resolv_conf)
		return r;
	if (rootfs)
		touch_resolv_conf();
	return mount_resolv_conf(resolv_conf, e);
}
