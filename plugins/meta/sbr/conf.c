// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/sbr/conf.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/json.h"

struct document {
	int64_t table;
	LIST(const char *) gateways;
	bool source_hints;
};

static const struct json_field text_element = { .type = JSON_STRING };

static const struct json_field fields[] = {
	{ "table", JSON_INT, offsetof(struct document, table), 0, UINT32_MAX },
	{ "gateways", JSON_LIST, offsetof(struct document, gateways),
	  .sub = &text_element, .size = sizeof(const char *) },
	{ "addSourceHints", JSON_BOOL,
	  offsetof(struct document, source_hints) },
	{ 0 },
};

static int take_gateway(const char *text, struct sbr_conf *conf, struct err *e)
{
	struct ip_addr gw, *place;
	char before[IP_TEXT_MAX];

	if (ip_parse(text, &gw))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "invalid static gateway IP address: %s", text);
	place = gw.family == AF_INET ? &conf->gw4 : &conf->gw6;
	if (place->family)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"gateways list contains multiple %s addresses: %s and %s",
			gw.family == AF_INET ? "IPv4" : "IPv6",
			ip_text(place, before), text);
	*place = gw;
	return 0;
}

int sbr_conf_load(const struct cni_call *call, struct sbr_conf *ret,
		  struct err *e)
{
	struct document doc = { 0 };
	int r = json_decode(fields, call->conf->doc, NULL, &doc, call->arena,
			    e);

	*ret = (struct sbr_conf){ .table = (uint32_t)doc.table,
				  .source_hints = doc.source_hints };
	if (!r && doc.gateways.n > 2)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"gateways list cannot contain more than 2 entries (one IPv4, one IPv6)");
	for (size_t i = 0; !r && i < doc.gateways.n; i++)
		r = take_gateway(doc.gateways.v[i], ret, e);
	return r;
}
