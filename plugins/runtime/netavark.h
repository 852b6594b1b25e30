// SPDX-License-Identifier: GPL-2.0-or-later
/* The network driver "hawser" for podman 5: netavark's plugin API. */
#pragma once

#include <stdbool.h>

/* Whether the command line is one that netavark or podman gives to a plugin. */
bool netavark_knows(int argc, char *const argv[]);

/* Do what it says; returns the exit status. */
int netavark_main(int argc, char *const argv[], char *const *env);
