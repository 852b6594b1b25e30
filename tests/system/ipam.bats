#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hawser ipam, for people: what host-local has given out.

# shellcheck disable=SC2034,SC2154 # shared with system.bash and bats' run
load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"net","type":"host-local",
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00::/64"}]]}}'
STORE=/var/lib/cni/networks

bats_require_minimum_version 1.5.0

setup() {
	conf .
}

teardown() {
	rm -rf $STORE /run/hawser /run/data
}

add() { # CONTAINER
	try ADD host-local "$@"
	ok
}

hawser() {
	"$CNI_BIN/hawser" "$@"
}

is() { # EXPECTED: the output
	diff <(printf '%s\n' "$1") <(printf '%s\n' "$output")
}

@test "list has the networks and how many addresses they gave out" {
	run -0 hawser ipam list
	is 'NETWORK   TAKEN  LAST'
	add c1
	add c2
	conf '.name = "a-longer-name" | del(.ipam.ranges[1])'
	add c3
	mkdir $STORE/empty
	touch $STORE/file
	run -0 hawser ipam list
	is 'NETWORK         TAKEN  LAST
a-longer-name       1  10.1.2.2
empty               0  
net                 4  10.1.2.3'
	run -0 --separate-stderr hawser ipam list --json
	json '. == [{network: "a-longer-name", taken: 1, last: "10.1.2.2"},
		{network: "empty", taken: 0}, {network: "net", taken: 4, last: "10.1.2.3"}]'
	[ ! -e $STORE/empty/lock ]
}

@test "show has the addresses in order, and whose they are" {
	local i
	for i in $(seq 9); do
		add "c$i"
	done
	printf 'old' >$STORE/net/10.1.2.100
	touch $STORE/net/10.1.2.99
	run -0 hawser ipam show net
	is "$(
		printf '%-10s  %-9s  %s\n' ADDRESS INTERFACE CONTAINER
		for i in $(seq 9); do
			printf '%-10s  %-9s  %s\n' 10.1.2.$((i + 1)) eth0 "c$i"
		done
		printf '%-10s  %-9s  %s\n' 10.1.2.99 '' '(nobody: an empty file)' \
			10.1.2.100 '' old
		for i in $(seq 9); do
			printf '%-10s  %-9s  %s\n' "$(printf fd00::%x $((i + 1)))" eth0 "c$i"
		done
	)"
	run -0 --separate-stderr hawser ipam show net --json
	json 'length == 20 and .[0] == {address: "10.1.2.2", containerID: "c1", ifname: "eth0"}
		and .[9] == {address: "10.1.2.99"} and .[10] == {address: "10.1.2.100", containerID: "old"}'
	run -1 hawser ipam show other
	[[ $output == 'hawser: ipam show: no address of network "other" in "/var/lib/cni/networks"' ]]
}

@test "free frees just those, and an ADD gets them" {
	add c1
	add c2
	run -0 hawser ipam free net 10.1.2.2 fd00::2
	run -0 --separate-stderr hawser ipam show net --json
	json '[.[].address] == ["10.1.2.3", "fd00::3"]'
	try CHECK host-local c1
	refused 101 c1
	conf '.args.cni.ips = ["10.1.2.2"]'
	add c3
	run -1 hawser ipam free net 10.1.2.77
	[[ $output == 'hawser: ipam free: 10.1.2.77 is not reserved in network "net"' ]]
	run -1 hawser ipam free net nonsense
	[[ $output == *'"nonsense" is not an address'* ]]
	run -1 hawser ipam free other 10.1.2.2
	[[ $output == *"$STORE/other"* ]]
	[ ! -e $STORE/other ]
}

@test "what the reference gave out, in another directory" {
	[ -x "$REFERENCE_CNI/host-local" ] || skip "no reference plugin"
	conf '.ipam.dataDir = "/run/data"'
	CNI_PATH=$REFERENCE_CNI add c1
	run -0 --separate-stderr hawser ipam show -d /run/data net -j
	json '[.[].containerID] == ["c1", "c1"]'
	run -0 hawser ipam free --data-dir=/run/data net 10.1.2.2 fd00::2
	CNI_PATH=$REFERENCE_CNI add c1
}

@test "names that lead elsewhere and missing arguments are refused" {
	run -64 hawser ipam show ../net
	run -64 hawser ipam show ''
	run -64 hawser ipam show
	run -64 hawser ipam free net
	run -64 hawser ipam nonsense
	run -0 hawser ipam --help
	[[ $output == *"free what no DEL will free"* ]]
}
