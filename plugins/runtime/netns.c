// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hawser netns: the namespaces of "ip netns", made and found the same way
 * (iproute2, ip/ipnetns.c), so that either tool sees the other's. A name is an
 * empty file in /run/netns with the namespace mounted over it; the directory is
 * a shared mount, so that a name deleted in one mount namespace does not keep
 * its network namespace alive in another.
 */
#include "runtime/netns.h"

#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "kernel/netns.h"
#include "runtime/mounts.h"
#include "runtime/verb.h"

/* --- paths --------------------------------------------------------------- */

/* Take "", "." and ".." out of an absolute path, as Go's filepath.Clean(): the
 * default container ID is made of it. */
static void clean_path(char *path)
{
	char *out = path, *rest = path, *part;

	while ((part = strsep(&rest, "/"))) {
		size_t len = strlen(part);

		if (!len || !strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			while (out > path && *--out != '/')
				;
			continue;
		}
		*out++ = '/';
		memmove(out, part, len);
		out += len;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

char *netns_path(const char *name, struct arena *a)
{
	char cwd[PATH_MAX], *path;

	if (!strchr(name, '/'))
		return arena_printf(a, NETNS_DIR "/%s", name);
	if (*name == '/' || !getcwd(cwd, sizeof(cwd)))
		*cwd = '\0';
	path = arena_printf(a, "%s/%s", cwd, name);
	if (path)
		clean_path(path);
	return path;
}

static int check_name(const char *name, struct err *e)
{
	if (*name && strcmp(name, ".") && strcmp(name, "..") &&
	    !strchr(name, '/') && strlen(name) <= NAME_MAX)
		return 0;
	return err_set(e, ERR_ENV, EINVAL,
		       "\"%s\" is not a name for a namespace", name);
}

/* --- making and removing ------------------------------------------------- */

int netns_create(int *ret, struct err *e)
{
	_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_close_ int made = -1;

	if (own < 0)
		return err_sys(e, "open our own network namespace");
	if (unshare(CLONE_NEWNET))
		return err_sys(e, "create a network namespace");
	made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(own, CLONE_NEWNET))
		return err_sys(e, "return to our own network namespace");
	if (made < 0)
		return err_sys(e, "open the network namespace made");
	*ret = steal_fd(&made);
	return 0;
}

/* Make the directory and the mount on it that others share. */
static int share_dir(struct err *e)
{
	_close_ int dir = -1;
	int r = fs_make_dirs(NETNS_DIR, 0755, e);

	if (!r)
		r = fs_open_dir(NETNS_DIR, &dir, e);
	if (r)
		return r;
	flock(dir, LOCK_EX); /* two at once would mount it twice */
	if (!mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	if (errno == EINVAL && /* not a mount point yet */
	    !mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) &&
	    !mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	return err_sys(e, "share mounts below \"" NETNS_DIR "\"");
}

static int mount_name(const char *path, int netns, struct err *e)
{
	_close_ int file = open(
		path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0);
	char source[64];
	int r;

	if (file < 0)
		return err_sys(e, "create \"%s\"", path);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", netns);
	if (!mount(source, path, "none", MS_BIND, NULL))
		return 0;
	r = err_sys(e, "mount a namespace on \"%s\"", path);
	unlink(path);
	return r;
}

static int add(const char *name, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	_close_ int netns = -1;
	int r = check_name(name, e);

	if (!r)
		r = share_dir(e);
	if (!r)
		r = netns_create(&netns, e);
	return r ? r : mount_name(netns_path(name, &arena), netns, e);
}

static int del(const char *name, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	const char *path = netns_path(name, &arena);
	int r = check_name(name, e);

	if (r)
		return r;
	/* EINVAL: nothing is mounted there, as after a reboot */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) && errno != EINVAL)
		return errno == ENOENT
			       ? err_set(e, ERR_UNKNOWN_CONTAINER, ENOENT,
					 "there is no namespace \"%s\"", name)
			       : err_sys(e, "unmount \"%s\"", path);
	if (unlink(path))
		return err_sys(e, "remove \"%s\"", path);
	return 0;
}

