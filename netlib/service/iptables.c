// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/iptables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "base/cleanup.h"

/* How often to begin again when other programs change the table meanwhile. */
#define TRIES 32

#define OWN_NAMESPACE "/proc/self/ns/net"

/* --- the copy ------------------------------------------------------------ */

static void out_of_memory(struct iptables *t)
{
	if (!t->r)
		t->r = err_oom(&t->why);
}

static struct iptables_line *new_line(struct iptables *t, const char *chain,
				      const char *text)
{
	struct iptables_line *line = arena_alloc(&t->arena, sizeof(*line));

	if (!line) {
		out_of_memory(t);
		return NULL;
	}
	line->chain = chain;
	line->text = text;
	return line;
}

static void put_last(struct iptables_line **first, struct iptables_line **last,
		     struct iptables_line *line)
{
	if (*last)
		(*last)->next = line;
	else
		*first = line;
	*last = line;
}

static void add_last(struct iptables *t, const char *chain, const char *text)
{
	struct iptables_line *line = new_line(t, chain, text);

	if (line)
		put_last(&t->first, &t->last, line);
}

/* Note a command for iptables-restore. */
static void change(struct iptables *t, const char *command, const char *chain,
		   const char *text)
{
	const char *line =
		arena_printf(&t->arena, "%s %s%s%s\n", command, chain,
			     text ? " " : "", text ? text : "");
	struct iptables_line *l = line ? new_line(t, chain, line) : NULL;

	if (l)
		put_last(&t->first_change, &t->last_change, l);
	else
		out_of_memory(t);
}

/* ":CHAIN POLICY [packets:bytes]" and "-A CHAIN RULE"; the rest is of no
 * concern. */
static void parse_line(struct iptables *t, char *line)
{
	char *chain, *rest = NULL;

	if (*line == ':') {
		chain = strtok_r(line + 1, " ", &rest);
		if (chain)
			add_last(t, chain, NULL);
	} else if (!strncmp(line, "-A ", 3)) {
		chain = strtok_r(line + 3, " ", &rest);
		if (chain)
			add_last(t, chain, rest);
	}
}

int iptables_parse(struct iptables *t, const char *saved, struct err *e)
{
	char *text = arena_strdup(&t->arena, saved), *line, *rest = NULL;

	if (!text)
		return err_oom(e);
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		parse_line(t, line);
	if (t->r && e)
		*e = t->why;
	return t->r;
}

void iptables_done(struct iptables *t)
{
	arena_done(&t->arena);
}

/* --- questions ----------------------------------------------------------- */

bool iptables_has_chain(const struct iptables *t, const char *chain)
{
	for (const struct iptables_line *l = t->first; l; l = l->next)
		if (!l->text && !l->is_gone && !strcmp(l->chain, chain))
			return true;
	return false;
}

const struct iptables_line *iptables_next_rule(const struct iptables *t,
					       const char *chain,
					       const struct iptables_line *prev)
{
	const struct iptables_line *l = prev ? prev->next : t->first;

	for (; l; l = l->next)
		if (l->text && !l->is_gone &&
		    (!chain || !strcmp(l->chain, chain)))
			return l;
	return NULL;
}

bool iptables_has_rule(const struct iptables *t, const char *chain,
		       const char *rule)
{
	const struct iptables_line *l = NULL;

	while (rule && (l = iptables_next_rule(t, chain, l)))
		if (!strcmp(l->text, rule))
			return true;
	return false;
}

int iptables_require(const struct iptables *t, const char *chain,
		     const char *const *rules, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i] && !iptables_has_rule(t, chain, rules[i]))
			return err_set(
				e, ERR_MISMATCH, ENOENT,
				"chain %s of iptables' table %s has no rule \"%s\"",
				chain, t->place.table, rules[i]);
	return 0;
}

bool iptables_goes_to(const struct iptables_line *rule, const char *target)
{
	char word[IPTABLES_WORD_MAX];

	return (iptables_option(rule->text, "-j", word) ||
		iptables_option(rule->text, "-g", word)) &&
	       !strcmp(word, target);
}

/* --- changes ------------------------------------------------------------- */

