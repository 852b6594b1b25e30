#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2016 # tests are subshells; jq has $names
#
# The network driver "hawser", called by netavark: what podman 5 asks it for, for
# one container at a time. NETAVARK is the program; 1.6 is the first with plugins.
#
#	NETAVARK=... tests/lib/sandbox.sh bats tests/clients/netavark.bats

bats_require_minimum_version 1.5.0

load ../lib/system
load ../lib/unpacked

conf=/etc/cni/net.d
repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PEER=${PEER:-$(dirname "$CNI_BIN")/tests/peer}

setup_file() {
	[ -n "${NETAVARK-}" ] || lay_over_usr "$repo/build/unpacked-sid"/{netavark,libc6}
}

find_netavark() {
	local version
	NETAVARK=${NETAVARK:-$(PATH=$PATH:/usr/lib/podman:/usr/libexec/podman type -P netavark)} ||
		skip "no netavark"
	version=$("$NETAVARK" --version | awk '{print $2}')
	[ "$(printf '%s\n' 1.6 "$version" | sort -V | head -n 1)" = 1.6 ] ||
		skip "netavark $version is older than 1.6"
}

setup() {
	find_netavark
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	tmp=$BATS_TEST_TMPDIR
	mkdir "$tmp/plugins" "$tmp/run"
	ln -s "$CNI_BIN/hawser" "$tmp/plugins/hawser"
	jq -n '{cniVersion: "1.0.0", name: "lan", plugins: [
		{type: "bridge", bridge: "br-lan", isGateway: true, ipam: {type: "host-local",
			ranges: [[{subnet: "10.7.0.0/24"}]]}}]}' >"$conf/lan.conflist"
	ip netns add blue
	ip netns exec blue "$PEER" serve tcp 80 blue >"$tmp/serve" 2>&1 3>&- &
	server=$!
	until ip netns exec blue ss -Hltn | grep -q :80; do :; done
}

teardown() {
	[ -z "${server-}" ] || kill "$server" || :
	clean_up
}

# request JQ-FILTER: a container on a network of podman's and on a list.
request() {
	jq -n '{container_id: "898638380e43", container_name: "web", container_hostname: "web",
		port_mappings: [{host_ip: "", host_port: 8080, container_port: 80, range: 1, protocol: "tcp"}],
		networks: {
			n1: {static_ips: ["10.89.1.2"], aliases: ["898638380e43"], interface_name: "eth0"},
			n2: {interface_name: "eth1"}},
		network_info: {
			n1: {name: "n1", id: "c7384", driver: "hawser", network_interface: "podman1",
				subnets: [{subnet: "10.89.1.0/24", gateway: "10.89.1.1"}], ipv6_enabled: false,
				internal: false, dns_enabled: false, ipam_options: {driver: "host-local"}},
			n2: {name: "n2", id: "d8495", driver: "hawser", ipv6_enabled: false, internal: false,
				dns_enabled: false, options: {conflist: "lan"}, ipam_options: {driver: "none"}}}} |'"${1:-.}"
}

netavark() { # setup|teardown [JQ-FILTER]
	run --separate-stderr env PATH=/usr/sbin:/usr/bin:/sbin:/bin NETAVARK_FW=nftables \
		"$NETAVARK" --config "$tmp/run" --plugin-directory "$tmp/plugins" "$1" /run/netns/blue \
		< <(request "${2:-.}") 3>&-
}

# The state after everything that stays with the host was made once.
warm() {
	netavark setup
	ok
	netavark teardown
	ok
	state
}

@test "a container is on both networks until it is torn down" {
	local before
	before=$(warm)
	netavark setup
	ok
	json '.n1.interfaces.eth0.subnets == [{ipnet: "10.89.1.2/24", gateway: "10.89.1.1"}]'
	json '.n2.interfaces.eth1.subnets[0].ipnet == "10.7.0.3/24"'
	ip netns exec blue ping -qc1 -W2 10.89.1.1 >"$tmp/ping"
	ip netns exec blue ping -qc1 -W2 10.7.0.1 >"$tmp/ping"
	[[ $("$PEER" ask tcp 10.89.1.1 8080) = blue* ]]
	netavark teardown
	ok
	same_state "$before"
}

@test "what one network refuses leaves nothing of the others" {
	local before
	before=$(warm)
	netavark setup '.network_info.n2.options.conflist = "nowhere"'
	[ "$status" = 1 ]
	json '.error | contains("no network \"nowhere\"")'
	same_state "$before"
	netavark setup '.networks.n1.static_ips = ["10.90.0.1"]'
	[ "$status" = 1 ]
	json '.error | contains("10.90.0.1")'
	same_state "$before"
}
