// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dhcp: addresses from the network's own DHCP server
 *
 * The plugin asks the daemon (daemon.h), which goes on after it has ended: a lease
 * has to be renewed. Where none listens the plugin starts one, which ends by
 * itself after its last lease. Of the daemon everything depends on the socket's
 * path, ipam.daemonSocketPath: each has its own leases.
 *
 * ipam.family says of what: "ipv4", "ipv6" or "dual". With IPv6 a router decides
 * (host6.h) whether that is an address of a DHCPv6 server, which has to be kept
 * and given back, or one that the kernel makes, which is only reported.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "ipam/dhcp/call.h"
#include "ipam/dhcp/conf.h"
#include "ipam/dhcp/journal.h"
#include "plugins.h"

/* The daemon's working directory is another one. */
static int make_absolute(const char *path, struct arena *a, const char **ret,
			 struct err *e)
{
	char cwd[PATH_MAX];

	*ret = path;
	if (!*path || *path == '/')
		return 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "find the working directory");
	*ret = arena_printf(a, "%s/%s", cwd, path);
	return *ret ? 0 : err_oom(e);
}

static int ask(const struct cni_call *call, enum cni_command command,
	       bool starts, struct cni_result *ret, struct err *e)
{
	struct dhcp_request request = { .command = command,
					.owner = cni_owner(call),
					.args = call->args->args,
					.config = call->conf->doc };
	int r = make_absolute(call->args->netns, call->arena,
			      &request.owner.netns, e);

	return r ? r
		 : dhcp_call(dhcp_conf_socket(call->conf->doc), starts,
			     &request, call->arena, ret, e);
}

/* What is wrong with the configuration is said without asking anybody. */
static int check_conf(const struct cni_call *call, struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct dhcp_conf conf;

	return dhcp_conf_load(call->conf->doc, &owner, call->args->args,
			      call->arena, &conf, e);
}

static int dhcp_add(const struct cni_call *call, struct cni_result *ret,
		    struct err *e)
{
	int r = check_conf(call, e);

	return r ? r : ask(call, CNI_ADD, true, ret, e);
}

/* Without a daemon and without a lease on disk there is nothing to do. */
static bool is_needed(const struct cni_call *call, const struct owner_key *key)
{
	return journal_has(dhcp_conf_socket(call->conf->doc), key);
}

static int quietly(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED ? 0 : r;
}

static int dhcp_del(const struct cni_call *call, struct err *e)
{
	const struct owner owner = cni_owner(call);
	const struct owner_key key = owner_key(&owner);
	struct cni_result nothing;

	return quietly(ask(call, CNI_DEL, is_needed(call, &key), &nothing, e));
}

static int dhcp_gc(const struct cni_call *call, struct err *e)
{
	struct cni_result nothing;

	return quietly(ask(call, CNI_GC, is_needed(call, NULL), &nothing, e));
}

static bool has_address(const struct cni_result *res,
			const struct ip_prefix *wanted)
{
	for (size_t i = 0; i < res->ips.n; i++)
		if (prefix_equal(&res->ips.v[i].address, wanted))
			return true;
	return false;
}

static int compare(const struct cni_result *prev, const struct cni_result *now,
		   struct err *e)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < now->ips.n; i++)
		if (!has_address(prev, &now->ips.v[i].address))
			return err_set(
				e, ERR_MISMATCH, ENOENT,
				"the DHCP lease is for %s, which prevResult has not",
				prefix_text(&now->ips.v[i].address, text));
	return 0;
}

static int dhcp_check(const struct cni_call *call, struct err *e)
{
	struct cni_result prev = { 0 }, now = { 0 };
	int r = check_conf(call, e);

	if (!r)
		r = cni_prev_result(call, &prev, e);
	if (!r)
		r = ask(call, CNI_CHECK, true, &now, e);
	return r ? r : compare(&prev, &now, e);
}

/* Nothing is started to be asked: an ADD can do that. */
static int dhcp_status(const struct cni_call *call, struct err *e)
{
	struct cni_result nothing;
	int r = check_conf(call, e);

	if (!r)
		r = quietly(ask(call, CNI_STATUS, false, &nothing, e));
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_dhcp = {
	.name = "dhcp",
	.is_ipam = true,
	.add = dhcp_add,
	.del = dhcp_del,
	.check = dhcp_check,
	.gc = dhcp_gc,
	.status = dhcp_status,
};
