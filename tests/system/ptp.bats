#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ptp plugin: a pair, routes on both sides, nothing left of either.

load ../lib/system
load ../lib/ptp

# An IPAM plugin that gives what it is told, and notes how it was called.
ipam_gives() { # JSON
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/my-ipam" <<-EOF_SH
		#!/bin/sh
		echo "\$CNI_COMMAND" >>"$BATS_TEST_TMPDIR/calls"
		[ "\$CNI_COMMAND" != ADD ] || echo '$1'
	EOF_SH
	chmod +x "$BATS_TEST_TMPDIR/bin/my-ipam"
	WITH_OWN="CNI_PATH=$BATS_TEST_TMPDIR/bin:$CNI_BIN"
	conf '.ipam = {"type":"my-ipam"}'
}

ipam_calls() {
	paste -sd' ' "$BATS_TEST_TMPDIR/calls"
}

# A machine next to the host. It knows no way to the containers.
outside() {
	ip netns add out
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns exec out sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add out0 type veth peer name eth0 netns out
	sysctl -qw net.ipv6.conf.default.accept_dad=1
	ip addr add 192.0.2.1/24 dev out0
	ip addr add fd00:2::1/64 dev out0
	ip link set out0 up
	ip -n out addr add 192.0.2.2/24 dev eth0
	ip -n out addr add fd00:2::2/64 dev eth0
	ip -n out link set eth0 up
}

# --- ADD ---------------------------------------------------------------------

@test "ADD makes the pair, addresses and routes that it reports" {
	attach c1
	port=$(port_of c1)
	json '.cniVersion == "1.1.0" and (.interfaces | length == 2)'
	json ".interfaces[0] == {name: \"$port\", mac: \"$(cat /sys/class/net/"$port"/address)\", mtu: 1500}"
	mac=$(ip -n c1 -j link show eth0 | jq -r '.[0].address')
	json ".interfaces[1] == {name: \"eth0\", mac: \"$mac\", mtu: 1500, sandbox: \"/run/netns/c1\"}"
	json '.ips == [{address:"10.1.0.2/24",gateway:"10.1.0.1",interface:1},
		{address:"fd00:1::2/64",gateway:"fd00:1::1",interface:1}]'
	json '.routes == [{dst:"0.0.0.0/0"},{dst:"::/0"}]'
	ip -n c1 -j addr show eth0 | jq -e '[.[0].addr_info[] | select(.scope == "global") |
		"\(.local)/\(.prefixlen)"] == ["10.1.0.2/24", "fd00:1::2/64"]'
	ip -j addr show "$port" | jq -e '[.[0].addr_info[] | select(.scope == "global") |
		"\(.local)/\(.prefixlen)"] == ["10.1.0.1/32", "fd00:1::1/128"]'
	[ "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr -d '\n')" = 11 ]
}

@test "in the container even the subnet is behind the gateway" {
	attach c1
	ip -n c1 -j route | jq -e 'map([.dst, .gateway, .scope]) | sort == ([
		["10.1.0.1", null, "link"], ["10.1.0.0/24", "10.1.0.1", null],
		["default", "10.1.0.1", null]] | sort)'
	ip -n c1 -6 -j route | jq -e 'map(select(.dst != "fe80::/64") | [.dst, .gateway]) | sort == ([
		["fd00:1::1", null], ["fd00:1::/64", "fd00:1::1"], ["default", "fd00:1::1"]] | sort)'
}

@test "on the host there is a route to the container's address and no more" {
	attach c1
	port=$(port_of c1)
	ip -j route | jq -e --arg dev "$port" 'map([.dst, .dev, .scope]) == [["10.1.0.2", $dev, "link"]]'
	ip -6 -j route | jq -e --arg dev "$port" 'map(select(.dst != "fe80::/64" and .dst != "fd00:1::1") |
		[.dst, .dev]) == [["fd00:1::2", $dev]]'
}

@test "host and containers reach each other, one through the other" {
	attach c1
	attach c2
	for c in c1 c2; do
		pings $c 10.1.0.1
		pings $c fd00:1::1
	done
	pings c1 10.1.0.3
	pings c2 fd00:1::2
	ping -n -q -c 1 -W 2 10.1.0.2
	ping -n -q -c 1 -W 2 fd00:1::3
	# the gateway's address is on the other's end as well, and stays there
	detach c1
	pings c2 10.1.0.1
	pings c2 fd00:1::1
	no pings c2 10.1.0.2 1
	no pings c2 fd00:1::2 1
}

