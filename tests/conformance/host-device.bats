#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# host-device: a device of the host goes into the container and comes back. It is
# one end of a pair whose other end is in the namespace "out".

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

mac=02:00:00:00:0d:01

device_conf() {
	[ -x "$PLUGINS/host-device" ] || skip 'no host-device plugin'
	[ -e /run/netns/out ] || wire
	set_conf '{cniVersion: $v, name: "net", type: "host-device", device: "h0",
		ipam: {type: "host-local", subnet: "10.1.2.0/24"}}' "${1-}"
}

wire() {
	netns_new out
	ip netns exec out sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add h0 address "$mac" type veth peer name p0 netns out
	ip link set h0 up
	ip -n out addr add 10.1.2.1/24 dev p0
	ip -n out link set p0 up
}

home() { # FILTER: h0 is on the host, not in the container
	sees "length == 1 and (.[0] | .address == \"$mac\" and (${1:-.}))" host link show dev h0
	sees 'length == 0' a link show dev eth0
}

# A bus below /sys, with a directory or PATH=LINK-TARGET for each argument.
fake_bus() {
	local path
	mountpoint -q /sys/bus || mount -t tmpfs tmpfs /sys/bus
	for path in "$@"; do
		mkdir -p "/sys/bus/$(dirname "${path%%=*}")"
		case $path in
		*=*) ln -sfn "${path#*=}" "/sys/bus/${path%%=*}" ;;
		*) mkdir -p "/sys/bus/$path" ;;
		esac
	done
}

# A PCI device with a driver and an interface.
pci() { # ID DRIVER
	fake_bus "pci/drivers/$2" "pci/devices/$1/net/h0" \
		"pci/devices/$1/driver=../../drivers/$2"
}

@test "host-device ADD moves the device into the container under CNI_IFNAME" {
	device_conf
	add host-device
	sees '.[0] | .address == "'$mac'" and (.flags | index("UP"))' a link show dev eth0
	sees 'length == 0' host link show dev h0
	eq "$(addresses a eth0)" 10.1.2.2/24
	pings a 10.1.2.1
}

@test "host-device ADD reports the interface, its MAC and its namespace" {
	device_conf
	add host-device
	has '.interfaces | length == 1'
	has '.interfaces[0] | .name == "eth0" and .mac == "'$mac'" and .sandbox == "/run/netns/a"'
	has '.ips | length == 1'
	has '.ips[0] | .address == "10.1.2.2/24" and .interface == 0'
}

@test "host-device without ipam brings the device up and reports it" {
	device_conf 'del(.ipam)'
	add host-device
	has '.interfaces[0] | .name == "eth0" and .mac == "'$mac'" and .sandbox == "/run/netns/a"'
	has '.ips // [] | length == 0'
	sees '.[0].flags | index("UP")' a link show dev eth0
	eq "$(addresses a eth0)" ''
}

@test "host-device ADD keeps the device's own name as its alias" {
	device_conf
	add host-device
	sees '.[0].ifalias == "h0"' a link show dev eth0
}

@test "host-device ADD makes the routes that IPAM returned" {
	device_conf '.ipam.routes = [{dst: "192.168.0.0/16", gw: "10.1.2.1"}]'
	add host-device
	sees '.[0].gateway == "10.1.2.1" and .[0].dev == "eth0"' a route show 192.168.0.0/16
}

@test "host-device ADD reports the DNS that IPAM returned" {
	echo 'nameserver 10.1.2.53' >"$tmp/resolv.conf"
	device_conf ".ipam.resolvConf = \"$tmp/resolv.conf\""
	add host-device
	has '.dns.nameservers == ["10.1.2.53"]'
}

# Which device.

@test "host-device finds a device by hwaddr" {
	device_conf 'del(.device) | .hwaddr = "02:00:00:00:0D:01"'
	add host-device
	sees '.[0].address == "'$mac'"' a link show dev eth0
}

@test "host-device finds a device by kernelpath" {
	mount -t tmpfs tmpfs /sys/devices/virtual/mem
	mkdir -p /sys/devices/virtual/mem/net/h0
	device_conf 'del(.device) | .kernelpath = "/sys/devices/virtual/mem"'
	add host-device
	sees '.[0].address == "'$mac'"' a link show dev eth0
}

@test "host-device finds a device by pciBusID" {
	pci 0000:3d:00.1 mlx5_core
	device_conf 'del(.device) | .pciBusID = "0000:3d:00.1"'
	add host-device
	sees '.[0].address == "'$mac'"' a link show dev eth0
}

@test "host-device finds a virtio device by pciBusID" {
	fake_bus pci/drivers/virtio-pci pci/devices/0000:00:03.0/virtio2/net/h0 \
		pci/devices/0000:00:03.0/driver=../../drivers/virtio-pci
	device_conf 'del(.device) | .pciBusID = "0000:00:03.0"'
	add host-device
	sees '.[0].address == "'$mac'"' a link show dev eth0
}

@test "host-device takes the device that runtimeConfig.deviceID names before pciBusID's" {
	pci 0000:3d:00.1 mlx5_core
	device_conf 'del(.device) | .pciBusID = "0000:99:00.0" | .runtimeConfig.deviceID = "0000:3d:00.1"'
	add host-device
	sees '.[0].address == "'$mac'"' a link show dev eth0
}

@test "host-device prefers device to hwaddr, and that to pciBusID" {
	pci 0000:3d:00.1 mlx5_core
	ip link add h9 address 02:00:00:00:0d:09 type veth peer name p9
	device_conf '.hwaddr = "02:00:00:00:0d:09"'
	add host-device
	sees '.[0].address == "'$mac'"' a link show dev eth0
	del host-device
	device_conf 'del(.device) | .hwaddr = "02:00:00:00:0d:09" | .pciBusID = "0000:3d:00.1"'
	add host-device
	sees '.[0].address == "02:00:00:00:0d:09"' a link show dev eth0
}

