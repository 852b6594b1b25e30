#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=macvlan
#
# bandwidth: what it makes in the kernel, whose that is, and that it goes.

load ../lib/system
load ../lib/bandwidth

setup() {
	bandwidth_setup
}

teardown() {
	bandwidth_teardown
}

redirects_to() { # INTERFACE
	[ "$(tc filter show dev h0 parent ffff: | grep -c "Egress Redirect to device $1) stolen")" = 1 ]
}

@test "both directions, CHECK is content, DEL leaves nothing, and again" {
	before=$(limits)
	limit
	root_of h0 '.kind == "tbf" and .handle == "1:" and .options.rate == 2500000 and .options.burst == 25000
		and .options.lat == 25000'
	root_of "$IFB" '.kind == "tbf" and .handle == "1:" and .options.rate == 1250000 and .options.burst == 12500
		and .options.lat == 25000'
	ip -j link show "$IFB" | jq -e '.[0] | .mtu == 1400 and (.flags | contains(["UP"])) and
		(.ifalias | contains("net: n1, if: eth0, id: c1"))'
	redirects_to "$IFB"
	json ".interfaces | length == 3 and .[2].name == \"$IFB\""
	json ".interfaces[2].mac == \"$(ip -j link show "$IFB" | jq -r '.[0].address')\""
	json '.interfaces[1].mac == "02:00:00:00:00:01" and .ips[0].address == "10.1.0.2/24"'
	with_result
	checked
	unlimit
	same_limits "$before"
	unlimit
	unlimit CNI_NETNS=
	unlimit CNI_NETNS=/run/netns/none
}

@test "one direction alone" {
	before=$(limits)
	conf 'del(.egressRate, .egressBurst)'
	limit
	root_of h0 '.kind == "tbf"'
	[ -z "$(ifbs)" ]
	json '.interfaces | length == 2'
	checked
	unlimit
	same_limits "$before"
	conf '.ingressRate = 0 | .ingressBurst = 0'
	limit
	root_of h0 '.kind == "noqueue"'
	redirects_to "$IFB"
	checked
	unlimit
	same_limits "$before"
}

@test "no limits: the result passes as it is, and nothing is made" {
	before=$(limits)
	for filter in '.ingressRate = 0 | .ingressBurst = 0 | .egressRate = 0 | .egressBurst = 0' \
		'del(.ingressRate, .ingressBurst, .egressRate, .egressBurst)' \
		'.ingressBurst = 0 | .egressRate = 0 | .egressBurst = 0 | .ingressRate = null'; do
		conf "$filter"
		limit CNI_NETNS=/run/netns/none
		diff <(jq . <<<"$output") <(jq .prevResult <<<"$CONF")
		checked CNI_NETNS=/run/netns/none
	done
	same_limits "$before"
}

@test "what a runtime asks for, with containerd's keys and burst, and CRI-O's" {
	conf 'del(.ingressRate, .ingressBurst, .egressRate, .egressBurst) | .runtimeConfig.bandwidth =
		{"IngressRate":1000000,"IngressBurst":4294967295,"EgressRate":0,"EgressBurst":0}'
	limit
	root_of h0 '.options.rate == 125000 and .options.burst > 30000000'
	[ -z "$(ifbs)" ]
	checked
	unlimit
	conf 'del(.ingressRate, .ingressBurst, .egressRate, .egressBurst) | .runtimeConfig.bandwidth =
		{"ingressRate":1000000,"ingressBurst":34359738359,"egressRate":1000000,"egressBurst":34359738359}'
	limit
	root_of h0 '.options.rate == 125000 and .options.burst > 30000000'
	tc -d qdisc show dev "$IFB" | grep -q 'rate 1Mbit burst 34359738b'
	lacks 3123b tc -d qdisc show # the limit that the reference's arithmetic ends with
	checked
}

@test "more than 32 bits of bytes a second" {
	conf '.ingressRate = 80000000000 | .ingressBurst = 80000000 | .egressRate = 34359738376 | .egressBurst = 80000000'
	limit
	root_of h0 '.options.rate == 10000000000'
	root_of "$IFB" '.options.rate == 4294967297'
	checked
}

