#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tap: what is particular to it. endpoint.bats has the rest.

# bats file_tags=tap

load ../lib/system
load ../lib/endpoint

PLUGIN=tap
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"tap",'$IPAM'}'
PEER=${CNI_BIN}/../tests/peer

setup() {
	needs tap
	endpoint_setup
}

teardown() {
	pkill -x peer || :
	umount /dev/net 2>/dev/null || :
	clean_up
	ip link del m0 2>/dev/null || :
}

data() { # KEY: of the tap
	ip -n c1 -d -j link show eth0 | jq -r ".[0].linkinfo.info_data.$1"
}

# opened_by UID GID [multi_queue]: whether that user can open the tap;
# what it prints is in $out.
opened_by() {
	out=$(mktemp -p "$BATS_TEST_TMPDIR")
	ip netns exec c1 setpriv --reuid "$1" --regid "$2" --clear-groups \
		"$PEER" tap eth0 ${3:+"$3"} >"$out" 2>&1 3>&- &
	until [ -s "$out" ]; do :; done
	grep -q open "$out"
}

@test "a program in the container has the frames that are sent to it" {
	attach c1
	opened_by 0 0
	ip -n c1 neigh add 192.0.2.99 lladdr 02:00:00:00:00:63 dev eth0
	reaches c1 192.0.2.99 || :
	grep -q 0800 "$out"
	reaches c1 2001:db8::99 || :
	grep -q 86dd "$out"
}

@test "owner and group may open it, others not" {
	[ "$(awk '{ n += $3 } END { print (n > 70000) }' /proc/self/uid_map)" = 1 ] ||
		skip "one user alone here"
	# as udev has it, not as every machine
	mount -t tmpfs tmpfs /dev/net
	mknod -m 666 /dev/net/tun c 10 200
	conf '.owner = 1234'
	attach c1
	[ "$(data user)" = 1234 ]
	opened_by 1234 99
	pkill -x peer
	no opened_by 1235 99
	detach c1
	conf '.group = 77'
	attach c1
	opened_by 1235 77
	pkill -x peer
	no opened_by 1235 78
	detach c1
	conf '.owner = 1234 | .group = 77'
	attach c1
	[ "$(data group)" = 77 ]
	opened_by 1234 77
}

@test "multiQueue: several may open it, with that flag alone" {
	attach c1
	[ "$(data multi_queue)" = false ]
	no opened_by 0 0 multi_queue
	detach c1
	conf '.multiQueue = true'
	attach c1
	[ "$(data multi_queue)" = true ]
	opened_by 0 0 multi_queue
	opened_by 0 0 multi_queue
}

@test "bridge: it is a port of a bridge in the container" {
	ip -n c1 link add br7 address 02:00:00:00:00:07 type bridge
	before=$(state)
	conf '.bridge = "br7" | .mac = "02:00:00:00:00:44" | .mtu = 1300 | .owner = 0 | .group = 0'
	attach c1
	[ "$(ip -n c1 -j link show eth0 | jq -r '.[0] | "\(.master) \(.address) \(.mtu)"')" = "br7 02:00:00:00:00:44 1300" ]
	with_result
	try CHECK tap c1
	ok
	ip -n c1 link set eth0 nomaster
	check_names eth0 br7
	CONF=$(jq -c '.bridge = "br8"' <<<"$CONF")
	try CHECK tap c1
	refused 7 br8
	detach c1
	same_state "$before"
}

@test "CHECK names another owner, group or number of queues" {
	conf '.owner = 0 | .group = 0'
	attach c1
	with_result
	try CHECK tap c1
	ok
	good=$CONF
	CONF=$(jq -c 'del(.owner)' <<<"$good")
	check_names eth0 owner
	CONF=$(jq -c '.group = 1' <<<"$good")
	check_names eth0 group
	CONF=$(jq -c '.multiQueue = true' <<<"$good")
	check_names eth0 "not several queues"
	detach c1
	conf '.multiQueue = true'
	attach c1
	with_result
	try CHECK tap c1
	ok
	CONF=$(jq -c 'del(.multiQueue)' <<<"$CONF")
	check_names eth0 "several queues"
}

@test "a label without SELinux is refused by name, and leaves nothing" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is here"
	before=$(state)
	conf '.selinuxContext = "system_u:object_r:container_t:s0"'
	try ADD tap c1
	refused 7 selinuxContext container_t
	same_state "$before"
}
