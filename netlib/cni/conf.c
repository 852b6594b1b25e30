// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/conf.h"

#include <errno.h>
#include <string.h>

#include "cni/args.h"
#include "cni/version.h"

/* The conf while it is decoded: GC's list has two spellings (libcni sends
 * both, for runtimes and plugins of before the specification settled). */
struct decoded {
	struct cni_conf conf;
	LIST(struct cni_attachment_id) attachments;
	struct {
		const char *type;
	} ipam;
};

static const struct json_field attachment_fields[] = {
	{ "containerID", JSON_STRING,
	  offsetof(struct cni_attachment_id, container_id) },
	{ "ifname", JSON_STRING, offsetof(struct cni_attachment_id, ifname) },
	{ 0 },
};

static const struct json_field attachment_element = {
	.type = JSON_OBJECT, .sub = attachment_fields
};

static const struct json_field ipam_fields[] = {
	{ "type", JSON_STRING, 0 },
	{ 0 },
};

static const struct json_field conf_fields[] = {
	{ "cniVersion", JSON_STRING, offsetof(struct decoded, conf.version) },
	{ "name", JSON_STRING, offsetof(struct decoded, conf.name) },
	{ "type", JSON_STRING, offsetof(struct decoded, conf.type) },
	{ "ipam", JSON_OBJECT, offsetof(struct decoded, ipam),
	  .sub = ipam_fields },
	{ "dns", JSON_OBJECT, offsetof(struct decoded, conf.dns),
	  .sub = cni_dns_fields },
	{ "prevResult", JSON_RAW, offsetof(struct decoded, conf.prev_result) },
	{ "cni.dev/valid-attachments", JSON_LIST,
	  offsetof(struct decoded, conf.valid_attachments),
	  .sub = &attachment_element,
	  .size = sizeof(struct cni_attachment_id) },
	{ "cni.dev/attachments", JSON_LIST,
	  offsetof(struct decoded, attachments), .sub = &attachment_element,
	  .size = sizeof(struct cni_attachment_id) },
	{ 0 },
};

int cni_conf_decode(const cJSON *doc, struct arena *a, struct cni_conf *ret,
		    struct err *e)
{
	struct decoded d = { .conf = {
				     .version = "", .name = "", .type = "" } };
	int r = json_decode(conf_fields, doc, NULL, &d, a, e);

	if (r)
		return r;
	d.conf.doc = doc;
	d.conf.ipam_type = d.ipam.type;
	if (!*d.conf.version)
		d.conf.version = CNI_VERSION_DEFAULT;
	if (!d.conf.valid_attachments.v) {
		d.conf.valid_attachments.v = d.attachments.v;
		d.conf.valid_attachments.n = d.attachments.n;
	}
	*ret = d.conf;
	return cni_check_network_name(d.conf.name, e);
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

bool cni_conf_is_valid(const struct cni_conf *conf, const char *container_id,
		       const char *ifname)
{
	for (size_t i = 0; i < conf->valid_attachments.n; i++) {
		const struct cni_attachment_id *id =
			&conf->valid_attachments.v[i];

		if (same(id->container_id, container_id) &&
		    (!ifname || same(id->ifname, ifname)))
			return true;
	}
	return false;
}
