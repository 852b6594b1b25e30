#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# macspoofchk and ipspoofchk: frames made by hand, what a neighbour hears of
# them, and whose elements are whose. Each forged frame is sent by a guarded
# container, and by one without a guard, from which the neighbour hears it.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0",
 "isGateway":true,"ipspoofchk":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'

FRAMES=02:00:00:be:ef:01 # nobody has these: the bridge floods what is sent to them
MARKER=02:00:00:be:ef:02
NOBODY=02:00:00:00:00:99

# addresses as they are in frames: c1, c2, c3 are the first three
IP1=0a010002 IP2=0a010003
IP6_1=fd000001000000000000000000000002
IP6_2=fd000001000000000000000000000003
ALL_NODES=ff020000000000000000000000000001

setup() {
	conf .
}

teardown() {
	clean_up
}

# The guarded container c1, its neighbour c2, which listens, and c3, which has
# no guard.
neighbours() { # JQ-FILTER: what c1's configuration differs in
	conf "${1:-.}"
	add c1
	conf 'del(.ipspoofchk)'
	add c2
	add c3
	MAC1=$(mac_of c1)
	MAC3=$(mac_of c3)
	ip netns exec c2 nft -f - <<-EOF
		table netdev ears {
			counter frames { }
			counter markers { }
			chain ingress {
				type filter hook ingress device eth0 priority 0
				ether daddr $FRAMES counter name frames
				ether daddr $MARKER counter name markers
			}
		}
	EOF
}

mac_of() { # CONTAINER
	ip -n "$1" -j link show eth0 | jq -r '.[0].address'
}

heard() { # COUNTER
	ip netns exec c2 nft -j list counter netdev ears "$1" |
		jq '.nftables[] | .counter? // empty | .packets'
}

more_than() { # COUNTER NUMBER
	local i
	for i in $(seq 100); do
		[ "$(heard "$1")" -le "$2" ] || return 0
		sleep 0.02
	done
	return 1
}

# send CONTAINER HEX [INTERFACE]: the frame as it is.
send() {
	# shellcheck disable=SC2016 # perl's variables
	ip netns exec "$1" perl -e '
		socket(my $s, 17, 3, 0) or die "socket: $!";
		my $to = pack("S n i S C C a8", 17, 0, $ARGV[0], 0, 0, 6, "");
		send($s, pack("H*", $ARGV[1]), 0, $to) or die "send: $!"
	' "$(ip -n "$1" -j link show "${3:-eth0}" | jq '.[0].ifindex')" "$2"
}

passes() { # CONTAINER FRAME [INTERFACE]
	local before
	before=$(heard frames)
	send "$@"
	more_than frames "$before" || {
		echo "$1 is not heard with $2" >&2
		return 1
	}
}

# What comes after the frame is heard, the frame is not.
dropped() { # CONTAINER FRAME [INTERFACE]
	local before markers
	before=$(heard frames)
	markers=$(heard markers)
	send "$@"
	send c3 "$(TO=$MARKER frame "$MAC3" 0806 "$(arp "$MAC3" 0a010004)")"
	more_than markers "$markers" || return 1
	[ "$(heard frames)" = "$before" ] || {
		echo "$1 is heard with $2" >&2
		return 1
	}
}

# --- what frames are made of -------------------------------------------------

# frame SOURCE TYPE PAYLOAD: to $TO
frame() {
	local to=${TO:-$FRAMES}
	echo "${to//:/}${1//:/}$2$3"
}

arp() { # SENDER-MAC SENDER-IP
	echo "0001080006040001${1//:/}${2}0000000000000a010003"
}

udp4() { # SOURCE [PORTS]: IPv4 to everybody, with a checksum for br_netfilter
	local head=4500001c000000004011 sum=0 i
	for ((i = 0; i < 20; i += 4)); do
		sum=$((sum + 0x${head:i:4}))
	done
	sum=$((sum + 0x${1:0:4} + 0x${1:4:4} + 0xffff + 0xffff))
	sum=$(((sum & 0xffff) + (sum >> 16)))
	sum=$((~((sum & 0xffff) + (sum >> 16)) & 0xffff))
	printf '%s%04x%sffffffff%s00080000\n' $head $sum "$1" "${2:-00090009}"
}

