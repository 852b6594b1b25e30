#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# CHECK of the ptp plugin names what is wrong; and what the Go reference has made
# is taken down by ours, and the other way round.

load ../lib/system
load ../lib/ptp

checked() {
	conf "${1:-.}"
	attach c1
	with_result
	port=$(port_of c1)
	try CHECK ptp c1
	ok
}

check_names() { # WORDS...: what CHECK must say
	try CHECK ptp c1
	refused 101 "$@"
}

@test "CHECK names a missing container interface" {
	checked
	ip -n c1 link set eth0 down
	ip -n c1 link set eth0 name eth9
	check_names "container interface eth0" "does not exist"
}

@test "CHECK names a container interface of another kind" {
	checked
	ip -n c1 link del eth0
	ip -n c1 link add eth0 type bridge
	check_names "container interface eth0" "not a veth"
}

@test "CHECK names a container interface that is down" {
	checked
	ip -n c1 link set eth0 down
	check_names "container interface eth0" "is down"
}

@test "CHECK names another MAC" {
	checked
	ip -n c1 link set eth0 address 02:00:00:00:00:09
	check_names eth0 MAC 02:00:00:00:00:09
}

@test "CHECK names another MTU than configured, of each end" {
	conf '.mtu = 1400'
	attach c1
	with_result
	ip -n c1 link set eth0 mtu 1399
	check_names "container interface eth0" 1399 1400
	ip -n c1 link set eth0 mtu 1400
	port=$(jq -r '.prevResult.interfaces[0].name' <<<"$CONF")
	ip link set "$port" mtu 1398
	check_names "host interface $port" 1398 1400
}

@test "CHECK names a missing address" {
	checked
	ip -n c1 addr add 10.1.0.77/24 dev eth0 noprefixroute
	ip -n c1 addr del 10.1.0.2/24 dev eth0
	check_names 10.1.0.2/24 eth0
}

@test "CHECK names a missing IPv6 address" {
	checked
	ip -n c1 addr del fd00:1::2/64 dev eth0
	check_names fd00:1::2/64 eth0
}

@test "CHECK names a missing route of the container's, of each kind" {
	checked
	for dst in 10.1.0.1/32 10.1.0.0/24 0.0.0.0/0 fd00:1::1/128 fd00:1::/64 ::/0; do
		[[ $dst = *:* ]] && family=-6 || family=-4
		ip -n c1 "$family" route save >"$BATS_TEST_TMPDIR/routes"
		ip -n c1 "$family" route del $dst
		check_names "route to $dst" eth0
		ip -n c1 "$family" route flush dev eth0
		ip -n c1 "$family" route restore <"$BATS_TEST_TMPDIR/routes"
		try CHECK ptp c1
		ok
	done
}

@test "CHECK names a subnet that is on the link instead of behind the gateway" {
	checked
	ip -n c1 route replace 10.1.0.0/24 dev eth0
	check_names "route to 10.1.0.0/24 via 10.1.0.1" eth0
}

@test "CHECK names a missing host end" {
	checked
	ip netns add elsewhere
	ip link set "$port" netns elsewhere
	check_names "host interface $port" "does not exist"
}

@test "CHECK names a host end that is down" {
	checked
	ip link set "$port" down
	check_names "host interface $port" "is down"
}

@test "CHECK names a host end that is not the other end" {
	checked
	ip link set "$port" down
	ip link set "$port" name aside
	ip link add "$port" type veth peer name other
	check_names "host interface $port" "not the other end"
}

@test "CHECK names a missing address of the gateway, of each family" {
	checked
	ip addr del 10.1.0.1/32 dev "$port"
	check_names "$port" 10.1.0.1
	ip addr add 10.1.0.1/32 dev "$port"
	ip route add 10.1.0.2 dev "$port" # gone with the last address
	ip addr del fd00:1::1/128 dev "$port"
	check_names "$port" fd00:1::1
}

@test "CHECK names a missing route of the host's, of each family" {
	checked
	ip route del 10.1.0.2
	check_names "route to 10.1.0.2" "$port"
	ip route add 10.1.0.2 dev lo
	check_names "route to 10.1.0.2" "$port"
	ip route replace 10.1.0.2 dev "$port"
	ip route del fd00:1::2
	check_names "route to fd00:1::2" "$port"
}

