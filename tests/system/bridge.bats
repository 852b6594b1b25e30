#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bridge plugin with host-local: what it makes in the kernel, and that it
# gives everything back.

load ../lib/system

BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"bridge","bridge":"br0",
 "isGateway":true,"ipMasq":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]],
  "routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}}'

setup() {
	ip netns add c1
	conf .
}

teardown() {
	clean_up
}

port_of() { # CONTAINER
	ip -j link | jq -er --arg id "id: $1" '.[] | select(.ifalias // "" | endswith($id)) | .ifname'
}

@test "ADD makes the bridge, the pair, addresses, routes and NAT that it reports" {
	add c1
	json '.cniVersion == "1.1.0" and (.interfaces | map(.name))[0] == "br0"'
	json '.interfaces[2] | .name == "eth0" and .sandbox == "/run/netns/c1" and .mtu == 1500'
	json '.ips == [{address:"10.1.0.2/24",gateway:"10.1.0.1",interface:2},{address:"fd00:1::2/64",gateway:"fd00:1::1",interface:2}]'
	[ "$(ip -j link show br0 | jq -r '.[0].address')" = "$(jq -r '.interfaces[0].mac' <<<"$output")" ]
	[ "$(ip -n c1 -j link show eth0 | jq -r '.[0].address')" = "$(jq -r '.interfaces[2].mac' <<<"$output")" ]
	ip -j addr show br0 | jq -e '[.[0].addr_info[].local] | index("10.1.0.1") != null and index("fd00:1::1") != null'
	ip -n c1 -j addr show eth0 | jq -e '[.[0].addr_info[] | select(.scope == "global") | .local] == ["10.1.0.2", "fd00:1::2"]'
	[ "$(ip -n c1 -j route show default | jq -r '.[0].gateway')" = 10.1.0.1 ]
	[ "$(ip -n c1 -6 -j route show default | jq -r '.[0].gateway')" = fd00:1::1 ]
	[ "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr -d '\n')" = 11 ]
	nft get element inet hawser masquerade4 '{ 10.1.0.2 }'
	nft get element inet hawser masquerade6 '{ fd00:1::2 }'
	ip -j -d link show "$(port_of c1)" | jq -e '.[0].master == "br0" and .[0].operstate == "UP"'
	ip netns exec c1 ping -c 1 -W 2 10.1.0.1
	ip netns exec c1 ping -c 1 -W 2 fd00:1::1
}

@test "IPv6 addresses are usable at once, with no tentative one left" {
	add c1
	lacks tentative ip -n c1 -6 addr show eth0
}

@test "enabledad waits for duplicate address detection and finds a duplicate" {
	conf '.enabledad = true | .ipam.ranges = [[{"subnet":"fd00:1::/64"}]] | .ipam.routes = []'
	add c1
	lacks tentative ip -n c1 -6 addr show eth0
	ip netns add c2
	rm /var/lib/cni/networks/n1/fd00:1::2
	before=$(state)
	try ADD bridge c2 CNI_ARGS='IgnoreUnknown=1;IP=fd00:1::2'
	refused 100 fd00:1::2 "in use"
	same_state "$before"
}

@test "ADD again is a clear error and changes nothing" {
	add c1
	before=$(state)
	try ADD bridge c1
	refused 100 'container veth name ("eth0") peer provided' 'already exists'
	same_state "$before"
}

@test "DEL gives everything back, and again, and with an empty CNI_NETNS" {
	ip link add br0 address 02:00:00:00:00:0b up type bridge # DEL never removes a bridge
	before=$(state)
	for netns in /run/netns/c1 ''; do
		CONF=$(jq -c . <<<"$BASE_CONF")
		conf '.isGateway = false'
		add c1
		with_result
		try DEL bridge c1 CNI_NETNS=$netns && ok
		[ -z "$output" ]
		nft delete table inet hawser
		same_state "$before"
		try DEL bridge c1 CNI_NETNS=$netns && ok
		try DEL bridge c1 CNI_NETNS=/run/netns/nowhere && ok
	done
}

