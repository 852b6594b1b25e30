// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line: hawser VERB ... */
#pragma once

/* Returns the exit status. */
int runtime_main(int argc, char *argv[], char *const *env);