/* --- listing and entering ------------------------------------------------ */

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int list(struct err *e)
{
	struct dirent **entries;
	int n = scandir(NETNS_DIR, &entries, is_shown, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read " NETNS_DIR);
	for (int i = 0; i < n; i++) {
		puts(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

/* Mount what /etc/netns/NAME has over what /etc has, as ip netns exec does. */
static int mount_files(const char *name, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct dirent **entries = NULL;
	char dir[PATH_MAX];
	int n, r = 0;

	snprintf(dir, sizeof(dir), "/etc/netns/%s", name);
	n = strchr(name, '/') ? 0 : scandir(dir, &entries, is_shown, NULL);
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name;
		char *from = arena_printf(&arena, "%s/%s", dir, file);
		char *to = arena_printf(&arena, "/etc/%s", file);

		if (!r && mount(from, to, "none", MS_BIND, NULL))
			r = err_sys(e, "mount \"%s\" on \"%s\"", from, to);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* /sys shows the network namespace it was mounted in: mount another, where
 * only the command sees it. */
static int enter(const char *name, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	const char *path = netns_path(name, &arena);
	_netns_ struct netns ns = NETNS_NONE;
	int r = path ? netns_open(path, &ns, e) : err_oom(e);

	if (r)
		return r;
	if (setns(ns.fd, CLONE_NEWNET))
		return err_sys(e, "enter \"%s\"", path);
	r = mounts_renew_sys(e);
	return r ? r : mount_files(name, e);
}

/* Only returns when it failed. */
static int execute(char *command[], struct err *e)
{
	execvp(command[0], command);
	return err_sys(e, "execute \"%s\"", command[0]);
}

/* --- the verbs ----------------------------------------------------------- */

struct arguments {
	const char *name;
	char **command; /* exec: NULL-terminated */
};

static error_t parse_name(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key == ARGP_KEY_NO_ARGS)
		argp_usage(state);
	if (key != ARGP_KEY_ARG || arguments->name)
		return ARGP_ERR_UNKNOWN;
	arguments->name = arg;
	return 0;
}

static error_t parse_nothing(int key, char *arg, struct argp_state *state)
{
	(void)key, (void)arg, (void)state;
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key == ARGP_KEY_END && !arguments->command)
		argp_usage(state);
	if (key != ARGP_KEY_ARG || !arguments->name)
		return parse_name(key, arg, state);
	arguments->command = state->argv + state->next - 1;
	state->next = state->argc;
	return 0;
}

static int verb_netns_add(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = { NULL, parse_name, "NAME",
					  "Make a network namespace." };
	struct arguments arguments = { 0 };
	struct err e = { 0 };

	(void)env;
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments))
		return 1;
	return add(arguments.name, &e) ? verb_fail(argv[0], &e) : 0;
}

static int verb_netns_del(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = {
		NULL, parse_name, "NAME",
		"Remove the name of a network namespace. It ends with its last process."
	};
	struct arguments arguments = { 0 };
	struct err e = { 0 };

	(void)env;
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments))
		return 1;
	return del(arguments.name, &e) ? verb_fail(argv[0], &e) : 0;
}

static int verb_netns_list(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = { NULL, parse_nothing, NULL,
					  "Print the names there are." };
	struct err e = { 0 };

	(void)env;
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return 1;
	return list(&e) ? verb_fail(argv[0], &e) : 0;
}

static int verb_netns_exec(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = {
		NULL, parse_command, "NAME CMD [ARGUMENT...]",
		"Run a command in the network namespace NAME, which may be a path."
	};
	struct arguments arguments = { 0 };
	struct err e = { 0 };

	(void)env;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments))
		return 1;
	if (!enter(arguments.name, &e))
		execute(arguments.command, &e); /* returns when it fails */
	return verb_fail(argv[0], &e);
}

static const struct verb verbs[] = {
	{ "add", "NAME", "make one", verb_netns_add },
	{ "del", "NAME", "remove one", verb_netns_del },
	{ "list", "", "print their names", verb_netns_list },
	{ "exec", "NAME CMD...", "run a command in one", verb_netns_exec },
	{ 0 },
};

static const struct verb_set commands = {
	"Named network namespaces, shared with ip netns.", verbs
};

int verb_netns(int argc, char *argv[], char *const *env)
{
	return verb_dispatch(&commands, argc, argv, env);
}
