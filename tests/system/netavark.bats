#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2016 # tests are subshells; jq has $names
#
# The network driver for podman 5, given by hand what podman and netavark give to a
# plugin. With netavark itself: tests/clients/netavark.bats.

bats_require_minimum_version 1.5.0

load ../lib/system

conf=/etc/cni/net.d
PEER=${PEER:-$(dirname "$CNI_BIN")/tests/peer}

NETWORK='{"name": "n1", "id": "c73848a2dc6d3d228b197936046ad694", "driver": "hawser",
	"network_interface": "podman1", "ipv6_enabled": true, "internal": false, "dns_enabled": false,
	"subnets": [{"subnet": "10.89.1.0/24", "gateway": "10.89.1.1", "lease_range": null},
		{"subnet": "fd89::/64", "gateway": "fd89::1"}],
	"options": {"mtu": "1400", "isolate": "true"}, "ipam_options": {"driver": "host-local"},
	"network_dns_servers": null}'
REQUEST='{"container_id": "898638380e43", "container_name": "web",
	"port_mappings": [{"host_ip": "", "host_port": 8080, "container_port": 80, "range": 2, "protocol": "tcp"}],
	"network_options": {"aliases": ["898638380e43"], "interface_name": "eth0", "options": null,
		"static_ips": ["10.89.1.2", "fd89::2"], "static_mac": "aa:bb:cc:dd:aa:00"}}'

setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	tmp=$BATS_TEST_TMPDIR
	export CNI_PATH=$CNI_BIN
	ip netns add blue
	jq -n '{cniVersion: "1.0.0", name: "lan", plugins: [
		{type: "bridge", bridge: "br-lan", isGateway: true, ipam: {type: "host-local",
			ranges: [[{subnet: "10.7.0.0/24"}]], routes: [{dst: "0.0.0.0/0"}]},
			dns: {nameservers: ["10.7.0.53"], search: ["lan"]}},
		{type: "portmap", capabilities: {portMappings: true}}]}' >"$conf/lan.conflist"
}

teardown() {
	[ -z "${server-}" ] || kill "$server" || :
	clean_up
}

# network JQ-FILTER, request JQ-FILTER: what goes to stdin.
network() {
	jq -n "$NETWORK | $1"
}

request() {
	jq -n --argjson network "$NETWORK" "$REQUEST | .network = \$network | ${1:-.}"
}

of_list='.network |= (.subnets = null | .options = {conflist: "lan"} | .ipam_options.driver = "none") |
	.network_options.static_ips = null | .network_options.static_mac = null'

call() { # VERB [NETNS], with stdin
	run --separate-stderr env -i CNI_PATH="$CNI_BIN" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		"$CNI_BIN/hawser" "$@"
}

failed() { # WORDS...
	local word
	[ "$status" = 1 ]
	json 'keys == ["error"]'
	for word in "$@"; do
		[[ $output = *"$word"* ]] || {
			echo "\"$word\" is not in: $output" >&2
			return 1
		}
	done
}

# The state after everything that stays with the host was made once.
warm() {
	call setup /run/netns/blue < <(request '.container_id = "warm"')
	ok
	call teardown /run/netns/blue < <(request '.container_id = "warm"')
	ok
	state
}

@test "says who it is" {
	call info </dev/null
	ok
	json '.api_version == "1.0.0" and (.version | length > 0)'
}

@test "create gives the network back, with a bridge where it has none" {
	call create < <(network .)
	ok
	[ "$(jq -c . <<<"$output")" = "$(network . | jq -c .)" ]
	call create < <(network 'del(.network_interface)')
	ok
	json '.network_interface == "hw-c73848a2dc6d" and .name == "n1"'
}

@test "create leaves addresses and names to a list of the administrator's" {
	call create < <(network '.subnets = null | .dns_enabled = true | .options = {conflist: "lan"}')
	ok
	json '.ipam_options == {driver: "none"} and .dns_enabled == false and .subnets == null'
}