@test "DEL after the namespace has gone, without prevResult, leaves nothing" {
	add c1
	ip netns del c1
	try DEL bridge c1
	ok
	no port_of c1
	lacks "id: c1" nft list ruleset
	lacks 10.1. ls /var/lib/cni/networks/n1
	lacks fd00 ls /var/lib/cni/networks/n1
}

@test "DEL where the namespace's file is left over without a namespace" {
	add c1
	umount /run/netns/c1
	touch /run/netns/c1
	try DEL bridge c1
	ok
	no port_of c1
	lacks "id: c1" nft list ruleset
}

@test "after DEL the names are free at once, and no namespace shows a device" {
	for i in $(seq 20); do
		add c1
		port=$(port_of c1)
		with_result
		try DEL bridge c1
		ok
		no ip link show "$port"
		no ip -n c1 link show eth0
		ip link add "$port" type veth peer name eth0 netns c1
		ip link del "$port"
		conf .
	done
}

@test "CHECK is content after ADD" {
	add c1
	with_result
	try CHECK bridge c1
	ok
}

check_names() { # WORDS...: what CHECK must say
	try CHECK bridge c1
	refused 101 "$@"
}

@test "CHECK names a missing address" {
	add c1
	with_result
	ip -n c1 addr del 10.1.0.2/24 dev eth0
	check_names "10.1.0.2/24" eth0
}

@test "CHECK names a missing IPv6 address" {
	add c1
	with_result
	ip -n c1 addr del fd00:1::2/64 dev eth0
	check_names "fd00:1::2/64" eth0
}

@test "CHECK names a missing route" {
	add c1
	with_result
	ip -n c1 route del default
	check_names "0.0.0.0/0"
}

@test "CHECK names a missing IPv6 route" {
	add c1
	with_result
	ip -n c1 -6 route del default
	check_names "::/0"
}

@test "CHECK names an interface that is down" {
	add c1
	with_result
	ip -n c1 link set eth0 down
	check_names eth0 down
}

@test "CHECK names a port that is down" {
	add c1
	with_result
	port=$(port_of c1)
	ip link set "$port" down
	check_names "$port" down
}

@test "CHECK names a port that is not attached to the bridge" {
	add c1
	with_result
	port=$(port_of c1)
	ip link set "$port" nomaster
	check_names "$port" br0
}

@test "CHECK names a missing interface, bridge and gateway address" {
	add c1
	with_result
	ip addr del 10.1.0.1/24 dev br0
	check_names br0 10.1.0.1
	ip -n c1 link del eth0
	check_names eth0 "does not exist"
	ip link del br0
	check_names br0 "does not exist"
}

@test "CHECK names a missing NAT element, and one that is another's" {
	add c1
	with_result
	nft delete element inet hawser masquerade4 '{ 10.1.0.2 }'
	check_names masquerade4 10.1.0.2
	nft add element inet hawser masquerade4 \
		'{ 10.1.0.2 comment "somebody else" : goto masquerade-10.1.0.0/24 }'
	check_names masquerade4 10.1.0.2
}

@test "CHECK names a MAC that has changed and a reservation that has gone" {
	add c1
	with_result
	rm /var/lib/cni/networks/n1/10.1.0.2
	try CHECK bridge c1
	[ "$status" = 1 ]
	json '.msg | contains("10.1.0.2")'
	conf '.ipam = {}'
	ip netns del c1
	add c1
	with_result
	ip -n c1 link set eth0 address 02:00:00:00:00:09
	check_names eth0 MAC 02:00:00:00:00:09
}

@test "CHECK refuses a prevResult whose interface index is out of range" {
	add c1
	with_result
	CONF=$(jq -c '.prevResult.ips[0].interface = 7' <<<"$CONF")
	try CHECK bridge c1
	refused 7 'ips[0].interface' 7
	CONF=$(jq -c '.prevResult.ips[0].interface = -5' <<<"$CONF")
	try CHECK bridge c1
	refused 7 interface
}

