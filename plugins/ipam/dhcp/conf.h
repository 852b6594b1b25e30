// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration of ipam.type "dhcp": the reference's keys, and "family". */
#pragma once

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/owner.h"
#include "ipam/dhcp/client4.h"
#include "ipam/dhcp/duid.h"

#define DHCP_SOCKET_DEFAULT "/run/cni/dhcp.sock"

enum dhcp_choice {
	DHCP_IPV4 = 1,
	DHCP_IPV6 = 2,
	DHCP_DUAL = DHCP_IPV4 | DHCP_IPV6,
};

struct dhcp_conf {
	const char *socket_path;
	int64_t priority; /* of all routes; 0: none */
	enum dhcp_choice family;
	/* Who a DHCPv6 client says that it is. */
	struct duid duid;
	uint32_t iaid;
	/* What a DHCPv4 client says and asks, as in struct client4_conf. */
	uint8_t options[CLIENT4_OPTIONS_MAX];
	size_t options_len;
	uint8_t request[CLIENT4_REQUEST_MAX];
	size_t request_len;
};

/* Decode @doc, a network configuration, for the attachment @owner, with CNI_ARGS
 * @args. Codes as those of json_decode(). */
int dhcp_conf_load(const cJSON *doc, const struct owner *owner,
		   const char *args, struct arena *a, struct dhcp_conf *ret,
		   struct err *e);

/* ipam.daemonSocketPath, also of a configuration with other faults. */
const char *dhcp_conf_socket(const cJSON *doc);