@test "create refuses what setup could not do" {
	while IFS=';' read -r filter words; do
		call create < <(network "$filter")
		failed "$words"
	done <<-'END'
		.options.mut = "1";\"mut\" is not known
		.subnets = [];network \"n1\": needs a subnet
		.options.mtu = "big";options.mtu\": \"big\" is not a number up to 65535
		.options.mtu = "-1";options.mtu\": \"-1\" is not a number
		.options.mtu = "65536";options.mtu\": \"65536\" is not a number up to 65535
		.options.vlan = "1x";options.vlan\": \"1x\" is not a number up to 4094
		.options.vlan = "4095";options.vlan\": \"4095\" is not a number up to 4094
		.options.metric = "4294967296";options.metric\": \"4294967296\" is not a number
		.options.isolate = "maybe";options.isolate\": \"maybe\" is not true or false
		.options.isolate = "strict";network \"n1\": option \"isolate\": strict would close other networks
		.options.no_default_route = "";options.no_default_route\": \"\" is not true or false
		.subnets |= .[:1];IPv6 needs a subnet
		.routes = [{"gateway": "10.89.1.9"}];routes[0]\" has no \"destination\"
		.routes = [{"destination": "10.9.0.0/33"}];routes[0].destination\": \"10.9.0.0/33\" is not a subnet
		.routes = [{"destination": "10.9.0.0/16", "route_type": "blackhole"}];10.9.0.0/16: type \"blackhole\" is not supported
		del(.id);\"id\"
	END
	call create <<<'{'
	failed stdin
}

@test "create refuses what would get lost: with a list, and with others' addresses" {
	while IFS=';' read -r filter words; do
		call create < <(network ".subnets = null | .ipv6_enabled = false | .options = {} | $filter")
		failed "$words"
	done <<-'END'
		.options = {conflist: "nowhere"};no network \"nowhere\"
		.options = {conflist: "lan"} | .subnets = [{subnet: "10.9.0.0/24"}];\"subnets\" is for the list \"lan\" to say
		.options = {conflist: "lan"} | .internal = true;\"internal\" is for the list
		.options = {conflist: "lan"} | .network_dns_servers = ["10.9.0.1"];\"network_dns_servers\" is for the list
		.options = {conflist: "lan", mtu: "1300"};\"options.mtu\" is for the list
		.options = {conflist: "lan", vlan: "5"};\"options.vlan\" is for the list
		.ipam_options.driver = "none" | .subnets = [{subnet: "10.9.0.0/24"}];\"subnets\" cannot be given with the IPAM driver none
		.ipam_options.driver = "none" | .options.isolate = "1";\"options.isolate\" cannot be given
		.ipam_options.driver = "dhcp" | .routes = [{destination: "10.9.0.0/16"}];\"routes\" cannot be given with the IPAM driver dhcp
		.ipam_options.driver = "dhcp" | .network_interface = "";dhcp needs \"network_interface\"
	END
}

@test "setup attaches with podman's addresses, teardown leaves nothing" {
	local before
	before=$(warm)
	call setup /run/netns/blue < <(request)
	ok
	[ "$(jq -c . <<<"$output")" = '{"dns_search_domains":[],"dns_server_ips":[],"interfaces":{"eth0":{"mac_address":"aa:bb:cc:dd:aa:00","subnets":[{"gateway":"10.89.1.1","ipnet":"10.89.1.2/24"},{"gateway":"fd89::1","ipnet":"fd89::2/64"}]}}}' ]
	[ "$(ip -n blue -j link show eth0 | jq -r '.[0] | "\(.mtu) \(.address)"')" = '1400 aa:bb:cc:dd:aa:00' ]
	ip netns exec blue ping -qc1 -W2 10.89.1.1 >"$tmp/ping"
	[ "$(ip -n blue -j -6 route show default | jq -r '.[0].gateway')" = fd89::1 ]
	call teardown /run/netns/blue < <(request)
	ok
	[ -z "$output" ]
	same_state "$before"
	[ ! -e /sys/class/net/podman1 ] # podman tells nobody of "network rm"
	call teardown /run/netns/blue < <(request)
	ok
}