@test "CHECK needs a prevResult, and one of this namespace" {
	try CHECK bridge c1
	refused 7 "Required prevResult missing"
	add c1
	with_result
	CONF=$(jq -c '.prevResult.interfaces[2].sandbox = "/run/netns/other"' <<<"$CONF")
	check_names /run/netns/other
}

@test "64 ADDs at once on a bridge that does not exist, then 64 DELs" {
	for i in $(seq 64); do ip netns add "p$i"; done
	before=$(state)
	for i in $(seq 64); do
		cni ADD bridge "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/add$i" &
	done
	wait
	for i in $(seq 64); do
		jq -e '.ips | length == 2' "$BATS_TEST_TMPDIR/add$i"
	done
	[ "$(ip -j link show type bridge | jq length)" = 1 ]
	[ "$(ip -j link show type veth | jq '[.[] | select(.master == "br0")] | length')" = 64 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/add* | jq -r '.ips[].address' | sort -u | wc -l)" = 128 ]
	[ "$(nft -j list map inet hawser masquerade4 | jq '.nftables[1].map.elem | length')" = 64 ]
	for i in $(seq 64); do
		cni DEL bridge "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/del$i" &
	done
	wait
	cat "$BATS_TEST_TMPDIR"/del* >&2
	[ "$(cat "$BATS_TEST_TMPDIR"/del* | wc -c)" = 0 ]
	ip link del br0
	nft delete table inet hawser
	same_state "$before"
}

@test "GC removes what is not valid, of this network only, and keeps the rest" {
	add c1
	add c2
	conf '.name = "n2" | .bridge = "br2" | .ipam.ranges = [[{"subnet":"10.2.0.0/24"}]] | .ipam.routes = []'
	add c3
	conf '."cni.dev/valid-attachments" = [{"containerID":"c2","ifname":"eth0"}]'
	try GC bridge x
	ok
	no port_of c1
	port_of c2
	port_of c3
	lacks "id: c1" nft list ruleset
	nft get element inet hawser masquerade4 '{ 10.1.0.3 }'
	nft get element inet hawser masquerade4 '{ 10.2.0.2 }'
	[ ! -e /var/lib/cni/networks/n1/10.1.0.2 ]
	[ -e /var/lib/cni/networks/n1/10.1.0.3 ]
	[ -e /var/lib/cni/networks/n2/10.2.0.2 ]
}

@test "GC without a list does nothing, with an empty one it removes all" {
	add c1
	before=$(state)
	try GC bridge x
	ok
	conf '."cni.dev/valid-attachments" = null'
	try GC bridge x
	ok
	same_state "$before"
	conf '."cni.dev/valid-attachments" = []'
	try GC bridge x
	ok
	no port_of c1
	lacks "id: c1" nft list ruleset
}

@test "STATUS is content where ADD would work, and says why where not" {
	try STATUS bridge x
	ok
	ip link add br0 type veth peer name br0peer
	try STATUS bridge x
	refused 50 br0 "not a bridge"
}

@test "a failed ADD takes the new bridge, the pair and the address back" {
	before=$(state)
	conf '.ipam.routes = [{"dst":"192.0.2.0/24","gw":"203.0.113.9"}]'
	try ADD bridge c1
	refused 5 192.0.2.0/24 203.0.113.9
	same_state "$before"
}

@test "a failed ADD leaves a bridge that others use" {
	add c1
	before=$(state)
	ip netns add c2
	before=$(state)
	conf '.ipam.routes = [{"dst":"192.0.2.0/24","gw":"203.0.113.9"}]'
	try ADD bridge c2
	refused 5 192.0.2.0/24
	same_state "$before"
}

@test "a result that its version cannot express undoes the ADD" {
	before=$(state)
	conf '.cniVersion = "0.2.0" | del(.ipam)'
	try ADD bridge c1
	refused 7 "cannot convert: no valid IP addresses"
	ip link del br0
	same_state "$before"
}