@test "without ipMasq packets leave with the container's own address" {
	attach c1
	outside
	no pings c1 192.0.2.2 1
	no pings c1 fd00:2::2 1
	ip -n out route add 10.1.0.0/24 via 192.0.2.1
	ip -n out route add fd00:1::/64 via fd00:2::1
	pings c1 192.0.2.2
	pings c1 fd00:2::2
	pings out 10.1.0.2
	pings out fd00:1::2
}

@test "with ipMasq they leave with the host's, and to other containers with their own" {
	conf '.ipMasq = true'
	attach c1
	attach c2
	outside
	pings c1 192.0.2.2
	pings c1 fd00:2::2
	ip netns exec c2 nft -f - <<-'EOF_NFT'
		table inet t {
			chain in {
				type filter hook input priority 0
				meta l4proto { icmp, icmpv6 } ip saddr != 10.1.0.2 drop
				icmpv6 type echo-request ip6 saddr != fd00:1::2 drop
			}
		}
	EOF_NFT
	pings c1 10.1.0.3
	pings c1 fd00:1::3
	detach c1
	lacks 'id: c1' nft list ruleset
	nft get element inet hawser masquerade4 '{ 10.1.0.3 }'
}

@test "ipMasq with iptables: made, taken down without the namespace, put back after a flush" {
	command -v iptables-save >/dev/null || skip "no iptables"
	conf '.ipMasq = true | .ipMasqBackend = "iptables"'
	attach c1
	outside
	pings c1 192.0.2.2
	rules=$(iptables-save -t nat | grep -e CNI-)
	iptables -t nat -F
	iptables -t nat -X
	no pings c1 192.0.2.2 1
	"$CNI_BIN/hawser" reload
	diff <(echo "$rules") <(iptables-save -t nat | grep -e CNI-)
	pings c1 192.0.2.2
	with_result
	try CHECK ptp c1
	ok
	ip netns del c1
	conf '.ipMasq = true'
	detach c1
	lacks 'CNI-' iptables-save -t nat
	lacks 'CNI-' ip6tables-save -t nat
	[ -z "$(find /run/hawser -type f ! -name lock 2>/dev/null)" ]
}

@test "hawser reload puts masquerading back in nftables" {
	conf '.ipMasq = true'
	attach c1
	outside
	nft flush ruleset
	no pings c1 192.0.2.2 1
	"$CNI_BIN/hawser" reload
	pings c1 192.0.2.2
	pings c1 fd00:2::2
}

@test "no IPv6 address has to wait for detection, on neither side" {
	attach c1
	lacks tentative ip -n c1 -6 addr
	lacks tentative ip -6 addr show dev "$(port_of c1)"
}

@test "with enabledad the container's addresses are probed, and waited for" {
	conf '.enabledad = true'
	attach c1
	lacks tentative ip -n c1 -6 addr
	lacks nodad ip -n c1 -6 addr
	pings c1 fd00:1::1
}

@test "the host is told where the addresses are" {
	nft -f - <<-'EOF_NFT' || skip "this nftables has no family arp"
		table arp t {
			chain in {
				type filter hook input priority 0
				arp operation request arp saddr ip 10.1.0.2 arp daddr ip 10.1.0.2 counter
			}
		}
		table ip6 t {
			chain in {
				type filter hook input priority 0
				icmpv6 type nd-neighbor-advert ip6 saddr fd00:1::2 counter
			}
		}
	EOF_NFT
	attach c1
	told() {
		nft -j list table "$1" t | jq -e '.. | .counter? | select(.packets? > 0)'
	}
	told arp
	# the kernel sends it from a work queue
	timeout 5 bash -c "$(declare -f told)"'; until told ip6; do :; done' >/dev/null
}

@test "the host's end does not listen to router advertisements" {
	attach c1
	[ "$(cat "/proc/sys/net/ipv6/conf/$(port_of c1)/accept_ra")" = 0 ]
}

