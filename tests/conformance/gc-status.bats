#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# GC and STATUS, new in 1.1.0.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

# valid JSON: the last config with this list of valid attachments.
valid() {
	conf=$(jq -c --argjson l "$1" '."cni.dev/valid-attachments" = $l' <<<"$conf")
}

# For GC and STATUS a runtime sets the variables of a container empty.
network() {
	cni "$@" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
}

three() {
	need 1.1.0
	ipam_conf
	add host-local CNI_CONTAINERID=x1
	add host-local CNI_CONTAINERID=x2
	add host-local CNI_CONTAINERID=x2 CNI_IFNAME=net1
}

below() {
	need 1.1.0
	version=1.0.0
	bridge_conf
	network "$1" bridge
	refused 1 "$1"
	network "$1" host-local
	refused 1 "$1"
	network "$1" loopback
	refused 1 "$1"
}

@test "GC below 1.1.0 is error 1" { below GC; }
@test "STATUS below 1.1.0 is error 1" { below STATUS; }

@test "host-local GC frees what is not in the list and keeps what is" {
	three
	valid '[{"containerID":"x1","ifname":"eth0"},{"containerID":"x2","ifname":"net1"}]'
	network GC host-local
	silent
	eq "$(reserved)" '10.1.2.2 10.1.2.4'
}

@test "host-local GC with an empty list frees all of the network and nothing of others" {
	three
	conf=$(jq -c '.name = "other"' <<<"$conf")
	add host-local
	conf=$(jq -c '.name = "net"' <<<"$conf")
	valid '[]'
	network GC host-local
	silent
	eq "$(reserved)" ''
	eq "$(reserved other)" 10.1.2.2
}

@test "GC without a list does nothing" {
	three
	network GC host-local
	silent
	eq "$(reserved | wc -w)" 3
	valid null
	network GC host-local
	silent
	eq "$(reserved | wc -w)" 3
}

@test "host-local GC keeps a reservation with the container ID alone while the container is valid" {
	three
	printf x1 >"$nets/net/10.1.2.9"
	printf gone >"$nets/net/10.1.2.10"
	valid '[{"containerID":"x1","ifname":"eth0"}]'
	network GC host-local
	silent
	eq "$(reserved)" '10.1.2.2 10.1.2.9'
}

@test "loopback GC succeeds" {
	need 1.1.0
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	valid '[]'
	network GC loopback
	silent
}

two_bridged() {
	need 1.1.0
	bridge_conf ".isDefaultGateway = true | ${1:-.}"
	add bridge
	netns_new b
	add bridge CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/b
	valid '[{"containerID":"c2","ifname":"eth0"}]'
	network GC bridge
	silent
}

@test "bridge GC frees the addresses of stale attachments through IPAM" {
	two_bridged
	eq "$(reserved)" 10.1.2.3
}

@test "bridge GC leaves valid attachments as they were" {
	two_bridged '.ipMasq = true'
	eq "$(addresses b eth0)" 10.1.2.3/24
	outside
	pings b 192.0.2.2
	[[ " $(reserved) " == *' 10.1.2.3 '* ]]
}

@test "bridge GC removes the links of stale attachments" {
	two_bridged
	eq "$(ports | wc -l)" 1
	sees 'map(.ifname) == ["lo"]' a link
}

@test "bridge GC ends the masquerading of stale attachments" {
	two_bridged '.ipMasq = true'
	netns_new d
	bridge_conf '.isDefaultGateway = true | .name = "other"'
	ip -n a link del eth0 2>/dev/null || true
	add bridge CNI_CONTAINERID=c3 CNI_NETNS=/run/netns/d
	eq "$(addresses d eth0)" 10.1.2.2/24
	outside
	! pings d 192.0.2.2 0.3 || fail 'an answer'
	eq "$(counted out container)" 1
}

@test "bridge GC passes its config on to IPAM" {
	need 1.1.0
	delegate my-ipam <<<''
	bridge_conf '.ipam = {type: "my-ipam"}'
	valid '[{"containerID":"x1","ifname":"eth0"}]'
	network GC bridge CNI_PATH="$ours"
	silent
	eq "$(calls my-ipam)" GC
	cmp "$tmp/in" "$tmp/bin/my-ipam.GC.stdin"
}

@test "bridge GC reports the error of IPAM" {
	need 1.1.0
	delegate my-ipam <<-'SH'
		echo '{"cniVersion":"1.1.0","code":11,"msg":"later, please"}'
		exit 1
	SH
	bridge_conf '.ipam = {type: "my-ipam"}'
	valid '[]'
	network GC bridge CNI_PATH="$ours"
	refused any 'later, please'
}

@test "STATUS of a plugin that can serve succeeds and prints nothing" {
	need 1.1.0
	bridge_conf
	network STATUS bridge
	silent
	network STATUS host-local
	silent
	network STATUS loopback
	silent
	eq "$(reserved)" ''
}

@test "bridge STATUS without ipam succeeds" {
	need 1.1.0
	bridge_conf 'del(.ipam)'
	network STATUS bridge
	silent
}

@test "bridge STATUS passes the code of IPAM on" {
	need 1.1.0
	delegate my-ipam <<-'SH'
		echo '{"cniVersion":"1.1.0","code":50,"msg":"out of order"}'
		exit 1
	SH
	bridge_conf '.ipam = {type: "my-ipam"}'
	network STATUS bridge CNI_PATH="$ours"
	refused 50 'out of order'
	eq "$(calls my-ipam)" STATUS
}

@test "bridge STATUS is an error where IPAM is not there" {
	need 1.1.0
	bridge_conf '.ipam.type = "no-such-ipam"'
	network STATUS bridge
	refused any no-such-ipam
}

@test "host-local STATUS is error 50 when no address is left" {
	need 1.1.0
	ipam_conf '.subnet = "10.1.2.0/30"'
	add host-local
	network STATUS host-local
	refused 50 .
}