@test "unchained, and what cannot be: a clear error, nothing changed" {
	before=$(limits)
	conf 'del(.prevResult)'
	try ADD bandwidth c1
	refused 7 "must be called as chained plugin"
	conf 'del(.prevResult) | .ingressRate = 0 | .ingressBurst = 0 | .egressRate = 0 | .egressBurst = 0'
	try ADD bandwidth c1
	refused 7 "must be called as chained plugin"
	conf '.egressRate = 7'
	try ADD bandwidth c1
	refused 7 egressRate 7
	conf 'del(.ingressBurst)'
	try ADD bandwidth c1
	refused 7 "if rate is set, burst must also be set" ingressBurst
	conf '.ingressBurst = 34359738360'
	try ADD bandwidth c1
	refused 7 "burst cannot be more than 4GB"
	conf '.unshapedSubnets = ["10.0.0.0/8", "hello"]'
	try ADD bandwidth c1
	refused 7 'bad subnet "hello" provided'
	conf .
	try ADD bandwidth c1 CNI_IFNAME=eth7
	refused 5 eth7
	try ADD bandwidth c1 CNI_NETNS=/run/netns/none
	refused 3 /run/netns/none
	same_limits "$before"
}

@test "an interface without an end on the host is an error that says so" {
	before=$(limits)
	try ADD bandwidth c1 CNI_IFNAME=lo
	refused 7 "container interface lo has no veth peer"
	ip -n c1 link add br0 type bridge
	try ADD bandwidth c1 CNI_IFNAME=br0
	refused 7 "no veth peer" '"bridge"'
	ip -n c1 link add v0 type veth peer name v1
	try ADD bandwidth c1 CNI_IFNAME=v0
	refused 7 "not in host ns"
	same_limits "$before"
}

@test "a macvlan has none either" {
	needs macvlan
	ip link add link h0 name m0 type macvlan
	ip link set m0 netns c1
	try ADD bandwidth c1 CNI_IFNAME=m0
	refused 7 "container interface m0 has no veth peer" macvlan
}

# The peer of c1's v0 is in c2, with the index of an interface of the host, whose own
# peer has v0's index in another container.
@test "a pair is known by its namespaces, not by indexes alone" {
	ip netns add c2
	ip netns add c3
	ip link add h3 index 90 type veth peer name eth0 index 50 netns c3
	ip -n c1 link add v0 index 50 type veth peer name v1 index 90 netns c2
	before=$(limits)
	try ADD bandwidth c1 CNI_IFNAME=v0
	refused 7 "index 90 is not in host ns"
	same_limits "$before"
}

@test "of several interfaces in the result the one of CNI_IFNAME is limited" {
	ip link add h1 type veth peer name net1 netns c1
	conf '.prevResult.interfaces = [{"name":"br0"},{"name":"h0"},{"name":"h1"},
		{"name":"eth0","sandbox":"/run/netns/c1"},{"name":"net1","sandbox":"/run/netns/c1"}] | .prevResult.ips = []'
	limit CNI_IFNAME=net1
	root_of h1 '.kind == "tbf"'
	root_of h0 '.kind == "noqueue"'
	conf '.prevResult.interfaces = [] | .prevResult.ips = []' # nor need it be there
	limit
	root_of h0 '.kind == "tbf"'
}

@test "two interfaces of a container on one network: an ifb each, and none takes the other's" {
	ip link add h1 up type veth peer name net1 netns c1
	before=$(limits)
	limit
	first=$(limits)
	limit CNI_IFNAME=net1
	other=$(jq -r '.interfaces[-1].name' <<<"$output")
	[ "$other" != "$IFB" ]
	checked
	checked CNI_IFNAME=net1
	redirects_to "$IFB"
	unlimit CNI_IFNAME=net1
	same_limits "$first"
	limit CNI_IFNAME=net1
	unlimit
	[ "$(ifbs)" = "$other" ]
	checked CNI_IFNAME=net1
	limit # the first's name is free again
	[ "$(ifbs)" = "$(printf '%s\n' "$IFB" "$other" | sort | paste -sd ' ')" ]
	unlimit
	unlimit CNI_IFNAME=net1
	same_limits "$before"
}

@test "the reference's CHECK is content with ours, its DEL removes it, and the other way round" {
	[ -x "$REFERENCE_CNI/bandwidth" ] || skip "no reference plugins"
	before=$(limits)
	conf '.cniVersion = "1.0.0" | .prevResult.cniVersion = "1.0.0"'
	for filter in . '.ingressRate = 24 | .ingressBurst = 80' '.egressRate = 123456789 | .egressBurst = 7654321' \
		'.ingressRate = 80000000000 | .ingressBurst = 80000000'; do
		CONF=$(jq -c "$filter" <<<"$CONF")
		limit
		CNI_PATH=$REFERENCE_CNI checked
		CNI_PATH=$REFERENCE_CNI unlimit
		[ -z "$(ifbs)" ]
		tc qdisc del dev h0 root
		tc qdisc del dev h0 ingress
		CNI_PATH=$REFERENCE_CNI limit
		checked
		unlimit
		same_limits "$before"
	done
}

