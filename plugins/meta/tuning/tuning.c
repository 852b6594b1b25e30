// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tuning: sysctls of the container's namespace, and the MAC address, MTU, flags
 * and queue of its interface, which another plugin has made.
 *
 * ADD writes down what there was (backup.c) before it changes anything, and puts
 * it back when it fails; so does DEL, for interfaces that outlive the container,
 * as host-device's. With several in a chain what was before the first counts.
 */
#include <errno.h>
#include <string.h>

#include "meta/tuning/tuning.h"
#include "plugins.h"

/* --- ADD ------------------------------------------------------------------- */

static bool asks_for_anything(const struct tuning *asked)
{
	return asked->sysctls.n || tuning_has_link(asked);
}

/* The container's, and not one of the host that has its name. */
static bool is_tuned(const struct cni_interface *iface,
		     const struct cni_args *args)
{
	return iface->name && !strcmp(iface->name, args->ifname) &&
	       iface->sandbox && *iface->sandbox;
}

static int report(const struct cni_call *call, const struct tuning *asked,
		  struct cni_result *res, struct err *e)
{
	char text[MAC_TEXT_MAX];
	const char *mac = NULL;

	if (asked->mac.is_set) {
		mac = arena_strdup(call->arena, mac_text(asked->mac.mac, text));
		if (!mac)
			return err_oom(e);
	}
	for (size_t i = 0; i < res->interfaces.n; i++) {
		struct cni_interface *iface = &res->interfaces.v[i];

		if (!is_tuned(iface, call->args))
			continue;
		if (mac)
			iface->mac = mac;
		if (asked->mtu)
			iface->mtu = asked->mtu;
	}
	return 0;
}

static int change(const struct cni_call *call, const struct tuning_conf *conf,
		  const struct netns *ns, struct err *e)
{
	const char *ifname = call->args->ifname;
	struct tuning was = TUNING_NONE;
	bool is_first = false;
	int r = settings_read(ns, ifname, &conf->asked, call->arena, &was, e);

	if (!r)
		r = backup_write(call, conf->data_dir, &was, &is_first, e);
	if (r)
		return r;
	r = settings_write(ns, ifname, &conf->asked, call->arena, e);
	if (r) {
		settings_restore(ns, ifname, &was, call->arena);
		if (is_first)
			backup_delete(call, conf->data_dir);
	}
	return r;
}

static int tuning_add(const struct cni_call *call, struct cni_result *ret,
		      struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;
	struct tuning_conf conf;
	int r = tuning_conf_load(call, &conf, e);

	if (!r)
		r = allowlist_check(&conf.asked, e);
	if (!r)
		r = cni_prev_result(call, ret, e);
	if (r || !asks_for_anything(&conf.asked))
		return r;
	r = netns_open(call->args->netns, &ns, e);
	if (!r)
		r = change(call, &conf, &ns, e);
	return r ? r : report(call, &conf.asked, ret, e);
}

/* --- CHECK ----------------------------------------------------------------- */

static int tuning_check(const struct cni_call *call, struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;
	struct tuning_conf conf;
	struct cni_result prev = { 0 };
	int r = tuning_conf_load(call, &conf, e);

	if (!r)
		r = cni_prev_result(call, &prev, e);
	if (r || !asks_for_anything(&conf.asked))
		return r;
	r = netns_open(call->args->netns, &ns, e);
	return r ? r
		 : settings_check(&ns, call->args->ifname, &conf.asked,
				  call->arena, e);
}

/* --- DEL, GC, STATUS --------------------------------------------------------- */

/* Whatever has gone already, or cannot be put back, must not keep a container from
 * ending. */
static int tuning_del(const struct cni_call *call, struct err *e)
{
	_netns_ struct netns ns = NETNS_NONE;
	const char *dir = tuning_data_dir(call);
	struct tuning was = TUNING_NONE;
	int r = backup_read(call, dir, &was, NULL);

	(void)e;
	if (r == -ENOENT)
		return 0;
	if (!r && *call->args->netns &&
	    !netns_open(call->args->netns, &ns, NULL))
		settings_restore(&ns, call->args->ifname, &was, call->arena);
	backup_delete(call, dir);
	return 0;
}

static int tuning_gc(const struct cni_call *call, struct err *e)
{
	return backup_gc(call, tuning_data_dir(call), e);
}

static int tuning_status(const struct cni_call *call, struct err *e)
{
	struct tuning_conf conf;
	int r = tuning_conf_load(call, &conf, e);

	if (!r)
		r = allowlist_check(&conf.asked, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_tuning = {
	.name = "tuning",
	.add = tuning_add,
	.del = tuning_del,
	.check = tuning_check,
	.gc = tuning_gc,
	.status = tuning_status,
};
