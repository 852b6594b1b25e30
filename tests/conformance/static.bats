#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# static: which of the places that may name addresses counts.

# What lib.bash defines and uses, and filters meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

# static_conf [FILTER]
static_conf() {
	set_conf '{cniVersion: $v, name: "net", type: "test", ipam: {type: "static",
		addresses: [{address: "10.1.2.3/24", gateway: "10.1.2.1"},
			{address: "2001:db8::3/64"}]}}' "${1:-.}"
}

# given ADDRESS[,GATEWAY]...: what the last result has, in order.
given() {
	eq "$(jq -r '[.ips[] | .address + (if .gateway then "," + .gateway else "" end)] |
		join(" ")' <<<"$out")" "$*"
}

@test "addresses are given as they stand, with their gateways" {
	static_conf
	add static
	given 10.1.2.3/24,10.1.2.1 2001:db8::3/64
}

@test "routes and dns are handed on, several routes to one destination too" {
	static_conf '.ipam.routes = [{dst: "10.9.0.0/16", gw: "10.1.2.7"},
		{dst: "10.9.0.0/16", gw: "10.1.2.8"}, {dst: "::/0"}] |
		.ipam.dns = {nameservers: ["192.0.2.1"], domain: "d", search: ["s"], options: ["o"]}'
	add static
	has '.routes == [{dst: "10.9.0.0/16", gw: "10.1.2.7"}, {dst: "10.9.0.0/16", gw: "10.1.2.8"},
		{dst: "::/0"}]' "$out"
	has '.dns == {nameservers: ["192.0.2.1"], domain: "d", search: ["s"], options: ["o"]}' "$out"
}

@test "IP of CNI_ARGS is appended, with the GATEWAY that lies in its subnet" {
	static_conf
	add static 'CNI_ARGS=IP=10.5.0.4/16,10.6.0.4/16;GATEWAY=10.6.0.1'
	given 10.1.2.3/24,10.1.2.1 2001:db8::3/64 10.5.0.4/16 10.6.0.4/16,10.6.0.1
}

@test "args.cni.ips replaces addresses and CNI_ARGS" {
	static_conf '.args.cni.ips = ["10.7.0.4/24"]'
	add static CNI_ARGS=IP=10.5.0.4/16
	given 10.7.0.4/24
}

@test "runtimeConfig.ips replaces args.cni.ips" {
	static_conf '.args.cni.ips = ["10.7.0.4/24"] | .runtimeConfig.ips = ["10.8.0.4/24", "2001:db8:8::4/64"]'
	add static
	given 10.8.0.4/24 2001:db8:8::4/64
}

@test "an address without length is refused wherever it stands" {
	static_conf '.ipam.addresses[0].address = "10.1.2.3"'
	cni ADD static
	refused any "CIDR notation, got: '10.1.2.3'"
	static_conf '.args.cni.ips = ["10.1.2.4"]'
	cni ADD static
	refused any "CIDR notation, got: '10.1.2.4'"
	static_conf '.runtimeConfig.ips = ["10.1.2.5"]'
	cni ADD static
	refused any "CIDR notation, got: '10.1.2.5'"
	static_conf
	cni ADD static CNI_ARGS=IP=10.1.2.6
	refused any "CIDR notation, got: '10.1.2.6'"
	cni ADD static 'CNI_ARGS=IP=10.1.2.6/24;GATEWAY=x'
	refused any 'invalid gateway address: x'
}

@test "0.2.0 takes one address of each family" {
	version=0.2.0
	static_conf
	add static
	has '.ip4.ip == "10.1.2.3/24" and .ip6.ip == "2001:db8::3/64"' "$out"
	static_conf '.ipam.addresses += [{address: "10.1.3.3/24"}]'
	cni ADD static
	refused any 'does not support more than 1 address per family'
}

@test "CHECK compares the gateways, and DEL needs nothing" {
	static_conf
	add static
	check static
	static_conf '.ipam.addresses[0].gateway = "10.1.2.9"'
	with_result CHECK static
	refused any 'Failed to match addr 10.1.2.3'
	static_conf '.ipam.addresses[0].address = "nonsense"'
	del static
}

@test "a bridge takes its addresses from it" {
	bridge_conf '.ipam = {type: "static", addresses: [{address: "10.1.2.3/24"}]}'
	add bridge
	sees '.[0].addr_info[0].local == "10.1.2.3"' a -4 addr show eth0
	del bridge
}