@test "mtu of both ends, and in the result" {
	conf '.mtu = 1400'
	attach c1
	json '.interfaces | map(.mtu) == [1400, 1400]'
	[ "$(cat "/sys/class/net/$(port_of c1)/mtu")" = 1400 ]
	ip -n c1 -j link show eth0 | jq -e '.[0].mtu == 1400'
}

@test "inheritMTU takes that of the default route's interface, mtu goes before it" {
	conf '.inheritMTU = true'
	before=$(state)
	try ADD ptp c1
	refused 7 inheritMTU "no default route"
	same_state "$before"
	try STATUS ptp x
	refused 50 inheritMTU
	outside
	ip link set out0 mtu 1380
	ip route add default via 192.0.2.2
	try STATUS ptp x
	ok
	attach c1
	json '.interfaces | map(.mtu) == [1380, 1380]'
	conf '.inheritMTU = true | .mtu = 1400'
	attach c2
	json '.interfaces[1].mtu == 1400'
	conf '.inheritMTU = false'
	attach c3
	json '.interfaces[1].mtu == 1500'
}

@test "the MAC comes from runtimeConfig, then args.cni, then CNI_ARGS, then the configuration" {
	mac() { ip -n "$1" -j link show eth0 | jq -r '.[0].address'; }
	conf '.mac = "02:00:00:00:00:04"'
	attach c1
	[ "$(mac c1)" = 02:00:00:00:00:04 ]
	attach c2 CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
	[ "$(mac c2)" = 02:00:00:00:00:03 ]
	conf '.args.cni.mac = "02:00:00:00:00:02"'
	attach c3 CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
	[ "$(mac c3)" = 02:00:00:00:00:02 ]
	conf '.args.cni.mac = "02:00:00:00:00:02" | .runtimeConfig.mac = "02:00:00:00:00:01"'
	attach c4
	[ "$(mac c4)" = 02:00:00:00:00:01 ]
	json '.interfaces[1].mac == "02:00:00:00:00:01"'
	conf '.runtimeConfig.mac = "no mac"'
	try ADD ptp c1
	refused 7 mac "no mac"
}

@test "dns of IPAM is kept, that of the configuration replaces it" {
	echo "nameserver 192.0.2.53" >"$BATS_TEST_TMPDIR/resolv.conf"
	conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\""
	attach c1
	json '.dns.nameservers == ["192.0.2.53"]'
	conf ".ipam.resolvConf = \"$BATS_TEST_TMPDIR/resolv.conf\" | .dns.nameservers = [\"192.0.2.54\"]"
	attach c2
	json '.dns.nameservers == ["192.0.2.54"]'
}

# --- addresses of every kind -------------------------------------------------

# As the reference cannot have them: nothing is left by DEL, CHECK is content.
comes_and_goes() {
	with_result
	try CHECK ptp c1 "$WITH_OWN"
	ok
	detach c1 "$WITH_OWN"
	same_state "$before"
}

@test "addresses of /32 and /128, with a gateway of their own or one outside" {
	prime
	before=$(state)
	ipam_gives '{"cniVersion":"1.0.0","ips":[
		{"address":"10.9.0.2/32","gateway":"169.254.1.1"},
		{"address":"fd00:9::2/128","gateway":"fe80::1"}],
		"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}'
	attach c1 "$WITH_OWN"
	pings c1 169.254.1.1
	pings c1 fe80::1%eth0
	ping -n -q -c 1 -W 2 10.9.0.2
	ping -n -q -c 1 -W 2 fd00:9::2
	comes_and_goes
}

@test "two addresses of one subnet, and of two subnets" {
	prime
	before=$(state)
	ipam_gives '{"cniVersion":"1.0.0","ips":[
		{"address":"10.9.0.2/24","gateway":"10.9.0.1"},
		{"address":"10.9.0.3/24","gateway":"10.9.0.1"},
		{"address":"10.8.0.2/24","gateway":"10.8.0.1"},
		{"address":"fd00:9::2/64","gateway":"fd00:9::1"},
		{"address":"fd00:9::3/64","gateway":"fd00:9::1"}]}'
	attach c1 "$WITH_OWN"
	for address in 10.9.0.2 10.9.0.3 10.8.0.2 fd00:9::2 fd00:9::3; do
		ping -n -q -c 1 -W 2 $address
	done
	for gateway in 10.9.0.1 10.8.0.1 fd00:9::1; do
		pings c1 $gateway
	done
	comes_and_goes
}

