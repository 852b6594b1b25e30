// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-device: one of the host's devices moves into the container, and back. How
 * it is not lost on the way is told in loan.h.
 *
 * With a driver that hands the device to a program (DPDK) there is no interface
 * to move: then only addresses are reserved.
 *
 * As long as the device is in a container, DEL looks for it there and then on the
 * host, with what ADD has written down of it or, without that, by its alias. IPAM's
 * DEL follows in any case; a device that could not be put back is down by then.
 */
#include <errno.h>
#include <string.h>

#include "cni/ipam.h"
#include "interface/endpoint.h"
#include "interface/host_device/conf.h"
#include "interface/host_device/find.h"
#include "interface/host_device/loan.h"
#include "interface/host_device/origin.h"
#include "interface/host_device/sysfs.h"
#include "plugins.h"

/* What ADD works with. */
struct loan {
	struct device_conf conf;
	struct origin origin;
	const char *pci_id;
};

/* --- ADD ------------------------------------------------------------------- */

/* A device whose container has ended without a DEL, and which the kernel has put
 * on the host under another name. */
static int recover(const struct netns *host, const struct device_conf *conf,
		   struct arena *a)
{
	const char *wanted = device_words(conf, a);
	struct origin *v;
	bool found = false;
	size_t n;
	int r = origin_list(a, &v, &n, NULL);

	for (size_t i = 0; !r && wanted && i < n; i++) {
		if (strcmp(v[i].wanted, wanted) != 0 ||
		    loan_return(host, NULL, &v[i], NULL))
			continue;
		origin_delete(&v[i]);
		found = true;
	}
	return found ? 0 : -ENODEV;
}

/* A device without an alias is nobody's. */
static int find(const struct endpoint *at, const struct device_conf *conf,
		struct link *ret, struct err *e)
{
	struct arena *a = at->call->arena;
	int r = device_find(&at->host, conf, a, ret, e);

	if (r ? r != -ENODEV : !*ret->alias)
		return r;
	if (!recover(&at->host, conf, a))
		r = device_find(&at->host, conf, a, ret, e);
	if (!r && !strcmp(ret->alias, ret->name))
		ret->alias[0] =
			'\0'; /* left by an ADD or DEL that was killed */
	return r;
}

static void undo_give(const struct endpoint *at, const struct loan *loan)
{
	int r = loan_return(&at->host, &at->container, &loan->origin, NULL);

	if (!r || r == -ENODEV)
		origin_delete(&loan->origin);
}

static int give(const struct endpoint *at, struct loan *loan, struct err *e)
{
	struct origin *origin = &loan->origin;
	struct arena *a = at->call->arena;
	struct link other;
	int r = link_get(&at->container, at->owner.ifname, &other, e);

	if (r != -ENODEV)
		return r ? r : -EEXIST;
	origin->owner = at->owner;
	origin->wanted = device_words(&loan->conf, a);
	r = find(at, &loan->conf, &origin->link, e);
	if (r)
		return r;
	loan->pci_id = sysfs_pci_of_interface(origin->link.name, a);
	origin_write(origin);
	r = loan_give(&at->host, &at->container, origin, e);
	if (r)
		undo_give(at, loan);
	return r;
}

/* What endpoint.h hands on is the address of a pointer to the loan. */
static int make(const struct endpoint *at, const void *arg, struct err *e)
{
	struct loan *const *loan = arg;
	int r;

	loan_lock(&at->host);
	r = give(at, *loan, e);
	loan_unlock(&at->host);
	return r;
}

static void undo(const struct endpoint *at, const void *arg)
{
	struct loan *const *loan = arg;

	loan_lock(&at->host);
	undo_give(at, *loan);
	loan_unlock(&at->host);
}

static struct endpoint_kind kind_of(const struct device_conf *conf)
{
	/* Few drivers let an interface that is up have its MAC set, not even to
	 * what it is (eth_prepare_mac_addr_change()). */
	return (struct endpoint_kind){ .plugin = "host-device",
				       .has_fixed_mac = true,
				       .make = conf->userspace ? NULL : make,
				       .undo = undo };
}

static int load(const struct cni_call *call, struct device_conf *ret,
		struct err *e)
{
	int r = device_conf_load(call, ret, e);

	if (r || ret->by != DEVICE_BY_NOTHING)
		return r;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"specify either \"device\", \"hwaddr\", \"kernelpath\" or \"pciBusID\"");
}

static int host_device_add(const struct cni_call *call, struct cni_result *ret,
			   struct err *e)
{
	struct loan loan = { 0 }, *arg = &loan;
	int r = load(call, &loan.conf, e);
	const struct endpoint_kind kind = kind_of(&loan.conf);

	if (!r)
		r = endpoint_add(call, &kind, &arg, ret, e);
	if (r)
		return r;
	ret->interfaces.v[0].pci_id = loan.conf.value[DEVICE_BY_PCI];
	if (!ret->interfaces.v[0].pci_id)
		ret->interfaces.v[0].pci_id = loan.pci_id;
	return 0;
}

/* --- DEL ------------------------------------------------------------------- */

/* Where the container is: what the runtime says, or else what ADD was told. -ENOENT
 * when it has gone. */
static int open_container(const char *path, const struct origin *origin,
			  struct netns *ret, struct err *e)
{
	int r;

