// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hawser: one executable, many names. Run under the name of a plugin it is
 * that plugin ("dhcp daemon": its daemon); under any other it is the command line.
 */
#include <libgen.h>
#include <string.h>

#include "cni/plugin.h"
#include "ipam/dhcp/daemon.h"
#include "plugins.h"
#include "runtime/runtime.h"

extern char **environ;

int main(int argc, char *argv[])
{
	const char *name = argc ? basename(argv[0]) : "hawser";

	if (argc > 1 && !strcmp(name, "dhcp") && !strcmp(argv[1], "daemon"))
		return dhcp_daemon_main(argc - 1, argv + 1);
	for (const struct cni_plugin *const *p = plugins_built_in; *p; p++)
		if (!strcmp((*p)->name, name))
			return cni_plugin_main(*p, plugins_built_in, environ);
	return runtime_main(argc, argv, environ);
}
