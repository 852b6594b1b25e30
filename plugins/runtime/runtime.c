// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/runtime.h"

#include <stddef.h>

#include "runtime/netavark.h"
#include "runtime/verb.h"

static const struct verb verbs[] = {
	{ "run", "[OPTION...] -- CMD...", "run a command in a small container",
	  verb_run },
	{ "add", "NETWORK NETNS", "attach a namespace to a network", verb_add },
	{ "del", "NETWORK NETNS", "detach it", verb_del },
	{ "check", "NETWORK NETNS", "check that it still is as it was",
	  verb_check },
	{ "hook", "[OPTION...]", "attach and detach OCI containers",
	  verb_hook },
	{ "gc", "NETWORK", "clean up after lost namespaces", verb_gc },
	{ "status", "NETWORK", "ask whether the network can take more",
	  verb_status },
	{ "reload", "", "put back what a flush of nftables took away",
	  verb_reload },
	{ "ipam", "list|show|free", "the addresses that host-local gave out",
	  verb_ipam },
	{ "dhcp", "daemon", "the daemon that keeps containers' DHCP leases",
	  verb_dhcp },
	{ "netns", "add|del|list|exec", "named network namespaces, as ip netns",
	  verb_netns },
	{ 0 },
};

static const struct verb_set commands = {
	"Attach network namespaces and containers to networks.", verbs
};

int runtime_main(int argc, char *argv[], char *const *env)
{
	char name[] = "hawser", *nothing[] = { name, NULL };

	if (netavark_knows(argc, argv))
		return netavark_main(argc, argv, env);
	if (!argc) {
		argc = 1;
		argv = nothing;
	}
	argv[0] = name;
	return verb_dispatch(&commands, argc, argv, env);
}
