// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans for iptables against the text of a table: no program is run. */
#pragma once

#include "unit.h"

#include <sys/socket.h>

#include "service/iptables.h"

#define EMPTY_NAT                     \
	"*nat\n"                      \
	":PREROUTING ACCEPT [0:0]\n"  \
	":INPUT ACCEPT [0:0]\n"       \
	":OUTPUT ACCEPT [0:0]\n"      \
	":POSTROUTING ACCEPT [0:0]\n" \
	"COMMIT\n"

/* What the plan has to say of the table: its error, or in *@ret what
 * iptables-restore would be given. */
static inline int try_plan(iptables_plan *plan, const void *arg, uint8_t family,
			   const char *table, const char *saved,
			   char ret[static 8192], struct err *e)
{
	_iptables_ struct iptables t = {
		.place = { IPTABLES_PLAIN, family, table },
	};
	const char *text = "";
	int r = iptables_parse(&t, saved, e);

	if (!r)
		r = plan(&t, arg, e);
	if (!r)
		r = iptables_restore_text(&t, &text, e);
	assert_true(strlen(text) < 8192);
	snprintf(ret, 8192, "%s", text);
	return r;
}

static inline void assert_plan(iptables_plan *plan, const void *arg,
			       uint8_t family, const char *table,
			       const char *saved, const char *expected)
{
	char text[8192];
	struct err e = { 0 };

	if (try_plan(plan, arg, family, table, saved, text, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(text, expected);
}
