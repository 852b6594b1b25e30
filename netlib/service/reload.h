// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Put back what somebody has flushed: all parts of table hawser that
 * attachments use, and the attachments' elements, from what was written down
 * (service/record.h). What is there stays; chains that are the same for all are
 * filled anew. Rules that an administrator has put into chains meant for them
 * are gone with a flush, for nobody has written them down.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct reload_report {
	size_t attachments; /* whose namespace is there still */
	size_t elements;    /* of theirs that were missing */
};

/* All in one transaction; where that cannot be, in several, and what cannot be
 * put back does not keep the rest from it: the first error is returned. The
 * caller holds owned_file_lock(). */
int reload(struct reload_report *ret, struct err *e);
