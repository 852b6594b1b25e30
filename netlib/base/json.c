// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ip.h"

#define PATH_TEXT_MAX  256
#define VALUE_TEXT_MAX 80
#define DOUBLE_DIGITS  15 /* DBL_DIG: so many decimal ones are exact */
#define UINT64_END     18446744073709551616.0

static void path_append(const struct json_path *path, char *buf, size_t size)
{
	size_t used;

	if (!path)
		return;
	path_append(path->parent, buf, size);
	used = strlen(buf);
	if (path->key)
		snprintf(buf + used, size - used, "%s%s", used ? "." : "",
			 path->key);
	else
		snprintf(buf + used, size - used, "[%zu]", path->index);
}

static int wrong(const struct json_path *path, int code, const cJSON *value,
		 struct err *e, const char *expectation)
{
	_free_ char *text = cJSON_IsNumber(value) && value->valuestring
				    ? strdup(value->valuestring)
				    : cJSON_PrintUnformatted(value);
	char where[PATH_TEXT_MAX] = "";

	path_append(path, where, sizeof(where));
	return err_set(e, code, EINVAL, "\"%s\": %.*s%s %s", where,
		       VALUE_TEXT_MAX, text ? text : "?",
		       text && strlen(text) > VALUE_TEXT_MAX ? "..." : "",
		       expectation);
}

static int decode_value(const struct json_field *field, const cJSON *value,
			const struct json_path *path, void *member,
			struct arena *a, struct err *e);

static int decode_int(const struct json_field *field, const cJSON *value,
		      const struct json_path *path, void *member, struct err *e)
{
	char expectation[96];
	double d = value->valuedouble;

	snprintf(expectation, sizeof(expectation),
		 "is not an integer in %lld..%lld", (long long)field->min,
		 (long long)field->max);
	if (!cJSON_IsNumber(value))
		return wrong(path, ERR_DECODE, value, e, expectation);
	/* compared as doubles: a conversion first could overflow */
	if (d < (double)field->min || d > (double)field->max)
		return wrong(path, ERR_CONFIG, value, e, expectation);
	if (d != (double)(int64_t)d)
		return wrong(path, ERR_DECODE, value, e, expectation);
	*(int64_t *)member = (int64_t)d;
	return 0;
}

static int decode_uint64(const cJSON *value, const struct json_path *path,
			 void *member, struct err *e)
{
	static const char expectation[] =
		"is not an integer in 0..18446744073709551615";
	double d = value->valuedouble;
	uint64_t n;

	if (!cJSON_IsNumber(value))
		return wrong(path, ERR_DECODE, value, e, expectation);
	if (d < 0 || d > UINT64_END)
		return wrong(path, ERR_CONFIG, value, e, expectation);
	errno = 0;
	n = value->valuestring ? strtoull(value->valuestring, NULL, 10)
	    : d < UINT64_END   ? (uint64_t)d
			       : 0;
	if (errno)
		return wrong(path, ERR_CONFIG, value, e, expectation);
	if (!value->valuestring && d != (double)n)
		return wrong(path, ERR_DECODE, value, e, expectation);
	*(uint64_t *)member = n;
	return 0;
}

static int decode_list(const struct json_field *field, const cJSON *value,
		       const struct json_path *path, void *member,
		       struct arena *a, struct err *e)
{
	LIST(char) *list = member;
	struct json_path element = { .parent = path };
	const cJSON *item;
	char *v;
	int r;

	if (!cJSON_IsArray(value))
		return wrong(path, ERR_DECODE, value, e, "is not a list");
	v = arena_array(a, (size_t)cJSON_GetArraySize(value), field->size);
	if (!v)
		return err_oom(e);
	cJSON_ArrayForEach (item, value) {
		char *slot = v + element.index * field->size;

		if (field->initial)
			memcpy(slot, field->initial, field->size);
		r = cJSON_IsNull(item) ? 0
				       : decode_value(field->sub, item,
						      &element, slot, a, e);
		if (r)
			return r;
		element.index++;
	}
	list->v = v;
	list->n = element.index;
	return 0;
}

static int decode_parsed(const struct json_field *field, const cJSON *value,
			 const struct json_path *path, void *member,
			 struct err *e)
{
	char expectation[96];

