#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=slow
#
# host-device, the way back: the device is on the host again as it was, whatever
# ended how.
#
# Filters of jq name its variables, which are not the shell's:
# shellcheck disable=SC2016

load ../lib/system
load ../lib/host_device

# --- DEL -------------------------------------------------------------------------

@test "DEL puts back name, state, MAC, MTU and alias, and again is fine" {
	before=$(state)
	add_device c1
	with_result
	ip -n c1 link set eth0 down
	ip -n c1 link set eth0 address 02:00:00:00:0d:99 mtu 1280
	del_device c1
	same_state "$before"
	ip -n out addr show p0 >/dev/null
	del_device c1
	del_device c1 CNI_NETNS=
	del_device c1 CNI_NETNS=/run/netns/nowhere
	same_state "$before"
	ip addr add 10.9.0.2/24 dev h0
	ping -c 1 -W 2 10.9.0.1
}

@test "a device that was down is down again, one without an alias has none" {
	ip link set h0 down alias ''
	before=$(state)
	add_device c1
	del_device c1
	same_state "$before"
	on_host h0 '(.flags | index("UP") | not) and (has("ifalias") | not)'
}

@test "without what ADD has written down DEL brings back the name" {
	ip link set h0 down alias ''
	before=$(state)
	add_device c1
	rm -r /run/hawser
	del_device c1
	same_state "$before"
	# also where the name is the same here and there
	ip link set h0 name eth0
	conf '.device = "eth0"'
	before=$(state)
	add_device c1
	rm -r /run/hawser
	del_device c1
	same_state "$before"
}

@test "DEL without a namespace finds the device where ADD has put it" {
	before=$(state)
	add_device c1
	del_device c1 CNI_NETNS=
	same_state "$before"
}

@test "DEL where the container has renamed the device, or emptied its alias" {
	before=$(state)
	add_device c1
	ip -n c1 link set eth0 down
	ip -n c1 link set eth0 name wan7
	del_device c1
	same_state "$before"
	add_device c1
	ip -n c1 link set eth0 alias ''
	del_device c1
	same_state "$before"
}

@test "DEL leaves an interface alone that no host-device has put there" {
	ip -n c1 link add eth0 type veth peer name x
	before=$(state)
	del_device c1
	same_state "$before"
	ip -n c1 link set eth0 alias "6fd94d501e58f0aa-287fc69eff0574a2, net: n1, if: eth0, id: c1"
	before=$(state)
	del_device c1
	same_state "$before"
}

