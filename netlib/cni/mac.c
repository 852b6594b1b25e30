// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/mac.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

struct source {
	const char *mac;
};

struct sources {
	struct source runtime_config, conf;
	struct {
		struct source cni;
	} args;
};

static const struct json_field mac_fields[] = {
	{ "mac", JSON_STRING, offsetof(struct source, mac) },
	{ 0 },
};

static const struct json_field args_fields[] = {
	{ "cni", JSON_OBJECT, 0, .sub = mac_fields },
	{ 0 },
};

static const struct json_field fields[] = {
	{ "mac", JSON_STRING, offsetof(struct sources, conf.mac) },
	{ "runtimeConfig", JSON_OBJECT,
	  offsetof(struct sources, runtime_config), .sub = mac_fields },
	{ "args", JSON_OBJECT, offsetof(struct sources, args),
	  .sub = args_fields },
	{ 0 },
};

static const char *choose(const char *const *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (order[i] && *order[i])
			return order[i];
	return NULL;
}

static int load(const struct cni_call *call, bool args_first,
		struct cni_mac *ret, struct err *e)
{
	struct cni_arg in_args = { .key = "MAC" };
	struct sources from = { 0 };
	int r = cni_args_parse(call->args->args, false, &in_args, 1, e);
	_free_ char *owned = in_args.value;
	const char *mac;

	memset(ret, 0, sizeof(*ret));
	if (!r)
		r = json_decode(fields, call->conf->doc, NULL, &from,
				call->arena, e);
	if (r)
		return r;
	const char *const order[] = {
		args_first ? from.args.cni.mac : from.runtime_config.mac,
		args_first ? from.runtime_config.mac : from.args.cni.mac,
		owned,
		from.conf.mac,
	};
	mac = choose(order, sizeof(order) / sizeof(*order));
	if (!mac)
		return 0;
	if (mac_parse(mac, ret->mac))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"mac\": \"%s\" is not a MAC address", mac);
	if (ret->mac[0] & 1)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"mac\": \"%s\" is a multicast address", mac);
	ret->is_set = true;
	return 0;
}

int cni_mac_load(const struct cni_call *call, struct cni_mac *ret,
		 struct err *e)
{
	return load(call, false, ret, e);
}

int cni_mac_load_args_first(const struct cni_call *call, struct cni_mac *ret,
			    struct err *e)
{
	return load(call, true, ret, e);
}

const uint8_t *cni_mac_get(const struct cni_mac *mac)
{
	return mac->is_set ? mac->mac : NULL;
}
