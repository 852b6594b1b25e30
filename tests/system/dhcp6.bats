#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dhcp with "family": "ipv6" and "dual": routers, DHCPv6 servers, and the
# kernel's own addresses.
#
#	server  eth0 2001:db8:1::1 ---- m0, a port of the bridge br0

load ../lib/system
load ../lib/dhcp

ROUTER=$(dirname "$CNI_BIN")/tests/router

setup() {
	sysctl -qw net.ipv6.conf.default.accept_ra=0 # the host's own
	new_server br0
	# without its own probing, which takes a second
	in_server sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.accept_ra=0
	ip -n server link set eth0 down
	ip -n server link set eth0 up
	ip -n server addr add 2001:db8:1::1/64 dev eth0
	CONF=$(jq -c '.ipam.family = "ipv6"' <<<"$BRIDGE")
}

teardown() {
	[ -z "${ROUTER_PID-}" ] || kill "$ROUTER_PID" 2>/dev/null || :
	dhcp_clean_up
}

# As everywhere: fe80::... of the server's interface.
gateway() {
	ip -n server -j -6 addr show dev eth0 scope link | jq -r '.[].addr_info[]?.local // empty'
}

address6() { # CONTAINER
	ip -n "$1" -j -6 addr show dev eth0 scope global | jq -r '.[].addr_info[]?.local // empty'
}

# One datagram to all nodes, and again for each that asks, with an MTU of 1400 and a
# prefix 2001:db8:1::/64. FLAGS is 80 for managed, and otherwise 0; PREFIX-FLAGS c0
# for a prefix to make addresses of, and 80 for one that is on the link.
announce() { # FLAGS PREFIX-FLAGS HOP-LIMIT
	ROUTER_LOG=$(mktemp -p "$BATS_TEST_TMPDIR" router.XXXXXX)
	# shellcheck disable=SC2046
	ip netns exec server "$ROUTER" eth0 "$3" 86 0 0 0 40 "$1" 7 8 $(printf '0 %.0s' {1..8}) \
		5 1 0 0 0 0 5 78 \
		3 4 40 "$2" 0 0 e 10 0 0 e 10 0 0 0 0 \
		20 1 d b8 0 1 $(printf '0 %.0s' {1..10}) >"$ROUTER_LOG" 3>&- &
	ROUTER_PID=$!
	wait_for "$ROUTER_LOG" ready
}

# serve_dhcpd6 PREFERRED FIRST-ADDRESS LAST-ADDRESS: addresses for seconds.
serve_dhcpd6() {
	serve_dhcpd -6 "preferred-lifetime $1;
		default-lease-time $(($1 * 2));
		option dhcp6.name-servers 2001:db8::53;
		option dhcp6.domain-search \"a.example\";
		authoritative;
		subnet6 2001:db8:1::/64 { range6 $2 $3; }"
}

# watch6 CONTAINER: what happens to its addresses, in $WATCH_LOG.
watch6() {
	WATCH_LOG=$(mktemp -p "$BATS_TEST_TMPDIR" watch.XXXXXX)
	ip -n "$1" -6 -o monitor addr >"$WATCH_LOG" 3>&- &
}

MANAGED=(--enable-ra "--dhcp-range=2001:db8:1::100,2001:db8:1::1ff,64,120")

@test "managed: ADD, CHECK, DEL, and the server has the address free" {
	needs_server dnsmasq
	serve_dnsmasq "${MANAGED[@]}" "--dhcp-option=option6:dns-server,[2001:db8::53]" \
		--dhcp-option=option6:domain-search,a.example,b.example
	before=$(state)
	attach c1
	json '.ips == [{"interface":2,"address":"'"$(address6 c1)"'/128","gateway":"'"$(gateway)"'"}]'
	json '.routes == null'
	json '.dns == {"nameservers":["2001:db8::53"],"search":["a.example","b.example"]}'
	[[ "$(ip -n c1 -6 route show default)" == "default via $(gateway) dev eth0 proto ra"* ]]
	ip netns exec c1 ping -c 1 -W 1 2001:db8:1::1
	# a DUID of type 4, and nothing else, says who it is
	grep " $(address6 c1) .* 00:04:\([0-9a-f]\{2\}:\)\{15\}[0-9a-f]\{2\}$" "$LEASES"
	with_result
	try CHECK bridge c1
	ok
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	no grep 2001:db8:1: "$LEASES"
	detach c1
	ip netns del c1
	same_state "$before"
}

