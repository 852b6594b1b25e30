// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"

#define LOCK "lock" /* as the reference's disk.FileLock */

/* A resolver reads its files again when it is nobody in particular. */
#define DIR_MODE  0755
#define FILE_MODE 0644
#define FILE_MAX  ((size_t)16 << 20)

/* --- the directory ---------------------------------------------------------- */

const char *dns_networks_path(const struct cni_call *call)
{
	const char *run = cni_env_get(call->env, "XDG_RUNTIME_DIR");

	return arena_printf(call->arena, "%s/containers/cni/dnsname",
			    *run == '/' ? run : "/run");
}

static int open_dir(const char *path, int *ret, struct err *e)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, "open \"%s\"", path) : 0;
}

static int lock(struct dns_network *net, struct err *e)
{
	net->lock = openat(net->dir, LOCK,
			   O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (net->lock < 0)
		return err_sys(e, "open \"%s/" LOCK "\"", net->path);
	while (flock(net->lock, LOCK_EX))
		if (errno != EINTR)
			return err_sys(e, "lock \"%s\"", net->path);
	return 0;
}

/* The last DEL of a network deletes its directory while others wait for the
 * lock. */
static bool was_deleted(const struct dns_network *net)
{
	struct stat st;

	return !fstat(net->lock, &st) && !st.st_nlink;
}

static int open_once(struct dns_network *net, bool makes, struct err *e)
{
	int r = makes ? fs_make_dirs(net->path, DIR_MODE, e) : 0;

	if (!r)
		r = open_dir(net->path, &net->dir, e);
	if (!r && makes &&
	    fchmod(net->dir, DIR_MODE)) /* whatever the umask is */
		r = err_sys(e, "set the mode of \"%s\"", net->path);
	return r ? r : lock(net, e);
}

static int open_locked(struct dns_network *net, bool makes, struct err *e)
{
	for (;;) {
		int r = open_once(net, makes, e);

		if (!r && !was_deleted(net))
			return 0;
		dns_network_close(net);
		if (r && (r != -ENOENT || !makes))
			return r;
	}
}

int dns_network_open(const struct cni_call *call, bool makes,
		     struct dns_network *ret, struct err *e)
{
	const char *all = dns_networks_path(call);
	struct dns_network net = DNS_NETWORK_NONE;
	int r;

	net.name = call->conf->name;
	net.path =
		all ? arena_printf(call->arena, "%s/%s", all, net.name) : NULL;
	if (!net.path)
		return err_oom(e);
	r = open_locked(&net, makes, e);
	if (!r) {
		*ret = net;
		return 0;
	}
	dns_network_close(&net);
	if (makes)
		rmdir(net.path); /* made, and empty; or another's, and not */
	return r;
}

void dns_network_close(struct dns_network *net)
{
	close_cleanup(&net->lock);
	close_cleanup(&net->dir);
}

/* What is in @dir, which is closed, but for the lock. */
static void delete_files(int dir)
{
	_closedir_ DIR *list = fdopendir(dir);
	const struct dirent *d;

	if (!list) {
		close_cleanup(&dir);
		return;
	}
	while ((d = readdir(list)) != NULL)
		if (strcmp(d->d_name, LOCK) != 0)
			unlinkat(dir, d->d_name, 0); /* not "." and ".." */
}

static int open_below(const struct dns_network *net, const char *name)
{
	return openat(net->dir, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void dns_network_clear(const struct dns_network *net)
{
	int fd = open_below(net, "."), below = open_below(net, DNS_SUBDIR);

	if (below >= 0)
		delete_files(below);
	unlinkat(net->dir, DNS_SUBDIR, AT_REMOVEDIR);
	if (fd >= 0)
		delete_files(fd);
}

void dns_network_delete(const struct dns_network *net)
{
	unlinkat(net->dir, LOCK, 0);
	rmdir(net->path);
}

/* --- its files -------------------------------------------------------------- */

const char *dns_network_read(const struct dns_network *net, const char *name,
			     struct arena *a)
{
	_close_ int fd = openat(net->dir, name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text;
	size_t len;

	if (fd < 0 || fs_read_all(fd, FILE_MAX, &text, &len))
		return NULL;
	return arena_own(a, text, free) ? NULL : text;
}

int dns_network_write(const struct dns_network *net, const char *name,
		      const char *text, bool *ret_changed, struct err *e)
{
	_arena_ struct arena a = { 0 };
	const char *before = dns_network_read(net, name, &a);

	if (before && !strcmp(before, text))
		return 0;
	*ret_changed = true;
	if (fs_replace_file(net->dir, name, text, strlen(text), FILE_MODE, e) ||
	    fchmodat(net->dir, name, FILE_MODE, 0)) /* whatever the umask is */
		return err_sys(e, "write \"%s/%s\"", net->path, name);
	return 0;
}

int dns_network_read_hosts(const struct dns_network *net, size_t more,
			   struct arena *a, struct dns_hosts *ret,
			   struct err *e)
{
	const char *text = dns_network_read(net, DNS_HOSTS, a);

	if (!text && !faccessat(net->dir, DNS_HOSTS, F_OK, 0))
		return err_set(e, ERR_IO, EIO,
			       "\"%s/" DNS_HOSTS "\" cannot be read",
			       net->path);
	return dns_hosts_parse(text ? text : "", more, a, ret, e);
}

int dns_network_write_hosts(const struct dns_network *net,
			    const struct dns_hosts *hosts, struct arena *a,
			    struct err *e)
{
	const char *text = dns_hosts_text(hosts, a);
	bool changed = false;

	return text ? dns_network_write(net, DNS_HOSTS, text, &changed, e)
		    : err_oom(e);
}
