// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/tun.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <net/if.h>

#include <linux/if_tun.h>

#include "base/cleanup.h"

static int make(int fd, const struct tap *tap, struct err *e)
{
	struct ifreq request = { 0 };

	/* the flags of "ip tuntap", and not to take over another's */
	request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
	if (tap->multi_queue)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", tap->name);
	if (!ioctl(fd, TUNSETIFF, &request))
		return 0;
	if (errno == EBUSY || errno == EEXIST || errno == EINVAL)
		return err_set(e, ERR_EXISTS, EEXIST,
			       "create tap \"%s\": the name is taken",
			       tap->name);
	return err_sys(e, "create tap \"%s\"", tap->name);
}

static int give(int fd, const struct tap *tap, struct err *e)
{
	if (tap->has_owner && ioctl(fd, TUNSETOWNER, (unsigned long)tap->owner))
		return err_sys(e, "give tap \"%s\" to user %u", tap->name,
			       tap->owner);
	if (tap->has_group && ioctl(fd, TUNSETGROUP, (unsigned long)tap->group))
		return err_sys(e, "give tap \"%s\" to group %u", tap->name,
			       tap->group);
	return 0;
}

int tap_add(const struct netns *ns, const struct tap *tap, struct err *e)
{
	_close_ int fd = -1;
	int r = netns_open_tun(ns, &fd, e);

	if (!r)
		r = make(fd, tap, e);
	if (!r)
		r = give(fd, tap, e);
	if (!r &&
	    ioctl(fd, TUNSETPERSIST, 1UL)) /* until then it ends with us */
		r = err_sys(e, "keep tap \"%s\"", tap->name);
	return r;
}
