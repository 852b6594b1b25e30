// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/process.h"
#include "kernel/background.h"

#define COMMAND_LINE_MAX ((size_t)64 << 10)
#define OUTPUT_MAX	 ((size_t)64 << 10)
#define TERM_MS		 1000
#define READ_MS		 3000

/* --- which ------------------------------------------------------------------ */

static const struct resolver *const resolvers[] = { &resolver_dnsmasq,
						    &resolver_aardvark };
#define RESOLVERS (sizeof(resolvers) / sizeof(*resolvers))

static bool is_in(const char *dir, size_t dir_len, const char *name,
		  char ret[static PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%.*s/%s", (int)dir_len, dir, name) <
		       PATH_MAX &&
	       !access(ret, X_OK);
}

/* A runtime's PATH is not always root's; podman's variable goes before it. */
static bool find_program(const struct resolver *resolver,
			 char ret[static PATH_MAX])
{
	const char *path = getenv("PATH"),
		   *helpers = getenv("CONTAINERS_HELPER_BINARY_DIR");
	size_t n;

	if (helpers && is_in(helpers, strlen(helpers), resolver->name, ret))
		return true;
	for (; path && *path; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		if (*path == '/' && is_in(path, n, resolver->name, ret))
			return true;
	}
	for (const char *const *dir = resolver->directories; *dir; dir++)
		if (is_in(*dir, strlen(*dir), resolver->name, ret))
			return true;
	return false;
}

static int none_installed(const char *name, struct err *e)
{
	if (*name)
		return err_set(e, ERR_UNAVAILABLE, ENOENT,
			       "unable to locate %s in path", name);
	return err_set(
		e, ERR_UNAVAILABLE, ENOENT,
		"unable to locate dnsmasq in path, nor aardvark-dns: install one of them");
}

int resolver_choose(const char *name, const struct resolver **ret,
		    struct err *e)
{
	char path[PATH_MAX];
	bool is_one = false;

	for (size_t i = 0; i < RESOLVERS; i++) {
		if (*name && strcmp(resolvers[i]->name, name) != 0)
			continue;
		is_one = true;
		if (find_program(resolvers[i], path)) {
			*ret = resolvers[i];
			return 0;
		}
	}
	if (!is_one)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"resolver\": \"%s\" is neither dnsmasq nor aardvark-dns",
			name);
	return none_installed(name, e);
}

const struct resolver *resolver_of(const struct dns_network *net)
{
	for (size_t i = 0; i < RESOLVERS; i++)
		if (resolvers[i]->is_configured(net))
			return resolvers[i];
	return NULL;
}

/* --- its process ------------------------------------------------------------ */

/* Whether the process was started with the network's directory: the number in
 * a file that was left behind may be anybody's by now. */
static bool is_of_network(pid_t pid, const struct dns_network *net)
{
	_free_ char *line = NULL;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if (fs_read_file(path, COMMAND_LINE_MAX, &line, &len, NULL))
		return false;
	for (const char *arg = line; arg < line + len; arg += strlen(arg) + 1) {
		const char *found = strstr(arg, net->path);

		if (found && found[strlen(net->path)] == '/')
			return true;
	}
	return false;
}

/* A descriptor of the network's process, which no other can take the place of;
 * -1 when it does not run. */
static int open_process(const struct resolver *resolver,
			const struct dns_network *net)
{
	_arena_ struct arena a = { 0 };
	const char *text = dns_network_read(net, resolver->pid_file, &a);
	long pid = text ? strtol(text, NULL, 10) : 0;
	int fd;

	if (pid <= 1 || pid > INT_MAX)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd >= 0 && !is_of_network((pid_t)pid, net))
		close_cleanup(&fd);
	return fd;
}

static int send_signal(int process, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0);
}

bool resolver_is_running(const struct resolver *resolver,
			 const struct dns_network *net)
{
	_close_ int process = open_process(resolver, net);

	return process >= 0;
}

int resolver_end(const struct resolver *resolver, const struct dns_network *net)
{
	const int process = open_process(resolver, net);

	if (process >= 0)
		send_signal(process, SIGTERM);
	return process;
}

void resolver_wait(int process)
{
	struct pollfd ended = { .fd = process, .events = POLLIN };

	if (poll(&ended, 1, TERM_MS) == 0 && !send_signal(process, SIGKILL))
		poll(&ended, 1, TERM_MS);
}

