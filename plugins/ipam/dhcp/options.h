// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of "dhcp daemon": the reference's flags, as Go has them (one dash
 * or two, "-x v" or "-x=v"), and two of our own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ipam/dhcp/family.h"

struct dhcp_options {
	const char *socket_path, *pid_file, *host_prefix;
	struct dhcp_timing timing;
	uint64_t idle_ms; /* without leases it ends after that; 0: never */
	/* Started by a plugin: the socket handed over is its own, and nobody
	 * reads its stderr. */
	bool on_demand;
};

/* -EINVAL with a text for the user; -ECANCELED when help was asked for. */
int dhcp_options_parse(int argc, char *argv[], struct dhcp_options *ret,
		       struct err *e);

/* "1h2m3.5s", as time.ParseDuration() has it. -EINVAL. */
int dhcp_parse_duration(const char *text, uint64_t *ret_ms);

extern const char dhcp_options_help[];