	snprintf(expectation, sizeof(expectation), "is not %s", field->what);
	if (!cJSON_IsString(value))
		return wrong(path, ERR_DECODE, value, e, expectation);
	if (field->parse(value->valuestring, member))
		return wrong(path, ERR_CONFIG, value, e, expectation);
	return 0;
}

/* A list or an object says something even when it is empty. */
static bool is_zero(const cJSON *value)
{
	if (cJSON_IsNumber(value))
		return value->valuedouble == 0;
	if (cJSON_IsString(value))
		return !value->valuestring[0];
	return cJSON_IsFalse(value);
}

static int decode_value(const struct json_field *field, const cJSON *value,
			const struct json_path *path, void *member,
			struct arena *a, struct err *e)
{
	switch (field->type) {
	case JSON_STRING:
		if (!cJSON_IsString(value))
			return wrong(path, ERR_DECODE, value, e,
				     "is not a string");
		*(const char **)member = value->valuestring;
		return 0;
	case JSON_BOOL:
		if (!cJSON_IsBool(value))
			return wrong(path, ERR_DECODE, value, e,
				     "is not true or false");
		*(bool *)member = cJSON_IsTrue(value);
		return 0;
	case JSON_INT:
		return decode_int(field, value, path, member, e);
	case JSON_UINT64:
		return decode_uint64(value, path, member, e);
	case JSON_OBJECT:
		return json_decode(field->sub, value, path, member, a, e);
	case JSON_LIST:
		return decode_list(field, value, path, member, a, e);
	case JSON_RAW:
		*(const cJSON **)member = value;
		return 0;
	case JSON_PARSED:
		return decode_parsed(field, value, path, member, e);
	case JSON_UNSUPPORTED:
		return is_zero(value) ? 0
				      : wrong(path, ERR_UNSUPPORTED, value, e,
					      field->what);
	}
	return 0;
}

static const struct json_field *find_field(const struct json_field *fields,
					   const char *key)
{
	for (const struct json_field *f = fields; f->key; f++)
		if (!strcmp(f->key, key))
			return f;
	for (const struct json_field *f = fields; f->key; f++)
		if (!strcasecmp(f->key, key))
			return f;
	return NULL;
}

int json_decode(const struct json_field *fields, const cJSON *object,
		const struct json_path *path, void *out, struct arena *a,
		struct err *e)
{
	const cJSON *member;

	if (!cJSON_IsObject(object))
		return wrong(path, ERR_DECODE, object, e, "is not an object");
	cJSON_ArrayForEach (member, object) {
		const struct json_field *field;
		struct json_path here = { .parent = path };
		int r;

		field = find_field(fields, member->string);
		if (!field || cJSON_IsNull(member))
			continue;
		here.key = field->key;
		r = decode_value(field, member, &here,
				 (char *)out + field->offset, a, e);
		if (r)
			return r;
	}
	return 0;
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	const cJSON *member, *found = NULL;

	if (!cJSON_IsObject(object))
		return NULL;
	cJSON_ArrayForEach (member, object)
		if (!strcasecmp(member->string, key) && !cJSON_IsNull(member))
			found = member;
	return found;
}

/* How long the number at @text is in JSON's grammar (RFC 8259, section 6); 0 if
 * it is none. */
static size_t number_len(const char *text)
{
	static const char digits[] = "0123456789";
	const char *p = text + (*text == '-');
	size_t n = strspn(p, digits);

	if (!n || (n > 1 && *p == '0'))
		return 0;
	p += n;
	if (*p == '.') {
		n = strspn(p + 1, digits);
		if (!n)
			return 0;
		p += 1 + n;
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		n = strspn(p, digits);
		if (!n)
			return 0;
		p += n;
	}
	return (size_t)(p - text);
}

/* The length of the string at @text, quotes included; or 0 and what is wrong
 * with it. */
static size_t string_len(const char *text, const char **wrong_with)
{
	const char *p = text + 1;

	*wrong_with = "string that does not end";
	for (; *p != '"'; p++) {
		if (!strncmp(p, "\\u0000", 6))
			*wrong_with = "NUL character in a string";
		else if ((unsigned char)*p >= 0x20 && (*p != '\\' || *++p))
			continue;
		return 0;
	}
	return (size_t)(p - text) + 1;
}

