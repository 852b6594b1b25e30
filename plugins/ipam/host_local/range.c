// SPDX-License-Identifier: GPL-2.0-or-later
#include "range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool range_contains(const struct range *r, const struct ip_addr *addr)
{
	return prefix_contains(&r->subnet, addr) &&
	       (!r->start.family || ip_compare(addr, &r->start) >= 0) &&
	       (!r->end.family || ip_compare(addr, &r->end) <= 0);
}

static bool ranges_overlap(const struct range *a, const struct range *b)
{
	return range_contains(a, &b->start) || range_contains(a, &b->end) ||
	       range_contains(b, &a->start) || range_contains(b, &a->end);
}

struct range_text range_set_text(const struct range_set *set)
{
	char start[IP_TEXT_MAX], end[IP_TEXT_MAX];
	struct range_text t = { "" };

	for (size_t i = 0; i < set->ranges.n; i++) {
		const struct range *r = &set->ranges.v[i];
		size_t used = strlen(t.text);

		snprintf(t.text + used, sizeof(t.text) - used, "%s%s-%s",
			 i ? "," : "", ip_text(&r->start, start),
			 ip_text(&r->end, end));
	}
	return t;
}

static struct range_text range_text(const struct range *r)
{
	const struct range_set alone = { .ranges = { (struct range *)r, 1 } };

	return range_set_text(&alone);
}

static int check_subnet(const struct ip_prefix *subnet, struct err *e)
{
	struct ip_prefix network = prefix_network(subnet);
	char text[PREFIX_TEXT_MAX], net[IP_TEXT_MAX];

	if (!subnet->addr.family)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "range has no \"subnet\"");
	if (subnet->len > ip_bits(subnet->addr.family) - 2)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "Network %s too small to allocate from",
			       prefix_text(&network, text));
	if (!prefix_equal(subnet, &network))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"Network has host bits set. For a subnet mask of length %u the network address is %s",
			subnet->len, ip_text(&network.addr, net));
	return 0;
}

static int not_in_network(const char *what, const struct ip_addr *addr,
			  const struct range *r, struct err *e)
{
	char text[IP_TEXT_MAX], net[PREFIX_TEXT_MAX];

	return err_set(e, ERR_CONFIG, EINVAL, "%s %s not in network %s", what,
		       ip_text(addr, text), prefix_text(&r->subnet, net));
}

/* In the reference's order: a start above the end is said of the start. */
static int range_canonicalise(struct range *r, struct err *e)
{
	int ret = check_subnet(&r->subnet, e);

	if (ret)
		return ret;
	if (!r->gateway.family)
		r->gateway = ip_next(r->subnet.addr);
	if (!r->start.family)
		r->start = ip_next(r->subnet.addr);
	else if (!range_contains(r, &r->start))
		return not_in_network("RangeStart", &r->start, r, e);
	if (r->end.family && !range_contains(r, &r->end))
		return not_in_network("RangeEnd", &r->end, r, e);
	if (r->end.family)
		return 0;
	r->end = prefix_last(&r->subnet);
	if (r->end.family == AF_INET)
		r->end = ip_previous(r->end);
	return 0;
}

static int check_disjoint(const struct range_set *set, struct err *e)
{
	const struct range *v = set->ranges.v;

	for (size_t i = 0; i < set->ranges.n; i++)
		for (size_t j = i + 1; j < set->ranges.n; j++)
			if (ranges_overlap(&v[i], &v[j]))
				return err_set(e, ERR_CONFIG, EINVAL,
					       "subnets %s and %s overlap",
					       range_text(&v[i]).text,
					       range_text(&v[j]).text);
	return 0;
}

int range_set_canonicalise(struct range_set *set, struct err *e)
{
	struct range *v = set->ranges.v;

	if (!set->ranges.n)
		return err_set(e, ERR_CONFIG, EINVAL, "empty range set");
	for (size_t i = 0; i < set->ranges.n; i++) {
		int r = range_canonicalise(&v[i], e);

		if (r)
			return r;
		if (v[i].subnet.addr.family != v[0].subnet.addr.family)
			return err_set(e, ERR_CONFIG, EINVAL,
				       "mixed address families");
	}
	return check_disjoint(set, e);
}

const struct range *range_set_find(const struct range_set *set,
				   const struct ip_addr *addr)
{
	for (size_t i = 0; i < set->ranges.n; i++)
		if (range_contains(&set->ranges.v[i], addr))
			return &set->ranges.v[i];
	return NULL;
}

bool range_set_overlaps(const struct range_set *a, const struct range_set *b)
{
	for (size_t i = 0; i < a->ranges.n; i++)
		for (size_t j = 0; j < b->ranges.n; j++)
			if (ranges_overlap(&a->ranges.v[i], &b->ranges.v[j]))
				return true;
	return false;
}

bool range_set_has_gateway(const struct range_set *set,
			   const struct ip_addr *addr)
{
	for (size_t i = 0; i < set->ranges.n; i++)
		if (ip_equal(&set->ranges.v[i].gateway, addr))
			return true;
	return false;
}