ip6() { # SOURCE NEXT-HEADER PAYLOAD
	printf '60000000%04x%sff%s%s%s\n' $((${#3} / 2)) "$2" "$1" "$ALL_NODES" "$3"
}

nd() { # TYPE TARGET: a question (87), an advertisement (88), a redirect (89)
	echo "${1}00000020000000$2"
}

RA=86000000400007080000000000000000 # a router for half an hour

link_local() { # MAC: what the kernel makes of it
	local mac=${1//:/}
	printf 'fe80000000000000%02x%sfffe%s\n' $((0x${mac:0:2} ^ 2)) "${mac:2:4}" "${mac:6}"
}

guard_elements() { # CONTAINER: how many are its own
	nft list table bridge hawser | grep -c "id: $1\"" || :
}

# --- macspoofchk -------------------------------------------------------------

@test "macspoofchk: a container that changes its MAC is not heard any more" {
	neighbours 'del(.ipspoofchk) | .macspoofchk = true'
	ip netns exec c1 ping -c 1 -W 2 10.1.0.3
	ip -n c1 link set eth0 address $NOBODY
	no ip netns exec c1 ping -c 1 -W 1 10.1.0.3
	ip -n c1 link set eth0 address "$MAC1"
	ip netns exec c1 ping -c 1 -W 2 10.1.0.3
	ip -n c3 link set eth0 address $NOBODY
	ip netns exec c3 ping -c 1 -W 2 10.1.0.3
}

@test "macspoofchk: a frame with another's MAC is dropped, and the bridge does not learn it" {
	neighbours 'del(.ipspoofchk) | .macspoofchk = true'
	passes c1 "$(frame "$MAC1" 0806 "$(arp "$MAC1" $IP1)")"
	dropped c1 "$(frame $NOBODY 0806 "$(arp "$MAC1" $IP1)")"
	lacks $NOBODY bridge fdb show br br0
	passes c3 "$(frame $NOBODY 0806 "$(arp "$MAC1" $IP1)")"
	bridge fdb show br br0 | grep $NOBODY
}

@test "macspoofchk: frames to reserved addresses teach the bridge nothing either" {
	neighbours 'del(.ipspoofchk) | .macspoofchk = true'
	for last in 03 0e; do # 802.1X, LLDP
		export TO=01:80:c2:00:00:$last
		send c1 "$(frame $NOBODY 88cc 0000)"
		dropped c1 "$(TO=$FRAMES frame $NOBODY 88cc 0000)"
		lacks $NOBODY bridge fdb show br br0
	done
	ip link set br0 type bridge no_linklocal_learn 0 # as without macspoofchk
	send c3 "$(frame $NOBODY 88cc 0000)"
	bridge fdb show br br0 | grep $NOBODY
	# what the bridge learned there the table alone would have stopped
	bridge fdb del $NOBODY dev "$(port_of c3)" master
	TO=01:80:c2:00:00:03
	send c1 "$(frame $NOBODY 88cc 0000)"
	dropped c1 "$(TO=$FRAMES frame $NOBODY 88cc 0000)"
	lacks $NOBODY bridge fdb show br br0
}

port_of() { # CONTAINER
	ip -j link | jq -r --arg id "id: $1" '.[] | select(.ifalias // "" | endswith($id)) | .ifname'
}

@test "macspoofchk alone does not look at addresses" {
	neighbours 'del(.ipspoofchk) | .macspoofchk = true'
	passes c1 "$(frame "$MAC1" 0806 "$(arp "$MAC1" $IP2)")"
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 $IP2)")"
}

# --- ipspoofchk --------------------------------------------------------------

@test "ipspoofchk: what a container sends by itself goes through, fragments too" {
	neighbours '.enabledad = true'
	ip netns exec c1 ping -c 1 -W 2 -s 4000 10.1.0.3
	ip netns exec c1 ping -c 1 -W 2 -s 4000 fd00:1::3
	ip netns exec c2 ping -c 1 -W 2 10.1.0.2
	ip netns exec c2 ping -c 1 -W 2 fd00:1::2
	ip netns exec c1 ping -c 1 -W 2 10.1.0.1
	own=$(ip -n c1 -j -6 addr show dev eth0 scope link | jq -r '[.[].addr_info[]?.local // empty][0]')
	ip netns exec c2 ping -c 1 -W 2 "$own%eth0"
}

@test "ipspoofchk: the source of the frame" {
	neighbours
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 $IP1)")"
	dropped c1 "$(frame $NOBODY 0800 "$(udp4 $IP1)")"
	passes c3 "$(frame $NOBODY 0800 "$(udp4 $IP1)")"
}

@test "ipspoofchk: the source of IPv4" {
	neighbours
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 $IP1)")"
	dropped c1 "$(frame "$MAC1" 0800 "$(udp4 $IP2)")"
	passes c3 "$(frame "$MAC3" 0800 "$(udp4 $IP2)")"
	ip -n c1 addr add 10.1.0.77/24 dev eth0 # as the container would do it
	no ip netns exec c1 ping -c 1 -W 1 -I 10.1.0.77 10.1.0.3
	ip -n c3 addr add 10.1.0.77/24 dev eth0
	ip netns exec c3 ping -c 1 -W 2 -I 10.1.0.77 10.1.0.3
}

@test "ipspoofchk: without an address, DHCP and nothing else" {
	neighbours
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 00000000 00440043)")"
	dropped c1 "$(frame "$MAC1" 0800 "$(udp4 00000000 00430044)")"
	dropped c1 "$(frame "$MAC1" 0800 "$(udp4 00000000)")"
	passes c3 "$(frame "$MAC3" 0800 "$(udp4 00000000)")"
}

