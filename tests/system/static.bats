#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# static: where its addresses come from, and what it keeps beside the reference.

# shellcheck disable=SC2034,SC2154 # shared with system.bash and bats' run
load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"net","type":"static","ipam":{"type":"static",
 "addresses":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"address":"fd00::3/64","gateway":"fd00::1"}]}}'

setup() {
	conf .
}

add() {
	try ADD static c1 "$@"
	ok
}

is() { # JSON: the result's addresses
	json ".ips == $1"
}

@test "addresses, routes and dns are handed on in order" {
	conf '.ipam.routes = [{dst: "10.9.0.0/16", gw: "10.1.2.7"}, {dst: "10.9.0.0/16", gw: "10.1.2.8", mtu: 1400}] |
		.ipam.dns = {nameservers: ["192.0.2.1"], domain: "d", search: ["s"], options: ["o"]}'
	add
	json '. == {cniVersion: "1.0.0", ips: [{address: "10.1.2.3/24", gateway: "10.1.2.1"},
		{address: "fd00::3/64", gateway: "fd00::1"}],
		routes: [{dst: "10.9.0.0/16", gw: "10.1.2.7"}, {dst: "10.9.0.0/16", gw: "10.1.2.8", mtu: 1400}],
		dns: {nameservers: ["192.0.2.1"], domain: "d", search: ["s"], options: ["o"]}}'
}

@test "CNI_ARGS appends, and GATEWAY is for what it appends" {
	conf 'del(.ipam.addresses[].gateway)'
	add CNI_ARGS="IgnoreUnknown=1;IP=10.1.2.4/24,10.5.0.4/16,fd00::4/64;GATEWAY=10.1.2.9,fd00::9;X=y"
	is '[{address: "10.1.2.3/24"}, {address: "fd00::3/64"}, {address: "10.1.2.4/24", gateway: "10.1.2.9"},
		{address: "10.5.0.4/16"}, {address: "fd00::4/64", gateway: "fd00::9"}]'
	add CNI_ARGS="IP=;GATEWAY="
	is '[{address: "10.1.2.3/24"}, {address: "fd00::3/64"}]'
}

@test "args.cni.ips replaces these, and runtimeConfig.ips those" {
	conf '.args.cni.ips = ["10.7.0.1/24", "fd07::1/64"]'
	add CNI_ARGS="IP=10.1.2.4/24"
	is '[{address: "10.7.0.1/24"}, {address: "fd07::1/64"}]'
	conf '.args.cni.ips = ["10.7.0.1/24"] | .runtimeConfig.ips = ["10.8.0.1/24"]'
	add
	is '[{address: "10.8.0.1/24"}]'
	conf '.args.cni.ips = [] | .runtimeConfig.ips = null'
	add
	json '.ips | length == 2'
}

@test "addresses of the runtime keep the gateway of their subnet" {
	conf '.runtimeConfig.ips = ["10.1.2.77/24", "fd00::77/64", "10.1.3.7/24", "10.1.0.1/30"]'
	add
	is '[{address: "10.1.2.77/24", gateway: "10.1.2.1"}, {address: "fd00::77/64", gateway: "fd00::1"},
		{address: "10.1.3.7/24"}, {address: "10.1.0.1/30"}]'
	conf '.args.cni.ips = ["10.1.2.66/24"] | .runtimeConfig.ips = ["10.1.2.77/24"]'
	add
	is '[{address: "10.1.2.77/24", gateway: "10.1.2.1"}]'
	conf '.runtimeConfig.ips = ["10.5.0.4/16"]'
	add CNI_ARGS="IP=10.5.0.3/16;GATEWAY=10.5.0.1"
	is '[{address: "10.5.0.4/16", gateway: "10.5.0.1"}]'
}

@test "what is no address is named" {
	conf '.ipam.addresses[0].address = "10.1.2.3"'
	try ADD static c1
	refused 7 "the 'address' field is expected to be in CIDR notation, got: '10.1.2.3'"
	conf '.args.cni.ips = ["10.1.2.3"]'
	try ADD static c1
	refused 7 "an entry in the 'ips' field is NOT" "CIDR notation, got: '10.1.2.3'"
	conf '.runtimeConfig.ips = ["x"]'
	try ADD static c1
	refused 7 "an entry in the 'ips' field is NOT" "got: 'x'"
	conf .
	try ADD static c1 CNI_ARGS=IP=10.1.2.4
	refused 7 "the 'ip' field is expected to be in CIDR notation, got: '10.1.2.4'"
	try ADD static c1 "CNI_ARGS=IP=10.1.2.4/24;GATEWAY=10.1.2"
	refused 7 "invalid gateway address: 10.1.2"
	try ADD static c1 CNI_ARGS=NONSENSE=1
	refused 4 NONSENSE
	conf '.ipam.addresses[0].gateway = "x"'
	try ADD static c1
	refused 7 gateway
	conf 'del(.ipam)'
	try ADD static c1
	refused 7 "IPAM config missing 'ipam' key"
}

@test "versions before 0.3.0 take one address of a family" {
	conf '.cniVersion = "0.2.0"'
	add
	json '.ip4.ip == "10.1.2.3/24" and .ip4.gateway == "10.1.2.1" and .ip6.ip == "fd00::3/64"'
	conf '.cniVersion = "0.2.0" | .ipam.addresses += [{address: "10.1.3.3/24"}]'
	try ADD static c1
	refused 7 "CNI version 0.2.0 does not support more than 1 address per family"
}

@test "CHECK compares gateways, DEL reads nothing, STATUS the configuration" {
	add
	with_result
	try CHECK static c1
	ok
	CONF=$(jq -c '.prevResult.ips[1].gateway = "fd00::2"' <<<"$CONF")
	try CHECK static c1
	refused 101 "Failed to match addr fd00::3 on interface eth0"
	CONF=$(jq -c 'del(.ipam.addresses[].gateway)' <<<"$CONF")
	try CHECK static c1
	ok
	conf .
	try CHECK static c1
	refused 7 prevResult
	conf '.ipam.addresses = 5'
	try DEL static c1
	ok
	conf '.cniVersion = "1.1.0"'
	try STATUS static ''
	ok
	conf '.cniVersion = "1.1.0" | .ipam.addresses[0].address = "x"'
	try STATUS static ''
	refused 50 "CIDR notation"
}

@test "a bridge gets its addresses from it, in process" {
	ip netns add c1
	conf '.type = "bridge" | .bridge = "br0" | .isDefaultGateway = true |
		.runtimeConfig.ips = ["10.1.2.77/24"]'
	run cni ADD bridge c1 <<<"$CONF"
	ok
	json '.ips == [{interface: 2, address: "10.1.2.77/24", gateway: "10.1.2.1"}]'
	ip -n c1 -j route show default | jq -e '.[0].gateway == "10.1.2.1"'
	run cni DEL bridge c1 <<<"$CONF"
	ok
	clean_up
}
