// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/host_device/find.h"

#include <errno.h>
#include <string.h>

#include "interface/host_device/sysfs.h"

static int find_by_mac(const struct netns *host, const struct device_conf *conf,
		       struct arena *a, struct link *ret, struct err *e)
{
	struct link *v;
	size_t n;
	int r = link_list(host, a, &v, &n, e);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (v[i].has_mac && !memcmp(v[i].mac, conf->mac, MAC_LEN)) {
			*ret = v[i];
			return 0;
		}
	return -ENODEV;
}

static int list_interfaces(const struct device_conf *conf, struct arena *a,
			   char ***ret, size_t *ret_n)
{
	const char *value = conf->value[conf->by];

	if (conf->by == DEVICE_BY_PCI)
		return sysfs_pci_interfaces(value, a, ret, ret_n);
	if (conf->by == DEVICE_BY_AUXILIARY)
		return sysfs_auxiliary_interfaces(value, a, ret, ret_n);
	return sysfs_path_interfaces(value, a, ret, ret_n);
}

/* The first that is one: not every entry need be (a bond's net/ has a file). */
static int find_by_sysfs(const struct netns *host,
			 const struct device_conf *conf, struct arena *a,
			 struct link *ret)
{
	char **names;
	size_t n;

	if (list_interfaces(conf, a, &names, &n))
		return -ENODEV;
	for (size_t i = 0; i < n; i++)
		if (!link_get(host, names[i], ret, NULL))
			return 0;
	return -ENODEV;
}

static int find(const struct netns *host, const struct device_conf *conf,
		struct arena *a, struct link *ret, struct err *e)
{
	switch (conf->by) {
	case DEVICE_BY_NAME:
		return link_get(host, conf->value[conf->by], ret, e);
	case DEVICE_BY_MAC:
		return find_by_mac(host, conf, a, ret, e);
	case DEVICE_BY_KERNEL_PATH:
	case DEVICE_BY_PCI:
	case DEVICE_BY_AUXILIARY:
		return find_by_sysfs(host, conf, a, ret);
	case DEVICE_BY_NOTHING:
		break;
	}
	return -ENODEV;
}

int device_find(const struct netns *host, const struct device_conf *conf,
		struct arena *a, struct link *ret, struct err *e)
{
	int r = find(host, conf, a, ret, e);

	if (r != -ENODEV)
		return r;
	return err_set(e, ERR_CONFIG, ENODEV,
		       "%s: there is no such network interface on the host",
		       device_words(conf, a));
}
