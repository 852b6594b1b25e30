// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/mtu.h"

#include <errno.h>

#include "base/json.h"
#include "kernel/route.h"

#define MTU_MAX 65535 /* of Ethernet (ETH_MAX_MTU); lo has one more */

static const struct json_field fields[] = {
	{ "mtu", JSON_INT, offsetof(struct mtu_conf, mtu), 0, MTU_MAX },
	{ "inheritMTU", JSON_BOOL, offsetof(struct mtu_conf, inherit) },
	{ 0 },
};

int mtu_load(const struct cni_call *call, struct mtu_conf *ret, struct err *e)
{
	return json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);
}

static int inherit(const struct netns *host, uint32_t *ret, struct err *e)
{
	struct link uplink;
	int index, r;

	r = route_find_default(host, &index, e);
	if (!r)
		r = link_get_index(host, index, &uplink, e);
	if (r) {
		err_wrap(e, "\"inheritMTU\"");
		return r;
	}
	*ret = uplink.mtu < MTU_MAX ? uplink.mtu : MTU_MAX;
	return 0;
}

int mtu_find(const struct netns *host, const struct mtu_conf *conf,
	     uint32_t *ret, struct err *e)
{
	if (conf->inherit && !conf->mtu)
		return inherit(host, ret, e);
	*ret = (uint32_t)conf->mtu;
	return 0;
}

int mtu_check(int64_t configured, const struct cni_interface *wanted,
	      const struct link *link, const char *what, struct err *e)
{
	int64_t mtu = configured;

	if (configured && wanted && wanted->mtu)
		mtu = wanted->mtu;
	if (!mtu || mtu == link->mtu)
		return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "%s %s has MTU %u instead of %lld", what, link->name,
		       link->mtu, (long long)mtu);
}
