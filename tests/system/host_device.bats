#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# host-device, the way there: which device is meant, what ADD does with it, what a
# failed ADD leaves (nothing), and what CHECK and STATUS see.
#
# Filters of jq name its variables, which are not the shell's:
# shellcheck disable=SC2016

load ../lib/system
load ../lib/host_device

# --- ADD ---------------------------------------------------------------------

@test "ADD moves the device under its new name, and it carries traffic" {
	add_device c1
	json '.cniVersion == "1.1.0" and .interfaces == [{name:"eth0",mac:"'"$MAC"'",mtu:1400,sandbox:"/run/netns/c1"}]'
	json '.ips == [{address:"10.9.0.10/24",gateway:"10.9.0.1",interface:0},{address:"fd09::10/64",gateway:"fd09::1",interface:0}]'
	json '.routes == [{dst:"192.168.77.0/24",gw:"10.9.0.1"}]'
	no ip link show h0
	link c1 eth0 '.ifalias == "h0" and (.flags | index("UP")) and .mtu == 1400'
	lacks tentative ip -n c1 -6 addr show eth0
	ip -n c1 route show 192.168.77.0/24 | grep -q 'via 10.9.0.1 dev eth0'
	ip netns exec c1 ping -c 1 -W 2 10.9.0.1
	ip netns exec c1 ping -c 1 -W 2 fd09::1
}

@test "without IPAM the link is up, has no address, and the result is the interface" {
	conf 'del(.ipam)'
	add_device c1
	json '(.ips // []) == [] and .interfaces[0].name == "eth0"'
	link c1 eth0 '.flags | index("UP")'
	lacks inet ip -n c1 addr show eth0 scope global
	ip -n c1 addr add 10.9.0.7/24 dev eth0
	ip netns exec c1 ping -c 1 -W 2 10.9.0.1
}

# The outside hears of both addresses without having asked. (With its carrier it
# loses the neighbours it knew, so it is told to note new ones.)
@test "the neighbours learn at once that an address has moved here" {
	ip netns exec out sysctl -qw net.ipv4.conf.p0.arp_accept=1
	ip netns exec out nft -f - <<-'NFT'
		table ip6 heard {
			counter news { }
			chain in {
				type filter hook input priority 0;
				icmpv6 type nd-neighbor-advert ip6 saddr fd09::10 counter name news
			}
		}
	NFT
	add_device c1
	soon has_heard
}

has_heard() {
	ip -n out neigh show 10.9.0.10 | grep -q "$MAC" &&
		lacks "packets 0" ip netns exec out nft list counter ip6 heard news
}

@test "enabledad waits for duplicate address detection, and a duplicate undoes ADD" {
	conf '.enabledad = true | .ipam.ranges = [[{"subnet":"fd09::/64","rangeStart":"fd09::10"}]] | .ipam.routes = []'
	add_device c1
	lacks tentative ip -n c1 -6 addr show eth0
	with_result
	del_device c1
	ip -n out addr add fd09::11/64 dev p0 nodad
	before=$(state)
	try ADD host-device c1
	refused 100 fd09::11 "in use"
	same_state "$before"
}

@test "IPAM's DNS is in the result, and the configuration's stands above it" {
	echo 'nameserver 10.9.0.53' >"$BATS_TEST_TMPDIR/resolv.conf"
	conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\""
	add_device c1
	json '.dns.nameservers == ["10.9.0.53"]'
	del_device c1
	conf '.dns = {nameservers: ["10.9.0.54"]}'
	add_device c1
	json '.dns.nameservers == ["10.9.0.54"]'
}

@test "a device without a MAC (a tunnel) goes and comes as well" {
	ip tuntap add dev t0 mode tun || skip "this kernel has no tun devices"
	before=$(state)
	conf '.device = "t0"'
	add_device c1
	json '.interfaces == [{name:"eth0",mtu:1500,sandbox:"/run/netns/c1"}]'
	with_result
	try CHECK host-device c1
	ok
	del_device c1
	same_state "$before"
}

# --- which device --------------------------------------------------------------

is_taken() { # ADD takes h0, DEL gives it back.
	add_device c1
	link c1 eth0 ".ifalias == \"h0\" and .address == \"$MAC\""
	pci=$(jq -r '.interfaces[0].pciID' <<<"$output")
	del_device c1
	on_host h0 ".address == \"$MAC\""
}

