#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ptp does to the kernel on ADD, what CHECK notices, what DEL leaves.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

ptp_conf() {
	offers ptp
	set_conf '{cniVersion: $v, name: "net", type: "ptp", ipam:
		{type: "host-local", subnet: "10.1.2.0/24", routes: [{dst: "0.0.0.0/0"}]}}' "${1-}"
}

# The same with an address of each family.
dual_ptp_conf() {
	ptp_conf '.ipam = {type: "host-local", ranges: [
		[{subnet: "10.1.2.0/24"}], [{subnet: "2001:db8:1::/64"}]],
		routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}]} | '"${1:-.}"
}

# gives IPS: an IPAM plugin that returns these on ADD.
gives() {
	delegate my-ipam <<-SH
		[ "\$CNI_COMMAND" != ADD ] || echo '{"cniVersion":"1.0.0","ips":$1}'
	SH
	ptp_conf '.ipam = {type: "my-ipam"}'
}

# The host's ends.
ends() {
	ipj host link show type veth | jq -r '.[].ifname'
}

# ADD of a second container, in a namespace b.
add_b() {
	netns_new b
	add ptp CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/b
}

@test "ptp ADD gives the container its address, and the host the gateway's" {
	ptp_conf
	add ptp
	eq "$(addresses a eth0)" 10.1.2.2/24
	eq "$(addresses host "$(ends)")" 10.1.2.1/32
	sees 'map(select(.dst == "10.1.2.2")) | length == 1' host route
	sees '.[0] | (.flags | index("LOWER_UP")) and .linkinfo.info_kind == "veth"' \
		a link show dev eth0
	eq "$(</proc/sys/net/ipv4/ip_forward)" 1
}

@test "ptp ADD reports the host's interface, then the container's" {
	ptp_conf
	add ptp
	has '.interfaces | length == 2'
	has ".interfaces[0] | .name == \"$(ends)\" and .mac == \"$(mac_of host "$(ends)")\" and (.sandbox // \"\") == \"\""
	has ".interfaces[1] | .name == \"eth0\" and .mac == \"$(mac_of a eth0)\" and .sandbox == \"/run/netns/a\""
	has '.ips == [{"address": "10.1.2.2/24", "gateway": "10.1.2.1", "interface": 1}]'
	has '.routes == [{"dst": "0.0.0.0/0"}]'
}

@test "ptp ADD puts even the container's subnet behind the gateway" {
	ptp_conf
	add ptp
	sees '.[0].gateway == "10.1.2.1"' a route show 10.1.2.0/24
	sees 'length == 1 and .[0].scope == "link"' a route show 10.1.2.1
	sees '.[0].gateway == "10.1.2.1"' a route show default
}

@test "ptp ADD makes no default route that IPAM did not give" {
	ptp_conf 'del(.ipam.routes)'
	add ptp
	sees 'length == 0' a route show default
}

@test "with ptp containers reach the host and one the other" {
	ptp_conf
	add ptp
	add_b
	pings a 10.1.2.1
	pings b 10.1.2.1
	pings a 10.1.2.3
	ping -n -q -c 1 -W 3 10.1.2.2
}

@test "with ptp containers reach the host and one the other by IPv6" {
	dual_ptp_conf
	add ptp
	add_b
	eq "$(addresses a eth0)" '10.1.2.2/24 2001:db8:1::2/64'
	pings a 2001:db8:1::1
	pings b 2001:db8:1::1
	pings a 2001:db8:1::3
	pings b 10.1.2.2
	ping -n -q -c 1 -W 3 2001:db8:1::2
}

@test "ptp gives both ends the MTU of the config" {
	ptp_conf '.mtu = 1400'
	add ptp
	sees '.[0].mtu == 1400' a link show dev eth0
	sees '.[0].mtu == 1400' host link show dev "$(ends)"
}

@test "with ptp and ipMasq packets leave with the host's address" {
	dual_ptp_conf '.ipMasq = true'
	add ptp
	outside
	pings a 192.0.2.2
	pings a 2001:db8:ff::2
	eq "$(counted out host)" 2
	eq "$(counted out container)" 0
}

@test "with ptp and ipMasq packets within the subnet are not translated" {
	ptp_conf '.ipMasq = true'
	add ptp
	add_b
	counters b <<<'ip saddr 10.1.2.2 counter name container'
	pings a 10.1.2.3
	eq "$(counted b container)" 1
}

@test "with ptp and no ipMasq packets keep the container's address" {
	ptp_conf
	add ptp
	outside
	! pings a 192.0.2.2 0.3 || fail 'an answer'
	eq "$(counted out container)" 1
}

@test "ptp ADD without IPAM is an error and leaves nothing" {
	local filter
	for filter in 'del(.ipam)' '.ipam = {}'; do
		ptp_conf "$filter"
		cni ADD ptp
		refused any .
		sees 'map(.ifname) == ["lo"]' a link
		eq "$(ends)" ''
	done
}

