#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dhcp against real servers: leases got, kept and given back.

# bats file_tags=macvlan

load ../lib/system
load ../lib/dhcp

setup() {
	needs macvlan
	CONF=$MACVLAN
}

teardown() {
	dhcp_clean_up
}

@test "macvlan: ADD, CHECK, DEL, and the server has the address free" {
	needs_server dnsmasq
	new_server
	serve_dnsmasq --dhcp-range="$RANGE" --dhcp-option=6,192.0.2.53 --dhcp-option=15,example.com
	before=$(state)
	attach c1
	json '.ips == [{"interface":0,"address":"'"$(address c1)"'/24","gateway":"192.0.2.1"}]'
	json '.routes == [{"dst":"0.0.0.0/0","gw":"192.0.2.1"}]'
	json '.dns == {"nameservers":["192.0.2.53"],"domain":"example.com","search":["example.com"]}'
	[[ "$(ip -n c1 route show default)" == "default via 192.0.2.1 dev eth0"* ]]
	# the reference's client identifier: 0, and container/network/interface
	grep " $(address c1) .* 00:63:31:2f:6e:31:2f:65:74:68:30$" "$LEASES"
	with_result
	try CHECK macvlan c1
	ok
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	no grep 192.0.2. "$LEASES"
	detach c1
	ip netns del c1
	same_state "$before"
}

@test "bridge: the first question gets through, and DEL gives back" {
	needs_server dnsmasq
	new_server br0
	serve_dnsmasq --dhcp-range="$RANGE"
	CONF=$BRIDGE
	attach c1
	[ "$(grep -c DHCPDISCOVER "$DNSMASQ_LOG")" = 1 ]
	ip netns exec c1 ping -c 1 -W 1 192.0.2.1
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	no grep 192.0.2. "$LEASES"
}

@test "a later step that fails undoes the lease" {
	needs_server dnsmasq
	new_server br0
	# a router that nothing leads to
	serve_dnsmasq --dhcp-range="$RANGE" --dhcp-option=121,198.51.100.0/24,203.0.113.1
	ip netns add c1
	local released=0
	for CONF in "$BRIDGE" "$MACVLAN"; do
		[ "$CONF" = "$BRIDGE" ] || ip link set m0 nomaster
		before=$(state)
		try ADD "$(jq -r .type <<<"$CONF")" c1
		refused 5 198.51.100.0/24
		same_state "$before"
		wait_for "$DNSMASQ_LOG" DHCPRELEASE $((++released))
		no grep 192.0.2. "$LEASES"
	done
}

@test "options end up in the result of every version" {
	needs_server dnsmasq
	new_server
	serve_dnsmasq --dhcp-range="$RANGE" --dhcp-option=6,192.0.2.53,192.0.2.54 \
		--dhcp-option=15,example.com --dhcp-option=119,example.com,a.example.org \
		--dhcp-option=121,198.51.100.0/24,192.0.2.9,0.0.0.0/0,192.0.2.1 \
		--dhcp-option=option:mtu,1400 --dhcp-option=33,203.0.113.0,192.0.2.7
	for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
		CONF=$(jq -c ".cniVersion = \"$version\"" <<<"$MACVLAN")
		attach c1
		json '.ips[0].address | startswith("192.0.2.1")'
		json '[.routes[] | {dst, gw}] == [{"dst":"198.51.100.0/24","gw":"192.0.2.9"},{"dst":"0.0.0.0/0","gw":"192.0.2.1"}]'
		json '.dns == {"nameservers":["192.0.2.53","192.0.2.54"],"domain":"example.com","search":["example.com","a.example.org"]}'
		[ "$(ip -n c1 -j link show eth0 | jq '.[0].mtu')" = 1400 ]
		[ "$version" != 1.1.0 ] || json '.interfaces[0].mtu == 1400'
		ip -n c1 route show 198.51.100.0/24 | grep 'via 192.0.2.9'
		detach c1
	done
	CONF=$(jq -c '.cniVersion = "0.2.0"' <<<"$MACVLAN")
	attach c1
	json '.ip4.ip | startswith("192.0.2.1")'
	json '.dns.domain == "example.com"'
	detach c1
	# without the classless routes the others count
	CONF=$(jq -c '.ipam += {request: [{skipDefault: true}, {option: "routers"}, {option: "33"}], priority: 77}' <<<"$MACVLAN")
	attach c1
	json '[.routes[] | {dst, gw, priority}] == [{"dst":"203.0.113.0/24","gw":"192.0.2.7","priority":77},{"dst":"0.0.0.0/0","gw":"192.0.2.1","priority":77}]'
	json '.dns == null or .dns == {}'
	ip -n c1 route show 203.0.113.0/24 | grep 'metric 77'
}

