#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Host ports with iptables: the chains, rules and comments of the reference,
# taken down by whoever comes; and with real sockets.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"portmap","backend":"iptables",
 "prevResult":{"cniVersion":"1.0.0",
  "interfaces":[{"name":"br0"},{"name":"eth0","sandbox":"/run/netns/server"}],
  "ips":[{"address":"10.1.0.2/24","interface":1},{"address":"fd00:1::2/64","interface":1}]},
 "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
  {"hostPort":5353,"containerPort":53,"protocol":"udp"},
  {"hostPort":8443,"containerPort":443,"protocol":"tcp","hostIP":"192.0.2.1"}]}}'

PEER=${CNI_BIN}/../tests/peer

setup() {
	command -v iptables-save >/dev/null || skip "no iptables"
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	conf .
	ip netns add server
	ip netns exec server sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add br0 type bridge
	ip addr add 10.1.0.1/24 dev br0
	ip addr add fd00:1::1/64 dev br0
	ip link set br0 up
	ip link add port type veth peer name eth0 netns server
	ip link set port master br0 up
	ip -n server addr add 10.1.0.2/24 dev eth0
	ip -n server addr add fd00:1::2/64 dev eth0
	ip -n server link set eth0 up
	ip -n server route add default via 10.1.0.1
	ip -n server -6 route add default via fd00:1::1
	ip addr replace 192.0.2.1/32 dev lo
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

teardown() {
	pkill -x peer || :
	clean_up
}

nat() { # without counters, and without what says when
	iptables-save -t nat | sed '/^#/d; s/\[.*\]//'
	ip6tables-save -t nat | sed '/^#/d; s/\[.*\]//'
}

flush_nat() {
	nft flush ruleset
}

# reference COMMAND: Debian's portmap. It has no key "backend".
reference() {
	[ -x "$REFERENCE_CNI/portmap" ] || skip "no reference portmap"
	CNI_COMMAND=$1 CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/server CNI_IFNAME=eth0 \
		CNI_PATH=$REFERENCE_CNI "$REFERENCE_CNI/portmap" <<<"$CONF" >/dev/null
}

@test "what ADD makes is what the reference makes, to the byte" {
	local filter theirs
	for filter in . '.snat = false' '.markMasqBit = 5' \
		'.runtimeConfig.portMappings = [range(2000; 2020) | {hostPort: ., containerPort: ., protocol: "tcp"}]' \
		'.externalSetMarkChain = "PLUGIN-MARK" | .conditionsV4 = ["-s", "192.0.2.0/24"]'; do
		conf "$filter"
		for ip in iptables ip6tables; do "$ip" -t nat -N PLUGIN-MARK; done
		reference ADD
		theirs=$(nat)
		flush_nat
		for ip in iptables ip6tables; do "$ip" -t nat -N PLUGIN-MARK; done
		try ADD portmap c1
		ok
		diff <(echo "$theirs") <(nat) || { echo "$filter"; return 1; }
		try CHECK portmap c1
		ok
		try ADD portmap c1
		ok
		diff <(echo "$theirs") <(nat)
		flush_nat
	done
}

# As podman asks for it: podman run --network n1,n2 -p 8080:80.
@test "a container on two networks has a port by the first of them" {
	try ADD portmap server
	ok
	conf '.name = "n2" | .prevResult.interfaces[1].name = "eth1"
		| .prevResult.ips = [{address: "10.2.0.2/24", interface: 1}]'
	try ADD portmap server CNI_IFNAME=eth1
	ok
	[ "$(iptables-save -t nat | grep -oE -- '--comment.*id: .*--dports 8080' | grep -oE 'n[12]' | paste -sd ' ')" = 'n1 n2' ]
	try CHECK portmap server CNI_IFNAME=eth1
	ok
	try ADD portmap c2 CNI_IFNAME=eth1
	refused 100 'host port 8080/tcp' 'server'
	try DEL portmap server CNI_IFNAME=eth1
	ok
	conf .
	try CHECK portmap server
	ok
	try DEL portmap server
	ok
	lacks 8080 nat
}

@test "each takes down what the other made" {
	local empty
	try ADD portmap c1
	ok
	try DEL portmap c1
	ok
	empty=$(nat)
	reference ADD
	try DEL portmap c1
	ok
	diff <(echo "$empty") <(nat)
	try ADD portmap c1
	ok
	reference DEL
	diff <(echo "$empty") <(nat)
	# and by a configuration that has another backend now
	try ADD portmap c1
	ok
	conf '.backend = "nftables"'
	try DEL portmap c1 CNI_NETNS=
	ok
	diff <(echo "$empty") <(nat)
}

@test "a port that another container has is an error that names it" {
	try ADD portmap c1
	ok
	conf '.prevResult.ips[0].address = "10.1.0.3/24"'
	try ADD portmap c2
	refused 100 8080 c1
	lacks 10.1.0.3 iptables-save -t nat
}

@test "GC and CHECK" {
	try ADD portmap c1
	ok
	iptables -t nat -D OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
	try CHECK portmap c1
	refused 101 OUTPUT CNI-HOSTPORT-DNAT
	conf '.cniVersion = "1.1.0" | del(.prevResult, .runtimeConfig) | ."cni.dev/valid-attachments" = [{containerID: "c1", ifname: "eth0"}]'
	try GC portmap ''
	ok
	iptables-save -t nat | grep -F 'id: \"c1\"'
	conf '.cniVersion = "1.1.0" | del(.prevResult, .runtimeConfig) | ."cni.dev/valid-attachments" = []'
	try GC portmap ''
	ok
	lacks c1 iptables-save -t nat
	try STATUS portmap ''
	ok
}

@test "from outside, the host, its loopback address, and the container itself" {
	[ ! -e /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 198.51.100.1/24 dev uplink
	ip link set uplink up
	ip -n outside addr add 198.51.100.2/24 dev eth0
	ip -n outside link set eth0 up
	ip netns exec server "$PEER" serve tcp 80 server >"$BATS_TEST_TMPDIR/s" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/s" ]; do sleep 0.01; done
	no ip netns exec outside "$PEER" ask tcp 198.51.100.1 8080
	try ADD portmap c1
	ok
	[ "$(ip netns exec outside "$PEER" ask tcp 198.51.100.1 8080)" = 'server 198.51.100.2' ]
	[ "$("$PEER" ask tcp 127.0.0.1 8080)" = 'server 10.1.0.1' ]
	[ "$("$PEER" ask tcp 192.0.2.1 8080)" = 'server 192.0.2.1' ]
	[ "$("$PEER" ask tcp fd00:1::1 8080)" = 'server fd00:1::1' ]
	[ "$(ip netns exec server "$PEER" ask tcp 192.0.2.1 8080)" = 'server 10.1.0.1' ]
	try DEL portmap c1
	ok
	no ip netns exec outside "$PEER" ask tcp 198.51.100.1 8080
}

@test "the host's loopback addresses are guarded here too" {
	try ADD portmap c1
	ok
	"$PEER" serve tcp 9999 host >"$BATS_TEST_TMPDIR/h" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/h" ]; do sleep 0.01; done
	ip netns exec server sysctl -qw net.ipv4.conf.all.route_localnet=1
	ip -n server addr flush dev lo
	ip -n server route add 127.0.0.0/8 via 10.1.0.1 dev eth0
	no ip netns exec server "$PEER" ask tcp 127.0.0.1 9999
	nft flush chain inet hawser hostports-guard
	ip netns exec server "$PEER" ask tcp 127.0.0.1 9999
}