@test "DEL where the device has gone gives the address back" {
	add_device c1
	ip -n c1 link del eth0
	del_device c1
	no ls /var/lib/cni/networks/n1/10.9.0.10
	no ls /run/hawser/*.host-device
	add_device c1 CNI_IFNAME=eth9 || : # there is none to be had
}

@test "DEL where the namespace has gone, or only its file is left, gives the address back" {
	add_device c1
	ip netns del c1
	del_device c1
	no ls /var/lib/cni/networks/n1/10.9.0.10
	ip netns add c1
	ip link add h0 type veth peer name p0 netns out 2>/dev/null || {
		ip -n out link del p0
		ip link add h0 type veth peer name p0 netns out
	}
	add_device c1
	umount /run/netns/c1
	: >/run/netns/c1
	del_device c1
	no ls /var/lib/cni/networks/n1/10.9.0.11
	no ls /run/hawser/*.host-device
}

@test "DEL where its name is taken on the host loses nothing" {
	before=$(state)
	add_device c1
	ip link add h0 type veth peer name x
	try DEL host-device c1
	refused 100 '"eth0" in the container' 'the host'"'"'s "h0"' "another has that name"
	link c1 eth0 '.ifalias == "h0" and (.flags | index("UP") | not)'
	no ls /var/lib/cni/networks/n1/10.9.0.10
	ip link del h0
	del_device c1
	same_state "$before"
}

@test "DEL where its name is taken in the container" {
	before=$(state)
	add_device c1
	ip -n c1 link add h0 type veth peer name x
	del_device c1
	link c1 h0 .
	ip -n c1 link del h0
	same_state "$before"
}

@test "DEL reports IPAM's error as well, and the device is back" {
	before=$(state | sed -n 1p)
	add_device c1
	conf '.ipam.type = "no-such-plugin"'
	try DEL host-device c1
	[ "$status" = 1 ]
	json '.msg | contains("no-such-plugin")'
	[ "$(state | sed -n 1p)" = "$before" ]
}

# --- the namespace went first ------------------------------------------------------

@test "a device that fell back to the host is found there and restored" {
	before=$(state)
	for name in eth0 dev17; do
		add_device c1
		fall c1 eth0 $name
		del_device c1
		ip netns add c1
		same_state "$before"
		add_device c1
		fall c1 eth0 $name
		del_device c1 CNI_NETNS=
		ip netns add c1
		same_state "$before"
	done
	# somebody set it up meanwhile
	add_device c1
	fall c1 eth0 eth0
	ip link set eth0 up
	del_device c1
	ip netns add c1
	same_state "$before"
}

@test "and so without what ADD has written down, by its alias" {
	ip link set h0 down alias ''
	before=$(state)
	fake_bus pci/devices/0000:3d:00.1/net/eth0
	for filter in . 'del(.device) | .hwaddr = "'"$MAC"'"' 'del(.device) | .pciBusID = "0000:3d:00.1"'; do
		conf .
		add_device c1
		rm -r /run/hawser
		fall c1 eth0 eth0
		conf "$filter"
		del_device c1
		ip netns add c1
		same_state "$before"
	done
	# an alias of somebody else's making
	ip link set h0 name h1 alias h0
	before=$(state)
	conf .
	del_device c1 CNI_NETNS=
	same_state "$before"
}

listens() { # somebody waits for news of links
	awk '$2 == 0 && $4 == "00000001" { f = 1 } END { exit !f }' /proc/net/netlink
}

@test "DEL waits for a device that the kernel is still about to put back" {
	before=$(state)
	add_device c1
	as_hardware
	ip -n c1 link set eth0 netns out name limbo
	ip netns del c1
	cni DEL host-device c1 <<<"$CONF" 3>&- &
	soon listens
	ip -n out link set limbo netns $$ name eth0
	wait $!
	ip netns add c1
	same_state "$before"
}

@test "what does not come back in time is put back by GC, or by the next ADD" {
	before=$(state)
	for how in GC ADD; do
		add_device c1
		as_hardware
		ip -n c1 link set eth0 netns out name limbo
		ip netns del c1
		del_device c1
		ip -n out link set limbo netns $$ name eth0
		ip netns add c1
		if [ $how = GC ]; then
			conf '.["cni.dev/valid-attachments"] = []'
			try GC host-device c1 CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
			ok
		else
			ip netns add c2
			add_device c2
			del_device c2
			ip netns del c2
		fi
		same_state "$before"
		conf .
	done
}

@test "ADD first restores a device whose container ended without a DEL" {
	before=$(state)
	for filter in . 'del(.device) | .hwaddr = "'"$MAC"'"'; do
		conf "$filter"
		add_device c1
		fall c1 eth0 eth0
		rm -r /var/lib/cni/networks
		ip netns add c1
		ip netns add c2
		add_device c2
		link c2 eth0 '.ifalias == "h0"'
		del_device c2
		ip netns del c2
		same_state "$before"
	done
}

@test "where its name is taken on the host it stays there, with its alias" {
	before=$(state)
	add_device c1
	fall c1 eth0 dev3
	ip link add h0 type veth peer name x
	try DEL host-device c1
	refused 100 '"dev3" on the host' '"h0"'
	on_host dev3 '.ifalias == "h0"'
	ip link del h0
	del_device c1
	ip netns add c1
	same_state "$before"
}

# --- the Go reference -----------------------------------------------------------------

needs_reference() {
	[ -x "$REFERENCE_CNI/host-device" ] || skip "no reference plugins"
}

by_reference() { # COMMAND CONTAINER
	CNI_PATH=$REFERENCE_CNI try "$1" host-device "$2"
	ok
}

@test "the Go reference takes back what we gave" {
	needs_reference
	conf '.cniVersion = "1.0.0"'
	before=$(state)
	add_device c1
	with_result
	by_reference CHECK c1
	by_reference DEL c1
	on_host h0 ".address == \"$MAC\" and .mtu == 1400"
	# it leaves the device down; our DEL of the same, later, has the rest
	as_hardware
	ip netns del c1
	del_device c1
	ip netns add c1
	same_state "$before"
}

@test "we take back what the Go reference gave" {
	needs_reference
	conf '.cniVersion = "1.0.0"'
	ip link set h0 down alias ''
	before=$(state)
	by_reference ADD c1
	with_result
	try CHECK host-device c1
	ok
	del_device c1
	same_state "$before"
	by_reference ADD c1
	fall c1 eth0 eth0
	del_device c1
	ip netns add c1
	same_state "$before"
}

@test "a DEL that is killed at any one request is ended by the next" {
	needs_strace
	before=$(state)
	for call in sendmsg unlinkat; do
		for n in $(seq 60); do
			add_device c1
			result=0
			env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
				strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when="$n" \
				"$CNI_BIN/host-device" <<<"$CONF" 3>&- || result=$?
			del_device c1
			same_state "$before" || {
				echo "killed at $call $n"
				false
			}
			[ "$result" != 0 ] || break
		done
		[ "$result" = 0 ]
	done
}

# --- GC ---------------------------------------------------------------------

gc() { # JSON: the valid attachments
	CONF=$(jq -c --argjson v "$1" '.["cni.dev/valid-attachments"] = $v' <<<"$CONF")
	try GC host-device x CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	ok
}

@test "GC puts back what stale attachments have, and nothing else" {
	ip netns add c2
	ip link add h1 type veth peer name p1 netns out
	before=$(state)
	add_device c1
	conf '.device = "h1"'
	add_device c2
	try GC host-device x CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	ok # nobody said what is valid
	link c1 eth0 .
	link c2 eth0 .
	CONF=$(jq -c '.name = "n2"' <<<"$CONF")
	gc '[]'
	link c1 eth0 .
	conf .
	gc '[{"containerID":"c2","ifname":"eth0"}]'
	on_host h0 .
	link c2 eth0 .
	no ls /var/lib/cni/networks/n1/10.9.0.10
	ls /var/lib/cni/networks/n1/10.9.0.11
	gc '[]'
	same_state "$before"
}

@test "GC restores what fell back to the host, and forgets what is nowhere" {
	before=$(state)
	add_device c1
	fall c1 eth0 dev5
	gc '[]'
	ip netns add c1
	same_state "$before"
	conf .
	add_device c1
	as_hardware
	ip -n c1 link del eth0
	gc '[]'
	no ls /run/hawser/*.host-device
}

@test "GC goes on to IPAM where a device cannot be put back" {
	add_device c1
	ip link add h0 type veth peer name x
	CONF=$(jq -c '.["cni.dev/valid-attachments"] = []' <<<"$CONF")
	try GC host-device x CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	refused 100 '"h0"'
	no ls /var/lib/cni/networks/n1/10.9.0.10
	link c1 eth0 '.ifalias == "h0"'
}

# --- a long time ---------------------------------------------------------------------

@test "100 rounds: the device is what it was, however the container ended" {
	before=$(state)
	for i in $(seq 100); do
		add_device c1
		with_result
		case $((i % 5)) in
		0) del_device c1 ;;
		1) # its process was killed, its namespace lives on
			ip netns exec c1 tail -f /dev/null 3>&- &
			kill -KILL $!
			wait $! || :
			del_device c1 CNI_NETNS= ;;
		2) # it went to the host, with its process and namespace
			fall c1 eth0 eth0
			del_device c1
			ip netns add c1 ;;
		3) # ... the DEL came without prevResult and netns, ...
			conf .
			fall c1 eth0 "dev$i"
			del_device c1 CNI_NETNS=
			ip netns add c1 ;;
		4) # ... or never, but GC.
			fall c1 eth0 eth0
			gc '[]'
			ip netns add c1 ;;
		esac
		conf .
		same_state "$before"
		on_host h0 ".address == \"$MAC\" and .mtu == 1400 and (.flags | index(\"UP\"))"
	done
}
