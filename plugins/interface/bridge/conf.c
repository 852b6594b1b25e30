// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/bridge/conf.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cni/ipam.h"

#define BRIDGE_DEFAULT "cni0"
#define MTU_MAX	       65535

static const struct json_field fields[] = {
	{ "bridge", JSON_STRING, offsetof(struct bridge_conf, bridge) },
	{ "isGateway", JSON_BOOL, offsetof(struct bridge_conf, is_gateway) },
	{ "isDefaultGateway", JSON_BOOL,
	  offsetof(struct bridge_conf, is_default_gateway) },
	{ "forceAddress", JSON_BOOL,
	  offsetof(struct bridge_conf, force_address) },
	{ "mtu", JSON_INT, offsetof(struct bridge_conf, mtu), 0, MTU_MAX },
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
	{ 0 },
};

/* What the reference has and this plugin has not yet: refused where it would
 * be set up, of no concern where it would be taken down. */
static const struct json_field unsupported[] = {
	{ "vlan", JSON_UNSUPPORTED, .what = "is not supported yet" },
	{ "vlanTrunk", JSON_UNSUPPORTED, .what = "is not supported yet" },
	{ "preserveDefaultVlan", JSON_UNSUPPORTED,
	  .what = "is not supported yet" },
	{ 0 },
};

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
	if (!r && command != CNI_DEL && command != CNI_GC) {
		r = json_decode(unsupported, doc, NULL, NULL, call->arena, e);
		if (!r)
			r = cni_mac_load(call, &conf.mac, e);
		if (!r)
			r = check(call, &conf, e);
	}
	*ret = conf;
	return r;
}
