#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plugins that make one interface in the container: macvlan, ipvlan, vlan, dummy,
# tap; those of them that the directory has and the kernel has devices for.

load lib
load ../lib/features

KINDS='macvlan ipvlan vlan dummy tap'
ON_TOP='macvlan ipvlan vlan'

# each KIND...: those that can be tested go into $kinds; one there must be.
each() {
	local kind
	kinds=''
	for kind; do
		[ ! -x "$PLUGINS/$kind" ] || ! has_feature "$kind" || kinds="$kinds $kind"
	done
	[ -n "$kinds" ] || skip "neither plugins nor devices of: $*"
	ip link add master0 type veth peer name far0
	ip link set master0 up
	ip link set far0 up
}

# use KIND [FILTER]: its configuration.
use() {
	kind=$1
	echo "--- $kind"
	set_conf '{cniVersion: $v, name: "net", type: "'"$kind"'", ipam: {type: "host-local",
		subnet: "10.1.2.0/24", routes: [{dst: "192.0.2.0/24", gw: "10.1.2.1"}]}}' "
		if .type == \"dummy\" or .type == \"tap\" then . else .master = \"master0\" end |
		if .type == \"vlan\" then .vlanId = 7 else . end | ${2-.}"
}

@test "an interface in the container: what ADD reports is there" {
	# shellcheck disable=SC2086 # lists of words
	each $KINDS
	for kind in $kinds; do
		use "$kind"
		add "$kind"
		has '(.interfaces | length) == 1 and .interfaces[0].name == "eth0" and
			.interfaces[0].sandbox == "/run/netns/a" and .ips[0].interface == 0' "$result"
		eq "$(jq -r '.interfaces[0].mac' <<<"$result")" "$(mac_of a eth0)"
		eq "$(jq -r '.ips[0].address' <<<"$result")" "$(addresses a eth0)"
		sees '.[0].flags | index("UP")' a link show dev eth0
		sees 'any(.[]; .dst == "192.0.2.0/24" and .gateway == "10.1.2.1")' a route
		check "$kind"
		with_result DEL "$kind"
		silent
		sees '. == []' a link show dev eth0
		eq "$(reserved)" ''
	done
}

@test "an interface in the container: DEL again, without and after its namespace" {
	# shellcheck disable=SC2086
	each $KINDS
	for kind in $kinds; do
		use "$kind"
		add "$kind"
		del "$kind"
		del "$kind"
		add "$kind"
		del "$kind" CNI_NETNS=
		eq "$(reserved)" ''
		ip -n a link del eth0 2>/dev/null || true
		add "$kind"
		ip netns del a
		del "$kind"
		eq "$(reserved)" ''
		netns_new a
	done
}

@test "an interface in the container: DEL where the namespace's path is a plain file" {
	# shellcheck disable=SC2086
	each $KINDS
	touch "$tmp/file"
	for kind in $kinds; do
		use "$kind"
		add "$kind"
		ip -n a link del eth0
		del "$kind" CNI_NETNS="$tmp/file"
		eq "$(reserved)" ''
	done
}

# What macvlan of the reference does and the others do not has a test for each.

taken_name() { # KIND...
	each "$@"
	ip -n a link add eth0 type veth peer name eth1
	for kind in $kinds; do
		use "$kind"
		before=$(snapshot)
		cni ADD "$kind"
		refused any 'exist|file|duplicate'
		eq "$(snapshot)" "$before"
	done
}

@test "macvlan: a name that is taken is an error, and nothing is left" {
	taken_name macvlan
}

@test "ipvlan and others: a name that is taken is an error, and nothing is left" {
	taken_name ipvlan vlan dummy tap
}

@test "an interface in the container: IPAM has no address, and nothing is left" {
	# shellcheck disable=SC2086
	each $KINDS
	for kind in $kinds; do
		use "$kind" '.ipam.rangeStart = "10.1.2.9" | .ipam.rangeEnd = "10.1.2.9"'
		add "$kind"
		netns_new b
		before=$(snapshot)
		conf=$(jq -c 'if .vlanId then .vlanId = 8 else . end' <<<"$conf")
		netns=/run/netns/b cid=c2 cni ADD "$kind"
		refused any 'no IP addresses available'
		eq "$(ipj b link | jq -r '.[].ifname')" lo
		eq "$(snapshot)" "$before"
		del "$kind"
		ip netns del b
	done
}

@test "an interface in the container: DEL without its master frees the address" {
	# shellcheck disable=SC2086
	each $ON_TOP
	for kind in $kinds; do
		use "$kind"
		add "$kind"
		conf=$(jq -c '.master = "gone0"' <<<"$conf")
		del "$kind"
		sees '. == []' a link show dev eth0
		eq "$(reserved)" ''
	done
}

@test "an interface in the container: DNS that IPAM returned is the result's" {
	# shellcheck disable=SC2086
	each $KINDS
	echo 'nameserver 192.0.2.53' >"$tmp/resolv.conf"
	for kind in $kinds; do
		use "$kind" ".ipam.resolvConf = \"$tmp/resolv.conf\""
		add "$kind"
		has '.dns.nameservers == ["192.0.2.53"]' "$result"
		del "$kind"
	done
}

@test "an interface in the container: dns of the config is the result's" {
	# shellcheck disable=SC2086
	each $KINDS
	for kind in $kinds; do
		use "$kind" '.dns = {nameservers: ["192.0.2.53"]}'
		add "$kind"
		has '.dns.nameservers == ["192.0.2.53"]' "$result"
		del "$kind"
	done
}

