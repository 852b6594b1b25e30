// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/conf.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"

#define LABEL_MAX    63	 /* RFC 1035, 2.3.4 */
#define NAME_MAX_LEN 253 /* the same, without the last dot */
#define SHORT_ID_LEN 12	 /* as podman's and docker's short IDs */

struct document {
	const char *domain, *resolver;
	bool multi_domain;
	LIST(struct ip_addr) remote_servers;
	const cJSON *internal;
	struct {
		const cJSON *aliases;
	} runtime;
};

static const struct json_field server_element = { .type = JSON_PARSED,
						  .parse = json_parse_ip,
						  .what = "an IP address" };

static const struct json_field runtime_fields[] = {
	{ "aliases", JSON_RAW, 0 },
	{ 0 },
};

static const struct json_field fields[] = {
	{ "domainName", JSON_STRING, offsetof(struct document, domain) },
	{ "multiDomain", JSON_BOOL, offsetof(struct document, multi_domain) },
	{ "resolver", JSON_STRING, offsetof(struct document, resolver) },
	{ "remoteServers", JSON_LIST, offsetof(struct document, remote_servers),
	  .sub = &server_element, .size = sizeof(struct ip_addr) },
	{ "internal", JSON_RAW, offsetof(struct document, internal) },
	{ "runtimeConfig", JSON_OBJECT, offsetof(struct document, runtime),
	  .sub = runtime_fields },
	{ 0 },
};

/* --- names ------------------------------------------------------------------ */

/* Letters, digits, '-' and, as container engines allow it, '_'. */
static bool is_label(const char *s, size_t n)
{
	if (!n || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

static bool is_name(const char *s)
{
	size_t n;

	if (strlen(s) > NAME_MAX_LEN)
		return false;
	for (;; s += n + 1) {
		n = strcspn(s, ".");
		if (!is_label(s, n))
			return false;
		if (!s[n])
			return true;
	}
}

static bool has_name(const struct dnsname_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->names.n; i++)
		if (!strcasecmp(conf->names.v[i], name))
			return true;
	return false;
}

/* @what is how errors call it. There is room for it. */
static int add_name(struct dnsname_conf *conf, const char *what,
		    const char *name, struct err *e)
{
	if (!is_name(name))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "%s: \"%s\" is not a name DNS can have", what,
			       name);
	if (!has_name(conf, name))
		conf->names.v[conf->names.n++] = name;
	return 0;
}

/* The object podman and CRI-O send, lists by network; or just a list. */
static const cJSON *aliases_of(const struct cni_call *call,
			       const cJSON *aliases)
{
	return cJSON_IsObject(aliases) ? json_get(aliases, call->conf->name)
				       : aliases;
}

static int add_aliases(struct dnsname_conf *conf, const cJSON *aliases,
		       struct err *e)
{
	const cJSON *item;
	int r = 0;

	if (aliases && !cJSON_IsArray(aliases))
		return err_set(
			e, ERR_DECODE, EINVAL,
			"\"runtimeConfig.aliases\" is not a list of names");
	cJSON_ArrayForEach (item, aliases) {
		if (r)
			break;
		if (!cJSON_IsString(item))
			r = err_set(
				e, ERR_DECODE, EINVAL,
				"\"runtimeConfig.aliases\" is not a list of names");
		else
			r = add_name(conf, "\"runtimeConfig.aliases\"",
				     item->valuestring, e);
	}
	return r;
}

/* The name that the engine says in CNI_ARGS, as podman and the CRI do. */
static int pod_name(const struct cni_call *call, const char **ret,
		    struct err *e)
{
	struct cni_arg arg = { "K8S_POD_NAME", NULL };
	int r = cni_args_parse(call->args->args, true, &arg, 1, e);

	*ret = NULL;
	if (r || !arg.value)
		return r;
	*ret = arena_strdup(call->arena, arg.value);
	free(arg.value);
	return *ret ? 0 : err_oom(e);
}

/* Nobody who has names needs the ID; who has none is known by it, a long one by
 * its beginning. */
static int add_id(const struct cni_call *call, struct dnsname_conf *conf,
		  struct err *e)
{
	const char *id = call->args->container_id;

	if (strlen(id) > LABEL_MAX)
		id = arena_printf(call->arena, "%.*s", SHORT_ID_LEN, id);
	if (!id)
		return err_oom(e);
	return *id ? add_name(conf, "container ID", id, e) : 0; /* STATUS */
}

static int add_names(const struct cni_call *call, const cJSON *aliases,
		     struct dnsname_conf *conf, struct err *e)
{
	const cJSON *list = aliases_of(call, aliases);
	const char *name = NULL;
	int r = pod_name(call, &name, e);

	if (r)
		return r;
	conf->names.v =
		arena_array(call->arena, (size_t)cJSON_GetArraySize(list) + 2,
			    sizeof(*conf->names.v));
	if (!conf->names.v)
		return err_oom(e);
	if (name && *name)
		r = add_name(conf, "K8S_POD_NAME", name, e);
	if (!r)
		r = add_aliases(conf, list, e);
	if (!r && !conf->names.n)
		r = add_id(call, conf, e);
	return r;
}

/* --- the network ------------------------------------------------------------ */

static int take_network(const struct document *doc, struct dnsname_conf *conf,
			struct err *e)
{
	conf->domain = doc->domain ? doc->domain : "";
	conf->resolver = doc->resolver ? doc->resolver : "";
	conf->multi_domain = doc->multi_domain;
	conf->remote_servers.v = doc->remote_servers.v;
	conf->remote_servers.n = doc->remote_servers.n;
	conf->internal = doc->internal ? cJSON_IsTrue(doc->internal) : -1;
	if (doc->internal && !cJSON_IsBool(doc->internal))
		return err_set(e, ERR_DECODE, EINVAL,
			       "\"internal\" is not a boolean");
	if (!is_name(conf->domain))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"domainName\": \"%s\" is not a domain",
			       conf->domain);
	for (size_t i = 0; i < conf->remote_servers.n; i++)
		if (!conf->remote_servers.v[i].family)
			return err_set(
				e, ERR_CONFIG, EINVAL,
				"\"remoteServers\" has an empty address");
	return 0;
}

int dnsname_conf_load(const struct cni_call *call, struct dnsname_conf *ret,
		      struct err *e)
{
	struct document doc = { 0 };
	int r = json_decode(fields, call->conf->doc, NULL, &doc, call->arena,
			    e);

	*ret = (struct dnsname_conf){ 0 };
	if (!r)
		r = take_network(&doc, ret, e);
	return r ? r : add_names(call, doc.runtime.aliases, ret, e);
}
