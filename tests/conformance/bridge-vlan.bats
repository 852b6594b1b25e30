#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The VLAN options of bridge, and bridge behind another plugin.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib
load ../lib/features

# vlan_conf VLAN [FILTER]
vlan_conf() {
	needs filtering
	bridge_conf ".vlan = $1 | ${2:-.}"
}

trunk_conf() { # LIST [FILTER]
	needs filtering
	bridge_conf "del(.ipam) | .vlanTrunk = $1 | ${2:-.}"
}

# vlans DEV: each with t for tagged, u for untagged, p for the PVID.
vlans() {
	bridge -j vlan show dev "$1" | jq -r '[.[].vlans[] | (.vlan | tostring) +
		(.flags // [] | (if index("PVID") then "p" else "" end) +
			if index("Egress Untagged") then "u" else "t" end)] | join(" ")'
}

second() { # the next calls are about another container
	netns_new b
	cid=c2 netns=/run/netns/b
}

@test "vlan: the port has that VLAN alone, without a tag" {
	vlan_conf 100
	add bridge
	eq "$(vlans "$(ports)")" 100pu
	sees '.[0].linkinfo.info_data.vlan_filtering == 1' host link show dev br0
}

@test "vlan with preserveDefaultVlan: the default VLAN stays as well" {
	vlan_conf 100 '.preserveDefaultVlan = true'
	add bridge
	eq "$(vlans "$(ports)")" '1u 100pu'
}

@test "vlan 0 is none" {
	bridge_conf '.vlan = 0'
	add bridge
	sees '.[0].linkinfo.info_data.vlan_filtering != 1' host link show dev br0
}

@test "containers of one VLAN reach each other" {
	vlan_conf 100
	add bridge
	second
	add bridge
	pings a 10.1.2.3
}

@test "containers of two VLANs do not" {
	vlan_conf 100
	add bridge
	second
	vlan_conf 200
	add bridge
	! pings a 10.1.2.3 0.3 || fail 'an answer'
}

@test "a VLAN that cannot be is an error" {
	local id
	for id in 4095 -1; do
		bridge_conf ".vlan = $id"
		cni ADD bridge
		refused any "invalid VLAN ID $id \(must be between 0 and 4094\)"
	done
	eq "$(reserved)" ''
	sees 'length == 0' host link show dev br0
}

@test "vlanTrunk: its VLANs with a tag, VLAN 1 without" {
	trunk_conf '[{id: 12}, {minID: 3, maxID: 5}, {id: 4}]'
	add bridge
	eq "$(vlans "$(ports)")" '1pu 3t 4t 5t 12t'
}

@test "vlanTrunk with vlan: that one without a tag" {
	trunk_conf '[{id: 12}]' '.vlan = 7'
	add bridge
	eq "$(vlans "$(ports)")" '7pu 12t'
}

@test "vlanTrunk that has vlan too leaves it without a tag" {
	trunk_conf '[{minID: 6, maxID: 8}]' '.vlan = 7'
	add bridge
	eq "$(vlans "$(ports)")" '6t 7pu 8t'
}

@test "an empty vlanTrunk has the bridge filter, and the port as it is" {
	trunk_conf '[]'
	add bridge
	eq "$(vlans "$(ports)")" 1pu
	sees '.[0].linkinfo.info_data.vlan_filtering == 1' host link show dev br0
}

@test "a vlanTrunk that cannot be is an error" {
	local trunk text
	while IFS='|' read -r trunk text; do
		bridge_conf "del(.ipam) | .vlanTrunk = $trunk"
		cni ADD bridge
		refused any "$text"
	done <<-'EOT'
		[{id: 0}]|incorrect trunk id parameter
		[{id: 4095}]|incorrect trunk id parameter
		[{minID: 0, maxID: 3}]|incorrect trunk minID parameter
		[{minID: 3, maxID: 4095}]|incorrect trunk maxID parameter
		[{minID: 5, maxID: 3}]|minID is greater than maxID in trunk parameter
		[{minID: 5}]|minID and maxID should be configured simultaneously, maxID is missing
		[{maxID: 5}]|minID and maxID should be configured simultaneously, minID is missing
	EOT
	sees 'length == 0' host link show dev br0
}