/* --- starting it ------------------------------------------------------------ */

/* A container's engine may be a systemd unit, which takes all of its processes
 * along when it ends; a scope of its own keeps the resolver of other containers
 * out of that. Podman's netavark does the same. */
static const char **in_own_scope(const char **command, struct arena *a)
{
	static const char *const prefix[] = { "systemd-run", "-q", "--scope" };
	const size_t prefix_n = sizeof(prefix) / sizeof(*prefix);
	const char **ret;
	size_t n = 0;

	while (command[n])
		n++;
	ret = arena_array(a, prefix_n + n + 1, sizeof(*ret));
	if (!ret)
		return NULL;
	memcpy(ret, prefix, sizeof(prefix));
	memcpy(ret + prefix_n, command, n * sizeof(*ret));
	return ret;
}

static bool has_systemd(void)
{
	return !geteuid() &&
	       !access("/run/systemd/system", F_OK); /* sd_booted(3) */
}

/* Without the files of a language it starts sooner, and errors are in ours. */
static int run(const char **command, struct arena *a, struct err *e)
{
	_process_result_ struct process_result result = { 0 };
	const char *path = getenv("PATH");
	char language[] = "LC_ALL=C";
	char *env[] = { language, arena_printf(a, "PATH=%s", path ? path : ""),
			NULL };
	const struct process process = { .argv = command,
					 .env = env,
					 .output_max = OUTPUT_MAX };
	const char *reason;
	int r = process_run(&process, &result, e);

	if (r)
		return r;
	if (!result.status)
		return 0;
	reason = result.log + strspn(result.log, "\n");
	return err_set(e, ERR_IO, EREMOTEIO, "\"%s\" failed: %.*s", command[0],
		       (int)strcspn(reason, "\n"), reason);
}

static int start(const struct resolver *resolver, const struct dns_network *net,
		 struct err *e)
{
	_arena_ struct arena a = { 0 };
	const char **command = NULL, **scope = NULL;
	char program[PATH_MAX];

	if (!find_program(resolver, program))
		return none_installed(resolver->name, e);
	command = resolver->command(net, program, &a);
	if (!command)
		return err_oom(e);
	if (has_systemd())
		scope = in_own_scope(command, &a);
	if (scope && !run(scope, &a, NULL))
		return 0;
	return run(command, &a, e);
}

/* --- having it read its files ------------------------------------------------ */

void resolver_notify(const struct resolver *resolver,
		     const struct dns_network *net)
{
	_close_ int process = open_process(resolver, net);

	if (process >= 0)
		send_signal(process, SIGHUP);
}

/* A resolver tells nobody that it has read its names again, but the kernel does:
 * what is asked after it has closed the file is answered from what is there. */
static int watch_hosts(const struct resolver *resolver,
		       const struct dns_network *net, int *ret)
{
	_arena_ struct arena a = { 0 };
	const char *file = resolver->hosts_file(net, &a),
		   *path = file ? arena_printf(&a, "%s/%s", net->path, file)
				: NULL;

	*ret = inotify_init1(IN_CLOEXEC);
	if (!path || *ret < 0 ||
	    inotify_add_watch(*ret, path, IN_CLOSE_NOWRITE) < 0)
		return -EIO;
	return 0;
}

static bool has_read(int process, int watch)
{
	struct pollfd v[] = { { .fd = watch, .events = POLLIN },
			      { .fd = process, .events = POLLIN } };

	return poll(v, 2, READ_MS) > 0 && v[0].revents;
}

/* False when it does not run, or not any more, or takes no signals. */
static bool reload(const struct resolver *resolver,
		   const struct dns_network *net)
{
	_close_ int process = open_process(resolver, net);
	int watch = -1;
	bool done = process >= 0 && !watch_hosts(resolver, net, &watch) &&
		    !send_signal(process, SIGHUP) && has_read(process, watch);

	if (watch >= 0) /* closing it takes the kernel 10 to 20 ms */
		background_close(watch);
	return done;
}

int resolver_run(const struct resolver *resolver, const struct dns_network *net,
		 bool restart, struct err *e)
{
	_close_ int process = -1;

	if (!restart && reload(resolver, net))
		return 0;
	process = resolver_end(resolver, net);
	if (process >= 0)
		resolver_wait(process);
	return start(resolver, net, e);
}
