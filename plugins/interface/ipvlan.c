// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipvlan: an interface with the MAC of the host's interface it is on top of, told
 * apart from it by its addresses.
 *
 * Chained, without IPAM of its own, it takes the addresses of the plugin before
 * it, and is on top of the one interface that this one has made if it is not
 * told on which.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cni/ipam.h"
#include "interface/endpoint.h"
#include "interface/inspect.h"
#include "interface/master.h"
#include "plugins.h"

struct ipvlan_conf {
	struct master_conf master;
	const char *mode_name;
	uint16_t mode;
};

static const struct json_field fields[] = {
	{ "mode", JSON_STRING, offsetof(struct ipvlan_conf, mode_name) },
	{ 0 },
};

static int parse_mode(const char *name, uint16_t *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint16_t mode;
	} modes[] = {
		{ "", IPVLAN_MODE_L2 },
		{ "l2", IPVLAN_MODE_L2 },
		{ "l3", IPVLAN_MODE_L3 },
		{ "l3s", IPVLAN_MODE_L3S },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, name ? name : "")) {
			*ret = modes[i].mode;
			return 0;
		}
	return err_set(e, ERR_CONFIG, EINVAL, "unknown ipvlan mode: \"%s\"",
		       name);
}

/* In the result of the whole chain, which CHECK gets, it is the first. */
static int chained_master(const struct cni_call *call, const char **ret,
			  struct err *e)
{
	bool is_add = call->args->command == CNI_ADD;
	struct cni_result prev = { 0 };
	int r = cni_prev_result(call, &prev, e);

	if (r)
		return r;
	if (!prev.interfaces.n || (is_add && prev.interfaces.n != 1) ||
	    !prev.interfaces.v[0].name || !*prev.interfaces.v[0].name)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"chained master failure. PrevResult lacks a single named interface");
	*ret = prev.interfaces.v[0].name;
	return 0;
}

static int load(const struct cni_call *call, struct ipvlan_conf *ret,
		struct err *e)
{
	bool is_chained = call->conf->prev_result && !cni_has_ipam(call->conf);
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	if (!r)
		r = master_load(call, &ret->master, e);
	if (!r)
		r = parse_mode(ret->mode_name, &ret->mode, e);
	if (!r && is_chained && !(ret->master.name && *ret->master.name))
		r = chained_master(call, &ret->master.name, e);
	return r;
}

static int make(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct ipvlan_conf *conf = arg;
	struct link_new link = endpoint_link(at);
	struct link master;
	int r = master_find(at, &conf->master, &master, e);

	if (r)
		return r;
	link.lower = master.index;
	link.mtu = (uint32_t)conf->master.mtu;
	r = link_add_ipvlan(master_ns(at, &conf->master), &link, conf->mode, e);
	if (r)
		err_wrap(e, "master \"%s\"", master.name);
	return r;
}

static int check(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct ipvlan_conf *conf = arg;

	if (at->iface.mode != conf->mode)
		return inspect_differs(e, "container interface", at->iface.name,
				       "has another mode than configured");
	return master_check(at, &conf->master, e);
}

static const struct endpoint_kind ipvlan = {
	.plugin = "ipvlan",
	.kind = "ipvlan",
	.has_fixed_mac = true,
	.takes_addresses = true,
	.make = make,
	.check = check,
};

static int ipvlan_add(const struct cni_call *call, struct cni_result *ret,
		      struct err *e)
{
	struct ipvlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_add(call, &ipvlan, &conf, ret, e);
}

static int ipvlan_check(const struct cni_call *call, struct err *e)
{
	struct ipvlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_check(call, &ipvlan, &conf, e);
}

static int ipvlan_del(const struct cni_call *call, struct err *e)
{
	return endpoint_del(call, &ipvlan, e);
}

static int ipvlan_status(const struct cni_call *call, struct err *e)
{
	struct ipvlan_conf conf = { 0 };
	int r = load(call, &conf, e);

	return r ? r : master_status(call, &conf.master, e);
}

const struct cni_plugin plugin_ipvlan = {
	.name = "ipvlan",
	.add = ipvlan_add,
	.del = ipvlan_del,
	.check = ipvlan_check,
	.gc = endpoint_gc,
	.status = ipvlan_status,
};
