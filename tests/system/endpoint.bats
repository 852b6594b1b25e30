#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What holds for every plugin whose work is one interface in the container:
# dummy, ipvlan, macvlan, tap, vlan. Each test goes through all that the kernel
# has devices for.

# bats file_tags=macvlan,ipvlan,vlan,dummy,tap,slow

load ../lib/system
load ../lib/endpoint

setup() {
	sandbox_kinds
	BASE_CONF='{}'
	endpoint_setup
}

teardown() {
	clean_up
	ip link del m0 2>/dev/null || :
}

# Which plugins can be tested here; under other kernels all (make check-kernel).
sandbox_kinds() {
	local kind
	KINDS=()
	for kind in macvlan ipvlan vlan dummy tap; do
		! wants "$kind" || KINDS+=("$kind")
	done
}

# use PLUGIN: its configuration, and its name in the output if a test fails.
use() {
	local keys='"master":"m0",'
	PLUGIN=$1
	echo "--- $PLUGIN"
	case $PLUGIN in
	vlan) keys=$keys'"vlanId":5,' ;;
	dummy | tap) keys='' ;;
	esac
	BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"'$PLUGIN'",'$keys$IPAM'}'
	conf .
}

kind_of_link() {
	ip -n "$1" -d -j link show eth0 | jq -r '.[0].linkinfo.info_kind'
}

@test "ADD makes what it reports, CHECK is content, DEL leaves nothing, and again" {
	before=$(state)
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		mac=$(ip -n c1 -j link show eth0 | jq -r '.[0].address')
		json '.cniVersion == "1.1.0" and (.ips | map(.interface) | unique) == [0]'
		json ".interfaces == [{name: \"eth0\", mac: \"$mac\", sandbox: \"/run/netns/c1\", mtu: 1500}]"
		json '[.routes[].dst] == ["198.51.100.0/24", "2001:db8:1::/48"]'
		for a in $(jq -r '.ips[].address' <<<"$output"); do
			ip -n c1 -j addr show eth0 | jq -e --arg a "$a" \
				'any(.[0].addr_info[]; "\(.local)/\(.prefixlen)" == $a)'
		done
		ip -n c1 -j link show eth0 | jq -e '.[0].flags | index("UP")'
		ip -n c1 route show 198.51.100.0/24 | grep 'via 192.0.2.1 dev eth0'
		with_result
		try CHECK "$PLUGIN" c1
		ok
		detach c1
		same_state "$before"
		detach c1
		detach c1 CNI_NETNS=
		detach c1 CNI_NETNS=/run/netns/none
		same_state "$before"
	done
}

@test "IPv6 addresses are usable at once; enabledad asks for detection" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		[ -z "$(ip -n c1 -6 addr show tentative)" ]
		[ "$(ip netns exec c1 cat /proc/sys/net/ipv6/conf/eth0/accept_dad)" = 0 ]
		detach c1
	done
	use macvlan
	conf '.enabledad = true'
	attach c1
	[ "$(ip netns exec c1 cat /proc/sys/net/ipv6/conf/eth0/accept_dad)" = 1 ]
	[ -z "$(ip -n c1 -6 addr show tentative)" ]
}

@test "ADD again, or for a name that is taken: a clear error, nothing changed" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		before=$(state)
		try ADD "$PLUGIN" c1
		refused 100 eth0 exists
		same_state "$before"
		detach c1
	done
	ip -n c2 link add eth0 type veth peer name other
	before=$(state)
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		try ADD "$PLUGIN" c2
		refused 100 eth0 exists
		same_state "$before"
		detach c2 # another kind: it is none of ours
		same_state "$before"
	done
}

@test "two networks with one interface name: the DEL of the one refused leaves the other's" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		before=$(state)
		conf '.name = "n2"'
		try ADD "$PLUGIN" c1
		refused 100 eth0
		detach c1
		same_state "$before"
		conf .
		detach c1
	done
}

@test "the namespace has gone, or its file is none: the addresses are free" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		ip netns del c1
		detach c1
		[ -z "$(find /var/lib/cni -name '192.0.2.*')" ]
		ip netns add c1
		attach c1
		ip netns del c1
		touch /run/netns/c1
		detach c1
		[ -z "$(find /var/lib/cni -name '192.0.2.*')" ]
		rm /run/netns/c1
		ip netns add c1
	done
}

