// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cni/args.h"
#include "ipam/dhcp/message4.h"

#define VALUE_MAX     255
#define CLIENT_ID_MAX 254 /* of the text, as in the reference */

struct provide {
	const char *option, *value, *from_arg;
};

struct request {
	const char *option;
	bool skip_default;
};

/* The keys as they stand in the document. */
struct document {
	const char *socket_path, *family;
	int64_t priority;
	LIST(struct provide) provide;
	LIST(struct request) request;
};

static const struct json_field provide_fields[] = {
	{ "option", JSON_STRING, offsetof(struct provide, option) },
	{ "value", JSON_STRING, offsetof(struct provide, value) },
	{ "fromArg", JSON_STRING, offsetof(struct provide, from_arg) },
	{ 0 },
};

static const struct json_field request_fields[] = {
	{ "option", JSON_STRING, offsetof(struct request, option) },
	{ "skipDefault", JSON_BOOL, offsetof(struct request, skip_default) },
	{ 0 },
};

static const struct provide provide_initial = { "", "", "" };
static const struct request request_initial = { .option = "" };
static const struct json_field provide_element = { .type = JSON_OBJECT,
						   .sub = provide_fields };
static const struct json_field request_element = { .type = JSON_OBJECT,
						   .sub = request_fields };

#define IN(member) offsetof(struct document, member)

static const struct json_field ipam_fields[] = {
	{ "daemonSocketPath", JSON_STRING, IN(socket_path) },
	{ "family", JSON_STRING, IN(family) },
	{ "priority", JSON_INT, IN(priority), 0, UINT32_MAX },
	{ "provide", JSON_LIST, IN(provide), .sub = &provide_element,
	  .size = sizeof(struct provide), .initial = &provide_initial },
	{ "request", JSON_LIST, IN(request), .sub = &request_element,
	  .size = sizeof(struct request), .initial = &request_initial },
	{ 0 },
};

static const struct json_field fields[] = {
	{ "ipam", JSON_OBJECT, 0, .sub = ipam_fields },
	{ 0 },
};

/* Asked for unless the configuration says skipDefault: more than the
 * reference's mask and router, in the order of RFC 3442. */
static const uint8_t request_default[] = {
	DHCP4_SUBNET_MASK,   DHCP4_CLASSLESS_ROUTES,
	DHCP4_ROUTERS,	     DHCP4_STATIC_ROUTES,
	DHCP4_DNS_SERVERS,   DHCP4_DOMAIN_NAME,
	DHCP4_DOMAIN_SEARCH, DHCP4_MTU,
};

/* --- options by name ------------------------------------------------------- */

static int parse_number(const char *text, uint8_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || strspn(text, "0123456789") != strlen(text) || *end ||
	    n > UINT8_MAX)
		return -EINVAL;
	*ret = (uint8_t)n;
	return 0;
}

static int parse_option(const char *name, uint8_t *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint8_t code;
	} known[] = {
		{ "dhcp-client-identifier", DHCP4_CLIENT_ID },
		{ "subnet-mask", DHCP4_SUBNET_MASK },
		{ "routers", DHCP4_ROUTERS },
		{ "host-name", DHCP4_HOST_NAME },
		{ "user-class", DHCP4_USER_CLASS },
		{ "vendor-class-identifier", DHCP4_VENDOR_CLASS },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].name, name)) {
			*ret = known[i].code;
			return 0;
		}
	if (!parse_number(name, ret))
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"Can not parse option \"%s\": neither a known name nor an integer in 0..255",
		name);
}

/* What the protocol itself needs is the client's to say. */
static bool is_reserved(uint8_t code)
{
	static const uint8_t reserved[] = {
		DHCP4_PAD,	 DHCP4_REQUESTED_ADDRESS,
		DHCP4_OVERLOAD,	 DHCP4_MESSAGE_TYPE,
		DHCP4_SERVER_ID, DHCP4_PARAMETER_REQUEST,
		DHCP4_MAX_SIZE,	 DHCP4_END,
	};

	return memchr(reserved, code, sizeof(reserved));
}

/* --- provide --------------------------------------------------------------- */

static void remove_option(struct dhcp_conf *conf, uint8_t code)
{
	size_t at = 0, len;

	while (at < conf->options_len) {
		len = 2U + conf->options[at + 1];
		if (conf->options[at] != code) {
			at += len;
			continue;
		}
		conf->options_len -= len;
		memmove(conf->options + at, conf->options + at + len,
			conf->options_len - at);
	}
}

