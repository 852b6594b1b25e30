# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What interfaces the kernel has.

# has_link KIND: whether the kernel has interfaces of it.
has_link() {
	local r=0
	ip link add probe0 type veth peer name probe1
	case $1 in
	vlan) ip link add link probe0 name probe2 type vlan id 1 ;;
	macvlan | ipvlan) ip link add link probe0 name probe2 type "$1" ;;
	tap) ip tuntap add probe2 mode tap ;;
	*) ip link add probe2 type "$1" ;;
	esac 2>/dev/null || r=1
	ip link del probe2 2>/dev/null
	ip link del probe0
	return $r
}

# needs_link KIND: what the kernel lacks is tested under others
# (make check-kernel), which have to have it.
needs_link() {
	has_link "$1" || [ -n "${HAWSER_LAB-}" ] || skip "this kernel has no $1 devices"
}