@test "host-device leaves a device with a driver for user space alone" {
	local driver
	for driver in vfio-pci uio_pci_generic igb_uio; do
		pci 0000:3d:00.1 "$driver"
		device_conf 'del(.device) | .pciBusID = "0000:3d:00.1"'
		add host-device
		home
		has '.ips | length == 1'
		check host-device
		del host-device
		eq "$(reserved)" ''
		home
	done
}

refuses() { # FILTER PATTERN: such an ADD is an error, and changes nothing
	local before
	device_conf "$1"
	before=$(snapshot)
	cni ADD host-device
	refused any "$2"
	eq "$(snapshot)" "$before"
	home
}

@test "host-device with no device named is an error" {
	refuses 'del(.device)' 'device.*hwaddr.*kernelpath.*pciBusID'
}

@test "host-device with a device that is not there is an error" {
	refuses '.device = "h9"' .
	refuses 'del(.device) | .hwaddr = "02:00:00:00:0d:77"' .
	refuses 'del(.device) | .kernelpath = "/sys/devices/none"' /sys/devices/none
	fake_bus pci/devices
	refuses 'del(.device) | .pciBusID = "0000:99:00.0"' 0000:99:00.0
	refuses 'del(.device) | .runtimeConfig.deviceID = "0000:99:00.0"' 0000:99:00.0
}

@test "host-device does not follow a name out of its directory" {
	refuses 'del(.device) | .kernelpath = "/etc"' /etc
	refuses 'del(.device) | .kernelpath = "sys/devices/x"' sys/devices/x
	refuses 'del(.device) | .pciBusID = "../../../nowhere"' nowhere
}

# ADD that fails.

@test "host-device ADD where CNI_IFNAME is taken leaves the device on the host" {
	device_conf
	ip -n a link add eth0 type veth peer name x
	cni ADD host-device
	refused any .
	sees '.[0].address == "'$mac'"' host link show dev h0
	eq "$(reserved)" ''
}

@test "host-device ADD for which IPAM has no address leaves the device on the host" {
	device_conf '.ipam.subnet = "10.1.2.0/30" | .name = "small"'
	add host-device
	del host-device
	mkdir -p "$nets/small"
	printf 'other\r\neth0' >"$nets/small/10.1.2.2"
	cni ADD host-device
	refused any .
	home
}

# DEL.

@test "host-device DEL gives the device and the address back" {
	device_conf
	add host-device
	del host-device
	home
	eq "$(reserved)" ''
}

@test "host-device DEL sets the device up that was up" {
	device_conf
	add host-device
	del host-device
	home '.flags | index("UP")'
}

@test "host-device DEL twice succeeds" {
	device_conf
	add host-device
	del host-device
	del host-device
	home
}

@test "host-device DEL with an empty CNI_NETNS frees the address" {
	device_conf
	add host-device
	del host-device CNI_NETNS=
	eq "$(reserved)" ''
}

@test "host-device DEL where the namespace has gone frees the address" {
	device_conf
	add host-device
	ip netns del a
	del host-device
	eq "$(reserved)" ''
}

@test "host-device DEL where the device has gone frees the address" {
	device_conf
	add host-device
	ip -n a link del eth0
	del host-device
	eq "$(reserved)" ''
}

@test "host-device DEL where the device's name is taken on the host fails and loses nothing" {
	device_conf
	add host-device
	ip link add h0 type veth peer name x
	cni DEL host-device
	refused any h0
	sees '.[0] | .address == "'$mac'" and .ifalias == "h0"' a link show dev eth0
	ip link del h0
	del host-device
	home
}

# CHECK.

checked() {
	device_conf '.ipam.routes = [{dst: "192.168.0.0/16", gw: "10.1.2.1"}]'
	add host-device
	check host-device
}

notices() { # PATTERN
	with_result CHECK host-device
	refused any "$1"
}

@test "host-device CHECK succeeds after ADD, and notices that the device has gone" {
	checked
	ip -n a link set eth0 netns out
	notices eth0
}

@test "host-device CHECK notices another MAC" {
	checked
	ip -n a link set eth0 address 02:00:00:00:0d:99
	notices 02:00:00:00:0d:99
}

@test "host-device CHECK notices that the interface is down" {
	checked
	ip -n a link set eth0 down
	notices .
}

@test "host-device CHECK notices a missing address" {
	checked
	ip -n a addr del 10.1.2.2/24 dev eth0
	notices 10.1.2.2
}

@test "host-device CHECK notices a missing route" {
	checked
	ip -n a route del 192.168.0.0/16
	notices 192.168.0.0
}

@test "host-device CHECK notices a result of another namespace" {
	checked
	result=$(jq -c '.interfaces[0].sandbox = "/run/netns/other"' <<<"$result")
	notices /run/netns/
}

# GC and STATUS.

@test "host-device GC puts the devices of stale attachments back" {
	need 1.1.0
	device_conf
	add host-device
	conf=$(jq -c '."cni.dev/valid-attachments" = [{containerID: "c1", ifname: "eth0"}]' <<<"$conf")
	cni GC host-device CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
	pings a 10.1.2.1
	conf=$(jq -c '."cni.dev/valid-attachments" = []' <<<"$conf")
	cni GC host-device CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
	home
	eq "$(reserved)" ''
}

@test "host-device STATUS succeeds with the device on the host" {
	need 1.1.0
	device_conf
	cni STATUS host-device CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
}
