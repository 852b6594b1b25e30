// SPDX-License-Identifier: GPL-2.0-or-later
/* hawser dhcp daemon: as "dhcp daemon", which is how the reference has it. */
#include <errno.h>
#include <string.h>

#include "ipam/dhcp/daemon.h"
#include "runtime/verb.h"

int verb_dhcp(int argc, char *argv[], char *const *env)
{
	struct err e;

	(void)env;
	if (argc > 1 && !strcmp(argv[1], "daemon"))
		return dhcp_daemon_main(argc - 1, argv + 1);
	err_set(&e, ERR_ENV, EINVAL, "say \"daemon\", and its options");
	return verb_fail(argv[0], &e);
}
