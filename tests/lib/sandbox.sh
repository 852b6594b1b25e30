#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sandbox.sh COMMAND [ARG...]: run a test where it can harm nothing.
#
# The command gets its own network, mount and process namespaces (and, for an
# ordinary user, a user namespace in which it is root). /run, /var/lib and
# /etc are copies that vanish with it, so the default paths of the plugins can
# be used: /etc/cni/net.d, /var/lib/cni, /run/netns. Whatever process it leaves
# behind ends with it.
set -eu

if [ "${HAWSER_SANDBOX-}" != inside ]; then
	export HAWSER_SANDBOX=inside
	set -- --net --mount --propagation unchanged --pid --fork --kill-child -- "$0" "$@"
	[ "$(id -u)" = 0 ] || set -- --user --map-root-user "$@"
	exec unshare "$@"
fi

# No mount of ours may reach the host. Where / is a plain directory (a chroot)
# it is made a mount first, for only mounts can be private.
if ! mount --make-rprivate / 2>/dev/null; then
	here=$(cd "$(dirname "$0")" && pwd)
	mount --rbind / /mnt
	mount --make-rprivate /mnt
	exec chroot /mnt sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" \
		"$here/sandbox.sh" "$@"
fi
unset HAWSER_SANDBOX

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/scratch /run/etc/upper /run/etc/work /run/lib/upper /run/lib/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work overlay /etc
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/lib/upper,workdir=/run/lib/work overlay /var/lib
for dir in /etc/cni /var/lib/cni; do
	# what is root's an ordinary user can only cover
	rm -rf "$dir" 2>/dev/null || mount -t tmpfs tmpfs "$dir"
done
mkdir -p /etc/cni/net.d /var/lib/cni
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts || :
ip link set lo up
export TMPDIR=/run/scratch
# The tests ask jq thousands of times, and gojq starts in a tenth of the time. Its keys
# are sorted, as those of jq are with -S.
mkdir /run/scratch/bin
if gojq=$(command -v gojq); then
	ln -s "$gojq" /run/scratch/bin/jq
elif jq=$(command -v jq); then
	printf '#!/bin/sh\nexec %s -S "$@"\n' "$jq" >/run/scratch/bin/jq
	chmod +x /run/scratch/bin/jq
fi
PATH=/run/scratch/bin:$PATH
exec "$@"