/* Of two values the later counts. */
static int put_option(struct dhcp_conf *conf, uint8_t code, const void *value,
		      size_t len, struct err *e)
{
	uint8_t *p;

	remove_option(conf, code);
	if (conf->options_len + 2 + len > sizeof(conf->options))
		return err_set(e, ERR_CONFIG, E2BIG,
			       "\"ipam.provide\" is more than %zu bytes",
			       sizeof(conf->options));
	p = conf->options + conf->options_len;
	p[0] = code;
	p[1] = (uint8_t)len;
	memcpy(p + 2, value, len);
	conf->options_len += 2 + len;
	return 0;
}

static int put_client_id(struct dhcp_conf *conf, const struct owner *owner,
			 struct arena *a, struct err *e)
{
	char *text = arena_printf(a, "%c%s/%s/%s", 0, owner->container_id,
				  owner->network, owner->ifname);
	size_t len;

	if (!text)
		return err_oom(e);
	len = 1 + strlen(text + 1);
	if (len > 1 + CLIENT_ID_MAX)
		len = 1 + CLIENT_ID_MAX;
	return put_option(conf, DHCP4_CLIENT_ID, text, len, e);
}

static int put_value(struct dhcp_conf *conf, const struct provide *from,
		     uint8_t code, const char *value, struct err *e)
{
	const size_t len = strlen(value);

	if (len > VALUE_MAX)
		return err_set(e, ERR_CONFIG, E2BIG,
			       "value too long for option \"%s\": \"%s\"",
			       from->option, value);
	return len ? put_option(conf, code, value, len, e) : 0;
}

static int provide(struct dhcp_conf *conf, const struct provide *from,
		   const char *args, struct err *e)
{
	struct cni_arg arg = { .key = from->from_arg };
	uint8_t code = 0;
	int r = parse_option(from->option, &code, e);

	if (!r && is_reserved(code))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"option \"%s\" is not for a configuration to give",
			from->option);
	if (!r)
		r = put_value(conf, from, code, from->value, e);
	if (!r && *from->from_arg)
		r = cni_args_parse(args, true, &arg, 1, e);
	if (!r && arg.value)
		r = put_value(conf, from, code, arg.value, e);
	free(arg.value);
	return r;
}

/* --- request --------------------------------------------------------------- */

static void ask_for(struct dhcp_conf *conf, uint8_t code)
{
	if (!memchr(conf->request, code, conf->request_len) &&
	    conf->request_len < sizeof(conf->request))
		conf->request[conf->request_len++] = code;
}

static int load_request(const struct document *doc, struct dhcp_conf *conf,
			struct err *e)
{
	bool skip_default = false;
	uint8_t code;

	for (size_t i = 0; i < doc->request.n; i++) {
		const struct request *from = &doc->request.v[i];

		skip_default |= from->skip_default;
		if (!*from->option && from->skip_default)
			continue;
		if (parse_option(from->option, &code, e))
			return -EINVAL;
		ask_for(conf, code);
	}
	for (size_t i = 0; !skip_default && i < sizeof(request_default); i++)
		ask_for(conf, request_default[i]);
	return 0;
}

/* --- all of it ------------------------------------------------------------- */

static int load_family(const char *name, struct dhcp_conf *conf, struct err *e)
{
	static const struct {
		const char *name;
		enum dhcp_choice choice;
	} families[] = {
		{ "", DHCP_IPV4 },
		{ "ipv4", DHCP_IPV4 },
		{ "ipv6", DHCP_IPV6 },
		{ "dual", DHCP_DUAL },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (!strcmp(name, families[i].name)) {
			conf->family = families[i].choice;
			return 0;
		}
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"\"ipam.family\": \"%s\" is none of \"ipv4\", \"ipv6\", \"dual\"",
		name);
}

int dhcp_conf_load(const cJSON *doc, const struct owner *owner,
		   const char *args, struct arena *a, struct dhcp_conf *ret,
		   struct err *e)
{
	struct document d = { .socket_path = "", .family = "" };
	int r = json_decode(fields, doc, NULL, &d, a, e);

	*ret = (struct dhcp_conf){ .socket_path = *d.socket_path
							  ? d.socket_path
							  : DHCP_SOCKET_DEFAULT,
				   .priority = d.priority };
	if (!r)
		r = load_family(d.family, ret, e);
	duid_of_attachment(owner->container_id, owner->network, owner->ifname,
			   &ret->duid, &ret->iaid);
	if (!r)
		r = put_client_id(ret, owner, a, e);
	for (size_t i = 0; !r && i < d.provide.n; i++)
		r = provide(ret, &d.provide.v[i], args, e);
	return r ? r : load_request(&d, ret, e);
}

const char *dhcp_conf_socket(const cJSON *doc)
{
	const cJSON *ipam = json_get(doc, "ipam");
	const cJSON *path = ipam ? json_get(ipam, "daemonSocketPath") : NULL;
	const char *text = path ? cJSON_GetStringValue(path) : NULL;

	return text && *text ? text : DHCP_SOCKET_DEFAULT;
}
