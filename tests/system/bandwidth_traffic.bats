#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=fq_codel,slow,alone
#
# bandwidth: what passes. The host has two more addresses of each family, the far
# ends that subnets tell apart; iperf3 fills the limits.

load ../lib/system
load ../lib/bandwidth

NEAR='198.51.100.1 2001:db8:a::1'
FAR='203.0.113.1 2001:db8:b::1'
SUBNETS='["203.0.113.0/24","2001:db8:b::/48"]'

setup() {
	local address
	command -v iperf3 >/dev/null || skip "no iperf3"
	bandwidth_setup
	for address in $NEAR $FAR; do
		ip addr add "$address" dev lo
	done
}

teardown() {
	bandwidth_teardown
	ip addr flush dev lo
	ip addr add 127.0.0.1/8 dev lo
}

# serves: a server for one measurement, whose process is $!.
serves() {
	iperf3 -s -1 >/dev/null 2>&1 3>&- &
	until ss -tln | grep -q :5201; do sleep 0.01; done
}

# rate ADDRESS SECONDS [-R]: the bit/s that get from the container there, or into the
# container, when the burst is over. A limit counts Ethernet frames of 1414 bytes here,
# of which TCP with its timestamps has all but 66 (86 with IPv6).
rate() {
	local headers=66
	[[ $1 != *:* ]] || headers=86
	serves
	ip netns exec c1 iperf3 -J -c "$1" -O 1 -t "$2" "${@:3}" |
		jq --argjson h $headers '.end.sum_received.bits_per_second * 1414 / (1414 - $h) | floor'
	wait $!
}

# In hundredths of a second, what a hypervisor gave to others (proc_stat(5), steal).
stolen() {
	awk '/^cpu / { print $9 }' /proc/stat
}

# User Mode Linux cannot say what was given to others.
is_uml() {
	grep -q 'User Mode Linux' /proc/cpuinfo
}

# is_near LIMIT ADDRESS SECONDS [-R]: within 5 %. A machine that is busy with something
# else may not get that far at once; a limit that is wrong is so each time. Where its
# processors are taken away each time, a bucket runs over meanwhile (tc-tbf(8)): then
# nothing can be said of what is too little.
is_near() {
	local measured before disturbed=yes
	for _ in 1 2 3 4; do
		before=$(stolen)
		measured=$(rate "${@:2}")
		echo "# limit $1, measured $measured" >&3
		[ "$measured" -lt $(($1 * 105 / 100)) ] || return 1
		[ "$measured" -le $(($1 * 95 / 100)) ] || return 0
		! is_uml || return 0
		[ $(($(stolen) - before)) -gt $(($3 * 5)) ] || disturbed=
	done
	[ -n "$disturbed" ]
}

# Nothing limits it but the machine.
is_unlimited() {
	[ "$1" -gt 100000000 ]
}

@test "5 seconds of traffic: within 5 % of the limit, in both directions" {
	limit
	is_near 10000000 10.1.0.1 5
	is_near 20000000 10.1.0.1 5 -R
	unlimit
	is_unlimited "$(rate 10.1.0.1 1)"
	is_unlimited "$(rate 10.1.0.1 1 -R)"
}

@test "unshapedSubnets: who is in them is not limited, others are, both families and directions" {
	conf ".unshapedSubnets = $SUBNETS"
	limit
	checked
	for address in $NEAR; do
		is_near 10000000 "$address" 3
		is_near 20000000 "$address" 3 -R
	done
	for address in $FAR; do
		is_unlimited "$(rate "$address" 1)"
		is_unlimited "$(rate "$address" 1 -R)"
	done
	unlimit
	is_unlimited "$(rate 198.51.100.1 1 -R)"
}

@test "shapedSubnets: who is in them is limited, others are not, both families and directions" {
	conf ".shapedSubnets = $SUBNETS"
	limit
	checked
	for address in $FAR; do
		is_near 10000000 "$address" 3
		is_near 20000000 "$address" 3 -R
	done
	for address in $NEAR; do
		is_unlimited "$(rate "$address" 1)"
		is_unlimited "$(rate "$address" 1 -R)"
	done
}

