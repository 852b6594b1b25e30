# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The cgroups that runc wants in the sandbox, where nothing is mounted on their
# directory: every controller of version 1 where the machine has those, else version 2.
# They are the machine's own, so what is made there has to be removed again.

# What the containers of this sandbox are below.
CGROUP=hawser-test-$(stat -L -c %i /proc/self/ns/pid)

# mount_cgroups: skips where it cannot.
mount_cgroups() {
	local controller
	if [[ $(cat /proc/self/cgroup) = 0::* ]]; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup || skip "no cgroups"
		return
	fi
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
	while IFS=: read -r _ controller _; do
		[ -n "$controller" ] || continue # version 2
		mkdir "/sys/fs/cgroup/${controller#name=}"
		mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/${controller#name=}" ||
			skip "no cgroups"
	done </proc/self/cgroup
	[ -d /sys/fs/cgroup/devices ] || skip "no cgroups of version 1"
}

# processes_in_cgroups: those in containers.
processes_in_cgroups() {
	find /sys/fs/cgroup -path "*/$CGROUP/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u
}

remove_cgroups() {
	find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -exec rmdir {} + || :
}
