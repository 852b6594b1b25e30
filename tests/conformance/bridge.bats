#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What bridge does to the kernel on ADD, what CHECK notices, what DEL leaves.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

gw_conf() {
	bridge_conf '.isDefaultGateway = true | '"${1:-.}"
}

@test "ADD gives the container its address and brings the link up" {
	bridge_conf
	add bridge
	eq "$(addresses a eth0)" 10.1.2.2/24
	sees '.[0] | (.flags | index("LOWER_UP")) and .linkinfo.info_kind == "veth"' \
		a link show dev eth0
	sees '.[0].linkinfo.info_kind == "bridge" and (.[0].flags | index("UP"))' \
		host link show dev br0
	sees 'length == 1 and .[0].operstate == "UP"' host link show master br0
}

@test "ADD without isGateway gives the bridge no address and no default route" {
	bridge_conf
	add bridge
	eq "$(addresses host br0)" ''
	sees 'map(.dst) == ["10.1.2.0/24"]' a route
	eq "$(</proc/sys/net/ipv4/ip_forward)" 0
}

@test "ADD makes the routes that IPAM returned, through the gateway unless they say another" {
	bridge_conf '.ipam.routes = [{dst: "192.168.0.0/16", gw: "10.1.2.9"}, {dst: "172.16.0.0/12"}]'
	add bridge
	sees '.[0].gateway == "10.1.2.9" and .[0].dev == "eth0"' a route show 192.168.0.0/16
	sees '.[0].gateway == "10.1.2.1" and .[0].dev == "eth0"' a route show 172.16.0.0/12
}

@test "isGateway gives the bridge the gateway's address and enables forwarding" {
	bridge_conf '.isGateway = true'
	add bridge
	eq "$(addresses host br0)" 10.1.2.1/24
	eq "$(</proc/sys/net/ipv4/ip_forward)" 1
	sees 'length == 0' a route show default
	pings a 10.1.2.1
}

@test "isDefaultGateway makes a default route through the bridge" {
	gw_conf
	add bridge
	eq "$(addresses host br0)" 10.1.2.1/24
	sees 'length == 1 and .[0].gateway == "10.1.2.1"' a route show default
	has '.routes == [{"dst": "0.0.0.0/0", "gw": "10.1.2.1"}]'
}

@test "a gateway that IPAM names is the one the bridge gets" {
	gw_conf '.ipam.gateway = "10.1.2.254"'
	add bridge
	eq "$(addresses host br0)" 10.1.2.254/24
	has '.ips[0].gateway == "10.1.2.254"'
	pings a 10.1.2.254
}

@test "dual stack: both families have address, gateway, default route and forwarding" {
	dual_conf '.isDefaultGateway = true'
	add bridge
	eq "$(addresses a eth0)" '10.1.2.2/24 2001:db8:1::2/64'
	eq "$(addresses host br0)" '10.1.2.1/24 2001:db8:1::1/64'
	sees '.[0].gateway == "10.1.2.1"' a -4 route show default
	sees '.[0].gateway == "2001:db8:1::1"' a -6 route show default
	eq "$(</proc/sys/net/ipv4/ip_forward)" 1
	eq "$(</proc/sys/net/ipv6/conf/all/forwarding)" 1
	# Nobody has to wait for duplicate address detection.
	sees '[.[].addr_info[] | select(.tentative)] == []' a addr show dev eth0 scope global
	pings a 10.1.2.1
}

@test "two containers of a network reach each other" {
	bridge_conf
	add bridge
	netns_new b
	cid=c2 netns=/run/netns/b
	add bridge
	eq "$(addresses b eth0)" 10.1.2.3/24
	pings a 10.1.2.3
}

@test "one container can have two interfaces in a network" {
	bridge_conf
	add bridge
	ifname=net1
	add bridge
	eq "$(addresses a net1)" 10.1.2.3/24
	del bridge
	eq "$(addresses a eth0)" 10.1.2.2/24
	eq "$(reserved)" 10.1.2.2
}

