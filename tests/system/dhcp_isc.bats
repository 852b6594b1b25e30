#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dhcp with ISC's server, whose leases may last some seconds.

# bats file_tags=macvlan

load ../lib/system
load ../lib/dhcp

setup() {
	needs macvlan
	needs_server "$DHCPD"
	CONF=$MACVLAN
	new_server
}

teardown() {
	dhcp_clean_up
}

dhcpd_conf() { # FIRST LAST [LINE...]
	local first=$1 last=$2
	shift 2
	printf '%s\n' 'authoritative;' 'default-lease-time 4;' 'max-lease-time 4;' 'ping-check off;' \
		'subnet 192.0.2.0 netmask 255.255.255.0 {' "range $first $last;" "$@" '}'
}

# The state of an address in what the server has written down.
binding() { # ADDRESS
	awk -v a="$1" '$1 == "lease" { on = $2 == a } on && $1 == "binding" { s = $3 } END { print s }' \
		"$DHCPD_LEASES"
}

@test "what ISC's server says is in the result" {
	serve_dhcpd -4 "$(dhcpd_conf 192.0.2.100 192.0.2.150 'option routers 192.0.2.1;' \
		'option domain-name "example.org";' 'option domain-name-servers 192.0.2.53, 192.0.2.54;' \
		'option interface-mtu 1400;' 'option static-routes 198.51.100.0 192.0.2.9;')"
	attach c1
	json '.ips[0] | .address == "192.0.2.100/24" and .gateway == "192.0.2.1"'
	json '.dns | .nameservers == ["192.0.2.53", "192.0.2.54"] and .domain == "example.org"'
	json '.routes | any(.dst == "198.51.100.0/24" and .gw == "192.0.2.9")'
	json '.routes | any(.dst == "0.0.0.0/0" and .gw == "192.0.2.1")'
	[ "$(ip -n c1 -j link show eth0 | jq '.[0].mtu')" = 1400 ]
	with_result
	try CHECK macvlan c1
	ok
	detach c1
}

# bats test_tags=slow
@test "an address stays through 20 renewals, and the server has it back after DEL" {
	serve_dhcpd -4 "$(dhcpd_conf 192.0.2.100 192.0.2.150)"
	attach c1
	watch c1
	wait_for "$DHCPD_LOG" '^DHCPACK on 192.0.2.100' 21
	[ "$(grep -c ^DHCPDISCOVER "$DHCPD_LOG")" = 1 ]
	[ "$(address c1)" = 192.0.2.100 ]
	no grep Deleted "$WATCH_LOG"
	detach c1
	wait_for "$DHCPD_LOG" '^DHCPRELEASE of 192.0.2.100'
	[ "$(binding 192.0.2.100)" = 'free;' ]
}

@test "one address for two: the second has it after the first's DEL" {
	serve_dhcpd -4 "$(dhcpd_conf 192.0.2.100 192.0.2.100)"
	kill_daemon KILL
	start_daemon -resendtimeout 1s
	attach c1
	ip netns add c2
	try ADD macvlan c2
	refused 5 eth0 "no DHCP server answered"
	detach c1
	attach c2
	[ "$(address c2)" = 192.0.2.100 ]
}

@test "a server that moves to another subnet: the container follows when its lease has ended" {
	serve_dhcpd -4 "$(dhcpd_conf 192.0.2.100 192.0.2.100 'option routers 192.0.2.1;')"
	attach c1
	watch c1
	kill "$SERVER_PID"
	wait "$SERVER_PID" || :
	: >"$DHCPD_LEASES"
	in_server ip addr flush dev eth0
	in_server ip addr add 203.0.113.1/24 dev eth0
	serve_dhcpd -4 "authoritative; default-lease-time 60; ping-check off;
		subnet 203.0.113.0 netmask 255.255.255.0 { range 203.0.113.7 203.0.113.7; option routers 203.0.113.1; }"
	wait_for "$DHCPD_LOG" 'unknown lease 192.0.2.100'
	wait_for "$WATCH_LOG" '^default via 203.0.113.1'
	[ "$(address c1)" = 203.0.113.7 ]
	[ "$(ip -n c1 -4 route show default | wc -l)" = 1 ]
	detach c1
	wait_for "$DHCPD_LOG" '^DHCPRELEASE of 203.0.113.7'
}

@test "what a configuration provides reaches the server" {
	serve_dhcpd -4 "$(dhcpd_conf 192.0.2.100 192.0.2.150)"
	CONF=$(jq -c '.ipam.provide = [{"option": "host-name", "fromArg": "NAME"}]' <<<"$MACVLAN")
	attach c1 CNI_ARGS='IgnoreUnknown=1;NAME=box'
	wait_for "$DHCPD_LOG" '^DHCPACK on 192.0.2.100 to [0-9a-f:]* \(box\)'
	detach c1
}
