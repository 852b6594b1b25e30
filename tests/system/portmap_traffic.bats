#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Host ports with real sockets: from everywhere, over everything. Each cell of
# the matrix is asked three times: before ADD, when there must be no answer;
# after it, when the answer says who the server took the client for; and after
# DEL, when there must be none again.
#
#	outside  192.0.2.2, 2001:db8::2	| no route to the containers
#	host     192.0.2.1, 198.51.100.1, 2001:db8::1, 2001:db8:2::1
#	br0      10.1.0.1    server 10.1.0.2   neighbour 10.1.0.3
#	br2      10.2.0.1                      stranger 10.2.0.2

# bats file_tags=sctp,slow

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0",
 "isDefaultGateway":true,"hairpinMode":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'

PEER=${CNI_BIN}/../tests/peer

setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add outside
	ip netns exec outside sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev uplink
	ip addr add 198.51.100.1/32 dev uplink
	ip addr add 2001:db8::1/64 dev uplink
	ip addr add 2001:db8:2::1/128 dev uplink
	ip link set uplink up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside addr add 2001:db8::2/64 dev eth0
	ip -n outside link set eth0 up
	ip -n outside route add 198.51.100.1 via 192.0.2.1
	ip -n outside -6 route add 2001:db8:2::1 via 2001:db8::1
	conf .
	add server
	RESULT=$output
	add neighbour
	conf '.name = "n2" | .bridge = "br2" | .ipam.ranges = [[{subnet: "10.2.0.0/24"}], [{subnet: "fd00:2::/64"}]]'
	add stranger
	for p in tcp udp $(more_protocols); do
		ip netns exec server "$PEER" serve "$p" 80 server >"$BATS_TEST_TMPDIR/$p" 3>&- &
		until [ -s "$BATS_TEST_TMPDIR/$p" ]; do sleep 0.01; done
	done
}

teardown() {
	pkill -x peer || :
	clean_up
	nft flush ruleset
}

more_protocols() {
	! wants sctp || echo sctp
}

# Those that every way is tried with.
protocols() {
	[ -n "${FEATURES_LACKED-}" ] || printf '%s\n' tcp udp
	more_protocols
}

# bridges_call MODE: whether bridged packets pass the IP hooks as well.
bridges_call() {
	[ -e /proc/sys/net/bridge ] || {
		[ "$1" = 0 ] || skip "no br_netfilter here"
		return 0
	}
	sysctl -qw "net.bridge.bridge-nf-call-iptables=$1" \
		"net.bridge.bridge-nf-call-ip6tables=$1"
}