@test "a result that cannot be written undoes the ADD" {
	[ -e /dev/full ] || skip "no /dev/full"
	run bash -c 'CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$0" <<<"$1" >/dev/full' \
		"$CNI_BIN/bridge" "$CONF"
	[ "$status" = 1 ]
	no port_of c1
	[ ! -e /var/lib/cni/networks/n1/10.1.0.2 ]
}

@test "deleteUnused: the bridge goes with its last container, and nothing else of its name" {
	conf '.deleteUnused = true'
	ip netns add c2
	before=$(state)
	add c1
	add c2
	try DEL bridge c1
	ok
	[ -e /sys/class/net/br0 ]
	try DEL bridge c2
	ok
	[ ! -e /sys/class/net/br0 ]
	try DEL bridge c2
	ok
	add c1
	add c2
	conf '.deleteUnused = true | ."cni.dev/valid-attachments" = [{"containerID":"c2","ifname":"eth0"}]'
	try GC bridge x
	ok
	[ -e /sys/class/net/br0 ]
	conf '.deleteUnused = true | ."cni.dev/valid-attachments" = []'
	try GC bridge x
	ok
	[ ! -e /sys/class/net/br0 ]
	conf '.deleteUnused = true'
	ip link add br0 type veth peer name br0p
	try ADD bridge c1
	refused 100 br0
	try DEL bridge c1
	ok
	[ -e /sys/class/net/br0 ]
	ip link del br0
	nft delete table inet hawser
	same_state "$before"
}

@test "deleteUnused: whoever comes while the last one goes has a bridge" {
	conf '.deleteUnused = true'
	ip netns add c2
	come_and_go() { # CONTAINER
		for _ in {1..40}; do
			cni ADD bridge "$1" <<<"$CONF" >"$BATS_TEST_TMPDIR/$1" || return
			cni DEL bridge "$1" <<<"$CONF" || return
		done
	}
	come_and_go c1 3>&- &
	come_and_go c2
	wait $!
	[ ! -e /sys/class/net/br0 ]
}

@test "an address that conflicts is refused, and replaced with forceAddress" {
	ip link add br0 address 02:00:00:00:00:0b up type bridge
	ip addr add 10.9.0.1/24 dev br0
	before=$(state)
	try ADD bridge c1
	refused 100 '"br0" already has an IP address different from 10.1.0.1/24'
	same_state "$before"
	conf '.forceAddress = true'
	add c1
	lacks 10.9.0.1 ip addr show br0
	ip -j addr show br0 | jq -e '.[0].addr_info[] | select(.local == "10.1.0.1")'
}

@test "two addresses of one family get two gateways on the bridge" {
	conf '.ipam.ranges = [[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.2.0.0/24"}]] | .ipam.routes = [{"dst":"0.0.0.0/0"}]'
	add c1
	ip -j addr show br0 | jq -e '[.[0].addr_info[].local] | index("10.1.0.1") != null and index("10.2.0.1") != null'
	add c2
	ip netns exec c2 ping -c 1 -W 2 10.2.0.2
	with_result
	try CHECK bridge c2
	ok
}

@test "isDefaultGateway adds the default route once, also where IPAM has one" {
	conf '.isGateway = false | .isDefaultGateway = true'
	add c1
	json '[.routes[] | select(.dst == "0.0.0.0/0")] == [{dst:"0.0.0.0/0",gw:"10.1.0.1"}]'
	conf '.isDefaultGateway = true | del(.ipam.routes)'
	add c2
	json '[.routes[] | .dst] == ["0.0.0.0/0", "::/0"]'
	[ "$(ip -n c2 -j route show default | jq length)" = 1 ]
}

@test "an interface that is in the way is an error that says what it is" {
	ip link add br0 type veth peer name other
	before=$(state)
	try ADD bridge c1
	refused 100 '"br0" already exists but is not a bridge'
	same_state "$before"
}

