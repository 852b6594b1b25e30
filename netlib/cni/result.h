// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The result of an ADD in one structure for all versions of the
 * specification, read from and written in the layout of each: 0.1.0 and 0.2.0
 * (ip4, ip6), 0.3.0 to 0.4.0 (ips with a version), 1.0.0 and 1.1.0.
 *
 * A result owns nothing: strings and lists belong to the document or the arena
 * it was made from, and live as long as the call.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"

struct cni_dns {
	LIST(const char *) nameservers; /* .v is NULL when the key is absent */
	const char *domain;
	LIST(const char *) search;
	LIST(const char *) options;
};

struct cni_interface {
	const char *name;
	const char *mac;
	const char *sandbox; /* the namespace, as in CNI_NETNS; NULL: host */
	int64_t mtu;	     /* 0: not said */
	const char *socket_path;
	const char *pci_id;
};

struct cni_ip {
	struct ip_prefix address;
	struct ip_addr gateway;
	int64_t interface; /* index into interfaces; -1: not said */
};

struct cni_route {
	struct ip_prefix dst;
	struct ip_addr gw;
	int64_t mtu, advmss, priority; /* 0: not said */
	int64_t table, scope;	       /* -1: not said */
};

struct cni_result {
	LIST(struct cni_interface) interfaces;
	LIST(struct cni_ip) ips;
	LIST(struct cni_route) routes;
	struct cni_dns dns;
};

/* Tables for configurations that hold the same objects. */
extern const struct json_field cni_route_fields[];
extern const struct json_field cni_route_element;
extern const struct cni_route cni_route_initial;
extern const struct json_field cni_dns_fields[];

/* Read @object as a result of its own cniVersion, or of @version when it has
 * none. The error has code ERR_DECODE or ERR_CONFIG. */
int cni_result_decode(const cJSON *object, const char *version, struct arena *a,
		      struct cni_result *ret, struct err *e);

/* Write a result in the layout of @version; the caller frees *@ret.
 * What that version has no place for is dropped, except that a result without
 * any address cannot be written below 0.3.0. */
int cni_result_encode(const struct cni_result *res, const char *version,
		      cJSON **ret, struct err *e);

/* Append an empty element; NULL when out of memory. */
struct cni_interface *cni_result_add_interface(struct cni_result *res,
					       struct arena *a);
struct cni_ip *cni_result_add_ip(struct cni_result *res, struct arena *a);
struct cni_route *cni_result_add_route(struct cni_result *res, struct arena *a);

/* Whether any key of @dns was given, be it an empty list. */
bool cni_dns_is_set(const struct cni_dns *dns);

/* The interface with that name, in a container or on the host; or NULL. */
const struct cni_interface *cni_result_find_interface(
	const struct cni_result *res, const char *name, bool in_container);

/* The addresses with the length of their subnets, in the arena; NULL when out of
 * memory. */
struct ip_prefix *cni_result_addresses(const struct cni_result *res,
				       struct arena *a);
