// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/iptables_rule.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* The kernel keeps 255 bytes of a comment. The reference plugins cut what is
 * longer than that to 253 and put three dots after it, of which two remain. */
#define COMMENT_MAX 255
#define COMMENT_CUT 253

/* Length of the reference's chain names. */
#define CHAIN_LEN 28

/* --- words --------------------------------------------------------------- */

/* xtables_save_string() has neither quotes nor escapes for these. */
static bool is_plain(const char *word)
{
	for (const char *c = word; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-", *c))
			return false;
	return *word;
}

const char *iptables_quote(const char *word, struct arena *a)
{
	char *text, *to;

	if (is_plain(word))
		return arena_strdup(a, word);
	to = text = arena_alloc(a, 2 * strlen(word) + 3);
	if (!text)
		return NULL;
	*to++ = '"';
	for (const char *c = word; *c; c++) {
		if (strchr("\"\\'", *c))
			*to++ = '\\';
		*to++ = *c;
	}
	*to = '"';
	return text;
}

int iptables_check_word(const char *what, const char *word, struct err *e)
{
	for (const char *c = word; *c; c++)
		if (iscntrl((unsigned char)*c))
			return err_set(e, ERR_CONFIG, EINVAL,
				       "%s has a control character", what);
	if (strlen(word) >= IPTABLES_WORD_MAX)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "%s is longer than iptables takes: \"%.60s...\"",
			       what, word);
	return 0;
}

static bool is_name(const char *name, size_t room)
{
	if (!*name || strlen(name) >= room || strchr("-!", *name))
		return false;
	for (const char *c = name; *c; c++)
		if (!isgraph((unsigned char)*c) || strchr("\"'\\", *c))
			return false;
	return true;
}

int iptables_check_chain(const char *what, const char *name, struct err *e)
{
	if (is_name(name, IPTABLES_CHAIN_MAX))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "%s: \"%.60s\" cannot be the name of an iptables chain",
		       what, name);
}

/* "br+" would be every interface whose name begins with "br". */
int iptables_check_interface(const char *what, const char *name, struct err *e)
{
	if (is_name(name, IFNAMSIZ) && name[strlen(name) - 1] != '+')
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"%s: iptables cannot be given the interface name \"%.60s\"",
		what, name);
}

/* Copy the next word without its quotes; false at the end. */
static bool next_word(const char **p, char word[static IPTABLES_WORD_MAX])
{
	const char *c = *p + strspn(*p, " ");
	bool is_quoted = false;
	size_t n = 0;

	if (!*c)
		return false;
	for (; *c && (is_quoted || *c != ' '); c++) {
		if (*c == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (*c == '\\' && is_quoted && c[1])
			c++;
		if (n < IPTABLES_WORD_MAX - 1)
			word[n++] = *c;
	}
	word[n] = '\0';
	*p = c;
	return true;
}

/* A comment may be any word, such as one that looks like an option. */
bool iptables_option(const char *rule, const char *option,
		     char ret[static IPTABLES_WORD_MAX])
{
	char word[IPTABLES_WORD_MAX];

	while (next_word(&rule, word)) {
		if (!strcmp(word, option))
			return next_word(&rule, ret);
		if (!strcmp(word, "--comment"))
			next_word(&rule, word);
	}
	return false;
}

/* --- addresses ----------------------------------------------------------- */

struct iptables_match iptables_match(const char *option,
				     const struct ip_prefix *p)
{
	const struct ip_prefix network = prefix_network(p);
	struct iptables_match match = { "" };
	char text[INET6_ADDRSTRLEN];

	if (!p->len)
		return match;
	inet_ntop(network.addr.family, network.addr.bytes, text, sizeof(text));
	snprintf(match.text, sizeof(match.text), "%s %s/%d ", option, text,
		 network.len);
	return match;
}

struct iptables_match iptables_match_host(const char *option,
					  const struct ip_addr *a)
{
	const struct ip_prefix host = { *a, (uint8_t)ip_bits(a->family) };

	return iptables_match(option, &host);
}

/* --- owners -------------------------------------------------------------- */

/* Go's %q of the names that CNI has. */
static const char *go_quote(const char *name, struct arena *a)
{
	char *text = arena_alloc(a, 2 * strlen(name) + 3), *to = text;

	if (!text)
		return NULL;
	*to++ = '"';
	for (const char *c = name; *c; c++) {
		if (strchr("\"\\", *c))
			*to++ = '\\';
		*to++ = iscntrl((unsigned char)*c) ? '?' : *c;
	}
	*to = '"';
	return text;
}

static char *comment_text(const char *prefix, const struct owner *owner,
			  struct arena *a)
{
	const char *network = go_quote(owner->network, a),
		   *id = go_quote(owner->container_id, a);
	char *text = network && id ? arena_printf(a, "%sname: %s id: %s",
						  prefix, network, id)
				   : NULL;

	if (text && strlen(text) > COMMENT_MAX)
		memcpy(text + COMMENT_CUT, "..",
		       sizeof("..")); /* with its NUL */
	return text;
}

const char *iptables_comment(const char *prefix, const struct owner *owner,
			     struct arena *a)
{
	char *text = comment_text(prefix, owner, a);
	const char *quoted = text ? iptables_quote(text, a) : NULL;

	return quoted ? arena_printf(a, "-m comment --comment %s", quoted)
		      : NULL;
}

bool iptables_comment_is_of(const char *rule, const char *prefix,
			    const char *network)
{
	const struct owner any = { network, "", "" };
	_arena_ struct arena a = { 0 };
	char comment[IPTABLES_WORD_MAX];
	const char *text = comment_text(prefix, &any, &a);

	/* all but the quote that ends the container's ID; a name that leaves no
	 * room for one cannot be told from others */
	return text && strlen(text) < COMMENT_CUT &&
	       iptables_option(rule, "--comment", comment) &&
	       !strncmp(comment, text, strlen(text) - 1);
}

struct iptables_chain_name iptables_chain_name(const char *prefix,
					       const struct owner *owner)
{
	struct iptables_chain_name name;
	size_t len = strlen(prefix);

	memcpy(name.text, prefix, len);
	hash_hex(name.text + len, CHAIN_LEN - len, owner->network,
		 owner->container_id, NULL);
	return name;
}

struct iptables_chain_name *iptables_valid_chains(
	const char *prefix, const struct iptables_valid *valid, struct arena *a)
{
	struct iptables_chain_name *v = arena_array(a, valid->n, sizeof(*v));

	for (size_t i = 0; v && i < valid->n; i++)
		v[i] = iptables_chain_name(prefix, &valid->v[i]);
	return v;
}

bool iptables_chain_is_stale(const char *chain, const char *prefix,
			     const struct iptables_chain_name *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].text, chain))
			return false;
	return !strncmp(chain, prefix, strlen(prefix));
}
