// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/bridge/conf.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cni/args.h"
#include "cni/ipam.h"

#define BRIDGE_DEFAULT "cni0"
#define MTU_MAX	       65535

struct mac_source {
	const char *mac;
};

struct decoded {
	struct bridge_conf conf;
	struct mac_source runtime_config;
	struct {
		struct mac_source cni;
	} args;
};

static const struct json_field mac_fields[] = {
	{ "mac", JSON_STRING, offsetof(struct mac_source, mac) },
	{ 0 },
};

static const struct json_field args_fields[] = {
	{ "cni", JSON_OBJECT, 0, .sub = mac_fields },
	{ 0 },
};

static const struct json_field fields[] = {
	{ "bridge", JSON_STRING, offsetof(struct decoded, conf.bridge) },
	{ "isGateway", JSON_BOOL, offsetof(struct decoded, conf.is_gateway) },
	{ "isDefaultGateway", JSON_BOOL,
	  offsetof(struct decoded, conf.is_default_gateway) },
	{ "forceAddress", JSON_BOOL,
	  offsetof(struct decoded, conf.force_address) },
	{ "ipMasq", JSON_BOOL, offsetof(struct decoded, conf.ip_masq) },
	{ "ipMasqBackend", JSON_STRING,
	  offsetof(struct decoded, conf.ip_masq_backend) },
	{ "mtu", JSON_INT, offsetof(struct decoded, conf.mtu), 0, MTU_MAX },
	{ "hairpinMode", JSON_BOOL, offsetof(struct decoded, conf.hairpin) },
	{ "promiscMode", JSON_BOOL, offsetof(struct decoded, conf.promisc) },
	{ "portIsolation", JSON_BOOL,
	  offsetof(struct decoded, conf.port_isolation) },
	{ "enabledad", JSON_BOOL, offsetof(struct decoded, conf.enable_dad) },
	{ "macspoofchk", JSON_BOOL,
	  offsetof(struct decoded, conf.mac_spoof_check) },
	{ "ipspoofchk", JSON_BOOL,
	  offsetof(struct decoded, conf.ip_spoof_check) },
	{ "disableContainerInterface", JSON_BOOL,
	  offsetof(struct decoded, conf.disable_container_interface) },
	{ "runtimeConfig", JSON_OBJECT,
	  offsetof(struct decoded, runtime_config), .sub = mac_fields },
	{ "args", JSON_OBJECT, offsetof(struct decoded, args),
	  .sub = args_fields },
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

/* The runtime's own word first, CNI_ARGS last. */
static int load_mac(const struct cni_call *call, struct decoded *d,
		    struct err *e)
{
	struct cni_arg known = { .key = "MAC" };
	int r = cni_args_parse(call->args->args, false, &known, 1, e);
	_free_ char *from_args = known.value;
	const char *mac = from_args;

	if (r)
		return r;
	if (d->args.cni.mac && *d->args.cni.mac)
		mac = d->args.cni.mac;
	if (d->runtime_config.mac && *d->runtime_config.mac)
		mac = d->runtime_config.mac;
	if (!mac || !*mac)
		return 0;
	if (mac_parse(mac, d->conf.mac))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"mac\": \"%s\" is not a MAC address", mac);
	if (d->conf.mac[0] & 1)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"mac\": \"%s\" is a multicast address", mac);
	d->conf.has_mac = true;
	return 0;
}

static int check_backend(const char *backend, struct err *e)
{
	if (!backend || !*backend || !strcmp(backend, "nftables") ||
	    !strcmp(backend, "iptables"))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL, "unknown ipmasq backend \"%s\"",
		       backend);
}

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
	return conf->ip_masq ? check_backend(conf->ip_masq_backend, e) : 0;
}

bool bridge_uses_iptables(const struct bridge_conf *conf)
{
	return conf->ip_masq_backend &&
	       !strcmp(conf->ip_masq_backend, "iptables");
}

int bridge_conf_load(const struct cni_call *call, struct bridge_conf *ret,
		     struct err *e)
{
	enum cni_command command = call->args->command;
	const cJSON *doc = call->conf->doc;
	struct decoded d = { 0 };
	int r = json_decode(fields, doc, NULL, &d, call->arena, e);

	if (!d.conf.bridge || !*d.conf.bridge)
		d.conf.bridge = BRIDGE_DEFAULT;
	d.conf.is_gateway |= d.conf.is_default_gateway;
	d.conf.mac_spoof_check |= d.conf.ip_spoof_check;
	if (!r && command != CNI_DEL && command != CNI_GC) {
		r = json_decode(unsupported, doc, NULL, NULL, call->arena, e);
		if (!r)
			r = load_mac(call, &d, e);
		if (!r)
			r = check(call, &d.conf, e);
	}
	*ret = d.conf;
	return r;
}
