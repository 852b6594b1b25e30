#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman 4 (CNI), of an ordinary user: plugins run in a namespace of that user's that
# slirp4netns connects with the host. CONTROL as in podman.bats.

bats_require_minimum_version 1.5.0

load ../lib/system
load ../lib/podman

export BATS_TEST_TIMEOUT=120
[ -z "${CONTROL-}" ] || export CNI_PATH=$CONTROL

setup() {
	podman_rootless_host
	before=$(podman_rootless_state)
}

teardown() {
	podman rm -f -a -t 0 >/dev/null 2>&1
	podman network prune -f >/dev/null 2>&1
	pkill -x dnsmasq
	clean_up
}

nothing_left() {
	podman rm -f -a -t 0 >/dev/null
	podman network prune -f >/dev/null
	timeout 5 sh -c 'while pgrep slirp4netns >/dev/null; do sleep 0.01; done' || :
	[ -n "${CONTROL-}" ] || diff <(echo "$before") <(podman_rootless_state)
}

@test "rootless: an address, names, the way to the host, a published port" {
	podman network create --subnet 10.89.5.0/24 n1 >/dev/null
	serve web --network n1 --network-alias www -p 8080:80
	podman inspect web | jq -e '.[0].NetworkSettings.Networks.n1.IPAddress == "10.89.5.2"'
	[ "$(fetch http://127.0.0.1:8080/)" = web ]
	[ "$(client --network n1 'wget -q -O- http://web/')" = web ]
	[ "$(client --network n1 'wget -q -O- http://www.dns.podman/')" = web ]
	nothing_left
}

@test "rootless: dual stack, two networks, an address and a MAC of one's own" {
	podman network create --ipv6 --subnet 10.89.7.0/24 --subnet fd07::/64 n1 >/dev/null
	podman network create --internal --subnet 10.89.10.0/24 n2 >/dev/null
	serve web --network n1:ip=10.89.7.77,ip=fd07::77,mac=02:00:00:00:00:77 --network n2
	[[ $(podman exec web ip addr) == *02:00:00:00:00:77*10.89.7.77/24*fd07::77/64* ]]
	[ "$(client --network n1 'wget -q -O- "http://[fd07::77]/"')" = web ]
	[ "$(client --network n2 "wget -q -O- http://$(podman inspect web |
		jq -r '.[0].NetworkSettings.Networks.n2.IPAddress')/")" = web ]
	no client --network n2 'ip route | grep default'
	nothing_left
}

@test "rootless: a plugin of the list fails: so does the container, and nothing is left" {
	podman network create --subnet 10.89.13.0/24 n1 >/dev/null
	jq '.plugins += [{type: "tuning", sysctl: {"net.none": "1"}}]' "$ROOTLESS/.config/cni/net.d/n1.conflist" \
		>"$BATS_TEST_TMPDIR/n1"
	cat "$BATS_TEST_TMPDIR/n1" >"$ROOTLESS/.config/cni/net.d/n1.conflist"
	run -127 podman run --rm --network n1 busybox:local true
	[[ $output == *net*none* ]]
	# podman takes its namespace away with the next container that ends
	podman network create --subnet 10.89.15.0/24 n2 >/dev/null
	client --network n2 true
	nothing_left
}

@test "rootless: a container and its monitor are killed: rm leaves nothing" {
	podman network create --subnet 10.89.14.0/24 n1 >/dev/null
	serve web --network n1 -p 8080:80
	killed web
	nothing_left
}