@test "CHECK names missing masquerading, with both backends" {
	checked '.ipMasq = true'
	nft delete element inet hawser masquerade6 '{ fd00:1::2 }'
	check_names masquerade6 fd00:1::2
	detach c1
	command -v iptables-save >/dev/null || skip "no iptables"
	checked '.ipMasq = true | .ipMasqBackend = "iptables"'
	iptables -t nat -F POSTROUTING
	check_names POSTROUTING
}

@test "CHECK names a reservation that has gone, and needs a prevResult of this namespace" {
	checked
	rm /var/lib/cni/networks/n1/10.1.0.2
	try CHECK ptp c1
	[ "$status" = 1 ]
	json '.msg | contains("10.1.0.2")'
	conf .
	try CHECK ptp c1
	refused 7 "Required prevResult missing"
	attach c2
	with_result
	CONF=$(jq -c '.prevResult.interfaces[1].sandbox = "/run/netns/other"' <<<"$CONF")
	try CHECK ptp c2
	refused 101 /run/netns/other
}

@test "CHECK allows what a later plugin of the chain changes" {
	checked
	ip -n c1 link set eth0 mtu 1400
	ip -n c1 addr add 10.7.7.7/32 dev eth0
	ip -n c1 route del default
	ip -n c1 route add default via 10.1.0.1 dev eth0 table 100
	try CHECK ptp c1
	ok
}

# --- the reference -----------------------------------------------------------

reference() { # DIRECTORY COMMAND CONTAINER
	CNI_PATH=$1
	run cni "$2" ptp "$3" <<<"$CONF"
	CNI_PATH=$CNI_BIN
	ok
}

references() {
	local dir
	for dir in "$REFERENCE_CNI" "${REFERENCE_191-}"; do
		[ ! -x "$dir/ptp" ] || echo "$dir"
	done
}

@test "the reference makes it, ours checks it and takes it down" {
	[ -n "$(references)" ] || skip "no reference plugins in $REFERENCE_CNI"
	conf '.ipMasq = true | .cniVersion = "1.0.0"'
	ours=$CONF
	prime
	before=$(state | grep -v cni_plugins_masquerade)
	for dir in $(references); do
		for netns in /run/netns/c1 ''; do
			CONF=$ours
			reference "$dir" ADD c1
			with_result
			CONF=$(jq -c '.ipMasq = false' <<<"$CONF")
			try CHECK ptp c1
			ok
			CONF=$(jq -c '.ipMasq = true' <<<"$CONF")
			[ -n "$netns" ] || ip netns del c1
			detach c1 CNI_NETNS=$netns
			[ -e /run/netns/c1 ] || ip netns add c1
			nft list tables | grep -q cni_plugins_masquerade &&
				nft delete table inet cni_plugins_masquerade
			lacks CNI- iptables-save -t nat
			lacks CNI- ip6tables-save -t nat
			nft delete table ip nat 2>/dev/null || :
			nft delete table ip6 nat 2>/dev/null || :
			same_state "$before"
		done
	done
}

@test "ours makes it, the reference takes link and address down, our DEL or GC the rest" {
	[ -n "$(references)" ] || skip "no reference plugins in $REFERENCE_CNI"
	conf '.ipMasq = true | .cniVersion = "1.0.0"'
	ours=$CONF
	prime
	before=$(state)
	for dir in $(references); do
		for ending in DEL GC; do
			CONF=$ours
			attach c1
			with_result
			# 1.1.1 looks for an iptables chain and says that it
			# finds none, once, when it has done the rest
			CNI_PATH=$dir cni DEL ptp c1 <<<"$CONF" || :
			reference "$dir" DEL c1
			no ip -n c1 link show eth0
			[ "$(ip -j link show type veth)" = '[]' ]
			[ ! -e /var/lib/cni/networks/n1/10.1.0.2 ]
			CONF=$(jq -c '. + {cniVersion: "1.1.0", "cni.dev/valid-attachments": []}' <<<"$ours")
			try $ending ptp c1
			ok
			nft delete table ip nat 2>/dev/null || :
			nft delete table ip6 nat 2>/dev/null || :
			same_state "$before"
		done
	done
}