@test "with vlan the gateway is an interface of its own, reported as the fourth" {
	vlan_conf 100 '.isGateway = true'
	add bridge
	has '.interfaces | length == 4 and .[3].name == "br0.100"'
	eq "$(jq -r '.interfaces[3].mac' <<<"$out")" "$(mac_of host br0.100)"
	eq "$(addresses host br0.100)" 10.1.2.1/24
	eq "$(addresses host br0)" ''
	pings a 10.1.2.1
	check bridge
}

@test "two VLANs of a bridge have a gateway each" {
	vlan_conf 100 '.isDefaultGateway = true'
	add bridge
	second
	vlan_conf 200 '.isDefaultGateway = true | .name = "other" | .ipam.subnet = "10.1.3.0/24"'
	add bridge
	pings a 10.1.2.1
	pings b 10.1.3.1
	pings b 10.1.2.2
}

@test "a gateway's name fits, however long the bridge's is" {
	vlan_conf 4094 '.isGateway = true | .bridge = "br-of-15-chars0"'
	add bridge
	pings a 10.1.2.1
}

@test "the gateway of a VLAN goes with the last container" {
	vlan_conf 100 '.isGateway = true'
	add bridge
	second
	add bridge
	with_result DEL bridge
	silent
	pings a 10.1.2.1
	cid=c1 netns=/run/netns/a
	with_result DEL bridge
	silent
	sees 'length == 0' host link show dev br0.100
}

@test "a bridge that does not filter yet either begins to, or is an error" {
	vlan_conf 100
	ip link add br0 up type bridge
	cni ADD bridge
	if [ "$status" = 0 ]; then
		sees '.[0].linkinfo.info_data.vlan_filtering == 1' host link show dev br0
	else
		refused any br0
	fi
}

# notices COMMAND: CHECK is fine, then the command, and CHECK fails.
notices() {
	vlan_conf 100
	add bridge
	check bridge
	eval "$1"
	with_result CHECK bridge
	refused any .
}

@test "CHECK notices that the port has lost its VLAN" { notices 'bridge vlan del dev "$(ports)" vid 100'; }
@test "CHECK notices a VLAN that the port must not have" { notices 'bridge vlan add dev "$(ports)" vid 200'; }
@test "CHECK notices that the bridge does not filter any more" { notices 'ip link set br0 type bridge vlan_filtering 0'; }

# Behind another plugin, which is played here.

behind_another() {
	ip link add host0 type veth peer name eth0 netns a
	ip link set host0 up
	ip -n a addr add 10.1.2.9/24 dev eth0
	ip -n a link set eth0 up
	bridge_conf 'del(.ipam) | .prevResult = {cniVersion: $v, interfaces: [{name: "host0"},
		{name: "eth0", sandbox: "/run/netns/a"}], ips: [{address: "10.1.2.9/24", interface: 1}]}'
}

@test "behind another plugin its interface on the host becomes a port" {
	behind_another
	add bridge
	eq "$(ports)" host0
	has '[.interfaces[].name] | index("host0") != null and index("eth0") != null and index("br0") != null'
	has '.ips[0].address == "10.1.2.9/24"'
	check bridge
	second
	bridge_conf
	add bridge
	pings b 10.1.2.9
}

@test "behind another plugin DEL detaches the interface and leaves it" {
	behind_another
	add bridge
	with_result DEL bridge
	silent
	eq "$(ports)" ''
	sees 'length == 1' host link show dev host0
	eq "$(addresses a eth0)" 10.1.2.9/24
}

@test "a prevResult that has nothing of the container's interface makes no difference" {
	bridge_conf '.prevResult = {cniVersion: $v, interfaces: [{name: "lo", sandbox: "/run/netns/a"}],
		ips: [{address: "127.0.0.1/8", interface: 0}]}'
	add bridge
	has '[.interfaces[].name] | .[0] == "br0" and .[2] == "eth0"'
	eq "$(addresses a eth0)" 10.1.2.2/24
}
