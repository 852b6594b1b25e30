// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/message6.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ipam/dhcp/wire.h"

enum option6 {
	OPT_CLIENTID = 1,
	OPT_SERVERID = 2,
	OPT_IA_NA = 3,
	OPT_IAADDR = 5,
	OPT_ORO = 6,
	OPT_PREFERENCE = 7,
	OPT_ELAPSED_TIME = 8,
	OPT_STATUS_CODE = 13,
	OPT_RAPID_COMMIT = 14,
	OPT_DNS_SERVERS = 23, /* RFC 3646 */
	OPT_DOMAIN_LIST = 24,
	OPT_SOL_MAX_RT = 82,
	OPT_INF_MAX_RT = 83,
};

#define HEADER_LEN	 4  /* type, transaction */
#define IA_NA_FIXED_LEN	 12 /* IAID, T1, T2 */
#define IAADDR_FIXED_LEN 24 /* address, preferred, valid */
#define MAX_RT_LOWEST_S	 60 /* RFC 8415, 21.24: others are ignored */
#define MAX_RT_HIGHEST_S 86400

/* --- writing ------------------------------------------------------------- */

/* What does not fit any more is left out, and said at the end. */
struct writer {
	uint8_t *buf;
	size_t size, len;
	bool full;
};

static void put(struct writer *w, const void *data, size_t n)
{
	if (n > w->size - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->buf + w->len, data, n);
	w->len += n;
}

static void put16(struct writer *w, unsigned v)
{
	const uint8_t bytes[] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(w, bytes, sizeof(bytes));
}

static void put32(struct writer *w, uint32_t v)
{
	put16(w, v >> 16);
	put16(w, v & 0xffff);
}

static void put_option(struct writer *w, enum option6 code, size_t len)
{
	put16(w, code);
	put16(w, (unsigned)len);
}

static void put_duid(struct writer *w, enum option6 code, const struct duid *d)
{
	if (!d)
		return;
	put_option(w, code, d->len);
	put(w, d->bytes, d->len);
}

/* A client leaves all times to the server: they are 0 (RFC 8415, 21.4). */
static void put_ia(struct writer *w, const struct message6_request *request)
{
	size_t addr = 4 + IAADDR_FIXED_LEN;

	put_option(w, OPT_IA_NA, IA_NA_FIXED_LEN + request->addrs_n * addr);
	put32(w, request->iaid);
	put32(w, 0);
	put32(w, 0);
	for (size_t i = 0; i < request->addrs_n; i++) {
		put_option(w, OPT_IAADDR, IAADDR_FIXED_LEN);
		put(w, request->addrs[i].bytes, 16);
		put32(w, 0);
		put32(w, 0);
	}
}

/* Both maxima have to be asked for (RFC 8415, 21.24 and 21.25). */
static void put_wishes(struct writer *w, uint8_t type)
{
	bool information = type == DHCP6_INFORMATION_REQUEST;

	if (type == DHCP6_RELEASE)
		return;
	put_option(w, OPT_ORO, 6);
	put16(w, OPT_DNS_SERVERS);
	put16(w, OPT_DOMAIN_LIST);
	put16(w, information ? OPT_INF_MAX_RT : OPT_SOL_MAX_RT);
}

size_t message6_write(const struct message6_request *request, uint8_t *buf,
		      size_t size)
{
	struct writer w = { .buf = buf, .size = size };

	put32(&w, (uint32_t)request->type << 24 | (request->xid & 0xffffff));
	put_duid(&w, OPT_CLIENTID, request->client);
	put_duid(&w, OPT_SERVERID, request->server);
	put_option(&w, OPT_ELAPSED_TIME, 2);
	put16(&w, request->elapsed_cs);
	if (request->rapid_commit)
		put_option(&w, OPT_RAPID_COMMIT, 0);
	if (request->has_ia)
		put_ia(&w, request);
	put_wishes(&w, request->type);
	return w.full ? 0 : w.len;
}

/* --- reading ------------------------------------------------------------- */

/* An address that an interface or a resolver can do with. */
static bool is_usable(const struct ip_addr *addr)
{
	struct in6_addr in6;

	memcpy(&in6, addr->bytes, sizeof(in6));
	return !IN6_IS_ADDR_UNSPECIFIED(&in6) && !IN6_IS_ADDR_LOOPBACK(&in6) &&
	       !IN6_IS_ADDR_MULTICAST(&in6) && !IN6_IS_ADDR_V4MAPPED(&in6);
}

void dhcp6_dns_add(struct dhcp6_dns *dns, const struct ip_addr *server)
{
	for (size_t i = 0; i < dns->servers_n; i++)
		if (ip_equal(&dns->servers[i], server))
			return;
	if (dns->servers_n < DHCP6_SERVERS_MAX)
		dns->servers[dns->servers_n++] = *server;
}

struct option {
	uint16_t code;
	const uint8_t *data;
	size_t len;
};

/* The option at *at, and *at after it. */
static int next_option(const uint8_t *data, size_t len, size_t *at,
		       struct option *ret)
{
	if (len - *at < 4)
		return -EBADMSG;
	*ret = (struct option){ wire_get16(data + *at), data + *at + 4,
				wire_get16(data + *at + 2) };
	if (ret->len > len - *at - 4)
		return -EBADMSG;
	*at += 4 + ret->len;
	return 0;
}

static int read_duid(const struct option *o, struct duid *ret)
{
	if (ret->len || o->len < 3 || o->len > DUID_MAX)
		return -EBADMSG;
	ret->len = (uint8_t)o->len;
	memcpy(ret->bytes, o->data, o->len);
	return 0;
}