@test "provide: values, values from CNI_ARGS as nerdctl has them, a client identifier" {
	needs_server dnsmasq
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	CONF=$(jq -c '.ipam += {daemonSocketPath: "/run/cni/dhcp.sock",
		provide: [{option: "host-name", value: "", fromArg: "NERDCTL_CNI_DHCP_HOSTNAME"},
			{option: "vendor-class-identifier", value: "hawser-test"}],
		request: [{skipDefault: false, option: "routers"}]}' <<<"$MACVLAN")
	attach c1 'CNI_ARGS=IgnoreUnknown=1;NERDCTL_CNI_DHCP_HOSTNAME=webserver;K8S_POD_NAME=x'
	grep ' webserver ' "$LEASES"
	grep 'vendor class: hawser-test' "$DNSMASQ_LOG"
	detach c1
	CONF=$(jq -c '.ipam.provide = [{option: "dhcp-client-identifier", value: "me"}]' <<<"$MACVLAN")
	attach c1
	grep ' 6d:65$' "$LEASES"
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE 2
	no grep 192.0.2. "$LEASES"
}

@test "what is wrong in the configuration is said by name" {
	ip netns add c1
	new_server
	for wrong in 'provide: [{option: "x"}] Can_not_parse_option' 'request: [{option: "256"}] "256"' \
		'provide: [{option: "53", value: "1"}] "53"' 'priority: -1 priority' 'family: "ipv5" family'; do
		CONF=$(jq -c ".ipam += {${wrong% *}}" <<<"$MACVLAN")
		try ADD macvlan c1
		[ "$status" = 1 ]
		json '.code == 7 or .code == 6'
		word=${wrong##* }
		[[ $(jq -r .msg <<<"$output") == *"${word//_/ }"* ]]
	done
	CONF=$(jq -c '.ipam.provide = [{option: "12", value: ("a" * 256)}]' <<<"$MACVLAN")
	try ADD macvlan c1
	refused 7 'value too long'
	[ ! -e "$SOCKET" ]
}

@test "a NAK: another address, and the routes through it" {
	needs_server dnsmasq
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	attach c1
	old=$(address c1)
	watch c1
	stop_server
	kill_daemon KILL
	rm "$LEASES"
	in_server ip addr add 198.51.100.1/24 dev eth0
	in_server ip addr del 192.0.2.1/24 dev eth0
	in_server ip route add default dev eth0 # or the kernel drops what comes from the old net
	serve_dnsmasq --dhcp-range=198.51.100.100,198.51.100.150,255.255.255.0,2m
	# time goes by
	file=$(find /run/hawser/dhcp -type f)
	jq -c '.ipv4.renew = 1 | .ipv4.rebind = 1' "$file" >"$BATS_TEST_TMPDIR/later"
	cat "$BATS_TEST_TMPDIR/later" >"$file"
	start_daemon
	wait_for "$DNSMASQ_LOG" DHCPNAK
	wait_for "$WATCH_LOG" '^default via 198.51.100.1'
	wait_for "$WATCH_LOG" "^Deleted .* $old/24"
	[[ $(address c1) == 198.51.100.1* ]]
	[[ $(ip -n c1 route show default) == 'default via 198.51.100.1 dev eth0'* ]]
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
}

@test "half of all packets are lost" {
	new_server
	# At worst the fourth request is the first to be answered, which is after 21/24 of
	# the lease: the rest of it has to be enough for a busy machine.
	serve_udhcpd 12 192.0.2.100 192.0.2.150 'opt router 192.0.2.1'
	in_server nft -f - <<-'END' || skip "this kernel has no numgen"
		table ip loss {
			chain in { type filter hook input priority 0; udp dport 67 numgen inc mod 2 == 0 drop; }
			chain out { type filter hook output priority 0; udp dport 68 numgen inc mod 2 == 1 drop; }
		}
	END
	attach c1
	old=$(address c1)
	watch c1
	wait_for "$UDHCPD_LOG" 'sending ACK' 4
	[ "$(address c1)" = "$old" ]
	no grep Deleted "$WATCH_LOG"
}

@test "liars on the wire are taken no notice of" {
	new_server
	ip netns exec server "$DHCP_PEER" rogue eth0 >"$BATS_TEST_TMPDIR/rogue" 2>&1 3>&- &
	wait_for "$BATS_TEST_TMPDIR/rogue" rogue
	serve_udhcpd 6 192.0.2.100 192.0.2.150 'opt router 192.0.2.1'
	attach c1
	[[ $(address c1) == 192.0.2.1* ]]
	watch c1
	wait_for "$UDHCPD_LOG" 'sending ACK' 3
	no grep Deleted "$WATCH_LOG"
	[[ $(address c1) == 192.0.2.1* ]]
}

@test "no server: ADD fails in its time and says so, and leaves nothing" {
	new_server
	start_daemon -resendtimeout 700ms
	ip netns add c1
	before=$(state)
	try ADD macvlan c1
	refused 5 eth0 'no more tries'
	same_state "$before"
}
