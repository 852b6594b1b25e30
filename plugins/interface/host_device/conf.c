// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/host_device/conf.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "interface/host_device/sysfs.h"

#define SYSFS_DEVICES "/sys/devices/"

struct document {
	const char *device, *mac, *kernel_path, *pci;
	bool userspace;
	struct {
		const char *device_id;
	} runtime_config;
};

static const struct json_field runtime_config_fields[] = {
	{ "deviceID", JSON_STRING, 0 },
	{ 0 },
};

static const struct json_field fields[] = {
	{ "device", JSON_STRING, offsetof(struct document, device) },
	{ "hwaddr", JSON_STRING, offsetof(struct document, mac) },
	{ "kernelpath", JSON_STRING, offsetof(struct document, kernel_path) },
	{ "pciBusID", JSON_STRING, offsetof(struct document, pci) },
	{ "DPDKMode", JSON_BOOL, offsetof(struct document, userspace) },
	{ "runtimeConfig", JSON_OBJECT,
	  offsetof(struct document, runtime_config),
	  .sub = runtime_config_fields },
	{ 0 },
};

static bool is_given(const char *s)
{
	return s && *s;
}

/* --- what reaches a path --------------------------------------------------- */

/* The name of a device of a bus is one component of a path. */
static int check_bus_name(const char *key, const char *name, struct err *e)
{
	if (!is_given(name) || (!strchr(name, '/') && !strstr(name, "..")))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "\"%s\": \"%s\" is not the name of a device", key, name);
}

static bool has_dots(const char *path)
{
	const char *part = path;

	while ((part = strstr(part, "/.."))) {
		part += 3;
		if (!*part || *part == '/')
			return true;
	}
	return false;
}

static int check_kernel_path(const char *path, struct err *e)
{
	if (!is_given(path))
		return 0;
	if (!strncmp(path, SYSFS_DEVICES, strlen(SYSFS_DEVICES)) &&
	    !has_dots(path))
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"kernel device path \"%s\" must be absolute and begin with " SYSFS_DEVICES
		", without \"..\"",
		path);
}

static int parse_mac(const char *text, struct device_conf *ret, struct err *e)
{
	if (!is_given(text) || !mac_parse(text, ret->mac))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "\"hwaddr\": \"%s\" is not a MAC address", text);
}

static int validate(const struct document *d, struct device_conf *ret,
		    struct err *e)
{
	int r = check_bus_name("pciBusID", d->pci, e);

	if (!r)
		r = check_bus_name("runtimeConfig.deviceID",
				   d->runtime_config.device_id, e);
	if (!r)
		r = check_kernel_path(d->kernel_path, e);
	return r ? r : parse_mac(d->mac, ret, e);
}

/* --- which it is ----------------------------------------------------------- */

/* The runtime's word for one of a pool stands above pciBusID. */
static int place_id(const char *id, struct device_conf *ret, struct err *e)
{
	if (!is_given(id))
		return 0;
	ret->value[DEVICE_BY_PCI] = NULL;
	if (sysfs_has_pci(id))
		ret->value[DEVICE_BY_PCI] = id;
	else if (sysfs_has_auxiliary(id))
		ret->value[DEVICE_BY_AUXILIARY] = id;
	else
		return err_set(
			e, ERR_CONFIG, ENODEV,
			"runtime config DeviceID %s not found or unsupported",
			id);
	return 0;
}

static enum device_by choose(const struct device_conf *conf)
{
	enum device_by by = DEVICE_BY_NAME;

	while (by < DEVICE_BY_NOTHING && !is_given(conf->value[by]))
		by++;
	return by;
}

int device_conf_load(const struct cni_call *call, struct device_conf *ret,
		     struct err *e)
{
	struct document d = { 0 };
	struct device_conf conf = { 0 };
	int r = json_decode(fields, call->conf->doc, NULL, &d, call->arena, e);

	if (!r)
		r = validate(&d, &conf, e);
	conf.value[DEVICE_BY_NAME] = d.device;
	conf.value[DEVICE_BY_MAC] = d.mac;
	conf.value[DEVICE_BY_KERNEL_PATH] = d.kernel_path;
	conf.value[DEVICE_BY_PCI] = d.pci;
	if (!r)
		r = place_id(d.runtime_config.device_id, &conf, e);
	if (r)
		return r;
	conf.by = choose(&conf);
	conf.userspace =
		is_given(conf.value[DEVICE_BY_PCI])
			? sysfs_pci_is_userspace(conf.value[DEVICE_BY_PCI])
			: d.userspace;
	*ret = conf;
	return 0;
}

const char *device_words(const struct device_conf *conf, struct arena *a)
{
	static const char *const keys[] = {
		[DEVICE_BY_NAME] = "device",
		[DEVICE_BY_MAC] = "hwaddr",
		[DEVICE_BY_KERNEL_PATH] = "kernelpath",
		[DEVICE_BY_PCI] = "pciBusID",
		[DEVICE_BY_AUXILIARY] = "auxiliary device",
	};

	if (conf->by == DEVICE_BY_NOTHING)
		return "";
	return arena_printf(a, "%s \"%s\"", keys[conf->by],
			    conf->value[conf->by]);
}
