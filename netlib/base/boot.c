// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/boot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIGITS "0123456789abcdef"

/* Read @len hexadecimal digits and hyphens, or "". */
static void read_id(const char *path, char *ret, size_t len)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ret, len) != (ssize_t)len ||
	    strspn(ret, DIGITS "-") != len)
		*ret = '\0';
}

struct boot boot_current(void)
{
	struct boot boot = { 0 };

	read_id("/proc/sys/kernel/random/boot_id", boot.id, BOOT_ID_LEN);
	read_id("/etc/machine-id", boot.machine, MACHINE_ID_LEN);
	return boot;
}

const char *boot_text(const struct boot *boot, char buf[static BOOT_TEXT_MAX])
{
	*buf = '\0';
	if (*boot->id && *boot->machine)
		snprintf(buf, BOOT_TEXT_MAX, "%s %s", boot->id, boot->machine);
	return buf;
}

bool boot_is_earlier(const struct boot *now, const char *text)
{
	return *now->id && *now->machine && strlen(text) == BOOT_TEXT_MAX - 1 &&
	       text[BOOT_ID_LEN] == ' ' &&
	       !strcmp(text + BOOT_ID_LEN + 1, now->machine) &&
	       memcmp(text, now->id, BOOT_ID_LEN) != 0;
}
