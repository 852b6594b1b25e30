#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An interface, vrf and sbr in one chain, by the runtime and its cache: net1 in a
# container that has eth0, and the default routes by it, from somewhere else.
#
#	far (198.51.100.1, 2001:db8:9::1)
#	 ├── left  ---- eth0 192.0.2.2/24, 2001:db8:1::2/64
#	 └── right ---- up0 of the host: net1 203.0.113.2/24, 2001:db8:2::2/64

# bats file_tags=vrf

load ../lib/system

setup() {
	local ns
	needs vrf
	ip netns add c1
	ip netns add far
	for ns in '' c1 far; do
		${ns:+ip netns exec $ns} sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	done
	ip -n c1 link set lo up
	ip -n far link set lo up
	ip -n c1 link add warm type vrf table 77 # the first makes rules, which stay
	ip -n c1 link del warm
	ip -n c1 link add eth0 type veth peer name left netns far
	ip link add up0 type veth peer name right netns far
	ip -n c1 addr add 192.0.2.2/24 dev eth0
	ip -n c1 addr add 2001:db8:1::2/64 dev eth0
	ip -n far addr add 192.0.2.1/24 dev left
	ip -n far addr add 2001:db8:1::1/64 dev left
	ip -n far addr add 198.51.100.1/32 dev lo
	ip -n far addr add 2001:db8:9::1/128 dev lo
	ip -n c1 link set eth0 up
	for dev in left right; do
		ip -n far link set $dev up
	done
	ip link set up0 up
	ip -n c1 route add default via 192.0.2.1
	ip -n c1 -6 route add default via 2001:db8:1::1
	counters
}

teardown() {
	clean_up
}

# What comes to far, by interface.
counters() {
	ip netns exec far nft -f - <<'END'
table inet count {
	chain input {
		type filter hook input priority 0
		iifname "left" icmp type echo-request counter
		iifname "left" icmpv6 type echo-request counter
		iifname "right" icmp type echo-request counter
		iifname "right" icmpv6 type echo-request counter
	}
}
END
}

counted() {
	ip netns exec far nft -j list chain inet count input |
		jq -c '[.nftables[].rule.expr[]?.counter.packets | numbers]'
}

# An interface by macvlan on up0, of whose link far is the router.
macvlan_network() { # PLUGIN...
	ip -n far addr add 203.0.113.1/24 dev right
	ip -n far addr add 2001:db8:2::1/64 dev right
	network '"type":"macvlan","master":"up0"' "$@"
}

# An interface by ptp: the host is the router, and far behind it.
ptp_network() { # PLUGIN...
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 # and stays
	ip addr add 192.168.77.2/24 dev up0
	ip addr add 2001:db8:77::2/64 dev up0
	ip -n far addr add 192.168.77.1/24 dev right
	ip -n far addr add 2001:db8:77::1/64 dev right
	ip route add 198.51.100.1 via 192.168.77.1
	ip -6 route add 2001:db8:9::1 via 2001:db8:77::1
	ip -n far route add 203.0.113.0/24 via 192.168.77.2
	ip -n far -6 route add 2001:db8:2::/64 via 2001:db8:77::2
	network '"type":"ptp"' "$@"
}

network() { # INTERFACE-PLUGIN PLUGIN...
	local more='' plugin
	for plugin in "${@:2}"; do
		case $plugin in
		vrf) more+=',{"type":"vrf","vrfname":"red"}' ;;
		sbr) more+=',{"type":"sbr"}' ;;
		esac
	done
	cat >/etc/cni/net.d/n.conflist <<END
{"cniVersion":"1.1.0","name":"n","plugins":[{$1,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"203.0.113.0/24","rangeStart":"203.0.113.2"}],
   [{"subnet":"2001:db8:2::/64","rangeStart":"2001:db8:2::2"}]],
   "routes":[{"dst":"10.8.0.0/16"},{"dst":"2001:db8:8::/48"}]}}$more]}
END
}

everything() {
	local f ns
	state
	for ns in '' c1; do
		for f in -4 -6; do
			ip ${ns:+-n $ns} $f rule
			ip ${ns:+-n $ns} $f route show table all | grep -v fe80: |
				sed 's/ expires [^ ]*//; s/ pref medium//' | sort
		done
	done
}

hawser() {
	"$CNI_BIN/hawser" "$1" -i net1 n c1
}

# The tables that a route of the container is in; not the kernel's own.
tables_of() { # DESTINATION
	local f=-4
	[[ $1 != *:* ]] || f=-6
	ip -n c1 -j $f route show table all "$1" | jq -r '.[] | .table // "main"' | sort
}

# An address within a vrf is one for sockets of the vrf only.
pings_from() { # SOURCE ADDRESS [VRF]
	ip netns exec c1 ping -n -q -c 1 -W 10 ${3:+-I "$3"} -I "$1" "$2" >/dev/null
}

# CHECK must be against any of the changes, and be content before and after.
notices_what_is_missing() {
	local dst f table
	for dst in 10.8.0.0/16 2001:db8:8::/48; do
		f=-4
		[[ $dst != *:* ]] || f=-6
		hawser check
		ip -n c1 $f route save table all "$dst" >"$BATS_TEST_TMPDIR/saved"
		for table in $(tables_of $dst); do
			ip -n c1 $f route del $dst table "$table"
		done
		[ -z "$(tables_of $dst)" ]
		run hawser check
		[ "$status" = 1 ]
		[[ $output == *"route to $dst"*missing* ]]
		ip -n c1 $f route restore table all <"$BATS_TEST_TMPDIR/saved"
	done
	hawser check
}

traffic_goes_right() { # [VRF]
	pings_from 203.0.113.2 198.51.100.1 "$@"
	pings_from 2001:db8:2::2 2001:db8:9::1 "$@"
	[ "$(counted)" = '[0,0,1,1]' ]
	pings_from 192.0.2.2 198.51.100.1
	pings_from 2001:db8:1::2 2001:db8:9::1
	[ "$(counted)" = '[1,1,1,1]' ]
	# and what is asked by it is answered by it
	ip netns exec far ping -n -q -c 1 -W 10 -I 198.51.100.1 203.0.113.2
	ip netns exec far ping -n -q -c 1 -W 10 -I 2001:db8:9::1 2001:db8:2::2
}

in_the_vrf() {
	[ "$(ip -n c1 -j link show net1 | jq -r '.[0].master')" = red ]
	pings_from 203.0.113.2 203.0.113.1 red
	pings_from 2001:db8:2::2 2001:db8:2::1 red
}

full_round() { # TABLES-OF-A-ROUTE [VRF]
	local before tables=$1
	shift
	before=$(everything)
	hawser add
	hawser check
	[ "$(tables_of 10.8.0.0/16 | xargs)" = "$tables" ]
	traffic_goes_right "$@"
	[ $# = 0 ] || in_the_vrf
	notices_what_is_missing
	ip netns exec far nft flush ruleset
	counters
	traffic_goes_right "$@"
	hawser del
	diff <(echo "$before") <(everything)
}

@test "macvlan, vrf, sbr" {
	macvlan_network vrf sbr
	full_round '1 100' red
}

@test "macvlan, sbr, vrf" {
	macvlan_network sbr vrf
	full_round 100 red
}

@test "ptp, vrf, sbr" {
	ptp_network vrf sbr
	full_round '1 100' red
}

@test "ptp, sbr, vrf" {
	ptp_network sbr vrf
	full_round 100 red
}

@test "macvlan, sbr" {
	macvlan_network sbr
	full_round 100
}
