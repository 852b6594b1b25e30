// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/version.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const cni_versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1",
				     "0.4.0", "1.0.0", "1.1.0", NULL };

bool cni_version_supported(const char *version)
{
	for (const char *const *v = cni_versions; *v; v++)
		if (!strcmp(*v, version))
			return true;
	return false;
}

/* Missing parts are zero, as in libcni's version.ParseVersion(). */
static int parse(const char *version, unsigned long parts[static 3])
{
	const char *s = version;

	parts[0] = parts[1] = parts[2] = 0;
	for (int i = 0; i < 3; i++) {
		char *end;

		if (!isdigit((unsigned char)*s))
			return -EINVAL;
		parts[i] = strtoul(s, &end, 10);
		if (!*end)
			return 0;
		if (*end != '.')
			return -EINVAL;
		s = end + 1;
	}
	return -EINVAL;
}

int cni_version_check_syntax(const char *version)
{
	unsigned long parts[3];

	return parse(version, parts);
}

bool cni_version_at_least(const char *version, const char *least)
{
	unsigned long a[3], b[3];

	if (parse(version, a) || parse(least, b))
		return false;
	for (int i = 0; i < 3; i++)
		if (a[i] != b[i])
			return a[i] > b[i];
	return true;
}
