// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/option4.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "ipam/dhcp/message4.h"

#define NAME_MAX_LEN 253 /* RFC 1035, as text */
#define NAMES_MAX    32
#define MTU_MIN	     68 /* RFC 2132, section 5.1 */

/* An option's contents. */
struct content {
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len;
};

static struct content read_option(const struct message4 *m, uint8_t code)
{
	struct content c;

	c.len = message4_option(m, code, c.bytes, sizeof(c.bytes));
	return c;
}

static struct ip_addr address_at(const uint8_t *bytes)
{
	struct ip_addr addr = { .family = AF_INET };

	memcpy(addr.bytes, bytes, 4);
	return addr;
}

/* --- the address ----------------------------------------------------------- */

static int mask_length(const struct message4 *m, uint8_t *ret, struct err *e)
{
	uint32_t mask;

	if (!message4_u32(m, DHCP4_SUBNET_MASK, &mask))
		return err_set(e, ERR_IO, EBADMSG,
			       "DHCP option Subnet Mask not found in DHCPACK");
	if (~mask & (~mask + 1))
		return err_set(e, ERR_IO, EBADMSG,
			       "DHCP server gives the subnet mask %#x",
			       (unsigned)mask);
	*ret = (uint8_t)__builtin_popcount(mask);
	return 0;
}

static struct ip_addr first_router(const struct message4 *m)
{
	const struct content c = read_option(m, DHCP4_ROUTERS);

	return c.len >= 4 ? address_at(c.bytes) : (struct ip_addr){ 0 };
}

static int put_address(const struct lease4 *lease, const struct message4 *m,
		       struct arena *a, struct cni_result *ret, struct err *e)
{
	uint8_t len = 0;
	int r = mask_length(m, &len, e);
	struct cni_ip *ip;

	if (r)
		return r;
	ip = cni_result_add_ip(ret, a);
	if (!ip)
		return err_oom(e);
	ip->address = (struct ip_prefix){ lease->address, len };
	ip->gateway = first_router(m);
	ip->interface = -1;
	return 0;
}

/* --- routes ---------------------------------------------------------------- */

struct routes {
	struct cni_result *res;
	struct arena *arena;
	int64_t priority;
};

static bool is_zero(const uint8_t *bytes)
{
	static const uint8_t zero[4];

	return !memcmp(bytes, zero, sizeof(zero));
}

/* Through 0.0.0.0 is on the link itself (RFC 3442). */
static int put_route(const struct routes *to, const struct ip_prefix *dst,
		     const uint8_t *gw, struct err *e)
{
	struct cni_route *route = cni_result_add_route(to->res, to->arena);

	if (!route)
		return err_oom(e);
	*route = cni_route_initial;
	route->dst = prefix_network(dst);
	route->priority = to->priority;
	if (is_zero(gw))
		route->scope = RT_SCOPE_LINK;
	else
		route->gw = address_at(gw);
	return 0;
}

/* RFC 3442: a length, the bytes of the destination that it covers, a router. A
 * list that does not end well is none. */
static bool is_classless(const struct content *c)
{
	size_t at = 0;

	while (at < c->len) {
		if (c->bytes[at] > 32)
			return false;
		at += 1U + (c->bytes[at] + 7U) / 8 + 4;
	}
	return c->len && at == c->len;
}

static int put_classless(const struct content *c, const struct routes *to,
			 struct err *e)
{
	const uint8_t *p = c->bytes;
	int r = 0;

	while (!r && p < c->bytes + c->len) {
		struct ip_prefix dst = { .addr.family = AF_INET, .len = *p };
		const size_t covered = (*p + 7U) / 8;

		memcpy(dst.addr.bytes, p + 1, covered);
		p += 1 + covered;
		r = put_route(to, &dst, p, e);
		p += 4;
	}
	return r;
}

static uint8_t class_length(uint8_t first)
{
	if (first < 128)
		return 8;
	return first < 192 ? 16 : 24;
}

/* Pairs of destination and router (RFC 2132, section 5.8); no default route. */
static int put_classful(const struct content *c, const struct routes *to,
			struct err *e)
{
	int r = 0;

	for (size_t at = 0; !r && at + 8 <= c->len; at += 8) {
		const struct ip_prefix dst = { address_at(c->bytes + at),
					       class_length(c->bytes[at]) };

		if (!is_zero(c->bytes + at))
			r = put_route(to, &dst, c->bytes + at + 4, e);
	}
	return r;
}

/* With the classless routes all others are ignored (RFC 3442). */
static int put_routes(const struct message4 *m, const struct routes *to,
		      struct err *e)
{
	const struct ip_prefix all = { .addr.family = AF_INET };
	struct content c = read_option(m, DHCP4_CLASSLESS_ROUTES);
	struct ip_addr router = first_router(m);
	int r;

	if (is_classless(&c))
		return put_classless(&c, to, e);
	c = read_option(m, DHCP4_STATIC_ROUTES);
	r = put_classful(&c, to, e);
	if (!r && router.family && !is_zero(router.bytes))
		r = put_route(to, &all, router.bytes, e);
	return r;
}

/* --- names ----------------------------------------------------------------- */

