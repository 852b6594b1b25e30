#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman of an ordinary user: plugins run in a namespace of that user's that slirp4netns,
# with podman 5 pasta, connects with the host. PODMAN and CONTROL as in podman.bats.

bats_require_minimum_version 1.5.0

load ../lib/system
load ../lib/outside
load ../lib/podman

export BATS_TEST_TIMEOUT=120
PODMAN=${PODMAN:-4.3}
PEER=${PEER:-$BATS_TEST_DIRNAME/../../build/tests/peer}
[ ! -d "${CONTROL-}" ] || export CNI_PATH=$CONTROL

setup() {
	podman_rootless_host "$PODMAN"
	make_outside
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
	timeout 5 sh -c "while pgrep '^slirp|^pasta' >/dev/null; do sleep 0.01; done" || :
	[ -n "${CONTROL-}" ] || diff <(echo "$before") <(podman_rootless_state)
}

@test "rootless: an address, names, the way out, a published port" {
	network --subnet 10.89.5.0/24 n1
	serve web --network n1 --network-alias www -p 8080:80
	podman inspect web | jq -e '.[0].NetworkSettings.Networks.n1.IPAddress == "10.89.5.2"'
	[ "$(fetch http://127.0.0.1:8080/)" = web ]
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	[ "$(client --network n1 'wget -q -O- http://web/')" = web ]
	[ "$(client --network n1 'wget -q -O- http://www.dns.podman/')" = web ]
	serve_outside
	[[ $(client --network n1 'nc -w 5 198.51.100.2 80') == 'outside 198.51.100.1'* ]]
	pkill -x peer
	nothing_left
}

@test "rootless: dual stack, two networks, an address and a MAC of one's own" {
	network --ipv6 --subnet 10.89.7.0/24 --subnet fd07::/64 n1
	network --internal --subnet 10.89.10.0/24 n2
	serve web --network n1:ip=10.89.7.77,ip=fd07::77,mac=02:00:00:00:00:77 --network n2
	[[ $(podman exec web ip addr) == *02:00:00:00:00:77*10.89.7.77/24*fd07::77/64* ]]
	[ "$(client --network n1 'wget -q -O- "http://[fd07::77]/"')" = web ]
	[ "$(client --network n2 'wget -q -O- http://10.89.10.2/')" = web ]
	no client --network n2 'ip route | grep default'
	nothing_left
}

@test "rootless: a plugin of the list fails: so does the container, and nothing is left" {
	only_podman 4.3
	network --subnet 10.89.13.0/24 n1
	jq '.plugins += [{type: "tuning", sysctl: {"net.none": "1"}}]' "$ROOTLESS/.config/cni/net.d/n1.conflist" \
		>"$BATS_TEST_TMPDIR/n1"
	cat "$BATS_TEST_TMPDIR/n1" >"$ROOTLESS/.config/cni/net.d/n1.conflist"
	run -127 podman run --rm --network n1 busybox:local true
	[[ $output == *net*none* ]]
	# podman takes its namespace away with the next container that ends
	network --subnet 10.89.15.0/24 n2
	client --network n2 true
	nothing_left
}

@test "rootless: what one network refuses leaves nothing of the others" {
	only_podman 5
	[ -z "${CONTROL-}" ] || skip "netavark takes no CNI list"
	jq -n '{cniVersion: "1.1.0", name: "lan", plugins: [{type: "bridge", ipam: {type: "nobody"}}]}' \
		>/etc/cni/net.d/lan.conflist
	network --subnet 10.89.13.0/24 n1
	network -o conflist=lan n2
	run podman run --rm --network n1 --network n2 busybox:local true
	[ "$status" != 0 ]
	[[ $output == *nobody* ]]
	nothing_left
}

@test "rootless: a container and its monitor are killed: rm leaves nothing" {
	network --subnet 10.89.14.0/24 n1
	serve web --network n1 -p 8080:80
	killed web
	nothing_left
}
