// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/record.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

bool record_has(const struct table_entry *v, size_t n,
		const struct table_entry *entry)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].set == entry->set &&
		    nft_value_equal(&v[i].element.key, &entry->element.key))
			return true;
	return false;
}

static char *record_text(const struct owner *owner, const struct record *before,
			 const struct table_entry *v, size_t n)
{
	_json_ cJSON *doc = cJSON_CreateObject();
	cJSON *list;

	cJSON_AddStringToObject(doc, "owner", owner_text(owner).text);
	cJSON_AddStringToObject(doc, "network", owner->network);
	cJSON_AddStringToObject(doc, "containerID", owner->container_id);
	cJSON_AddStringToObject(doc, "ifname", owner->ifname);
	cJSON_AddStringToObject(doc, "netns", owner->netns ? owner->netns : "");
	list = cJSON_AddArrayToObject(doc, "elements");
	for (size_t i = 0; before && i < before->n; i++)
		if (!record_has(v, n, &before->v[i]))
			cJSON_AddItemToArray(list, entry_json(&before->v[i]));
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, entry_json(&v[i]));
	return cJSON_PrintUnformatted(doc);
}

void record_write(const struct table_part *part, const struct owner *owner,
		  const struct record *before, const struct table_entry *v,
		  size_t n)
{
	_free_ char *text = NULL;

	if (!n && (!before || !before->n)) {
		owned_file_delete(owner, part->name);
		return;
	}
	text = record_text(owner, before, v, n);
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
	const char *text;
	struct owner owner;
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
	{ "owner", JSON_STRING, offsetof(struct document, text) },
	{ "network", JSON_STRING, offsetof(struct document, owner.network) },
	{ "containerID", JSON_STRING,
	  offsetof(struct document, owner.container_id) },
	{ "ifname", JSON_STRING, offsetof(struct document, owner.ifname) },
	{ "netns", JSON_STRING, offsetof(struct document, owner.netns) },
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

/* Whether the element is what such a set has. */
static bool is_right(const struct nft_set_spec *set, const struct element *from)
{
	bool has_target = from->target && *from->target;

	if (from->key.len != nft_types_len(set->key))
		return false;
	if (set->kind == NFT_KIND_MAP)
		return from->value.len == nft_types_len(set->value);
	return has_target == (set->kind != NFT_KIND_SET);
}

/* -EINVAL for an element of a set that this part does not have (any more). */
static int fill_entry(const struct table_part *part, const char *owner,
		      const struct element *from, struct table_entry *to)
{
	to->set = find_set(part, from->set);
	if (!to->set || !is_right(to->set, from))
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
	const struct owner *o = &from->owner;

	if (!from->text || !o->network || !o->container_id || !o->ifname ||
	    !o->netns)
		return -EINVAL;
	to->owner = *o;
	to->text = from->text;
	to->n = from->elements.n;
	to->v = arena_array(a, to->n, sizeof(*to->v));
	if (!to->v)
		return -ENOMEM;
	for (size_t i = 0; i < to->n; i++) {
		int r = fill_entry(part, from->text, &from->elements.v[i],
				   &to->v[i]);

		if (r)
			return r;
	}
	return 0;
}

static int read_text(const struct table_part *part, const char *text,
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

int record_read(const struct table_part *part, const struct owner *owner,
		struct arena *a, struct record *ret)
{
	const char *text =
		owned_file_read(owner_key(owner).text, part->name, a);
	struct record record = { 0 };
	int r;

	if (!text)
		return -ENOENT;
	r = read_text(part, text, a, &record);
	if (!r)
		*ret = record;
	return r;
}

/* 0, 1, or -ENOENT when it is not known. */
static int has_namespace(const struct table_part *part, const char *owner_text)
{
	_arena_ struct arena a = { 0 };
	struct record record = { 0 };
	const char *text = owned_file_read(owner_text, part->name, &a);

	if (!text || read_text(part, text, &a, &record) || !*record.owner.netns)
		return -ENOENT;
	return !access(record.owner.netns, F_OK);
}

bool record_is_live(const struct table_part *part, const char *owner_text)
{
	return has_namespace(part, owner_text) == 1;
}

bool record_is_dead(const struct table_part *part, const char *owner_text)
{
	return has_namespace(part, owner_text) == 0;
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
		if (!read_text(part, texts[i], a, &(*ret)[*ret_n]))
			(*ret_n)++;
	return 0;
}
