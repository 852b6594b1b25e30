#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The layout of results in every version of the specification.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

dns='{nameservers: ["10.1.2.1"], domain: "d.test", search: ["s.test"], options: ["ndots:2"]}'

full_conf() {
	dual_conf ".isDefaultGateway = true | .dns = $dns"
}

# Versions before 0.3.0: one address a family, no interfaces.
old_layout() {
	need "$1"
	full_conf
	add bridge
	same "$out" "{cniVersion: \$v, dns: $dns,
		ip4: {ip: \"10.1.2.2/24\", gateway: \"10.1.2.1\",
			routes: [{dst: \"0.0.0.0/0\", gw: \"10.1.2.1\"}]},
		ip6: {ip: \"2001:db8:1::2/64\", gateway: \"2001:db8:1::1\",
			routes: [{dst: \"::/0\", gw: \"2001:db8:1::1\"}]}}"
}

# Since 0.3.0. $2 and $3 are what ips entries of each family have besides.
# An mtu of interfaces belongs to 1.1.0 and may be there.
new_layout() {
	need "$1"
	full_conf
	add bridge
	[ "$1" != 1.1.0 ] || out=$(jq 'del(.interfaces[].mtu)' <<<"$out")
	same "$out" "{cniVersion: \$v, dns: $dns, interfaces: [
			{name: \"br0\", mac: \"$(mac_of host br0)\"},
			{name: \"$(ports)\", mac: \"$(mac_of host "$(ports)")\"},
			{name: \"eth0\", mac: \"$(mac_of a eth0)\", sandbox: \"$netns\"}],
		ips: [
			({address: \"10.1.2.2/24\", gateway: \"10.1.2.1\", interface: 2} + ${2-{\}}),
			({address: \"2001:db8:1::2/64\", gateway: \"2001:db8:1::1\", interface: 2} + ${3-{\}})],
		routes: [{dst: \"0.0.0.0/0\", gw: \"10.1.2.1\"}, {dst: \"::/0\", gw: \"2001:db8:1::1\"}]}"
}

@test "bridge ADD at 0.1.0 prints ip4, ip6 and dns only" { old_layout 0.1.0; }
@test "bridge ADD at 0.2.0 prints ip4, ip6 and dns only" { old_layout 0.2.0; }
@test "bridge ADD at 0.3.0 prints interfaces, and ips with a version" { new_layout 0.3.0 '{version: "4"}' '{version: "6"}'; }
@test "bridge ADD at 0.3.1 prints interfaces, and ips with a version" { new_layout 0.3.1 '{version: "4"}' '{version: "6"}'; }
@test "bridge ADD at 0.4.0 prints interfaces, and ips with a version" { new_layout 0.4.0 '{version: "4"}' '{version: "6"}'; }
@test "bridge ADD at 1.0.0 prints interfaces, and ips without a version" { new_layout 1.0.0; }
@test "bridge ADD at 1.1.0 prints interfaces, and ips without a version" { new_layout 1.1.0; }

@test "a config without cniVersion is taken as 0.1.0" {
	bridge_conf 'del(.cniVersion)'
	add bridge
	version=0.1.0
	same "$(jq 'if .dns == {} then del(.dns) else . end' <<<"$out")" \
		'{cniVersion: $v, ip4: {ip: "10.1.2.2/24", gateway: "10.1.2.1"}}'
	del bridge
	bridge_conf '.cniVersion = ""'
	add bridge
	has '.cniVersion == "0.1.0" and .ip4.ip == "10.1.2.3/24"'
}

@test "keys without a value are left out of the result" {
	need 1.0.0
	bridge_conf '.ipam.gateway = ""'
	add bridge
	has 'has("routes") | not'
	has '.dns // {} == {}'
	has '.interfaces[:2] | all(has("sandbox") | not)'
}

ipam_layout() {
	need "$1"
	ipam_conf '.routes = [{dst: "192.168.0.0/16", gw: "10.1.2.9"}, {dst: "0.0.0.0/0"}]'
	add host-local
	same "$(jq 'if .dns == {} then del(.dns) else . end' <<<"$out")" "$2"
}

old_ipam='{cniVersion: $v, ip4: {ip: "10.1.2.2/24", gateway: "10.1.2.1",
	routes: [{dst: "192.168.0.0/16", gw: "10.1.2.9"}, {dst: "0.0.0.0/0"}]}}'
new_ipam='{cniVersion: $v, ips: [{address: "10.1.2.2/24", gateway: "10.1.2.1"}],
	routes: [{dst: "192.168.0.0/16", gw: "10.1.2.9"}, {dst: "0.0.0.0/0"}]}'

@test "host-local ADD at 0.1.0 prints ip4 only" { ipam_layout 0.1.0 "$old_ipam"; }
@test "host-local ADD at 0.2.0 prints ip4 only" { ipam_layout 0.2.0 "$old_ipam"; }
@test "host-local ADD at 0.3.0 prints ips with a version, no interfaces" { ipam_layout 0.3.0 "$new_ipam | .ips[0].version = \"4\""; }
@test "host-local ADD at 0.3.1 prints ips with a version, no interfaces" { ipam_layout 0.3.1 "$new_ipam | .ips[0].version = \"4\""; }
@test "host-local ADD at 0.4.0 prints ips with a version, no interfaces" { ipam_layout 0.4.0 "$new_ipam | .ips[0].version = \"4\""; }
@test "host-local ADD at 1.0.0 prints ips without a version, no interfaces" { ipam_layout 1.0.0 "$new_ipam"; }
@test "host-local ADD at 1.1.0 prints ips without a version, no interfaces" { ipam_layout 1.1.0 "$new_ipam"; }

# loopback. 0.1.0 to 0.4.0 must print their own layouts too.

loopback_layout() {
	need "$1"
	ip -n a link set lo down
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	add loopback
	same "$(jq 'if .dns == {} then del(.dns) else . end |
		del(.interfaces[]?.mtu)' <<<"$out")" "$2"
	sees '.[0].flags | index("UP")' a link show dev lo
}

old_lo='{cniVersion: $v, ip4: {ip: "127.0.0.1/8"}, ip6: {ip: "::1/128"}}'
new_lo='{cniVersion: $v,
	interfaces: [{name: "lo", mac: "00:00:00:00:00:00", sandbox: "/run/netns/a"}],
	ips: [{address: "127.0.0.1/8", interface: 0}, {address: "::1/128", interface: 0}]}'
mid_lo="$new_lo | .ips[0].version = \"4\" | .ips[1].version = \"6\""

@test "loopback ADD at 0.1.0 prints ip4 and ip6" { loopback_layout 0.1.0 "$old_lo"; }
@test "loopback ADD at 0.2.0 prints ip4 and ip6" { loopback_layout 0.2.0 "$old_lo"; }
@test "loopback ADD at 0.3.0 prints ips with a version" { loopback_layout 0.3.0 "$mid_lo"; }
@test "loopback ADD at 0.3.1 prints ips with a version" { loopback_layout 0.3.1 "$mid_lo"; }
@test "loopback ADD at 0.4.0 prints ips with a version" { loopback_layout 0.4.0 "$mid_lo"; }
@test "loopback ADD at 1.0.0 prints ips without a version" { loopback_layout 1.0.0 "$new_lo"; }
@test "loopback ADD at 1.1.0 prints ips without a version" { loopback_layout 1.1.0 "$new_lo"; }

@test "loopback passes a prevResult through" {
	need 1.0.0
	result='{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/x"}],
		"ips":[{"address":"10.9.9.9/24","gateway":"10.9.9.1","interface":0}],
		"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.9.9.1"]}}'
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	with_result ADD loopback
	same "$out" "$result"
}

@test "loopback passes a prevResult without a cniVersion through" {
	need 0.4.0
	result='{"ips":[{"version":"4","address":"10.9.9.9/24"}]}'
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	with_result ADD loopback
	same "$(jq 'del(.dns)' <<<"$out")" "$result | .cniVersion = \$v"
}

@test "loopback CHECK sees whether lo is up, whatever CNI_IFNAME is" {
	need 1.0.0
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	add loopback
	check loopback
	ip -n a link set lo down
	with_result CHECK loopback
	refused any .
}

@test "loopback DEL succeeds, twice, without CNI_NETNS and without the namespace" {
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	add loopback
	del loopback
	del loopback
	del loopback CNI_NETNS=
	del loopback CNI_NETNS=/run/netns/gone
}

@test "loopback ADD into a namespace that is not there is an error" {
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	cni ADD loopback CNI_NETNS=/run/netns/gone
	refused any gone
}

@test "two addresses of a family are refused below 0.3.0" {
	version=0.2.0
	bridge_conf '.ipam = {type: "host-local", ranges: [[{subnet: "10.1.2.0/24"}], [{subnet: "10.1.3.0/24"}]]}'
	cni ADD bridge
	refused any 'address per family'
	eq "$(reserved)" ''
}

@test "routes keep mtu, advmss, priority, table and scope in the result" {
	need 1.0.0
	ipam_conf '.routes = [{dst: "192.168.0.0/16", gw: "10.1.2.9", mtu: 1400,
		advmss: 1360, priority: 10, table: 100, scope: 0}]'
	add host-local
	# The older reference does not know the keys of 1.1.0.
	need 1.1.0
	same "$(jq '.routes[0]' <<<"$out")" '{dst: "192.168.0.0/16", gw: "10.1.2.9",
		mtu: 1400, advmss: 1360, priority: 10, table: 100, scope: 0}'
}