@test "ADD again takes over what is its own, with other limits too" {
	limit
	ours=$(limits)
	limit
	same_limits "$ours"
	conf '.unshapedSubnets = ["10.9.0.0/16", "fd00::/8"]'
	limit
	root_of h0 '.kind == "htb"'
	checked
	conf .
	limit
	same_limits "$ours"
	checked
}

@test "ADD takes over what the reference left for the same interface, and nothing else" {
	[ -x "$REFERENCE_CNI/bandwidth" ] || skip "no reference plugins"
	conf '.cniVersion = "1.0.0" | .prevResult.cniVersion = "1.0.0"'
	CNI_PATH=$REFERENCE_CNI limit
	limit
	[ "$(ifbs)" = "$IFB" ]
	checked
	unlimit
	CNI_PATH=$REFERENCE_CNI limit
	ip link add h1 up type veth peer name net1 netns c1
	limit CNI_IFNAME=net1
	redirects_to "$IFB" # the reference's, of eth0
	[ "$(ifbs | wc -w)" = 2 ]
	unlimit CNI_IFNAME=net1
	[ "$(ifbs)" = "$IFB" ]
	unlimit
	[ -z "$(ifbs)" ]
}

@test "what another has put there stays: an error, and nothing is left" {
	tc qdisc add dev h0 root handle 5: bfifo limit 100000
	before=$(limits)
	try ADD bandwidth c1
	refused 5 h0 tbf
	same_limits "$before"
	unlimit
	same_limits "$before"
	tc qdisc del dev h0 root
	tc qdisc add dev h0 clsact
	before=$(limits)
	try ADD bandwidth c1
	refused 5 h0 ingress
	same_limits "$before"
	unlimit
	same_limits "$before"
	tc qdisc del dev h0 clsact
	ip link add "$IFB" type bridge # or one that is no ifb
	limit
	[ "$(ifbs | wc -w)" = 1 ]
	unlimit
	ip link show "$IFB"
}

@test "each request of an ADD refused once: everything as before" {
	needs_strace
	before=$(limits)
	for filter in . '.unshapedSubnets = ["10.9.0.0/16", "fd00::/8"]'; do
		conf "$filter"
		for n in $(seq 60); do
			run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
				strace -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg \
				-e inject=sendmsg:error=ENOBUFS:when="$n" "$CNI_BIN/bandwidth" <<<"$CONF"
			grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
			refused 5
			same_limits "$before"
		done
		[ "$n" -gt 10 ]
		[ "$status" = 0 ]
		unlimit
		same_limits "$before"
	done
}

@test "killed at any request: ADD again succeeds, and DEL leaves nothing" {
	needs_strace
	before=$(limits)
	limit
	whole=$(limits)
	unlimit
	for n in $(seq 60); do
		for then in ADD DEL; do
			status=0
			CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
				strace -o "$BATS_TEST_TMPDIR/trace" -e "inject=sendmsg:signal=KILL:when=$n" \
				"$CNI_BIN/bandwidth" <<<"$CONF" >/dev/null 2>&1 || status=$?
			if [ $then = ADD ]; then
				limit
				same_limits "$whole"
			fi
			unlimit
			same_limits "$before"
		done
		grep -q 'killed by' "$BATS_TEST_TMPDIR/trace" || break
	done
	[ "$n" -gt 10 ]
	[ "$n" -lt 60 ]
}

@test "CHECK names what has gone or changed" {
	again() {
		unlimit
		limit
	}
	limit
	ip link set "$IFB" down
	check_names "$IFB" down
	again
	ip link set "$IFB" mtu 1300
	check_names "$IFB" 1300 1400
	again
	tc qdisc change dev h0 root handle 1: tbf rate 30mbit burst 25000 limit 87500
	check_names h0 rate 3750000 2500000
	again
	tc qdisc change dev "$IFB" root handle 1: tbf rate 10mbit burst 20000 limit 43750
	check_names "$IFB" burst
	again
	tc qdisc change dev "$IFB" root handle 1: tbf rate 10mbit burst 12500 limit 50000
	check_names "$IFB" limit 50000
	again
	tc qdisc del dev h0 root
	check_names h0 "not limited" noqueue tbf
	again
	tc filter del dev h0 parent ffff:
	check_names h0 filter redirects
	again
	tc qdisc del dev h0 ingress
	check_names h0 ingress
	again
	ip link del "$IFB"
	check_names "$IFB"
	again
	ip link add ifb9 type ifb
	tc filter del dev h0 parent ffff:
	tc filter add dev h0 parent ffff: prio 1 protocol all u32 match u32 0 0 action mirred egress redirect dev ifb9
	check_names h0 filter
	ip link del ifb9
	again
	ip netns del c1
	try CHECK bandwidth c1
	refused 3 /run/netns/c1
}