@test "routes that IPAM gives to the gateway or the subnet take the place of ours" {
	prime
	before=$(state)
	ipam_gives '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24","gateway":"10.9.0.1"},
		{"address":"fd00:9::2/64","gateway":"fd00:9::1"}],
		"routes":[{"dst":"10.9.0.1/32","scope":253},{"dst":"10.9.0.0/24","mtu":1300},
			{"dst":"fd00:9::/64","mtu":1300},{"dst":"0.0.0.0/0","gw":"10.9.0.1"}]}'
	attach c1 "$WITH_OWN"
	[ "$(ip -n c1 -j route | jq length)" = 3 ]
	ip -n c1 route show 10.9.0.0/24 | grep 'via 10.9.0.1 dev eth0 mtu 1300'
	ip -n c1 -6 route show fd00:9::/64 | grep 'via fd00:9::1 dev eth0 .* mtu 1300'
	comes_and_goes
}

@test "an address without a gateway is a clear error, and everything is given back" {
	prime
	before=$(state)
	for gateway in '' ',"gateway":"fd00:9::1"'; do
		ipam_gives '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"'"$gateway"'}]}'
		rm -f "$BATS_TEST_TMPDIR/calls"
		try ADD ptp c1 "$WITH_OWN"
		[ "$status" = 1 ]
		json '.code == 7'
		[[ $output == *gateway* && $output == *10.9.0.2/24* ]]
		[ "$(ipam_calls)" = "ADD DEL" ]
		same_state "$before"
	done
}

@test "no IPAM, an empty one, one without addresses: clear errors" {
	before=$(state)
	for ipam in 'del(.ipam)' '.ipam = {}' '.ipam = {"type":""}' '.ipam = null'; do
		conf "$ipam"
		try ADD ptp c1
		refused 7 "requires an IPAM configuration"
		try STATUS ptp x
		refused 7 "requires an IPAM configuration"
		detach c1
	done
	ipam_gives '{"cniVersion":"1.0.0"}'
	try ADD ptp c1 "$WITH_OWN"
	refused 7 "missing IP config"
	[ "$(ipam_calls)" = "ADD DEL" ]
	same_state "$before"
}

# --- what stands in the way --------------------------------------------------

@test "ADD again is a clear error and changes nothing" {
	conf '.ipMasq = true'
	attach c1
	before=$(state)
	try ADD ptp c1
	refused 100 'container veth name ("eth0") peer provided' 'already exists'
	same_state "$before"
}

@test "a name that is taken in the container or on the host" {
	prime
	ip -n c1 link add eth0 type veth peer name other
	before=$(state)
	try ADD ptp c1
	refused 100 eth0 'already exists'
	same_state "$before"
	# DEL of what was never added leaves it: it says nobody's
	ip -n c1 link del eth0
	attach c1
	port=$(port_of c1)
	detach c1
	ip link add "$port" type veth peer name other
	ip link set "$port" alias somebody
	before=$(state)
	try ADD ptp c1
	refused 100 "$port" 'already exists' somebody
	same_state "$before"
	detach c1
	same_state "$before"
}

@test "an address that another container still has is refused, and its traffic stays its own" {
	attach c1
	rm -r /var/lib/cni/networks
	ip netns add c2
	before=$(state)
	try ADD ptp c2 CNI_ARGS='IgnoreUnknown=1;IP=10.1.0.2'
	refused 100 10.1.0.2/32 "$(port_of c1)" 'id: c1'
	same_state "$before"
	try ADD ptp c2 CNI_ARGS='IgnoreUnknown=1;IP=fd00:1::2'
	refused 100 fd00:1::2/128 "$(port_of c1)" 'id: c1'
	same_state "$before"
	ping -n -q -c 1 -W 2 10.1.0.2
	# when the first has gone the second gets it
	detach c1
	attach c2 CNI_ARGS='IgnoreUnknown=1;IP=10.1.0.2'
	ping -n -q -c 1 -W 2 10.1.0.2
}

