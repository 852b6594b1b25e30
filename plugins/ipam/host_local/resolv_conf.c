// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolv_conf.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"

#define TEXT_MAX    65536
#define WHITE_SPACE " \t\r\v\f"

typedef LIST(const char *) words;

/* The list behind a member of struct cni_dns, whose types have no name. */
static int append_words(void *list, char *rest, size_t limit, struct arena *a,
			struct err *e)
{
	words *l = list;
	char *word;

	while (limit && (word = strsep(&rest, WHITE_SPACE))) {
		const char **v;

		if (!*word)
			continue;
		v = arena_array(a, l->n + 1, sizeof(*v));
		if (!v)
			return err_oom(e);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		v[l->n] = word;
		l->v = v;
		l->n++;
		limit--;
	}
	return 0;
}

static int parse_line(char *line, struct arena *a, struct cni_dns *dns,
		      struct err *e)
{
	words domain = { 0 };
	char *key;
	int r = 0;

	line += strspn(line, WHITE_SPACE);
	if (strchr("#;", *line)) /* a comment, or empty */
		return 0;
	key = strsep(&line, WHITE_SPACE);
	if (!line)
		return 0;
	if (!strcmp(key, "nameserver"))
		return append_words(&dns->nameservers, line, 1, a, e);
	if (!strcmp(key, "search"))
		return append_words(&dns->search, line, SIZE_MAX, a, e);
	if (!strcmp(key, "options"))
		return append_words(&dns->options, line, SIZE_MAX, a, e);
	if (!strcmp(key, "domain"))
		r = append_words(&domain, line, 1, a, e);
	if (domain.n)
		dns->domain = domain.v[0];
	return r;
}

int resolv_conf_load(const char *path, struct arena *a, struct cni_dns *ret,
		     struct err *e)
{
	_free_ char *text = NULL;
	struct cni_dns dns = { 0 };
	char *rest, *line;
	size_t len;
	int r = fs_read_file(path, TEXT_MAX, &text, &len, e);

	if (r)
		return r;
	rest = arena_strdup(a, text); /* the words stay where they are */
	if (!rest)
		return err_oom(e);
	while ((line = strsep(&rest, "\n"))) {
		r = parse_line(line, a, &dns, e);
		if (r)
			return r;
	}
	*ret = dns;
	return 0;
}
