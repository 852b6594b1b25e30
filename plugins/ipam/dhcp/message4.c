// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/message4.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Where the fields are (RFC 2131, figure 1). */
enum offset {
	OP = 0,
	HTYPE = 1,
	HLEN = 2,
	XID = 4,
	SECS = 8,
	FLAGS = 10,
	CIADDR = 12,
	YIADDR = 16,
	CHADDR = 28,
	SNAME = 44,
	FILE_NAME = 108,
	COOKIE = 236,
	OPTIONS = 240,
};

#define BOOT_REQUEST   1
#define BOOT_REPLY     2
#define ETHERNET       1
#define FLAG_BROADCAST 0x80
#define LEN_MIN	       300  /* BOOTP's; some relays drop what is shorter */
#define ANSWER_MAX     1472 /* in one frame of Ethernet */
#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2

static const uint8_t cookie[4] = { 99, 130, 83, 99 };

/* --- writing --------------------------------------------------------------- */

static void put(struct dhcp_packet *out, const void *data, size_t len)
{
	if (len > sizeof(out->data) - out->len)
		len = sizeof(out->data) - out->len;
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void put_option(struct dhcp_packet *out, uint8_t code, const void *data,
		       size_t len)
{
	const uint8_t head[2] = { code, (uint8_t)len };

	put(out, head, sizeof(head));
	put(out, data, len);
}

static void put_address(struct dhcp_packet *out, uint8_t code,
			const struct ip_addr *addr)
{
	if (addr->family)
		put_option(out, code, addr->bytes, 4);
}

static void put_header(const struct message4_new *m, struct dhcp_packet *out)
{
	const uint32_t xid = htobe32(m->xid);
	const uint16_t secs = htobe16(m->secs);

	memset(out, 0, sizeof(*out));
	out->data[OP] = BOOT_REQUEST;
	out->data[HTYPE] = ETHERNET;
	out->data[HLEN] = MAC_LEN;
	memcpy(out->data + XID, &xid, sizeof(xid));
	memcpy(out->data + SECS, &secs, sizeof(secs));
	out->data[FLAGS] = m->broadcast ? FLAG_BROADCAST : 0;
	memcpy(out->data + CIADDR, m->ciaddr.bytes, 4);
	memcpy(out->data + CHADDR, m->mac, MAC_LEN);
	memcpy(out->data + COOKIE, cookie, sizeof(cookie));
	out->len = OPTIONS;
}

void message4_write(const struct message4_new *m, struct dhcp_packet *out)
{
	const uint8_t type = (uint8_t)m->type, end = DHCP4_END;
	const uint16_t size = htobe16(ANSWER_MAX);

	put_header(m, out);
	put_option(out, DHCP4_MESSAGE_TYPE, &type, sizeof(type));
	put_address(out, DHCP4_REQUESTED_ADDRESS, &m->requested);
	put_address(out, DHCP4_SERVER_ID, &m->server);
	if (m->request_len) {
		put_option(out, DHCP4_MAX_SIZE, &size, sizeof(size));
		put_option(out, DHCP4_PARAMETER_REQUEST, m->request,
			   m->request_len);
	}
	put(out, m->options, m->options_len);
	put(out, &end, sizeof(end));
	if (out->len < LEN_MIN)
		out->len = LEN_MIN;
}

/* --- reading --------------------------------------------------------------- */

/* A part of the message that holds options. */
struct area {
	const uint8_t *p, *end;
};

static struct area area_of(const struct message4 *m, size_t offset, size_t len)
{
	return (struct area){ m->data + offset, m->data + offset + len };
}

/* The next option: 1, or 0 at the end, or -EBADMSG. */
static int next_option(struct area *a, uint8_t *ret_code,
		       const uint8_t **ret_value, size_t *ret_len)
{
	while (a->p < a->end && *a->p == DHCP4_PAD)
		a->p++;
	if (a->p == a->end || *a->p == DHCP4_END)
		return 0;
	if (a->end - a->p < 2 || a->end - a->p - 2 < a->p[1])
		return -EBADMSG;
	*ret_code = a->p[0];
	*ret_len = a->p[1];
	*ret_value = a->p + 2;
	a->p += 2 + *ret_len;
	return 1;
}

/* The areas in the order in which their options are put together (RFC 3396,
 * section 5). */
static size_t list_areas(const struct message4 *m, struct area ret[static 3])
{
	size_t n = 0;

	ret[n++] = area_of(m, OPTIONS, m->len - OPTIONS);
	if (m->overload & OVERLOAD_FILE)
		ret[n++] = area_of(m, FILE_NAME, COOKIE - FILE_NAME);
	if (m->overload & OVERLOAD_SNAME)
		ret[n++] = area_of(m, SNAME, FILE_NAME - SNAME);
	return n;
}

size_t message4_option(const struct message4 *m, uint8_t code, uint8_t *buf,
		       size_t size)
{
	struct area areas[3];
	const uint8_t *value;
	size_t n = list_areas(m, areas), total = 0, len;
	uint8_t found;

	for (size_t i = 0; i < n; i++)
		while (next_option(&areas[i], &found, &value, &len) > 0) {
			if (found != code)
				continue;
			if (len > size - total)
				return 0;
			memcpy(buf + total, value, len);
			total += len;
		}
	return total;
}

bool message4_u32(const struct message4 *m, uint8_t code, uint32_t *ret)
{
	uint8_t value[4];

	if (message4_option(m, code, value, sizeof(value)) != sizeof(value))
		return false;
	memcpy(ret, value, sizeof(value));
	*ret = be32toh(*ret);
	return true;
}

bool message4_address(const struct message4 *m, uint8_t code,
		      struct ip_addr *ret)
{
	uint8_t value[4];

	if (message4_option(m, code, value, sizeof(value)) != sizeof(value))
		return false;
	*ret = (struct ip_addr){ .family = AF_INET };
	memcpy(ret->bytes, value, sizeof(value));
	return true;
}

static bool is_reply(const uint8_t *data, size_t len)
{
	return len >= OPTIONS && data[OP] == BOOT_REPLY &&
	       data[HTYPE] == ETHERNET && data[HLEN] == MAC_LEN &&
	       !memcmp(data + COOKIE, cookie, sizeof(cookie));
}

/* Every option of every area lies inside it. */
static int check_areas(const struct message4 *m)
{
	struct area areas[3];
	const uint8_t *value;
	size_t n = list_areas(m, areas), len;
	uint8_t code;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		do
			r = next_option(&areas[i], &code, &value, &len);
		while (r > 0);
	return r;
}

int message4_read(const uint8_t *data, size_t len, struct message4 *ret)
{
	struct message4 m = { .data = data, .len = len };
	uint8_t type, overload;

	if (!is_reply(data, len) || check_areas(&m))
		return -EBADMSG;
	if (message4_option(&m, DHCP4_OVERLOAD, &overload, 1) == 1)
		m.overload = overload;
	if (check_areas(&m) ||
	    message4_option(&m, DHCP4_MESSAGE_TYPE, &type, 1) != 1)
		return -EBADMSG;
	m.type = type;
	memcpy(&m.xid, data + XID, sizeof(m.xid));
	m.xid = be32toh(m.xid);
	m.mac = data + CHADDR;
	m.yiaddr.family = AF_INET;
	memcpy(m.yiaddr.bytes, data + YIADDR, 4);
	message4_address(&m, DHCP4_SERVER_ID, &m.server);
	*ret = m;
	return 0;
}