@test "ptp keeps the DNS that IPAM returned" {
	echo 'nameserver 192.0.2.53' >"$tmp/resolv.conf"
	ptp_conf ".ipam.resolvConf = \"$tmp/resolv.conf\""
	add ptp
	has '.dns.nameservers == ["192.0.2.53"]'
}

@test "ptp takes an address that is its whole subnet" {
	gives '[{"address":"10.5.5.5/32","gateway":"10.5.5.1"}]'
	add ptp CNI_PATH="$ours"
	eq "$(addresses a eth0)" 10.5.5.5/32
	pings a 10.5.5.1
	ping -n -q -c 1 -W 3 10.5.5.5
}

@test "ptp takes two addresses of one subnet" {
	gives '[{"address":"10.5.5.5/24","gateway":"10.5.5.1"},{"address":"10.5.5.6/24","gateway":"10.5.5.1"}]'
	add ptp CNI_PATH="$ours"
	eq "$(addresses a eth0)" '10.5.5.5/24 10.5.5.6/24'
	pings a 10.5.5.1
	ping -n -q -c 1 -W 3 10.5.5.6
}

@test "ptp ADD with an address that has no gateway is an error and leaves nothing" {
	gives '[{"address":"10.5.5.5/24"}]'
	cni ADD ptp CNI_PATH="$ours"
	refused any .
	sees 'map(.ifname) == ["lo"]' a link
	eq "$(ends)" ''
}

@test "ptp ADD of an address that another container still has is an error, or takes it" {
	ptp_conf
	add ptp
	rm "$nets"/net/10.1.2.2 "$nets"/net/last_reserved_ip.0
	netns_new b
	cni ADD ptp CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/b
	[ "$status" != 0 ] || eq "$(jq -r '.interfaces[0].name' <<<"$out")" \
		"$(ipj host route get 10.1.2.2 | jq -r '.[0].dev')"
}

# CHECK.

@test "ptp CHECK right after ADD succeeds and prints nothing" {
	dual_ptp_conf '.ipMasq = true'
	add ptp
	check ptp
}

@test "ptp CHECK at 0.4.0 succeeds" {
	version=0.4.0
	ptp_conf
	add ptp
	check ptp
}

@test "ptp CHECK without prevResult is an error" {
	ptp_conf
	add ptp
	cni CHECK ptp
	refused any prevResult
}

# notices COMMAND: CHECK is fine, then the command, and CHECK fails.
notices() {
	ptp_conf '.ipMasq = true'
	add ptp
	check ptp
	eval "$1"
	with_result CHECK ptp
	refused any .
}

@test "ptp CHECK notices that the address has gone" {
	notices 'ip -n a addr add 10.1.2.77/24 dev eth0 noprefixroute
		ip -n a addr del 10.1.2.2/24 dev eth0'
}
@test "ptp CHECK notices that the default route has gone" { notices 'ip -n a route del default'; }
@test "ptp CHECK notices that the route to the gateway has gone" { notices 'ip -n a route del 10.1.2.1'; }
@test "ptp CHECK notices that the route to the subnet has gone" { notices 'ip -n a route del 10.1.2.0/24'; }
@test "ptp CHECK notices that the container's link is down" { notices 'ip -n a link set eth0 down'; }
@test "ptp CHECK notices that the container's link has gone" { notices 'ip -n a link del eth0'; }
@test "ptp CHECK notices another MAC address" {
	notices 'ip -n a link set eth0 address 02:00:00:00:00:77'
}
@test "ptp CHECK notices that the host's end is down" { notices 'ip link set "$(ends)" down'; }
@test "ptp CHECK notices that the host's end has gone elsewhere" {
	netns_new b
	notices 'ip link set "$(ends)" netns b'
}
@test "ptp CHECK notices that the gateway's address has gone" { notices 'ip addr del 10.1.2.1/32 dev "$(ends)"'; }
@test "ptp CHECK notices that the host's route has gone" { notices 'ip route del 10.1.2.2'; }
@test "ptp CHECK notices that masquerading has gone" { notices 'nft flush ruleset'; }
@test "ptp CHECK notices that the reservation has gone" { notices 'rm "$nets/net/10.1.2.2"'; }

# DEL.

@test "ptp DEL removes both ends, the host's route and the reservation" {
	local filter
	for filter in with_result without; do
		dual_ptp_conf '.ipMasq = true'
		add ptp
		if [ $filter = with_result ]; then
			with_result DEL ptp
			silent
		else
			del ptp
		fi
		sees 'map(.ifname) == ["lo"]' a link
		eq "$(ends)" ''
		sees 'length == 0' host route
		eq "$(reserved)" ''
	done
}

@test "ptp DEL again succeeds" {
	ptp_conf '.ipMasq = true'
	add ptp
	del ptp
	del ptp
	with_result DEL ptp
	silent
}

