#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The options of bridge.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

mac1=02:00:00:00:00:01 mac2=02:00:00:00:00:02 mac3=02:00:00:00:00:03

# port FILTER: of the host's end as a port of the bridge.
port() {
	has ".[0].linkinfo.info_slave_data | $1" \
		"$(ipj host link show master br0)"
}

@test "the bridge is cni0 where the config names none" {
	bridge_conf 'del(.bridge)'
	add bridge
	has '.interfaces[0].name == "cni0"'
	sees 'length == 1' host link show master cni0
}

@test "hairpinMode is set on the port" {
	bridge_conf '.hairpinMode = true'
	add bridge
	port .hairpin
}

@test "hairpinMode is off without the option" {
	bridge_conf
	add bridge
	port '.hairpin == false'
}

@test "promiscMode makes the bridge promiscuous" {
	bridge_conf '.promiscMode = true'
	add bridge
	sees '.[0].promiscuity > 0 and (.[0].flags | index("PROMISC"))' host link show dev br0
	check bridge
}

@test "hairpinMode and promiscMode together are an error" {
	bridge_conf '.promiscMode = true | .hairpinMode = true'
	cni ADD bridge
	refused any 'hairpin.*promisc'
	eq "$(reserved)" ''
}

@test "mtu is set on the bridge and on both ends" {
	bridge_conf '.mtu = 1400'
	add bridge
	sees '.[0].mtu == 1400' a link show dev eth0
	sees '.[0].mtu == 1400' host link show master br0
	sees '.[0].mtu == 1400' host link show dev br0
	check bridge
}

@test "portIsolation separates containers, not the host" {
	# The option is not in every reference release.
	need 1.1.0
	bridge_conf '.portIsolation = true | .isGateway = true'
	add bridge
	port .isolated
	netns_new b
	add bridge CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/b
	pings a 10.1.2.1
	! pings a 10.1.2.3 0.3 || fail 'an answer from an isolated port'
}

@test "without portIsolation the port is not isolated" {
	bridge_conf
	add bridge
	port '.isolated == false'
}

@test "without forceAddress another address of the bridge is an error" {
	bridge_conf '.isGateway = true'
	ip link add br0 type bridge
	ip addr add 10.9.9.1/24 dev br0
	cni ADD bridge
	refused any 'already has an IP address different from 10.1.2.1/24'
	eq "$(addresses host br0)" 10.9.9.1/24
}

@test "forceAddress replaces another address of the bridge" {
	bridge_conf '.isGateway = true | .forceAddress = true'
	ip link add br0 type bridge
	ip addr add 10.9.9.1/24 dev br0
	add bridge
	eq "$(addresses host br0)" 10.1.2.1/24
}

@test "an IPv6 address in another subnet does not stand in the way" {
	dual_conf '.isGateway = true'
	ip link add br0 type bridge
	ip addr add 2001:db8:9::1/64 dev br0 nodad
	add bridge
	has 'length > 0' "$(ipj host addr show dev br0 to 2001:db8:9::1)"
	has 'length > 0' "$(ipj host addr show dev br0 to 2001:db8:1::1)"
}

@test "a gateway address that is there already is no error" {
	bridge_conf '.isGateway = true'
	ip link add br0 type bridge
	ip addr add 10.1.2.1/24 dev br0
	add bridge
	pings a 10.1.2.1
}

@test "the MAC of a gateway bridge stays when ports come" {
	local mac
	bridge_conf '.isGateway = true'
	add bridge
	mac=$(mac_of host br0)
	ip link add dum0 address 00:00:5e:00:00:01 type veth peer name dum1
	ip link set dum0 master br0
	eq "$(mac_of host br0)" "$mac"
}

# The container's MAC address.

@test "the MAC comes from runtimeConfig before args before CNI_ARGS" {
	bridge_conf ".runtimeConfig = {mac: \"$mac1\"} | .args = {cni: {mac: \"$mac2\"}}"
	add bridge CNI_ARGS="IgnoreUnknown=1;MAC=$mac3"
	eq "$(mac_of a eth0)" "$mac1"
	has ".interfaces[2].mac == \"$mac1\""
}

@test "the MAC comes from args before CNI_ARGS" {
	bridge_conf ".args = {cni: {mac: \"$mac2\"}}"
	add bridge CNI_ARGS="IgnoreUnknown=1;MAC=$mac3"
	eq "$(mac_of a eth0)" "$mac2"
}

@test "the MAC comes from CNI_ARGS" {
	bridge_conf
	add bridge CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=p;MAC=$mac3"
	eq "$(mac_of a eth0)" "$mac3"
}

@test "a MAC is taken with hyphens and in capitals, and printed the usual way" {
	bridge_conf '.runtimeConfig = {mac: "02-00-00-00-00-AB"}'
	add bridge
	has '.interfaces[2].mac == "02:00:00:00:00:ab"'
}

