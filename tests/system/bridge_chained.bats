#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bridge plugin behind another plugin: what that has made on the host becomes
# a port. The other plugin is played by ip(8).

load ../lib/system

BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"bridge","bridge":"br0"}'
IPAM='.ipam = {"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}'

setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add br0 address 02:00:00:00:00:0b up type bridge
	other c1 10.1.0.50/24
	conf .
}

teardown() {
	ip -j link show type dummy 2>/dev/null | jq -r '.[].ifname' | xargs -r -n 1 ip link del
	clean_up
}

# other CONTAINER ADDRESS: what the other plugin makes; its result is in $prev.
other() {
	ip netns add "$1"
	ip link add "host-$1" type veth peer name eth0 netns "$1"
	ip link set "host-$1" up
	ip -n "$1" link set eth0 up
	ip -n "$1" addr add "$2" dev eth0
	prev=$(jq -cn --arg c "$1" --arg a "$2" '{cniVersion: "1.1.0",
		interfaces: [{name: "host-\($c)"}, {name: "eth0", sandbox: "/run/netns/\($c)", mac: "'"$(mac_of "$1")"'"}],
		ips: [{address: $a, interface: 1}], dns: {nameservers: ["192.0.2.53"]}}')
}

mac_of() { # CONTAINER
	ip -n "$1" -j link show eth0 | jq -r '.[0].address'
}

# Another one that gives no addresses.
without_addresses() {
	ip -n c1 addr flush dev eth0 scope global
	prev=$(jq -c 'del(.ips)' <<<"$prev")
}

behind() { # JQ-FILTER: a configuration whose prevResult is $prev
	conf "$1"
	CONF=$(jq -c --argjson prev "$prev" '.prevResult = $prev' <<<"$CONF")
}

attach() { # CONTAINER [JQ-FILTER]
	behind "${2-.}"
	try ADD bridge "$1"
	ok
}

master_of() { # DEVICE
	ip -j link show "$1" | jq -r '.[0].master // "none"'
}

pings() { # CONTAINER ADDRESS
	ip netns exec "$1" ping -c 1 -W 2 "$2"
}

@test "the interface on the host becomes a port, and the result has the bridge" {
	links=$(ip -j link | jq length)
	attach c1
	[ "$(master_of host-c1)" = br0 ]
	[ "$(ip -j link | jq length)" = "$links" ]
	json '.interfaces | map(.name) == ["host-c1", "eth0", "br0"]'
	json '.interfaces[2] | .mac == "02:00:00:00:00:0b" and (has("sandbox") | not)'
	[ "$(jq -c '.ips, .dns' <<<"$output")" = "$(jq -c '.ips, .dns' <<<"$prev")" ]
	with_result
	try CHECK bridge c1
	ok
	ip netns add c2
	prev='{}'
	attach c2 "$IPAM"
	pings c2 10.1.0.50
}

@test "a bridge that is not there yet is made, and stays as with any container" {
	ip link del br0
	attach c1
	[ "$(master_of host-c1)" = br0 ]
}

@test "DEL detaches it, and again, and leaves what the other plugin has made" {
	before=$(state)
	for round in 1 2; do
		attach c1
		with_result
		for again in 1 2; do
			try DEL bridge c1
			ok
			[ -z "$output" ]
			same_state "$before"
		done
	done
}

@test "DEL without prevResult knows it by its alias" {
	before=$(state)
	attach c1
	conf .
	try DEL bridge c1
	ok
	same_state "$before"
}

@test "DEL with prevResult after the namespace, or the bridge, has gone" {
	attach c1
	with_result
	ip link del br0
	try DEL bridge c1
	ok
	ip link show host-c1
	ip netns del c1
	try DEL bridge c1
	ok
}

@test "an alias that the other plugin has given is kept" {
	ip link set host-c1 alias theirs
	before=$(state)
	attach c1
	[ "$(ip -j link show host-c1 | jq -r '.[0].ifalias')" = theirs ]
	with_result
	try CHECK bridge c1
	ok
	try DEL bridge c1
	ok
	same_state "$before"
}

