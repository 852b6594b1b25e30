#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# macvlan: what is particular to it. endpoint.bats has the rest.

# bats file_tags=macvlan

load ../lib/system
load ../lib/endpoint

PLUGIN=macvlan
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"macvlan","master":"m0",'$IPAM'}'

setup() {
	needs macvlan
	endpoint_setup
	ip addr add 192.0.2.253/24 dev m0
}

teardown() {
	clean_up
	ip link del m0 2>/dev/null || :
}

@test "bridge: outside and neighbours are reached, the host is not" {
	attach c1
	attach c2
	reaches c1 192.0.2.254
	reaches c1 2001:db8::fe
	reaches c1 "$(address c2 -4)"
	reaches c1 "$(address c2 -6)"
	no reaches c1 192.0.2.253
	reaches outside "$(address c2 -4)"
	reaches outside "$(address c2 -6)"
	ip -n c1 -d link show eth0 | grep 'macvlan mode bridge'
}

@test "private and vepa: outside is reached, neighbours are not" {
	for mode in private vepa; do
		conf ".mode = \"$mode\""
		attach c1
		attach c2
		ip -n c1 -d link show eth0 | grep "macvlan mode $mode"
		reaches c1 192.0.2.254
		reaches c1 2001:db8::fe
		no reaches c1 "$(address c2 -4)"
		no reaches c1 "$(address c2 -6)"
		detach c1
		detach c2
	done
}

@test "passthru: one alone, and the next is told so" {
	conf '.mode = "passthru"'
	attach c1
	reaches c1 192.0.2.254
	before=$(state)
	try ADD macvlan c2
	refused 5 m0
	same_state "$before"
	detach c1
	attach c2
}

@test "bcqueuelen bounds the broadcasts that wait" {
	conf '.bcqueuelen = 77'
	attach c1
	ip -n c1 -d link show eth0 | grep 'bcqueuelen 77 '
	with_result
	try CHECK macvlan c1
	ok
	CONF=$(jq -c '.bcqueuelen = 78' <<<"$CONF")
	check_names eth0 'bcqueuelen 77 instead of 78'
}

@test "CHECK names another mode" {
	attach c1
	with_result
	CONF=$(jq -c '.mode = "vepa"' <<<"$CONF")
	check_names eth0 mode
}

@test "an announcement reaches the neighbours when an address moves" {
	attach c1
	ip netns exec outside sysctl -qw net.ipv4.neigh.eth0.locktime=0
	for family in -4 -6; do
		reaches outside "$(address c1 $family)"
	done
	v4=$(address c1 -4) v6=$(address c1 -6)
	detach c1
	attach c2 CNI_ARGS="IgnoreUnknown=1;IP=$v4,$v6" || {
		conf ".args.cni.ips = [\"$v4\", \"$v6\"]"
		attach c2
	}
	new=$(ip -n c2 -j link show eth0 | jq -r '.[0].address')
	is_known_at outside "$v4" "$new"
	is_known_at outside "$v6" "$new"
}
