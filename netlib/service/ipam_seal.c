// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ipam_seal.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define NSEC_PER_SEC 1000000000

#ifndef XFS_SUPER_MAGIC /* not in the headers of Linux before 5.5 */
#define XFS_SUPER_MAGIC 0x58465342
#endif

bool ipam_seal_is_possible(int dir)
{
	struct statfs fs;

	if (fstatfs(dir, &fs))
		return false;
	switch ((uint32_t)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

int ipam_seal_set(int dir, struct timespec *ret)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	struct timespec *seal = &times[1];
	uint32_t random = 0;
	struct stat st;

	if (getrandom(&random, sizeof(random), 0) < 0 ||
	    clock_gettime(CLOCK_REALTIME, seal))
		return -errno;
	seal->tv_sec--;
	seal->tv_nsec = random % NSEC_PER_SEC;
	if (futimens(dir, times) || fstat(dir, &st))
		return -errno;
	if (st.st_mtim.tv_sec != seal->tv_sec ||
	    st.st_mtim.tv_nsec != seal->tv_nsec)
		return -EOPNOTSUPP;
	*ret = *seal;
	return 0;
}