@test "ports lead to the container, through the first of its networks, then the next" {
	ip netns exec blue "$PEER" serve tcp 81 blue >"$tmp/serve" 2>&1 3>&- &
	server=$!
	until ip netns exec blue ss -Hltn | grep -q :81; do :; done
	call setup /run/netns/blue < <(request)
	ok
	call setup /run/netns/blue < <(request "$of_list | .network_options.interface_name = \"eth1\"")
	ok
	[[ $("$PEER" ask tcp 10.89.1.1 8081) = blue* ]]
	[ "$(nft list ruleset | grep -c 'tcp \. 8081')" = 2 ] # in both families
	call teardown /run/netns/blue < <(request)
	ok
	[[ $("$PEER" ask tcp 10.7.0.1 8081) = blue* ]]
}

@test "ports are not lost on a network that cannot publish them" {
	jq 'del(.plugins[1])' "$conf/lan.conflist" >"$tmp/new"
	mv "$tmp/new" "$conf/lan.conflist"
	call setup /run/netns/blue < <(request "$of_list | .network_options.interface_name = \"eth1\"")
	ok
	call setup /run/netns/blue < <(request)
	ok
	[ "$(nft list ruleset | grep -c 'tcp \. 8081')" = 2 ]
}

@test "a list of the administrator's gives addresses and DNS" {
	call setup /run/netns/blue < <(request "$of_list")
	ok
	json '.interfaces.eth0.subnets == [{ipnet: "10.7.0.2/24", gateway: "10.7.0.1"}]'
	json '.dns_server_ips == ["10.7.0.53"] and .dns_search_domains == ["lan"]'
}

@test "teardown needs neither the namespace nor the list's file" {
	local before
	call setup /run/netns/blue < <(request "$of_list")
	call teardown /run/netns/blue < <(request "$of_list")
	before=$(state)
	call setup /run/netns/blue < <(request "$of_list")
	ok
	ip netns del blue
	rm "$conf/lan.conflist"
	call teardown /run/netns/blue < <(request "$of_list")
	ok
	ip netns add blue
	same_state "$before"
}

@test "where /var/lib is not ours, state is below /run, and nothing is left" {
	local before
	before=$(warm)
	mount --bind /var/lib /var/lib
	mount -o remount,bind,ro /var/lib
	call setup /run/netns/blue < <(request)
	ok
	call setup /run/netns/blue < <(request "$of_list | .network_options.interface_name = \"eth1\"")
	ok
	[ -e /run/hawser/var-lib/cni/networks/lan/10.7.0.2 ]
	[ -z "$(ls /var/lib/cni/results)" ]
	call teardown /run/netns/blue < <(request)
	ok
	call teardown /run/netns/blue < <(request "$of_list | .network_options.interface_name = \"eth1\"")
	ok
	[ -z "$(find /run/hawser/var-lib/cni/results /run/hawser/var-lib/cni/networks -name '*10.*')" ]
	umount /var/lib
	rm -r /run/hawser/var-lib
	ip link del br-lan
	same_state "$before"
}

@test "an internal network has no default route and is not masqueraded" {
	call setup /run/netns/blue < <(request)
	nft list map inet hawser masquerade4 | grep -q 10.89.1.2
	call teardown /run/netns/blue < <(request)
	call setup /run/netns/blue < <(request '.network.internal = true')
	ok
	[ -z "$(ip -n blue route show default)" ]
	lacks 10.89.1.2 nft list map inet hawser masquerade4
}

@test "routes, a metric, and no default route" {
	local request='.network |= (.options.metric = "50" | .routes = [
		{destination: "10.9.0.0/16", gateway: "10.89.1.9", metric: 200}, {destination: "10.10.0.0/16", gateway: "10.89.1.9"}])'
	call setup /run/netns/blue < <(request "$request")
	ok
	[ "$(ip -n blue -j route | jq -c '[.[] | select(.gateway)] | sort_by(.dst) | .[] | [.dst, .gateway, .metric]')" = \
		'["10.10.0.0/16","10.89.1.9",null]
["10.9.0.0/16","10.89.1.9",200]
["default","10.89.1.1",50]' ]
	[ "$(ip -n blue -j -6 route show default | jq '.[0].metric')" = 50 ]
	call teardown /run/netns/blue < <(request "$request")
	ok
	call setup /run/netns/blue < <(request '.network.options.no_default_route = "true"')
	ok
	[ -z "$(ip -n blue route show default)$(ip -n blue -6 route show default)" ]
}

