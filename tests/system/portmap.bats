#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Host ports: what the map holds, who may change it, and what is refused. Who
# reaches whom is in portmap_traffic.bats.

load ../lib/system

# portmap works on the host alone; a namespace only says who is alive.
BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"portmap","snat":false,
 "prevResult":{"cniVersion":"1.0.0",
  "interfaces":[{"name":"br0"},{"name":"eth0","sandbox":"/run/netns/x"}],
  "ips":[{"address":"10.1.0.2/24","interface":1},{"address":"fd00:1::2/64","interface":1}]},
 "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}}'

setup() {
	conf .
}

teardown() {
	clean_up
}

# The elements of all our sets and maps: "SET KEY... [: VALUE...]".
all_elements() {
	nft -j list table inet hawser | jq -r '.nftables[] | .set // .map | select(.) | .name as $name |
		.elem // [] | .[] | (if type == "array" then . else [.] end) |
		map(if .elem then .elem.val else . end | if type == "object" then .concat else [.] end | join(" ")) |
		$name + " " + join(" : ")' | sort
}

elements() { # SET
	all_elements | sed -n "s/^$1 //p"
}

count() { # SET
	elements "$1" | wc -l
}

nothing_left() {
	[ -z "$(all_elements)" ] || {
		all_elements
		return 1
	}
}

@test "a port is one element in each family, and the result is the one before" {
	try ADD portmap c1
	ok
	json '.ips | length == 2'
	json '.interfaces[1].name == "eth0"'
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.1.0.2 80' ]
	[ "$(elements hostports6-any)" = 'tcp 8080 : fd00:1::2 80' ]
	try CHECK portmap c1
	ok
	try DEL portmap c1
	ok
	nothing_left
}

@test "ADD once more is no error, and changes what has changed" {
	try ADD portmap c1
	ok
	conf '.prevResult.ips[0].address = "10.1.0.9/24"'
	try ADD portmap c1
	ok
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.1.0.9 80' ]
	try DEL portmap c1
	ok
	try DEL portmap c1
	ok
	nothing_left
}

@test "a port that another container has is an error that names it" {
	ip netns add c1
	ip netns add c3
	try ADD portmap c1
	ok
	conf '.name = "n2" | .prevResult.ips[0].address = "10.2.0.2/24"
		| .runtimeConfig.portMappings = [range(8070; 8090) | {hostPort: ., containerPort: 80, protocol: "tcp"}]'
	try ADD portmap c2
	refused 100 'host port 8080/tcp' 'net: n1' 'id: c1'
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.1.0.2 80' ]
	[ "$(count hostports4-any)" = 1 ]
	# the same at one address of the host
	conf '.runtimeConfig.portMappings[0].hostIP = "192.0.2.1"'
	try ADD portmap c3
	ok
	try ADD portmap c4
	refused 100 'host port 192.0.2.1 8080/tcp' 'id: c3'
	try DEL portmap c4
	ok
	[ "$(count hostports4)" = 1 ]
	# a dead container has none
	ip netns del c3
	try ADD portmap c4
	ok
	try DEL portmap c3
	ok
	[ "$(count hostports4)" = 1 ]
}

# As podman asks for it: podman run --network n1,n2 -p 8080:80.
@test "a container on two networks has a port by the first of them" {
	ip netns add c1
	try ADD portmap c1
	ok
	conf '.name = "n2" | .prevResult.interfaces[1].name = "eth1"
		| .prevResult.ips = [{address: "10.2.0.2/24", interface: 1}]
		| .runtimeConfig.portMappings += [{hostPort: 8081, containerPort: 80, protocol: "tcp"}]'
	try ADD portmap c1 CNI_IFNAME=eth1
	ok
	[ "$(elements hostports4-any | tr '\n' ',')" = 'tcp 8080 : 10.1.0.2 80,tcp 8081 : 10.2.0.2 80,' ]
	try CHECK portmap c1 CNI_IFNAME=eth1
	ok
	try DEL portmap c1 CNI_IFNAME=eth1
	ok
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.1.0.2 80' ]
	try ADD portmap c1 CNI_IFNAME=eth1
	ok
	# another container is told who has it
	try ADD portmap c2 CNI_IFNAME=eth1
	refused 100 'host port 8080/tcp' 'net: n1' 'id: c1'
	conf .
	try CHECK portmap c1
	ok
	try DEL portmap c1
	ok
	[ "$(elements hostports4-any | tr '\n' ',')" = 'tcp 8080 : 10.2.0.2 80,tcp 8081 : 10.2.0.2 80,' ]
	conf '.name = "n2"'
	try DEL portmap c1 CNI_IFNAME=eth1
	ok
	nothing_left
}