@test "device, hwaddr, kernelpath, pciBusID, deviceID: each names the device" {
	is_taken
	[ "$pci" = null ]
	conf 'del(.device) | .hwaddr = "02-00-00-00-0D-01"'
	is_taken
	mount -t tmpfs tmpfs /sys/devices/virtual/mem
	mkdir -p /sys/devices/virtual/mem/net/h0
	conf 'del(.device) | .kernelpath = "/sys/devices/virtual/mem"'
	is_taken
	fake_bus pci/devices/0000:3d:00.1/net/h0 auxiliary/devices/mlx5_core.sf.4/net/h0 \
		pci/devices/0000:00:03.0/virtio2/net/h0
	conf 'del(.device) | .pciBusID = "0000:3d:00.1"'
	is_taken
	[ "$pci" = 0000:3d:00.1 ]
	conf 'del(.device) | .pciBusID = "0000:00:03.0"'
	is_taken
	conf 'del(.device) | .runtimeConfig.deviceID = "0000:3d:00.1"'
	is_taken
	[ "$pci" = 0000:3d:00.1 ]
	conf 'del(.device) | .runtimeConfig.deviceID = "mlx5_core.sf.4"'
	is_taken
}

@test "pciID is reported for a device that was named in another way, from 1.1.0 on" {
	mkdir -p "$BATS_TEST_TMPDIR/pci/0000:3d:00.2/virtio1"
	mount -t tmpfs tmpfs /sys/class/net
	mkdir -p /sys/class/net/h0
	ln -s "$BATS_TEST_TMPDIR/pci/0000:3d:00.2" /sys/class/net/h0/device
	is_taken
	[ "$pci" = 0000:3d:00.2 ]
	ln -sfn "$BATS_TEST_TMPDIR/pci/0000:3d:00.2/virtio1" /sys/class/net/h0/device
	is_taken
	[ "$pci" = 0000:3d:00.2 ]
	conf '.cniVersion = "1.0.0"'
	is_taken
	[ "$pci" = null ]
	umount /sys/class/net
}

@test "of several the first counts: device, hwaddr, kernelpath, pciBusID" {
	fake_bus pci/devices/0000:3d:00.1/net/h3
	mount -t tmpfs tmpfs /sys/devices/virtual/mem
	mkdir -p /sys/devices/virtual/mem/net/h2
	ip link add h2 type veth peer name x2
	ip link add h3 type veth peer name x3
	conf '.hwaddr = "02:00:00:00:00:99" | .kernelpath = "/sys/devices/none" | .pciBusID = "0000:3d:00.1"'
	is_taken
	conf '.device = "" | .hwaddr = "'"$MAC"'" | .kernelpath = "/sys/devices/virtual/mem" | .pciBusID = "0000:3d:00.1"'
	is_taken
	conf 'del(.device) | .kernelpath = "/sys/devices/virtual/mem" | .pciBusID = "0000:3d:00.1"'
	add_device c1
	link c1 eth0 '.ifalias == "h2"'
	del_device c1
	# The runtime's deviceID stands above pciBusID.
	conf 'del(.device) | .pciBusID = "0000:99:00.0" | .runtimeConfig.deviceID = "0000:3d:00.1"'
	add_device c1
	link c1 eth0 '.ifalias == "h3"'
}

@test "entries that are no interface are passed over, the first by name is taken" {
	fake_bus pci/devices/0000:3d:00.1/net/{aaa,h0,zzz}
	ip link add zzz type veth peer name yyy
	conf 'del(.device) | .pciBusID = "0000:3d:00.1"'
	is_taken
}

refuses() { # CODE WORDS...: ADD, with nothing changed
	try ADD host-device c1
	refused "$@"
	same_state "$before"
}