@test "hairpinMode, portIsolation, mtu and promiscMode are set as configured" {
	conf '.hairpinMode = true | .portIsolation = true | .mtu = 1400'
	add c1
	ip -j -d link show "$(port_of c1)" | jq -e '.[0] | .mtu == 1400 and .linkinfo.info_slave_data.hairpin and .linkinfo.info_slave_data.isolated'
	[ "$(ip -n c1 -j link show eth0 | jq '.[0].mtu')" = 1400 ]
	[ "$(ip -j link show br0 | jq '.[0].mtu')" = 1400 ]
	conf '.promiscMode = true'
	add c2
	ip -j link show br0 | jq -e '.[0].flags | index("PROMISC") != null'
}

@test "CHECK names what is not as configured: hairpin, isolation, MTU, promiscuity" {
	conf '.hairpinMode = true | .portIsolation = true | .mtu = 1400'
	add c1
	with_result
	try CHECK bridge c1
	ok
	port=$(port_of c1)
	bridge link set dev "$port" hairpin off
	check_names "$port" hairpin
	bridge link set dev "$port" hairpin on isolated off
	check_names "$port" isolation
	bridge link set dev "$port" isolated on
	ip link set "$port" mtu 1398
	check_names "host interface $port" 1398 1400
	ip link set "$port" mtu 1400
	ip -n c1 link set eth0 mtu 1399
	check_names "container interface eth0" 1399 1400
	ip -n c1 link set eth0 mtu 1400
	try CHECK bridge c1
	ok
	CONF=$(jq -c '.hairpinMode = false | .promiscMode = true' <<<"$CONF")
	bridge link set dev "$port" hairpin off
	check_names br0 promiscuous
}

@test "a bridge that was made without a MAC has that of its ports, and CHECK knows" {
	ip link add br0 type bridge
	ip link add p0 address 02:00:00:00:00:01 master br0 type veth peer name p1
	conf '.isGateway = false | .ipMasq = false'
	add c1
	with_result
	ip link del p0
	mac=$(ip -j link show br0 | jq -r '.[0].address')
	[ "$mac" != 02:00:00:00:00:01 ]
	try CHECK bridge c1
	ok
	ip link set br0 address 02:00:00:00:00:77
	check_names br0 02:00:00:00:00:77
}

@test "inheritMTU takes that of the default route's interface, mtu goes before it" {
	conf '.inheritMTU = true'
	before=$(state)
	try ADD bridge c1
	refused 7 inheritMTU "no default route"
	same_state "$before"
	try STATUS bridge x
	refused 50 inheritMTU
	ip link add up0 mtu 1380 type veth peer name up1
	ip addr add 203.0.113.2/24 dev up0
	ip link set up0 up
	ip link set up1 up
	ip route add default via 203.0.113.1
	try STATUS bridge x
	ok
	add c1
	json '.interfaces | map(.mtu) == [1380, 1380, 1380]'
	conf '.inheritMTU = true | .mtu = 1400'
	add c2
	json '.interfaces[2].mtu == 1400'
	ip link del up0
}

@test "isolated ports do not reach each other, others do" {
	add c1
	add c2
	ip netns exec c2 ping -c 1 -W 2 10.1.0.2
	conf '.portIsolation = true'
	add c3
	add c4
	no ip netns exec c4 ping -c 1 -W 1 10.1.0.4
	ip netns exec c4 ping -c 1 -W 2 10.1.0.1
}

@test "the MAC comes from runtimeConfig, then args.cni, then CNI_ARGS" {
	mac() { ip -n "$1" -j link show eth0 | jq -r '.[0].address'; }
	add c1 CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=p;MAC=02:00:00:00:00:01'
	[ "$(mac c1)" = 02:00:00:00:00:01 ]
	conf '.args.cni.mac = "02:00:00:00:00:02"'
	add c2 CNI_ARGS='IgnoreUnknown=true;MAC=02:00:00:00:00:01'
	[ "$(mac c2)" = 02:00:00:00:00:02 ]
	conf '.args.cni.mac = "02:00:00:00:00:02" | .runtimeConfig.mac = "02-00-00-00-00-03"'
	add c3 CNI_ARGS='IgnoreUnknown=true;MAC=02:00:00:00:00:01'
	[ "$(mac c3)" = 02:00:00:00:00:03 ]
	conf '.runtimeConfig.mac = "no mac"'
	ip netns add c4
	try ADD bridge c4
	refused 7 mac "no mac"
}