@test "DEL needs no master, no sound configuration, and no prevResult" {
	for PLUGIN in macvlan ipvlan vlan; do
		[[ " ${KINDS[*]} " == *" $PLUGIN "* ]] || continue
		use "$PLUGIN"
		before=$(state)
		attach c1
		conf '.master = "none" | .mtu = 100000 | .mode = "none" | .vlanId = 9999'
		detach c1
		same_state "$before"
	done
}

@test "each request of an ADD refused once: a clear error, everything undone" {
	needs_strace
	before=$(state)
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		first=1
		# made by ioctl() before the first request; that of the child
		# which undoes it is a first one too, and would be refused
		[ "$PLUGIN" != tap ] || first=2
		for n in $(seq $first 40); do
			run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
				strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,sendto \
				-e inject=sendmsg,sendto:error=ENOBUFS:when="$n" \
				"$CNI_BIN/$PLUGIN" <<<"$CONF"
			grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
			if [ "$status" = 0 ]; then # a request whose failure does not matter
				detach c1
			else
				refused 5
			fi
			same_state "$before"
		done
		[ "$n" -gt 5 ]
		[ "$status" = 0 ]
		detach c1
	done
}

@test "IPAM refuses, or gives nothing: no interface is left" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "{\\"cniVersion\\":\\"1.1.0\\"}"\n' >"$BATS_TEST_TMPDIR/bin/nothing"
	chmod +x "$BATS_TEST_TMPDIR/bin/nothing"
	before=$(state)
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		conf '.ipam.ranges = [[{"subnet":"192.0.2.0/31"}]]'
		try ADD "$PLUGIN" c1
		[ "$status" = 1 ]
		same_state "$before"
		conf '.ipam = {"type":"nothing"}'
		try ADD "$PLUGIN" c1 CNI_PATH="$CNI_BIN:$BATS_TEST_TMPDIR/bin"
		refused 7 "IPAM plugin returned missing IP config"
		same_state "$before"
	done
}

@test "without IPAM it is a layer 2 connection" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		conf 'del(.ipam)'
		if [ "$PLUGIN" = dummy ]; then
			try ADD dummy c1
			refused 7 "dummy interface requires an IPAM configuration"
			continue
		fi
		attach c1
		json '.ips == null and (.interfaces | length) == 1'
		ip -n c1 -j link show eth0 | jq -e '.[0].flags | index("UP")'
		with_result
		try CHECK "$PLUGIN" c1
		ok
		detach c1
	done
}

@test "DNS of IPAM is kept, and replaced by that of the configuration" {
	echo "nameserver 192.0.2.53" >"$BATS_TEST_TMPDIR/resolv.conf"
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\""
		attach c1
		json '.dns.nameservers == ["192.0.2.53"]'
		detach c1
		conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\" | .dns.nameservers = [\"192.0.2.54\"]"
		attach c1
		json '.dns.nameservers == ["192.0.2.54"]'
		detach c1
	done
}

@test "the MAC: runtimeConfig, then args.cni, then CNI_ARGS, then the configuration" {
	for PLUGIN in "${KINDS[@]}"; do
		[ "$PLUGIN" != ipvlan ] || continue # it has its master's
		use "$PLUGIN"
		conf '.mac = "02:00:00:00:00:04"'
		attach c1
		json '.interfaces[0].mac == "02:00:00:00:00:04"'
		detach c1
		attach c1 CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
		json '.interfaces[0].mac == "02:00:00:00:00:03"'
		detach c1
		conf '.mac = "02:00:00:00:00:04" | .args.cni.mac = "02:00:00:00:00:02"'
		attach c1 CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
		json '.interfaces[0].mac == "02:00:00:00:00:02"'
		detach c1
		conf '.args.cni.mac = "02:00:00:00:00:02" | .runtimeConfig.mac = "02:00:00:00:00:01"'
		attach c1
		json '.interfaces[0].mac == "02:00:00:00:00:01"'
		[ "$(ip -n c1 -j link show eth0 | jq -r '.[0].address')" = 02:00:00:00:00:01 ]
		detach c1
		conf '.runtimeConfig.mac = "03:00:00:00:00:01"'
		try ADD "$PLUGIN" c1
		refused 7 mac multicast
	done
}