@test "a device that is not named, or not there, is an error that says so" {
	fake_bus pci/devices/0000:3d:00.1 auxiliary/devices/a.b.1
	before=$(state)
	conf 'del(.device)'
	refuses 7 'specify either "device", "hwaddr", "kernelpath" or "pciBusID"'
	conf '.device = "h9"'
	refuses 7 'device "h9"' "no such network interface"
	conf '.device = "a-name-that-is-too-long"'
	try ADD host-device c1
	refused 5 a-name-that-is-too-long
	conf 'del(.device) | .hwaddr = "02:00:00:00:00:99"'
	refuses 7 'hwaddr "02:00:00:00:00:99"'
	conf 'del(.device) | .hwaddr = "zz"'
	refuses 7 '"hwaddr": "zz" is not a MAC address'
	conf 'del(.device) | .pciBusID = "0000:3d:00.1"'
	refuses 7 'pciBusID "0000:3d:00.1"'
	conf 'del(.device) | .runtimeConfig.deviceID = "a.b.1"'
	refuses 7 'auxiliary device "a.b.1"'
	conf 'del(.device) | .runtimeConfig.deviceID = "0000:99:00.0"'
	refuses 7 'runtime config DeviceID 0000:99:00.0 not found or unsupported'
	conf 'del(.device) | .kernelpath = "/sys/devices/none"'
	refuses 7 'kernelpath "/sys/devices/none"'
	conf '.device = 7'
	refuses 6 '"device": 7 is not a string'
}

@test "no name leads out of the directory that it belongs in" {
	before=$(state)
	for path in /etc sys/devices/x /sys/devices /sys/devices/../class/x /sys/devices/a/../../b /sys/devices/a/..; do
		conf "del(.device) | .kernelpath = \"$path\""
		refuses 7 "kernel device path \"$path\" must be absolute and begin with /sys/devices/"
	done
	for id in ../../../class/net/h0 .. a/b 0000:3d:00.1/..; do
		conf "del(.device) | .pciBusID = \"$id\""
		refuses 7 '"pciBusID"' "$id"
		conf "del(.device) | .runtimeConfig.deviceID = \"$id\""
		refuses 7 '"runtimeConfig.deviceID"' "$id"
	done
}

@test "a device that a program drives by itself is left alone" {
	for driver in vfio-pci uio_pci_generic igb_uio; do
		fake_bus "pci/devices/0000:3d:00.1/driver=../../drivers/$driver" pci/devices/0000:3d:00.1/net/h0
		conf 'del(.device, .ipam) | .pciBusID = "0000:3d:00.1" | .cniVersion = "1.0.0"'
		before=$(state)
		add_device c1
		json '.interfaces == [{name:"eth0",sandbox:"/run/netns/c1"}] and (.ips // []) == []'
		same_state "$before"
		with_result
		try CHECK host-device c1
		ok
		del_device c1
		conf 'del(.device) | .pciBusID = "0000:3d:00.1"'
		add_device c1
		json '.interfaces == [{name:"eth0",sandbox:"/run/netns/c1",pciID:"0000:3d:00.1"}]'
		json '.ips[0] | .address == "10.9.0.10/24" and .interface == 0'
		[ -e /var/lib/cni/networks/n1/10.9.0.10 ]
		with_result
		try CHECK host-device c1
		ok
		del_device c1
		same_state "$before"
		rm -r /var/lib/cni/networks
	done
	fake_bus pci/devices/0000:3d:00.1/driver=../../drivers/mlx5_core
	is_taken
	conf 'del(.device, .ipam) | .DPDKMode = true | .kernelpath = "/sys/devices/x"'
	add_device c1
	json '.interfaces == [{name:"eth0",sandbox:"/run/netns/c1"}]'
}

# --- ADD that fails --------------------------------------------------------------

@test "ADD where the name is taken, or ADD again, changes nothing" {
	ip -n c1 link add eth0 type veth peer name x
	before=$(state)
	try ADD host-device c1
	refused 100 '"eth0" already exists in the container'
	same_state "$before"
	add_device c1 CNI_IFNAME=net1
	before=$(state)
	try ADD host-device c1 CNI_IFNAME=net1
	refused 100 '"net1" already exists in the container'
	try ADD host-device c1 CNI_IFNAME=net2
	refused 7 'device "h0"'
	same_state "$before"
	del_device c1 CNI_IFNAME=net1
	on_host h0 '.flags | index("UP")'
}

@test "ADD into a namespace that is not there is an error, and changes nothing" {
	before=$(state)
	try ADD host-device c1 CNI_NETNS=/run/netns/nowhere
	refused 3 /run/netns/nowhere
	touch /run/netns/file
	try ADD host-device c1 CNI_NETNS=/run/netns/file
	refused 4 /run/netns/file
	rm /run/netns/file
	same_state "$before"
}

