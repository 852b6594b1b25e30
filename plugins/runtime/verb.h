// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verbs: what stands after "hawser", and after "hawser netns". Each parses its
 * own arguments with argp, which also makes its --help.
 */
#pragma once

#include "base/err.h"

struct verb {
	const char *name;
	const char *arguments; /* as help shows them */
	const char *summary;
	/* argv[0] is the whole command so far ("hawser netns add"); returns the
	 * exit status. */
	int (*run)(int argc, char *argv[], char *const *env);
};

struct verb_set {
	const char *doc;
	const struct verb *verbs; /* a NULL name ends them */
};

/* Run the verb that @argv names; returns its exit status. */
int verb_dispatch(const struct verb_set *set, int argc, char *argv[],
		  char *const *env);

/* Tell a person what went wrong: "hawser: netns add: ..."; returns the exit
 * status for that. @command is the verb's argv[0]. */
int verb_fail(const char *command, const struct err *e);

int verb_add(int argc, char *argv[], char *const *env);
int verb_del(int argc, char *argv[], char *const *env);
int verb_check(int argc, char *argv[], char *const *env);
int verb_dhcp(int argc, char *argv[], char *const *env);
int verb_gc(int argc, char *argv[], char *const *env);
int verb_status(int argc, char *argv[], char *const *env);
int verb_hook(int argc, char *argv[], char *const *env);
int verb_ipam(int argc, char *argv[], char *const *env);
int verb_netns(int argc, char *argv[], char *const *env);
int verb_reload(int argc, char *argv[], char *const *env);
int verb_run(int argc, char *argv[], char *const *env);