@test "one of our own pairs can be attached and is only detached again" {
	# as a plugin of the same network makes it, for the same attachment
	conf .
	CONF=$(jq -c '.bridge = "br9"' <<<"$CONF")
	ip netns add c2
	try ADD bridge c2
	ok
	prev=$(jq -c '.interfaces |= .[1:]' <<<"$output")
	port=$(jq -r '.interfaces[0].name' <<<"$prev")
	ip link set "$port" nomaster
	before=$(state)
	attach c2
	with_result
	try CHECK bridge c2
	ok
	try DEL bridge c2
	ok
	same_state "$before"
}

@test "all that is said of ports holds for it" {
	attach c1 '.hairpinMode = true | .portIsolation = true | .macspoofchk = true'
	ip -j -d link show host-c1 | jq -e '.[0].linkinfo.info_slave_data | .hairpin and .isolated'
	nft list set bridge hawser spoof-macs | grep -q "\"host-c1\" . $(mac_of c1)"
	with_result
	try CHECK bridge c1
	ok
	bridge link set dev host-c1 isolated off
	try CHECK bridge c1
	refused 101 host-c1 isolation
	try DEL bridge c1
	ok
	lacks host-c1 nft list ruleset
}

@test "ipspoofchk knows the addresses of the plugin before" {
	# it needs IPAM, which gives the address here
	without_addresses
	attach c1 '.ipspoofchk = true | .isGateway = true'"| $IPAM"
	nft list set bridge hawser spoof-ip4 | grep -q '"host-c1" . 10.1.0.2'
	with_result
	try CHECK bridge c1
	ok
	pings c1 10.1.0.1
}

@test "without IPAM the bridge is the gateway of the addresses that are there" {
	attach c1 '.isGateway = true | .ipMasq = true'
	ip -j addr show br0 | jq -e '.[0].addr_info[] | select(.local == "10.1.0.1")'
	nft get element inet hawser masquerade4 '{ 10.1.0.50 }'
	pings c1 10.1.0.1
	with_result
	try CHECK bridge c1
	ok
	nft delete element inet hawser masquerade4 '{ 10.1.0.50 }'
	try CHECK bridge c1
	refused 101 10.1.0.50
	try DEL bridge c1
	ok
	lacks "id: c1" nft list ruleset
}

@test "with IPAM a container's interface without addresses gets some, and gives them back" {
	without_addresses
	before=$(state)
	attach c1 "$IPAM"' | .ipam.ranges += [[{"subnet":"fd00:1::/64"}]] | .isDefaultGateway = true | .ipMasq = true'
	json '.ips | map(.address) == ["10.1.0.2/24", "fd00:1::2/64"] and map(.interface) == [1, 1]'
	json '.routes | map(.dst) == ["0.0.0.0/0", "::/0"]'
	[ "$(jq -c .dns <<<"$output")" = "$(jq -c .dns <<<"$prev")" ]
	[ "$(ip -n c1 -j route show default | jq -r '.[0].gateway')" = 10.1.0.1 ]
	[ "$(ip -n c1 -6 -j route show default | jq -r '.[0].gateway')" = fd00:1::1 ]
	pings c1 10.1.0.1
	with_result
	try CHECK bridge c1
	ok
	ip -n c1 addr del 10.1.0.2/24 dev eth0
	try CHECK bridge c1
	refused 101 10.1.0.2
	try DEL bridge c1
	ok
	ip addr flush dev br0 scope global
	nft delete table inet hawser
	same_state "$before"
}

@test "IPAM for an interface that has addresses already is refused" {
	before=$(state)
	behind "$IPAM"
	try ADD bridge c1
	refused 7 ipam eth0 "addresses already"
	same_state "$before"
}

