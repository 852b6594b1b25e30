// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/host_device/sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PCI_DEVICES	  "/sys/bus/pci/devices"
#define AUXILIARY_DEVICES "/sys/bus/auxiliary/devices"
#define INTERFACES	  "/sys/class/net"

static bool exists(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

	return len < (int)sizeof(path) && !access(path, F_OK);
}

bool sysfs_has_pci(const char *id)
{
	return exists(PCI_DEVICES, id);
}

bool sysfs_has_auxiliary(const char *id)
{
	return exists(AUXILIARY_DEVICES, id);
}

/* The last component of what the symbolic link leads to; NULL for none. */
static const char *link_target(const char *path, char buf[static PATH_MAX])
{
	ssize_t len = readlink(path, buf, PATH_MAX - 1);

	if (len < 0)
		return NULL;
	buf[len] = '\0';
	return strrchr(buf, '/') ? strrchr(buf, '/') + 1 : buf;
}

bool sysfs_pci_is_userspace(const char *id)
{
	static const char *const drivers[] = { "vfio-pci", "uio_pci_generic",
					       "igb_uio" };
	char path[PATH_MAX], buf[PATH_MAX];
	const char *driver;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", id);
	driver = link_target(path, buf);
	for (size_t i = 0; driver && i < sizeof(drivers) / sizeof(*drivers);
	     i++)
		if (!strcmp(driver, drivers[i]))
			return true;
	return false;
}

/* --- interfaces ------------------------------------------------------------ */

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static int is_virtio(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "virtio", strlen("virtio"));
}

/* The names in a directory that @wanted is true of, sorted, in the arena. */
static int list(const char *path, int (*wanted)(const struct dirent *),
		struct arena *a, char ***ret, size_t *ret_n)
{
	struct dirent **found = NULL;
	int n = scandir(path, &found, wanted, alphasort);
	char **v = n < 0 ? NULL : arena_array(a, (size_t)n + 1, sizeof(*v));
	int r = n < 0 ? -errno : v ? 0 : -ENOMEM;

	for (int i = 0; i < n; i++) {
		if (!r)
			v[i] = arena_strdup(a, found[i]->d_name);
		if (!r && !v[i])
			r = -ENOMEM;
		free(found[i]);
	}
	free(found);
	if (r)
		return r;
	*ret = v;
	*ret_n = (size_t)n;
	return 0;
}

int sysfs_path_interfaces(const char *path, struct arena *a, char ***ret,
			  size_t *ret_n)
{
	char net[PATH_MAX];

	if (snprintf(net, sizeof(net), "%s/net", path) >= (int)sizeof(net))
		return -ENAMETOOLONG;
	return list(net, is_visible, a, ret, ret_n);
}

/* The driver of a virtio device is one of the bus virtio, below PCI. */
int sysfs_pci_interfaces(const char *id, struct arena *a, char ***ret,
			 size_t *ret_n)
{
	char path[PATH_MAX], below[PATH_MAX];
	char **virtio;
	size_t n;
	int r;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", id);
	r = sysfs_path_interfaces(path, a, ret, ret_n);
	if (r != -ENOENT || list(path, is_virtio, a, &virtio, &n) || !n)
		return r;
	if (snprintf(below, sizeof(below), "%s/%s", path, virtio[0]) >=
	    (int)sizeof(below))
		return -ENAMETOOLONG;
	return sysfs_path_interfaces(below, a, ret, ret_n);
}

int sysfs_auxiliary_interfaces(const char *id, struct arena *a, char ***ret,
			       size_t *ret_n)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), AUXILIARY_DEVICES "/%s", id);
	return sysfs_path_interfaces(path, a, ret, ret_n);
}

/* --- the PCI device -------------------------------------------------------- */

/* "0000:3d:00.1": domain, bus, device, function. */
static bool is_pci_id(const char *s)
{
	const char *domain = s;

	while (isxdigit((unsigned char)*s))
		s++;
	if (s - domain < 4 || *s != ':') /* domains may have more digits */
		return false;
	return isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]) &&
	       s[3] == ':' && isxdigit((unsigned char)s[4]) &&
	       isxdigit((unsigned char)s[5]) && s[6] == '.' &&
	       isdigit((unsigned char)s[7]) && !s[8];
}

const char *sysfs_pci_of_path(const char *path, struct arena *a)
{
	char *own = arena_strdup(a, path);
	char *last = own ? strrchr(own, '/') : NULL;

	if (last && !strncmp(last, "/virtio", strlen("/virtio"))) {
		*last = '\0';
		last = strrchr(own, '/');
	}
	return last && is_pci_id(last + 1) ? last + 1 : NULL;
}

const char *sysfs_pci_of_interface(const char *name, struct arena *a)
{
	char link[PATH_MAX], path[PATH_MAX];

	snprintf(link, sizeof(link), INTERFACES "/%s/device", name);
	return realpath(link, path) ? sysfs_pci_of_path(path, a) : NULL;
}
