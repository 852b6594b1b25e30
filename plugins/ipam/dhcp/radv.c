// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/radv.h"

#include <errno.h>
#include <netinet/icmp6.h>

#include "ipam/dhcp/wire.h"

enum nd_option {
	ND_SOURCE_LINKADDR = 1,
	ND_PREFIX = 3,
	ND_MTU = 5,
	ND_RDNSS = 25,
	ND_DNSSL = 31,
};

#define HEADER_LEN 16
#define UNIT	   8 /* lengths of options are counted in these */
#define PREFIX_LEN 32
#define MTU_LOWEST 1280 /* RFC 8200, 5 */

/* RFC 4862, 5.5.3: a preferred lifetime above the valid one is wrong, and what
 * is link-local is no prefix to announce. */
static void read_prefix(const uint8_t *o, size_t len, struct radv *radv)
{
	struct radv_prefix p;

	if (len != PREFIX_LEN || o[2] > 128 ||
	    radv->prefixes_n == RADV_PREFIXES_MAX)
		return;
	p = (struct radv_prefix){
		.prefix = { wire_get_ip6(o + 16), o[2] },
		.on_link = o[3] & ND_OPT_PI_FLAG_ONLINK,
		.autoconf = o[3] & ND_OPT_PI_FLAG_AUTO,
		.valid_s = wire_get32(o + 4),
		.preferred_s = wire_get32(o + 8),
	};
	if (p.preferred_s <= p.valid_s && !ip_is_link_local(&p.prefix.addr))
		radv->prefixes[radv->prefixes_n++] = p;
}

static void read_mtu(const uint8_t *o, size_t len, struct radv *radv)
{
	uint32_t mtu = len == UNIT ? wire_get32(o + 4) : 0;

	if (mtu >= MTU_LOWEST)
		radv->mtu = mtu;
}

/* RFC 8106, 5.1 and 5.2: with a lifetime of 0 it is not to be used any more. */
static void read_dns(const uint8_t *o, size_t len, struct dhcp6_dns *dns)
{
	if (len == UNIT || !wire_get32(o + 4))
		return;
	if (o[0] == ND_DNSSL)
		search_list_read(&dns->search, o + UNIT, len - UNIT);
	else
		dhcp6_dns_read(dns, o + UNIT, len - UNIT);
}

static void read_option(const uint8_t *o, size_t len, struct radv *radv)
{
	switch ((enum nd_option)o[0]) {
	case ND_PREFIX:
		read_prefix(o, len, radv);
		break;
	case ND_MTU:
		read_mtu(o, len, radv);
		break;
	case ND_RDNSS:
	case ND_DNSSL:
		read_dns(o, len, &radv->dns);
		break;
	default:
		break;
	}
}

int radv_read(const uint8_t *data, size_t len, struct radv *ret)
{
	struct radv radv = { 0 };

	if (len < HEADER_LEN || data[0] != ND_ROUTER_ADVERT || data[1])
		return -EBADMSG;
	radv.managed = data[5] & ND_RA_FLAG_MANAGED;
	radv.other = data[5] & ND_RA_FLAG_OTHER;
	radv.router_s = wire_get16(data + 6);
	for (size_t at = HEADER_LEN, n; at < len; at += n) {
		n = len - at < 2 ? 0 : (size_t)data[at + 1] * UNIT;
		if (!n || n > len - at)
			return -EBADMSG;
		read_option(data + at, n, &radv);
	}
	*ret = radv;
	return 0;
}

bool radv_has_autoconf(const struct radv *radv)
{
	for (size_t i = 0; i < radv->prefixes_n; i++)
		if (radv->prefixes[i].autoconf && radv->prefixes[i].valid_s)
			return true;
	return false;
}

size_t radv_write_solicit(const uint8_t *mac,
			  uint8_t buf[static RADV_SOLICIT_MAX])
{
	memset(buf, 0, RADV_SOLICIT_MAX);
	buf[0] = ND_ROUTER_SOLICIT;
	if (!mac)
		return 8;
	buf[8] = ND_SOURCE_LINKADDR;
	buf[9] = 1;
	memcpy(buf + 10, mac, MAC_LEN);
	return RADV_SOLICIT_MAX;
}