/* The length of the token at @text, or 0 and what is wrong with it. */
static size_t token_len(const char *text, const char **wrong_with)
{
	if (*text == '"')
		return string_len(text, wrong_with);
	if (*text == '-' || (*text >= '0' && *text <= '9')) {
		*wrong_with = "malformed number";
		return number_len(text);
	}
	*wrong_with = "character out of place";
	return *text > ' ' || (*text && strchr(" \t\r\n", *text));
}

/*
 * What cJSON lets pass: a string ends at an escaped NUL, numbers may be 01 or
 * 1., any control character is white space, so is a byte order mark, and a
 * thousand levels are recursed into. @text ends with a NUL.
 */
static int scan_text(const char *text, size_t len, struct err *e)
{
	unsigned depth = 0;
	size_t step;

	for (size_t i = 0; i < len; i += step) {
		const char *wrong_with;

		step = token_len(text + i, &wrong_with);
		if (!step)
			return err_set(e, ERR_DECODE, EINVAL,
				       "not JSON: %s at byte %zu", wrong_with,
				       i);
		depth += text[i] == '{' || text[i] == '[';
		depth -= depth && (text[i] == '}' || text[i] == ']');
		if (depth > JSON_DEPTH_MAX)
			return err_set(e, ERR_DECODE, EINVAL,
				       "JSON is nested over %d levels deep",
				       JSON_DEPTH_MAX);
	}
	return 0;
}

/* The next number in @text, which JSON is known to be right from there on. */
static const char *find_number(const char *text)
{
	const char *wrong_with;

	while (*text && *text != '-' && !(*text >= '0' && *text <= '9'))
		text += *text == '"' ? string_len(text, &wrong_with) : 1;
	return text;
}

/* cJSON has doubles alone: numbers come in the same order in it and in @text. */
static int keep_digits(cJSON *value, const char **text, struct err *e)
{
	cJSON *child;
	size_t len;
	int r = 0;

	cJSON_ArrayForEach (child, value)
		if (!r)
			r = keep_digits(child, text, e);
	if (r || !cJSON_IsNumber(value))
		return r;
	*text = find_number(*text);
	len = number_len(*text);
	if (len > DOUBLE_DIGITS && !memchr(*text, '.', len) &&
	    !memchr(*text, 'e', len) && !memchr(*text, 'E', len)) {
		value->valuestring = cJSON_malloc(len + 1);
		if (!value->valuestring)
			return err_oom(e);
		memcpy(value->valuestring, *text, len);
		value->valuestring[len] = '\0';
	}
	*text += len;
	return 0;
}

int json_parse(const char *text, size_t len, cJSON **ret, struct err *e)
{
	_json_ cJSON *doc = NULL;
	const char *end = NULL;
	int r = scan_text(text, len, e);

	if (r)
		return r;
	doc = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	if (!doc)
		return err_set(e, ERR_DECODE, EINVAL,
			       len ? "not JSON: error near byte %td"
				   : "unexpected end of JSON input",
			       end ? end - text : 0);
	while (end < text + len && strchr(" \t\r\n", *end))
		end++;
	if (end != text + len)
		return err_set(e, ERR_DECODE, EINVAL,
			       "data after the JSON value at byte %td",
			       end - text);
	if (!cJSON_IsObject(doc))
		return err_set(e, ERR_DECODE, EINVAL, "JSON is not an object");
	r = keep_digits(doc, &text, e);
	if (!r)
		*ret = steal_ptr(&doc);
	return r;
}

static void free_doc(void *doc)
{
	cJSON_Delete(doc);
}

int json_keep(struct arena *a, cJSON *doc, struct err *e)
{
	return arena_own(a, doc, free_doc) ? err_oom(e) : 0;
}

int json_parse_ip(const char *text, void *member)
{
	struct ip_addr *addr = member;

	if (!text[0]) {
		addr->family = 0;
		return 0;
	}
	return ip_parse(text, addr);
}

int json_parse_prefix(const char *text, void *member)
{
	return prefix_parse(text, member);
}
