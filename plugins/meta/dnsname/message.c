// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/message.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* TC in the flags of a header: RFC 1035, 4.1.1 */
#define TRUNCATED 0x0200

static uint16_t type_of(const struct ip_addr *addr)
{
	return addr->family == AF_INET ? ns_t_a : ns_t_aaaa;
}

/* A header, then one question: name, type, class (4.1). */
size_t dns_message_write(uint16_t id, const char *name,
			 const struct ip_addr *addr,
			 uint8_t ret[static NS_PACKETSZ])
{
	const uint8_t *const end = ret + NS_PACKETSZ;
	uint8_t *p = ret;
	int n;

	NS_PUT16(id, p);
	NS_PUT16(0, p); /* a standard query, recursion not desired */
	NS_PUT16(1, p);
	NS_PUT16(0, p); /* no answers, authorities, others */
	NS_PUT16(0, p);
	NS_PUT16(0, p);
	n = ns_name_compress(name, p, (size_t)(end - p) - NS_QFIXEDSZ, NULL,
			     NULL);
	if (n < 0)
		return 0;
	p += n;
	NS_PUT16(type_of(addr), p);
	NS_PUT16(ns_c_in, p);
	return (size_t)(p - ret);
}

/* Past a record at @p: a name, type, class, TTL, length and so much data (RFC
 * 1035, 4.1.3). libresolv's parser is not used: as an archive it needs symbols
 * that libc keeps for one version of it, as a library 60 us of every call. */
static const uint8_t *read_record(const uint8_t *p, const uint8_t *end,
				  uint16_t *ret_type, uint16_t *ret_len)
{
	if (ns_name_skip(&p, end) || end - p < NS_RRFIXEDSZ)
		return NULL;
	NS_GET16(*ret_type, p);
	p += NS_INT16SZ + NS_INT32SZ;
	NS_GET16(*ret_len, p);
	return end - p < *ret_len ? NULL : p + *ret_len;
}

/* Whether the address is among @n records from @p on. */
static bool has_address(const struct ip_addr *addr, const uint8_t *p,
			const uint8_t *end, uint16_t n)
{
	uint16_t type, len;

	while (n-- && (p = read_record(p, end, &type, &len)))
		if (type == type_of(addr) && len == ip_size(addr->family) &&
		    !memcmp(p - len, addr->bytes, len))
			return true;
	return false;
}

int dns_message_read(const uint8_t *packet, size_t len, uint16_t id,
		     const struct ip_addr *addr, bool *ret)
{
	const uint8_t *p = packet, *const end = packet + len;
	uint16_t of, flags, questions, answers;

	if (len < NS_HFIXEDSZ)
		return -EBADMSG;
	NS_GET16(of, p);
	NS_GET16(flags, p);
	NS_GET16(questions, p);
	NS_GET16(answers, p);
	if (of != id)
		return -EBADMSG;
	p = packet + NS_HFIXEDSZ;
	while (questions--) {
		if (ns_name_skip(&p, end) || end - p < NS_QFIXEDSZ)
			return -EBADMSG;
		p += NS_QFIXEDSZ;
	}
	*ret = has_address(addr, p, end, answers) || flags & TRUNCATED;
	return 0;
}
