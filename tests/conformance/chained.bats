#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plugins that stand behind another in a chain: portmap and firewall.

load lib

# behind_bridge PLUGIN [FILTER]: $conf for a plugin whose prevResult is what
# bridge has just printed.
behind_bridge() {
	offers "$1"
	if [ -z "${bridged-}" ]; then
		bridge_conf '.isDefaultGateway = true | .hairpinMode = true'
		add bridge
		bridged=$result
	fi
	set_conf "{cniVersion: \$v, name: \"net\", type: \"$1\", prevResult: $bridged}" "${2-}"
}

with_ports='.runtimeConfig = {portMappings: [{hostPort: 8080, containerPort: 80, protocol: "tcp"}]}'

# Another machine, at 192.0.2.2, and a server in the container.
with_peers() {
	netns_new b
	ip link add uplink type veth peer name eth0 netns b
	ip addr add 192.0.2.1/24 dev uplink
	ip link set uplink up
	ip -n b addr add 192.0.2.2/24 dev eth0
	ip -n b link set eth0 up
	serve a
}

# serve NAMESPACE: on port 80, until the test ends
serve() {
	ip netns exec "$1" busybox httpd -f -p 80 -h "$tmp" >/dev/null 2>&1 3>&- &
	servers+=($!)
	until ip netns exec "$1" ss -tln | grep -q :80; do sleep 0.01; done
}

teardown() {
	[ -z "${servers[*]}" ] || kill "${servers[@]}" || :
	clean_up
}

# get ADDRESS:PORT [NAMESPACE]: whether a server answers there.
get() {
	${2:+ip netns exec "$2"} timeout "${3:-5}" busybox wget -q -O - "http://$1/" 2>&1 |
		grep -q 404
}

@test "what the plugin before has printed is passed on" {
	local plugin
	for plugin in portmap firewall; do
		behind_bridge "$plugin" "$with_ports"
		add "$plugin"
		eq "$(jq '.ips, .interfaces' <<<"$out")" "$(jq '.prevResult | .ips, .interfaces' <<<"$conf")"
		cni DEL "$plugin"
		silent
	done
}

@test "portmap without mappings passes the result on as well" {
	local filter
	for filter in . '.runtimeConfig = {portMappings: []}'; do
		behind_bridge portmap "$filter"
		add portmap
		eq "$(jq .ips <<<"$out")" "$(jq .prevResult.ips <<<"$conf")"
		cni DEL portmap
		silent
	done
}

@test "ADD that is not behind another plugin is an error" {
	local plugin
	for plugin in portmap firewall; do
		offers "$plugin"
		set_conf "{cniVersion: \$v, name: \"net\", type: \"$plugin\"}" "$with_ports"
		cni ADD "$plugin"
		[ "$status" != 0 ] || fail "$plugin: $out"
	done
}

@test "DEL of what was never added succeeds" {
	local plugin
	for plugin in portmap firewall; do
		offers "$plugin"
		set_conf "{cniVersion: \$v, name: \"net\", type: \"$plugin\"}" "$with_ports"
		cni DEL "$plugin"
		silent
		cni DEL "$plugin" CNI_NETNS=
		silent
	done
}

@test "a host port leads to the container, until DEL" {
	behind_bridge portmap "$with_ports"
	with_peers
	! get 192.0.2.1:8080 b 0.5 || fail "before ADD"
	add portmap
	get 192.0.2.1:8080 b || fail "from another machine"
	get 192.0.2.1:8080 '' || fail "from the host"
	get 127.0.0.1:8080 '' || fail "from 127.0.0.1"
	get 192.0.2.1:8080 a || fail "from the container itself"
	cni DEL portmap
	silent
	! get 192.0.2.1:8080 b 0.5 || fail "after DEL"
	cni DEL portmap
	silent
}

@test "CHECK of a host port succeeds while it is there" {
	behind_bridge portmap "$with_ports"
	add portmap
	cni CHECK portmap
	silent
	nft flush ruleset
	cni CHECK portmap
	[ "$status" != 0 ] || fail "nothing is there any more"
}

@test "a host port at one address is not at another" {
	behind_bridge portmap "$with_ports | .runtimeConfig.portMappings[0].hostIP = \"192.0.2.1\""
	with_peers
	ip addr add 192.0.2.7/24 dev uplink
	add portmap
	get 192.0.2.1:8080 b || fail "at its own address"
	! get 192.0.2.7:8080 b 0.5 || fail "at another"
}

@test "a mapping that cannot be is an error" {
	local filter
	for filter in '.hostPort = 0' '.hostPort = 70000' '.containerPort = -1' \
		'.protocol = "nosuch"' '.hostIP = "nosuch"'; do
		behind_bridge portmap "$with_ports | .runtimeConfig.portMappings[0] |= ($filter)"
		cni ADD portmap
		[ "$status" != 0 ] || fail "$filter: $out"
	done
}

@test "ADD once more changes where the port leads, and DEL ends it" {
	behind_bridge portmap "$with_ports"
	with_peers
	conf=$(jq -c '.prevResult.ips[0].address = "10.1.2.77/24"' <<<"$conf")
	add portmap
	conf=$(jq -c '.prevResult.ips[0].address = "10.1.2.2/24"' <<<"$conf")
	cni ADD portmap
	get 192.0.2.1:8080 b 1 || fail "it leads to where it led before"
	cni DEL portmap
	silent
	! get 192.0.2.1:8080 b 0.5 || fail "after DEL"
}

@test "firewall lets a container out where the FORWARD policy drops" {
	behind_bridge firewall
	with_peers
	ip -n b route add 10.1.2.0/24 via 192.0.2.1
	serve b
	iptables -P FORWARD DROP
	! get 192.0.2.2:80 a 0.5 || fail "before ADD"
	add firewall
	get 192.0.2.2:80 a || fail "after ADD"
	cni CHECK firewall
	silent
	cni DEL firewall
	silent
	! get 192.0.2.2:80 a 0.5 || fail "after DEL"
	iptables -P FORWARD ACCEPT
}

@test "firewall: networks of one bridge only are closed to others" {
	behind_bridge firewall '.ingressPolicy = "same-bridge"'
	with_peers
	add firewall
	cid=c2 netns=/run/netns/d
	netns_new d
	bridge_conf '.isDefaultGateway = true | .bridge = "br1" | .name = "other" | .ipam.subnet = "10.1.3.0/24"'
	add bridge
	get 10.1.2.2:80 d || fail "before the other network has the plugin"
	set_conf "{cniVersion: \$v, name: \"other\", type: \"firewall\", ingressPolicy: \"same-bridge\", prevResult: $result}"
	add firewall
	! get 10.1.2.2:80 d 0.5 || fail "from another network"
	get 10.1.2.2:80 '' || fail "from the host"
}

@test "an ingress policy that nobody knows is an error" {
	behind_bridge firewall '.ingressPolicy = "nosuch"'
	cni ADD firewall
	[ "$status" != 0 ] || fail "$out"
}
