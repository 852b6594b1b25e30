#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=filtering,ipvlan,slow
#
# podman's networks that need what many kernels do not have: VLANs on the bridge, and
# ipvlan. PODMAN and CONTROL as in podman.bats.

load ../lib/system
load ../lib/outside
load ../lib/podman

export BATS_TEST_TIMEOUT=120
[ ! -d "${CONTROL-}" ] || export CNI_PATH=$CONTROL

setup() {
	podman_host "${PODMAN:-4.3}"
	make_outside
	before=$(podman_state)
}

teardown() {
	podman_clean_up
}

nothing_left() {
	podman_left_nothing "$before"
}

@test "a VLAN of the bridge: its containers, their names, and the way out" {
	needs filtering
	network --subnet 10.89.20.0/24 -o vlan=5 n1
	serve web --network n1
	bridge -j vlan show | jq -e 'any(.[]; (.ifname | startswith("veth")) and
		any(.vlans[]; .vlan == 5 and (.flags // [] | index("PVID"))))'
	[ "$(client --network n1 'wget -q -O- http://10.89.20.2/')" = web ]
	[ -n "${CONTROL-}" ] || [ "$(client --network n1 'wget -q -O- http://web/')" = web ] # not with the reference's
	[ -n "${CONTROL-}" ] || client --network n1 'ping -c 1 -W 5 198.51.100.2'
	nothing_left
}

@test "ipvlan: an address of the network outside, with its interface's MAC" {
	only_podman 4.3 # netavark's own, not a driver's
	needs ipvlan
	podman network create -d ipvlan -o mode=l2 --subnet 198.51.100.0/24 --gateway 198.51.100.2 \
		--ip-range 198.51.100.128/28 n1 >/dev/null # of the interface with the default route
	serve web --network n1
	[[ $(podman exec web ip link show eth0) == *"$(cat /sys/class/net/up0/address)"* ]]
	[ "$(fetch "http://$(podman inspect web | jq -r '.[0].NetworkSettings.Networks.n1.IPAddress')/" out)" = web ]
	nothing_left
}