@test "an interface in the container: CHECK notices a missing address, route, interface" {
	# shellcheck disable=SC2086
	each $KINDS
	for kind in $kinds; do
		use "$kind"
		add "$kind"
		ip -n a route del 192.0.2.0/24
		with_result CHECK "$kind"
		refused any '192.0.2.0'
		ip -n a route add 192.0.2.0/24 via 10.1.2.1
		check "$kind"
		ip -n a addr flush dev eth0 scope global
		with_result CHECK "$kind"
		refused any .
		ip -n a link del eth0
		with_result CHECK "$kind"
		refused any eth0
		del "$kind"
	done
}

@test "an interface in the container: CHECK notices one of another kind" {
	# shellcheck disable=SC2086
	each $KINDS
	for kind in $kinds; do
		use "$kind"
		add "$kind"
		mac=$(mac_of a eth0) addr=$(addresses a eth0)
		ip -n a link del eth0
		ip -n a link add eth0 address "$mac" type veth peer name eth1
		ip -n a link set eth0 up
		ip -n a link set eth1 up
		ip -n a addr add "$addr" dev eth0
		ip -n a route add 192.0.2.0/24 via 10.1.2.1
		with_result CHECK "$kind"
		refused any .
		ip -n a link del eth0
		del "$kind"
	done
}

@test "an interface in the container: GC frees the addresses of stale attachments" {
	need 1.1.0
	# shellcheck disable=SC2086
	each $KINDS
	for kind in $kinds; do
		use "$kind" '.["cni.dev/valid-attachments"] = []'
		add "$kind"
		cni GC "$kind" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
		silent
		eq "$(reserved)" ''
		del "$kind"
	done
}

@test "an interface in the container: the MAC that the runtime asks for" {
	each macvlan tap
	for kind in $kinds; do
		use "$kind" '.runtimeConfig.mac = "02:00:00:00:00:31"'
		add "$kind" CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:32'
		eq "$(mac_of a eth0)" 02:00:00:00:00:31
		del "$kind"
		use "$kind" '.mac = "02:00:00:00:00:33"'
		add "$kind" CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:32'
		eq "$(mac_of a eth0)" 02:00:00:00:00:32
		del "$kind"
	done
}

@test "a tap of an owner and a group has the MAC and the MTU too" {
	each tap
	use tap '.mac = "02:00:00:00:00:33" | .mtu = 1400 | .owner = 0 | .group = 0'
	add tap
	eq "$(mac_of a eth0)" 02:00:00:00:00:33
	sees '.[0].mtu == 1400' a link show dev eth0
	del tap
}

greatest_mtu() { # KIND...
	each "$@"
	for kind in $kinds; do
		use "$kind" '.mtu = 1400'
		add "$kind"
		sees '.[0].mtu == 1400' a link show dev eth0
		del "$kind"
		use "$kind" '.mtu = 1600'
		before=$(snapshot)
		cni ADD "$kind"
		refused any .
		eq "$(snapshot)" "$before"
	done
}

@test "macvlan: mtu, and none above the master's" {
	greatest_mtu macvlan
}

@test "ipvlan and vlan: mtu, and none above the master's" {
	greatest_mtu ipvlan vlan
}

@test "an interface on top of another: a master that is not there is an error" {
	# shellcheck disable=SC2086
	each $ON_TOP
	for kind in $kinds; do
		use "$kind" '.master = "gone0"'
		before=$(snapshot)
		cni ADD "$kind"
		refused any gone0
		eq "$(snapshot)" "$before"
	done
}

@test "an interface on top of one of the container's" {
	# shellcheck disable=SC2086
	each $ON_TOP
	ip -n a link add inner0 type veth peer name inner1
	ip -n a link set inner0 up
	ip -n a link set inner1 up
	for kind in $kinds; do
		use "$kind" '.master = "inner0" | .linkInContainer = true'
		add "$kind"
		sees '.[0].link == "inner0"' a link show dev eth0
		check "$kind"
		del "$kind"
		sees '. == []' a link show dev eth0
	done
}

default_master() { # KIND...
	each "$@"
	ip addr add 198.51.100.1/24 dev master0
	ip route add default via 198.51.100.2
	for kind in $kinds; do
		use "$kind" 'del(.master)'
		add "$kind"
		sees ".[0].link_index == $(ipj host link show dev master0 | jq '.[0].ifindex')" \
			a link show dev eth0
		check "$kind"
		del "$kind"
	done
}

@test "macvlan takes the interface of the default route as master" {
	default_master macvlan
}

@test "ipvlan takes the interface of the default route as master" {
	default_master ipvlan
}

@test "modes of macvlan and ipvlan, and unknown ones" {
	each macvlan ipvlan
	for kind in $kinds; do
		modes='bridge private vepa passthru'
		[ "$kind" != ipvlan ] || modes='l2 l3 l3s'
		for mode in $modes; do
			use "$kind" ".mode = \"$mode\""
			add "$kind"
			sees ".[0].linkinfo.info_data.mode == \"$mode\"" a link show dev eth0
			check "$kind"
			del "$kind"
		done
		use "$kind" '.mode = "x9"'
		cni ADD "$kind"
		refused any x9
	done
}

@test "vlan: its id, and none above 4094" {
	each vlan
	use vlan '.vlanId = 4094'
	add vlan
	sees '.[0].linkinfo.info_data.id == 4094' a link show dev eth0
	check vlan
	del vlan
	use vlan '.vlanId = 4095'
	cni ADD vlan
	refused any '4095|4094'
	use vlan 'del(.master)'
	cni ADD vlan
	refused any master
}
