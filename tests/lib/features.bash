# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a kernel may lack and tests need: kinds of interfaces, bridges that filter
# VLANs ("filtering"), SCTP, fq_codel. A file says it as tags,
# "# bats file_tags=vlan", and asks needs(), or has_feature() where it goes through
# several.
#
# FEATURES_LACKED, if set, names those that the machine's kernel lacks: under
# another one (HAWSER_LAB) only what needs them is to be done.

FEATURES='dummy filtering fq_codel ipvlan macvlan sctp tap vlan vrf'

_can_filter() {
	local on
	ip link add probe0 type bridge vlan_filtering 1 2>/dev/null &&
		on=$(ip -d -j link show probe0 | jq '.[0].linkinfo.info_data.vlan_filtering')
	ip link del probe0 2>/dev/null
	[ "${on-}" = 1 ] # or the kernel takes no notice
}

_has_qdisc() { # KIND
	tc qdisc add dev lo root "$1" 2>/dev/null || return
	tc qdisc del dev lo root
}

_has_link() { # KIND
	local r=0
	ip link add probe0 type veth peer name probe1
	case $1 in
	vlan) ip link add link probe0 name probe2 type vlan id 1 ;;
	macvlan | ipvlan) ip link add link probe0 name probe2 type "$1" ;;
	tap) ip tuntap add probe2 mode tap ;;
	vrf) ip link add probe2 type vrf table 9999 ;;
	*) ip link add probe2 type "$1" ;;
	esac 2>/dev/null || r=1
	ip link del probe2 2>/dev/null
	ip link del probe0
	return $r
}

# has_feature FEATURE: whether the kernel has it, or any other kind of interface.
has_feature() {
	case $1 in
	filtering) _can_filter ;;
	fq_codel) _has_qdisc fq_codel ;;
	sctp) "$PEER" can sctp ;;
	*) _has_link "$1" ;;
	esac
}

# wants FEATURE: whether tests are to be done with it: where the kernel has it;
# and under other kernels, which have to have it.
wants() {
	if [ -n "${HAWSER_LAB-}" ]; then
		[[ " ${FEATURES_LACKED-$1} " == *" $1 "* ]]
	else
		has_feature "$1"
	fi
}

# needs FEATURE: what the kernel lacks is tested under others (make check-kernel).
needs() {
	has_feature "$1" || [ -n "${HAWSER_LAB-}" ] || skip "this kernel has no $1"
}

# The features that the kernel lacks, in one line.
features_lacked() {
	local feature lacked=''
	for feature in $FEATURES; do
		has_feature "$feature" || lacked+=" $feature"
	done
	echo "${lacked# }"
}
