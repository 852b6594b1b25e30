#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# firewall where iptables has the say: a FORWARD policy that drops, and chains
# that other programs read. Chains, rules and comments are the reference's.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"firewall","backend":"iptables",
 "prevResult":{"cniVersion":"1.0.0",
  "interfaces":[{"name":"br0"},{"name":"eth0","sandbox":"/run/netns/c1"}],
  "ips":[{"address":"10.1.0.2/24","interface":1},{"address":"fd00:1::2/64","interface":1}]}}'

setup() {
	command -v iptables-save >/dev/null || skip "no iptables"
	ip link add br0 type bridge
	conf .
}

teardown() {
	pkill -x peer || :
	clean_up
}

filter() { # without counters, and without what says when
	iptables-save -t filter | sed '/^#/d; s/\[.*\]//'
	ip6tables-save -t filter | sed '/^#/d; s/\[.*\]//'
}

# reference COMMAND: Debian's firewall plugin
reference() {
	[ -x "$REFERENCE_CNI/firewall" ] || skip "no reference firewall"
	CNI_COMMAND=$1 CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
		CNI_PATH=$REFERENCE_CNI "$REFERENCE_CNI/firewall" <<<"$CONF" >/dev/null
}

# The reference of Debian 12 knows no "isolated", and its comment of the shared
# rules does not name it.
as_newer() {
	sed 's/(ingressPolicy: same-bridge)" -j \(CNI-ISOLATION-STAGE-1\|RETURN\|DROP\)/(ingressPolicy: same-bridge|isolated)" -j \1/'
}

@test "what ADD makes is what the reference makes, to the byte" {
	local change theirs
	for change in . '.iptablesAdminChainName = "NOMAD-ADMIN"' '.ingressPolicy = "same-bridge"'; do
		conf "$change"
		reference ADD
		theirs=$(filter | as_newer)
		nft flush ruleset
		try ADD firewall c1
		ok
		diff <(echo "$theirs") <(filter) || { echo "$change"; return 1; }
		try CHECK firewall c1
		ok
		try ADD firewall c1
		ok
		diff <(echo "$theirs") <(filter)
		nft flush ruleset
	done
}

@test "each takes down what the other made" {
	local empty
	try ADD firewall c1
	ok
	try DEL firewall c1
	ok
	empty=$(filter)
	reference ADD
	try DEL firewall c1
	ok
	diff <(echo "$empty") <(filter)
	try ADD firewall c1
	ok
	reference DEL
	diff <(echo "$empty") <(filter)
	# our DEL needs no result, nor the backend it was made with
	try ADD firewall c1
	ok
	conf 'del(.prevResult) | .backend = "nftables"'
	try DEL firewall c1 CNI_NETNS=
	ok
	diff <(echo "$empty") <(filter)
}

@test "DEL after the address has changed hands leaves the new owner's rules" {
	try ADD firewall c1
	ok
	try ADD firewall c2
	ok
	try DEL firewall c1
	ok
	iptables -C CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT
	try DEL firewall c2
	ok
	no iptables -C CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT
}

@test "the administrator's chain stays as it is" {
	iptables -N NOMAD-ADMIN
	iptables -A NOMAD-ADMIN -o nomad -d 172.26.64.0/20 -j ACCEPT
	conf '.iptablesAdminChainName = "NOMAD-ADMIN" | del(.backend)' # chosen by the key
	try ADD firewall c1
	ok
	iptables -C CNI-FORWARD -m comment --comment 'CNI firewall plugin admin overrides' -j NOMAD-ADMIN
	iptables -C NOMAD-ADMIN -o nomad -d 172.26.64.0/20 -j ACCEPT
	try DEL firewall c1
	ok
	iptables -C NOMAD-ADMIN -o nomad -d 172.26.64.0/20 -j ACCEPT
}

@test "CHECK names what is missing, and changes nothing; GC and STATUS" {
	try ADD firewall c1
	ok
	iptables -D CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT
	try CHECK firewall c1
	refused 101 CNI-FORWARD 10.1.0.2
	no iptables -C CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT
	try STATUS firewall '' # below 1.1.0
	refused 1
	conf '.cniVersion = "1.1.0" | del(.prevResult)'
	try STATUS firewall ''
	ok
	conf '.cniVersion = "1.1.0" | del(.prevResult) | ."cni.dev/valid-attachments" = []'
	try GC firewall ''
	ok
	lacks 10.1.0.2 iptables-save
	lacks fd00:1::2 ip6tables-save
}

@test "where the FORWARD policy drops, the container gets through all the same" {
	local peer=$CNI_BIN/../tests/peer backend bridged
	ip netns add c1
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev uplink
	ip link set uplink up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside link set eth0 up
	ip -n outside route add 10.1.0.0/24 via 192.0.2.1
	ip netns exec outside "$peer" serve tcp 80 outside >"$BATS_TEST_TMPDIR/s" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/s" ]; do sleep 0.01; done
	ip link del br0
	bridged=$(cni ADD bridge c1 <<<'{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0",
		"isDefaultGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}]]}}')
	ip netns exec c1 "$peer" ask tcp 192.0.2.2 80
	iptables -P FORWARD DROP
	no ip netns exec c1 "$peer" ask tcp 192.0.2.2 80
	BASE_CONF=$(jq -c --argjson result "$bridged" '.prevResult = $result' <<<"$BASE_CONF")
	# nftables cannot help: its accept is not the last word
	conf '.backend = "nftables"'
	try ADD firewall c1
	ok
	no ip netns exec c1 "$peer" ask tcp 192.0.2.2 80
	try DEL firewall c1
	ok
	conf 'del(.backend)'
	try ADD firewall c1
	ok
	ip netns exec c1 "$peer" ask tcp 192.0.2.2 80
	try CHECK firewall c1
	ok
	try DEL firewall c1
	ok
	no ip netns exec c1 "$peer" ask tcp 192.0.2.2 80
	# and where it accepts no chain of iptables is made
	iptables -P FORWARD ACCEPT
	iptables -F && iptables -X
	try ADD firewall c1
	ok
	lacks CNI-FORWARD iptables-save
	ip netns exec c1 "$peer" ask tcp 192.0.2.2 80
}

@test "where a rule of FORWARD may reject, iptables is chosen; for our own it is not" {
	conf 'del(.backend)'
	iptables -A FORWARD -j REJECT
	try ADD firewall c1
	ok
	iptables -C CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT
	try DEL firewall c1
	ok
	iptables -D FORWARD -j REJECT
	iptables -S FORWARD | grep CNI-FORWARD
	try ADD firewall c1
	ok
	no iptables -C CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT
}

@test "hostile names of chains are refused" {
	local name
	for name in 'A B' $'A\nCOMMIT' 'A"B' "A'B" '-j ACCEPT' '!A' "$(printf 'x%.0s' $(seq 40))"; do
		conf ".iptablesAdminChainName = $(jq -Rs . <<<"$name" | sed 's/\\n"$/"/')"
		try ADD firewall c1
		[ "$status" = 1 ] || { echo "accepted: $name"; return 1; }
		lacks 10.1.0.2 iptables-save
		! nft list table inet hawser 2>/dev/null | grep -F 10.1.0.2
	done
}
