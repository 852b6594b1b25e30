// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/owner.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

struct owner_key owner_key(const struct owner *o)
{
	struct owner_key key;

	hash_hex(key.text, OWNER_NETWORK_DIGITS, o->network, NULL);
	key.text[OWNER_NETWORK_DIGITS] = '-';
	hash_hex(key.text + OWNER_NETWORK_DIGITS + 1, OWNER_NETWORK_DIGITS,
		 o->ifname, ":", o->container_id, NULL);
	return key;
}

/* Quotes would end the comment when nft prints it. */
static void drop_quotes(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s != '"')
			*to++ = *s;
	*to = '\0';
}

struct owner_text owner_text(const struct owner *o)
{
	struct owner_text t;

	snprintf(t.text, sizeof(t.text), "%s, net: %s, if: %s, id: %s",
		 owner_key(o).text, o->network, o->ifname, o->container_id);
	drop_quotes(t.text);
	return t;
}

bool owner_is(const struct owner *o, const char *text)
{
	return text && !strncmp(text, owner_key(o).text, OWNER_KEY_LEN);
}

static bool is_on_network(const char *network, const char *text)
{
	char hash[OWNER_NETWORK_DIGITS + 1];

	hash_hex(hash, OWNER_NETWORK_DIGITS, network, NULL);
	return text && !strncmp(text, hash, OWNER_NETWORK_DIGITS) &&
	       text[OWNER_NETWORK_DIGITS] == '-';
}

bool owner_is_stale(const char *network, const struct owner *valid, size_t n,
		    const char *text)
{
	if (!is_on_network(network, text))
		return false;
	for (size_t i = 0; i < n; i++)
		if (owner_is(&valid[i], text))
			return false;
	return true;
}

bool owner_is_some(const char *text)
{
	static const char digits[] = "0123456789abcdef";

	return strspn(text, digits) == OWNER_NETWORK_DIGITS &&
	       text[OWNER_NETWORK_DIGITS] == '-' &&
	       strspn(text + OWNER_NETWORK_DIGITS + 1, digits) ==
		       OWNER_NETWORK_DIGITS;
}

bool owner_is_another(const struct owner *o, const char *text)
{
	return owner_is_some(text) && !owner_is(o, text);
}

const char *owner_words(const char *text)
{
	static const char separator[] = ", ";
	size_t len = sizeof(separator) - 1;

	if (!owner_is_some(text) ||
	    strncmp(text + OWNER_KEY_LEN, separator, len) != 0)
		return text;
	return text + OWNER_KEY_LEN + len;
}

struct owner_ifname owner_host_ifname(const struct owner *o)
{
	struct owner_ifname name;
	char hash[12];

	hash_hex(hash, sizeof(hash) - 1, owner_key(o).text, NULL);
	snprintf(name.name, sizeof(name.name), "veth%s", hash);
	return name;
}