/* What the server says is for a person's eyes, in a log. */
static int read_status(const struct option *o, struct message6 *m,
		       uint16_t *ret)
{
	size_t n;

	if (o->len < 2)
		return -EBADMSG;
	*ret = wire_get16(o->data);
	if (!*ret)
		return 0;
	n = o->len - 2;
	if (n >= sizeof(m->status_text))
		n = sizeof(m->status_text) - 1;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = o->data[2 + i];

		m->status_text[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	m->status_text[n] = '\0';
	return 0;
}

/* RFC 8415, 18.2.10.1 and 21.6: an address whose preferred lifetime is above
 * its valid one is passed over, and so is one with a status of its own. */
static int read_iaaddr(const struct option *o, struct message6 *m)
{
	struct dhcp6_ia *ia = &m->ia;
	struct dhcp6_addr a;
	struct option inner;
	uint16_t status = 0;

	if (o->len < IAADDR_FIXED_LEN)
		return -EBADMSG;
	a = (struct dhcp6_addr){ wire_get_ip6(o->data),
				 wire_get32(o->data + 16),
				 wire_get32(o->data + 20) };
	for (size_t at = IAADDR_FIXED_LEN; at < o->len;) {
		if (next_option(o->data, o->len, &at, &inner) ||
		    (inner.code == OPT_STATUS_CODE &&
		     read_status(&inner, m, &status)))
			return -EBADMSG;
	}
	if (status)
		a.preferred_s = a.valid_s = 0;
	if (a.preferred_s <= a.valid_s && is_usable(&a.addr) &&
	    ia->addrs_n < DHCP6_ADDRS_MAX)
		ia->addrs[ia->addrs_n++] = a;
	return 0;
}

static int read_ia(const struct option *o, uint32_t iaid, struct message6 *m)
{
	struct dhcp6_ia *ia = &m->ia;
	struct option inner;
	int r = 0;

	if (o->len < IA_NA_FIXED_LEN)
		return -EBADMSG;
	if (wire_get32(o->data) != iaid)
		return 0;
	if (m->has_ia)
		return -EBADMSG;
	ia->t1_s = wire_get32(o->data + 4);
	ia->t2_s = wire_get32(o->data + 8);
	for (size_t at = IA_NA_FIXED_LEN; !r && at < o->len;) {
		r = next_option(o->data, o->len, &at, &inner);
		if (!r && inner.code == OPT_IAADDR)
			r = read_iaaddr(&inner, m);
		else if (!r && inner.code == OPT_STATUS_CODE)
			r = read_status(&inner, m, &ia->status);
	}
	/* RFC 8415, 21.4: of no use, as if it had not been there */
	m->has_ia = !ia->t1_s || !ia->t2_s || ia->t1_s <= ia->t2_s;
	if (!m->has_ia)
		*ia = (struct dhcp6_ia){ 0 };
	return r;
}

int dhcp6_dns_read(struct dhcp6_dns *dns, const uint8_t *data, size_t len)
{
	if (!len || len % 16)
		return -EBADMSG;
	for (size_t at = 0; at < len; at += 16) {
		struct ip_addr addr = wire_get_ip6(data + at);

		if (is_usable(&addr))
			dhcp6_dns_add(dns, &addr);
	}
	return 0;
}

static int read_max_rt(const struct option *o, uint32_t *ret)
{
	uint32_t v;

	if (o->len != 4)
		return -EBADMSG;
	v = wire_get32(o->data);
	if (v >= MAX_RT_LOWEST_S && v <= MAX_RT_HIGHEST_S)
		*ret = v;
	return 0;
}

/* A list of domains that cannot be used costs the client that list only. */
static int read_option(const struct option *o, uint32_t iaid,
		       struct message6 *m)
{
	switch ((enum option6)o->code) {
	case OPT_CLIENTID:
		return read_duid(o, &m->client);
	case OPT_SERVERID:
		return read_duid(o, &m->server);
	case OPT_IA_NA:
		return read_ia(o, iaid, m);
	case OPT_PREFERENCE:
		m->preference = o->len == 1 ? o->data[0] : 0;
		return o->len == 1 ? 0 : -EBADMSG;
	case OPT_STATUS_CODE:
		return read_status(o, m, &m->status);
	case OPT_RAPID_COMMIT:
		m->rapid_commit = true;
		return o->len ? -EBADMSG : 0;
	case OPT_DNS_SERVERS:
		return dhcp6_dns_read(&m->dns, o->data, o->len);
	case OPT_DOMAIN_LIST:
		search_list_read(&m->dns.search, o->data, o->len);
		return 0;
	case OPT_SOL_MAX_RT:
		return read_max_rt(o, &m->sol_max_rt_s);
	case OPT_INF_MAX_RT:
		return read_max_rt(o, &m->inf_max_rt_s);
	default:
		return 0;
	}
}

int message6_read(const uint8_t *data, size_t len, uint32_t iaid,
		  struct message6 *ret)
{
	struct message6 m = { 0 };
	struct option o;
	int r = 0;

	if (len < HEADER_LEN)
		return -EBADMSG;
	m.type = data[0];
	m.xid = wire_get32(data) & 0xffffff;
	for (size_t at = HEADER_LEN; !r && at < len;) {
		r = next_option(data, len, &at, &o);
		if (!r)
			r = read_option(&o, iaid, &m);
	}
	if (!r)
		*ret = m;
	return r;
}
