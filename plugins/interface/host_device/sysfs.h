// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What /sys knows of devices. Names of devices are single components of a path:
 * the caller has seen to it.
 *
 * The directories of network interfaces show those of the namespace that /sys was
 * mounted in, which is the host's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

bool sysfs_has_pci(const char *id);
bool sysfs_has_auxiliary(const char *id);

/* Whether a driver has the device that hands it to a program: vfio-pci,
 * uio_pci_generic or igb_uio. */
bool sysfs_pci_is_userspace(const char *id);

/* The interfaces of a device, in the arena, by name: those below net/, and below
 * virtio<N>/net/ if there is no net/. -ENOENT when it has none of the two. */
int sysfs_pci_interfaces(const char *id, struct arena *a, char ***ret,
			 size_t *ret_n);
int sysfs_auxiliary_interfaces(const char *id, struct arena *a, char ***ret,
			       size_t *ret_n);
int sysfs_path_interfaces(const char *path, struct arena *a, char ***ret,
			  size_t *ret_n);

/* The PCI device that an interface is of, in the arena; NULL for none. */
const char *sysfs_pci_of_interface(const char *name, struct arena *a);

/* The same by the path of its device: the last component, or the one above a
 * virtio<N>. */
const char *sysfs_pci_of_path(const char *path, struct arena *a);