const char *iptables_text(struct iptables *t, const char *fmt, ...)
{
	_free_ char *text = NULL;
	char *kept = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0)
		kept = arena_strdup(&t->arena, text);
	else
		text = NULL;
	if (!kept)
		out_of_memory(t);
	return kept;
}

void iptables_ensure_chain(struct iptables *t, const char *chain)
{
	if (iptables_has_chain(t, chain))
		return;
	/* unlike ":CHAIN" this fails when another program was faster, and does
	 * not flush what that has put into it */
	change(t, "-N", chain, NULL);
	add_last(t, chain, NULL);
}

void iptables_append(struct iptables *t, const char *chain, const char *rule)
{
	if (!rule || iptables_has_rule(t, chain, rule))
		return;
	change(t, "-A", chain, rule);
	add_last(t, chain, rule);
}

/* In the copy the place before all others is the list's beginning: the order
 * matters within a chain only. */
void iptables_insert(struct iptables *t, const char *chain, const char *rule)
{
	struct iptables_line *line;

	if (!rule || iptables_has_rule(t, chain, rule))
		return;
	change(t, "-I", chain, rule);
	line = new_line(t, chain, rule);
	if (!line)
		return;
	line->next = t->first;
	t->first = line;
	if (!t->last)
		t->last = line;
}

static void delete_line(struct iptables *t, const struct iptables_line *rule)
{
	change(t, "-D", rule->chain, rule->text);
	((struct iptables_line *)rule)->is_gone = true;
}

void iptables_delete(struct iptables *t, const char *chain, const char *rule)
{
	const struct iptables_line *l = NULL;

	while (rule && (l = iptables_next_rule(t, chain, l)))
		if (!strcmp(l->text, rule))
			delete_line(t, l);
}

static bool is_filled(const struct iptables *t, const char *chain,
		      const char *const *rules, size_t n)
{
	const struct iptables_line *l = NULL;
	size_t i = 0;

	if (!iptables_has_chain(t, chain))
		return false;
	while ((l = iptables_next_rule(t, chain, l))) {
		if (i == n || !rules[i] || strcmp(l->text, rules[i]) != 0)
			return false;
		i++;
	}
	return i == n;
}

/* Have the chain be there, and empty. */
static void empty_chain(struct iptables *t, const char *chain)
{
	const struct iptables_line *l = NULL;

	if (!iptables_next_rule(t, chain, NULL)) {
		iptables_ensure_chain(t, chain);
		return;
	}
	change(t, "-F", chain, NULL);
	while ((l = iptables_next_rule(t, chain, l)))
		((struct iptables_line *)l)->is_gone = true;
}

void iptables_fill_chain(struct iptables *t, const char *chain,
			 const char *const *rules, size_t n)
{
	if (is_filled(t, chain, rules, n))
		return;
	empty_chain(t, chain);
	for (size_t i = 0; i < n; i++)
		iptables_append(t, chain, rules[i]);
}

static bool is_among(const char *rule, const char *const *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i] && !strcmp(rule, rules[i]))
			return true;
	return false;
}

void iptables_set_jumps(struct iptables *t, const char *chain,
			const char *target, const char *const *rules, size_t n)
{
	const struct iptables_line *l = NULL;

	while ((l = iptables_next_rule(t, chain, l)))
		if (iptables_goes_to(l, target) && !is_among(l->text, rules, n))
			delete_line(t, l);
	for (size_t i = 0; i < n; i++)
		iptables_append(t, chain, rules[i]);
}

void iptables_delete_chain(struct iptables *t, const char *chain)
{
	if (!iptables_has_chain(t, chain))
		return;
	empty_chain(t, chain);
	change(t, "-X", chain, NULL);
	for (struct iptables_line *l = t->first; l; l = l->next)
		if (!l->text && !strcmp(l->chain, chain))
			l->is_gone = true;
}

