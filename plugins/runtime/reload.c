// SPDX-License-Identifier: GPL-2.0-or-later
/* hawser reload: put back what a flush of the ruleset took away. */
#include "service/reload.h"

#include <argp.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/owned_file.h"
#include "cni/replay.h"
#include "plugins.h"
#include "runtime/verb.h"

static const struct argp argp = {
	.doc = "Put back everything that live attachments have in nftables, in one transaction, and then what they have in iptables and firewalld. For when another program has flushed the ruleset: nft flush ruleset, a restart of nftables.service."
	       "\vWhat is there already stays, so it may be run at any time."
};

int verb_reload(int argc, char *argv[], char *const *env)
{
	struct reload_report report;
	_close_ int lock = -1;
	size_t calls = 0;
	struct err e;
	int first, r;

	(void)env;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	lock = owned_file_lock(true); /* nobody comes or goes meanwhile */
	(void)lock;
	first = reload(&report, &e);
	r = replay_all(plugins_built_in, &calls, first ? NULL : &e);
	printf("%zu attachments, %zu elements put back\n", report.attachments,
	       report.elements);
	if (calls)
		printf("%zu calls with iptables or firewalld made again\n",
		       calls);
	return first || r ? verb_fail(argv[0], &e) : 0;
}
