# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of bandwidth share: a container whose interface has its other end
# on the host, as a plugin before it leaves it.
#
#	c1  eth0 10.1.0.2, 2001:db8:1::2 ---- h0 10.1.0.1, 2001:db8:1::1

BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"bandwidth",
 "ingressRate":20000000,"ingressBurst":200000,"egressRate":10000000,"egressBurst":100000,
 "prevResult":{"cniVersion":"1.1.0","interfaces":[{"name":"h0"},
  {"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/run/netns/c1"}],
  "ips":[{"address":"10.1.0.2/24","interface":1}]}}'
# Of the network n1 and the container c1, as the reference has it.
IFB=bwp7be53730afe4

bandwidth_setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add c1
	ip netns exec c1 sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add h0 mtu 1400 type veth peer name eth0 netns c1 mtu 1400
	ip addr add 10.1.0.1/24 dev h0
	ip addr add 2001:db8:1::1/64 dev h0
	ip link set h0 up
	ip -n c1 addr add 10.1.0.2/24 dev eth0
	ip -n c1 addr add 2001:db8:1::2/64 dev eth0
	ip -n c1 link set lo up
	ip -n c1 link set eth0 up
	ip -n c1 route add default via 10.1.0.1
	ip -n c1 -6 route add default via 2001:db8:1::1
	conf .
}

bandwidth_teardown() {
	clean_up
	ip -j link show type ifb | jq -r '.[].ifname' | xargs -r -n 1 ip link del
}

limit() { # [VARIABLE=VALUE...]
	try ADD bandwidth c1 "$@"
	ok
}

unlimit() {
	try DEL bandwidth c1 "$@"
	ok
	[ -z "$output" ]
}

checked() {
	try CHECK bandwidth c1 "$@"
	ok
}

check_names() { # WORDS...
	try CHECK bandwidth c1
	refused 101 "$@"
}

# Everything there is of queueing disciplines, filters and ifbs, but for the numbers
# that the kernel gives them.
limits() {
	tc qdisc show | sed 's/ refcnt [0-9]*//; s/^qdisc fq_codel [0-9a-f]*:/qdisc fq_codel/'
	tc filter show dev h0 parent ffff: | sed 's/index [0-9]* ref/ref/'
	tc filter show dev h0 parent 1: | sed 's/index [0-9]* ref/ref/'
	ip -j link show type ifb | jq -c '.[] | {ifname, mtu, flags, ifalias}'
}

same_limits() { # BEFORE
	diff <(echo "$1") <(limits)
}

root_of() { # INTERFACE JQ-FILTER
	tc -j qdisc show dev "$1" | jq -e "map(select(.root))[0] | $2" >/dev/null || {
		tc qdisc show dev "$1"
		return 1
	}
}

ifbs() {
	ip -j link show type ifb | jq -r '.[].ifname' | sort | paste -sd ' '
}