# portmap COMMAND MAPPINGS [JQ-FILTER]
portmap() {
	CONF=$(jq -c --argjson prev "$RESULT" --argjson ports "$2" "
		{cniVersion, name, type: \"portmap\", prevResult: \$prev,
		 runtimeConfig: {portMappings: \$ports}} | ${3:-.}" \
		<<<"$BASE_CONF")
	try "$1" portmap server
	ok
}

# PORT HOST-IP: one mapping for each protocol.
mappings() {
	jq -cn --argjson port "$1" --arg ip "$2" \
		'[("tcp", "udp", "sctp") | {hostPort: $port, containerPort: 80, protocol: ., hostIP: $ip}]'
}

# ask FROM PROTO ADDRESS PORT: prints whom the server saw, "-" if nobody.
ask() {
	local from=(ip netns exec "$1")
	[ "$1" != host ] || from=()
	"${from[@]}" "$PEER" ask "$2" "$3" "$4" 2>/dev/null | cut -d' ' -f2 | grep . || echo -
}

# matrix PORT CELLS WANT: ask every cell, "FROM ADDRESS SEEN". WANT is "seen", or
# "-" when nobody may be answered.
matrix() {
	local port=$1 want=$3 from address seen p got wrong=0
	while read -r from address seen; do
		[ -n "$from" ] || continue
		[ "$want" = seen ] || seen=$want
		for p in $(protocols); do
			got=$(ask "$from" "$p" "$address" "$port")
			[ "$got" = "$seen" ] || {
				echo "$p from $from to $address $port: seen as $got, not $seen"
				wrong=1
			}
		done
	done <<<"$2"
	return $wrong
}

# whole_story PORT HOST-IP CELLS [JQ-FILTER]
whole_story() {
	local ports
	ports=$(mappings "$1" "$2")
	matrix "$1" "$3" -
	portmap ADD "$ports" "${4:-.}"
	matrix "$1" "$3" seen
	portmap CHECK "$ports" "${4:-.}"
	portmap DEL "$ports" "${4:-.}"
	matrix "$1" "$3" -
}

# What is the same with and without br_netfilter.
EVERYWHERE='
outside 192.0.2.1 192.0.2.2
outside 198.51.100.1 192.0.2.2
outside 2001:db8::1 2001:db8::2
outside 2001:db8:2::1 2001:db8::2
host 127.0.0.1 10.1.0.1
host 127.1.2.3 10.1.0.1
host 192.0.2.1 192.0.2.1
host 2001:db8::1 2001:db8::1
host 10.1.0.1 10.1.0.1
server 192.0.2.1 10.1.0.1
server 10.1.0.1 10.1.0.1
server 2001:db8::1 fd00:1::1
server fd00:1::1 fd00:1::1
stranger 192.0.2.1 10.2.0.2
stranger 10.2.0.1 10.2.0.2
stranger 10.1.0.1 10.2.0.2
stranger 2001:db8::1 fd00:2::2
stranger fd00:2::1 fd00:2::2'

@test "any address of the host" {
	bridges_call 0
	whole_story 8080 "" "$EVERYWHERE
		host ::1 fd00:1::1
		neighbour 192.0.2.1 10.1.0.1
		neighbour 10.1.0.1 10.1.0.1
		neighbour 2001:db8::1 fd00:1::1"
}

@test "any address of the host, with br_netfilter" {
	bridges_call 1
	whole_story 8080 "" "$EVERYWHERE
		neighbour 192.0.2.1 10.1.0.3
		neighbour 10.1.0.1 10.1.0.3
		neighbour 2001:db8::1 fd00:1::3"
}

@test "0.0.0.0 is any IPv4 address, and no IPv6 address" {
	local v6='outside 2001:db8::1 2001:db8::2
		host ::1 fd00:1::1'
	bridges_call 0
	whole_story 8080 0.0.0.0 'outside 198.51.100.1 192.0.2.2
		host 127.0.0.1 10.1.0.1'
	portmap ADD "$(mappings 8080 0.0.0.0)"
	matrix 8080 "$v6" -
	portmap DEL "$(mappings 8080 0.0.0.0)"
	whole_story 8080 :: "$v6"
	portmap ADD "$(mappings 8080 ::)"
	matrix 8080 'outside 192.0.2.1 -' seen
}

@test "one address of the host, and no other" {
	bridges_call 0
	whole_story 8080 192.0.2.1 'outside 192.0.2.1 192.0.2.2
		host 192.0.2.1 192.0.2.1
		server 192.0.2.1 10.1.0.1
		neighbour 192.0.2.1 10.1.0.1
		stranger 192.0.2.1 10.2.0.2'
	portmap ADD "$(mappings 8080 192.0.2.1)"
	matrix 8080 'outside 198.51.100.1 -
		outside 2001:db8::1 -
		host 127.0.0.1 -
		server 10.1.0.1 -
		neighbour 10.1.0.1 -
		stranger 10.2.0.1 -' seen
	portmap DEL "$(mappings 8080 192.0.2.1)"
	whole_story 8080 2001:db8:2::1 'outside 2001:db8:2::1 2001:db8::2
		stranger 2001:db8:2::1 fd00:2::2'
	portmap ADD "$(mappings 8080 2001:db8:2::1)"
	matrix 8080 'outside 2001:db8::1 -
		outside 192.0.2.1 -' seen
}

@test "a loopback address: for the host alone" {
	bridges_call 0
	whole_story 8080 127.0.0.1 'host 127.0.0.1 10.1.0.1'
	portmap ADD "$(mappings 8080 127.0.0.1)"
	matrix 8080 'outside 192.0.2.1 -
		host 192.0.2.1 -
		host 127.0.0.2 -
		neighbour 10.1.0.1 -' seen
	portmap DEL "$(mappings 8080 127.0.0.1)"
	whole_story 8080 ::1 'host ::1 fd00:1::1'
}

@test "without snat nothing is masqueraded, and what needs it fails" {
	bridges_call 0
	whole_story 8080 "" 'outside 192.0.2.1 192.0.2.2
		outside 2001:db8::1 2001:db8::2
		host 192.0.2.1 192.0.2.1
		stranger 192.0.2.1 10.2.0.2
		stranger 2001:db8::1 fd00:2::2' '.snat = false'
	portmap ADD "$(mappings 8080 "")" '.snat = false'
	matrix 8080 'host 127.0.0.1 -
		host ::1 -
		server 192.0.2.1 -
		server 2001:db8::1 -
		neighbour 192.0.2.1 -
		neighbour 2001:db8::1 -' seen
}

@test "masqAll: everybody is seen as the host" {
	bridges_call 0
	whole_story 8080 "" 'outside 192.0.2.1 10.1.0.1
		outside 2001:db8::1 fd00:1::1
		host 127.0.0.1 10.1.0.1
		host 192.0.2.1 10.1.0.1
		server 192.0.2.1 10.1.0.1
		neighbour 192.0.2.1 10.1.0.1
		stranger 192.0.2.1 10.1.0.1' '.masqAll = true'
}

@test "what is not meant for the host is left alone" {
	# somebody else's port 8080, reached through the host
	ip netns add other
	ip link add lan type veth peer name eth0 netns other
	ip addr add 203.0.113.1/24 dev lan
	ip link set lan up
	ip -n other addr add 203.0.113.2/24 dev eth0
	ip -n other link set eth0 up
	ip -n other route add default via 203.0.113.1
	ip -n outside route add 203.0.113.0/24 via 192.0.2.1
	ip netns exec other "$PEER" serve tcp 8080 other >"$BATS_TEST_TMPDIR/o" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/o" ]; do sleep 0.01; done
	portmap ADD "$(mappings 8080 "")"
	[ "$(ip netns exec outside "$PEER" ask tcp 203.0.113.2 8080)" = 'other 192.0.2.2' ]
	[ "$(ip netns exec stranger "$PEER" ask tcp 203.0.113.2 8080)" = 'other 10.2.0.2' ]
}

@test "an address of its own goes before any address, whichever came first" {
	local two='.runtimeConfig.portMappings[0].containerPort = 80'
	ip netns exec neighbour "$PEER" serve tcp 80 neighbour >"$BATS_TEST_TMPDIR/n" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/n" ]; do sleep 0.01; done
	portmap ADD '[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]' "$two"
	RESULT=$(jq -c '.ips |= map(.address |= sub("\\.2/"; ".3/") | .address |= sub("::2/"; "::3/"))' <<<"$RESULT")
	portmap ADD '[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"192.0.2.1"}]' \
		'.name = "other"'
	[ "$(ip netns exec outside "$PEER" ask tcp 192.0.2.1 8080)" = 'neighbour 192.0.2.2' ]
	[ "$(ip netns exec outside "$PEER" ask tcp 198.51.100.1 8080)" = 'server 192.0.2.2' ]
}

@test "no container reaches what the host serves on its loopback addresses" {
	local ns
	bridges_call 0
	"$PEER" serve tcp 9999 host >"$BATS_TEST_TMPDIR/h" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/h" ]; do sleep 0.01; done
	[ "$("$PEER" ask tcp 127.0.0.1 9999)" = 'host 127.0.0.1' ]
	portmap ADD "$(mappings 8080 "")"
	[ "$(cat /proc/sys/net/ipv4/conf/br0/route_localnet)" = 1 ]
	for ns in server neighbour outside; do
		ip netns exec "$ns" sysctl -qw net.ipv4.conf.all.route_localnet=1
		ip -n "$ns" addr flush dev lo
		ip -n "$ns" route add 127.0.0.0/8 via \
			"$([ "$ns" = outside ] && echo 192.0.2.1 || echo 10.1.0.1)" dev eth0
		ip -n "$ns" -6 route add ::1 via \
			"$([ "$ns" = outside ] && echo 2001:db8::1 || echo fd00:1::1)" dev eth0
		[ "$(ask "$ns" tcp 127.0.0.1 9999)" = - ]
		[ "$(ask "$ns" tcp ::1 9999)" = - ]
	done
	# it is the guard that stops them
	nft flush chain inet hawser hostports-guard
	[ "$(ask neighbour tcp 127.0.0.1 9999)" = 10.1.0.3 ]
}

@test "a UDP client that goes on sending reaches the new container, and no dead one" {
	portmap ADD '[{"hostPort":5353,"containerPort":80,"protocol":"udp"}]'
	[ "$(ip netns exec outside "$PEER" ask udp 192.0.2.1 5353 0.0.0.0 4000)" = 'server 192.0.2.2' ]
	portmap DEL '[{"hostPort":5353,"containerPort":80,"protocol":"udp"}]'
	# its entry has gone: the host itself refuses
	no ip netns exec outside "$PEER" ask udp 192.0.2.1 5353 0.0.0.0 4000
	# and that refusal is forgotten when the port is mapped again
	portmap ADD '[{"hostPort":5353,"containerPort":80,"protocol":"udp"}]'
	[ "$(ip netns exec outside "$PEER" ask udp 192.0.2.1 5353 0.0.0.0 4000)" = 'server 192.0.2.2' ]
}

@test "conditions: only who meets them gets through" {
	local chains
	bridges_call 0
	portmap ADD "$(mappings 8080 "")" '.conditionsV4 = ["ip saddr 192.0.2.0/24", "iifname { \"uplink\", \"other\" }"]
		| .conditionsV6 = ["ip6 saddr 2001:db8::2"]'
	portmap ADD "$(mappings 8081 192.0.2.1)" '.name = "n2" | .conditionsV4 = ["iifname \"br2\""]'
	portmap ADD "$(mappings 8082 "")" '.name = "n3"'
	matrix 8080 'outside 192.0.2.1 192.0.2.2
		outside 2001:db8::1 2001:db8::2
		outside 198.51.100.1 192.0.2.2
		stranger 192.0.2.1 -
		stranger 2001:db8::1 -
		host 192.0.2.1 -' seen
	matrix 8081 'outside 192.0.2.1 -
		stranger 192.0.2.1 10.2.0.2' seen
	matrix 8082 'outside 192.0.2.1 192.0.2.2
		stranger 192.0.2.1 10.2.0.2' seen
	nft flush ruleset
	"$CNI_BIN/hawser" reload
	matrix 8080 'outside 192.0.2.1 192.0.2.2
		stranger 192.0.2.1 -' seen
	portmap DEL "$(mappings 8080 "")"
	portmap DEL "$(mappings 8081 "")" '.name = "n2"'
	lacks hostports-if- nft list ruleset
	matrix 8082 'outside 192.0.2.1 192.0.2.2' seen
}
