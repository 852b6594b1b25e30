# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packages whose files are unpacked, not installed (.ci/unpack.sh), in a sandbox.

# lay_over_usr DIR...: as if these packages were installed, which are unpacked there.
lay_over_usr() {
	local dir lower=/usr
	for dir; do
		[ ! -d "$dir/usr" ] || lower=${dir%/}/usr:$lower
		[ ! -d "$dir/etc" ] || cp -r "$dir/etc/." /etc/
		[ ! -d "$dir/var/lib" ] || cp -r "$dir/var/lib/." /var/lib/
	done
	mkdir -p /run/usr/upper /run/usr/work
	mount -t overlay -o "lowerdir=$lower,upperdir=/run/usr/upper,workdir=/run/usr/work" overlay /usr
	hash -r
}
