#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bridge plugin's VLANs: what a port is in, who reaches whom, and the
# host's interface in a VLAN, which comes and goes with the containers.

# bats file_tags=filtering,slow

load ../lib/system

PEER=${PEER:-$CNI_BIN/../tests/peer}

BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"bridge","bridge":"br0"}'

IPAM='.ipam = {"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}'
GATEWAY="$IPAM | .vlan = 100 | .isGateway = true"

setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add c1
	conf .
}

teardown() {
	[ -z "${listener-}" ] || kill "$listener" 2>/dev/null || :
	clean_up
}

filtering() { # BRIDGE: 0 or 1; null where the kernel knows of none
	ip -d -j link show "$1" | jq '.[0].linkinfo.info_data.vlan_filtering'
}

port_of() { # CONTAINER
	ip -j link | jq -er --arg id "id: $1" '.[] | select(.ifalias // "" | endswith($id)) | .ifname'
}

# vlans_of DEVICE: in one line, as 1-3t for tagged, 5u for untagged, 7p the PVID
# with no tag.
vlans_of() {
	bridge -compressvlans -j vlan show dev "$1" | jq -r '[.[].vlans[] |
		(.vlan | tostring) + (if .vlanEnd then "-" + (.vlanEnd | tostring) else "" end) +
		(.flags // [] | if index("PVID") then "p" elif index("Egress Untagged") then "u" else "t" end)] |
		join(" ")'
}

# Everything, and the VLANs of all ports.
vlan_state() {
	state
	bridge -compressvlans -j vlan show | jq -c 'sort_by(.ifname)'
}

same_vlan_state() { # BEFORE
	diff <(echo "$1") <(vlan_state)
}

pings() { # CONTAINER ADDRESS
	ip netns exec "$1" ping -c 1 -W 2 "$2"
}

silent() { # CONTAINER ADDRESS: no answer
	no ip netns exec "$1" ping -c 1 -W 0.3 "$2"
}

del() { # CONTAINER
	try DEL bridge "$1"
	ok
}

listen() { # CONTAINER: to test frames, into the file frames
	ip netns exec "$1" "$PEER" frames eth0 >"$BATS_TEST_TMPDIR/frames" 3>&- &
	listener=$!
	until grep -q ready "$BATS_TEST_TMPDIR/frames"; do :; done
}

heard() { # "VLAN TEXT"...: the listener's frames, to the last
	wait "$listener"
	listener=
	diff <(printf '%s\n' ready "$@") "$BATS_TEST_TMPDIR/frames"
}

say() { # CONTAINER VLAN TEXT...
	ip netns exec "$1" "$PEER" frame eth0 "${@:2}"
}

# --- what a port is in --------------------------------------------------------

@test "each way to say VLANs, and what the port is in then" {
	needs filtering
	n=0
	while IFS=';' read -r keys vlans; do
		n=$((n + 1))
		conf "$keys"
		add "v$n"
		echo "$keys"
		[ "$(vlans_of "$(port_of "v$n")")" = "$vlans" ]
		[ "$(filtering br0)" = 1 ]
		with_result
		try CHECK bridge "v$n"
		ok
		del "v$n"
		ip link del br0
	done <<-'EOF'
		.vlan = 100;100p
		.vlan = 100 | .preserveDefaultVlan = true;1u 100p
		.vlan = 1;1p
		.vlan = 4094;4094p
		.vlanTrunk = [{"id":9}];1p 9t
		.vlanTrunk = [{"id":9}] | .preserveDefaultVlan = true;1p 9t
		.vlanTrunk = [{"id":9},{"minID":3,"maxID":5},{"id":4},{"id":9}];1p 3-5t 9t
		.vlanTrunk = [{"minID":7,"maxID":7,"id":3}];1p 3t 7t
		.vlanTrunk = [{"minID":1,"maxID":3}];1p 2-3t
		.vlan = 5 | .vlanTrunk = [{"minID":4,"maxID":7},{"id":9}];4t 5p 6-7t 9t
		.vlan = 5 | .vlanTrunk = [{"id":5}];5p
		.vlan = 5 | .vlanTrunk = [{"id":1}];1t 5p
		.vlan = 5 | .vlanTrunk = [{"id":1}] | .preserveDefaultVlan = true;1t 5p
		.vlan = 5 | .vlanTrunk = [{"minID":1,"maxID":4094}];1-4t 5p 6-4094t
		.vlanTrunk = [];1p
		.vlanTrunk = [{}];1p
		.vlanTrunk = [null];1p
		.vlanTrunk = [] | .preserveDefaultVlan = true;1p
	EOF
}

@test "the default VLAN of a bridge need not be 1" {
	needs filtering
	ip link add br0 up type bridge vlan_filtering 1 vlan_default_pvid 7
	conf '.vlan = 100'
	add c1
	[ "$(vlans_of "$(port_of c1)")" = 100p ]
	with_result
	try CHECK bridge c1
	ok
	conf '.vlan = 100 | .preserveDefaultVlan = true'
	add c2
	[ "$(vlans_of "$(port_of c2)")" = "7u 100p" ]
	with_result
	try CHECK bridge c2
	ok
	ip link set br0 type bridge vlan_default_pvid 0
	conf '.vlan = 100'
	add c3
	[ "$(vlans_of "$(port_of c3)")" = 100p ]
}

@test "what is wrong with VLANs is said as the reference says it" {
	before=$(state)
	while IFS=';' read -r keys text; do
		conf "$keys"
		for command in ADD STATUS; do
			try $command bridge c1
			[ "$status" = 1 ]
			[ "$(jq -r .msg <<<"$output")" = "$text" ]
		done
		del c1
	done <<-'EOF'
		.vlan = 4095;invalid VLAN ID 4095 (must be between 0 and 4094)
		.vlan = -1;invalid VLAN ID -1 (must be between 0 and 4094)
		.vlanTrunk = [{"id":0}];incorrect trunk id parameter
		.vlanTrunk = [{"id":3},{"id":4095}];incorrect trunk id parameter
		.vlanTrunk = [{"minID":0,"maxID":3}];incorrect trunk minID parameter
		.vlanTrunk = [{"minID":5000,"maxID":3}];incorrect trunk minID parameter
		.vlanTrunk = [{"minID":5,"maxID":4095}];incorrect trunk maxID parameter
		.vlanTrunk = [{"minID":5,"maxID":-1}];incorrect trunk maxID parameter
		.vlanTrunk = [{"minID":5,"maxID":3}];minID is greater than maxID in trunk parameter
		.vlanTrunk = [{"maxID":3}];minID and maxID should be configured simultaneously, minID is missing
		.vlanTrunk = [{"minID":3,"id":3}];minID and maxID should be configured simultaneously, maxID is missing
		.vlanTrunk = 5;"vlanTrunk": 5 is not a list
		.vlanTrunk = [5];"vlanTrunk[0]": 5 is not an object
		.vlanTrunk = [{"id":"5"}];"vlanTrunk[0].id": "5" is not an integer in -2147483648..2147483647
		.preserveDefaultVlan = 1;"preserveDefaultVlan": 1 is not true or false
	EOF
	conf "$IPAM"' | .ipspoofchk = true | .vlanTrunk = [{"id":5}]'
	try ADD bridge c1
	refused 7 ipspoofchk vlanTrunk
	same_state "$before"
}

@test "vlan 0 and null are no VLAN" {
	for keys in '.vlan = 0' '.vlan = null | .vlanTrunk = null | .preserveDefaultVlan = null'; do
		conf "$keys"
		add c1
		[ "$(filtering br0)" != 1 ]
		del c1
	done
}

@test "a kernel whose bridges cannot filter VLANs: a clear error, nothing left" {
	no has_feature filtering || skip "this kernel's can"
	before=$(state)
	for keys in '.vlan = 100' '.vlanTrunk = []'; do
		conf "$keys"
		try ADD bridge c1
		refused 2 br0 "cannot filter VLANs" "$(jq -r 'if .vlan then "vlan" else "vlanTrunk" end' <<<"$CONF")"
		same_state "$before"
	done
}

@test "4094 VLANs are one request, as one is" {
	needs filtering
	needs_strace
	requests() { # the last ADD's, of the port's VLANs
		grep -c 'sendmsg.*RTM_SETLINK' "$BATS_TEST_TMPDIR/trace"
	}
	traced() {
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg "$CNI_BIN/bridge" <<<"$CONF"
		ok
		del c1
	}
	ip link add br0 up type bridge vlan_filtering 1
	conf '.vlanTrunk = [{"id":9}]'
	traced
	[ "$(requests)" = 1 ]
	all=$(grep -c sendmsg "$BATS_TEST_TMPDIR/trace")
	conf '.vlanTrunk = [{"minID":1,"maxID":4094}]'
	traced
	[ "$(requests)" = 1 ]
	[ "$(grep -c sendmsg "$BATS_TEST_TMPDIR/trace")" = "$all" ]
	# every other one, the most that are no ranges
	conf '.vlanTrunk = [range(2; 4095; 2) | {id: .}]'
	traced
	[ "$(requests)" = 1 ]
}

# --- who reaches whom -----------------------------------------------------------

@test "containers of one VLAN reach each other, those of another do not" {
	needs filtering
	conf "$IPAM | .vlan = 100"
	add c1
	add c2
	conf "$IPAM | .vlan = 200"
	add c3
	conf "$IPAM"
	add c4
	pings c2 10.1.0.2
	pings c2 fd00:1::2
	for c in c3 c4; do
		silent $c 10.1.0.2
		silent $c fd00:1::2
	done
}

@test "a trunk has its VLANs' frames with a tag, others not at all" {
	needs filtering
	conf '.vlanTrunk = [{"minID":100,"maxID":102}]'
	add c1
	for vlan in 100 102 200; do
		conf ".vlan = $vlan"
		add "v$vlan"
	done
	conf '.vlanTrunk = []'
	add plain
	listen c1
	say v100 0 one
	say v200 0 lost
	say v102 0 two
	say plain 0 three
	say v100 0 end
	heard "100 one" "102 two" "0 three" "100 end"
}

@test "frames from a trunk arrive without their tag, in their VLAN only" {
	needs filtering
	conf '.vlan = 5 | .vlanTrunk = [{"id":100},{"id":200}]'
	add c1
	conf '.vlan = 100'
	add c2
	listen c2
	say c1 200 lost
	say c1 0 lost
	say c1 300 lost
	say c1 100 one end
	heard "0 one" "0 end"
}

@test "a container on a trunk talks to one in the VLAN through a vlan device" {
	needs filtering
	conf "$IPAM | .vlan = 100"
	add c1
	conf '.vlanTrunk = [{"id":100}]'
	add c2
	ip -n c2 link add link eth0 name eth0.100 up type vlan id 100
	ip -n c2 addr add 10.1.0.9/24 dev eth0.100
	pings c2 10.1.0.2
	ip -n c2 link add link eth0 name eth0.101 up type vlan id 101
	ip -n c2 addr flush dev eth0.100
	ip -n c2 addr add 10.1.0.9/24 dev eth0.101
	silent c2 10.1.0.2
}

@test "macspoofchk and portIsolation count in a VLAN" {
	needs filtering
	conf "$GATEWAY | .macspoofchk = true | .portIsolation = true"
	add c1
	add c2
	pings c1 10.1.0.1
	silent c1 10.1.0.3
	ip -n c1 link set eth0 address 02:00:00:00:00:77
	silent c1 10.1.0.1
}

# --- a bridge that is there -------------------------------------------------------

@test "an existing bridge begins to filter where only our own ports are on it" {
	needs filtering
	ip link add br0 up type bridge
	conf "$IPAM"
	add c1
	add c2
	[ "$(filtering br0)" = 0 ]
	conf '.vlan = 100'
	add c3
	[ "$(filtering br0)" = 1 ]
	pings c1 10.1.0.3
	[ "$(vlans_of "$(port_of c3)")" = 100p ]
}

@test "a port of ours that an ADD has only just made is no reason to leave it alone" {
	needs filtering
	ip link add br0 up type bridge
	ip link add vethnew type veth peer name far
	ip link set vethnew master br0
	conf '.vlan = 100'
	add c1
	[ "$(filtering br0)" = 1 ]
}

@test "with another's port on it the bridge is left alone, and the error says why" {
	needs filtering
	ip link add br0 up type bridge
	ip link add uplink up master br0 type veth peer name far
	before=$(vlan_state)
	conf '.vlan = 100'
	try ADD bridge c1
	refused 100 br0 '"vlan"' uplink "vlan_filtering 1"
	try STATUS bridge c1
	refused 50 br0 uplink
	conf '.vlanTrunk = []'
	try ADD bridge c1
	refused 100 br0 '"vlanTrunk"' uplink
	same_vlan_state "$before"
	[ "$(filtering br0)" = 0 ]
	# without VLANs it is used as ever, and when it filters with them
	conf .
	add c1
	ip link set br0 type bridge vlan_filtering 1
	conf '.vlan = 100'
	add c2
}

@test "with a vlan device on top of it the bridge is left alone as well" {
	needs filtering
	ip link add br0 up type bridge
	ip link add link br0 name br0.7 up type vlan id 7
	conf '.vlan = 100'
	try ADD bridge c1
	refused 100 br0 '"vlan"' br0.7
	[ "$(filtering br0)" = 0 ]
}

@test "ADDs with and without a VLAN at once on a bridge that does not filter yet" {
	needs filtering
	for i in $(seq 24); do ip netns add "p$i"; done
	for i in $(seq 24); do
		conf "$([ $((i % 2)) = 0 ] || echo '.vlan = 100 |') ."
		cni ADD bridge "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/add$i" 3>&- &
	done
	wait
	for i in $(seq 24); do
		jq -e '.interfaces | length == 3' "$BATS_TEST_TMPDIR/add$i"
		[ "$(vlans_of "$(port_of "p$i")")" = "$([ $((i % 2)) = 0 ] && echo 1p || echo 100p)" ]
	done
}

# --- the host's interface in the VLAN ------------------------------------------------

@test "the gateway of a VLAN is an interface of its own, reported, and reached" {
	needs filtering
	conf "$GATEWAY"
	add c1
	json '.interfaces | map(.name) | .[0] == "br0" and .[2] == "eth0" and .[3] == "br0.100" and length == 4'
	json '[.ips[].gateway] == ["10.1.0.1", "fd00:1::1"]'
	[ "$(jq -r '.interfaces[3].mac' <<<"$output")" = "$(ip -j link show br0.100 | jq -r '.[0].address')" ]
	[ "$(vlans_of br0)" = "1p 100t" ]
	ip -j addr show br0.100 | jq -e '[.[0].addr_info[].local] | index("10.1.0.1") != null and index("fd00:1::1") != null'
	lacks 10.1.0.1 ip addr show br0
	[ "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv6/conf/br0.100/accept_ra | tr -d '\n')" = 110 ]
	pings c1 10.1.0.1
	pings c1 fd00:1::1
	with_result
	try CHECK bridge c1
	ok
}

@test "containers of one VLAN share its gateway, which goes with the last" {
	needs filtering
	ip link add br0 address 02:00:00:00:00:0b up type bridge vlan_filtering 1
	ip netns add c2
	before=$(vlan_state)
	conf "$GATEWAY"
	add c1
	add c2
	pings c2 10.1.0.1
	del c1
	pings c2 10.1.0.1
	ip link show br0.100
	del c2
	no ip link show br0.100
	same_vlan_state "$before"
	del c2
}

@test "two VLANs of one bridge have a gateway each, with routes between them" {
	needs filtering
	conf "$GATEWAY | .isDefaultGateway = true"
	add c1
	conf '.vlan = 200 | .isDefaultGateway = true | .name = "n2" |
		.ipam = {"type":"host-local","ranges":[[{"subnet":"10.2.0.0/24"}]]}'
	add c2
	pings c1 10.1.0.1
	pings c2 10.2.0.1
	pings c1 10.2.0.2
	ip -j link show br0.200
	# not by layer 2
	ip -n c2 addr add 10.1.0.77/24 dev eth0
	silent c2 10.1.0.2
	del c2
	no ip link show br0.200
	pings c1 10.1.0.1
}

@test "ipMasq translates what leaves a VLAN" {
	needs filtering
	conf "$GATEWAY | .isDefaultGateway = true | .ipMasq = true"
	add c1
	ip netns add out
	ip link add out0 up type veth peer name eth0 netns out
	ip addr add 192.0.2.1/24 dev out0
	ip -n out addr add 192.0.2.2/24 dev eth0
	ip -n out link set eth0 up
	pings c1 192.0.2.2
	with_result
	try CHECK bridge c1
	ok
}

@test "a container without a gateway of its own keeps that of its VLAN in place" {
	needs filtering
	conf "$GATEWAY"
	add c1
	conf '.vlan = 100'
	add c2
	conf "$GATEWAY"
	del c1
	ip link show br0.100
	conf '.vlan = 100'
	del c2
	no ip link show br0.100
	[ "$(vlans_of br0)" = 1p ]
}

@test "the name of a gateway fits, however long the bridge's is" {
	needs filtering
	for bridge in cni-podman123456 a.long.bridge-1 twelve-chars; do
		bridge=${bridge:0:15}
		conf "$GATEWAY | .bridge = \"$bridge\" | .vlan = 4094"
		add c1
		gateway=$(jq -r '.interfaces[3].name' <<<"$output")
		[ "${#gateway}" -le 15 ]
		[[ $gateway == *.4094 ]]
		[ "$(ip -j link show "$gateway" | jq -r '.[0].link')" = "$bridge" ]
		pings c1 "$(jq -r '.ips[0].gateway' <<<"$output")"
		with_result
		try CHECK bridge c1
		ok
		del c1
		no ip link show "$gateway"
	done
}

@test "the gateway goes when the namespace has gone, and with DEL without prevResult" {
	needs filtering
	conf "$GATEWAY"
	add c1
	ip netns del c1
	del c1
	no ip link show br0.100
	[ "$(vlans_of br0)" = 1p ]
}

@test "VLAN 1 is the bridge's own: it is the gateway itself" {
	needs filtering
	conf "$GATEWAY | .vlan = 1"
	add c1
	json '.interfaces | length == 3'
	pings c1 10.1.0.1
	with_result
	try CHECK bridge c1
	ok
	ip addr del 10.1.0.1/24 dev br0
	try CHECK bridge c1
	refused 101 br0 10.1.0.1
	del c1
	[ "$(vlans_of br0)" = 1p ]
}

@test "an administrator's interface in the VLAN is used, and stays" {
	needs filtering
	for name in br0.100 servers; do
		ip link add br0 up type bridge vlan_filtering 1
		bridge vlan add dev br0 vid 100 self
		ip link add link br0 name $name up type vlan id 100
		conf "$GATEWAY"
		add c1
		json ".interfaces[3].name == \"$name\""
		pings c1 "$(jq -r '.ips[0].gateway' <<<"$output")"
		with_result
		try CHECK bridge c1
		ok
		del c1
		ip link show $name
		[ "$(vlans_of br0)" = "1p 100t" ]
		ip link del br0
	done
}

@test "a VLAN that the bridge had let in before stays let in" {
	needs filtering
	ip link add br0 up type bridge vlan_filtering 1
	bridge vlan add dev br0 vid 100 self
	conf "$GATEWAY"
	add c1
	pings c1 10.1.0.1
	del c1
	no ip link show br0.100
	[ "$(vlans_of br0)" = "1p 100t" ]
}

@test "the pair that the reference makes for a gateway is used, and stays" {
	needs filtering
	ip link add br0 up type bridge vlan_filtering 1
	ip link add br0.100 type veth peer name vethgw
	ip link set br0.100 up
	ip link set vethgw up master br0
	bridge vlan del dev vethgw vid 1
	bridge vlan add dev vethgw vid 100 pvid untagged
	conf "$GATEWAY"
	add c1
	json '.interfaces[3].name == "br0.100"'
	pings c1 10.1.0.1
	with_result
	try CHECK bridge c1
	ok
	del c1
	ip link show br0.100
}

@test "a name that something else has is an error, and nothing is changed" {
	needs filtering
	ip link add br0.100 type veth peer name other
	ip link add br0 address 02:00:00:00:00:0b up type bridge vlan_filtering 1
	before=$(vlan_state)
	conf "$GATEWAY"
	try ADD bridge c1
	refused 100 br0.100 "VLAN 100" br0
	same_vlan_state "$before"
}

@test "a gateway that a call which was killed has left is made ready, and goes" {
	needs filtering
	conf "$GATEWAY"
	for alias in '' "gateway of the bridge's VLAN, which was let in"; do
		ip link add br0 up type bridge vlan_filtering 1
		ip link add link br0 name br0.100 alias "$alias" type vlan id 100
		add c1
		pings c1 "$(jq -r '.ips[0].gateway' <<<"$output")"
		del c1
		no ip link show br0.100
		[ "$(vlans_of br0)" = 1p ]
		ip link del br0
	done
}

@test "an address that conflicts on the gateway is refused, and replaced with forceAddress" {
	needs filtering
	conf "$GATEWAY"
	add c1
	ip addr add 10.9.0.1/24 dev br0.100
	conf "$GATEWAY"' | .name = "n2" | .ipam.ranges = [[{"subnet":"10.2.0.0/24"}]]'
	try ADD bridge c2 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth1
	refused 100 '"br0.100" already has an IP address different from 10.2.0.1/24'
	CONF=$(jq -c '.forceAddress = true' <<<"$CONF")
	try ADD bridge c2 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth1
	ok
	lacks 10.9.0.1 ip addr show br0.100
}

# --- CHECK -----------------------------------------------------------------------------

check_names() { # WORDS...: what CHECK must say
	try CHECK bridge c1
	refused 101 "$@"
}

# attached [JQ-FILTER]: c1 in a trunk, with its gateway; CHECK is content.
attached() {
	needs filtering
	conf "$GATEWAY"' | .vlanTrunk = [{"minID":200,"maxID":210}]'
	add c1
	with_result
	try CHECK bridge c1
	ok
	port=$(port_of c1)
}

@test "CHECK names a bridge that does not filter any more" {
	attached
	ip link set br0 type bridge vlan_filtering 0
	check_names br0 "does not filter VLANs"
}

@test "CHECK names a VLAN that is missing" {
	attached
	bridge vlan del dev "$port" vid 205
	check_names "$port" "VLAN 205" "is not in"
}

@test "CHECK names a VLAN too many" {
	attached
	bridge vlan add dev "$port" vid 300
	check_names "$port" "VLAN 300" "other than configured"
}

@test "CHECK names another VLAN for frames without a tag" {
	attached
	bridge vlan add dev "$port" vid 100 untagged
	check_names "$port" "VLAN 0" 100
}

@test "CHECK names a VLAN that has lost its tag, or got one" {
	attached
	bridge vlan add dev "$port" vid 205 untagged
	check_names "$port" "VLAN 205" "no tag"
	bridge vlan add dev "$port" vid 205
	bridge vlan add dev "$port" vid 100 pvid
	check_names "$port" "VLAN 100" "has a tag"
}

@test "CHECK names a gateway that is missing" {
	attached
	ip link del br0.100
	check_names "VLAN 100" br0
}

@test "CHECK names a gateway that is down" {
	attached
	ip link set br0.100 down
	check_names br0.100 down
}

@test "CHECK names an address that the gateway has lost" {
	attached
	ip addr del 10.1.0.1/24 dev br0.100
	check_names br0.100 10.1.0.1
}

# --- all at once, and undone ---------------------------------------------------------------

@test "32 ADDs at once in two VLANs, then 32 DELs, leave nothing" {
	needs filtering
	for i in $(seq 32); do ip netns add "p$i"; done
	before=$(vlan_state)
	for vlan in 0 1; do
		conf "$GATEWAY | .vlan = 10$vlan | .name = \"n$vlan\" |
			.ipam.ranges = [[{\"subnet\":\"10.$vlan.0.0/24\"}]]"
		confs[vlan]=$CONF
	done
	both() { # COMMAND
		for i in $(seq 32); do
			cni "$1" bridge "p$i" <<<"${confs[i % 2]}" >"$BATS_TEST_TMPDIR/$1$i" 3>&- &
		done
		wait
	}
	for round in 1 2; do
		both ADD
		for i in $(seq 32); do
			grep -q "\"br0.10$((i % 2))\"" "$BATS_TEST_TMPDIR/ADD$i"
		done
		for i in 1 2 31 32; do
			pings "p$i" "10.$((i % 2)).0.1"
		done
		[ "$(ip -j link show type vlan | jq length)" = 2 ]
		both DEL
		cat "$BATS_TEST_TMPDIR"/DEL*
		[ "$(cat "$BATS_TEST_TMPDIR"/DEL* | wc -c)" = 0 ]
		[ "$(vlans_of br0)" = 1p ]
		ip link del br0
	done
	same_vlan_state "$before"
}

@test "ADDs and DELs that cross each other never lose a gateway, nor leave one" {
	needs filtering
	conf "$GATEWAY"
	for i in $(seq 6); do ip netns add "p$i"; done
	for i in $(seq 6); do
		for _ in $(seq 8); do
			cni ADD bridge "p$i" <<<"$CONF" && ip netns exec "p$i" ping -q -c 1 -W 2 10.1.0.1 &&
				cni DEL bridge "p$i" <<<"$CONF" || exit 1
		done >"$BATS_TEST_TMPDIR/out$i" 2>&1 3>&- &
		pids[i]=$!
	done
	for i in $(seq 6); do
		wait "${pids[i]}" || {
			cat "$BATS_TEST_TMPDIR/out$i"
			return 1
		}
	done
	no ip link show br0.100
	[ "$(vlans_of br0)" = 1p ]
}

@test "an ADD waits for a DEL that is taking the gateway away, and has one" {
	needs filtering
	needs_strace
	traced() { # STRACE-OPTION...
		env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg "$@" "$CNI_BIN/bridge" <<<"$CONF"
	}
	ip netns add c2
	conf "$GATEWAY"
	add c1
	traced
	# the request that has the VLAN let in no more
	n=$(grep sendmsg "$BATS_TEST_TMPDIR/trace" | grep -n 'RTM_DELLINK.*AF_BRIDGE' | head -n 1 | cut -d: -f1)
	add c1
	traced -e inject=sendmsg:delay_enter=1000000:when="$n" 3>&- &
	while ip link show br0.100 | grep -q ,UP; do :; done
	add c2
	wait $!
	pings c2 "$(jq -r '.ips[0].gateway' <<<"$output")"
}

@test "each request of an ADD into a VLAN refused once: a clear error, everything undone" {
	needs filtering
	needs_strace
	before=$(vlan_state)
	conf "$GATEWAY"' | .vlanTrunk = [{"id":7}]'
	for n in $(seq 60); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,sendto \
			-e inject=sendmsg,sendto:error=ENOBUFS:when="$n" \
			"$CNI_BIN/bridge" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		if [ "$status" = 0 ]; then # a request whose failure does not matter
			del c1
			ip link del br0
		else
			refused 5
		fi
		same_vlan_state "$before"
	done
	[ "$n" -gt 20 ]
	[ "$status" = 0 ]
}

@test "an ADD that fails late takes the gateway back, unless others use it" {
	needs filtering
	needs_strace
	traced() { # CONTAINER [STRACE-OPTION...]
		run env CNI_COMMAND=ADD CNI_CONTAINERID="$1" CNI_NETNS="/run/netns/$1" CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg "${@:2}" "$CNI_BIN/bridge" <<<"$CONF"
	}
	ip netns add c2
	before=$(vlan_state)
	conf "$GATEWAY"
	for c in c1 c2; do
		traced $c
		ok
		last=$(grep -c sendmsg "$BATS_TEST_TMPDIR/trace")
		del $c
		[ $c = c2 ] || ip link del br0
		now=$(vlan_state)
		traced $c -e inject=sendmsg:error=ENOBUFS:when="$last"
		refused 5
		grep -q '"br0.100"' "$BATS_TEST_TMPDIR/trace"
		same_vlan_state "$now"
		[ $c = c2 ] || add c1
	done
	pings c1 10.1.0.1
}

@test "GC removes the gateways that nobody uses, of its own bridge, and keeps the rest" {
	needs filtering
	conf "$GATEWAY"
	add c1
	conf "$GATEWAY"' | .vlan = 200 | .ipam.ranges = [[{"subnet":"10.2.0.0/24"}]]'
	add c2
	conf "$GATEWAY"' | .bridge = "br1" | .name = "n2"'
	add c3
	ip netns del c3
	conf "$GATEWAY"' | ."cni.dev/valid-attachments" = [{"containerID":"c2","ifname":"eth0"}]'
	try GC bridge x
	ok
	no ip link show br0.100
	ip link show br0.200
	ip link show br1.100
	[ "$(vlans_of br0)" = "1p 200t" ]
	pings c2 10.2.0.1
}

@test "kill -9 at any time leaves nothing that DEL does not remove" {
	needs filtering
	before=$(vlan_state)
	conf "$GATEWAY"' | .vlanTrunk = [{"id":7}]'
	for delay in 0.001 0.002 0.003 0.004 0.005 0.006 0.008 0.01 0.015; do
		timeout -s KILL "$delay" env CNI_COMMAND=ADD CNI_CONTAINERID=c1 \
			CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$CNI_BIN/bridge" <<<"$CONF" >/dev/null || :
		del c1
		[ ! -e /sys/class/net/br0 ] || [ "$(vlans_of br0)" = 1p ]
		ip link del br0 2>/dev/null || :
		same_vlan_state "$before"
	done
}
