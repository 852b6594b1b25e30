// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/record.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/owned_file.h"

/* --- writing ------------------------------------------------------------- */

static void put_bytes(cJSON *object, const char *key, const struct nft_value *v)
{
	char hex[2 * NFT_VALUE_MAX + 1] = "";

	for (uint32_t i = 0; i < v->len; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", v->bytes[i]);
	if (v->len)
		cJSON_AddStringToObject(object, key, hex);
}

static cJSON *entry_json(const struct table_entry *entry)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "set", entry->set->name);
	put_bytes(object, "key", &entry->element.key);
	put_bytes(object, "value", &entry->element.value);
	if (*entry->element.target)
		cJSON_AddStringToObject(object, "target",
					entry->element.target);
	if (entry->rule)
		cJSON_AddStringToObject(object, "rule", entry->rule);
	return object;
}

static char *record_text(const struct owner *owner, const struct table_entry *v,
			 size_t n)
{
	_json_ cJSON *doc = cJSON_CreateObject();
	cJSON *list;

	cJSON_AddStringToObject(doc, "owner", owner_text(owner).text);
	cJSON_AddStringToObject(doc, "netns", owner->netns ? owner->netns : "");
	list = cJSON_AddArrayToObject(doc, "elements");
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, entry_json(&v[i]));
	return cJSON_PrintUnformatted(doc);
}

void record_write(const struct table_part *part, const struct owner *owner,
		  const struct table_entry *v, size_t n)
{
	_free_ char *text = record_text(owner, v, n);

	if (text)
		owned_file_write(owner, part->name, text);
}

/* --- reading ------------------------------------------------------------- */

static int parse_bytes(const char *text, void *member)
{
	static const char digits[] = "0123456789abcdef";
	struct nft_value *v = member;
	size_t len = strlen(text);

	if (len % 2 || len / 2 > sizeof(v->bytes) ||
	    strspn(text, digits) != len)
		return -EINVAL;
	v->len = (uint32_t)len / 2;
	for (uint32_t i = 0; i < v->len; i++) {
		const char *at = text + (size_t)2 * i;

		v->bytes[i] = (uint8_t)((strchr(digits, at[0]) - digits) << 4 |
					(strchr(digits, at[1]) - digits));
	}
	return 0;
}

struct element {
	const char *set, *target, *rule;
	struct nft_value key, value;
};

struct document {
	const char *owner, *netns;
	LIST(struct element) elements;
};

static const struct json_field element_fields[] = {
	{ "set", JSON_STRING, offsetof(struct element, set) },
	{ "target", JSON_STRING, offsetof(struct element, target) },
	{ "rule", JSON_STRING, offsetof(struct element, rule) },
	{ "key", JSON_PARSED, offsetof(struct element, key),
	  .parse = parse_bytes, .what = "bytes" },
	{ "value", JSON_PARSED, offsetof(struct element, value),
	  .parse = parse_bytes, .what = "bytes" },
	{ 0 },
};

static const struct json_field element_element = { .type = JSON_OBJECT,
						   .sub = element_fields };

static const struct json_field fields[] = {
	{ "owner", JSON_STRING, offsetof(struct document, owner) },
	{ "netns", JSON_STRING, offsetof(struct document, netns) },
	{ "elements", JSON_LIST, offsetof(struct document, elements),
	  .sub = &element_element, .size = sizeof(struct element) },
	{ 0 },
};

static const struct nft_set_spec *find_set(const struct table_part *part,
					   const char *name)
{
	for (const struct nft_set_spec *const *s = part->sets; name && *s; s++)
		if (!strcmp((*s)->name, name))
			return *s;
	return NULL;
}

/* -EINVAL for an element of a set that this part does not have (any more). */
static int fill_entry(const struct table_part *part, const char *owner,
		      const struct element *from, struct table_entry *to)
{
	to->set = find_set(part, from->set);
	if (!to->set)
		return -EINVAL;
	to->element.key = from->key;
	to->element.value = from->value;
	to->rule = from->rule;
	snprintf(to->element.target, sizeof(to->element.target), "%s",
		 from->target ? from->target : "");
	snprintf(to->element.comment, sizeof(to->element.comment), "%s", owner);
	snprintf(to->element.label, sizeof(to->element.label), "of %.60s",
		 owner_words(owner));
	return 0;
}

static int fill_record(const struct table_part *part,
		       const struct document *from, struct arena *a,
		       struct record *to)
{
	if (!from->owner)
		return -EINVAL;
	to->owner = from->owner;
	to->netns = from->netns ? from->netns : "";
	to->n = from->elements.n;
	to->v = arena_array(a, to->n, sizeof(*to->v));
	if (!to->v)
		return -ENOMEM;
	for (size_t i = 0; i < to->n; i++) {
		int r = fill_entry(part, from->owner, &from->elements.v[i],
				   &to->v[i]);

		if (r)
			return r;
	}
	return 0;
}

static int read_record(const struct table_part *part, const char *text,
		       struct arena *a, struct record *ret)
{
	struct document document = { 0 };
	cJSON *doc;
	int r = json_parse(text, strlen(text), &doc, NULL);

	if (!r)
		r = json_keep(a, doc, NULL);
	if (!r)
		r = json_decode(fields, doc, NULL, &document, a, NULL);
	return r ? r : fill_record(part, &document, a, ret);
}

void record_append(const struct table_part *part, const struct owner *owner,
		   const struct table_entry *v, size_t n)
{
	_arena_ struct arena a = { 0 };
	const char *text = owned_file_read(owner, part->name, &a);
	struct record before = { 0 };
	struct table_entry *all;

	if (text && read_record(part, text, &a, &before))
		before.n = 0;
	all = arena_array(&a, before.n + n, sizeof(*all));
	if (!all)
		return;
	if (before.n)
		memcpy(all, before.v, before.n * sizeof(*all));
	memcpy(all + before.n, v, n * sizeof(*all));
	record_write(part, owner, all, before.n + n);
}

int record_list(const struct table_part *part, struct arena *a,
		struct record **ret, size_t *ret_n, struct err *e)
{
	char **texts = owned_file_read_all(part->name, a);
	size_t n = 0;

	while (texts && texts[n])
		n++;
	*ret = arena_array(a, n, sizeof(**ret));
	*ret_n = 0;
	if (!texts || !*ret)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (!read_record(part, texts[i], a, &(*ret)[*ret_n]))
			(*ret_n)++;
	return 0;
}
