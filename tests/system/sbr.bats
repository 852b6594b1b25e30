#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sbr: a container with two uplinks, eth0 by another plugin and net1 with sbr.
#
#	far (198.51.100.1, 2001:db8:9::1)
#	 ├── left  ---- eth0 192.0.2.2/24,    2001:db8:1::2/64   the default route
#	 └── right ---- net1 203.0.113.2/24,  2001:db8:2::2/64

load ../lib/system

setup() {
	local side
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add c1
	ip netns add far
	for ns in c1 far; do
		ip netns exec $ns sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
		ip netns exec $ns sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
		ip -n $ns link set lo up
	done
	uplink eth0 left 192.0.2 2001:db8:1
	uplink net1 right 203.0.113 2001:db8:2
	ip -n far addr add 198.51.100.1/32 dev lo
	ip -n far addr add 2001:db8:9::1/128 dev lo
	ip -n c1 route add default via 192.0.2.1
	ip -n c1 -6 route add default via 2001:db8:1::1
	BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"sbr","prevResult":{"cniVersion":"1.0.0",
	 "interfaces":[{"name":"veth9"},{"name":"net1","sandbox":"/run/netns/c1"}],
	 "ips":[{"address":"203.0.113.2/24","gateway":"203.0.113.1","interface":1},
	  {"address":"2001:db8:2::2/64","gateway":"2001:db8:2::1","interface":1}]}}'
	conf .
}

uplink() { # INTERFACE FAR-INTERFACE PREFIX4 PREFIX6
	ip -n c1 link add "$1" type veth peer name "$2" netns far
	ip -n c1 addr add "$3.2/24" dev "$1"
	ip -n c1 addr add "$4::2/64" dev "$1"
	ip -n far addr add "$3.1/24" dev "$2"
	ip -n far addr add "$4::1/64" dev "$2"
	ip -n c1 link set "$1" up
	ip -n far link set "$2" up
}

teardown() {
	clean_up
}

routes() {
	ip -n c1 -j rule show
	ip -n c1 -6 -j rule show
	ip -n c1 -j route show table all
	ip -n c1 -6 -j route show table all | jq -c 'map(del(.expires))'
}

sbr() { # COMMAND [VARIABLE=VALUE...]
	try "$1" sbr c1 CNI_IFNAME=net1 "${@:2}"
}

sbr_ok() {
	sbr "$@"
	ok
}

table_of() { # ADDRESS
	ip -n c1 -j rule show from "$1" | jq -r '.[0].table'
}

# answers ADDRESS [SECONDS]: far asks from its address behind, and gets an answer that
# came by the interface where it asked.
answers() {
	local source=198.51.100.1
	[[ $1 != *:* ]] || source=2001:db8:9::1
	ip netns exec far ping -c 1 -w "${2:-10}" -I $source "$1" >/dev/null
}

@test "an answer leaves by the interface that was asked, both families" {
	no answers 203.0.113.2 1 # the strict filter drops what comes back by the other
	sbr_ok ADD
	json '.ips | length == 2'
	for a in 192.0.2.2 203.0.113.2 2001:db8:1::2 2001:db8:2::2; do
		answers $a
	done
	ip netns exec far nft -f - <<'END'
table inet count {
	chain left { type filter hook input priority 0; iifname "left" icmp type echo-reply counter drop
		iifname "left" icmpv6 type echo-reply counter drop; }
}
END
	ip netns exec c1 ping -c 1 -w 10 -I 203.0.113.2 198.51.100.1 >/dev/null
	ip netns exec c1 ping -c 1 -w 10 -I 2001:db8:2::2 2001:db8:9::1 >/dev/null
	answers 203.0.113.2
	answers 2001:db8:2::2
	sbr_ok CHECK
}

@test "each address has a table, and the main one has nothing of the interface" {
	sbr_ok ADD
	[ "$(ip -n c1 -j rule show | jq -c '[.[] | select(.src == "203.0.113.2") | [.priority, .table]]')" = '[[10000,"100"]]' ]
	[ "$(ip -n c1 -6 -j rule show | jq -c '[.[] | select(.src == "2001:db8:2::2") | [.priority, .table]]')" = '[[10000,"101"]]' ]
	[ "$(ip -n c1 route show table 100 | sort)" = "$(printf '%s\n' '203.0.113.0/24 dev net1 proto kernel scope link src 203.0.113.2 ' \
		'default via 203.0.113.1 dev net1 ')" ]
	ip -n c1 -6 route show table 101 | grep '^default via 2001:db8:2::1 dev net1'
	ip -n c1 -6 route show table 101 | grep '^2001:db8:2::/64 dev net1'
	[ -z "$(ip -n c1 route show dev net1)" ]
	[ "$(ip -n c1 -6 route show dev net1 | grep -v ^fe80::/64)" = '' ]
	ip -n c1 -6 route show dev net1 | grep ^fe80::/64
	ip -n c1 route show default | grep 'via 192.0.2.1 dev eth0'
}