@test "mtu is set, and reported" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		conf '.mtu = 1400'
		attach c1
		json '.interfaces[0].mtu == 1400'
		[ "$(ip -n c1 -j link show eth0 | jq '.[0].mtu')" = 1400 ]
		detach c1
	done
}

@test "an MTU above the master's, or negative, is refused" {
	before=$(state)
	for PLUGIN in macvlan ipvlan vlan; do
		[[ " ${KINDS[*]} " == *" $PLUGIN "* ]] || continue
		use "$PLUGIN"
		conf '.mtu = 1501'
		try ADD "$PLUGIN" c1
		refused 7 "invalid MTU 1501, must be [0, master MTU(1500)]"
		conf '.mtu = -1'
		try ADD "$PLUGIN" c1
		refused 7 mtu
		same_state "$before"
	done
}

@test "the master: named, missing, or where the default route leads" {
	ip addr add 192.0.2.253/24 dev m0
	for PLUGIN in macvlan ipvlan; do
		[[ " ${KINDS[*]} " == *" $PLUGIN "* ]] || continue
		use "$PLUGIN"
		conf '.master = "none0"'
		try ADD "$PLUGIN" c1
		refused 7 none0 "does not exist"
		conf 'del(.master)'
		try ADD "$PLUGIN" c1
		refused 7 "no default route interface found"
		try STATUS "$PLUGIN" x
		refused 50 "no default route"
		ip route add default via 192.0.2.254
		attach c1
		try STATUS "$PLUGIN" x
		ok
		[ "$(ip -n c1 -j link show eth0 | jq '.[0].link_index')" = \
			"$(ip -j link show m0 | jq '.[0].ifindex')" ]
		detach c1
		ip route del default
		ip -6 route add default dev m0
		attach c1
		detach c1
		ip -6 route del default
	done
}

@test "linkInContainer: the master is one of the container's" {
	for PLUGIN in macvlan ipvlan vlan; do
		[[ " ${KINDS[*]} " == *" $PLUGIN "* ]] || continue
		use "$PLUGIN"
		ip -n c1 link add inner type veth peer name inner1
		ip -n c1 link set inner up
		ip -n c1 link set inner1 up
		before=$(state)
		conf '.master = "inner" | .linkInContainer = true'
		attach c1
		with_result
		try CHECK "$PLUGIN" c1
		ok
		detach c1
		same_state "$before"
		conf '.master = "m0" | .linkInContainer = true'
		try ADD "$PLUGIN" c1
		refused 7 m0 "in the container"
		same_state "$before"
		ip -n c1 link del inner
	done
}

@test "CHECK names what is wrong: the interface" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		with_result
		ip -n c1 link set eth0 down
		check_names eth0 "is down"
		ip -n c1 link set eth0 up name eth9 2>/dev/null || {
			ip -n c1 link set eth0 name eth9
			ip -n c1 link set eth9 up
		}
		check_names eth0 "does not exist"
		ip -n c1 link del eth9
		ip -n c1 link add eth0 type veth peer name eth1
		check_names eth0 "is not a"
		ip -n c1 link del eth0
		CONF=$(jq -c 'del(.prevResult)' <<<"$CONF")
		detach c1
	done
}

@test "CHECK names what is wrong: MAC, MTU, addresses, routes, the namespace" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		with_result
		good=$CONF
		CONF=$(jq -c '.prevResult.interfaces[0].mac = "02:00:00:00:00:09"' <<<"$good")
		check_names eth0 02:00:00:00:00:09
		CONF=$(jq -c '.prevResult.interfaces[0].sandbox = "/run/netns/c2"' <<<"$good")
		check_names /run/netns/c2
		CONF=$good
		addr=$(address c1 -4)
		ip -n c1 route del 198.51.100.0/24
		check_names 198.51.100.0/24
		ip -n c1 addr del "$addr/24" dev eth0
		check_names "$addr"
		detach c1
	done
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		conf '.mtu = 1400'
		attach c1
		with_result
		ip -n c1 link set eth0 mtu 1300
		check_names "container interface eth0" 1300 1400
		CONF=$(jq -c '.prevResult.interfaces[0].mtu = 1300' <<<"$CONF")
		try CHECK "$PLUGIN" c1 # a later plugin has set it, and said so
		ok
		detach c1
	done
}