@test "ADDs at the same time give every container another address" {
	local i
	gw_conf
	printf %s "$conf" >"$tmp/in"
	for i in 1 2 3 4 5 6 7 8; do
		netns_new "p$i"
		env -i PATH="$PATH" CNI_COMMAND=ADD CNI_CONTAINERID="p$i" \
			CNI_NETNS="/run/netns/p$i" CNI_IFNAME=eth0 \
			CNI_PATH="$PLUGINS" "$PLUGINS/bridge" <"$tmp/in" \
			>"$tmp/out.$i" &
		pids[i]=$!
	done
	for i in 1 2 3 4 5 6 7 8; do
		wait "${pids[i]}" || fail "$(<"$tmp/out.$i")"
	done
	eq "$(for i in 1 2 3 4 5 6 7 8; do addresses "p$i" eth0; done | sort -u | wc -l)" 8
	eq "$(reserved | wc -w)" 8
	pings p1 10.1.2.1
}

# Masquerading, with real packets.

@test "with ipMasq a container's packets leave with the host's address" {
	gw_conf '.ipMasq = true'
	add bridge
	outside
	pings a 192.0.2.2
	eq "$(counted out host)" 1
	eq "$(counted out container)" 0
}

@test "with ipMasq IPv6 packets leave with the host's address" {
	dual_conf '.isDefaultGateway = true | .ipMasq = true'
	add bridge
	outside
	pings a 2001:db8:ff::2
	pings a 192.0.2.2
	eq "$(counted out host)" 2
	eq "$(counted out container)" 0
}

@test "without ipMasq packets keep the container's address" {
	gw_conf
	add bridge
	outside
	! pings a 192.0.2.2 0.3 || fail 'an answer'
	eq "$(counted out container)" 1
}

@test "with ipMasq packets within the subnet are not translated" {
	gw_conf '.ipMasq = true'
	add bridge
	netns_new b
	cid=c2 netns=/run/netns/b
	add bridge
	counters b <<<'ip saddr 10.1.2.2 counter name container'
	pings a 10.1.2.3
	eq "$(counted b container)" 1
}

# After the first container has gone, its address goes to one of another
# network that wants no translation.
not_translated() {
	gw_conf '.name = "other"'
	netns_new b
	cid=c2 netns=/run/netns/b
	add bridge
	eq "$(addresses b eth0)" 10.1.2.2/24
	outside
	! pings b 192.0.2.2 0.3 || fail 'an answer'
	eq "$(counted out container)" 1
	eq "$(counted out host)" 0
}

@test "DEL ends masquerading" {
	gw_conf '.ipMasq = true'
	add bridge
	del bridge
	not_translated
}

@test "DEL ends masquerading when the link has gone" {
	gw_conf '.ipMasq = true'
	add bridge
	ip -n a link del eth0
	del bridge
	not_translated
}

@test "DEL ends masquerading when the namespace has gone" {
	gw_conf '.ipMasq = true'
	add bridge
	ip netns del a
	del bridge
	not_translated
}

@test "DEL of one container leaves another's masquerading alone" {
	gw_conf '.ipMasq = true'
	add bridge
	netns_new b
	cid=c2 netns=/run/netns/b
	add bridge
	del bridge
	cid=c1 netns=/run/netns/a
	outside
	pings a 192.0.2.2
	eq "$(counted out host)" 1
}

# CHECK.

@test "CHECK right after ADD succeeds and prints nothing" {
	gw_conf '.ipMasq = true'
	add bridge
	check bridge
}

@test "CHECK at 0.4.0 succeeds" {
	version=0.4.0
	dual_conf '.isDefaultGateway = true'
	add bridge
	check bridge
}

@test "CHECK without prevResult is an error" {
	gw_conf
	add bridge
	cni CHECK bridge
	refused any prevResult
}

# notices COMMAND: CHECK is fine, then the command, and CHECK fails.
notices() {
	gw_conf '.ipam.routes = [{dst: "192.168.0.0/16", gw: "10.1.2.9"}]'
	add bridge
	check bridge
	eval "$1"
	with_result CHECK bridge
	refused any .
}