@test "DEL removes the rules, again, and where namespace or result are missing" {
	before=$(ip -n c1 rule show; ip -n c1 -6 rule show)
	sbr_ok ADD
	sbr_ok DEL
	[ "$(ip -n c1 rule show; ip -n c1 -6 rule show)" = "$before" ]
	sbr_ok DEL
	sbr_ok DEL CNI_NETNS=
	sbr_ok DEL CNI_NETNS=/run/netns/none
	[ ! -e /run/netns/none ]
	conf 'del(.prevResult)'
	sbr_ok DEL
}

@test "DEL removes the rules when the interface has gone" {
	before=$(ip -n c1 rule show; ip -n c1 -6 rule show)
	sbr_ok ADD
	ip -n c1 link del net1
	sbr_ok DEL
	[ "$(ip -n c1 rule show; ip -n c1 -6 rule show)" = "$before" ]
}

@test "tables that anything is in are not free" {
	ip -n c1 route add 10.9.0.0/16 dev eth0 table 100
	ip -n c1 rule add from 10.1.2.3 table 101
	ip -n c1 -6 route add 2001:db8:77::/64 dev eth0 table 102
	ip -n c1 -6 rule add from 2001:db8:78::1 table 103
	sbr_ok ADD
	[ "$(table_of 203.0.113.2)" = 104 ]
	sbr_ok CHECK
}

@test "table: a rule for each address, and routes are left alone" {
	before=$(ip -n c1 route show table all; ip -n c1 -6 route show table all)
	conf '.table = 4321'
	sbr_ok ADD
	[ "$(table_of 203.0.113.2)" = 4321 ]
	[ "$(ip -n c1 route show table all; ip -n c1 -6 route show table all)" = "$before" ]
	sbr_ok CHECK
	conf '.table = 4322'
	sbr CHECK
	refused 101 203.0.113.2 4321 4322
	sbr_ok DEL
	[ -z "$(ip -n c1 rule show from 203.0.113.2)" ]
}

@test "routes of the interface go with its addresses, as they are" {
	ip -n c1 route add 10.8.0.0/16 via 203.0.113.9 mtu 1300 advmss 1200 metric 7
	ip -n c1 route add 10.7.0.0/16 dev net1 scope link
	ip -n c1 -6 route add 2001:db8:8::/48 via fe80::9 dev net1 metric 77
	ip -n c1 route add 10.6.0.0/16 nexthop via 203.0.113.5 dev net1 nexthop via 203.0.113.6 dev net1
	sbr_ok ADD
	ip -n c1 route show table 100 | grep '10.8.0.0/16 via 203.0.113.9 dev net1 metric 7 mtu 1300 advmss 1200'
	ip -n c1 route show table 100 | grep '^10.7.0.0/16 dev net1 scope link'
	[ "$(ip -n c1 route show table 100 10.6.0.0/16 | grep -c nexthop)" = 2 ]
	ip -n c1 -6 route show table 101 | grep '2001:db8:8::/48 via fe80::9 dev net1 metric 77'
	lacks net1 ip -n c1 route show
}

@test "two addresses of one family: each its own subnet's routes" {
	ip -n c1 addr add 100.64.0.2/24 dev net1
	ip -n c1 route add 10.8.0.0/16 via 100.64.0.9
	conf '.prevResult.ips += [{"address":"100.64.0.2/24","gateway":"100.64.0.1","interface":1}]'
	sbr_ok ADD
	second=$(table_of 100.64.0.2)
	[ "$second" = 102 ]
	ip -n c1 route show table "$second" | grep '^10.8.0.0/16 via 100.64.0.9'
	ip -n c1 route show table "$second" | grep '^default via 100.64.0.1'
	lacks 10.8.0.0 ip -n c1 route show table 100
	lacks 100.64 ip -n c1 route show table 100
}

@test "gateways go before the result's, addSourceHints leave the subnets in the main table" {
	conf '.gateways = ["203.0.113.254", "2001:db8:2::fe"] | .addSourceHints = true'
	sbr_ok ADD
	ip -n c1 route show table 100 | grep '^default via 203.0.113.254'
	ip -n c1 -6 route show table 101 | grep '^default via 2001:db8:2::fe'
	ip -n c1 route show dev net1 | grep '^203.0.113.0/24 .*src 203.0.113.2'
	ip -n c1 -6 route show dev net1 | grep '^2001:db8:2::/64'
	sbr_ok CHECK
}

@test "CHECK names a rule or a default route that is missing" {
	sbr_ok ADD
	ip -n c1 route del default table 100
	sbr CHECK
	refused 101 "table 100" 203.0.113.2 203.0.113.1
	ip -n c1 route add default via 203.0.113.1 table 100
	sbr_ok CHECK
	ip -n c1 -6 rule del from 2001:db8:2::2
	sbr CHECK
	refused 101 2001:db8:2::2 rule
	conf 'del(.prevResult)'
	sbr CHECK
	refused 7 prevResult
}

