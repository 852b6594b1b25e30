// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-local: addresses out of ranges of this host's own
 *
 * ADD reserves one address of each range set in the store (ipam_store.h says
 * how it lies on the disk); DEL finds them by their owner, so that it needs no
 * prevResult, and reads nothing of the configuration but where the store is:
 * an address must come free however wrong the rest has become. CHECK compares
 * prevResult with the store, GC frees what no valid attachment owns, STATUS
 * says whether an ADD could be served and leaves no trace.
 */
#include "plugins.h"

#include <errno.h>

#include "allocator.h"
#include "config.h"
#include "resolv_conf.h"
#include "service/ipam_store.h"

static struct ipam_owner call_owner(const struct cni_call *call)
{
	return (struct ipam_owner){ .container_id = call->args->container_id,
				    .ifname = call->args->ifname };
}

static struct ipam_place store_place(const struct cni_call *call,
				     const char *data_dir)
{
	return (struct ipam_place){ .data_dir = data_dir,
				    .network = call->conf->name,
				    .index_dir = IPAM_INDEX_DIR };
}

static int open_to_add(const struct cni_call *call,
		       const struct host_local_config *conf,
		       struct ipam_store **ret, struct err *e)
{
	struct ipam_place place = store_place(call, conf->data_dir);
	unsigned flags = IPAM_CREATE;

	if (!conf->keep_after_reboot)
		flags |= IPAM_RECLAIM;
	if (conf->sync)
		flags |= IPAM_SYNC;
	return ipam_store_open(&place, flags, ret, e);
}

static int host_local_add(const struct cni_call *call, struct cni_result *ret,
			  struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	struct ipam_owner owner = call_owner(call);
	struct host_local_config conf;
	int r = host_local_config_load(call, &conf, e);

	if (r)
		return r;
	ret->routes.v = conf.routes.v;
	ret->routes.n = conf.routes.n;
	if (*conf.resolv_conf)
		r = resolv_conf_load(conf.resolv_conf, call->arena, &ret->dns,
				     e);
	if (!r)
		r = open_to_add(call, &conf, &store, e);
	if (!r)
		r = host_local_allocate(&conf, store, &owner, call->arena, ret,
					e);
	return r;
}

/* The store of the call's network, for what an ADD has left there. NULL when
 * there is none, which is no error. */
static int open_existing(const struct cni_call *call, struct ipam_store **ret,
			 struct err *e)
{
	const char *data_dir;
	struct ipam_place place;
	bool sync;
	int r = host_local_store_config(call, &data_dir, &sync, e);

	if (r)
		return r;
	place = store_place(call, data_dir);
	r = ipam_store_open(&place, sync ? IPAM_SYNC : 0, ret, e);
	return r == -ENOENT ? 0 : r;
}

static int host_local_del(const struct cni_call *call, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	struct ipam_owner owner = call_owner(call);
	ip_list owned = { 0 };
	int first = open_existing(call, &store, e);

	if (first || !store)
		return first;
	first = ipam_store_owned(store, &owner, call->arena, &owned, e);
	for (size_t i = 0; i < owned.n; i++) {
		int r = ipam_store_release(store, &owned.v[i], &owner,
					   first ? NULL : e);

		if (r && !first)
			first = r;
	}
	return first;
}

static bool list_has(const ip_list *list, const struct ip_addr *addr)
{
	for (size_t i = 0; i < list->n; i++)
		if (ip_equal(&list->v[i], addr))
			return true;
	return false;
}

static bool is_ours(const struct host_local_config *conf,
		    const struct ip_addr *addr)
{
	for (size_t i = 0; i < conf->sets.n; i++)
		if (range_set_find(&conf->sets.v[i], addr))
			return true;
	return false;
}

/* Addresses outside our ranges are another IPAM plugin's, or somebody added
 * them later: not ours to judge. */
static int check_prev_result(const struct cni_call *call,
			     const struct host_local_config *conf,
			     const ip_list *owned, struct err *e)
{
	struct cni_result prev = { 0 };
	char text[IP_TEXT_MAX];
	int r;

	if (!call->conf->prev_result)
		return 0;
	r = cni_prev_result(call, &prev, e);
	for (size_t i = 0; !r && i < prev.ips.n; i++) {
		const struct ip_addr *addr = &prev.ips.v[i].address.addr;

		if (is_ours(conf, addr) && !list_has(owned, addr))
			r = err_set(
				e, ERR_MISMATCH, ENOENT,
				"host-local: %s is not reserved for container %s, interface %s",
				ip_text(addr, text), call->args->container_id,
				call->args->ifname);
	}
	return r;
}

static int host_local_check(const struct cni_call *call, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	struct ipam_owner owner = call_owner(call);
	struct host_local_config conf;
	ip_list owned = { 0 };
	int r = host_local_config_load(call, &conf, e);

	if (!r)
		r = open_existing(call, &store, e);
	if (!r && store)
		r = ipam_store_owned(store, &owner, call->arena, &owned, e);
	if (r)
		return r;
	if (!owned.n)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"host-local: Failed to find address added by container %s",
			owner.container_id);
	return check_prev_result(call, &conf, &owned, e);
}

static bool is_stale(const struct ipam_owner *owner, const void *arg)
{
	const struct cni_call *call = arg;

	/* an old file without interface stays while its container does */
	return !cni_conf_is_valid(call->conf, owner->container_id,
				  *owner->ifname ? owner->ifname : NULL);
}

static int host_local_gc(const struct cni_call *call, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	int r;

	if (!call->conf->valid_attachments.v)
		return 0;
	r = open_existing(call, &store, e);
	if (r || !store)
		return r;
	return ipam_store_prune(store, is_stale, call, e);
}

static int host_local_status(const struct cni_call *call, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	struct host_local_config conf = { 0 };
	struct ipam_place place;
	int r = host_local_config_load(call, &conf, e);

	if (!r) {
		place = store_place(call, conf.data_dir);
		r = ipam_store_check_writable(&place, e);
	}
	if (!r)
		r = ipam_store_peek(&place, &store, e);
	for (size_t i = 0; !r && i < conf.sets.n; i++)
		r = host_local_check_free(&conf, i, store, e);
	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r;
}

const struct cni_plugin plugin_host_local = {
	.name = "host-local",
	.is_ipam = true,
	.add = host_local_add,
	.del = host_local_del,
	.check = host_local_check,
	.gc = host_local_gc,
	.status = host_local_status,
};