@test "ptp DEL of what was never added succeeds" {
	ptp_conf '.ipMasq = true'
	del ptp
	del ptp CNI_NETNS=
}

@test "ptp DEL without CNI_NETNS frees the address" {
	ptp_conf
	add ptp
	del ptp CNI_NETNS=
	eq "$(reserved)" ''
}

@test "ptp DEL after the namespace has gone frees the address" {
	ptp_conf '.ipMasq = true'
	add ptp
	ip netns del a
	del ptp
	eq "$(reserved)" ''
}

@test "ptp DEL succeeds where the namespace's path is a plain file left over" {
	ptp_conf
	add ptp
	ip netns del a
	: >/run/netns/a
	cni DEL ptp
	rm /run/netns/a
	silent
	eq "$(reserved)" ''
}

# After the first container has gone, its address goes to one of another
# network that wants no translation.
not_translated() {
	ptp_conf '.name = "other"'
	add_b
	eq "$(addresses b eth0)" 10.1.2.2/24
	outside
	! pings b 192.0.2.2 0.3 || fail 'an answer'
	eq "$(counted out container)" 1
	eq "$(counted out host)" 0
}

@test "ptp DEL ends masquerading" {
	ptp_conf '.ipMasq = true'
	add ptp
	del ptp
	not_translated
}

@test "ptp DEL ends masquerading when the link has gone" {
	ptp_conf '.ipMasq = true'
	add ptp
	ip -n a link del eth0
	del ptp
	not_translated
}

@test "ptp DEL ends masquerading when the namespace has gone" {
	ptp_conf '.ipMasq = true'
	add ptp
	ip netns del a
	del ptp
	not_translated
}

@test "ptp DEL leaves the other containers alone" {
	ptp_conf '.ipMasq = true'
	add ptp
	add_b
	del ptp
	eq "$(reserved)" 10.1.2.3
	pings b 10.1.2.1
	outside
	pings b 192.0.2.2
}

# Failures leave nothing behind.

@test "a second ptp ADD is an error and changes nothing" {
	local before
	ptp_conf '.ipMasq = true'
	add ptp
	before=$(snapshot)
	cni ADD ptp
	refused any .
	eq "$(snapshot)" "$before"
	check ptp
}

@test "ptp ADD where the container has a link of that name is an error and changes nothing" {
	local before
	ptp_conf
	add ptp CNI_IFNAME=other CNI_CONTAINERID=other
	ip -n a link add eth0 type veth peer name peer
	before=$(snapshot)
	cni ADD ptp
	refused any eth0
	eq "$(snapshot)" "$before"
}

# A route that cannot be: seen only after IPAM's ADD.
bad_route() {
	ptp_conf '.ipam.routes = [{dst: "192.168.0.0/16", gw: "203.0.113.9"}]'
	cni ADD ptp
	refused any .
}

@test "a ptp ADD that fails late reserves nothing" {
	bad_route
	eq "$(reserved)" ''
}

@test "a ptp ADD that fails late leaves no link" {
	bad_route
	sees 'map(.ifname) == ["lo"]' a link
	eq "$(ends)" ''
}

@test "after a ptp ADD that failed, DEL succeeds and leaves nothing" {
	bad_route
	del ptp
	eq "$(reserved)" ''
	sees 'map(.ifname) == ["lo"]' a link
	eq "$(ends)" ''
}

@test "a ptp ADD for which IPAM returned no address reserves nothing and leaves no link" {
	gives '[]'
	cni ADD ptp CNI_PATH="$ours"
	refused any .
	eq "$(calls my-ipam)" 'ADD DEL'
	eq "$(ends)" ''
}

# GC and STATUS.

# valid JSON: the last config with this list of valid attachments.
valid() {
	conf=$(jq -c --argjson l "$1" '."cni.dev/valid-attachments" = $l' <<<"$conf")
}

@test "ptp GC removes the link, the address and the masquerading of stale attachments" {
	need 1.1.0
	ptp_conf '.ipMasq = true'
	add ptp
	add_b
	valid '[{"containerID":"c2","ifname":"eth0"}]'
	cni GC ptp CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
	sees 'map(.ifname) == ["lo"]' a link
	eq "$(reserved)" 10.1.2.3
	outside
	pings b 192.0.2.2
	[[ $(nft list ruleset) != *10.1.2.2* ]] || fail "$(nft list ruleset)"
}

@test "ptp STATUS succeeds where ADD would, and is an error where IPAM says so" {
	need 1.1.0
	ptp_conf
	cni STATUS ptp CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	silent
	delegate my-ipam <<-'SH'
		[ "$CNI_COMMAND" != STATUS ] || {
			echo '{"cniVersion":"1.1.0","code":50,"msg":"none left"}'
			exit 1
		}
	SH
	ptp_conf '.ipam = {type: "my-ipam"}'
	cni STATUS ptp CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_PATH="$ours"
	refused 50 'none left'
}
