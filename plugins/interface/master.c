// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/master.h"

#include <errno.h>

#include "base/json.h"
#include "cni/ipam.h"
#include "interface/inspect.h"
#include "interface/mtu.h"
#include "kernel/route.h"

#define MTU_MAX INT32_MAX

static const struct json_field fields[] = {
	{ "master", JSON_STRING, offsetof(struct master_conf, name) },
	{ "linkInContainer", JSON_BOOL,
	  offsetof(struct master_conf, in_container) },
	{ "mtu", JSON_INT, offsetof(struct master_conf, mtu), 0, MTU_MAX },
	{ 0 },
};

int master_load(const struct cni_call *call, struct master_conf *ret,
		struct err *e)
{
	return json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);
}

static bool is_named(const struct master_conf *conf)
{
	return conf->name && *conf->name;
}

const struct netns *master_ns(const struct endpoint *at,
			      const struct master_conf *conf)
{
	return conf->in_container ? &at->container : &at->host;
}

static int find(const struct netns *ns, const struct master_conf *conf,
		struct link *ret, struct err *e)
{
	int index, r;

	if (!is_named(conf)) {
		r = route_find_default(ns, &index, e);
		return r ? r : link_get_index(ns, index, ret, e);
	}
	r = link_get(ns, conf->name, ret, e);
	return r == -ENODEV
		       ? err_set(e, ERR_CONFIG, ENODEV,
				 "master interface \"%s\" does not exist%s",
				 conf->name,
				 conf->in_container ? " in the container" : "")
		       : r;
}

int master_find(const struct endpoint *at, const struct master_conf *conf,
		struct link *ret, struct err *e)
{
	int r = find(master_ns(at, conf), conf, ret, e);

	if (r || conf->mtu <= ret->mtu)
		return r;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "invalid MTU %d, must be [0, master MTU(%u)]",
		       (int)conf->mtu, ret->mtu);
}

int master_check(const struct endpoint *at, const struct master_conf *conf,
		 struct err *e)
{
	const struct link *iface = &at->iface;
	struct link master;
	int r = find(master_ns(at, conf), conf, &master, e);

	if (r)
		return r;
	if (iface->iflink != master.index)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"container interface %s is not on top of master %s",
			iface->name, master.name);
	return mtu_check(conf->mtu, at->wanted, iface, "container interface",
			 e);
}

int master_status(const struct cni_call *call, const struct master_conf *conf,
		  struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct link master;
	int r = conf->in_container ? 0 : netns_open_own(&host, e);

	if (!r && !conf->in_container)
		r = find(&host, conf, &master, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r ? r : cni_ipam_call(call, CNI_STATUS, e);
}
