// SPDX-License-Identifier: GPL-2.0-or-later
/* vlan: an interface for one VLAN (802.1Q) of one of the host's interfaces. The
 * kernel allows one for each VLAN, wherever it is. */
#include <errno.h>

#include "base/json.h"
#include "cni/mac.h"
#include "interface/endpoint.h"
#include "interface/master.h"
#include "plugins.h"

#define VLAN_ID_MAX 4094

struct vlan_conf {
	struct master_conf master;
	struct cni_mac mac;
	int64_t id;
};

static const struct json_field fields[] = {
	{ "vlanId", JSON_INT, offsetof(struct vlan_conf, id), 0, VLAN_ID_MAX },
	{ 0 },
};

static int load(const struct cni_call *call, struct vlan_conf *ret,
		struct err *e)
{
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	if (!r)
		r = master_load(call, &ret->master, e);
	if (!r && !(ret->master.name && *ret->master.name))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"master\" field is required. It specifies the host interface name to create the VLAN for");
	return r ? r : cni_mac_load(call, &ret->mac, e);
}

static int make(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct vlan_conf *conf = arg;
	struct link_new link = endpoint_link(at);
	struct link master, other;
	int r = master_find(at, &conf->master, &master, e);

	if (r)
		return r;
	link.lower = master.index;
	link.mtu = (uint32_t)conf->master.mtu;
	link.mac = cni_mac_get(&conf->mac);
	r = link_add_vlan(master_ns(at, &conf->master), &link,
			  (uint16_t)conf->id, e);
	if (r == -EEXIST && link_get(&at->container, link.name, &other, NULL))
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"VLAN %d of master \"%s\" has an interface already, in this or another namespace",
			(int)conf->id, master.name);
	if (r)
		err_wrap(e, "VLAN %d of master \"%s\"", (int)conf->id,
			 master.name);
	return r;
}

static int check(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct vlan_conf *conf = arg;

	if (at->iface.vlan_id != conf->id)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"container interface %s is for VLAN %u, configured is %d",
			at->iface.name, at->iface.vlan_id, (int)conf->id);
	return master_check(at, &conf->master, e);
}

static const struct endpoint_kind vlan = {
	.plugin = "vlan",
	.kind = "vlan",
	.make = make,
	.check = check,
};

static int vlan_add(const struct cni_call *call, struct cni_result *ret,
		    struct err *e)
{
	struct vlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_add(call, &vlan, &conf, ret, e);
}

static int vlan_check(const struct cni_call *call, struct err *e)
{
	struct vlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_check(call, &vlan, &conf, e);
}

static int vlan_del(const struct cni_call *call, struct err *e)
{
	return endpoint_del(call, &vlan, e);
}

static int vlan_status(const struct cni_call *call, struct err *e)
{
	struct vlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : master_status(call, &conf.master, e);
}

const struct cni_plugin plugin_vlan = {
	.name = "vlan",
	.add = vlan_add,
	.del = vlan_del,
	.check = vlan_check,
	.gc = endpoint_gc,
	.status = vlan_status,
};
