// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/saved6.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"

/* --- writing ------------------------------------------------------------- */

static void put_time(cJSON *into, const char *key, uint64_t ms)
{
	cJSON_AddNumberToObject(into, key, ms == DHCP_NEVER ? -1 : (double)ms);
}

static void put_ip(cJSON *into, const char *key, const struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];

	if (addr->family)
		cJSON_AddStringToObject(into, key, ip_text(addr, text));
}

static void put_duid(cJSON *into, const char *key, const struct duid *duid)
{
	char text[DUID_TEXT_MAX];

	cJSON_AddStringToObject(into, key, duid_text(duid, text));
}

static void put_dns(cJSON *into, const char *key, const struct dhcp6_dns *dns)
{
	cJSON *object = cJSON_AddObjectToObject(into, key);
	cJSON *servers = cJSON_AddArrayToObject(object, "servers");
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < dns->servers_n; i++)
		cJSON_AddItemToArray(servers, cJSON_CreateString(ip_text(
						      &dns->servers[i], text)));
	cJSON_AddStringToObject(object, "search", dns->search.text);
}

static void put_prefixes(cJSON *into, const char *key, const struct host6 *h)
{
	cJSON *list = cJSON_AddArrayToObject(into, key);
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < h->addrs_n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(prefix_text(
						   &h->addrs[i], text)));
}

static void put_lease(cJSON *into, const struct lease6 *lease)
{
	cJSON *list = cJSON_AddArrayToObject(into, "leases");

	put_duid(into, "server", &lease->server);
	put_time(into, "renew", lease->t1_ms);
	put_time(into, "rebind", lease->t2_ms);
	for (size_t i = 0; i < lease->addrs_n; i++) {
		cJSON *item = cJSON_CreateObject();

		put_ip(item, "address", &lease->addrs[i].addr);
		put_time(item, "preferred", lease->addrs[i].preferred_ms);
		put_time(item, "expire", lease->addrs[i].valid_ms);
		cJSON_AddItemToArray(list, item);
	}
}

void saved6_put(const struct host6 *h, cJSON *into)
{
	cJSON_AddBoolToObject(into, "managed", h->managed);
	put_ip(into, "router", &h->router);
	put_prefixes(into, "addresses", h);
	put_dns(into, "routerDNS", &h->dns);
	put_lease(into, &h->client.lease);
	put_dns(into, "serverDNS", &h->client.lease.dns);
}

/* --- reading ------------------------------------------------------------- */

struct saved_lease {
	struct ip_addr addr;
	int64_t preferred_ms, expire_ms;
};

struct saved_dns {
	LIST(struct ip_addr) servers;
	const char *search;
};

struct saved {
	bool managed;
	struct ip_addr router;
	LIST(struct ip_prefix) addrs;
	const char *server;
	int64_t renew_ms, rebind_ms;
	LIST(struct saved_lease) leases;
	struct saved_dns router_dns, server_dns;
};

#define TIME(key, type, member)                                      \
	{                                                            \
		key, JSON_INT, offsetof(type, member), -1, INT64_MAX \
	}
#define IP(key, type, member)                                        \
	{                                                            \
		key, JSON_PARSED, offsetof(type, member),            \
			.parse = json_parse_ip, .what = "an address" \
	}

static const struct json_field ip_element = {
	.type = JSON_PARSED,
	.parse = json_parse_ip,
	.what = "an address",
};

static const struct json_field prefix_element = {
	.type = JSON_PARSED,
	.parse = json_parse_prefix,
	.what = "a prefix",
};

static const struct json_field dns_fields[] = {
	{ "servers", JSON_LIST, offsetof(struct saved_dns, servers),
	  .sub = &ip_element, .size = sizeof(struct ip_addr) },
	{ "search", JSON_STRING, offsetof(struct saved_dns, search) },
	{ 0 },
};

static const struct json_field lease_fields[] = {
	IP("address", struct saved_lease, addr),
	TIME("preferred", struct saved_lease, preferred_ms),
	TIME("expire", struct saved_lease, expire_ms),
	{ 0 },
};

static const struct json_field lease_element = {
	.type = JSON_OBJECT,
	.sub = lease_fields,
};

static const struct json_field fields[] = {
	{ "managed", JSON_BOOL, offsetof(struct saved, managed) },
	IP("router", struct saved, router),
	{ "addresses", JSON_LIST, offsetof(struct saved, addrs),
	  .sub = &prefix_element, .size = sizeof(struct ip_prefix) },
	{ "server", JSON_STRING, offsetof(struct saved, server) },
	TIME("renew", struct saved, renew_ms),
	TIME("rebind", struct saved, rebind_ms),
	{ "leases", JSON_LIST, offsetof(struct saved, leases),
	  .sub = &lease_element, .size = sizeof(struct saved_lease) },
	{ "routerDNS", JSON_OBJECT, offsetof(struct saved, router_dns),
	  .sub = dns_fields },
	{ "serverDNS", JSON_OBJECT, offsetof(struct saved, server_dns),
	  .sub = dns_fields },
	{ 0 },
};

static uint64_t get_time(int64_t ms)
{
	return ms < 0 ? DHCP_NEVER : (uint64_t)ms;
}

static int get_dns(const struct saved_dns *saved, struct dhcp6_dns *ret)
{
	if (strlen(saved->search) >= sizeof(ret->search.text))
		return -EINVAL;
	memcpy(ret->search.text, saved->search, strlen(saved->search) + 1);
	for (size_t i = 0; i < saved->servers.n; i++)
		dhcp6_dns_add(ret, &saved->servers.v[i]);
	return 0;
}

static int get_lease(const struct saved *saved, struct lease6 *ret)
{
	if (saved->leases.n > DHCP6_ADDRS_MAX ||
	    duid_parse(saved->server, &ret->server))
		return -EINVAL;
	ret->t1_ms = get_time(saved->renew_ms);
	ret->t2_ms = get_time(saved->rebind_ms);
	for (size_t i = 0; i < saved->leases.n; i++) {
		const struct saved_lease *from = &saved->leases.v[i];

		if (from->addr.family != AF_INET6)
			return -EINVAL;
		ret->addrs[ret->addrs_n++] = (struct lease6_addr){
			.addr = from->addr,
			.preferred_ms = get_time(from->preferred_ms),
			.valid_ms = get_time(from->expire_ms),
		};
	}
	return 0;
}

int saved6_get(const cJSON *from, struct host6 *h)
{
	struct saved saved = { .server = "",
			       .router_dns.search = "",
			       .server_dns.search = "" };
	struct lease6 *lease = &h->client.lease;
	_arena_ struct arena a = { 0 };

	if (!cJSON_IsObject(from) ||
	    json_decode(fields, from, NULL, &saved, &a, NULL) ||
	    saved.addrs.n > RADV_PREFIXES_MAX || get_lease(&saved, lease) ||
	    get_dns(&saved.router_dns, &h->dns) ||
	    get_dns(&saved.server_dns, &lease->dns))
		return -EINVAL;
	h->managed = saved.managed;
	h->router = saved.router;
	for (size_t i = 0; i < saved.addrs.n; i++)
		h->addrs[h->addrs_n++] = saved.addrs.v[i];
	return 0;
}
