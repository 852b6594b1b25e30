// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a runtime says in the environment (SPEC.md, "Parameters"), validated.
 * Strings point into the environment they were read from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum cni_command {
	CNI_UNKNOWN, /* reported once stdin is known to be valid, as libcni */
	CNI_ADD,
	CNI_DEL,
	CNI_CHECK,
	CNI_GC,
	CNI_STATUS,
	CNI_VERSION,
};

struct cni_args {
	enum cni_command command;
	const char *command_name;
	const char *container_id; /* this and the following are "" when unset */
	const char *netns;
	const char *ifname;
	const char *args; /* CNI_ARGS */
	const char *path; /* CNI_PATH */
	bool netns_override;
};

/* Read and check the CNI_* variables of @env. Errors have code ERR_ENV, or
 * ERR_UNKNOWN_CONTAINER for an empty container ID. */
int cni_args_load(char *const *env, struct cni_args *ret, struct err *e);

/* The value of variable @name in @env; "" when it is not set. */
const char *cni_env_get(char *const *env, const char *name);

const char *cni_command_name(enum cni_command command);

/* The specification's rules for names; the error names the culprit. */
int cni_check_container_id(const char *id, struct err *e);
int cni_check_network_name(const char *name, struct err *e);
int cni_check_ifname(const char *ifname, struct err *e);

/* One key of CNI_ARGS ("K=V;K2=V2") that a plugin knows. */
struct cni_arg {
	const char *key;
	char *value; /* NULL: not given; the caller frees it */
};

/* Fill in the values of the @n known keys. Keys are case-sensitive. A pair
 * without '=' is an error, and so is an unknown key unless the runtime said
 * IgnoreUnknown=1 (ERR_ENV). With @lenient (DEL, GC), neither is. */
int cni_args_parse(const char *args, bool lenient, struct cni_arg *known,
		   size_t n, struct err *e);
