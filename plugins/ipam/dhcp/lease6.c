// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/lease6.h"

#include <string.h>

#define SECOND 1000U

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t lease6_first_end(const struct lease6 *lease)
{
	uint64_t end = DHCP_NEVER;

	for (size_t i = 0; i < lease->addrs_n; i++)
		end = earlier(end, lease->addrs[i].valid_ms);
	return end;
}

uint64_t lease6_last_end(const struct lease6 *lease)
{
	uint64_t end = 0;

	for (size_t i = 0; i < lease->addrs_n; i++)
		end = later(end, lease->addrs[i].valid_ms);
	return end;
}

static void remove_addr(struct lease6 *lease, size_t i)
{
	lease->addrs_n--;
	memmove(lease->addrs + i, lease->addrs + i + 1,
		(lease->addrs_n - i) * sizeof(*lease->addrs));
}

bool lease6_drop_expired(struct lease6 *lease, uint64_t now_ms)
{
	uint8_t before = lease->addrs_n;

	for (size_t i = lease->addrs_n; i-- > 0;)
		if (lease->addrs[i].valid_ms <= now_ms)
			remove_addr(lease, i);
	return lease->addrs_n != before;
}

static uint64_t until(uint64_t now_ms, uint32_t seconds)
{
	return seconds == DHCP6_INFINITY ? DHCP_NEVER
					 : now_ms + (uint64_t)seconds * SECOND;
}

static void put_addr(struct lease6 *lease, const struct dhcp6_addr *a,
		     uint64_t now_ms)
{
	size_t i = 0;

	while (i < lease->addrs_n && !ip_equal(&lease->addrs[i].addr, &a->addr))
		i++;
	if (a->valid_s && i < DHCP6_ADDRS_MAX) {
		lease->addrs[i] = (struct lease6_addr){
			.addr = a->addr,
			.preferred_ms = until(now_ms, a->preferred_s),
			.valid_ms = until(now_ms, a->valid_s),
		};
		lease->addrs_n += i == lease->addrs_n;
	} else if (!a->valid_s && i < lease->addrs_n) {
		remove_addr(lease, i);
	}
}

static uint64_t portion(uint64_t now_ms, uint64_t then_ms, unsigned tenths)
{
	return then_ms == DHCP_NEVER
		       ? DHCP_NEVER
		       : now_ms + (then_ms - now_ms) / 10 * tenths;
}

/* RFC 8415, 21.4: what the server leaves open is half and four fifths of the
 * shortest preferred lifetime; so is what would come after the end. Only of
 * what it prolongs: what it does not speak of would be renewed ever sooner. */
static void set_times(struct lease6 *lease, const struct dhcp6_ia *ia,
		      uint64_t now_ms)
{
	uint64_t t1 = until(now_ms, ia->t1_s), t2 = until(now_ms, ia->t2_s);
	uint64_t shortest = DHCP_NEVER, end = DHCP_NEVER;
	bool prolonged = false;

	for (size_t i = 0; i < ia->addrs_n; i++) {
		const struct dhcp6_addr *a = &ia->addrs[i];
		uint32_t s = a->preferred_s ? a->preferred_s : a->valid_s;

		if (!a->valid_s)
			continue;
		prolonged = true;
		shortest = earlier(shortest, until(now_ms, s));
		end = earlier(end, until(now_ms, a->valid_s));
	}
	if (!prolonged)
		return;
	if (!ia->t2_s || t2 >= end)
		t2 = portion(now_ms, shortest, 8);
	if (!ia->t1_s || t1 > t2)
		t1 = earlier(portion(now_ms, shortest, 5), t2);
	lease->t1_ms = t1;
	lease->t2_ms = t2;
}

void lease6_take(struct lease6 *lease, const struct message6 *m, bool all,
		 uint64_t now_ms)
{
	if (all)
		lease->addrs_n = 0;
	for (size_t i = 0; i < m->ia.addrs_n; i++)
		put_addr(lease, &m->ia.addrs[i], now_ms);
	set_times(lease, &m->ia, now_ms);
	lease->server = m->server;
	if (m->dns.servers_n || m->dns.search.text[0])
		lease->dns = m->dns;
}
