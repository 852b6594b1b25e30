#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman as root: networks as "podman network create" writes them, and what containers on
# them can do. PODMAN=4.3, the default, calls CNI plugins, PODMAN=5 our network driver, by
# way of netavark. With CONTROL=DIR these are the reference's plugins and podman's dnsname,
# with CONTROL=bridge netavark's own networks: both pass too, but are not asked what they
# leave behind.

load ../lib/system
load ../lib/outside
load ../lib/podman
load ../lib/cgroups

export BATS_TEST_TIMEOUT=120
PODMAN=${PODMAN:-4.3}
PEER=${PEER:-$BATS_TEST_DIRNAME/../../build/tests/peer}
[ ! -d "${CONTROL-}" ] || export CNI_PATH=$CONTROL

setup() {
	podman_host "$PODMAN"
	make_outside
	before=$(podman_state)
}

teardown() {
	podman_clean_up
	remove_cgroups
	[ "$BATS_TEST_DESCRIPTION" != "runc as podman's runtime" ] || umount -R /sys/fs/cgroup
}

nothing_left() {
	podman_left_nothing "$before"
}

@test "the default network" {
	only_podman 4.3 # that of 5 is netavark's
	serve web -p 8080:80
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	podman inspect web | jq -e '.[0].NetworkSettings.Networks.podman.IPAddress == "10.88.0.2"'
	nothing_left
}

@test "an address, the way out, and a published port" {
	network --subnet 10.89.5.0/24 n1
	serve web --network n1 -p 8080:80
	[ "$(fetch http://127.0.0.1:8080/)" = web ]
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	client --network n1 'ping -c 1 -W 5 198.51.100.2'
	podman inspect web | jq -e '.[0].NetworkSettings.Networks.n1 |
		.IPAddress == "10.89.5.2" and .Gateway == "10.89.5.1" and .IPPrefixLen == 24'
	nothing_left
}

@test "ports: ranges, an address of the host, udp" {
	network --subnet 10.89.6.0/24 n1
	serve web --network n1 -p 127.0.0.1:8081:80 -p 9000-9002:80-82 -p 5353:53/udp
	[ "$(fetch http://127.0.0.1:8081/)" = web ]
	no fetch http://198.51.100.1:8081/ out
	[ "$(fetch http://198.51.100.1:9000/ out)" = web ]
	nsenter --net="/proc/$(podman inspect -f '{{.State.Pid}}' web)/ns/net" "$PEER" serve udp 53 web \
		>"$BATS_TEST_TMPDIR/udp" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/udp" ]; do sleep 0.01; done
	[ "$(ip netns exec out "$PEER" ask udp 198.51.100.1 5353)" = 'web 198.51.100.2' ]
	pkill -x peer
	nothing_left
}

@test "names: containers of a network find each other, by alias too" {
	network --subnet 10.89.6.0/24 n1
	serve web --network n1 --network-alias www
	[ "$(client --network n1 'wget -q -O- http://web/')" = web ]
	[ "$(client --network n1 'wget -q -O- http://www.dns.podman/')" = web ]
	no client --network n1 'nslookup nobody.dns.podman'
	nothing_left
}