@test "ipspoofchk: the sender in ARP, both of its addresses" {
	neighbours
	passes c1 "$(frame "$MAC1" 0806 "$(arp "$MAC1" $IP1)")"
	dropped c1 "$(frame "$MAC1" 0806 "$(arp "$MAC1" $IP2)")"
	dropped c1 "$(frame "$MAC1" 0806 "$(arp $NOBODY $IP1)")"
	passes c3 "$(frame "$MAC3" 0806 "$(arp "$MAC3" $IP2)")"
	passes c3 "$(frame "$MAC3" 0806 "$(arp $NOBODY $IP1)")"
}

@test "ipspoofchk: an ARP probe goes through, ARP of another make does not" {
	neighbours
	probe=$(arp "$MAC1" 00000000)
	passes c1 "$(frame "$MAC1" 0806 "$probe")"
	dropped c1 "$(frame "$MAC1" 0806 "$(arp $NOBODY 00000000)")"
	dropped c1 "$(frame "$MAC1" 0806 "0006${probe:4}")"
	passes c3 "$(frame "$MAC3" 0806 "0006${probe:4}")"
}

@test "ipspoofchk: the source of IPv6" {
	neighbours
	udp=0009000900080000
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 11 $udp)")"
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 "$(link_local "$MAC1")" 11 $udp)")"
	dropped c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_2 11 $udp)")"
	dropped c1 "$(frame "$MAC1" 86dd "$(ip6 "$(link_local $NOBODY)" 11 $udp)")"
	dropped c1 "$(frame "$MAC1" 86dd "$(ip6 "$(printf '%032x' 0)" 11 $udp)")"
	passes c3 "$(frame "$MAC3" 86dd "$(ip6 $IP6_2 11 $udp)")"
	passes c3 "$(frame "$MAC3" 86dd "$(ip6 "$(printf '%032x' 0)" 11 $udp)")"
}

@test "ipspoofchk: the target of a neighbour advertisement" {
	neighbours
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 3a "$(nd 88 $IP6_1)")")"
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 3a "$(nd 88 "$(link_local "$MAC1")")")")"
	dropped c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 3a "$(nd 88 $IP6_2)")")"
	passes c3 "$(frame "$MAC3" 86dd "$(ip6 $IP6_1 3a "$(nd 88 $IP6_2)")")"
}

@test "ipspoofchk: extension headers do not hide a neighbour advertisement" {
	neighbours
	# destination options, padding only; and what the header in front would
	# have to hold for a look at a fixed place to find the own address
	lie=$(ip6 $IP6_1 3c "3a00010400000000$(nd 88 $IP6_2)")
	dropped c1 "$(frame "$MAC1" 86dd "$lie")"
	passes c3 "$(frame "$MAC3" 86dd "$lie")"
	lie=$(ip6 $IP6_1 3c "3a02010400000000$IP6_1$(nd 88 $IP6_2)")
	dropped c1 "$(frame "$MAC1" 86dd "$lie")"
	passes c3 "$(frame "$MAC3" 86dd "$lie")"
}