# on_network NETWORK IFNAME ADDRESS: the configuration of one of a container's.
on_network() {
	conf ".name = \"$1\" | .snat = true | .prevResult.interfaces[1].name = \"$2\"
		| .prevResult.ips = [{address: \"$3/24\", interface: 1}]"
}

@test "of a container's networks the next has the port when one goes" {
	ip netns add c1
	for n in 1 2 3; do
		on_network n$n eth$n 10.$n.0.2
		try ADD portmap c1 CNI_IFNAME=eth$n
		ok
	done
	on_network n1 eth1 10.1.0.2
	try DEL portmap c1 CNI_IFNAME=eth1
	ok
	elements hostports4-any | grep -xE 'tcp 8080 : 10\.[23]\.0\.2 80'
	nft delete table inet hawser
	"$CNI_BIN/hawser" reload
	elements hostports4-any | grep -xE 'tcp 8080 : 10\.[23]\.0\.2 80'
	for n in 2 3; do
		on_network n$n eth$n 10.$n.0.2
		try CHECK portmap c1 CNI_IFNAME=eth$n
		ok
	done
	on_network n2 eth2 10.2.0.2
	try DEL portmap c1 CNI_IFNAME=eth2
	ok
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.3.0.2 80' ]
	# what waits is forgotten with its attachment, by DEL and by GC
	on_network n1 eth1 10.1.0.2
	try ADD portmap c1 CNI_IFNAME=eth1
	ok
	try DEL portmap c1 CNI_IFNAME=eth1
	ok
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.3.0.2 80' ]
	try ADD portmap c1 CNI_IFNAME=eth1
	ok
	conf '.name = "n1" | .cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = []'
	try GC portmap x
	ok
	on_network n3 eth3 10.3.0.2
	try DEL portmap c1 CNI_IFNAME=eth3
	ok
	nothing_left
	[ -z "$(ls /run/hawser)" ]
}

@test "one of thousands being taken leaves none of them behind" {
	ip netns add c1
	conf '.runtimeConfig.portMappings[0].hostPort = 12999'
	try ADD portmap c1
	ok
	conf '.runtimeConfig.portMappings = [range(10000; 13000) | {hostPort: ., containerPort: ., protocol: "tcp"}]'
	try ADD portmap c2
	refused 100 'host port 12999/tcp' 'id: c1'
	[ "$(count hostports4-any)" = 1 ]
	[ "$(count hostports6-any)" = 1 ]
}

@test "a port mapped twice: to the same it is one, to another it is an error" {
	conf '.runtimeConfig.portMappings += .runtimeConfig.portMappings'
	try ADD portmap c1
	ok
	[ "$(count hostports4-any)" = 1 ]
	conf '.runtimeConfig.portMappings += [{hostPort: 8080, containerPort: 81, protocol: "tcp"}]'
	try ADD portmap c2
	refused 7 'host port 8080/tcp is mapped twice'
}

@test "clients write the keys as they like" {
	conf '.runtimeConfig.portMappings = [
		{HostPort: 1, ContainerPort: 2, Protocol: "TCP", HostIP: ""},
		{hostport: 3, containerport: 4, protocol: "Udp"},
		{hostPort: 5, containerPort: 6},
		{hostPort: 7, containerPort: 8, protocol: "sctp", hostIP: null}]'
	try ADD portmap c1
	ok
	[ "$(elements hostports4-any | tr '\n' ',')" = \
		'sctp 7 : 10.1.0.2 8,tcp 1 : 10.1.0.2 2,tcp 5 : 10.1.0.2 6,udp 3 : 10.1.0.2 4,' ]
}

@test "no mappings: nothing is done, and nothing is asked" {
	local mappings
	for mappings in null '[]'; do
		conf ".runtimeConfig.portMappings = $mappings"
		try ADD portmap c1
		ok
		json '.ips | length == 2'
		try CHECK portmap c1
		ok
		try DEL portmap c1
		ok
	done
	conf 'del(.runtimeConfig)'
	try ADD portmap c1
	ok
	no nft list table inet hawser
}

@test "the container's addresses are those of its own interface" {
	conf '.prevResult.interfaces += [{"name":"eth1","sandbox":"/run/netns/x"}]
		| .prevResult.ips = [{address: "10.9.0.9/24", interface: 2},
			{address: "10.9.0.1/24", interface: 0}, {address: "10.1.0.5/24", interface: 1}]'
	try ADD portmap c1
	ok
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.1.0.5 80' ]
	[ "$(count hostports6-any)" = 0 ]
}

@test "what is not right is refused, by name, and changes nothing" {
	local filter words
	while IFS='|' read -r filter words; do
		conf ".runtimeConfig.portMappings[0] |= (. + $filter)"
		try ADD portmap c1
		refused 7 "$words" || { echo "$filter"; return 1; }
		# and where it would be taken down it does not matter
		try DEL portmap c1
		ok
	done <<-'EOF'
	{hostPort: 0}|Invalid host port number: 0
	{hostPort: -1}|Invalid host port number: -1
	{hostPort: 65536}|Invalid host port number: 65536
	{containerPort: 0}|Invalid container port number: 0
	{containerPort: 70000}|Invalid container port number: 70000
	{protocol: "icmp"}|"icmp" is not tcp, udp or sctp
	{protocol: "tcp dport 22 accept; flush ruleset"}|is not tcp, udp or sctp
	{protocol: "tcp\n"}|is not tcp, udp or sctp
	{hostIP: "1.2.3"}|"1.2.3" is not an IP address
	{hostIP: "::1; flush ruleset"}|is not an IP address
	{hostIP: "$(reboot)"}|is not an IP address
	{hostIP: "127.0.0.1/8"}|is not an IP address
	EOF
	conf '.runtimeConfig.portMappings[0].hostPort = "80"'
	try ADD portmap c1
	refused 6 'runtimeConfig.portMappings[0].hostPort'
	conf '.backend = "ipfw"'
	try ADD portmap c1
	refused 7 'unrecognized backend "ipfw"'
	conf '.markMasqBit = 32'
	try ADD portmap c1
	refused 7 'MasqMarkBit must be between 0 and 31'
	conf '.markMasqBit = 0 | .externalSetMarkChain = "KUBE-MARK-MASQ"'
	try ADD portmap c1
	refused 7 'Cannot specify externalSetMarkChain and markMasqBit'
	conf 'del(.prevResult)'
	try ADD portmap c1
	refused 7 'must be called as chained plugin'
	no nft list table inet hawser
}

@test "names of networks and containers reach the comment safely" {
	conf '.name = "a.b_c-1"'
	try ADD portmap 'x.y_z-2' CNI_NETNS=/run/netns/x
	ok
	nft list ruleset >"$BATS_TEST_TMPDIR/r"
	nft flush ruleset
	nft -f "$BATS_TEST_TMPDIR/r"
	try CHECK portmap 'x.y_z-2' CNI_NETNS=/run/netns/x
	ok
	try DEL portmap 'x.y_z-2' CNI_NETNS=/run/netns/x
	ok
	nothing_left
}

@test "DEL needs neither result nor mappings nor namespace" {
	local filter
	for filter in 'del(.prevResult)' 'del(.runtimeConfig)' 'del(.prevResult, .runtimeConfig)' \
		'.prevResult = {"cniVersion":"9"}' '.runtimeConfig.portMappings[0].hostPort = 77777'; do
		conf '.snat = true | .runtimeConfig.portMappings[1] = {hostPort: 1, containerPort: 1, hostIP: "10.9.9.9"}'
		ip link add br0 type bridge
		ip addr add 10.1.0.1/24 dev br0
		ip addr add fd00:1::1/64 dev br0 nodad
		ip link set br0 up
		try ADD portmap c1
		ok
		[ "$(count hostports4-hairpin)" = 1 ]
		ip link del br0
		CONF=$(jq -c "$filter" <<<"$CONF")
		try DEL portmap c1 CNI_NETNS=
		ok
		nothing_left
	done
}

@test "CHECK names what is missing or another's" {
	try ADD portmap c1
	ok
	nft delete element inet hawser hostports4-any '{ tcp . 8080 }'
	try CHECK portmap c1
	refused 101 'hostports4-any' '8080/tcp'
	nft add element inet hawser hostports4-any '{ tcp . 8080 : 10.1.0.2 . 80 }'
	try CHECK portmap c1
	refused 101 '8080/tcp'
	try DEL portmap c1
	ok
	[ "$(elements hostports4-any)" = 'tcp 8080 : 10.1.0.2 80' ]
}

@test "GC frees the ports of stale attachments of its network, and no others" {
	local i
	for i in 1 2 3; do
		conf ".runtimeConfig.portMappings[0].hostPort = 800$i"
		try ADD portmap "c$i"
		ok
	done
	conf '.name = "n2"'
	try ADD portmap c4
	ok
	conf '.cniVersion = "1.1.0" | del(.prevResult) | ."cni.dev/valid-attachments" = [{containerID: "c2", ifname: "eth0"}]'
	try GC portmap ''
	ok
	[ "$(elements hostports4-any)" = $'tcp 8002 : 10.1.0.2 80\ntcp 8080 : 10.1.0.2 80' ]
	conf '.cniVersion = "1.1.0" | del(.prevResult)'
	try GC portmap ''
	ok
	[ "$(count hostports4-any)" = 2 ]
}

@test "STATUS says whether it would work" {
	conf '.cniVersion = "1.1.0" | del(.prevResult, .runtimeConfig)'
	try STATUS portmap ''
	ok
	[ -z "$output" ]
	conf '.cniVersion = "1.1.0" | .backend = "ipfw"'
	try STATUS portmap ''
	refused 7 ipfw
}

@test "foreign tables stay as they are, to the byte" {
	local before
	nft -f - <<-'EOF'
	table ip nat {
		chain PREROUTING {
			type nat hook prerouting priority dstnat
			tcp dport 8080 counter dnat to 172.17.0.2:80
		}
		chain DOCKER {
			iifname "docker0" counter return
		}
	}
	table inet firewalld {
		chain filter_FORWARD {
			type filter hook forward priority 10
			ct state { established, related } accept
			reject with icmpx admin-prohibited
		}
	}
	table inet filter {
		chain ufw-user-input {
			tcp dport 22 accept comment "ufw"
		}
	}
	EOF
	before=$(nft -s -a list ruleset)
	try ADD portmap c1
	ok
	try DEL portmap c1
	ok
	nft delete table inet hawser
	[ "$(nft -s -a list ruleset)" = "$before" ]
}

@test "thousands of ports in one call, and gone again" {
	conf '.runtimeConfig.portMappings = [range(10000; 15000) | {hostPort: ., containerPort: ., protocol: "tcp"}]'
	try ADD portmap c1
	ok
	[ "$(count hostports4-any)" = 5000 ]
	[ "$(count hostports6-any)" = 5000 ]
	try CHECK portmap c1
	ok
	try DEL portmap c1
	ok
	nothing_left
}

ports_of() { # CONTAINER-NUMBER: eight mappings
	jq -c --argjson i "$1" '.prevResult.ips = [{address: "10.1.0.\($i + 2)/24"}]
		| .runtimeConfig.portMappings = [range(8) | {hostPort: (20000 + $i * 8 + .), containerPort: ., protocol: "tcp"}]
		| .runtimeConfig.portMappings |= map(.containerPort += 1)' <<<"$BASE_CONF"
}

@test "64 containers with 8 ports at once, half going while others come, amid another's changes" {
	local i churn want pids=()
	nft add table inet other
	while :; do
		nft add chain inet other c
		nft delete chain inet other c
	done 2>/dev/null &
	churn=$!
	for i in $(seq 0 31); do
		cni ADD portmap "c$i" <<<"$(ports_of "$i")" >/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	pids=()
	for i in $(seq 0 31); do
		cni DEL portmap "c$i" <<<"$(ports_of "$i")" &
		pids+=($!)
		cni ADD portmap "c$((i + 32))" <<<"$(ports_of "$((i + 32))")" >/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	kill $churn
	want=$(for i in $(seq 32 63); do
		for p in 0 1 2 3 4 5 6 7; do
			echo "tcp $((20000 + i * 8 + p)) 10.1.0.$((i + 2)) $((p + 1)) c$i"
		done
	done | sort)
	[ "$(nft -j list map inet hawser hostports4-any | jq -r '.nftables[].map.elem[]?
		| "\(.[0].elem.val.concat | join(" ")) \(.[1].concat | join(" ")) \(.[0].elem.comment | sub(".*id: "; ""))"' |
		sort)" = "$want" ]
}

@test "ADD once more with other ports: the old ones go" {
	conf '.runtimeConfig.portMappings = [range(8000; 8600) | {hostPort: ., containerPort: 80}]'
	try ADD portmap c1
	ok
	conf '.runtimeConfig.portMappings = [range(8500; 9100) | {hostPort: ., containerPort: 80}]'
	try ADD portmap c1
	ok
	[ "$(count hostports4-any)" = 600 ]
	conf '.runtimeConfig.portMappings[0].hostPort = 1'
	try DEL portmap c1
	ok
	nothing_left
}

@test "DEL after somebody emptied the chains" {
	local i
	for i in 1 2; do
		conf ".runtimeConfig.portMappings[0].hostPort = $i | .conditionsV4 = [\"iifname lan\"]"
		try ADD portmap "c$i"
		ok
	done
	nft flush table inet hawser
	for i in 1 2; do
		try DEL portmap "c$i"
		ok
	done
	nothing_left
	lacks hostports-if nft list ruleset
}

@test "a failed ADD leaves the loopback addresses closed" {
	ip link add br0 type bridge
	ip addr add 10.1.0.1/24 dev br0
	ip link set br0 up
	conf '.snat = true | .conditionsV4 = ["; bad"]'
	try ADD portmap c1
	refused 7
	[ "$(cat /proc/sys/net/ipv4/conf/br0/route_localnet)" = 0 ]
}

@test "conditions that are none are refused, and leave nothing" {
	local condition
	for condition in 'accept; flush ruleset' $'accept\nflush ruleset' '' 'ip saddr { 1.2.3.4' \
		'} flush ruleset {' 'accept # not the end' 'a \ b' 'bogus words' 'ip saddr nonsense'; do
		conf ".conditionsV4 = [$(jq -Rs . <<<"$condition" | sed 's/\\n"$/"/')]"
		try ADD portmap c1
		refused 7 || { echo "$condition"; return 1; }
		! nft list table inet hawser >/dev/null 2>&1 || nothing_left
		lacks hostports-if- nft list ruleset
	done
	conf '.backend = "nftables" | .conditionsV4 = ["-s", "10.0.0.0/8"]'
	try ADD portmap c1
	refused 7 'nftables backend was requested but configuration contains iptables-specific options [conditionsV4'
	conf '.backend = "iptables" | .conditionsV6 = ["ip6 saddr ::1"]'
	try ADD portmap c1
	refused 7 'iptables backend was requested but configuration contains nftables-specific options [conditionsV6'
}
