// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/host_device/origin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/owned_file.h"

#define KIND "host-device"

/* --- writing --------------------------------------------------------------- */

static void put_link(cJSON *doc, const struct link *link)
{
	char mac[MAC_TEXT_MAX];

	cJSON_AddStringToObject(doc, "name", link->name);
	cJSON_AddStringToObject(doc, "kind", link->kind);
	cJSON_AddStringToObject(doc, "alias", link->alias);
	if (link->has_mac)
		cJSON_AddStringToObject(doc, "mac", mac_text(link->mac, mac));
	cJSON_AddNumberToObject(doc, "mtu", link->mtu);
	cJSON_AddBoolToObject(doc, "up", link->flags & IFF_UP);
}

void origin_write(const struct origin *origin)
{
	const struct owner *owner = &origin->owner;
	_json_ cJSON *doc = cJSON_CreateObject();
	_free_ char *text = NULL;

	cJSON_AddStringToObject(doc, "network", owner->network);
	cJSON_AddStringToObject(doc, "container", owner->container_id);
	cJSON_AddStringToObject(doc, "ifname", owner->ifname);
	cJSON_AddStringToObject(doc, "netns", owner->netns);
	cJSON_AddStringToObject(doc, "wanted", origin->wanted);
	put_link(doc, &origin->link);
	text = cJSON_PrintUnformatted(doc);
	if (text)
		owned_file_write(owner, KIND, text);
}

void origin_delete(const struct origin *origin)
{
	owned_file_delete(&origin->owner, KIND);
}

/* --- reading --------------------------------------------------------------- */

struct document {
	const char *network, *container, *ifname, *netns, *wanted;
	const char *name, *kind, *alias, *mac;
	int64_t mtu;
	bool up;
};

static const struct json_field fields[] = {
	{ "network", JSON_STRING, offsetof(struct document, network) },
	{ "container", JSON_STRING, offsetof(struct document, container) },
	{ "ifname", JSON_STRING, offsetof(struct document, ifname) },
	{ "netns", JSON_STRING, offsetof(struct document, netns) },
	{ "wanted", JSON_STRING, offsetof(struct document, wanted) },
	{ "name", JSON_STRING, offsetof(struct document, name) },
	{ "kind", JSON_STRING, offsetof(struct document, kind) },
	{ "alias", JSON_STRING, offsetof(struct document, alias) },
	{ "mac", JSON_STRING, offsetof(struct document, mac) },
	{ "mtu", JSON_INT, offsetof(struct document, mtu), 0, UINT32_MAX },
	{ "up", JSON_BOOL, offsetof(struct document, up) },
	{ 0 },
};

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

static struct link link_of(const struct document *d)
{
	struct link link = { .flags = d->up ? IFF_UP : 0,
			     .mtu = (uint32_t)d->mtu };

	copy(link.name, sizeof(link.name), d->name);
	copy(link.kind, sizeof(link.kind), d->kind);
	copy(link.alias, sizeof(link.alias), d->alias);
	link.has_mac = !mac_parse(d->mac, link.mac);
	return link;
}

static int parse(const char *text, struct arena *a, struct origin *ret)
{
	struct document d = { .network = "",
			      .container = "",
			      .ifname = "",
			      .netns = "",
			      .wanted = "",
			      .name = "",
			      .kind = "",
			      .alias = "",
			      .mac = "" };
	cJSON *doc;
	int r = json_parse(text, strlen(text), &doc, NULL);

	if (!r)
		r = json_keep(a, doc, NULL);
	if (!r)
		r = json_decode(fields, doc, NULL, &d, a, NULL);
	if (!r && !*d.name)
		r = -EINVAL;
	if (r)
		return r;
	*ret = (struct origin){
		.owner = { d.network, d.container, d.ifname, d.netns },
		.wanted = d.wanted,
		.link = link_of(&d),
	};
	return 0;
}

int origin_read(const struct owner *owner, struct arena *a, struct origin *ret)
{
	char *text = owned_file_read(owner_key(owner).text, KIND, a);

	return text && !parse(text, a, ret) ? 0 : -ENOENT;
}

int origin_list(struct arena *a, struct origin **ret, size_t *ret_n,
		struct err *e)
{
	char **texts = owned_file_read_all(KIND, a);
	struct origin *v;
	size_t n = 0;

	while (texts && texts[n])
		n++;
	v = texts ? arena_array(a, n + 1, sizeof(*v)) : NULL;
	if (!v)
		return err_oom(e);
	n = 0;
	for (size_t i = 0; texts[i]; i++)
		if (!parse(texts[i], a, &v[n]))
			n++;
	*ret = v;
	*ret_n = n;
	return 0;
}