has_in_limit() { # INTERFACE KIND
	tc -j qdisc show dev "$1" | jq -e --arg k "$2" 'map(select(.parent == "1:1"))[0].kind == $k'
}

@test "in the limit is fq_codel, with a target of one and a half packets where that is longer" {
	needs fq_codel
	conf '.egressRate = 1000000'
	limit
	has_in_limit h0 fq_codel
	has_in_limit "$IFB" fq_codel
	tc -j qdisc show dev h0 | jq -e 'any(.kind == "fq_codel" and (.options.target | . > 4900 and . < 5100))'
	tc -j qdisc show dev "$IFB" | jq -e 'any(.kind == "fq_codel" and (.options.target | . > 16700 and . < 16900))'
	checked
	if [ -x "$REFERENCE_CNI/bandwidth" ]; then
		conf '.cniVersion = "1.0.0" | .prevResult.cniVersion = "1.0.0" | .egressRate = 1000000'
		CNI_PATH=$REFERENCE_CNI checked
	fi
	tc qdisc replace dev h0 parent 1:1 netem delay 1ms
	check_names h0 netem
	unlimit
	conf '.unshapedSubnets = ["10.9.0.0/16"]'
	limit
	has_in_limit h0 fq_codel
}

# with_other_container: "far", which the host routes to. (What the host itself sends
# is not a test: its TCP looks at what is in the queue, tcp_small_queue_check().)
with_other_container() {
	ip netns add far
	ip link add f0 type veth peer name eth0 netns far
	ip addr add 10.2.0.1/24 dev f0
	ip link set f0 up
	ip -n far addr add 10.2.0.2/24 dev eth0
	ip -n far link set eth0 up
	ip -n far route add default via 10.2.0.1
	sysctl -qw net.ipv4.ip_forward=1
}

sent() {
	tc -s -j qdisc show dev h0 | jq 'map(select(.root))[0].bytes'
}

# latency: the median of round trips, in microseconds, while one flow fills the limit
# and the burst is over
latency() {
	local from flow server
	from=$(sent)
	ip netns exec far iperf3 -s -1 >/dev/null 2>&1 3>&- &
	server=$!
	until ip netns exec far ss -tln | grep -q :5201; do sleep 0.01; done
	ip netns exec c1 iperf3 -c 10.2.0.2 -t 60 -R >/dev/null 2>&1 3>&- &
	flow=$!
	until [ "$(sent)" -gt $((from + 4000000)) ]; do sleep 0.05; done
	ip netns exec far ping -n -i 0.02 -c 100 10.1.0.2 |
		sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n |
		awk '{ v[NR] = $1 } END { printf "%d\n", v[int((NR + 1) / 2)] * 1000 }'
	kill $flow
	wait $flow $server || :
}

# The burst is what is sent in most of a second: the reference lets as much wait.
@test "latency under load: far below that of the bucket alone" {
	needs fq_codel
	with_other_container
	conf '.ingressRate = 10000000 | .ingressBurst = 8000000'
	limit
	ours=$(latency)
	# what the kernel puts there itself, as with the reference
	tc qdisc replace dev h0 parent 1:1 handle 9: bfifo limit $((1250000 / 40 + 1000000))
	plain=$(latency)
	echo "# round trip: $ours us, with the bucket alone $plain us: 1/$((plain / (ours + 1)))" >&3
	[ $((ours * 5)) -lt "$plain" ]
}

@test "a netkit pair is limited as well" {
	has_feature netkit || skip "this kernel has no netkit, or its iproute2"
	ip link del h0
	ip link add h0 type netkit
	peer=$(ip -j link show type netkit | jq -r '.[].ifname' | grep -v '^h0$')
	ip link set "$peer" netns c1 name eth0
	ip addr add 10.1.0.1/24 dev h0
	ip link set h0 up
	ip -n c1 addr add 10.1.0.2/24 dev eth0
	ip -n c1 link set eth0 up
	limit
	checked
	is_near 10000000 10.1.0.1 3
	is_near 20000000 10.1.0.1 3 -R
	unlimit
	is_unlimited "$(rate 10.1.0.1 1)"
}