@test "CHECK notices that the address has gone" {
	notices 'ip -n a addr add 10.1.2.77/24 dev eth0
		ip -n a addr del 10.1.2.2/24 dev eth0'
}
@test "CHECK notices another prefix length" {
	notices 'ip -n a addr flush dev eth0; ip -n a addr add 10.1.2.2/16 dev eth0
		ip -n a route add 192.168.0.0/16 via 10.1.2.9
		ip -n a route add default via 10.1.2.1'
}
@test "CHECK notices that the default route has gone" { notices 'ip -n a route del default'; }
@test "CHECK notices that a route has gone" { notices 'ip -n a route del 192.168.0.0/16'; }
@test "CHECK notices that a route has another gateway" { notices 'ip -n a route replace 192.168.0.0/16 via 10.1.2.8'; }
@test "CHECK notices that the container's link is down" { notices 'ip -n a link set eth0 down'; }
@test "CHECK notices that the container's link has gone" { notices 'ip -n a link del eth0'; }
@test "CHECK notices that the port was taken off the bridge" { notices 'ip link set "$(ports)" nomaster'; }
@test "CHECK notices that the bridge has gone" { notices 'ip link del br0'; }
@test "CHECK notices another MAC address" {
	notices 'ip -n a link set eth0 address 02:00:00:00:00:77'
}
@test "CHECK notices that the reservation has gone" { notices 'rm "$nets/net/10.1.2.2"'; }
@test "CHECK notices a link of the same name that is no veth" {
	notices 'ip -n a link del eth0; ip -n a link add eth0 type bridge
		ip -n a link add p0 master eth0 up type veth peer name p1
		ip -n a link set p1 up
		ip -n a addr add 10.1.2.2/24 dev eth0; ip -n a link set eth0 up
		ip -n a route add 192.168.0.0/16 via 10.1.2.9
		ip -n a route add default via 10.1.2.1'
}
@test "CHECK notices a prevResult of another namespace" {
	netns_new b
	notices 'netns=/run/netns/b'
}

@test "CHECK notices that masquerading has gone" {
	gw_conf '.ipMasq = true'
	add bridge
	check bridge
	nft flush ruleset
	with_result CHECK bridge
	refused any .
}

@test "CHECK allows what a later plugin changed" {
	gw_conf
	add bridge
	ip -n a link set eth0 address 02:00:00:00:00:77
	ip -n a link set eth0 mtu 1400
	ip -n a addr add 10.7.7.7/32 dev eth0
	ip -n a route add 10.8.0.0/16 dev eth0
	ip -n a route replace default via 10.1.2.1
	result=$(jq '.interfaces[2].mac = "02:00:00:00:00:77"' <<<"$result")
	check bridge
}

# DEL.

@test "DEL removes both ends of the pair and the reservation" {
	gw_conf '.ipMasq = true'
	add bridge
	with_result DEL bridge
	silent
	sees 'map(.ifname) == ["lo"]' a link
	sees 'length == 0' host link show type veth
	eq "$(reserved)" ''
	# The bridge is not ours alone: others may be on it.
	sees 'length == 1' host link show dev br0
}

@test "DEL leaves nothing of the container in the ruleset" {
	gw_conf '.ipMasq = true'
	add bridge
	del bridge
	[[ $(nft list ruleset) != *10.1.2.2* ]] || fail "$(nft list ruleset)"
}

@test "DEL again succeeds" {
	gw_conf '.ipMasq = true'
	add bridge
	del bridge
	del bridge
	with_result DEL bridge
	silent
}

@test "DEL of what was never added succeeds" {
	gw_conf '.ipMasq = true'
	del bridge
	eq "$(reserved)" ''
}

@test "DEL with an empty prevResult succeeds" {
	gw_conf
	add bridge
	result='{}'
	with_result DEL bridge
	silent
	eq "$(reserved)" ''
}

