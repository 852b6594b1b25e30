#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each network of conf-examples: loaded, added, checked, deleted; two containers
# find each other where they should.

load ../lib/system
load ../lib/dhcp

setup() {
	ip netns add a
	ip netns add b
	cp "$BATS_TEST_DIRNAME"/../../conf-examples/*.conflist /etc/cni/net.d/
}

teardown() {
	clean_up
}

# Leaves the result of container b in $output.
up_and_checked() { # NETWORK
	local c
	for c in a b; do
		run "$CNI_BIN/hawser" add "$1" "$c"
		ok
	done
	result=$output
	"$CNI_BIN/hawser" check "$1" a
	"$CNI_BIN/hawser" status "$1"
	output=$result
}

all_gone() { # NETWORK
	"$CNI_BIN/hawser" del "$1" a
	"$CNI_BIN/hawser" del "$1" b
	[ "$(ip -j link show type veth)" = '[]' ]
	[ -z "$(find /var/lib/cni -name '[0-9f]*[.:]*' ! -name 'last*')" ]
	lacks comment nft list ruleset
}

reaches() { # ADDRESS
	ip netns exec a ping -c 1 -W 2 "$1"
}

@test "podman.conflist" {
	up_and_checked podman
	reaches 10.88.0.3
	all_gone podman
}

@test "podman.conflist: host ports by CAP_ARGS" {
	local peer=$CNI_BIN/../tests/peer
	ip netns exec a "$peer" serve tcp 80 a >"$BATS_TEST_TMPDIR/s" 3>&- &
	CAP_ARGS='{"portMappings":[{"hostPort":8080,"containerPort":80}]}' "$CNI_BIN/hawser" add podman a
	until [ -s "$BATS_TEST_TMPDIR/s" ]; do sleep 0.01; done
	[ "$("$peer" ask tcp 127.0.0.1 8080)" = 'a 10.88.0.1' ]
	"$CNI_BIN/hawser" del podman a
	no "$peer" ask tcp 127.0.0.1 8080
	pkill -x peer
	lacks comment nft list ruleset
}

@test "nerdctl.conflist" {
	up_and_checked bridge
	reaches 10.4.0.3
	all_gone bridge
}

@test "nomad.conflist" {
	up_and_checked nomad
	reaches 172.26.64.3
	all_gone nomad
}

@test "containerd.conflist" {
	up_and_checked containerd-net
	reaches 10.88.0.3
	reaches 2001:db8:4860::3
	all_gone containerd-net
}

@test "dual-stack.conflist" {
	up_and_checked dual-stack
	json '.dns.nameservers == ["10.20.0.1"]'
	[ "$(ip -n a -j link show lo | jq -r '.[0].flags | index("UP")')" != null ]
	reaches 10.20.0.101
	reaches fd20::3
	all_gone dual-stack
}

@test "names.conflist" {
	local dir=/run/containers/cni/dnsname/names
	unset XDG_RUNTIME_DIR
	CAP_ARGS='{"aliases":["b"]}' up_and_checked names
	json '.dns.nameservers == ["10.89.0.1", "fd89::1"] and .dns.search == ["dns.podman"]'
	[ "$(ip netns exec a dig +short @10.89.0.1 b.dns.podman | sort)" = "$(printf '10.89.0.2\n10.89.0.3')" ]
	[ "$(ip netns exec a dig +short @fd89::1 b.dns.podman AAAA | sort)" = "$(printf 'fd89::2\nfd89::3')" ]
	# in a container, whose resolv.conf says whom to ask
	CAP_ARGS='{"aliases":{"names":["www"]}}' "$CNI_BIN/hawser" run --net names --hostname web -- \
		sh -c 'getent ahostsv4 b && getent ahostsv6 web && getent ahostsv4 www' >"$BATS_TEST_TMPDIR/found"
	grep -q '^10.89.0.3 .*STREAM' "$BATS_TEST_TMPDIR/found"
	grep -q '^fd89::4 .*STREAM web' "$BATS_TEST_TMPDIR/found"
	grep -q '^10.89.0.4 .*STREAM www' "$BATS_TEST_TMPDIR/found"
	all_gone names
	timeout 5 bash -c 'while [ -e "$1" ]; do sleep 0.01; done' bash "$dir"
	no pgrep -x dnsmasq
}

@test "layer2.conflist" {
	up_and_checked layer2
	ip -n a addr add 192.0.2.1/24 dev eth0
	ip -n b addr add 192.0.2.2/24 dev eth0
	reaches 192.0.2.2
	all_gone layer2
}

@test "isolated.conflist" {
	up_and_checked isolated
	reaches 10.30.0.1
	no reaches 10.30.0.3
	all_gone isolated
}

@test "guarded.conflist" {
	up_and_checked guarded
	reaches 10.40.0.3
	reaches fd40::3
	ip -n a addr add 10.40.0.99/24 dev eth0
	no ip netns exec a ping -c 1 -W 1 -I 10.40.0.99 10.40.0.3
	all_gone guarded
}

@test "limited.conflist" {
	up_and_checked limited
	[ "$(ip -j link show type ifb | jq length)" = 2 ]
	reaches 10.94.0.3
	reaches fd94::3
	all_gone limited
	[ "$(ip -j link show type ifb)" = '[]' ]
}

@test "same-bridge.conflist" {
	up_and_checked same-bridge
	reaches 10.40.0.3
	reaches fd40::3
	all_gone same-bridge
}

@test "dhcp.conflist, and its units" {
	needs_server dnsmasq
	new_server lan0
	serve_dnsmasq --dhcp-range="$RANGE"
	CNI_ARGS='IgnoreUnknown=1;HOSTNAME=alpha' up_and_checked lan
	grep -c ' alpha ' "$LEASES"
	reaches 192.0.2.1
	"$CNI_BIN/hawser" del lan a
	"$CNI_BIN/hawser" del lan b
	wait_for "$DNSMASQ_LOG" DHCPRELEASE 2
	dhcp_clean_up
	for unit in "$BATS_TEST_DIRNAME"/../../conf-examples/systemd/cni-dhcp.*; do
		grep -q '^\[Unit\]$' "$unit"
	done
	# what systemd does with the two, by hand
	exec_start=$(sed -n 's/^ExecStart=.opt.cni.bin.//p' "$BATS_TEST_DIRNAME"/../../conf-examples/systemd/cni-dhcp.service)
	[ "$exec_start" = 'dhcp daemon' ]
	run env LISTEN_FDS=2 sh -c 'LISTEN_PID=$$ exec "$0" daemon' "$CNI_BIN/dhcp"
	[ "$status" = 1 ]
	[[ $output == *'exactly one socket'* ]]
}

@test "ptp.conflist" {
	up_and_checked ptp
	json '.interfaces[1].mtu == 1420'
	reaches 10.50.0.3
	reaches fd50::3
	all_gone ptp
}

@test "ptp.conflist: host ports by CAP_ARGS" {
	local peer=$CNI_BIN/../tests/peer
	ip netns exec a "$peer" serve tcp 80 a >"$BATS_TEST_TMPDIR/s" 3>&- &
	server=$!
	CAP_ARGS='{"portMappings":[{"hostPort":8080,"containerPort":80}]}' "$CNI_BIN/hawser" add ptp a
	until [ -s "$BATS_TEST_TMPDIR/s" ]; do sleep 0.01; done
	[ "$("$peer" ask tcp 127.0.0.1 8080)" = 'a 10.50.0.1' ]
	"$CNI_BIN/hawser" del ptp a
	no "$peer" ask tcp 127.0.0.1 8080
	kill "$server"
	lacks comment nft list ruleset
}

@test "host-device.conflist" {
	ip link add eth1 type veth peer name eth0 netns b
	ip link set eth1 up
	ip -n b addr add 10.50.0.1/24 dev eth0
	ip -n b link set eth0 up
	run "$CNI_BIN/hawser" add uplink a
	ok
	json '.ips[0].address == "10.50.0.10/24"'
	"$CNI_BIN/hawser" check uplink a
	"$CNI_BIN/hawser" status uplink
	reaches 10.50.0.1
	"$CNI_BIN/hawser" del uplink a
	ip -j link show eth1 | jq -e '.[0].flags | index("UP")'
}
