// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS "\t "

/* --- reading ---------------------------------------------------------------- */

/* The words of @line, one after another, with tabs between. */
static char *join_words(char *line, struct arena *a)
{
	char *ret = arena_alloc(a, strlen(line) + 1), *end = ret, *save = NULL;

	for (char *w = strtok_r(line, BLANKS, &save); ret && w;
	     w = strtok_r(NULL, BLANKS, &save)) {
		if (end != ret)
			*end++ = '\t';
		end = stpcpy(end, w);
	}
	return ret;
}

/* 0 too for a line that is none: the host has no address then. */
static int parse_line(char *line, struct arena *a, struct dns_host *ret,
		      struct err *e)
{
	char *comment = strchr(line, '#'),
	     *names = line + strcspn(line, BLANKS);

	*ret = (struct dns_host){ .owner = "" };
	if (comment) {
		*comment++ = '\0';
		comment += strspn(comment, BLANKS);
		ret->owner = owner_is_some(comment) ? comment : "";
	}
	if (*names)
		*names++ = '\0';
	ret->names = join_words(names, a);
	if (!ret->names)
		return err_oom(e);
	if (!*ret->names || ip_parse(line, &ret->addr))
		ret->addr.family = 0;
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int dns_hosts_parse(const char *text, size_t more, struct arena *a,
		    struct dns_hosts *ret, struct err *e)
{
	char *copy = arena_strdup(a, text), *save = NULL;
	int r = 0;

	*ret = (struct dns_hosts){ 0 };
	ret->v = arena_array(a, count_lines(text) + more, sizeof(*ret->v));
	if (!copy || !ret->v)
		return err_oom(e);
	for (char *line = strtok_r(copy, "\n", &save); !r && line;
	     line = strtok_r(NULL, "\n", &save)) {
		r = parse_line(line, a, &ret->v[ret->n], e);
		if (!r && ret->v[ret->n].addr.family)
			ret->n++;
	}
	return r;
}

/* --- changing --------------------------------------------------------------- */

int dns_hosts_add(struct dns_hosts *hosts, const struct ip_addr *addr,
		  const char *const *names, size_t n, const struct owner *owner,
		  struct arena *a, struct err *e)
{
	const char *joined = names[0],
		   *text = arena_strdup(a, owner_text(owner).text);

	for (size_t i = 1; joined && i < n; i++)
		joined = arena_printf(a, "%s\t%s", joined, names[i]);
	if (!joined || !text)
		return err_oom(e);
	hosts->v[hosts->n++] = (struct dns_host){ .addr = *addr, joined, text };
	return 0;
}

bool dns_hosts_remove(struct dns_hosts *hosts, dns_host_test *test,
		      const void *arg)
{
	const size_t before = hosts->n;

	hosts->n = 0;
	for (size_t i = 0; i < before; i++)
		if (!test(&hosts->v[i], arg))
			hosts->v[hosts->n++] = hosts->v[i];
	return hosts->n != before;
}

/* --- writing ---------------------------------------------------------------- */

const char *dns_hosts_text(const struct dns_hosts *hosts, struct arena *a)
{
	char *text = NULL, addr[IP_TEXT_MAX];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && i < hosts->n; i++) {
		const struct dns_host *h = &hosts->v[i];

		fprintf(f, "%s\t%s", ip_text(&h->addr, addr), h->names);
		if (*h->owner)
			fprintf(f, "\t# %s", h->owner);
		fputc('\n', f);
	}
	if (!f || fclose(f)) {
		free(text);
		return NULL;
	}
	return arena_own(a, text, free) ? NULL : text;
}

const char *dns_host_name(const struct dns_host *host, struct arena *a)
{
	return arena_printf(a, "%.*s", (int)strcspn(host->names, "\t"),
			    host->names);
}