@test "without IPAM it is a layer 2 connection: no ipam, {}, or an empty type" {
	n=1
	for ipam in 'del(.ipam)' '.ipam = {}' '.ipam = {"type":""}' '.ipam = null'; do
		conf "$ipam"
		add "l$n"
		json 'has("ips") | not'
		ip -n "l$n" -j link show eth0 | jq -e '.[0].operstate == "UP"'
		with_result
		try CHECK bridge "l$n"
		ok
		try DEL bridge "l$n"
		ok
		n=$((n + 1))
	done
}

@test "disableContainerInterface leaves it down, and goes with no IPAM" {
	conf 'del(.ipam) | .disableContainerInterface = true'
	add c1
	ip -n c1 -j link show eth0 | jq -e '.[0].flags | index("UP") == null'
	with_result
	try CHECK bridge c1
	ok
	conf '.disableContainerInterface = true'
	try ADD bridge c1
	refused 7 "cannot use IPAM when DisableContainerInterface flag is set"
}

@test "dns of the configuration replaces that of IPAM" {
	echo "nameserver 192.0.2.53" >"$BATS_TEST_TMPDIR/resolv.conf"
	conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\""
	add c1
	json '.dns.nameservers == ["192.0.2.53"]'
	conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\" | .dns.nameservers = []"
	add c2
	json 'has("dns") | not'
}

@test "hairpin with promiscuous, unknown backends, bad numbers: clear errors" {
	conf '.hairpinMode = true | .promiscMode = true'
	try ADD bridge c1
	refused 7 "cannot set hairpin mode and promiscuous mode at the same time"
	conf '.ipMasqBackend = "ipfw"'
	try ADD bridge c1
	refused 7 'unknown ipmasq backend "ipfw"'
	conf '.mtu = 70000'
	try ADD bridge c1
	refused 7 mtu 70000
	conf '.mtu = -1'
	try ADD bridge c1
	refused 7 mtu -1
	conf '.mtu = 1.5'
	try ADD bridge c1
	refused 6 mtu 1.5
	conf '.isGateway = "yes"'
	try ADD bridge c1
	refused 6 isGateway yes
	conf '.bridge = "a name that is too long"'
	try ADD bridge c1
	refused 7 bridge "too long"
}

@test "null and {} wherever a configuration may have them" {
	conf '.dns = null | .args = {} | .runtimeConfig = null | .mtu = null | .hairpinMode = null
		| .prevResult = null | .capabilities = null | .ipam.routes = null | .ipam.dataDir = null'
	add c1
	conf '.dns = {} | .args = {"cni": null} | .runtimeConfig = {} | .prevResult = {} | .ipam.routes = []'
	add c2
	try DEL bridge c2
	ok
	try DEL bridge c2
	ok
}

@test "CNI_NETNS may be the plugin's own namespace only with CNI_NETNS_OVERRIDE" {
	before=$(state)
	try ADD bridge c1 CNI_NETNS=/proc/self/ns/net CNI_IFNAME=con0
	refused 8 "should not be the same"
	same_state "$before"
	try ADD bridge c1 CNI_NETNS=/proc/self/ns/net CNI_IFNAME=con0 CNI_NETNS_OVERRIDE=1
	ok
	ip link show con0
	try DEL bridge c1 CNI_NETNS=/proc/self/ns/net CNI_IFNAME=con0 CNI_NETNS_OVERRIDE=TRUE
	ok
	no ip link show con0
}

