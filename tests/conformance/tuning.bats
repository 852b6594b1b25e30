#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tuning, behind a plugin whose interface is eth0.

load lib

# behind_some [FILTER]: the configuration, with the result of a plugin before it.
behind_some() {
	offers tuning
	[ -n "${before-}" ] || {
		ip -n a link add eth0 address 02:00:00:00:00:01 txqueuelen 1000 type veth peer name peer0
		ip -n a link set eth0 up
		before=$(settings)
	}
	set_conf "{cniVersion: \$v, name: \"net\", type: \"tuning\", prevResult: {cniVersion: \$v,
		interfaces: [{name: \"eth0\", mac: \"02:00:00:00:00:01\", sandbox: \"$netns\"}],
		ips: [{address: \"10.1.0.2/24\", interface: 0}]}}" "${1-.}"
}

settings() {
	ipj a link show eth0 | jq -c '.[0] | [.flags, .mtu, .address, .txqlen]'
	ip netns exec a sysctl net.core.somaxconn net.ipv4.conf.eth0.arp_filter net.ipv4.ip_local_port_range
}

restored() {
	eq "$(settings)" "$before"
}

sysctl_of() {
	ip netns exec a sysctl -n "$1"
}

@test "tuning sets what it is told, CHECK is content, DEL restores the interface" {
	behind_some '.mac = "02:00:00:00:00:77" | .mtu = 1454 | .promisc = true | .allmulti = true | .txQLen = 777'
	add tuning
	ipj a link show eth0 | jq -e '.[0] | .address == "02:00:00:00:00:77" and .mtu == 1454 and .txqlen == 777
		and (.flags | contains(["PROMISC", "ALLMULTI"]))'
	check tuning
	del tuning
	restored
	del tuning
}

@test "tuning reports the MAC it has set, and the rest as it was" {
	behind_some '.mac = "02:00:00:00:00:77"'
	add tuning
	has '.interfaces[0].mac == "02:00:00:00:00:77" and .ips[0].address == "10.1.0.2/24"'
}

@test "tuning sets sysctls, with IFNAME for the interface" {
	behind_some '.sysctl = {"net.core.somaxconn": "500", "net.ipv4.conf.IFNAME.arp_filter": "1"}'
	add tuning
	eq "$(sysctl_of net.core.somaxconn)" 500
	eq "$(sysctl_of net.ipv4.conf.eth0.arp_filter)" 1
	check tuning
	del tuning
}

@test "tuning puts sysctls back" {
	behind_some '.sysctl = {"net.core.somaxconn": "500"}'
	add tuning
	del tuning
	restored
}

@test "tuning refuses sysctls that are not of the network, and the same one twice" {
	behind_some '.sysctl = {"kernel.hostname": "x"}'
	cni ADD tuning
	[ "$status" != 0 ]
	behind_some '.sysctl = {"net.core.somaxconn": "500"}'
	conf=${conf/'"net.core.somaxconn":"500"'/'"net.core.somaxconn":"500","net.core.somaxconn":"600"'}
	cni ADD tuning
	[ "$status" != 0 ]
	restored
}

@test "tuning sets what the administrator's list allows, and nothing else" {
	offers tuning
	mkdir -p /etc/cni/tuning
	printf '%s\n' '^net\.core\.somaxconn$' '^net\.ipv4\.conf\.IFNAME\.[a-z_]*$' >/etc/cni/tuning/allowlist.conf
	behind_some '.sysctl = {"net.core.somaxconn": "500", "net.ipv4.conf.IFNAME.arp_filter": "1"}'
	add tuning
	del tuning
	behind_some '.sysctl = {"net.ipv4.ip_forward": "1"}'
	cni ADD tuning
	[ "$status" != 0 ]
	rm -r /etc/cni/tuning
}

@test "tuning takes a line of the administrator's list for the whole key" {
	offers tuning
	mkdir -p /etc/cni/tuning
	echo 'net.core' >/etc/cni/tuning/allowlist.conf
	behind_some '.sysctl = {"net.core.somaxconn": "500"}'
	cni ADD tuning
	rm -r /etc/cni/tuning
	[ "$status" != 0 ]
}

@test "tuning takes sysctls from args.cni alone" {
	behind_some '.args.cni.sysctl = {"net.core.somaxconn": "500"}'
	add tuning
	eq "$(sysctl_of net.core.somaxconn)" 500
}

@test "tuning: args.cni goes before runtimeConfig, that before CNI_ARGS, and last the configuration" {
	behind_some '.mac = "02:00:00:00:00:04" | .runtimeConfig.mac = "02:00:00:00:00:03" | .args.cni.mac = "02:00:00:00:00:02"'
	add tuning
	eq "$(mac_of a eth0)" 02:00:00:00:00:02
	behind_some '.mac = "02:00:00:00:00:04" | .runtimeConfig.mac = "02:00:00:00:00:03"'
	add tuning
	eq "$(mac_of a eth0)" 02:00:00:00:00:03
}

@test "tuning CHECK notices what has changed" {
	local change
	behind_some '.mtu = 1454 | .txQLen = 777 | .sysctl = {"net.core.somaxconn": "500"}'
	add tuning
	for change in 'ip -n a link set eth0 mtu 1400' 'ip -n a link set eth0 txqueuelen 1' \
		'ip netns exec a sysctl -qw net.core.somaxconn=1'; do
		$change
		cni CHECK tuning
		[ "$status" != 0 ] || fail "not noticed: $change"
		ip -n a link set eth0 mtu 1454 txqueuelen 777
		ip netns exec a sysctl -qw net.core.somaxconn=500
	done
	check tuning
}

@test "tuning CHECK compares a sysctl's values, and MACs, not their spelling" {
	behind_some '.mac = "02:00:00:00:AA:77" | .sysctl = {"net.ipv4.ip_local_port_range": "2000 3000"}'
	add tuning
	check tuning
}

@test "two tunings in a chain: in the end everything is as it was" {
	behind_some '.mtu = 1400'
	add tuning
	behind_some '.mtu = 1300'
	add tuning
	del tuning
	del tuning
	restored
}

@test "tuning ADD that fails changes nothing" {
	behind_some '.mac = "02:00:00:00:00:77" | .mtu = 70000'
	cni ADD tuning
	[ "$status" != 0 ]
	restored
}

@test "tuning DEL without the namespace succeeds, and leaves no file" {
	behind_some '.mtu = 1400'
	add tuning
	ip netns del a
	del tuning
	[ -z "$(ls /run/cni/tuning)" ]
}

@test "tuning ADD that is not behind another plugin is an error" {
	behind_some 'del(.prevResult) | .mtu = 1400'
	cni ADD tuning
	[ "$status" != 0 ]
}
