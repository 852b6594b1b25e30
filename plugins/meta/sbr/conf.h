// SPDX-License-Identifier: GPL-2.0-or-later
/* The sbr plugin's own keys. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "cni/plugin.h"

struct sbr_conf {
	uint32_t
		table; /* somebody else's, to use as it is; 0: one of our own */
	struct ip_addr gw4, gw6; /* instead of the result's; no family: none */
	bool source_hints; /* leave what is on the link in the main table */
};

int sbr_conf_load(const struct cni_call *call, struct sbr_conf *ret,
		  struct err *e);
