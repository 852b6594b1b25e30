// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/oci.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"

static const struct json_field annotation_fields[] = {
	{ "hawser.networks", JSON_STRING,
	  offsetof(struct oci_state, annotations.networks) },
	{ "hawser.ports", JSON_STRING,
	  offsetof(struct oci_state, annotations.ports) },
	{ "hawser.name", JSON_STRING,
	  offsetof(struct oci_state, annotations.name) },
	{ 0 },
};

static const struct json_field state_fields[] = {
	{ "id", JSON_STRING, offsetof(struct oci_state, id) },
	{ "status", JSON_STRING, offsetof(struct oci_state, status) },
	{ "pid", JSON_INT, offsetof(struct oci_state, pid), 0, INT32_MAX },
	{ "bundle", JSON_STRING, offsetof(struct oci_state, bundle) },
	{ "annotations", JSON_OBJECT, 0, .sub = annotation_fields },
	{ 0 },
};

struct namespace
{
	const char *type;
	const char *path;
};

struct config {
	const char *hostname;
	struct {
		LIST(struct namespace) namespaces;
	} linux_part;
};

static const struct json_field namespace_fields[] = {
	{ "type", JSON_STRING, offsetof(struct namespace, type) },
	{ "path", JSON_STRING, offsetof(struct namespace, path) },
	{ 0 },
};

static const struct json_field namespace_element = { .type = JSON_OBJECT,
						     .sub = namespace_fields };

static const struct json_field linux_fields[] = {
	{ "namespaces", JSON_LIST,
	  offsetof(struct config, linux_part.namespaces),
	  .sub = &namespace_element, .size = sizeof(struct namespace) },
	{ 0 },
};

static const struct json_field config_fields[] = {
	{ "hostname", JSON_STRING, offsetof(struct config, hostname) },
	{ "linux", JSON_OBJECT, 0, .sub = linux_fields },
	{ 0 },
};

static int decode(const char *text, size_t len, const struct json_field *fields,
		  void *out, struct arena *a, struct err *e)
{
	cJSON *doc;
	int r = json_parse(text, len, &doc, e);

	if (!r)
		r = json_keep(a, doc, e);
	return r ? r : json_decode(fields, doc, NULL, out, a, e);
}

int oci_state_read(int fd, struct arena *a, struct oci_state *ret,
		   struct err *e)
{
	struct oci_state state = { .id = "", .status = "" };
	_free_ char *text = NULL;
	size_t len = 0;
	int r = fs_read_all(fd, JSON_TEXT_MAX, &text, &len);

	if (r)
		return err_set(e, ERR_IO, -r, "read the state on stdin: %s",
			       strerror(-r));
	r = decode(text, len, state_fields, &state, a, e);
	if (!r && !*state.id)
		r = err_set(e, ERR_CONFIG, EINVAL, "there is no \"id\"");
	if (!r && !*state.status)
		r = err_set(e, ERR_CONFIG, EINVAL, "there is no \"status\"");
	if (r)
		err_wrap(e, "the container's state on stdin");
	else
		*ret = state;
	return r;
}

int oci_config_read(const char *bundle, struct arena *a, struct oci_config *ret,
		    struct err *e)
{
	const char *path = arena_printf(a, "%s/config.json", bundle);
	struct config config = { 0 };
	_free_ char *text = NULL;
	size_t len = 0;
	int r = path ? fs_read_file(path, JSON_TEXT_MAX, &text, &len, e)
		     : err_oom(e);

	*ret = (struct oci_config){ 0 };
	if (r)
		return r == -ENOENT ? 0 : r;
	r = decode(text, len, config_fields, &config, a, e);
	if (r) {
		err_wrap(e, "\"%s\"", path);
		return r;
	}
	ret->hostname = config.hostname;
	for (size_t i = 0; i < config.linux_part.namespaces.n; i++) {
		const struct namespace *ns = &config.linux_part.namespaces.v[i];

		if (ns->type && ns->path && !strcmp(ns->type, "network"))
			ret->netns = ns->path;
	}
	return 0;
}
