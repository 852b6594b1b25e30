// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/args.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const command_names[] = {
	[CNI_UNKNOWN] = "",	   [CNI_ADD] = "ADD", [CNI_DEL] = "DEL",
	[CNI_CHECK] = "CHECK",	   [CNI_GC] = "GC",   [CNI_STATUS] = "STATUS",
	[CNI_VERSION] = "VERSION",
};

#define ON(command)  (1U << (command))
#define ON_CONTAINER (ON(CNI_ADD) | ON(CNI_DEL) | ON(CNI_CHECK))

const char *cni_command_name(enum cni_command command)
{
	return command_names[command];
}

const char *cni_env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);
	const char *value = "";

	for (; *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			value = *env + len + 1;
	return value;
}

/* ^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$, which also keeps it out of other paths. */
static bool is_name(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	return true;
}

int cni_check_container_id(const char *id, struct err *e)
{
	if (!*id)
		return err_set(e, ERR_UNKNOWN_CONTAINER, EINVAL,
			       "missing containerID");
	if (is_name(id))
		return 0;
	err_set(e, ERR_ENV, EINVAL, "invalid characters in containerID");
	err_details(e, "%s", id);
	return -EINVAL;
}

int cni_check_network_name(const char *name, struct err *e)
{
	if (!*name)
		return err_set(e, ERR_CONFIG, EINVAL, "missing network name");
	if (is_name(name))
		return 0;
	err_set(e, ERR_CONFIG, EINVAL,
		"invalid characters found in network name");
	err_details(e, "%s", name);
	return -EINVAL;
}

/* Bytes that the kernel (dev_valid_name()) or Go's unicode.IsSpace() refuse:
 * besides ASCII, NEL and NBSP, whose UTF-8 is C2 85 and C2 A0. */
static bool has_forbidden_bytes(const char *s)
{
	for (; *s; s++) {
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s))
			return true;
		if (s[0] == '\xc2' && (s[1] == '\x85' || s[1] == '\xa0'))
			return true;
	}
	return false;
}

int cni_check_ifname(const char *ifname, struct err *e)
{
	const char *why = NULL, *details = ifname;

	if (!*ifname) {
		why = "interface name is empty";
	} else if (strlen(ifname) >= IFNAMSIZ) {
		why = "interface name is too long";
		details = "interface name should be less than 16 characters";
	} else if (!strcmp(ifname, ".") || !strcmp(ifname, "..")) {
		why = "interface name is . or ..";
	} else if (has_forbidden_bytes(ifname)) {
		why = "interface name contains / or : or whitespace characters";
	}
	if (!why)
		return 0;
	err_set(e, ERR_ENV, EINVAL, "%s", why);
	err_details(e, "%s", details);
	return -EINVAL;
}

static enum cni_command parse_command(const char *name)
{
	for (int c = CNI_ADD; c <= CNI_VERSION; c++)
		if (!strcmp(name, command_names[c]))
			return (enum cni_command)c;
	return CNI_UNKNOWN;
}

static bool is_true(const char *s)
{
	return !strcmp(s, "1") || !strcasecmp(s, "true");
}

/*
 * In libcni's order (skel.go), so that of two errors the same one is told: a
 * bad value is reported at once, missing variables together at the end.
 */
int cni_args_load(char *const *env, struct cni_args *ret, struct err *e)
{
	struct cni_args a = { 0 };
	const struct {
		const char *name;
		const char **value;
		unsigned required; /* on these commands */
		int (*check)(const char *value, struct err *e);
	} variables[] = {
		{ "CNI_COMMAND", &a.command_name, ~0U, NULL },
		{ "CNI_CONTAINERID", &a.container_id, ON_CONTAINER,
		  cni_check_container_id },
		{ "CNI_NETNS", &a.netns, ON(CNI_ADD) | ON(CNI_CHECK), NULL },
		{ "CNI_IFNAME", &a.ifname, ON_CONTAINER, cni_check_ifname },
		{ "CNI_ARGS", &a.args, 0, NULL },
		/* libcni wants it always; the specification for GC only */
		{ "CNI_PATH", &a.path, ON(CNI_GC), NULL },
	};
	char missing[128] = "";

	a.command = parse_command(cni_env_get(env, "CNI_COMMAND"));
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *value = cni_env_get(env, variables[i].name);
		bool required = variables[i].required & ON(a.command);
		size_t used = strlen(missing);
		int r;

		*variables[i].value = value;
		if (!required)
			continue;
		if (!*value) {
			snprintf(missing + used, sizeof(missing) - used, "%s%s",
				 used ? "," : "", variables[i].name);
			continue;
		}
		r = variables[i].check ? variables[i].check(value, e) : 0;
		if (r)
			return r;
	}
	if (*missing)
		return err_set(e, ERR_ENV, EINVAL,
			       "required env variables [%s] missing", missing);
	a.netns_override = is_true(cni_env_get(env, "CNI_NETNS_OVERRIDE"));
	*ret = a;
	return 0;
}

static int parse_ignore_unknown(const char *value, bool *ret, struct err *e)
{
	*ret = is_true(value);
	if (*ret || !strcmp(value, "0") || !strcasecmp(value, "false"))
		return 0;
	return err_set(e, ERR_ENV, EINVAL,
		       "CNI_ARGS: IgnoreUnknown=%s is not a boolean", value);
}

static struct cni_arg *find_known(struct cni_arg *known, size_t n,
				  const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(known[i].key, key))
			return &known[i];
	return NULL;
}

int cni_args_parse(const char *args, bool lenient, struct cni_arg *known,
		   size_t n, struct err *e)
{
	_free_ char *copy = strdup(args);
	char *rest = copy, *pair, unknown[128] = "";
	bool ignore = lenient;

	if (!copy)
		return err_oom(e);
	/* empty pairs, as after a trailing ';', say nothing and are skipped */
	while ((pair = strsep(&rest, ";"))) {
		char *value = strchr(pair, '=');
		struct cni_arg *arg;

		if (!*pair || (!value && lenient))
			continue;
		if (!value)
			return err_set(e, ERR_ENV, EINVAL,
				       "CNI_ARGS: invalid pair \"%s\"", pair);
		*value++ = '\0';
		arg = find_known(known, n, pair);
		if (arg) {
			free(arg->value);
			arg->value = strdup(value);
			if (!arg->value)
				return err_oom(e);
		} else if (!strcmp(pair, "IgnoreUnknown")) {
			if (parse_ignore_unknown(value, &ignore, e) && !lenient)
				return -EINVAL;
		} else if (!*unknown) {
			snprintf(unknown, sizeof(unknown), "%s=%s", pair,
				 value);
		}
	}
	if (*unknown && !ignore && !lenient)
		return err_set(e, ERR_ENV, EINVAL,
			       "ARGS: unknown args [\"%s\"]", unknown);
	return 0;
}
