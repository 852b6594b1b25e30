#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bandwidth, behind a plugin whose interface has its other end on the host.
#
# shellcheck disable=SC2016,SC2154
load lib

# What a version of the reference calls the ifb of this network and container.
ifb=bwp$(printf 'net%s' c1 | sha512sum | cut -c 1-12)

# behind_some [FILTER]: the configuration, with the result of a plugin before it.
behind_some() {
	offers bandwidth
	ip link show h0 >/dev/null 2>&1 || {
		ip link add h0 mtu 1400 type veth peer name eth0 netns a mtu 1400
		ip link set h0 up
		ip -n a link set eth0 up
	}
	set_conf "{cniVersion: \$v, name: \"net\", type: \"bandwidth\", ingressRate: 20000000, ingressBurst: 200000,
		egressRate: 10000000, egressBurst: 100000, prevResult: {cniVersion: \$v,
		interfaces: [{name: \"h0\"}, {name: \"eth0\", mac: \"02:00:00:00:00:01\", sandbox: \"$netns\"}],
		ips: [{address: \"10.1.0.2/24\", interface: 1}]}}" "${1-.}"
}

no_limits='del(.ingressRate, .ingressBurst, .egressRate, .egressBurst)'

# limits INTERFACE FILTER: of the queueing discipline at its root
limits() {
	has "map(select(.root))[0] | $2" "$(tc -j qdisc show dev "$1")"
}

unlimited() {
	limits h0 '.kind == "noqueue"'
	eq "$(tc filter show dev h0 parent ffff:)" ''
	eq "$(ifbs)" ''
}

ifbs() {
	ipj host link show type ifb | jq -r '.[].ifname' | sort | paste -sd ' '
}

redirects_to() {
	tc filter show dev h0 parent ffff: | grep -q "Egress Redirect to device $1) stolen" ||
		fail "no redirection to $1"
}

fails_check() { # PATTERN
	with_result CHECK bandwidth
	refused any "$1"
}

@test "bandwidth limits both directions, CHECK is content, DEL removes the ifb, and again" {
	behind_some
	add bandwidth
	limits h0 '.kind == "tbf" and .options.rate == 2500000 and .options.burst == 25000 and .options.lat == 25000'
	limits "$ifb" '.kind == "tbf" and .options.rate == 1250000 and .options.burst == 12500 and .options.lat == 25000'
	redirects_to "$ifb"
	sees '.[0] | .mtu == 1400 and (.flags | contains(["UP"]))' host link show "$ifb"
	check bandwidth
	del bandwidth
	eq "$(ifbs)" ''
	del bandwidth
}

@test "bandwidth reports the ifb, and the rest as it was" {
	behind_some
	add bandwidth
	has ".interfaces | length == 3 and .[2] == {name: \"$ifb\", mac: \"$(mac_of host "$ifb")\"}"
	has '.interfaces[1].mac == "02:00:00:00:00:01" and .ips[0].address == "10.1.0.2/24"'
	behind_some 'del(.egressRate, .egressBurst)'
	tc qdisc del dev h0 root
	add bandwidth
	has '.interfaces | length == 2'
}

@test "bandwidth takes what a runtime asks for, in either case of letters" {
	behind_some "$no_limits"' | .runtimeConfig = {bandwidth:
		{IngressRate: 1000000, IngressBurst: 800000, EgressRate: 0, EgressBurst: 0}}'
	add bandwidth
	limits h0 '.kind == "tbf" and .options.rate == 125000 and .options.burst == 100000'
	eq "$(ifbs)" ''
}

@test "bandwidth: a rate at the top level takes the place of what a runtime asks for" {
	behind_some '.ingressRate = 0 | .ingressBurst = 0 | .egressRate = 0 | .egressBurst = 0
		| .runtimeConfig = {bandwidth: {ingressRate: 8000, ingressBurst: 8000, egressRate: 8000, egressBurst: 8000}}'
	add bandwidth
	unlimited
	behind_some 'del(.egressRate, .egressBurst)
		| .runtimeConfig = {bandwidth: {ingressRate: 8000, ingressBurst: 8000, egressRate: 8000, egressBurst: 8000}}'
	add bandwidth
	limits h0 '.options.rate == 2500000'
	eq "$(ifbs)" ''
}

@test "bandwidth without limits passes the result on" {
	behind_some "$no_limits"
	add bandwidth
	same "$(jq -c '.interfaces, .ips' <<<"$out" | jq -sc .)" \
		"[[{name: \"h0\"}, {name: \"eth0\", mac: \"02:00:00:00:00:01\", sandbox: \"$netns\"}],
		 [{address: \"10.1.0.2/24\", interface: 1}]]"
	unlimited
	del bandwidth
}

@test "bandwidth rounds bits down to bytes" {
	behind_some '.ingressRate = 8 | .ingressBurst = 8 | .egressRate = 23 | .egressBurst = 15'
	add bandwidth
	limits h0 '.options.rate == 1 and .options.burst == 1'
	limits "$ifb" '.options.rate == 2 and .options.burst == 1'
	check bandwidth
}

@test "bandwidth takes rates of more than 32 bits" {
	behind_some '.ingressRate = 80000000000 | .ingressBurst = 80000000 | .egressRate = 34359738376 | .egressBurst = 80000000'
	add bandwidth
	limits h0 '.options.rate == 10000000000'
	limits "$ifb" '.options.rate == 4294967297'
	check bandwidth
}

@test "bandwidth refuses a rate without a burst, a burst without a rate, and one of 4 GB" {
	behind_some 'del(.ingressBurst)'
	cni ADD bandwidth
	refused any 'if rate is set, burst must also be set'
	behind_some '.egressRate = 0'
	cni ADD bandwidth
	refused any 'if burst is set, rate must also be set'
	behind_some '.egressBurst = 34359738360'
	cni ADD bandwidth
	refused any 'burst cannot be more than 4GB'
	behind_some '.egressBurst = -8'
	cni ADD bandwidth
	refused any 'egressBurst'
	unlimited
}

@test "bandwidth refuses a rate of less than a byte a second" {
	behind_some '.ingressRate = 7'
	cni ADD bandwidth
	refused any .
	unlimited
}

@test "bandwidth: with the burst that a runtime sets for none more than two packets may wait" {
	behind_some '.ingressRate = 1000000 | .ingressBurst = 34359738359'
	add bandwidth
	limits h0 '.options | has("lat")' # not "limit", which is what is less than the burst
	check bandwidth
}

@test "bandwidth without prevResult is an error" {
	behind_some 'del(.prevResult)'
	cni ADD bandwidth
	refused any 'must be called as chained plugin'
	unlimited
}

@test "bandwidth without prevResult and limits is an error" {
	behind_some "$no_limits | del(.prevResult)"
	cni ADD bandwidth
	refused any .
}

@test "bandwidth: an interface that has no other end is an error" {
	behind_some
	cni ADD bandwidth CNI_IFNAME=lo
	refused any 'container interface lo has no veth peer'
	unlimited
}

@test "bandwidth limits the interface of CNI_IFNAME, of several in the result" {
	behind_some
	ip link add h1 type veth peer name net1 netns a
	conf=$(jq -c --arg s "$netns" '.prevResult.interfaces += [{name: "h1"}, {name: "net1", sandbox: $s}]' <<<"$conf")
	add bandwidth CNI_IFNAME=net1
	limits h1 '.kind == "tbf"'
	limits h0 '.kind == "noqueue"'
}

@test "bandwidth limits two interfaces of one container on one network" {
	behind_some
	ip link add h1 type veth peer name net1 netns a
	add bandwidth
	conf=$(jq -c --arg s "$netns" '.prevResult.interfaces = [{name: "h1"}, {name: "net1", sandbox: $s}]
		| .prevResult.ips = []' <<<"$conf")
	add bandwidth CNI_IFNAME=net1
	eq "$(ifbs | wc -w)" 2
	del bandwidth CNI_IFNAME=net1
	eq "$(ifbs)" "$ifb"
	redirects_to "$ifb"
}

@test "bandwidth ADD that fails leaves nothing" {
	behind_some
	tc qdisc add dev h0 clsact # nothing can be redirected as well
	cni ADD bandwidth
	refused any .
	limits h0 '.kind == "noqueue"'
	eq "$(ifbs)" ''
}

@test "bandwidth DEL without namespace and prevResult removes the ifb" {
	behind_some
	add bandwidth
	conf=$(jq -c 'del(.prevResult)' <<<"$conf")
	del bandwidth CNI_NETNS=
	eq "$(ifbs)" ''
	behind_some
	tc qdisc del dev h0 root
	tc qdisc del dev h0 ingress
	add bandwidth
	ip netns del a
	del bandwidth
	eq "$(ifbs)" ''
}

@test "bandwidth DEL ends the limits of an interface that stays" {
	behind_some
	add bandwidth
	del bandwidth
	unlimited
}

@test "bandwidth CHECK notices that a limit is another, or the ifb has gone" {
	behind_some
	add bandwidth
	tc qdisc change dev h0 root handle 1: tbf rate 30mbit burst 25000 limit 87500
	fails_check rate
	tc qdisc change dev h0 root handle 1: tbf rate 20mbit burst 25000 limit 87500
	check bandwidth
	ip link del "$ifb"
	fails_check .
}

@test "bandwidth CHECK notices that a limit has gone" {
	behind_some
	add bandwidth
	tc qdisc del dev h0 root
	fails_check h0
}

@test "bandwidth CHECK notices that nothing is redirected" {
	behind_some
	add bandwidth
	tc filter del dev h0 parent ffff:
	fails_check h0
}

@test "bandwidth CHECK notices that the ifb is down" {
	behind_some
	add bandwidth
	ip link set "$ifb" down
	fails_check "$ifb"
}

@test "bandwidth GC removes the ifbs of stale attachments" {
	need 1.1.0
	behind_some
	add bandwidth
	conf=$(jq -c '."cni.dev/valid-attachments" = [{containerID: "c1", ifname: "eth0"}]' <<<"$conf")
	cni GC bandwidth CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
	eq "$(ifbs)" "$ifb"
	ip link del h0
	conf=$(jq -c '."cni.dev/valid-attachments" = []' <<<"$conf")
	cni GC bandwidth CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
	eq "$(ifbs)" ''
}