@test "bad values: clear errors that name them, and nothing changed" {
	before=$(routes)
	for bad in '["1.2.3.4","1.2.3.5"]|multiple IPv4 addresses: 1.2.3.4 and 1.2.3.5' '["x"]|invalid static gateway IP address: x' \
		'["::1","1.2.3.4","::2"]|more than 2' '["::1","::2"]|multiple IPv6'; do
		conf ".cniVersion = \"1.1.0\" | .gateways = ${bad%%|*}"
		sbr ADD
		refused 7 "${bad#*|}"
		try STATUS sbr x
		refused 50 "${bad#*|}"
	done
	conf '.table = -1'
	sbr ADD
	refused 7 table
	conf '.prevResult.ips = []'
	sbr ADD
	refused 7 "No IP addresses supplied on interface: net1"
	conf 'del(.prevResult)'
	sbr ADD
	refused 7 prevResult
	conf '.prevResult.ips[].interface = 0' # none of them is its own
	sbr_ok ADD
	[ "$(routes)" = "$before" ]
}

@test "each request of an ADD refused once: everything as before" {
	needs_strace
	ip -n c1 route add 10.8.0.0/16 via 203.0.113.9 metric 7
	before=$(routes)
	for n in $(seq 60); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=net1 \
			strace -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg \
			-e inject=sendmsg:error=ENOBUFS:when="$n" "$CNI_BIN/sbr" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		refused 5
		diff <(echo "$before") <(routes)
	done
	[ "$n" -gt 12 ]
	[ "$status" = 0 ]
}

@test "ADDs at once for two interfaces of one container" {
	other=$(jq -c '.prevResult.interfaces[1].name = "eth0" | .prevResult.ips =
		[{"address":"192.0.2.2/24","gateway":"192.0.2.1","interface":1}]' <<<"$CONF")
	cni ADD sbr c1 CNI_IFNAME=eth0 <<<"$other" >/dev/null 3>&- &
	sbr_ok ADD
	wait $!
	[ "$(printf '%s\n' "$(table_of 203.0.113.2)" "$(table_of 192.0.2.2)" | sort -u | wc -l)" = 2 ]
	answers 203.0.113.2
	answers 192.0.2.2
}

# --- after DEL -----------------------------------------------------------------

# network TYPE MORE: the interface net2, its route to 10.8.0.0/16, and sbr.
network() {
	cat >/etc/cni/net.d/n2.conflist <<END
{"cniVersion":"1.1.0","name":"n2","plugins":[{"type":"$1",$2,"ipam":{"type":"static",
  "addresses":[{"address":"100.64.0.2/24","gateway":"100.64.0.1"},{"address":"2001:db8:3::2/64","gateway":"2001:db8:3::1"}],
  "routes":[{"dst":"10.8.0.0/16"},{"dst":"2001:db8:8::/48"}]}},{"type":"sbr"}]}
END
}

everything() {
	routes
	state
	ip rule
	ip route show table all | sed '/fe80:\|table local/d'
}

global_routes() {
	ip -n c1 route show table all | grep -v fe80: | sed 's/ expires [^ ]*//' | sort
}

# ADD once more, and DEL, are as they were the first time.
comes_and_goes() {
	local before first round
	before=$(everything)
	for round in 1 2; do
		"$CNI_BIN/hawser" add -i net2 n2 c1
		ip -n c1 route show table 100 | grep '^10.8.0.0/16 via 100.64.0.1 dev net2'
		ip -n c1 route show table 100 | grep '^100.64.0.0/24 .*dev net2'
		ip -n c1 -6 route show table 101 | grep '^2001:db8:8::/48 via 2001:db8:3::1 dev net2'
		[ "$round" != 1 ] || first=$(global_routes)
		diff <(echo "$first") <(global_routes)
		"$CNI_BIN/hawser" check -i net2 n2 c1
		"$CNI_BIN/hawser" del -i net2 n2 c1
		diff <(echo "$before") <(everything)
	done
}

@test "a device of the host takes no route with it, and leaves none in any table" {
	ip link add h0 address 02:00:00:00:0d:01 type veth peer name p0
	ip link set h0 up
	ip link set p0 up
	network host-device '"device":"h0"'
	comes_and_goes
	ip -j link show h0 | jq -e '.[0].flags | index("UP")'
}

@test "an interface that is deleted leaves no route in any table" {
	ip link add h0 type veth peer name p0
	ip link set h0 up
	ip link set p0 up
	for net in 'macvlan "master":"h0"' 'bridge "bridge":"br9"' 'ptp "mtu":1400'; do
		[ "${net%% *}" != macvlan ] || has_feature macvlan || continue
		[ "${net%% *}" != bridge ] || ip link add br9 address 02:00:00:00:0d:09 up type bridge
		network "${net%% *}" "${net#* }"
		comes_and_goes
	done
}
