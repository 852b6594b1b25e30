# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the system tests of host-device share. The device h0 is one end of a veth
# pair whose other end is in the namespace "out".

MAC=02:00:00:00:0d:01
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"host-device","device":"h0",
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.9.0.0/24","rangeStart":"10.9.0.10"}],
   [{"subnet":"fd09::/64","rangeStart":"fd09::10"}]],
  "routes":[{"dst":"192.168.77.0/24","gw":"10.9.0.1"}]}}'

setup() {
	ip netns add out
	ip netns add c1
	for ns in '' out c1; do
		${ns:+ip netns exec $ns} sysctl -qw net.ipv6.conf.default.accept_dad=0
	done
	ip link add h0 address $MAC mtu 1400 type veth peer name p0 netns out
	ip link set h0 up alias "uplink to out"
	ip -n out addr add 10.9.0.1/24 dev p0
	ip -n out addr add fd09::1/64 dev p0 nodad
	ip -n out link set p0 up
	conf .
}

teardown() {
	clean_up
	ip link del t0 2>/dev/null
	umount /sys/bus /sys/devices/virtual/mem 2>/dev/null
	return 0
}

# add_device CONTAINER [VARIABLE=VALUE...]: an ADD that must succeed.
add_device() {
	try ADD host-device "$@"
	ok
}

del_device() {
	try DEL host-device "$@"
	ok
	[ -z "$output" ]
}

link() { # NAMESPACE NAME FILTER: it is there, and the filter is true of it
	ip -n "$1" -j link show "$2" | jq -e ".[0] | $3" >/dev/null
}

on_host() { # NAME FILTER
	ip -j link show "$1" | jq -e ".[0] | $2" >/dev/null
}

# What the kernel does with a device that is no creature of its namespace when
# that ends (net/core/dev.c, default_device_exit_net()): the one at hand is not.
fall() { # CONTAINER NAME-IN-IT NAME-ON-THE-HOST
	ip -n "$1" link set "$2" down
	ip -n "$1" link set "$2" netns $$ name "$3"
	ip netns del "$1"
}

# The record says that the device is no creature of its namespace.
as_hardware() {
	sed -i 's/"kind":"veth"/"kind":""/' /run/hawser/*.host-device
}

# A bus below /sys, with what the arguments name: PATH or PATH=LINK-TARGET.
fake_bus() {
	local path
	mountpoint -q /sys/bus || mount -t tmpfs tmpfs /sys/bus
	for path in "$@"; do
		case $path in
		*=*)
			mkdir -p "/sys/bus/$(dirname "${path%%=*}")"
			ln -sfn "${path#*=}" "/sys/bus/${path%%=*}" ;;
		*) mkdir -p "/sys/bus/$path" ;;
		esac
	done
}

soon() { # COMMAND...: it succeeds in a while
	for _ in $(seq 200); do
		! "$@" 2>/dev/null || return 0
		sleep 0.01
	done
	"$@"
}
