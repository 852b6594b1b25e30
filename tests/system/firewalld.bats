#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# firewall on a host with firewalld: the real one, on a bus of its own.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"firewall","prevResult":{"cniVersion":"1.0.0",
 "ips":[{"address":"10.1.0.2/24"},{"address":"fd00:1::2/64"}],"interfaces":[]}}'

setup() {
	command -v firewalld >/dev/null || skip "no firewalld (its package starts it, so make check does not install it)"
	command -v dbus-daemon >/dev/null || skip "no dbus-daemon"
	grep -q ' 4294967295$' /proc/self/uid_map || skip "a user namespace has no user for the bus"
	mkdir -p /run/dbus
	dbus-daemon --system --nofork --nopidfile 3>&- &
	until [ -S /run/dbus/system_bus_socket ]; do sleep 0.01; done
	conf .
}

teardown() {
	jobs -p | xargs -r kill 2>/dev/null
	wait
	rm -rf /run/dbus
	iptables-save 2>/dev/null | grep -q . && iptables -F
	clean_up
}

ask() { # METHOD ARGUMENT...
	local method=$1
	shift
	dbus-send --system --print-reply --dest=org.fedoraproject.FirewallD1 \
		/org/fedoraproject/FirewallD1 "org.fedoraproject.FirewallD1.zone.$method" \
		"${@/#/string:}"
}

is_running() {
	dbus-send --system --print-reply --dest=org.freedesktop.DBus / \
		org.freedesktop.DBus.NameHasOwner string:org.fedoraproject.FirewallD1 | grep -q true
}

start_firewalld() {
	firewalld --nofork --nopid >/dev/null 2>&1 3>&- &
	firewalld=$!
	until is_running; do sleep 0.05; done
	until ask getZones >/dev/null 2>&1; do sleep 0.05; done
}

sources() { # ZONE
	ask getSources "$1" | sed -n 's/.*string "\(.*\)"/\1/p' | sort | xargs
}

@test "without firewalld, and a bus: nftables" {
	try ADD firewall c1
	ok
	nft get element inet hawser firewall4 '{ 10.1.0.2 }'
	conf '.backend = "firewalld"'
	try ADD firewall c2
	refused 5 firewalld
	lacks 'id: c2' nft list table inet hawser
	conf '.backend = "firewalld" | .cniVersion = "1.1.0"'
	try STATUS firewall c2
	refused 50 'firewalld is not running'
	try DEL firewall c2
	ok
}

@test "ADD, ADD again, CHECK, DEL, DEL again: sources of the zone" {
	start_firewalld
	for backend in firewalld '' typo; do
		conf ".backend = \"$backend\""
		try ADD firewall c1
		ok
		try ADD firewall c1
		ok
		[ "$(sources trusted)" = "10.1.0.2/32 fd00:1::2/128" ]
		try CHECK firewall c1
		ok
		try DEL firewall c1
		ok
		[ -z "$(sources trusted)" ]
		try DEL firewall c1
		ok
	done
	conf '.cniVersion = "1.1.0"'
	try STATUS firewall c1
	ok
}

@test "backend nftables is not overridden" {
	start_firewalld
	conf '.backend = "nftables"'
	try ADD firewall c1
	ok
	[ -z "$(sources trusted)" ]
	try DEL firewall c1
	ok
}

@test "firewalldZone: another zone, one that is not there, an address in another" {
	start_firewalld
	conf '.firewalldZone = "dmz"'
	try ADD firewall c1
	ok
	[ "$(sources dmz)" = "10.1.0.2/32 fd00:1::2/128" ]
	try DEL firewall c1
	ok
	conf '.firewalldZone = "nowhere"'
	try ADD firewall c1
	refused 5 nowhere 10.1.0.2
	lacks 'id: c1' nft list table inet hawser
	ask addSource work fd00:1::2/128
	conf .
	try ADD firewall c1 # the second address fails: the first is taken back
	refused 5 fd00:1::2
	[ -z "$(sources trusted)" ]
	[ "$(sources work)" = fd00:1::2/128 ]
	lacks 'id: c1' nft list table inet hawser
}

@test "CHECK says which address is not in the zone" {
	start_firewalld
	try ADD firewall c1
	ok
	ask removeSource trusted fd00:1::2/128
	try CHECK firewall c1
	refused 101 fd00:1::2 trusted
	ask addSource trusted fd00:1::2/128
	try CHECK firewall c1
	ok
	nft delete element inet hawser firewall4 '{ 10.1.0.2 }'
	try CHECK firewall c1
	refused 101 10.1.0.2
}

