// SPDX-License-Identifier: GPL-2.0-or-later
/* dummy: an interface that leads nowhere, for addresses that the container is to
 * have. */
#include "base/json.h"
#include "cni/ipam.h"
#include "cni/mac.h"
#include "interface/endpoint.h"
#include "interface/mtu.h"
#include "plugins.h"

#define MTU_MAX INT32_MAX

struct dummy_conf {
	int64_t mtu;
	struct cni_mac mac;
};

static const struct json_field fields[] = {
	{ "mtu", JSON_INT, offsetof(struct dummy_conf, mtu), 0, MTU_MAX },
	{ 0 },
};

static int make(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct dummy_conf *conf = arg;
	struct link_new link = endpoint_link(at);

	link.mtu = (uint32_t)conf->mtu;
	link.mac = cni_mac_get(&conf->mac);
	return link_add_dummy(&at->host, &link, e);
}

static int check(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct dummy_conf *conf = arg;

	return mtu_check(conf->mtu, at->wanted, &at->iface,
			 "container interface", e);
}

static const struct endpoint_kind dummy = {
	.plugin = "dummy",
	.kind = "dummy",
	.needs_ipam = true,
	.make = make,
	.check = check,
};

static int load(const struct cni_call *call, struct dummy_conf *ret,
		struct err *e)
{
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	return r ? r : cni_mac_load(call, &ret->mac, e);
}

static int dummy_add(const struct cni_call *call, struct cni_result *ret,
		     struct err *e)
{
	struct dummy_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_add(call, &dummy, &conf, ret, e);
}

static int dummy_check(const struct cni_call *call, struct err *e)
{
	struct dummy_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_check(call, &dummy, &conf, e);
}

static int dummy_del(const struct cni_call *call, struct err *e)
{
	return endpoint_del(call, &dummy, e);
}

static int dummy_status(const struct cni_call *call, struct err *e)
{
	return cni_ipam_call(call, CNI_STATUS, e);
}

const struct cni_plugin plugin_dummy = {
	.name = "dummy",
	.add = dummy_add,
	.del = dummy_del,
	.check = dummy_check,
	.gc = endpoint_gc,
	.status = dummy_status,
};