@test "a bad MAC is an error and leaves nothing" {
	local mac
	for mac in x 02:00:00:00:00 02:00:00:00:00:0g 02:00:00:00:00:01:02; do
		bridge_conf ".runtimeConfig = {mac: \"$mac\"}"
		cni ADD bridge
		refused any . || fail "MAC '$mac'"
	done
	eq "$(reserved)" ''
	sees 'map(.ifname) == ["lo"]' a link
}

@test "CNI_ARGS with a key nobody knows is an error unless IgnoreUnknown is set" {
	bridge_conf
	cni ADD bridge CNI_ARGS='FOO=bar'
	refused any FOO
	add bridge CNI_ARGS='FOO=bar;IgnoreUnknown=true'
}

@test "CNI_ARGS that is no list of pairs is an error" {
	local args
	bridge_conf
	for args in FOO 'IgnoreUnknown=1;FOO' 'IgnoreUnknown=x'; do
		cni ADD bridge CNI_ARGS="$args"
		refused any . || fail "CNI_ARGS '$args'"
	done
	eq "$(reserved)" ''
}

# Without addresses.

l2() {
	need 1.0.0
	bridge_conf "$1"
	add bridge
	has '(.ips // []) == [] and (.interfaces | length) == 3'
	eq "$(addresses a eth0)" ''
	sees '.[0].flags | index("LOWER_UP")' a link show dev eth0
	del bridge
	sees 'map(.ifname) == ["lo"]' a link
}

@test "without ipam the link comes up without an address" { l2 'del(.ipam)'; }
@test "with an empty ipam the link comes up without an address" {
	l2 '.ipam = {}'
}
@test "with an empty ipam type the link comes up without an address" { l2 '.ipam.type = ""'; }
@test "with ipam null the link comes up without an address" { l2 '.ipam = null'; }

@test "without ipam CHECK succeeds after ADD" {
	bridge_conf 'del(.ipam)'
	add bridge
	check bridge
}

@test "without ipam a result below 0.3.0 is an error: there is no address to print" {
	version=0.2.0
	bridge_conf 'del(.ipam)'
	cni ADD bridge
	refused any 'no valid IP'
}

@test "disableContainerInterface leaves the container's link down" {
	# The option is not in every reference release.
	need 1.1.0
	version=1.0.0
	bridge_conf 'del(.ipam) | .disableContainerInterface = true'
	add bridge
	sees '.[0].flags | index("UP") | not' a link show dev eth0
	has '.interfaces[2].name == "eth0"'
}

@test "disableContainerInterface with ipam is an error" {
	need 1.1.0
	version=1.0.0
	bridge_conf '.disableContainerInterface = true'
	cni ADD bridge
	refused any disableContainerInterface
	eq "$(reserved)" ''
}

@test "dns of the config goes into the result" {
	bridge_conf '.dns = {nameservers: ["10.1.2.53"], search: ["x.test"]}'
	add bridge
	has '.dns == {"nameservers": ["10.1.2.53"], "search": ["x.test"]}'
}

@test "dns of the config replaces what IPAM returned" {
	echo 'nameserver 192.0.2.53' >"$tmp/resolv"
	bridge_conf ".ipam.resolvConf = \"$tmp/resolv\""
	add bridge
	has '.dns == {"nameservers": ["192.0.2.53"]}'
	del bridge
	bridge_conf ".ipam.resolvConf = \"$tmp/resolv\" | .dns = {domain: \"d.test\"}"
	add bridge
	has '.dns == {"domain": "d.test"}'
}

@test "an IPAM plugin that is not there is an error that names it, and leaves nothing" {
	bridge_conf '.ipam.type = "no-such-ipam"'
	cni ADD bridge
	refused any no-such-ipam
}

@test "an ipam type with a slash is an error" {
	bridge_conf '.ipam.type = "../host-local"'
	cni ADD bridge
	refused any host-local
	eq "$(reserved)" ''
}

@test "vlan takes the port into that VLAN" {
	ip link add probe type bridge vlan_filtering 1 2>/dev/null ||
		skip 'the kernel has no VLAN filtering'
	bridge_conf '.vlan = 100'
	add bridge
	has ".[0].vlans | map(select(.vlan == 100 and (.flags | index(\"PVID\")))) | length == 1" \
		"$(bridge -j vlan show dev "$(ports)")"
	sees '.[0].linkinfo.info_data.vlan_filtering == 1' host link show dev br0
}

@test "a vlan out of range is an error" {
	bridge_conf '.vlan = 4095'
	cni ADD bridge
	[ "$(jq .code <<<"$out")" != 2 ] || skip 'the plugin does not support "vlan"'
	refused any 'VLAN ID 4095'
	bridge_conf '.vlan = -1'
	cni ADD bridge
	refused any .
	eq "$(reserved)" ''
}
