#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vrf, behind a plugin whose interface is eth0.

# bats file_tags=vrf

# What lib.bash defines and uses.
# shellcheck disable=SC2154
load lib
load ../lib/features

# behind_some [FILTER]: the configuration, with the result of a plugin before it.
behind_some() {
	offers vrf
	needs vrf
	[ -n "${before-}" ] || {
		netns_new far
		ip netns exec a sysctl -qw net.ipv6.conf.default.accept_dad=0
		ip netns exec far sysctl -qw net.ipv6.conf.default.accept_dad=0
		ip -n a link add warm type vrf table 77 # the first makes rules, which stay
		ip -n a link del warm
		uplink eth0 192.0.2 2001:db8:1
		ip -n a route add default via 192.0.2.1
		ip -n a -6 route add default via 2001:db8:1::1
		before=$(inside)
	}
	set_conf "{cniVersion: \$v, name: \"net\", type: \"vrf\", vrfname: \"red\", prevResult: {cniVersion: \$v,
		interfaces: [{name: \"eth0\", sandbox: \"$netns\"}],
		ips: [{address: \"192.0.2.2/24\", gateway: \"192.0.2.1\", interface: 0}]}}" "${1-.}"
}

uplink() { # INTERFACE PREFIX4 PREFIX6
	ip -n a link add "$1" type veth peer name "$1" netns far
	ip -n a link set "$1" up
	ip -n far link set "$1" up
	ip -n a addr add "$2.2/24" dev "$1"
	ip -n a addr add "$3::2/64" dev "$1" nodad
	ip -n far addr add "$2.1/24" dev "$1"
	ip -n far addr add "$3::1/64" dev "$1" nodad
}

# What is in the container, but for what the kernel counts.
inside() {
	ipj a link | jq -c '.[] | [.ifname, .master, .linkinfo.info_kind]'
	ipj a addr show scope global | jq -c '.[] | [.ifname, [.addr_info[]? | .local]]'
	for f in -4 -6; do
		ip -n a $f route show table all | grep -v fe80: | sed 's/ expires [^ ]*//; s/ pref medium//; s/ proto [a-z]*//' | sort
		ip -n a $f rule
	done
}

masters() {
	ipj a link show master red | jq -r 'map(.ifname) | sort | join(" ")'
}

no_vrf() {
	eq "$(ipj a link show type vrf)" '[]'
}

@test "vrf: the interface is in it with addresses and routes, and traffic flows" {
	behind_some
	add vrf
	eq "$(masters)" eth0
	eq "$(addresses a eth0)" '192.0.2.2/24 2001:db8:1::2/64'
	ip netns exec a ping -n -q -c 1 -W 3 -I red 192.0.2.1 >/dev/null
	ip netns exec a ping -n -q -c 1 -W 3 -I red 2001:db8:1::1 >/dev/null
	sees 'map(.gateway) == ["192.0.2.1"]' a route show vrf red default
	sees 'map(.gateway) == ["2001:db8:1::1"]' a -6 route show vrf red default
	eq "$(ip -n a route show)" ''
}

@test "vrf reports what it was given, CHECK is content" {
	behind_some
	add vrf
	same "$(jq -c 'del(.dns)' <<<"$out")" "$(jq -c .prevResult <<<"$conf")"
	check vrf
}

@test "vrf CHECK notices that the interface is not in it, or that it has gone" {
	behind_some
	add vrf
	ip -n a link set eth0 nomaster
	with_result CHECK vrf
	[ "$status" != 0 ] || fail "not noticed: no master"
	ip -n a link del red
	with_result CHECK vrf
	[ "$status" != 0 ] || fail "not noticed: no vrf"
}

@test "vrf DEL takes the interface out, and the vrf away; again as well" {
	behind_some
	add vrf
	del vrf
	no_vrf
	sees '.[0].master == null' a link show eth0
	del vrf
}

@test "vrf DEL gives the interface its routes back" {
	behind_some
	add vrf
	del vrf
	eq "$(inside)" "$before"
}

@test "vrf DEL without the namespace succeeds" {
	behind_some
	add vrf
	del vrf CNI_NETNS=
	ip netns del a
	del vrf
	[ ! -e "$netns" ]
}

@test "vrf DEL where the interface has gone takes the vrf away" {
	behind_some
	add vrf
	ip -n a link del eth0
	del vrf
	no_vrf
}

@test "two interfaces of one vrf: it goes with the last" {
	behind_some
	uplink eth1 203.0.113 2001:db8:2
	add vrf
	add vrf CNI_IFNAME=eth1
	eq "$(masters)" 'eth0 eth1'
	del vrf
	eq "$(masters)" eth1
	del vrf CNI_IFNAME=eth1
	no_vrf
}

@test "vrf with table: that one; another for the same vrf is an error" {
	behind_some '.table = 4321'
	add vrf
	sees '.[0].linkinfo.info_data.table == 4321' a link show red
	uplink eth1 203.0.113 2001:db8:2
	behind_some '.table = 4322'
	cni ADD vrf CNI_IFNAME=eth1
	refused any 'red.*4321'
}

@test "vrf takes a table that nothing is in" {
	behind_some
	ip -n a route add 10.9.0.0/16 dev eth0 table 1
	add vrf
	sees '.[0].linkinfo.info_data.table != 1' a link show red
}

@test "vrf without a name, a name of something else, an interface that is a port: errors" {
	behind_some 'del(.vrfname)'
	cni ADD vrf
	refused any 'vrf'
	behind_some '.vrfname = "eth0"'
	cni ADD vrf
	refused any 'eth0.*not a vrf'
	eq "$(inside)" "$before"
	ip -n a link add br7 type bridge
	ip -n a link set eth0 master br7
	behind_some
	cni ADD vrf
	refused any 'eth0.*master.*br7'
}

@test "vrf ADD that fails changes nothing" {
	behind_some
	cni ADD vrf CNI_IFNAME=eth7
	refused any 'eth7'
	eq "$(inside)" "$before"
}
