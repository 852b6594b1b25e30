#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vlan: what is particular to it. endpoint.bats has the rest.

# bats file_tags=vlan

load ../lib/system
load ../lib/endpoint

PLUGIN=vlan
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"vlan","master":"m0","vlanId":5,'$IPAM'}'

# Outside has an interface in each of two VLANs, and counts what comes in.
setup() {
	needs vlan
	endpoint_setup
	ip -n outside addr flush dev eth0
	for id in 5 6; do
		ip -n outside link add link eth0 name "eth0.$id" type vlan id "$id"
		ip -n outside addr add "192.0.2.24$id/24" dev "eth0.$id"
		ip -n outside addr add "2001:db8::f$id/64" dev "eth0.$id"
		ip -n outside link set "eth0.$id" up
	done
	ip netns exec outside nft -f - <<'END'
table netdev count {
	counter tagged { }
	counter untagged { }
	chain in {
		type filter hook ingress device eth0 priority 0
		vlan id 5 counter name tagged return
		icmp type echo-request counter name untagged
		icmpv6 type echo-request counter name untagged
	}
}
END
}

teardown() {
	clean_up
	ip link del m0 2>/dev/null || :
}

seen() { # COUNTER: packets outside has seen
	ip netns exec outside nft -j list counter netdev count "$1" |
		jq '.nftables[1].counter.packets'
}

@test "frames carry the tag, and outside answers in that VLAN" {
	attach c1
	reaches c1 192.0.2.245
	reaches c1 2001:db8::f5
	[ "$(seen tagged)" -gt 0 ]
	[ "$(seen untagged)" = 0 ]
}

@test "each VLAN reaches its own and no other" {
	conf '.vlanId = 6'
	attach c2 CNI_ARGS='IgnoreUnknown=1;IP=192.0.2.6'
	conf '.name = "n5"'
	attach c1
	reaches c1 2001:db8::f5
	reaches c2 2001:db8::f6
	no reaches c1 2001:db8::f6
	no reaches c2 2001:db8::f5
	no reaches c1 192.0.2.6
}

@test "a VLAN that has an interface already is refused by number and master" {
	attach c1
	before=$(state)
	try ADD vlan c2
	refused 100 "VLAN 5" m0
	same_state "$before"
	detach c1
	attach c2
}

@test "VLAN 0: priority tags" {
	conf '.vlanId = 0'
	attach c1
	[ "$(ip -n c1 -d -j link show eth0 | jq '.[0].linkinfo.info_data.id')" = 0 ]
}

@test "CHECK names another VLAN" {
	attach c1
	with_result
	CONF=$(jq -c '.vlanId = 6' <<<"$CONF")
	check_names eth0 "VLAN 5" 6
}