@test "CHECK names what is wrong: the master" {
	ip link add m1 type veth peer name m2
	for PLUGIN in macvlan ipvlan vlan; do
		[[ " ${KINDS[*]} " == *" $PLUGIN "* ]] || continue
		use "$PLUGIN"
		attach c1
		with_result
		CONF=$(jq -c '.master = "m1"' <<<"$CONF")
		check_names eth0 "on top of" m1
		CONF=$(jq -c '.master = "m9"' <<<"$CONF")
		try CHECK "$PLUGIN" c1
		refused 7 m9
		detach c1
	done
}

@test "GC gives back the addresses of what is not valid any more" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		attach c1
		conf '."cni.dev/valid-attachments" = []'
		try GC "$PLUGIN" x
		ok
		[ -z "$(find /var/lib/cni -name '192.0.2.*')" ]
		conf .
		detach c1
	done
}

@test "32 ADDs at once on one master, then 32 DELs" {
	for i in $(seq 32); do ip netns add "p$i"; done
	before=$(state)
	for PLUGIN in macvlan ipvlan vlan; do
		[[ " ${KINDS[*]} " == *" $PLUGIN "* ]] || continue
		use "$PLUGIN"
		for i in $(seq 32); do
			conf ".vlanId = $i"
			cni ADD "$PLUGIN" "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/add$i" &
		done
		wait
		[ "$(cat "$BATS_TEST_TMPDIR"/add* | jq -r '.ips[].address' | sort -u | wc -l)" = 64 ]
		for i in $(seq 32); do
			cni DEL "$PLUGIN" "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/del$i" &
		done
		wait
		[ "$(cat "$BATS_TEST_TMPDIR"/del* | wc -c)" = 0 ]
		same_state "$before"
	done
}

@test "a read-only /proc/sys that is right already does" {
	[ "$(id -u)" = 0 ]
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			unshare -m sh -c 'mount --bind -o ro /proc/sys /proc/sys && exec "$0"' \
			"$CNI_BIN/$PLUGIN" <<<"$CONF"
		ok
		detach c1
	done
}

@test "several gateways to one destination: the kernel balances" {
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		conf '.ipam.routes = [{"dst":"198.51.100.0/24","gw":"192.0.2.1"},{"dst":"198.51.100.0/24","gw":"192.0.2.241"},
			{"dst":"203.0.113.0/24","gw":"192.0.2.1"},
			{"dst":"2001:db8:1::/48","gw":"2001:db8::1"},{"dst":"2001:db8:1::/48","gw":"2001:db8::f1"}]'
		attach c1
		ip -n c1 -j route show 198.51.100.0/24 | jq -e '[.[0].nexthops[].gateway] == ["192.0.2.1", "192.0.2.241"]'
		ip -n c1 -j -6 route show 2001:db8:1::/48 | jq -e '[.[0].nexthops[].gateway] == ["2001:db8::1", "2001:db8::f1"]'
		ip -n c1 -j route show 203.0.113.0/24 | jq -e 'length == 1 and .[0].gateway == "192.0.2.1"'
		with_result
		try CHECK "$PLUGIN" c1
		ok
		ip -n c1 route change 198.51.100.0/24 via 192.0.2.1
		check_names 198.51.100.0/24 192.0.2.241
		detach c1
	done
}

@test "a range of bad input is refused by name, and changes nothing" {
	before=$(state)
	for PLUGIN in "${KINDS[@]}"; do
		use "$PLUGIN"
		while IFS='|' read -r only filter code word; do
			[[ $only == "*" || ,$only, == *",$PLUGIN,"* ]] || continue
			conf "$filter"
			try ADD "$PLUGIN" c1
			refused "$code" "$word"
			same_state "$before"
		done <<'END'
*|.mtu = "x"|6|mtu
*|.enabledad = 1|6|enabledad
macvlan,ipvlan|.mode = "none"|7|none
macvlan|.bcqueuelen = -1|7|bcqueuelen
macvlan,ipvlan,vlan|.master = 5|6|master
macvlan,ipvlan,vlan|.linkInContainer = "yes"|6|linkInContainer
vlan|del(.master)|7|"master" field is required
vlan|.vlanId = 4095|7|vlanId
vlan|.vlanId = -1|7|vlanId
tap|.owner = -1|7|owner
tap|.group = "x"|6|group
tap|.bridge = "none0"|7|none0
tap|.selinuxContext = "none"|7|selinuxContext
macvlan,vlan,dummy,tap|.mac = "x"|7|mac
END
	done
}