@test "so is one that somebody else has a route to" {
	outside
	ip route add 10.1.0.2 via 192.0.2.2
	ip netns add c2
	before=$(state)
	try ADD ptp c2
	refused 100 10.1.0.2/32 out0 'not one of ours'
	same_state "$before"
	attach c2 # IPAM goes on to the next
	json '.ips[0].address == "10.1.0.3/24"'
}

@test "an exhausted pool takes the pair back" {
	conf '.ipam.ranges = [[{"subnet":"10.1.0.0/30"}]] | .ipam.routes = []'
	attach c1
	ip netns add c2
	before=$(state)
	try ADD ptp c2
	refused 102 "no IP addresses available"
	same_state "$before"
}

@test "a route that cannot be is an error, and everything is given back" {
	prime
	before=$(state)
	conf '.ipam.routes = [{"dst":"192.0.2.0/24","gw":"203.0.113.9"}]'
	try ADD ptp c1
	refused 5 192.0.2.0/24 203.0.113.9
	same_state "$before"
}

@test "each request of an ADD refused once: a clear error, everything undone" {
	needs_strace
	conf '.ipMasq = true'
	prime
	before=$(state)
	for n in $(seq 60); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,sendto \
			-e inject=sendmsg,sendto:error=ENOBUFS:when="$n" \
			"$CNI_BIN/ptp" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		if [ "$status" = 0 ]; then # a request whose failure does not matter
			detach c1
		else
			refused 5
		fi
		same_state "$before"
	done
	[ "$n" -gt 15 ]
	[ "$status" = 0 ]
}

@test "each setting of the host's that cannot be written: undone, or of no matter" {
	needs_strace
	prime
	before=$(state)
	for key in forwarding disable_ipv6; do
		case $key in
		forwarding) sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 ;;
		disable_ipv6) ip netns exec c1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1 ;;
		esac
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o /dev/null -e inject=write,pwrite64:error=EROFS \
			"$CNI_BIN/ptp" <<<"$CONF"
		[ "$status" = 1 ]
		[ "$(ip -j link show type veth)" = '[]' ]
		[ ! -e /var/lib/cni/networks/n1/10.1.0.2 ]
	done
	same_state "$before"
}

@test "kill -9 at any time leaves nothing that DEL does not remove" {
	conf '.ipMasq = true'
	prime
	before=$(state)
	for delay in 0.0005 0.001 0.0015 0.002 0.0025 0.003 0.004 0.006; do
		timeout -s KILL "$delay" env CNI_COMMAND=ADD CNI_CONTAINERID=c1 \
			CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$CNI_BIN/ptp" <<<"$CONF" >/dev/null || :
		detach c1
		same_state "$before"
	done
}

@test "whichever system call is the last, DEL leaves nothing" {
	needs_strace
	! grep -q __asan_init "$CNI_BIN/ptp" || skip "a sanitizer makes system calls of its own"
	conf '.ipMasq = true'
	prime
	before=$(state)
	for call in openat write sendmsg linkat renameat unlinkat; do
		for n in $(seq 80); do
			run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
				strace -qq -o /dev/null -e inject=$call:signal=KILL:when="$n" \
				"$CNI_BIN/ptp" <<<"$CONF"
			detach c1
			same_state "$before"
			[ "$status" != 0 ] || break
		done
		[ "$status" = 0 ]
	done
}