@test "ipspoofchk: a question from :: is about an own address" {
	neighbours
	none=$(printf '%032x' 0)
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 "$none" 3a "$(nd 87 $IP6_1)")")"
	dropped c1 "$(frame "$MAC1" 86dd "$(ip6 "$none" 3a "$(nd 87 $IP6_2)")")"
	passes c3 "$(frame "$MAC3" 86dd "$(ip6 "$none" 3a "$(nd 87 $IP6_2)")")"
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 3a "$(nd 87 $IP6_2)")")"
}

@test "ipspoofchk: no router advertisements, no redirects, however wrapped" {
	neighbours
	own=$(link_local "$MAC1")
	for lie in "$(ip6 "$own" 3a $RA)" \
		"$(ip6 "$own" 3a "$(nd 89 $IP6_2)$IP6_2")" \
		"$(ip6 "$own" 3c "3a00010400000000$RA")" \
		"$(ip6 "$own" 2c "3a00000100000007$RA")" \
		"$(ip6 "$own" 2c "3c000001000000073a00010400000000")"; do
		# at the last: the first fragment, which ends before ICMPv6's type
		dropped c1 "$(frame "$MAC1" 86dd "$lie")"
		passes c3 "$(frame "$MAC3" 86dd "$lie")"
	done
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 "$own" 3a 8500000000000000)")" # it may ask
}