	if (!*path && origin)
		path = origin->owner.netns;
	if (!*path)
		return -ENOENT;
	r = netns_open(path, ret, e);
	return netns_is_gone(r) ? -ENOENT : r;
}

/* A device of its own outlives its container, and is waited for. If it does not
 * come, what is written down of it stays, for the next ADD or GC: somebody may still
 * hold the namespace. Any other has ended with the container. */
static int return_known(const struct netns *host, const char *netns,
			const struct origin *origin, bool patient,
			struct err *e)
{
	_netns_ struct netns container = NETNS_NONE;
	int r = open_container(netns, origin, &container, e);
	bool gone = r == -ENOENT, outlives = !*origin->link.kind;

	if (r && !gone)
		return r;
	loan_lock(host);
	r = loan_return(host, gone ? NULL : &container, origin, e);
	loan_unlock(host);
	if (r == -ENODEV && gone && outlives && patient)
		r = loan_await(host, origin, e);
	if (r && r != -ENODEV)
		return r;
	if (!r || !outlives || !patient)
		origin_delete(origin);
	return 0;
}

static int return_unknown(const struct cni_call *call, const struct netns *host,
			  const struct owner *owner, struct err *e)
{
	_netns_ struct netns container = NETNS_NONE;
	struct device_conf conf = { .by = DEVICE_BY_NOTHING };
	struct origin origin;
	bool gone;
	int r = open_container(owner->netns, NULL, &container, e);

	gone = r == -ENOENT;
	if (r && !gone)
		return r;
	device_conf_load(call, &conf, NULL);
	if (conf.userspace)
		return 0;
	loan_lock(host);
	r = loan_guess(host, gone ? NULL : &container, &conf, owner,
		       call->arena, &origin);
	if (!r)
		r = loan_return(host, gone ? NULL : &container, &origin, e);
	loan_unlock(host);
	return r == -ENODEV ? 0 : r;
}

static int return_device(const struct cni_call *call, const void *arg,
			 struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	const struct owner owner = cni_owner(call);
	struct origin origin;
	int r = netns_open_own(&host, e);

	(void)arg;
	if (r)
		return r;
	if (!origin_read(&owner, call->arena, &origin))
		return return_known(&host, owner.netns, &origin, true, e);
	return return_unknown(call, &host, &owner, e);
}

static int host_device_del(const struct cni_call *call, struct err *e)
{
	static const struct cni_take_down own = { .rest = return_device };

	return cni_ipam_take_down(call, CNI_DEL, &own, e);
}

/* --- GC -------------------------------------------------------------------- */

static int return_stale(const struct cni_call *call, const void *arg,
			struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct owner *valid;
	struct origin *v;
	size_t n, n_valid;
	int first = 0, r = cni_valid_owners(call, &valid, &n_valid, e);

	(void)arg;
	if (r || !valid)
		return r;
	r = origin_list(call->arena, &v, &n, e);
	if (!r && n)
		r = netns_open_own(&host, e);
	for (size_t i = 0; !r && i < n; i++) {
		struct err one = { 0 };
		int q;

		if (!owner_is_stale(call->conf->name, valid, n_valid,
				    owner_key(&v[i].owner).text))
			continue;
		q = return_known(&host, "", &v[i], false, &one);
		if (q)
			err_join(e, &one);
		first = first ? first : q;
	}
	return r ? r : first;
}

static int host_device_gc(const struct cni_call *call, struct err *e)
{
	static const struct cni_take_down own = { .rest = return_stale };

	return cni_ipam_take_down(call, CNI_GC, &own, e);
}

/* --- CHECK, STATUS --------------------------------------------------------- */

static int host_device_check(const struct cni_call *call, struct err *e)
{
	struct device_conf conf;
	int r = load(call, &conf, e);
	struct endpoint_kind kind;

	if (r)
		return r;
	kind = kind_of(&conf);
	return endpoint_check(call, &kind, NULL, e);
}

static bool is_lent(const struct cni_call *call, const struct device_conf *conf)
{
	const char *wanted = device_words(conf, call->arena);
	struct origin *v;
	size_t n;

	if (!wanted || origin_list(call->arena, &v, &n, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].wanted, wanted))
			return true;
	return false;
}

/* A network whose device is in a container works as it should. A configuration
 * that names none gets its device with each ADD (runtimeConfig.deviceID). */
static int find_available(const struct cni_call *call, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct device_conf conf;
	struct link link;
	int r = device_conf_load(call, &conf, e);

	if (r || conf.by == DEVICE_BY_NOTHING || conf.userspace)
		return r;
	r = netns_open_own(&host, e);
	if (!r)
		r = device_find(&host, &conf, call->arena, &link, e);
	return r == -ENODEV && is_lent(call, &conf) ? 0 : r;
}

static int host_device_status(const struct cni_call *call, struct err *e)
{
	int r = find_available(call, e);

	if (r && e)
		e->code = ERR_UNAVAILABLE;
	return r ? r : cni_ipam_call(call, CNI_STATUS, e);
}

const struct cni_plugin plugin_host_device = {
	.name = "host-device",
	.add = host_device_add,
	.del = host_device_del,
	.check = host_device_check,
	.gc = host_device_gc,
	.status = host_device_status,
};
