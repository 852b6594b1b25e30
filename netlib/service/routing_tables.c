// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/routing_tables.h"

#include <linux/rtnetlink.h>

static const uint8_t families[] = { AF_INET, AF_INET6 };

int routing_tables_read(const struct netns *ns, struct arena *a,
			struct routing_tables *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++) {
		r = rule_list(ns, families[i], a, &ret->rules[i],
			      &ret->rules_n[i], e);
		if (!r)
			r = route_list(ns, families[i], a, &ret->routes[i],
				       &ret->routes_n[i], e);
	}
	return r;
}

static bool is_used(const struct routing_tables *tables, uint32_t table)
{
	for (size_t i = 0; i < sizeof(families); i++) {
		for (size_t k = 0; k < tables->rules_n[i]; k++)
			if (tables->rules[i][k].table == table)
				return true;
		for (size_t k = 0; k < tables->routes_n[i]; k++)
			if (tables->routes[i][k].table == table)
				return true;
	}
	return table >= RT_TABLE_COMPAT && table <= RT_TABLE_LOCAL;
}

uint32_t routing_tables_find_free(const struct routing_tables *tables,
				  uint32_t first)
{
	while (is_used(tables, first))
		first++;
	return first;
}
