// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/resolv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct text {
	char *buf;
	size_t len;
	bool full;
};

static void __attribute__((format(printf, 2, 3)))
put(struct text *t, const char *fmt, ...)
{
	size_t room = RESOLV_CONF_MAX - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		t->full = true;
	else
		t->len += (size_t)n;
}

/* A value is one word; a line break in it would be a line of its own. */
static bool is_word(const char *s)
{
	return s && *s && !strpbrk(s, " \t\r\n#;");
}

/* Words of several networks share one line: of several lines the resolver
 * believes the last. */
static void put_words(struct text *t, const char *key, const char **v, size_t n,
		      bool *begun)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_word(v[i]))
			continue;
		put(t, "%s%s", *begun ? " " : key, v[i]);
		*begun = true;
	}
}

static void put_search(struct text *t, const struct cni_dns *dns, size_t n)
{
	bool begun = false;

	for (size_t i = 0; i < n; i++) {
		const char *domain = dns[i].domain;

		put_words(t, "search ", &domain, 1, &begun);
		put_words(t, "search ", dns[i].search.v, dns[i].search.n,
			  &begun);
	}
	if (begun)
		put(t, "\n");
}

static void put_options(struct text *t, const struct cni_dns *dns, size_t n)
{
	bool begun = false;

	for (size_t i = 0; i < n; i++)
		put_words(t, "options ", dns[i].options.v, dns[i].options.n,
			  &begun);
	if (begun)
		put(t, "\n");
}

/* Each once: the resolver takes no more than three. */
static void put_nameservers(struct text *t, const struct cni_dns *dns)
{
	for (size_t i = 0; i < dns->nameservers.n; i++) {
		const char *server = dns->nameservers.v[i];
		char line[128];

		if (!is_word(server))
			continue;
		snprintf(line, sizeof(line), "nameserver %s\n", server);
		if (!strstr(t->buf, line))
			put(t, "%s", line);
	}
}

int resolv_conf_text(const struct cni_dns *dns, size_t n,
		     char buf[static RESOLV_CONF_MAX], struct err *e)
{
	struct text t = { .buf = buf };

	*buf = '\0';
	for (size_t i = 0; i < n; i++)
		put_nameservers(&t, &dns[i]);
	if (!t.len)
		return 0;
	put_search(&t, dns, n);
	put_options(&t, dns, n);
	if (t.full)
		return err_set(e, ERR_CONFIG, E2BIG,
			       "the networks' DNS settings are over %d bytes",
			       RESOLV_CONF_MAX);
	return 0;
}