@test "DEL without prevResult and GC find the addresses" {
	start_firewalld
	for c in 2 3 4; do
		conf ".prevResult.ips = [{address: \"10.1.0.$c/24\"}]"
		try ADD firewall "c$c"
		ok
	done
	conf 'del(.prevResult)'
	try DEL firewall c2
	ok
	[ "$(sources trusted)" = "10.1.0.3/32 10.1.0.4/32" ]
	conf 'del(.prevResult) | .cniVersion = "1.1.0" |
		."cni.dev/valid-attachments" = [{containerID: "c4", ifname: "eth0"}]'
	try GC firewall gc
	ok
	[ "$(sources trusted)" = "10.1.0.4/32" ]
}

@test "a late DEL leaves the source to the one who has the address now" {
	start_firewalld
	try ADD firewall dead
	ok
	try ADD firewall alive
	ok
	try DEL firewall dead
	ok
	[ "$(sources trusted)" = "10.1.0.2/32 fd00:1::2/128" ]
	try DEL firewall alive
	ok
	[ -z "$(sources trusted)" ]
}

@test "policies hold behind firewalld as well" {
	start_firewalld
	conf '.ingressPolicy = "same-bridge"'
	try ADD firewall c1
	refused 7 'needs a bridge'
	[ -z "$(sources trusted)" ]
	ip link add br1 type bridge
	conf '.ingressPolicy = "same-bridge" | .prevResult.interfaces = [{name: "br1"}]'
	try ADD firewall c1
	ok
	nft list set inet hawser firewall-same-bridge | grep -F '"br1"'
	[ "$(sources trusted)" = "10.1.0.2/32 fd00:1::2/128" ]
}

@test "traffic: firewalld forwards nothing for a container but what the zone lets through" {
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev uplink
	ip link set uplink up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside link set eth0 up
	ip -n outside route add 10.1.0.0/24 via 192.0.2.1
	start_firewalld
	CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br1","isDefaultGateway":true,
		"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}]]}}'
	add c1
	no ip netns exec c1 ping -c 1 -W 1 192.0.2.2
	conf 'del(.prevResult)'
	with_result
	try ADD firewall c1
	ok
	ip netns exec c1 ping -c 1 -W 2 192.0.2.2
	try DEL firewall c1
	ok
	no ip netns exec c1 ping -c 1 -W 1 192.0.2.2
}

@test "firewalld reloads and forgets; hawser reload reminds it" {
	start_firewalld
	ip netns add c1
	try ADD firewall c1
	ok
	dbus-send --system --print-reply --dest=org.fedoraproject.FirewallD1 \
		/org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.reload
	[ -z "$(sources trusted)" ]
	"$CNI_BIN/hawser" reload
	[ "$(sources trusted)" = '10.1.0.2/32 fd00:1::2/128' ]
	try CHECK firewall c1
	ok
}

@test "firewalld goes away between ADD and DEL" {
	start_firewalld
	try ADD firewall c1
	ok
	kill "$firewalld"
	wait "$firewalld" || :
	try DEL firewall c1
	ok
	lacks 10.1.0.2 nft list table inet hawser
}

@test "its iptables backend is recognised too" {
	sed -i 's/^FirewallBackend=.*/FirewallBackend=iptables/' /etc/firewalld/firewalld.conf
	start_firewalld
	nft list tables | grep -F 'table ip filter'
	# on some kernels it has one all the same
	nft delete table inet firewalld 2>/dev/null || :
	try ADD firewall c1
	ok
	[ "$(sources trusted)" = "10.1.0.2/32 fd00:1::2/128" ]
	try DEL firewall c1
	ok
	[ -z "$(sources trusted)" ]
	sed -i 's/^FirewallBackend=.*/FirewallBackend=nftables/' /etc/firewalld/firewalld.conf
}

@test "libsystemd is loaded only to talk to firewalld" {
	needs_strace
	for backend in nftables ''; do
		conf ".backend = \"$backend\""
		strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=openat env CNI_COMMAND=ADD CNI_CONTAINERID=c1 \
			CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$CNI_BIN/firewall" <<<"$CONF"
		lacks libsystemd cat "$BATS_TEST_TMPDIR/trace"
	done
}
