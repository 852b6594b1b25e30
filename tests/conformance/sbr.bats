#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sbr, behind a plugin whose interface is net1, in a container that has eth0 besides:
#
#	eth0 192.0.2.2/24,   2001:db8:1::2/64 ── far, by which the default routes go
#	net1 203.0.113.2/24, 2001:db8:2::2/64 ── far, and beyond it 198.51.100.1, 2001:db8:9::1

# What lib.bash defines and uses.
# shellcheck disable=SC2154
load lib

# behind_some [FILTER]: the configuration, with the result of a plugin before it.
behind_some() {
	offers sbr
	[ -n "${before-}" ] || {
		netns_new far
		ip netns exec a sysctl -qw net.ipv6.conf.default.accept_dad=0
		ip netns exec far sysctl -qw net.ipv6.conf.default.accept_dad=0
		uplink eth0 192.0.2 2001:db8:1
		uplink net1 203.0.113 2001:db8:2
		ip -n far addr add 198.51.100.1/32 dev lo
		ip -n far addr add 2001:db8:9::1/128 dev lo nodad
		ip -n a route add default via 192.0.2.1
		ip -n a -6 route add default via 2001:db8:1::1
		before=$(routing)
	}
	ifname=net1
	set_conf "{cniVersion: \$v, name: \"net\", type: \"sbr\", prevResult: {cniVersion: \$v,
		interfaces: [{name: \"eth0\", sandbox: \"$netns\"}, {name: \"net1\", sandbox: \"$netns\"}],
		ips: [{address: \"203.0.113.2/24\", gateway: \"203.0.113.1\", interface: 1},
			{address: \"2001:db8:2::2/64\", gateway: \"2001:db8:2::1\", interface: 1}]}}" "${1-.}"
}

uplink() { # INTERFACE PREFIX4 PREFIX6
	ip -n a link add "$1" type veth peer name "$1" netns far
	ip -n a addr add "$2.2/24" dev "$1"
	ip -n a addr add "$3::2/64" dev "$1" nodad
	ip -n far addr add "$2.1/24" dev "$1"
	ip -n far addr add "$3::1/64" dev "$1" nodad
	ip -n a link set "$1" up
	ip -n far link set "$1" up
}

rules() {
	ip -n a rule
	ip -n a -6 rule
}

# Rules and routes, but for what the kernel counts.
routing() {
	rules
	for f in -4 -6; do
		ip -n a $f route show table all | grep -v fe80: | sed 's/ expires [^ ]*//' | sort
	done
}

# leaves_by DEV TO FROM: where a packet of that source goes.
leaves_by() {
	eq "$(ip -n a -j route get "$2" from "$3" | jq -r '.[0].dev')" "$1"
}

pings_from() { # SOURCE ADDRESS
	ip netns exec a ping -n -q -c 1 -W 3 -I "$1" "$2" >/dev/null
}

table_of() { # ADDRESS
	ipj a rule show | jq -r --arg a "$1" '.[] | select(.src == $a) | .table'
}

lacks_table() {
	[ "$(table_of 203.0.113.2)" != "$1" ] || fail "table $1 is somebody else's"
}

@test "sbr: what comes from the interface's addresses leaves by it" {
	behind_some
	leaves_by eth0 198.51.100.1 203.0.113.2
	add sbr
	leaves_by net1 198.51.100.1 203.0.113.2
	leaves_by net1 2001:db8:9::1 2001:db8:2::2
	leaves_by eth0 198.51.100.1 192.0.2.2
	leaves_by eth0 2001:db8:9::1 2001:db8:1::2
	pings_from 203.0.113.2 198.51.100.1
	pings_from 2001:db8:2::2 2001:db8:9::1
	pings a 203.0.113.1
}

@test "sbr reports what it was given, CHECK is content" {
	behind_some
	add sbr
	same "$(jq -c 'del(.dns)' <<<"$out")" "$(jq -c .prevResult <<<"$conf")"
	check sbr
}

@test "sbr CHECK notices that a rule or the route behind it has gone" {
	local table
	behind_some
	add sbr
	table=$(table_of 203.0.113.2)
	ip -n a route del default table "$table"
	with_result CHECK sbr
	[ "$status" != 0 ] || fail "not noticed: no default route"
	ip -n a route add default via 203.0.113.1 table "$table"
	check sbr
	ip -n a rule del from 203.0.113.2
	with_result CHECK sbr
	[ "$status" != 0 ] || fail "not noticed: no rule"
}

@test "sbr DEL takes the rules away, again as well" {
	local had
	behind_some
	had=$(rules)
	add sbr
	del sbr
	eq "$(rules)" "$had"
	del sbr
}

@test "sbr DEL takes the rules away where the interface has gone" {
	local had
	behind_some
	had=$(rules)
	add sbr
	ip -n a link del net1
	del sbr
	eq "$(rules)" "$had"
}

@test "sbr DEL without the namespace succeeds, and makes no file in its place" {
	behind_some
	add sbr
	ip netns del a
	del sbr
	[ ! -e "$netns" ] || fail "there is $netns"
}

@test "sbr DEL with an empty CNI_NETNS succeeds" {
	behind_some
	add sbr
	del sbr CNI_NETNS=
}

@test "sbr with table: rules that lead there, and nothing else" {
	behind_some '.table = 4321'
	add sbr
	eq "$(table_of 203.0.113.2)" 4321
	eq "$(routing | grep -v 'lookup 4321')" "$before"
	del sbr
	eq "$(routing)" "$before"
}

@test "sbr takes tables that nothing is in" {
	behind_some
	ip -n a route add 10.9.0.0/16 dev eth0 table 100
	ip -n a rule add from 10.1.2.3 table 101
	add sbr
	lacks_table 100
	lacks_table 101
}

@test "sbr takes the interface's routes along, as they are" {
	behind_some
	ip -n a route add 10.8.0.0/16 via 203.0.113.9 mtu 1300
	add sbr
	sees '.[] | .dev == "net1" and .metrics[0].mtu == 1300' a route show 10.8.0.0/16 table "$(table_of 203.0.113.2)"
	eq "$(ip -n a route show dev net1)" ''
}

@test "sbr takes another gateway where it is told to" {
	behind_some '.gateways = ["203.0.113.254", "2001:db8:2::fe"]'
	add sbr
	sees '.[0].gateway == "203.0.113.254"' a route show default table "$(table_of 203.0.113.2)"
}

@test "sbr with addSourceHints leaves the interface's subnet in the main table" {
	behind_some '.addSourceHints = true'
	add sbr
	sees '.[0].prefsrc == "203.0.113.2"' a route show dev net1 203.0.113.0/24
}

@test "sbr takes addresses of other interfaces for theirs" {
	behind_some '.prevResult.ips[].interface = 0'
	add sbr
	eq "$(rules | grep -c 203.0.113.2)" 0
}

@test "sbr without a result, or without addresses, is an error" {
	behind_some 'del(.prevResult)'
	cni ADD sbr
	[ "$status" != 0 ]
	behind_some '.prevResult.ips = []'
	cni ADD sbr
	refused any 'net1'
	eq "$(routing)" "$before"
}

@test "sbr ADD that fails changes nothing" {
	behind_some '.prevResult.ips[0].gateway = "10.99.0.1"' # which cannot be reached
	cni ADD sbr
	[ "$status" != 0 ]
	eq "$(routing)" "$before"
}
