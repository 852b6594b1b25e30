#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ipvlan: what is particular to it. endpoint.bats has the rest.

# bats file_tags=ipvlan

load ../lib/system
load ../lib/endpoint

PLUGIN=ipvlan
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"ipvlan","master":"m0",'$IPAM'}'

setup() {
	needs ipvlan
	endpoint_setup
	ip addr add 192.0.2.253/24 dev m0
	ip addr add 2001:db8::fd/64 dev m0
}

teardown() {
	clean_up
	ip link del m0 2>/dev/null || :
}

@test "l2: outside and neighbours are reached, the host is not" {
	attach c1
	attach c2
	ip -n c1 -d link show eth0 | grep 'ipvlan  *mode l2 '
	reaches c1 192.0.2.254
	reaches c1 2001:db8::fe
	reaches c1 "$(address c2 -4)"
	reaches c1 "$(address c2 -6)"
	no reaches c1 192.0.2.253
	reaches outside "$(address c2 -4)"
	reaches outside "$(address c2 -6)"
}

@test "l3 and l3s: the host's routes lead outside, and from there to the containers" {
	ip -n outside route add 203.0.113.0/24 via 192.0.2.253
	for mode in l3 l3s; do
		conf ".mode = \"$mode\" | .ipam.ranges = [[{\"subnet\":\"203.0.113.0/24\"}]]
			| .ipam.routes = [{\"dst\":\"0.0.0.0/0\",\"scope\":253}]"
		attach c1
		attach c2
		ip -n c1 -d link show eth0 | grep "ipvlan  *mode $mode "
		reaches c1 192.0.2.254
		reaches c1 "$(address c2 -4)"
		reaches outside "$(address c1 -4)"
		detach c1
		detach c2
		no reaches outside 203.0.113.2
	done
}

@test "it has the MAC of its master, and says so" {
	attach c1
	json ".interfaces[0].mac == \"$(ip -j link show m0 | jq -r '.[0].address')\""
}

@test "an announcement reaches the neighbours when an address moves" {
	ip link add m1 type veth peer name eth1 netns outside
	ip link set m1 up
	ip -n outside link add br0 type bridge
	ip -n outside addr flush dev eth0
	for i in eth0 eth1; do ip -n outside link set "$i" master br0 up; done
	ip -n outside addr add 192.0.2.254/24 dev br0
	ip -n outside addr add 2001:db8::fe/64 dev br0
	ip -n outside link set br0 up
	ip netns exec outside sysctl -qw net.ipv4.neigh.br0.locktime=0
	until reaches outside 192.0.2.253; do :; done
	attach c1
	v4=$(address c1 -4) v6=$(address c1 -6)
	reaches outside "$v4"
	reaches outside "$v6"
	detach c1
	conf ".master = \"m1\" | .args.cni.ips = [\"$v4\", \"$v6\"]"
	attach c2
	new=$(ip -j link show m1 | jq -r '.[0].address')
	[ "$(address c2 -4)" = "$v4" ]
	is_known_at outside "$v4" "$new"
	# sent; ipvlan passes multicast on from a queue, and on a busy machine (Linux 7.3)
	# not all of it gets there
	[ "$(ip netns exec c2 awk '/Icmp6OutNeighborAdv/ {print $2}' /proc/net/snmp6)" -ge 1 ]
}

@test "chained: the addresses and the one interface of the plugin before" {
	before=$(state)
	conf 'del(.ipam, .master) | .prevResult = {cniVersion: "1.1.0",
		interfaces: [{name: "m0"}], ips: [{address: "192.0.2.7/24", gateway: "192.0.2.1"}],
		routes: [{dst: "198.51.100.0/24"}]}'
	attach c1
	json '[.interfaces[].name] == ["m0", "eth0"] and .ips[0].interface == 1'
	[ "$(address c1 -4)" = 192.0.2.7 ]
	reaches c1 192.0.2.254
	with_result
	try CHECK ipvlan c1
	ok
	# one that comes after it in the chain adds interfaces of its own
	CONF=$(jq -c '.prevResult.interfaces += [{name: "ifb0"}]' <<<"$CONF")
	try CHECK ipvlan c1
	ok
	ip -n c1 addr del 192.0.2.7/24 dev eth0
	check_names 192.0.2.7/24
	detach c1
	same_state "$before"
}

@test "chained: which interface, if there are several, has to be said" {
	conf 'del(.ipam, .master) | .prevResult = {cniVersion: "1.1.0",
		interfaces: [{name: "m0"}, {name: "m1"}], ips: [{address: "192.0.2.7/24"}]}'
	try ADD ipvlan c1
	refused 7 "chained master failure"
	CONF=$(jq -c '.master = "m0"' <<<"$CONF")
	attach c1
	json '[.interfaces[].name] == ["m0", "m1", "eth0"]'
	detach c1
}

@test "a master that a macvlan has is refused by name" {
	ip link add link m0 name other type macvlan
	before=$(state)
	try ADD ipvlan c1
	refused 5 m0
	same_state "$before"
}

@test "CHECK names another mode" {
	attach c1
	with_result
	CONF=$(jq -c '.mode = "l3"' <<<"$CONF")
	check_names eth0 mode
}