@test "DEL without CNI_NETNS frees the address" {
	gw_conf
	add bridge
	del bridge CNI_NETNS=
	eq "$(reserved)" ''
}

@test "DEL after the namespace has gone frees the address" {
	gw_conf '.ipMasq = true'
	add bridge
	ip netns del a
	del bridge
	eq "$(reserved)" ''
}

@test "DEL succeeds where the namespace's path is a plain file left over" {
	gw_conf
	add bridge
	ip netns del a
	: >/run/netns/a
	cni DEL bridge
	rm /run/netns/a
	silent
	eq "$(reserved)" ''
}

@test "DEL at 0.1.0 undoes ADD" {
	version=0.1.0
	gw_conf
	add bridge
	del bridge
	sees 'map(.ifname) == ["lo"]' a link
	eq "$(reserved)" ''
}

@test "DEL leaves the other containers alone" {
	gw_conf
	add bridge
	netns_new b
	cid=c2 netns=/run/netns/b
	add bridge
	del bridge
	eq "$(reserved)" 10.1.2.2
	eq "$(addresses a eth0)" 10.1.2.2/24
	pings a 10.1.2.1
}

@test "after DEL the same attachment can be made again at once" {
	local i
	gw_conf
	for i in 1 2 3; do
		add bridge
		del bridge
		sees 'map(.ifname) == ["lo"]' a link || fail "round $i"
		eq "$(ports)" ''
	done
}

# Failures leave nothing behind.

@test "a second ADD is an error and changes nothing" {
	local before
	gw_conf '.ipMasq = true'
	add bridge
	before=$(snapshot)
	cni ADD bridge
	refused any .
	eq "$(snapshot)" "$before"
	check bridge
}

@test "ADD where the container has a link of that name is an error and changes nothing" {
	local before
	bridge_conf
	add bridge CNI_IFNAME=other CNI_CONTAINERID=other
	ip -n a link add eth0 type veth peer name peer
	before=$(snapshot)
	cni ADD bridge
	refused any eth0
	eq "$(snapshot)" "$before"
}

@test "ADD into a namespace that is not there is an error that names it, and reserves nothing" {
	gw_conf
	cni ADD bridge CNI_NETNS=/run/netns/gone
	refused any /run/netns/gone
	eq "$(reserved)" ''
	sees 'length == 0' host link show type veth
}

@test "ADD with a CNI_NETNS that is no namespace is an error" {
	gw_conf
	cni ADD bridge CNI_NETNS=/etc/passwd
	refused any /etc/passwd
	eq "$(reserved)" ''
}

# The bridge has another address already: seen only after IPAM's ADD.
gateway_conflict() {
	gw_conf
	ip link add br0 type bridge
	ip addr add 10.9.9.1/24 dev br0
	ip link set br0 up
	cni ADD bridge
	refused any 'already has an IP address'
}

@test "an ADD that fails late reserves nothing" {
	gateway_conflict
	eq "$(reserved)" ''
}

@test "an ADD that fails late leaves no link" {
	gateway_conflict
	sees 'map(.ifname) == ["lo"]' a link
	sees 'length == 0' host link show type veth
}

@test "an ADD for which IPAM has no address leaves no link" {
	bridge_conf '.ipam.subnet = "10.1.2.0/30"'
	netns_new b
	add bridge CNI_CONTAINERID=c0 CNI_NETNS=/run/netns/b
	cni ADD bridge
	refused any 'no IP addresses available'
	sees 'map(.ifname) == ["lo"]' a link
	sees 'length == 1' host link show type veth
}

@test "after an ADD that failed, DEL succeeds and leaves nothing" {
	gateway_conflict
	del bridge
	eq "$(reserved)" ''
	sees 'map(.ifname) == ["lo"]' a link
	sees 'length == 0' host link show type veth
}

@test "a bridge that is another kind of link is an error" {
	bridge_conf
	ip link add br0 type veth peer name peer
	cni ADD bridge
	refused any 'not a bridge'
	eq "$(reserved)" ''
	sees '.[0].linkinfo.info_kind == "veth"' host link show dev br0
}
