// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON into typed structures through tables of fields.
 *
 * The rules are those of Go's encoding/json, which every CNI configuration in
 * the wild was written against: a key matches exactly or else without regard
 * to case, the last of several wins, null leaves the default alone, unknown
 * keys are ignored, and a wrong type is an error that names the key.
 *
 * Strings point into the document, lists into the arena: both outlive what
 * was decoded.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* The longest document that is read from anybody else; whoever reads it sees to
 * that. */
#define JSON_TEXT_MAX  ((size_t)1 << 20)
#define JSON_DEPTH_MAX 64

DEFINE_CLEANUP(cJSON *, cJSON_Delete)
#define _json_ cleanup(cJSON_Delete)

/* What a list field is decoded into: struct { T *v; size_t n; } for any T. */
#define LIST(type)        \
	struct {          \
		type *v;  \
		size_t n; \
	}

/* Where a value stands, for messages: "ipam.ranges[0][1].subnet". */
struct json_path {
	const struct json_path *parent;
	const char *key; /* NULL: an element of a list */
	size_t index;
};

enum json_type {
	JSON_STRING,	  /* const char * */
	JSON_BOOL,	  /* bool */
	JSON_INT,	  /* int64_t in [min, max] */
	JSON_UINT64,	  /* uint64_t, whichever */
	JSON_OBJECT,	  /* decoded in place by the table .sub */
	JSON_LIST,	  /* LIST(T): elements as .sub[0], of .size bytes */
	JSON_RAW,	  /* const cJSON *, any type */
	JSON_PARSED,	  /* a string handed to .parse, e.g. an address */
	JSON_UNSUPPORTED, /* an error unless null, false, 0 or "" */
};

struct json_field {
	const char *key; /* NULL ends a table; unused in an element's .sub */
	enum json_type type;
	size_t offset; /* of the member in the structure decoded into */
	int64_t min, max;
	const struct json_field *sub;
	size_t size;
	const void *initial; /* JSON_LIST: an element's defaults; NULL: zero */
	/* Parse @text into the member; 0 or -EINVAL, which becomes
	 * "key": "text" is not .what. */
	int (*parse)(const char *text, void *member);
	const char *what;
};

/* Parse the @len bytes of @text, which end with a NUL that is not counted: one
 * object and nothing after it. The caller frees *@ret. -EINVAL, with code
 * ERR_DECODE. Integers that a double may not hold keep their digits, in
 * .valuestring. */
int json_parse(const char *text, size_t len, cJSON **ret, struct err *e);

/* Let @a own @doc, so that what was decoded lives as long as the arena. 0; or
 * -ENOMEM, and then @doc has been freed already. */
int json_keep(struct arena *a, cJSON *doc, struct err *e);

/* Decode the members of @object into @out, whose defaults the caller has set.
 * @path names the object in messages (NULL for the document). Wrong types have
 * code ERR_DECODE, values out of range ERR_CONFIG, unsupported keys
 * ERR_UNSUPPORTED; all return -EINVAL. */
int json_decode(const struct json_field *fields, const cJSON *object,
		const struct json_path *path, void *out, struct arena *a,
		struct err *e);

/* The value of @key in @object as Go's decoder would pick it; NULL if there is
 * none or it is null. */
const cJSON *json_get(const cJSON *object, const char *key);

/* JSON_PARSED functions for addresses (members struct ip_addr, ip_prefix). To
 * Go, and so here, "" is no address, but it is not a prefix. */
int json_parse_ip(const char *text, void *member);
int json_parse_prefix(const char *text, void *member);
