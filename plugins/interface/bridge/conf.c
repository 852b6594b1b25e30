// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/bridge/conf.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cni/ipam.h"

#define BRIDGE_DEFAULT "cni0"

static const struct json_field fields[] = {
	{ "bridge", JSON_STRING, offsetof(struct bridge_conf, bridge) },
	{ "isGateway", JSON_BOOL, offsetof(struct bridge_conf, is_gateway) },
	{ "isDefaultGateway", JSON_BOOL,
	  offsetof(struct bridge_conf, is_default_gateway) },
	{ "forceAddress", JSON_BOOL,
	  offsetof(struct bridge_conf, force_address) },
	{ "hairpinMode", JSON_BOOL, offsetof(struct bridge_conf, hairpin) },
	{ "promiscMode", JSON_BOOL, offsetof(struct bridge_conf, promisc) },
	{ "portIsolation", JSON_BOOL,
	  offsetof(struct bridge_conf, port_isolation) },
	{ "enabledad", JSON_BOOL, offsetof(struct bridge_conf, enable_dad) },
	{ "macspoofchk", JSON_BOOL,
	  offsetof(struct bridge_conf, mac_spoof_check) },
	{ "ipspoofchk", JSON_BOOL,
	  offsetof(struct bridge_conf, ip_spoof_check) },
	{ "disableContainerInterface", JSON_BOOL,
	  offsetof(struct bridge_conf, disable_container_interface) },
	{ "deleteUnused", JSON_BOOL,
	  offsetof(struct bridge_conf, delete_unused) },
	{ 0 },
};

/* --- VLANs: the texts are the reference's --------------------------------- */

#define NOT_GIVEN INT64_MIN /* no number that the table lets through */

struct trunk_item {
	int64_t min, max, id;
};

struct vlan_keys {
	int64_t id;
	LIST(struct trunk_item) trunk; /* .v is NULL when the key is absent */
	bool preserve_default;
};

#define NUMBER(name, member)                                         \
	{                                                            \
		name, JSON_INT, offsetof(struct trunk_item, member), \
			INT32_MIN, INT32_MAX                         \
	}

static const struct json_field trunk_fields[] = {
	NUMBER("minID", min),
	NUMBER("maxID", max),
	NUMBER("id", id),
	{ 0 },
};

static const struct json_field trunk_element = { .type = JSON_OBJECT,
						 .sub = trunk_fields };
static const struct trunk_item trunk_initial = { NOT_GIVEN, NOT_GIVEN,
						 NOT_GIVEN };

static const struct json_field vlan_fields[] = {
	{ "vlan", JSON_INT, offsetof(struct vlan_keys, id), INT32_MIN,
	  INT32_MAX },
	{ "vlanTrunk", JSON_LIST, offsetof(struct vlan_keys, trunk),
	  .sub = &trunk_element, .size = sizeof(struct trunk_item),
	  .initial = &trunk_initial },
	{ "preserveDefaultVlan", JSON_BOOL,
	  offsetof(struct vlan_keys, preserve_default) },
	{ 0 },
};

static bool is_given(int64_t number)
{
	return number != NOT_GIVEN;
}

static bool is_vlan(int64_t id)
{
	return id >= 1 && id <= VLAN_ID_MAX;
}

/* What is wrong with it; NULL: nothing. */
static const char *item_fault(const struct trunk_item *item)
{
	bool is_range = is_given(item->min) && is_given(item->max);

	if (!is_range && is_given(item->max))
		return "minID and maxID should be configured simultaneously, minID is missing";
	if (!is_range && is_given(item->min))
		return "minID and maxID should be configured simultaneously, maxID is missing";
	if (is_range && !is_vlan(item->min))
		return "incorrect trunk minID parameter";
	if (is_range && !is_vlan(item->max))
		return "incorrect trunk maxID parameter";
	if (is_range && item->max < item->min)
		return "minID is greater than maxID in trunk parameter";
	if (is_given(item->id) && !is_vlan(item->id))
		return "incorrect trunk id parameter";
	return NULL;
}

static int add_item(const struct trunk_item *item, struct vlan_set *set,
		    struct err *e)
{
	const char *fault = item_fault(item);

	if (fault)
		return err_set(e, ERR_CONFIG, EINVAL, "%s", fault);
	if (is_given(item->min))
		vlan_set_add(set, (unsigned)item->min, (unsigned)item->max);
	if (is_given(item->id))
		vlan_set_add(set, (unsigned)item->id, (unsigned)item->id);
	return 0;
}

static int load_vlans(const struct cni_call *call, struct bridge_vlan_conf *ret,
		      struct err *e)
{
	struct bridge_vlan_conf conf = { 0 };
	struct vlan_keys keys = { 0 };
	int r = json_decode(vlan_fields, call->conf->doc, NULL, &keys,
			    call->arena, e);

	if (!r && keys.id && !is_vlan(keys.id))
		r = err_set(e, ERR_CONFIG, EINVAL,
			    "invalid VLAN ID %d (must be between 0 and %d)",
			    (int)keys.id, VLAN_ID_MAX);
	for (size_t i = 0; !r && i < keys.trunk.n; i++)
		r = add_item(&keys.trunk.v[i], &conf.trunk, e);
	if (r)
		return r;
	conf.on = keys.id || keys.trunk.v;
	conf.id = (uint16_t)keys.id;
	conf.preserve_default = keys.preserve_default;
	*ret = conf;
	return 0;
}

/* --- all keys -------------------------------------------------------------- */

static int check(const struct cni_call *call, const struct bridge_conf *conf,
		 struct err *e)
{
	struct err why;

	if (cni_check_ifname(conf->bridge, &why))
		return err_set(e, ERR_CONFIG, EINVAL, "\"bridge\": %s: %s",
			       why.msg, why.details);
	if (conf->hairpin && conf->promisc)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"cannot set hairpin mode and promiscuous mode at the same time");
	if (conf->disable_container_interface && cni_has_ipam(call->conf))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"cannot use IPAM when DisableContainerInterface flag is set");
	if (conf->ip_spoof_check && !cni_has_ipam(call->conf))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"ipspoofchk\" needs addresses, and there is no IPAM");
	if (conf->ip_spoof_check && !vlan_set_is_empty(&conf->vlan.trunk))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"ipspoofchk\" lets no frame with a VLAN tag through, \"vlanTrunk\" is for such frames");
	return 0;
}

int bridge_conf_load(const struct cni_call *call, struct bridge_conf *ret,
		     struct err *e)
{
	enum cni_command command = call->args->command;
	const cJSON *doc = call->conf->doc;
	struct bridge_conf conf = { 0 };
	int r = json_decode(fields, doc, NULL, &conf, call->arena, e);

	if (!conf.bridge || !*conf.bridge)
		conf.bridge = BRIDGE_DEFAULT;
	conf.is_gateway |= conf.is_default_gateway;
	conf.mac_spoof_check |= conf.ip_spoof_check;
	if (!r)
		r = ip_masq_load(call, &conf.masq, e);
	if (command == CNI_DEL || command == CNI_GC) {
		load_vlans(call, &conf.vlan, NULL);
	} else if (!r) {
		r = load_vlans(call, &conf.vlan, e);
		if (!r)
			r = mtu_load(call, &conf.mtu, e);
		if (!r)
			r = cni_mac_load(call, &conf.mac, e);
		if (!r)
			r = check(call, &conf, e);
	}
	*ret = conf;
	return r;
}