@test "CHECK of subnets: classes and filters" {
	conf '.unshapedSubnets = ["10.9.0.0/16", "fd00::/8"]'
	limit
	checked
	tc filter del dev h0 parent 1: prio 2
	check_names h0 fd00::/8
	limit
	tc filter del dev h0 parent ffff: prio 1
	check_names h0 10.9.0.0/16
	limit
	tc class change dev h0 parent 1: classid 1:1 htb rate 30mbit burst 25000
	check_names h0 rate 3750000
	limit
	tc filter add dev h0 parent ffff: prio 7 protocol ip u32 match ip dst 10.8.0.0/16 flowid 1:1
	check_names h0 "4 filters instead of 3"
	limit
	conf '.shapedSubnets = ["10.9.0.0/16", "fd00::/8"]'
	check_names h0 "default class"
	conf .
	check_names h0 htb tbf
}

@test "DEL whatever the configuration says, and without the namespace" {
	before=$(limits)
	for filter in 'del(.prevResult)' '.ingressRate = "many"' '.unshapedSubnets = ["x"]' '.prevResult = {}' \
		'del(.ingressRate, .ingressBurst, .egressRate, .egressBurst)'; do
		conf .
		limit
		conf "$filter"
		unlimit
		[ -z "$(ifbs)" ]
	done
	conf .
	limit
	ip netns del c1
	unlimit
	[ -z "$(ifbs)" ]
}

gc() { # VALID-ATTACHMENTS
	CONF=$(jq -c --argjson v "$1" '{cniVersion, name, type} + {"cni.dev/valid-attachments": $v}' <<<"$BASE_CONF")
	run env CNI_COMMAND=GC CNI_PATH="$CNI_PATH" "$CNI_BIN/bandwidth" <<<"$CONF"
	ok
	[ -z "$output" ]
	conf .
}

@test "GC removes the ifbs of stale attachments of the network, and no others" {
	ip link add h1 up type veth peer name net1 netns c1
	limit
	limit CNI_IFNAME=net1
	other=$(jq -r '.interfaces[-1].name' <<<"$output")
	conf '.name = "n2"'
	limit CNI_CONTAINERID=c2
	third=$(jq -r '.interfaces[-1].name' <<<"$output")
	gc '[{"containerID":"c1","ifname":"eth0"},{"containerID":"c1","ifname":"net1"}]'
	[ "$(ifbs | wc -w)" = 3 ]
	gc '[{"containerID":"c1","ifname":"net1"}]'
	[ "$(ifbs)" = "$(printf '%s\n' "$other" "$third" | sort | paste -sd ' ')" ]
	gc '[]'
	[ "$(ifbs)" = "$third" ]
	gc null
	[ "$(ifbs)" = "$third" ]
}

@test "GC removes what the reference left behind, and leaves what is of use" {
	[ -x "$REFERENCE_CNI/bandwidth" ] || skip "no reference plugins"
	conf '.cniVersion = "1.0.0" | .prevResult.cniVersion = "1.0.0"'
	CNI_PATH=$REFERENCE_CNI limit
	ip link add ifb7 type ifb # somebody else's
	gc '[]'
	[ "$(ifbs)" = "$(printf '%s\n' "$IFB" ifb7 | sort | paste -sd ' ')" ] # packets pass it
	ip link del h0
	gc '[{"containerID":"c1","ifname":"eth0"}]'
	[ "$(ifbs | wc -w)" = 2 ]
	gc '[]'
	[ "$(ifbs)" = ifb7 ]
}

@test "STATUS says whether the configuration can be" {
	CONF='{"cniVersion":"1.1.0","name":"n1","type":"bandwidth"}'
	run env CNI_COMMAND=STATUS CNI_PATH="$CNI_PATH" "$CNI_BIN/bandwidth" <<<"$CONF"
	ok
	CONF='{"cniVersion":"1.1.0","name":"n1","type":"bandwidth","ingressRate":1}'
	run env CNI_COMMAND=STATUS CNI_PATH="$CNI_PATH" "$CNI_BIN/bandwidth" <<<"$CONF"
	refused 50 ingressBurst
}
