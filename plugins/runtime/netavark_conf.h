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

struct netavark_route {
	struct ip_prefix destination;
	struct ip_addr gateway;
	int64_t metric; /* 0: not said */
	const char *type;
};

enum netavark_isolation {
	NETAVARK_OPEN,
	NETAVARK_ISOLATED, /* other networks cannot reach this one */
	NETAVARK_STRICT,   /* nor this one them: read, but not supported */
};

struct netavark_network {
	const cJSON *doc; /* what all this was read from */
	const char *name;
	const char *id;
	const char *bridge; /* "network_interface"; NULL: not said */
	bool internal;
	bool ipv6;
	bool dns_enabled;
	const char *ipam_driver; /* NULL: podman's own addresses */
	LIST(struct netavark_subnet) subnets;
	LIST(struct netavark_route) routes;
	LIST(const char *) dns_servers;
	struct { /* 0: not given */
		const char *conflist;
		int64_t metric;
		int64_t mtu;
		int64_t vlan;
		enum netavark_isolation isolate;
		bool no_default_route;
	} options;
};

struct netavark_port {
	const char *host_ip;
	const char *protocol;
	int64_t host_port, container_port, range;
};

struct netavark_request {
	const cJSON *doc;
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

/* Read a network, the object of "create". -EINVAL for what is no network. */
int netavark_network_read(const cJSON *doc, struct arena *a,
			  struct netavark_network *ret, struct err *e);

/* Read the object of "setup" and "teardown". */
int netavark_request_read(const cJSON *doc, struct arena *a,
			  struct netavark_request *ret, struct err *e);

/* Whether podman chooses its containers' addresses: not where a DHCP server does,
 * or nobody. For networks without a list of the administrator's. */
bool netavark_is_addressed(const struct netavark_network *n);

/* Refuse what was said and could not be done, or would get lost: for "create", and
 * for "setup". Not for "teardown", which takes away whatever there is. */
int netavark_network_check(const struct netavark_network *n, struct err *e);
int netavark_request_check(const struct netavark_request *req, struct err *e);
