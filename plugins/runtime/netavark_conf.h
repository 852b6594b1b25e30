// SPDX-License-Identifier: GPL-2.0-or-later
/* What netavark and podman tell a network plugin: netavark's "plugin API", version
 * 1.0.0. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"

struct netavark_subnet {
	struct ip_prefix subnet;
	struct ip_addr gateway; /* no family: none */
};

struct netavark_network {
	const char *name;
	const char *id;
	const char *bridge; /* "network_interface"; NULL: not said */
	bool internal;
	bool dns_enabled;
	LIST(struct netavark_subnet) subnets;
	struct { /* NULL: not given */
		const char *conflist;
		const char *mtu;
		const char *vlan;
		const char *isolate;
	} options;
};

struct netavark_port {
	const char *host_ip;
	const char *protocol;
	int64_t host_port, container_port, range;
};

struct netavark_request {
	const char *container_id;
	const char *container_name;
	LIST(struct netavark_port) ports;
	struct netavark_network network;
	struct {
		const cJSON *aliases;
		const char *interface_name;
		LIST(const char *) static_ips;
		const char *static_mac;
	} container;
};

/* Read a network, the object of "create"; -EINVAL for what cannot be served. */
int netavark_network_read(const cJSON *doc, struct arena *a,
			  struct netavark_network *ret, struct err *e);

/* Read the object of "setup" and "teardown". */
int netavark_request_read(const cJSON *doc, struct arena *a,
			  struct netavark_request *ret, struct err *e);