@test "a network's nameservers are asked for other names" {
	call setup /run/netns/blue < <(request '.network |= (.dns_enabled = true | .network_dns_servers = ["10.89.1.53"])')
	ok
	grep -x 'server=10.89.1.53' /run/containers/cni/dnsname/n1/dnsmasq.conf
	call teardown /run/netns/blue < <(request '.network |= (.dns_enabled = true | .network_dns_servers = ["10.89.1.53"])')
	ok
}

others='.network |= (.subnets = null | .ipv6_enabled = false | .options = {} | .network_interface = "br9") |
	.network_options.static_ips = null | .port_mappings = []'

@test "a DHCP server's addresses, on a bridge that is not ours and stays" {
	ip link add br9 type bridge
	ip addr add 10.9.0.1/24 dev br9
	ip link set br9 up
	dnsmasq --no-daemon --conf-file=/dev/null --port=0 --no-ping --interface=br9 --dhcp-leasefile="$tmp/leases" \
		--dhcp-range=10.9.0.100,10.9.0.100 --dhcp-option=option:dns-server,10.9.0.53 >"$tmp/dnsmasq" 2>&1 3>&- &
	server=$!
	call create < <(request "$others | .network | .ipam_options.driver = \"dhcp\" | .dns_enabled = true")
	ok
	json '.dns_enabled == false'
	call setup /run/netns/blue < <(request "$others | .network.ipam_options.driver = \"dhcp\"")
	ok
	json '.interfaces.eth0.subnets == [{ipnet: "10.9.0.100/24", gateway: "10.9.0.1"}] and .dns_server_ips == ["10.9.0.53"]'
	ip netns exec blue ping -qc1 -W2 10.9.0.1 >"$tmp/ping"
	[ "$(ip -n blue -j link show eth0 | jq -r '.[0].address')" = aa:bb:cc:dd:aa:00 ]
	call teardown /run/netns/blue < <(request "$others | .network.ipam_options.driver = \"dhcp\"")
	ok
	timeout 5 sh -c "while [ -s '$tmp/leases' ]; do sleep 0.01; done"
	[ -e /sys/class/net/br9 ]
}

@test "no addresses at all: a port of the bridge, which goes with it if it is ours" {
	local own="$others | .network |= (.ipam_options.driver = \"none\" | .network_interface = \"hw-c73848a2dc6d\")"
	call setup /run/netns/blue < <(request "$own")
	ok
	json '.interfaces.eth0.subnets == []'
	[ "$(ip -n blue -j -4 addr show eth0 | jq -c '[.[].addr_info[]?]')" = '[]' ]
	[ "$(ip -j link show master hw-c73848a2dc6d | jq '.[0].operstate')" = '"UP"' ]
	call teardown /run/netns/blue < <(request "$own")
	ok
	[ ! -e /sys/class/net/hw-c73848a2dc6d ]
}

@test "what fails is undone, and named" {
	local before
	before=$(warm)
	call setup /run/netns/blue < <(request '.network_options.static_ips = ["10.90.0.1"]')
	failed 10.90.0.1 '\"n1\"'
	call setup /run/netns/blue < <(request '.network_options.static_mac = "x"')
	failed '\"x\"'
	call setup /run/netns/blue < <(request '.port_mappings[0].protocol = "icmp"')
	failed icmp
	call setup /run/netns/gone < <(request)
	failed /run/netns/gone
	call setup /run/netns/blue < <(request '.network_options.options = {host_interface_name: "web0"}')
	failed '\"host_interface_name\" is not known'
	call setup /run/netns/blue < <(request 'del(.network_options.interface_name)')
	failed interface_name
	call setup < <(request)
	failed 'network namespace'
	same_state "$before"
}