@test "managed: with macvlan, which has no peer of its own" {
	needs_server dnsmasq
	needs macvlan
	serve_dnsmasq "${MANAGED[@]}"
	ip link set m0 nomaster
	CONF=$(jq -c '.ipam.family = "ipv6"' <<<"$MACVLAN")
	before=$(state)
	attach c1
	json '.ips == [{"interface":0,"address":"'"$(address6 c1)"'/128","gateway":"'"$(gateway)"'"}]'
	ip netns exec c1 ping -c 1 -W 1 2001:db8:1::1
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	no grep 2001:db8:1: "$LEASES"
	ip netns del c1
	same_state "$before"
}

@test "an attachment is the same client each time, two are two" {
	needs_server dnsmasq
	serve_dnsmasq "${MANAGED[@]}"
	attach c1
	attach c2
	first=$(address6 c1)
	[ "$first" != "$(address6 c2)" ]
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	attach c1
	[ "$first" = "$(address6 c1)" ]
}

@test "the daemon that takes a killed one's place gives the address back" {
	needs_server dnsmasq
	serve_dnsmasq "${MANAGED[@]}"
	attach c1
	kill_daemon KILL
	with_result
	try CHECK bridge c1
	ok
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	no grep 2001:db8:1: "$LEASES"
}

@test "nothing of a container is open while its lease is bound" {
	needs_server dnsmasq
	serve_dnsmasq "${MANAGED[@]}"
	start_daemon
	opened=$(ls "/proc/$DAEMON_PID/fd")
	attach c1
	attach c2
	[ "$(ls "/proc/$DAEMON_PID/fd")" = "$opened" ]
}

@test "autoconfigured: the kernel's address is reported, and stays its own" {
	needs_server dnsmasq
	serve_dnsmasq --enable-ra --dhcp-range=2001:db8:1::,ra-only,64,1h
	before=$(state)
	attach c1
	json '.ips == [{"interface":2,"address":"'"$(address6 c1)"'/64","gateway":"'"$(gateway)"'"}]'
	ip -n c1 -j -6 addr show dev eth0 scope global | jq -e '[.[].addr_info[]? | select(.local)] |
		length == 1 and .[0].dynamic and .[0].valid_life_time <= 3600'
	ip netns exec c1 ping -c 1 -W 1 2001:db8:1::1
	with_result
	try CHECK bridge c1
	ok
	lacks DHCPSOLICIT cat "$DNSMASQ_LOG"
	detach c1
	ip netns del c1
	same_state "$before"
}

@test "autoconfigured: DNS of a server that has no addresses" {
	needs_server dnsmasq
	serve_dnsmasq --enable-ra --dhcp-range=2001:db8:1::,ra-stateless \
		"--dhcp-option=option6:dns-server,[2001:db8::53]" \
		--dhcp-option=option6:domain-search,a.example
	attach c1
	json '.ips[0].address == "'"$(address6 c1)"'/64"'
	json '.dns == {"nameservers":["2001:db8::53"],"search":["a.example"]}'
	wait_for "$DNSMASQ_LOG" DHCPINFORMATION-REQUEST
}

@test "autoconfigured: a container that forwards, and one with IPv6 switched off" {
	announce 0 c0 255
	ip netns add c1
	ip netns exec c1 sysctl -qw net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.default.forwarding=1
	ip netns add c2
	ip netns exec c2 sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1
	attach c1
	json '.ips[0].address == "'"$(address6 c1)"'/64"'
	attach c2
	json '.ips[0].address == "'"$(address6 c2)"'/64"'
}

@test "autoconfigured: probing for duplicates is waited for" {
	announce 0 c0 255
	CONF=$(jq -c '.enabledad = true' <<<"$CONF")
	attach c1
	json '.ips[0].address == "'"$(address6 c1)"'/64"'
	lacks tentative ip -n c1 -6 addr show dev eth0
	[ "$(ip netns exec c1 sysctl -n net.ipv6.conf.eth0.mtu)" = 1400 ]
}

@test "autoconfigured: of a prefix whose other addresses are beyond the router" {
	announce 0 40 255
	attach c1
	json '.ips[0].address == "'"$(address6 c1)"'/64"'
	lacks 2001:db8:1::/64 ip -n c1 -6 route
	with_result
	try CHECK bridge c1
	ok
}

