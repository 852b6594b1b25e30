// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp daemon: it gets leases for containers, and keeps them. */
#pragma once

/* Run until a signal comes, or nothing has been to do for long; @argv[0] is
 * "daemon" or whatever, flags follow. Returns the exit status. */
int dhcp_daemon_main(int argc, char *argv[]);