@test "a filesystem without files that have no name: the record is written all the same" {
	needs_strace
	local call='' file
	conf '.ipMasq = true'
	prime
	before=$(state)
	for _ in 1 2; do # the first time to find the call
		env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 strace -o "$BATS_TEST_TMPDIR/trace" \
			-e trace=openat ${call:+-e inject=openat:error=EOPNOTSUPP:when="$call"} "$CNI_BIN/ptp" <<<"$CONF" >/dev/null
		file=$(find /run/hawser -type f ! -name '*.addresses')
		[[ $file = */*.masquerade ]]
		[ -s "$file" ]
		detach c1
		same_state "$before"
		call=$(awk '/^openat/ { n++ } /O_TMPFILE/ { print n }' "$BATS_TEST_TMPDIR/trace")
	done
	grep -q 'O_TMPFILE.*INJECTED' "$BATS_TEST_TMPDIR/trace"
}

@test "a result that cannot be written undoes the ADD" {
	[ -e /dev/full ] || skip "no /dev/full"
	prime
	before=$(state)
	run bash -c 'CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$0" <<<"$1" >/dev/full' \
		"$CNI_BIN/ptp" "$CONF"
	[ "$status" = 1 ]
	same_state "$before"
}

@test "bad values: clear errors that name the key" {
	conf '.mtu = 70000'
	try ADD ptp c1
	refused 7 mtu 70000
	conf '.inheritMTU = "yes"'
	try ADD ptp c1
	refused 6 inheritMTU yes
	conf '.ipMasq = true | .ipMasqBackend = "ipfw"'
	try ADD ptp c1
	refused 7 'unknown ipmasq backend "ipfw"'
	conf '.enabledad = 1'
	try ADD ptp c1
	refused 6 enabledad
}

# --- DEL and GC --------------------------------------------------------------

@test "DEL gives everything back, with the namespace, without it, and again" {
	conf '.ipMasq = true'
	prime
	before=$(state)
	for netns in /run/netns/c1 '' /run/netns/nowhere; do
		conf '.ipMasq = true'
		attach c1
		with_result
		detach c1 CNI_NETNS=$netns
		same_state "$before"
		detach c1 CNI_NETNS=$netns
	done
}

@test "DEL after the namespace has gone, without prevResult, leaves nothing" {
	conf '.ipMasq = true'
	prime
	attach c1
	before=$(state)
	attach c2
	ip netns del c2
	detach c2
	same_state "$before"
	# of a namespace whose file is left over
	attach c2
	umount /run/netns/c2
	detach c2
	rm /run/netns/c2
	same_state "$before"
}

@test "DEL when the link has gone already" {
	conf '.ipMasq = true'
	prime
	before=$(state)
	attach c1
	ip -n c1 link del eth0
	detach c1
	same_state "$before"
}

@test "DEL leaves the interface that another network has under the same name" {
	attach c1
	before=$(state)
	conf '.name = "other" | .ipam.ranges = [[{"subnet":"10.2.0.0/24"}]] | .ipam.routes = []'
	try ADD ptp c1
	refused 100 "already exists"
	detach c1
	same_state "$before"
}

@test "after DEL the names are free at once" {
	for i in $(seq 10); do
		attach c1
		port=$(port_of c1)
		detach c1
		no ip link show "$port"
		no ip -n c1 link show eth0
	done
}

@test "32 ADDs at once, then 32 DELs" {
	conf '.ipMasq = true'
	prime
	for i in $(seq 32); do ip netns add "p$i"; done
	before=$(state)
	for i in $(seq 32); do
		cni ADD ptp "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/add$i" &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/add* | jq -r '.ips[].address' | sort -u | wc -l)" = 64 ]
	pings p1 "$(jq -r '.ips[0].address | split("/")[0]' "$BATS_TEST_TMPDIR/add32")"
	for i in $(seq 32); do
		cni DEL ptp "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/del$i" &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/del* | wc -c)" = 0 ]
	same_state "$before"
}

@test "GC removes what is not valid, of this network only" {
	conf '.ipMasq = true'
	attach c1
	attach c2
	conf '.ipMasq = true | .name = "n2" | .ipam.ranges = [[{"subnet":"10.2.0.0/24"}]] | .ipam.routes = []'
	attach c3
	conf '.ipMasq = true'
	before=$(state)
	try GC ptp x
	ok
	same_state "$before"
	conf '.ipMasq = true | ."cni.dev/valid-attachments" = [{"containerID":"c2","ifname":"eth0"}]'
	try GC ptp x
	ok
	no port_of c1
	port_of c2
	port_of c3
	lacks "id: c1" nft list ruleset
	nft get element inet hawser masquerade4 '{ 10.1.0.3 }'
	nft get element inet hawser masquerade4 '{ 10.2.0.2 }'
	[ ! -e /var/lib/cni/networks/n1/10.1.0.2 ]
	[ -e /var/lib/cni/networks/n1/10.1.0.3 ]
}

@test "STATUS is content where ADD would work" {
	conf '.ipMasq = true'
	try STATUS ptp x
	ok
	conf '.ipam.ranges = [[{"subnet":"10.1.0.0/30"}]] | .ipam.routes = []'
	attach c1
	try STATUS ptp x
	refused 50
}
