// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/request.h"

#include <errno.h>
#include <string.h>

#include "cni/plugin.h"
#include "cni/version.h"

static const char *const config_keys[] = {
	"cniVersion",	       "name", "ipam", "cni.dev/valid-attachments",
	"cni.dev/attachments",
};

/* The document as a line. */
static char *print_line(const cJSON *doc)
{
	char *text = cJSON_PrintUnformatted(doc);
	size_t len = text ? strlen(text) : 0;
	char *line = text ? realloc(text, len + 2) : NULL;

	if (!line) {
		free(text);
		return NULL;
	}
	memcpy(line + len, "\n", 2);
	return line;
}

static cJSON *new_document(void)
{
	cJSON *doc = cJSON_CreateObject();

	cJSON_AddNumberToObject(doc, "hawser", DHCP_PROTOCOL);
	return doc;
}

cJSON *dhcp_config_reduce(const cJSON *config)
{
	cJSON *reduced = cJSON_CreateObject();

	for (size_t i = 0; i < sizeof(config_keys) / sizeof(*config_keys);
	     i++) {
		const cJSON *value = json_get(config, config_keys[i]);

		if (value)
			cJSON_AddItemToObject(reduced, config_keys[i],
					      cJSON_Duplicate(value, true));
	}
	return reduced;
}

char *dhcp_request_encode(const struct dhcp_request *request)
{
	_json_ cJSON *doc = new_document();
	const struct owner *owner = &request->owner;

	cJSON_AddStringToObject(doc, "command",
				cni_command_name(request->command));
	cJSON_AddStringToObject(doc, "containerID", owner->container_id);
	cJSON_AddStringToObject(doc, "netns", owner->netns);
	cJSON_AddStringToObject(doc, "ifname", owner->ifname);
	cJSON_AddStringToObject(doc, "args", request->args);
	cJSON_AddItemToObject(doc, "config",
			      dhcp_config_reduce(request->config));
	return print_line(doc);
}

static cJSON *error_object(const struct err *error)
{
	_free_ char *text = cni_error_json(error, CNI_VERSION_CURRENT);

	return text ? cJSON_Parse(text) : NULL;
}

char *dhcp_answer_encode(const struct cni_result *res, const struct err *error)
{
	_json_ cJSON *doc = new_document();
	cJSON *result = NULL;

	if (error)
		cJSON_AddItemToObject(doc, "error", error_object(error));
	else if (!cni_result_encode(res, CNI_VERSION_CURRENT, &result, NULL))
		cJSON_AddItemToObject(doc, "result", result);
	return print_line(doc);
}

/* --- reading --------------------------------------------------------------- */

struct decoded {
	int64_t protocol;
	const char *command, *container_id, *netns, *ifname, *args;
	const cJSON *config;
};

static const struct json_field request_fields[] = {
	{ "hawser", JSON_INT, offsetof(struct decoded, protocol), 0, 1 << 20 },
	{ "command", JSON_STRING, offsetof(struct decoded, command) },
	{ "containerID", JSON_STRING, offsetof(struct decoded, container_id) },
	{ "netns", JSON_STRING, offsetof(struct decoded, netns) },
	{ "ifname", JSON_STRING, offsetof(struct decoded, ifname) },
	{ "args", JSON_STRING, offsetof(struct decoded, args) },
	{ "config", JSON_RAW, offsetof(struct decoded, config) },
	{ 0 },
};

static int find_command(const char *name, enum cni_command *ret, struct err *e)
{
	for (int c = CNI_ADD; c < CNI_VERSION; c++)
		if (!strcmp(cni_command_name((enum cni_command)c), name)) {
			*ret = (enum cni_command)c;
			return 0;
		}
	return err_set(e, ERR_DECODE, EINVAL, "unknown command \"%s\"", name);
}

/* What the plugin has checked already, of a sender that need not be one. */
static int check_names(const struct dhcp_request *request, struct err *e)
{
	int r;

	if (request->command == CNI_GC || request->command == CNI_STATUS)
		return 0;
	r = cni_check_container_id(request->owner.container_id, e);
	return r ? r : cni_check_ifname(request->owner.ifname, e);
}

int dhcp_request_decode(const char *text, size_t len, struct arena *a,
			struct dhcp_request *ret, struct err *e)
{
	struct decoded d = { .command = "",
			     .container_id = "",
			     .netns = "",
			     .ifname = "",
			     .args = "" };
	cJSON *doc = NULL;
	int r = json_parse(text, len, &doc, e);

	if (!r)
		r = json_keep(a, doc, e);
	if (!r)
		r = json_decode(request_fields, doc, NULL, &d, a, e);
	if (r)
		return r;
	if (d.protocol != DHCP_PROTOCOL || !cJSON_IsObject(d.config))
		return err_set(e, ERR_DECODE, EPROTO,
			       "not a request of protocol %d", DHCP_PROTOCOL);
	*ret = (struct dhcp_request){ .args = d.args, .config = d.config };
	r = find_command(d.command, &ret->command, e);
	if (!r)
		r = cni_conf_decode(d.config, a, &ret->conf, e);
	if (r)
		return r;
	ret->owner = (struct owner){ .network = ret->conf.name,
				     .container_id = d.container_id,
				     .ifname = d.ifname,
				     .netns = d.netns };
	return check_names(ret, e);
}

struct answer {
	int64_t protocol;
	const cJSON *result;
	struct {
		int64_t code;
		const char *msg, *details;
	} error;
};

static const struct json_field error_fields[] = {
	{ "code", JSON_INT, offsetof(struct answer, error.code), 0, INT32_MAX },
	{ "msg", JSON_STRING, offsetof(struct answer, error.msg) },
	{ "details", JSON_STRING, offsetof(struct answer, error.details) },
	{ 0 },
};

static const struct json_field answer_fields[] = {
	{ "hawser", JSON_INT, offsetof(struct answer, protocol), 0, 1 << 20 },
	{ "result", JSON_RAW, offsetof(struct answer, result) },
	{ "error", JSON_OBJECT, 0, .sub = error_fields },
	{ 0 },
};

int dhcp_answer_decode(const char *text, size_t len, struct arena *a,
		       struct cni_result *ret, struct err *e)
{
	struct answer answer = { .error = { .msg = "", .details = "" } };
	cJSON *doc = NULL;
	int r = json_parse(text, len, &doc, e);

	if (!r)
		r = json_keep(a, doc, e);
	if (!r)
		r = json_decode(answer_fields, doc, NULL, &answer, a, e);
	if (r)
		return r;
	if (answer.protocol != DHCP_PROTOCOL)
		return err_set(e, ERR_IO, EPROTO,
			       "the DHCP daemon speaks another protocol");
	if (answer.error.code) {
		err_set(e, (int)answer.error.code, EREMOTEIO, "%s",
			answer.error.msg);
		if (*answer.error.details)
			err_details(e, "%s", answer.error.details);
		return -EREMOTEIO;
	}
	if (!cJSON_IsObject(answer.result))
		return err_set(e, ERR_IO, EPROTO,
			       "the DHCP daemon's answer has no result");
	return cni_result_decode(answer.result, CNI_VERSION_CURRENT, a, ret, e);
}