@test "dual stack, static addresses and MAC" {
	network --ipv6 --subnet 10.89.7.0/24 --subnet fd07::/64 n1
	serve web --network n1 --ip 10.89.7.77 --ip6 fd07::77 --mac-address 02:00:00:00:00:77
	[ "$(fetch http://10.89.7.77/)" = web ]
	[ "$(fetch 'http://[fd07::77]/')" = web ]
	[[ $(podman exec web ip addr show eth0) == *02:00:00:00:00:77* ]]
	[ "$(client --network n1 'wget -q -O- "http://[fd07::77]/"')" = web ]
	nothing_left
}

@test "options: MTU, an internal network, networks that are isolated" {
	network -o mtu=1300 -o isolate=true --subnet 10.89.8.0/24 n1
	network -o isolate=true --subnet 10.89.9.0/24 n2
	network --internal --subnet 10.89.10.0/24 n3
	network --subnet 10.89.21.0/24 n4
	serve web --network n1
	[[ $(podman exec web ip link show eth0) == *"mtu 1300"* ]]
	[ "$(client --network n1 'wget -q -O- http://10.89.8.2/')" = web ]
	no client --network n2 'ping -c 1 -W 1 10.89.8.2'
	[ -n "${CONTROL-}" ] || no client --network n4 'ping -c 1 -W 1 10.89.8.2' # the others' isolation is among isolated ones
	client --network n2 'ping -c 1 -W 5 198.51.100.2'
	no client --network n3 'ip route | grep default'
	no client --network n3 'ping -c 1 -W 1 198.51.100.2'
	nothing_left
}

@test "options: a gateway, a range of addresses, labels, no names" {
	network --subnet 10.89.15.0/24 --gateway 10.89.15.254 --ip-range 10.89.15.128/28 --label of=test --disable-dns n1
	serve web --network n1
	[[ $(podman exec web ip -o -4 addr show eth0) =~ 10\.89\.15\.1(29|3[0-9]|4[0-3])/24 ]]
	[[ $(podman exec web ip route show default) == 'default via 10.89.15.254 '* ]]
	lacks 10.89.15.254 podman exec web cat /etc/resolv.conf
	client --network n1 'ping -c 1 -W 5 198.51.100.2'
	nothing_left
}

@test "options: no addresses at all" {
	network --ipam-driver none n1
	serve web --network n1 --cap-add NET_ADMIN
	lacks 'inet ' podman exec web ip addr show eth0
	podman exec web ip addr add 10.89.16.1/24 dev eth0
	[ "$(client --network n1 --cap-add NET_ADMIN 'ip addr add 10.89.16.2/24 dev eth0
		wget -q -O- http://10.89.16.1/')" = web ]
	nothing_left
}

@test "options: routes, nameservers, a metric, the bridge's name" {
	only_podman 5 # 4.3 has none of them
	network --subnet 10.89.17.0/24 --route 10.9.0.0/16,10.89.17.9,200 --dns 198.51.100.2 -o metric=50 --interface-name br17 n1
	serve web --network n1
	podman exec web ip route >"$BATS_TEST_TMPDIR/routes"
	grep -q 'default via 10.89.17.1 dev eth0 .*metric 50' "$BATS_TEST_TMPDIR/routes"
	grep -q '10.9.0.0/16 via 10.89.17.9 dev eth0 .*metric 200' "$BATS_TEST_TMPDIR/routes"
	[ "$(cat /sys/class/net/br17/brif/*/state)" = 3 ]
	ip netns exec out dnsmasq --no-daemon --conf-file=/dev/null --no-hosts --no-resolv --address=/far.test/192.0.2.7 --address=/far.test/2001:db8::7 \
		>"$BATS_TEST_TMPDIR/dnsmasq" 2>&1 3>&- &
	timeout 20 podman exec web sh -c 'until nslookup far.test >/dev/null 2>&1; do :; done'
	[[ $(podman exec web nslookup far.test) == *192.0.2.7* ]]
	pkill -x -f 'dnsmasq --no-daemon.*'
	nothing_left
}

@test "options: an address of the DHCP server on somebody's bridge" {
	only_podman 5 # 4.3 makes no such network
	[ -z "${CONTROL-}" ] || skip "netavark's needs a daemon that somebody has started"
	ip link add br18 type bridge
	ip addr add 10.89.18.1/24 dev br18
	ip link set br18 up
	dnsmasq --no-daemon --conf-file=/dev/null --port=0 --no-ping --interface=br18 --dhcp-leasefile="$BATS_TEST_TMPDIR/leases" \
		--dhcp-range=10.89.18.100,10.89.18.100 >"$BATS_TEST_TMPDIR/dnsmasq" 2>&1 3>&- &
	network --ipam-driver dhcp --interface-name br18 n1
	serve web --network n1
	[ "$(fetch http://10.89.18.100/)" = web ]
	podman inspect web | jq -e '.[0].NetworkSettings.Networks.n1.IPAddress == "10.89.18.100"'
	podman rm -f -t 0 web >/dev/null
	timeout 5 sh -c "while [ -s '$BATS_TEST_TMPDIR/leases' ]; do sleep 0.01; done"
	pkill -x dnsmasq
	ip link del br18
	nothing_left
}

@test "two networks, one of them macvlan, and the other goes and comes back" {
	network --subnet 10.89.11.0/24 n1
	podman network create -d macvlan -o parent=up0 -o mode=private -o mtu=1400 --subnet 198.51.100.0/24 --gateway 198.51.100.2 \
		--ip-range 198.51.100.128/28 n2 >/dev/null
	serve web --network n1 --network n2
	podman exec web ip -o -4 addr >"$BATS_TEST_TMPDIR/addr" # in either order
	grep -q 'eth[01] .*inet 10\.89\.11\.2/24' "$BATS_TEST_TMPDIR/addr"
	grep -q 'eth[01] .*inet 198\.51\.100\.1[234]./24' "$BATS_TEST_TMPDIR/addr"
	nsenter -t "$(podman inspect -f '{{.State.Pid}}' web)" -n ip -d -j link |
		jq -e '.[] | select(.linkinfo.info_kind == "macvlan") | .mtu == 1400 and .linkinfo.info_data.mode == "private"'
	[ "$(fetch http://10.89.11.2/)" = web ]
	[ "$(fetch "http://$(podman inspect web | jq -r '.[0].NetworkSettings.Networks.n2.IPAddress')/" out)" = web ]
	podman network disconnect n1 web
	lacks 10.89.11.2 podman exec web ip -o -4 addr
	podman network connect n1 web
	[ "$(fetch http://10.89.11.3/)" = web ]
	nothing_left
}

@test "a published port stays when the first of two networks goes" {
	network --subnet 10.89.13.0/24 n1
	network --subnet 10.89.14.0/24 n2
	serve web --network n1 --network n2 -p 8080:80
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	podman network disconnect n1 web
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	podman network connect n1 web
	podman network disconnect n2 web
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	nothing_left
}

@test "macvlan, with addresses of that network's DHCP server" {
	only_podman 4.3 # netavark asks by itself
	[ -z "${CONTROL-}" ] || skip "the reference's dhcp needs a daemon that somebody has started"
	ip netns exec out dnsmasq --no-daemon --conf-file=/dev/null --port=0 --no-ping --interface=eth0 \
		--dhcp-leasefile="$BATS_TEST_TMPDIR/leases" --dhcp-range=198.51.100.200,198.51.100.210 \
		>"$BATS_TEST_TMPDIR/dnsmasq" 2>&1 3>&- &
	podman network create -d macvlan -o parent=up0 n1 >/dev/null
	jq -e '.plugins[0].ipam.type == "dhcp"' /etc/cni/net.d/n1.conflist
	serve web --network n1
	[[ $(podman exec web ip addr show eth0) == *198.51.100.2[01][0-9]/24* ]]
	[ "$(fetch "http://$(awk '{ print $3 }' "$BATS_TEST_TMPDIR/leases")/" out)" = web ]
	podman rm -f -t 0 web >/dev/null
	timeout 5 sh -c "while [ -s '$BATS_TEST_TMPDIR/leases' ]; do sleep 0.01; done"
	pkill -x dnsmasq
	nothing_left
}

@test "runc as podman's runtime" {
	only_podman 4.3 # 5 knows no cgroups of version 1
	command -v runc >/dev/null || skip "no runc"
	mount_cgroups
	network --subnet 10.89.12.0/24 n1
	podman --runtime runc run -d --name web --cgroups enabled --cgroup-parent "/$CGROUP" --network n1 -p 8080:80 busybox:local \
		sh -c 'echo web >/tmp/index.html; exec httpd -f -p 80 -h /tmp' >/dev/null
	timeout 20 sh -c 'until busybox wget -q -O- http://198.51.100.1:8080/ >/dev/null 2>&1; do :; done'
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	nothing_left
}

@test "a CNI list of the administrator's" {
	only_podman 5 # 4.3 takes no other
	[ -z "${CONTROL-}" ] || skip "netavark takes no CNI list"
	jq -n '{cniVersion: "1.1.0", name: "lan", plugins: [
		{type: "bridge", bridge: "br-lan", isGateway: true, ipMasq: true, deleteUnused: true,
			ipam: {type: "host-local", ranges: [[{subnet: "10.7.0.0/24"}]], routes: [{dst: "0.0.0.0/0"}]}},
		{type: "portmap", capabilities: {portMappings: true}}]}' >/etc/cni/net.d/lan.conflist
	network -o conflist=lan n1
	serve web --network n1 -p 8080:80
	[[ $(podman exec web ip addr show eth0) == *10.7.0.2/24* ]]
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	rm /etc/cni/net.d/lan.conflist
	nothing_left
}

@test "network reload puts back what a flush took" {
	network --subnet 10.89.13.0/24 n1
	serve web --network n1 -p 8080:80
	nft flush ruleset
	no timeout 2 busybox wget -q -O- http://198.51.100.1:8080/
	podman network reload -a
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	[[ $(podman exec web ip addr show eth0) == *10.89.13.2/24* ]]
	nothing_left
}

@test "a pod shares one network, with its ports" {
	network --subnet 10.89.14.0/24 n1
	podman pod create --name p1 --infra-image busybox:local --infra-command 'sleep 1000' \
		--network n1 -p 8080:80 >/dev/null
	serve web --pod p1
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	[ "$(client --pod p1 'wget -q -O- http://127.0.0.1/')" = web ]
	podman pod rm -f -t 0 p1 >/dev/null
	nothing_left
}

@test "eight containers start at the same time" {
	local i pids=''
	network --subnet 10.89.12.0/24 n1
	for i in 1 2 3 4 5 6 7 8; do
		podman run -d --name "c$i" --network n1 busybox:local sleep 1000 >/dev/null 3>&- &
		pids="$pids $!"
	done
	for i in $pids; do wait "$i"; done
	[ "$(podman inspect c1 c2 c3 c4 c5 c6 c7 c8 | jq -r '.[].NetworkSettings.Networks.n1.IPAddress' |
		sort -u | grep -c 10.89.12)" = 8 ]
	podman exec c1 ping -c 1 -W 5 c8
	nothing_left
}

@test "a port that is taken: the error says so, and nothing is left" {
	network --subnet 10.89.16.0/24 n1
	serve web --network n1 -p 8080:80
	run podman run --rm --network n1 -p 8080:80 busybox:local true
	[ "$status" != 0 ]
	[[ $output == *8080* ]]
	[ "$(fetch http://198.51.100.1:8080/ out)" = web ]
	nothing_left
}

@test "a plugin of the list fails: so does the container, and nothing is left" {
	only_podman 4.3 # 5 has its list from the driver
	network --subnet 10.89.13.0/24 n1
	jq '.plugins += [{type: "tuning", sysctl: {"net.none": "1"}}]' /etc/cni/net.d/n1.conflist >"$BATS_TEST_TMPDIR/n1"
	cat "$BATS_TEST_TMPDIR/n1" >/etc/cni/net.d/n1.conflist
	bats_require_minimum_version 1.5.0
	run -127 podman run --rm --network n1 busybox:local true
	[[ $output == *net*none* ]]
	nothing_left
}

@test "a container and its monitor are killed: rm leaves nothing" {
	network --subnet 10.89.14.0/24 n1
	serve web --network n1 -p 8080:80
	killed web
	nothing_left
}