@test "addresses of other interfaces in prevResult are none of its own" {
	prev=$(jq -c '.interfaces += [{"name":"net1","sandbox":"/run/netns/c1"}] |
		.ips += [{"address":"10.7.0.7/24","interface":2}]' <<<"$prev")
	attach c1 '.ipMasq = true'
	lacks 10.7.0.7 nft list ruleset
	with_result
	try CHECK bridge c1
	ok
}

@test "CHECK names a port that is detached, down, or was never one" {
	attach c1
	with_result
	ip link set host-c1 down
	try CHECK bridge c1
	refused 101 host-c1 down
	ip link set host-c1 nomaster
	try CHECK bridge c1
	refused 101 br0 attached
}

@test "GC detaches what is stale, and keeps what is valid" {
	attach c1
	other c2 10.1.0.51/24
	attach c2
	conf '."cni.dev/valid-attachments" = [{"containerID":"c2","ifname":"eth0"}]'
	try GC bridge x
	ok
	[ "$(master_of host-c1)" = none ]
	[ "$(master_of host-c2)" = br0 ]
	ip -n c1 link show eth0
}

# --- what is no chained ADD, as with the reference ---------------------------------

@test "a prevResult without CNI_IFNAME in the container changes nothing: a pair is made" {
	for filter in '.interfaces = []' '.interfaces[1].name = "lo"' \
		'.interfaces[1].sandbox = "/run/netns/other"' '.interfaces = "no list"'; do
		ip -n c1 link del eth0 2>/dev/null || :
		prev=$(jq -c "$filter" <<<"$prev")
		attach c1 "$IPAM"
		json '.interfaces | length == 3 and .[0].name == "br0"'
		json '.ips | length == 1'
		try DEL bridge c1
		ok
		no ip -n c1 link show eth0
	done
}

@test "what the result says is in the container and is not there is made" {
	ip -n c1 link del eth0
	attach c1
	json '.interfaces | map(.name) | .[0] == "br0" and .[2] == "eth0"'
}

@test "nothing on the host, more than one, or a port already: the old error and why" {
	before=$(state)
	whole=$prev
	prev=$(jq -c '.interfaces |= .[1:] | .ips = []' <<<"$whole")
	behind .
	try ADD bridge c1
	refused 100 '"eth0" already exists' "no interface" br0
	ip link add one type veth peer name two
	prev=$(jq -c '.interfaces |= [.[1], {name: "one"}, {name: "two"}] | .ips = []' <<<"$whole")
	behind .
	try ADD bridge c1
	refused 100 '"eth0" already exists' "more than one"
	ip link del one
	same_state "$before"
	prev=$whole
	ip link set host-c1 master br0
	before=$(state)
	behind .
	try ADD bridge c1
	refused 100 '"eth0" already exists' host-c1 "port already"
	same_state "$before"
}

@test "an interface that is no pair: the one on the host is taken" {
	ip link add rep up type veth peer name far
	prev=$(jq -c '.interfaces[0].name = "rep"' <<<"$prev")
	before=$(state)
	attach c1 '.macspoofchk = true'
	[ "$(master_of rep)" = br0 ]
	with_result
	try CHECK bridge c1
	ok
	try DEL bridge c1
	ok
	[ "$(master_of rep)" = none ]
}

@test "isDefaultGateway without IPAM is refused" {
	before=$(state)
	behind '.isDefaultGateway = true'
	try ADD bridge c1
	refused 7 isDefaultGateway ipam
	same_state "$before"
}

@test "an ADD that fails leaves everything as it was" {
	needs_strace
	without_addresses
	ip link set host-c1 down
	behind "$IPAM"' | .isGateway = true | .macspoofchk = true | .ipam.ranges += [[{"subnet":"fd00:1::/64"}]] |
		.ipam.routes += [{"dst":"::/0"}]'
	cni ADD bridge c1 <<<"$CONF" # so that the tables are there, which stay
	try DEL bridge c1
	ip -n c1 addr flush dev eth0 scope global
	ip -n c1 -6 route flush default
	ip addr flush dev br0 scope global
	ip link set host-c1 down
	before=$(state)
	for n in $(seq 60); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,sendto \
			-e inject=sendmsg,sendto:error=ENOBUFS:when="$n" \
			"$CNI_BIN/bridge" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		if [ "$status" = 0 ]; then
			kept=$CONF
			with_result
			try DEL bridge c1
			CONF=$kept
			ok
			ip link set host-c1 down
		fi
		ip addr flush dev br0 scope global
		same_state "$before"
	done
	[ "$n" -gt 10 ]
	[ "$status" = 0 ]
}

@test "VLANs are those of the configuration" {
	ip link set br0 type bridge vlan_filtering 1 2>/dev/null || skip "this kernel's bridges do not filter VLANs"
	before=$(state)
	attach c1 '.vlan = 100 | .vlanTrunk = [{"id":7}] | .isGateway = true'
	bridge -j vlan show dev host-c1 | jq -e '[.[0].vlans[].vlan] == [7, 100]'
	json '.interfaces | map(.name) == ["host-c1", "eth0", "br0", "br0.100"]'
	pings c1 10.1.0.1
	with_result
	try CHECK bridge c1
	ok
	try DEL bridge c1
	ok
	no ip link show br0.100
	same_state "$before"
}
