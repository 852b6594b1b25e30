// SPDX-License-Identifier: GPL-2.0-or-later
/* macvlan: an interface with a MAC of its own on top of one of the host's, a
 * machine beside it on the same wire. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cni/mac.h"
#include "interface/endpoint.h"
#include "interface/inspect.h"
#include "interface/master.h"
#include "plugins.h"

struct macvlan_conf {
	struct master_conf master;
	struct cni_mac mac;
	const char *mode_name;
	uint32_t mode;
	int64_t queue_len;
};

static const struct json_field fields[] = {
	{ "mode", JSON_STRING, offsetof(struct macvlan_conf, mode_name) },
	{ "bcqueuelen", JSON_INT, offsetof(struct macvlan_conf, queue_len), 0,
	  UINT32_MAX },
	{ 0 },
};

static int parse_mode(const char *name, uint32_t *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} modes[] = {
		{ "", MACVLAN_MODE_BRIDGE },
		{ "bridge", MACVLAN_MODE_BRIDGE },
		{ "private", MACVLAN_MODE_PRIVATE },
		{ "vepa", MACVLAN_MODE_VEPA },
		{ "passthru", MACVLAN_MODE_PASSTHRU },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, name ? name : "")) {
			*ret = modes[i].mode;
			return 0;
		}
	return err_set(e, ERR_CONFIG, EINVAL, "unknown macvlan mode: \"%s\"",
		       name);
}

static int load(const struct cni_call *call, struct macvlan_conf *ret,
		struct err *e)
{
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	if (!r)
		r = master_load(call, &ret->master, e);
	if (!r)
		r = parse_mode(ret->mode_name, &ret->mode, e);
	return r ? r : cni_mac_load(call, &ret->mac, e);
}

static int make(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct macvlan_conf *conf = arg;
	struct link_new link = endpoint_link(at);
	struct link master;
	int r = master_find(at, &conf->master, &master, e);

	if (r)
		return r;
	link.lower = master.index;
	link.mtu = (uint32_t)conf->master.mtu;
	link.mac = cni_mac_get(&conf->mac);
	r = link_add_macvlan(master_ns(at, &conf->master), &link, conf->mode,
			     (uint32_t)conf->queue_len, e);
	if (r)
		err_wrap(e, "master \"%s\"", master.name);
	return r;
}

static int check(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct macvlan_conf *conf = arg;

	if (at->iface.mode != conf->mode)
		return inspect_differs(e, "container interface", at->iface.name,
				       "has another mode than configured");
	if (conf->queue_len && conf->queue_len != at->iface.queue_len)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"container interface %s has bcqueuelen %u instead of %u",
			at->iface.name, at->iface.queue_len,
			(unsigned)conf->queue_len);
	return master_check(at, &conf->master, e);
}

static const struct endpoint_kind macvlan = {
	.plugin = "macvlan",
	.kind = "macvlan",
	.make = make,
	.check = check,
};

static int macvlan_add(const struct cni_call *call, struct cni_result *ret,
		       struct err *e)
{
	struct macvlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_add(call, &macvlan, &conf, ret, e);
}

static int macvlan_check(const struct cni_call *call, struct err *e)
{
	struct macvlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_check(call, &macvlan, &conf, e);
}

static int macvlan_del(const struct cni_call *call, struct err *e)
{
	return endpoint_del(call, &macvlan, e);
}

static int macvlan_status(const struct cni_call *call, struct err *e)
{
	struct macvlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : master_status(call, &conf.master, e);
}

const struct cni_plugin plugin_macvlan = {
	.name = "macvlan",
	.add = macvlan_add,
	.del = macvlan_del,
	.check = macvlan_check,
	.gc = endpoint_gc,
	.status = macvlan_status,
};