/* These end up in a file of configuration, resolv.conf. */
static bool is_name(const char *name, size_t len)
{
	if (!len || len > NAME_MAX_LEN || name[0] == '-' || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}

static int put_search(struct cni_dns *dns, const char *name, struct arena *a)
{
	if (dns->search.n == NAMES_MAX)
		return 0;
	if (!dns->search.v)
		dns->search.v = arena_array(a, NAMES_MAX, sizeof(char *));
	if (!dns->search.v || !name)
		return -ENOMEM;
	dns->search.v[dns->search.n++] = name;
	return 0;
}

/* The name at *@at (RFC 1035, section 4.1.4), as text in @name; its length, 0 for
 * one that is malformed. A pointer leads back, each further than the one before. */
static size_t expand_name(const struct content *c, size_t *at,
			  char name[static NAME_MAX_LEN + 1])
{
	size_t p = *at, limit = *at, len = 0;
	bool jumped = false;

	for (;;) {
		const uint8_t label = p < c->len ? c->bytes[p] : 0xff;

		if ((label & 0xc0) == 0xc0 && p + 1 < c->len) {
			const size_t to =
				(label & 0x3fU) << 8 | c->bytes[p + 1];

			if (!jumped)
				*at = p + 2;
			jumped = true;
			if (to >= limit)
				return 0;
			limit = p = to;
			continue;
		}
		if (label & 0xc0 || p + 1 + label > c->len ||
		    len + label + 1 > NAME_MAX_LEN)
			return 0;
		p += 1U + label;
		if (!label)
			break;
		if (len)
			name[len++] = '.';
		memcpy(name + len, c->bytes + p - label, label);
		len += label;
	}
	if (!jumped)
		*at = p;
	return len;
}

/* RFC 3397. */
static int put_search_list(const struct content *c, struct cni_dns *dns,
			   struct arena *a)
{
	char name[NAME_MAX_LEN + 1];
	size_t at = 0, before, len;
	int r = 0;

	while (!r && at < c->len) {
		before = at;
		len = expand_name(c, &at, name);
		if (!len && at == before)
			return 0;
		if (is_name(name, len))
			r = put_search(dns,
				       arena_printf(a, "%.*s", (int)len, name),
				       a);
	}
	return r;
}

/* The domain, of which some servers list several: the first is the container's,
 * and all are searched where no list for that is given. */
static int put_domain(const struct content *c, struct cni_dns *dns,
		      struct arena *a)
{
	const bool has_list = dns->search.n;
	char *list =
		arena_printf(a, "%.*s", (int)c->len, (const char *)c->bytes);
	const char *word;
	int r = 0;

	if (!list)
		return -ENOMEM;
	while (!r && (word = strsep(&list, " "))) {
		if (!is_name(word, strlen(word)))
			continue;
		if (!dns->domain)
			dns->domain = word;
		if (!has_list)
			r = put_search(dns, word, a);
	}
	return r;
}

static int put_servers(const struct content *c, struct cni_dns *dns,
		       struct arena *a)
{
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	if (c->len < 4)
		return 0;
	dns->nameservers.v = arena_array(a, c->len / 4, sizeof(char *));
	if (!dns->nameservers.v)
		return -ENOMEM;
	for (size_t at = 0; at + 4 <= c->len; at += 4) {
		addr = address_at(c->bytes + at);
		dns->nameservers.v[dns->nameservers.n] =
			arena_strdup(a, ip_text(&addr, text));
		if (!dns->nameservers.v[dns->nameservers.n++])
			return -ENOMEM;
	}
	return 0;
}

static int put_dns(const struct message4 *m, struct arena *a,
		   struct cni_dns *dns, struct err *e)
{
	struct content c = read_option(m, DHCP4_DNS_SERVERS);
	int r = put_servers(&c, dns, a);

	c = read_option(m, DHCP4_DOMAIN_SEARCH);
	if (!r)
		r = put_search_list(&c, dns, a);
	c = read_option(m, DHCP4_DOMAIN_NAME);
	if (!r)
		r = put_domain(&c, dns, a);
	return r ? err_oom(e) : 0;
}

/* --- all of it ------------------------------------------------------------- */

int option4_result(const struct lease4 *lease, int64_t priority,
		   struct arena *a, struct cni_result *ret, struct err *e)
{
	const struct routes routes = { ret, a, priority };
	struct message4 m;
	int r;

	if (message4_read(lease->ack, lease->ack_len, &m))
		return err_set(e, ERR_IO, EBADMSG, "no DHCP lease");
	r = put_address(lease, &m, a, ret, e);
	if (!r)
		r = put_routes(&m, &routes, e);
	return r ? r : put_dns(&m, a, &ret->dns, e);
}

uint32_t option4_mtu(const struct lease4 *lease)
{
	struct message4 m;
	uint8_t value[2];
	uint32_t mtu = 0;

	if (!message4_read(lease->ack, lease->ack_len, &m) &&
	    message4_option(&m, DHCP4_MTU, value, sizeof(value)) == 2)
		mtu = (uint32_t)(value[0] << 8 | value[1]);
	return mtu >= MTU_MIN ? mtu : 0;
}
