// SPDX-License-Identifier: GPL-2.0-or-later
/* hawser: one executable, many names. */
#include <stdio.h>

int main(void)
{
	puts("hawser " HAWSER_VERSION);
	return 0;
}