@test "an ADD that IPAM, an address or a route lets down puts the device back" {
	before=$(state)
	conf '.ipam.ranges = [[{"subnet":"10.9.0.0/24","rangeStart":"10.9.0.20","rangeEnd":"10.9.0.19"}]]'
	try ADD host-device c1
	[ "$status" = 1 ]
	same_state "$before"
	conf '.ipam.type = "no-such-plugin"'
	try ADD host-device c1
	refused 7 no-such-plugin || refused 5 no-such-plugin || refused 4 no-such-plugin
	same_state "$before"
	conf '.ipam.routes = [{"dst":"192.168.77.0/24","gw":"172.31.0.1"}]'
	try ADD host-device c1
	refused 5 192.168.77.0/24
	same_state "$before"
	ip link set h0 down alias ''
	before=$(state)
	try ADD host-device c1
	refused 5 192.168.77.0/24
	same_state "$before"
}

@test "an ADD whose result nobody reads puts the device back" {
	before=$(state)
	cni ADD host-device c1 <<<"$CONF" >/dev/full || status=$?
	[ "$status" != 0 ]
	same_state "$before"
}

@test "ADDs at once for one device: one gets it, the others leave nothing" {
	for c in c2 c3 c4 c5 c6; do ip netns add $c; done
	before=$(state)
	for c in c1 c2 c3 c4 c5 c6; do
		cni ADD host-device $c <<<"$CONF" >"$BATS_TEST_TMPDIR/$c" 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/c? | jq -s 'map(select(.code | not)) | length')" = 1 ]
	[ "$(find /run/hawser -name '*.host-device' | wc -l)" = 1 ]
	[ "$(find /var/lib/cni/networks/n1 -name '10.*' | wc -l)" = 1 ]
	for c in c1 c2 c3 c4 c5 c6; do del_device $c; done
	same_state "$before"
}

@test "an ADD in which any one request fails leaves everything as it was" {
	needs_strace
	before=$(state)
	for n in $(seq 60); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg \
			-e inject=sendmsg:error=ENOBUFS:when="$n" "$CNI_BIN/host-device" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		if [ "$status" = 0 ]; then # one whose failure does not matter
			del_device c1
		else
			json '.msg | contains("No buffer space available")'
		fi
		same_state "$before" || {
			echo "request $n: $output"
			false
		}
	done
	ok
	[ "$n" -gt 8 ]
}

@test "after an ADD that is killed at any one request DEL puts everything back" {
	needs_strace
	before=$(state)
	for call in sendmsg renameat openat linkat unlinkat flock; do
		for n in $(seq 60); do
			result=0
			env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
				strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when="$n" \
				"$CNI_BIN/host-device" <<<"$CONF" >/dev/null 2>&1 3>&- || result=$?
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

# --- CHECK ------------------------------------------------------------------------

check_names() { # WORDS...
	try CHECK host-device c1
	refused 101 "$@"
}

checked() {
	add_device c1
	with_result
	try CHECK host-device c1
	ok
}

@test "CHECK names a device that has gone" {
	checked
	ip -n c1 link set eth0 netns out
	check_names eth0 "does not exist"
}

@test "CHECK names another MAC" {
	checked
	ip -n c1 link set eth0 address 02:00:00:00:0d:99
	check_names eth0 02:00:00:00:0d:99 "$MAC"
}

@test "CHECK names an interface that is down" {
	checked
	ip -n c1 link set eth0 down
	check_names eth0 "is down"
}

@test "CHECK names a missing address" {
	checked
	ip -n c1 addr del 10.9.0.10/24 dev eth0
	check_names 10.9.0.10/24 eth0
}

@test "CHECK names a missing route" {
	checked
	ip -n c1 route del 192.168.77.0/24
	check_names 192.168.77.0/24
}

@test "CHECK names a result of another namespace" {
	checked
	CONF=$(jq -c '.prevResult.interfaces[0].sandbox = "/run/netns/other"' <<<"$CONF")
	check_names eth0 /run/netns/other
}

@test "CHECK without prevResult is an error" {
	add_device c1
	try CHECK host-device c1
	refused 7 "prevResult"
}

# --- STATUS ---------------------------------------------------------------------

status() {
	try STATUS host-device x CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
}

@test "STATUS is content while the device is there or in a container" {
	status && ok
	add_device c1
	status && ok
	conf 'del(.device)'
	status && ok
	conf '.device = "h9"'
	status
	refused 50 'device "h9"'
}
