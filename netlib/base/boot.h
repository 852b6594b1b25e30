// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which boot of which machine this is. What was true before a reboot (that a
 * network namespace exists, that a file in /run is complete) is not after it,
 * and another machine's boots say nothing here.
 */
#pragma once

#include <stdbool.h>

#define BOOT_ID_LEN    36 /* a UUID */
#define MACHINE_ID_LEN 32
#define BOOT_TEXT_MAX  (BOOT_ID_LEN + 1 + MACHINE_ID_LEN + 1)

struct boot {
	char id[BOOT_ID_LEN + 1];	  /* "": unknown */
	char machine[MACHINE_ID_LEN + 1]; /* the same */
};

/* random(4) boot_id and machine-id(5). */
struct boot boot_current(void);

/* "<boot ID> <machine ID>"; "" when either is unknown. */
const char *boot_text(const struct boot *boot, char buf[static BOOT_TEXT_MAX]);

/* Whether @text is boot_text() of an earlier boot of the same machine. */
bool boot_is_earlier(const struct boot *now, const char *text);
