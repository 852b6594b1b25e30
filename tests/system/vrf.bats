#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vrf, behind a plugin that has made eth0 in the container.

# bats file_tags=vrf

load ../lib/system

setup() {
	needs vrf
	ip netns add c1
	ip netns exec c1 sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add far
	ip netns exec far sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip -n c1 link set lo up
	make eth0 192.0.2 2001:db8:1
	ip -n c1 route add default via 192.0.2.1
	ip -n c1 route add 10.8.0.0/16 via 192.0.2.9 metric 7 mtu 1300
	ip -n c1 -6 route add default via 2001:db8:1::1
	BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"vrf","vrfname":"red","prevResult":{"cniVersion":"1.1.0",
	 "interfaces":[{"name":"eth0","sandbox":"/run/netns/c1"}],
	 "ips":[{"address":"192.0.2.2/24","gateway":"192.0.2.1","interface":0}]}}'
	conf .
}

make() { # INTERFACE PREFIX4 PREFIX6
	ip -n c1 link add "$1" type veth peer name "$1" netns far
	ip -n c1 link set "$1" up
	ip -n far link set "$1" up
	ip -n c1 addr add "$2.2/24" dev "$1"
	ip -n c1 addr add "$3::2/64" dev "$1"
	ip -n far addr add "$2.1/24" dev "$1"
	ip -n far addr add "$3::1/64" dev "$1"
}

teardown() {
	clean_up
}

# What is in the container, but for what the kernel counts.
inside() {
	ip -n c1 -j -d link | jq -c '.[] | [.ifname, .master, .flags, .linkinfo.info_kind]'
	ip -n c1 -j addr show scope global | jq -c '.[] | [.ifname, [.addr_info[]? | [.local, .prefixlen]]]'
	for f in -4 -6; do
		ip -n c1 $f route show table all | sed 's/ expires [^ ]*//; s/ pref medium//; s/ proto [a-z]*//' | sort
		ip -n c1 $f rule
	done
}

add_ok() {
	try ADD vrf c1 "$@"
	ok
}

del_ok() {
	try DEL vrf c1 "$@"
	ok
}

@test "the interface is in the vrf with its addresses and routes, and traffic flows" {
	add_ok
	json '.ips[0].address == "192.0.2.2/24"'
	ip -n c1 -d -j link show red | jq -e '.[0] | .linkinfo.info_data.table == 1 and (.flags | index("UP"))'
	[ "$(ip -n c1 -j link show eth0 | jq -r '.[0].master')" = red ]
	ip -n c1 route show table 1 | grep '^default via 192.0.2.1 dev eth0'
	ip -n c1 route show table 1 | grep '^10.8.0.0/16 via 192.0.2.9 dev eth0 metric 7 mtu 1300'
	ip -n c1 route show table 1 | grep '^192.0.2.0/24 dev eth0'
	ip -n c1 -6 route show table 1 | grep '^default via 2001:db8:1::1 dev eth0'
	[ -z "$(ip -n c1 route show)" ]
	[ -z "$(ip -n c1 -6 addr show tentative)" ]
	ip netns exec c1 ping -c 1 -W 10 -I red 192.0.2.1
	ip netns exec c1 ping -c 1 -W 10 -I red 2001:db8:1::1
	no ip netns exec c1 ping -c 1 -W 1 192.0.2.1
	try CHECK vrf c1
	ok
}

@test "DEL puts the interface back as it was, the vrf goes with its last, and again" {
	ip netns exec c1 true
	ip -n c1 link add warm type vrf table 77 # the first makes rules, which stay
	ip -n c1 link del warm
	before=$(inside)
	add_ok
	del_ok
	diff <(echo "$before") <(inside)
	del_ok
	del_ok CNI_NETNS=
	del_ok CNI_NETNS=/run/netns/none
	[ ! -e /run/netns/none ]
	add_ok
	ip -n c1 link del eth0
	del_ok
	no ip -n c1 link show red
}

@test "two interfaces of one vrf: it stays until both have gone" {
	make eth1 203.0.113 2001:db8:2
	add_ok
	add_ok CNI_IFNAME=eth1
	[ "$(ip -n c1 -j link show master red | jq length)" = 2 ]
	del_ok
	ip -n c1 link show red
	del_ok CNI_IFNAME=eth1
	no ip -n c1 link show red
}

@test "the table: the one that is asked for, or one that nothing is in" {
	conf '.table = 4321'
	add_ok
	ip -n c1 -d -j link show red | jq -e '.[0].linkinfo.info_data.table == 4321'
	make eth1 203.0.113 2001:db8:2
	conf '.table = 4322'
	try ADD vrf c1 CNI_IFNAME=eth1
	refused 100 "VRF red already exist with different routing table 4321"
	try CHECK vrf c1
	refused 101 4321 4322
	ip -n c1 route add 10.9.0.0/16 dev eth1 table 1
	ip -n c1 rule add from 10.1.1.1 table 2
	ip -n c1 -6 rule add from 2001:db8:5::1 table 3
	conf '.vrfname = "blue"'
	add_ok CNI_IFNAME=eth1
	ip -n c1 -d -j link show blue | jq -e '.[0].linkinfo.info_data.table == 4'
}

@test "what stands in the way is named, and nothing is changed" {
	before=$(inside)
	for bad in 'del(.vrfname)|vrfname' '.vrfname = ""|vrfname' '.table = -1|table' 'del(.prevResult)|prevResult'; do
		conf "${bad%|*}"
		try ADD vrf c1
		refused 7 "${bad#*|}"
	done
	conf '.vrfname = "eth0"'
	try ADD vrf c1
	refused 100 "eth0 is not a VRF"
	conf .
	try ADD vrf c1 CNI_IFNAME=eth7
	refused 5 eth7
	diff <(echo "$before") <(inside)
	ip -n c1 link add br7 type bridge
	ip -n c1 link set eth0 master br7
	try ADD vrf c1
	refused 100 "eth0 has already a master set: br7"
	no ip -n c1 link show red
}

@test "CHECK names what is not so any more" {
	add_ok
	ip -n c1 link set eth0 nomaster
	try CHECK vrf c1
	refused 101 eth0 red
	ip -n c1 link del red
	try CHECK vrf c1
	refused 101 red
}

@test "each request of an ADD refused once: everything as before" {
	needs_strace
	ip -n c1 link add warm type vrf table 77
	ip -n c1 link del warm
	before=$(inside)
	for n in $(seq 60); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg \
			-e inject=sendmsg:error=ENOBUFS:when="$n" "$CNI_BIN/vrf" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		refused 5
		diff <(echo "$before") <(inside)
	done
	[ "$n" -gt 8 ]
	[ "$status" = 0 ]
}