@test "ipspoofchk: nothing but ARP, IPv4 and IPv6, and no VLAN tags" {
	neighbours
	for lie in "8100 0005 0800$(udp4 $IP1)" "8100 0000 0806$(arp "$MAC1" $IP2)" \
		"88a8 0005 0800$(udp4 $IP1)" "8035 $(arp "$MAC1" $IP1)" "88cc 0000"; do
		read -r type rest <<<"$lie"
		dropped c1 "$(frame "$MAC1" "$type" "${rest// /}")"
		passes c3 "$(frame "$MAC3" "$type" "${rest// /}")"
	done
}

@test "each attachment of a container has its own addresses" {
	neighbours
	conf .
	try ADD bridge c1 CNI_IFNAME=eth1
	ok
	second=$(ip -n c1 -j link show eth1 | jq -r '.[0].address')
	IP4=0a010005
	passes c1 "$(frame "$second" 0800 "$(udp4 $IP4)")" eth1
	dropped c1 "$(frame "$second" 0800 "$(udp4 $IP1)")" eth1
	dropped c1 "$(frame "$MAC1" 0800 "$(udp4 $IP1)")" eth1
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 $IP1)")"
	try DEL bridge c1 CNI_IFNAME=eth1
	ok
	[ "$(guard_elements c1)" = 7 ]
	dropped c1 "$(frame "$MAC1" 0800 "$(udp4 $IP2)")"
}

# --- elements ----------------------------------------------------------------

@test "the guard stands before the container can send anything" {
	# IPAM runs when the port is up already: it looks, then it fails
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$CNI_BIN"/* "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/looks" <<-EOF
		#!/bin/sh
		cat >/dev/null
		nft list table bridge hawser >"$BATS_TEST_TMPDIR/then"
		echo '{"cniVersion":"1.0.0","code":100,"msg":"no address"}'
		exit 1
	EOF
	chmod +x "$BATS_TEST_TMPDIR/bin/looks"
	conf '.ipam.type = "looks"'
	ip netns add c1
	try ADD bridge c1 CNI_PATH="$BATS_TEST_TMPDIR/bin"
	refused 100 "no address"
	[ "$(grep -c 'id: c1"' "$BATS_TEST_TMPDIR/then")" = 4 ] # no address yet
	[ "$(guard_elements c1)" = 0 ]                          # undone
}

@test "DEL finds everything without namespace and result" {
	for how in . 'del(.ipspoofchk) | .macspoofchk = true'; do
		conf "$how"
		add c1
		add c2
		[ "$(guard_elements c1)" -ge 2 ]
		ip netns del c1
		try DEL bridge c1 CNI_NETNS=
		ok
		[ "$(guard_elements c1)" = 0 ]
		try CHECK bridge c2
		[ "$(guard_elements c2)" -ge 2 ]
		try DEL bridge c2
		ok
		lacks elements nft list table bridge hawser
	done
}

@test "DEL with a result, of a guard that was stronger or weaker then" {
	for how in . 'del(.ipspoofchk) | .macspoofchk = true'; do
		conf "$how"
		add c1
		conf '.macspoofchk = true | .ipspoofchk |= not'
		[ "$how" = . ] || conf .
		with_result
		try DEL bridge c1
		ok
		lacks elements nft list table bridge hawser
	done
}

@test "CHECK names the element that is missing" {
	add c1
	with_result
	try CHECK bridge c1
	ok
	port=$(port_of c1)
	nft delete element bridge hawser spoof-ip4 "{ \"$port\" . 10.1.0.2 }"
	try CHECK bridge c1
	refused 101 "spoof protection" "spoof-ip4" "$port . 10.1.0.2"
}

@test "GC removes the elements of attachments that are not valid, no others" {
	conf '.cniVersion = "1.1.0"'
	add c1
	add c2
	conf '.cniVersion = "1.1.0" | .name = "n2" | .bridge = "br2"'
	add c3
	conf '.cniVersion = "1.1.0" |
		.["cni.dev/valid-attachments"] = [{containerID: "c2", ifname: "eth0"}]'
	try GC bridge ''
	ok
	[ "$(guard_elements c1) $(guard_elements c2) $(guard_elements c3)" = "0 7 7" ]
}

@test "STATUS answers for a guarded bridge" {
	conf '.cniVersion = "1.1.0"'
	try STATUS bridge ''
	ok
}

@test "ipspoofchk without addresses is refused" {
	ip netns add c1
	conf 'del(.ipam)'
	try ADD bridge c1
	refused 7 ipspoofchk
	conf 'del(.ipam, .ipspoofchk, .isGateway) | .macspoofchk = true'
	add c1
}

@test "what nft lists of our table it also loads again, and it guards as before" {
	neighbours
	nft list table bridge hawser >"$BATS_TEST_TMPDIR/saved"
	nft delete table bridge hawser
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 $IP2)")"
	nft -f "$BATS_TEST_TMPDIR/saved"
	nft list table bridge hawser | sort | diff <(sort "$BATS_TEST_TMPDIR/saved") -
	passes c1 "$(frame "$MAC1" 0800 "$(udp4 $IP1)")"
	dropped c1 "$(frame "$MAC1" 0800 "$(udp4 $IP2)")"
	dropped c1 "$(frame "$MAC1" 8100 "00050800$(udp4 $IP1)")"
	dropped c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 3a "$(nd 88 $IP6_2)")")"
	passes c1 "$(frame "$MAC1" 86dd "$(ip6 $IP6_1 3a "$(nd 88 $IP6_1)")")"
}

@test "tables of others stay as they are, to the byte" {
	nft -f - <<-'EOF'
		table bridge nat {
			chain PREROUTING {
				type filter hook prerouting priority -300; policy accept;
				iifname "other0" drop comment "somebody's"
			}
		}
		table inet hawser-not { set s { type ifname; elements = { "x" } }; }
	EOF
	before=$(nft -a list ruleset)
	add c1
	try DEL bridge c1
	ok
	diff <(echo "$before") <(nft -a list ruleset | sed '/^table bridge hawser /,/^}/d')
}

@test "32 at once leave exactly what should be" {
	for i in $(seq 32); do
		ip netns add "r$i"
		cni ADD bridge "r$i" <<<"$CONF" >/dev/null &
	done
	wait
	for i in $(seq 32); do
		[ "$(guard_elements "r$i")" = 7 ]
	done
	for i in $(seq 2 2 32); do
		cni DEL bridge "r$i" <<<"$CONF" &
	done
	wait
	for i in $(seq 32); do
		[ "$(guard_elements "r$i")" = $((i % 2 * 7)) ]
	done
	for i in $(seq 1 2 31); do
		cni DEL bridge "r$i" <<<"$CONF" &
	done
	wait
	lacks elements nft list table bridge hawser
}
