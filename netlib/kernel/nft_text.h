// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules in nft's own words, for the parts of rules that users write. They are
 * libnftables' to understand: it is loaded when one is needed, for it takes as
 * long to start as all the rest.
 */
#pragma once

#include "base/err.h"
#include "kernel/nft.h"

/* Whether @text can be one part of one rule: no other command hides in it. The
 * error, of code ERR_CONFIG, quotes it. */
int nft_text_check(const char *text, struct err *e);

/* Give @chain of the table one rule and no other; of the process's own
 * namespace. -ENOSYS when libnftables is not installed; what it says about
 * @rule becomes the error. */
int nft_text_fill_chain(const struct nft *nft, const char *chain,
			const char *rule, struct err *e);