@test "what is no network namespace is named, and nothing is changed" {
	touch "$BATS_TEST_TMPDIR/file"
	before=$(state)
	for netns in "$BATS_TEST_TMPDIR/file" "$BATS_TEST_TMPDIR" /proc/self/ns/pid /run/netns/nowhere /dev/null; do
		try ADD bridge c1 CNI_NETNS="$netns"
		[ "$status" = 1 ]
		json '.code == 3 or .code == 4'
		[[ $output == *"$netns"* ]]
		same_state "$before"
		try DEL bridge c1 CNI_NETNS="$netns"
		ok
	done
}

@test "without CAP_NET_ADMIN there is a clear error and nothing is changed" {
	before=$(state)
	run setpriv --bounding-set -net_admin --inh-caps -net_admin \
		env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
		"$CNI_BIN/bridge" <<<"$CONF"
	refused 5 "not permitted"
	same_state "$before"
}

@test "kill -9 at any time leaves nothing that DEL does not remove" {
	before=$(state)
	for delay in 0.0005 0.001 0.0015 0.002 0.0025 0.003 0.004 0.006; do
		timeout -s KILL "$delay" env CNI_COMMAND=ADD CNI_CONTAINERID=c1 \
			CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$CNI_BIN/bridge" <<<"$CONF" >/dev/null || :
		try DEL bridge c1
		ok
		ip link del br0 2>/dev/null || :
		nft delete table inet hawser 2>/dev/null || :
		same_state "$before"
	done
}

@test "an announcement reaches the neighbours when an address moves" {
	add c1
	add c2
	ip netns exec c2 ping -c 1 -W 2 10.1.0.2
	old=$(ip -n c2 -j neigh show 10.1.0.2 | jq -r '.[0].lladdr')
	try DEL bridge c1
	ok
	# neighbours ignore news for a second after the last (neigh/locktime)
	ip netns exec c2 sh -c 'echo 0 >/proc/sys/net/ipv4/neigh/eth0/locktime'
	add c3 CNI_ARGS='IgnoreUnknown=1;IP=10.1.0.2'
	new=$(ip -n c3 -j link show eth0 | jq -r '.[0].address')
	[ "$old" != "$new" ]
	[ "$(ip -n c2 -j neigh show 10.1.0.2 | jq -r '.[0].lladdr')" = "$new" ]
}

@test "so does an IPv6 address that moves, by an unsolicited advertisement" {
	conf '.ipam.ranges = [[{"subnet":"fd00:1::/64"}]] | .ipam.routes = []'
	add c1
	add c2
	ip netns exec c2 ping -c 1 -W 2 fd00:1::2
	old=$(ip -n c2 -6 -j neigh show fd00:1::2 | jq -r '.[0].lladdr')
	try DEL bridge c1
	ok
	add c3 CNI_ARGS='IgnoreUnknown=1;IP=fd00:1::2'
	new=$(ip -n c3 -j link show eth0 | jq -r '.[0].address')
	[ "$old" != "$new" ]
	[ "$(ip -n c2 -6 -j neigh show fd00:1::2 | jq -r '.[0].lladdr')" = "$new" ]
}

@test "CHECK finds a route that another plugin has moved to a table of its own" {
	add c1
	with_result
	ip -n c1 route del default
	ip -n c1 route add default via 10.1.0.1 dev eth0 table 100
	try CHECK bridge c1
	ok
	ip -n c1 route flush table 100
	check_names "0.0.0.0/0"
}

@test "routes keep mtu, advmss, priority and table in the kernel, and CHECK knows the table" {
	conf '.ipam.routes = [{"dst":"192.0.2.0/24","mtu":1300,"advmss":1200,"priority":7,"table":100}]'
	add c1
	ip -n c1 route show table 100 | grep -E '192.0.2.0/24 via 10.1.0.1 dev eth0 metric 7 mtu 1300 advmss 1200'
	with_result
	try CHECK bridge c1
	ok
	ip -n c1 route flush table 100
	ip -n c1 route add 192.0.2.0/24 via 10.1.0.1 dev eth0
	check_names 192.0.2.0/24
}