int iptables_restore_text(struct iptables *t, const char **ret, struct err *e)
{
	const struct iptables_line *l;
	size_t len = strlen("*\nCOMMIT\n") + strlen(t->place.table) + 1;
	char *text, *to;

	*ret = "";
	if (t->r && e)
		*e = t->why;
	if (t->r || !t->first_change)
		return t->r;
	for (l = t->first_change; l; l = l->next)
		len += strlen(l->text);
	to = text = arena_alloc(&t->arena, len);
	if (!text)
		return err_oom(e);
	to = stpcpy(stpcpy(stpcpy(to, "*"), t->place.table), "\n");
	for (l = t->first_change; l; l = l->next)
		to = stpcpy(to, l->text);
	stpcpy(to, "COMMIT\n");
	*ret = text;
	return 0;
}

/* --- calls --------------------------------------------------------------- */

static int take_lock(int *ret, struct err *e)
{
	_close_ int fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open \"%s\"", OWN_NAMESPACE);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return err_sys(e, "lock \"%s\"", OWN_NAMESPACE);
	*ret = steal_fd(&fd);
	return 0;
}

/* The next line of what iptables-save has printed, without what changes by
 * itself: comments with the time of day, and counters. */
static const char *next_content(const char **p, size_t *ret_len)
{
	while (**p) {
		const char *line = *p;
		size_t len = strcspn(line, "\n");

		*p += len + (line[len] == '\n');
		*ret_len = *line == ':' ? strcspn(line, "[\n") : len;
		if (*line != '#')
			return line;
	}
	return NULL;
}

static bool is_same_table(const char *a, const char *b)
{
	const char *x, *y;
	size_t x_len = 0, y_len = 0;

	do {
		x = next_content(&a, &x_len);
		y = next_content(&b, &y_len);
		if (!x || !y)
			return !x && !y;
	} while (x_len == y_len && !strncmp(x, y, x_len));
	return false;
}

/* -EAGAIN when iptables-restore has refused because the table is another by
 * now. */
static int edit_once(const struct iptables_place *place, iptables_plan *plan,
		     const void *arg, struct err *e)
{
	_iptables_ struct iptables t = { .place = *place };
	_free_ char *before = NULL, *now = NULL;
	const char *text = "";
	int r = iptables_save(place, &before, e);

	if (!r)
		r = iptables_parse(&t, before, e);
	if (!r)
		r = plan(&t, arg, e);
	if (!r)
		r = iptables_restore_text(&t, &text, e);
	if (r || !*text)
		return r;
	r = iptables_restore(place, text, e);
	if (r == -EREMOTEIO && !iptables_save(place, &now, NULL) &&
	    !is_same_table(before, now))
		return -EAGAIN;
	return r;
}

int iptables_edit(const struct iptables_place *place, iptables_plan *plan,
		  const void *arg, struct err *e)
{
	_close_ int lock = -1;
	int r = take_lock(&lock, e);

	if (r)
		return r;
	for (int i = 0; i < TRIES; i++) {
		r = edit_once(place, plan, arg, e);
		if (r != -EAGAIN)
			break;
	}
	return r;
}

int iptables_edit_existing(struct netfilter *nf, uint8_t family,
			   const char *table, const char *const *chains,
			   iptables_plan *plan, const void *arg, struct err *e)
{
	static const struct iptables_place places[] = {
		{ IPTABLES_NFT, AF_INET, NULL },
		{ IPTABLES_NFT, AF_INET6, NULL },
		{ IPTABLES_LEGACY, AF_INET, NULL },
		{ IPTABLES_LEGACY, AF_INET6, NULL },
	};
	int first = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct iptables_place place = places[i];
		int r = 0;

		place.table = table;
		if (family != AF_UNSPEC && family != place.family)
			continue;
		if (iptables_may_have_any(nf, &place, chains))
			r = iptables_edit(&place, plan, arg, first ? NULL : e);
		if (r == -ENOENT && place.variant == IPTABLES_LEGACY)
			r = 0; /* no program: then none of this is ours */
		first = first ? first : r;
	}
	return first;
}

static int look_only(struct iptables *t, const void *arg, struct err *e)
{
	(void)t;
	(void)arg;
	(void)e;
	return 0;
}

int iptables_status(const struct iptables_place *place, struct err *e)
{
	return iptables_edit(place, look_only, NULL, e);
}