@test "dual: both, and what both say of DNS" {
	needs_server dnsmasq
	serve_dnsmasq "${MANAGED[@]}" --dhcp-range="$RANGE" \
		--dhcp-option=6,192.0.2.53 --dhcp-option=119,a.example \
		"--dhcp-option=option6:dns-server,[2001:db8::53]" \
		--dhcp-option=option6:domain-search,a.example,b.example
	CONF=$(jq -c '.ipam.family = "dual"' <<<"$CONF")
	attach c1
	json '[.ips[].address] == ["'"$(address c1)"'/24","'"$(address6 c1)"'/128"]'
	json '.dns == {"nameservers":["192.0.2.53","2001:db8::53"],
		"search":["a.example","b.example"]}'
	with_result
	try CHECK bridge c1
	ok
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE 2
	no grep 2001:db8:1: "$LEASES"
	no grep 192.0.2. "$LEASES"
}

@test "dual: which half had no answer is said, and the other undone" {
	needs_server dnsmasq
	serve_dnsmasq --dhcp-range="$RANGE"
	CONF=$(jq -c '.ipam.family = "dual"' <<<"$CONF")
	start_daemon -resendtimeout 1s
	before=$(state)
	ip netns add c1
	try ADD bridge c1
	refused 11 'no IPv6 router has answered in 1 s' eth0
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	no grep 192.0.2. "$LEASES"
	ip netns del c1
	same_state "$before"
}

@test "no router, and one that has come over another: an error in time" {
	start_daemon -resendtimeout 2s
	ip netns add c1
	try ADD bridge c1
	refused 11 'no IPv6 router has answered in 2 s' eth0
	announce 0 c0 64
	try ADD bridge c1
	refused 11 'no IPv6 router has answered in 2 s' eth0
	wait_for "$ROUTER_LOG" asked
}

@test "a managed network without a server: an error in time" {
	announce 80 80 255
	start_daemon -resendtimeout 1s
	ip netns add c1
	before=$(state)
	try ADD bridge c1
	refused 11 'no DHCPv6 server has answered in 1 s' eth0
	same_state "$before"
}

@test "kept through twenty renewals and a killed daemon, then free" {
	needs_server "$DHCPD"
	announce 80 80 255
	serve_dhcpd6 2 2001:db8:1::100 2001:db8:1::1ff
	attach c1
	first=$(address6 c1)
	json '.dns == {"nameservers":["2001:db8::53"],"search":["a.example"]}'
	watch6 c1
	wait_for "$DHCPD_LOG" 'Sending Reply' 12
	kill_daemon KILL
	start_daemon
	wait_for "$DHCPD_LOG" 'Sending Reply' 22
	[ "$(address6 c1)" = "$first" ]
	lacks Deleted cat "$WATCH_LOG"
	detach c1
	wait_for "$DHCPD_LOG" 'Released|Release message'
	grep -A 9 "$first" "$DHCPD_LEASES" | tail -n 9 | grep released
}

@test "a server that comes back with other addresses: the container has one of them" {
	needs_server "$DHCPD"
	announce 80 80 255
	serve_dhcpd6 2 2001:db8:1::100 2001:db8:1::1ff
	attach c1
	first=$(address6 c1)
	watch6 c1
	kill "$SERVER_PID"
	wait "$SERVER_PID" || :
	rm "$DHCPD_LEASES"
	serve_dhcpd6 2 2001:db8:1::200 2001:db8:1::2ff
	wait_for "$WATCH_LOG" "Deleted.* $first/128"
	wait_for "$WATCH_LOG" 'inet6 2001:db8:1::2[0-9a-f]{2}/128'
	[[ "$(address6 c1)" == 2001:db8:1::2?? ]]
	ip netns exec c1 ping -c 1 -W 1 2001:db8:1::1
}

@test "a server that is gone: the address ends with its lease, and comes back with it" {
	needs_server "$DHCPD"
	announce 80 80 255
	serve_dhcpd6 1 2001:db8:1::100 2001:db8:1::1ff
	attach c1
	first=$(address6 c1)
	watch6 c1
	kill "$SERVER_PID"
	wait "$SERVER_PID" || :
	wait_for "$WATCH_LOG" "Deleted.* $first/128"
	serve_dhcpd6 1 2001:db8:1::100 2001:db8:1::1ff
	wait_for "$WATCH_LOG" 'eth0 +inet6 2001:db8:1::1[0-9a-f]{2}/128'
}
