// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/fs.h"
#include "meta/tuning/tuning.h"

#define ALLOWLIST     "/etc/cni/tuning/allowlist.conf"
#define ALLOWLIST_MAX ((size_t)1 << 20)
#define SPACE	      " \t\r\n"

static char *trim(char *line)
{
	char *end;

	line += strspn(line, SPACE);
	end = line + strlen(line);
	while (end > line && strchr(SPACE, end[-1]))
		*--end = '\0';
	return line;
}

/* \d and the like mean a letter to regcomp(), and a class to those who wrote the
 * line for the reference. */
static const char *find_foreign_escape(const char *line)
{
	for (; *line; line++) {
		if (*line != '\\')
			continue;
		line++;
		if (isalnum((unsigned char)*line) && !strchr("wWsSbB", *line))
			return line;
		if (!*line)
			return NULL;
	}
	return NULL;
}

/* 0 and whether it matches; -EINVAL for what is no expression. */
static int match(const char *line, const char *key, struct arena *a, bool *ret,
		 struct err *e)
{
	const char *escape = find_foreign_escape(line);
	char *anchored = arena_printf(a, "^(%s)$", line);
	char why[128];
	regex_t re;
	int r;

	if (!anchored)
		return err_oom(e);
	if (escape)
		return err_set(e, ERR_CONFIG, EINVAL,
			       ALLOWLIST ": \\%c in \"%s\" is not supported",
			       *escape, line);
	r = regcomp(&re, anchored, REG_EXTENDED | REG_NOSUB);
	if (r) {
		regerror(r, &re, why, sizeof(why));
		return err_set(e, ERR_CONFIG, EINVAL, ALLOWLIST ": \"%s\": %s",
			       line, why);
	}
	*ret = !regexec(&re, key, 0, NULL, 0);
	regfree(&re);
	return 0;
}

/* With dots, IFNAME as it stands, and a dot in a name as a slash. */
static const char *with_dots(struct arena *a, const char *key)
{
	char *dotted = arena_strdup(a, key);
	bool has_slashes = dotted && key[strcspn(key, "./")] == '/';

	for (char *p = dotted; has_slashes && *p; p++)
		if (*p == '.' || *p == '/')
			*p = *p == '/' ? '.' : '/';
	return dotted;
}

static int check_key(const char *text, const char *key, struct arena *a,
		     struct err *e)
{
	const char *dotted = with_dots(a, key);
	char *copy = arena_strdup(a, text), *rest = copy, *line;
	bool is_allowed = false;
	int r = 0;

	if (!dotted || !copy)
		return err_oom(e);
	while (!r && !is_allowed && (line = strsep(&rest, "\n"))) {
		line = trim(line);
		if (*line && *line != '#')
			r = match(line, dotted, a, &is_allowed, e);
	}
	if (r || is_allowed)
		return r;
	return err_set(e, ERR_CONFIG, EPERM,
		       "Sysctl %s is not allowed by " ALLOWLIST, key);
}

int allowlist_check(const struct tuning *asked, struct err *e)
{
	_arena_ struct arena a = { 0 };
	_free_ char *text = NULL;
	size_t len;
	int r;

	if (!asked->sysctls.n)
		return 0;
	r = fs_read_file(ALLOWLIST, ALLOWLIST_MAX, &text, &len, e);
	if (r == -ENOENT)
		return 0;
	for (size_t i = 0; !r && i < asked->sysctls.n; i++)
		r = check_key(text, asked->sysctls.v[i].key, &a, e);
	return r;
}
