#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# firewall with nftables: who reaches whom, by real connections; what is left
# in the tables.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"firewall"}'

setup() {
	conf .
}

teardown() {
	jobs -p | xargs -r kill 2>/dev/null
	clean_up
}

# attach CONTAINER NET [POLICY [BRIDGE]]: a bridge of its own for each NET, 10.NET.0.0/24 and
# fd00:NET::/64, and the firewall plugin behind it.
attach() {
	local bridge=${4:-br$2} bridged
	[ -e "/run/netns/$1" ] || ip netns add "$1"
	bridged=$(cni ADD bridge "$1" <<<'{"cniVersion":"1.0.0","name":"n'"$2"'","type":"bridge",
		"bridge":"'"$bridge"'","isDefaultGateway":true,"ipam":{"type":"host-local",
		"ranges":[[{"subnet":"10.'"$2"'.0.0/24"}],[{"subnet":"fd00:'"$2"'::/64"}]]}}')
	output=$bridged
	conf ".name = \"n$2\" | .ingressPolicy = \"${3-}\""
	with_result
	echo "$CONF" >"$BATS_TEST_TMPDIR/$1"
	try ADD firewall "$1"
	ok
}

# detach CONTAINER [JQ-FILTER]: the firewall's part of it.
detach() {
	CONF=$(jq -c "${2:-.}" "$BATS_TEST_TMPDIR/$1")
	try DEL firewall "$1"
	ok
}

check() { # CONTAINER
	CONF=$(cat "$BATS_TEST_TMPDIR/$1")
	try CHECK firewall "$1"
}

serve() { # CONTAINER...
	local c
	for c in "$@"; do
		ip netns exec "$c" busybox httpd -f -p 80 -h /run/scratch 3>&- &
	done
	for c in "$@"; do
		until ip netns exec "$c" ss -tln | grep -q :80; do sleep 0.01; done
	done
}

# What stands for the host itself has the name "host".
inside() { # CONTAINER COMMAND...
	local c=$1
	shift
	if [ "$c" = host ]; then "$@"; else ip netns exec "$c" "$@"; fi
}

# can CONTAINER ADDRESS [PORT]: open a TCP connection, and get an answer.
can() {
	local timeout=${PATIENCE-5}
	local url="http://$2:${3-80}/"
	[[ $2 != *:* ]] || url="http://[$2]:${3-80}/"
	inside "$1" timeout "$timeout" busybox wget -q -O - "$url" 2>&1 | grep -qF 404 || {
		echo "$1 cannot reach $2 ${3-}" >&2
		return 1
	}
}

cannot() {
	PATIENCE=0.3 no can "$@" 2>/dev/null || {
		echo "$1 can reach $2 ${3-}" >&2
		return 1
	}
}

# A machine outside that has routes to the containers.
outside() {
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev uplink
	ip addr add 2001:db8::1/64 dev uplink nodad
	ip link set uplink up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside addr add 2001:db8::2/64 dev eth0 nodad
	ip -n outside link set eth0 up
	ip -n outside route add 10.0.0.0/8 via 192.0.2.1
	ip -n outside -6 route add fd00::/16 via 2001:db8::1
}

# Two containers on a bridge of each policy, and one on another same-bridge.
world() {
	outside
	attach o1 1 open
	attach o2 1 open
	attach s1 2 same-bridge
	attach s2 2 same-bridge
	attach i1 3 isolated
	attach i2 3 isolated
	attach t1 4 same-bridge
	serve outside o1 s1 i1
	settled
}

# The bridges' own IPv6 addresses are ready.
settled() {
	while ip -6 addr show tentative | grep -q inet6; do sleep 0.05; done
}

nothing_left() {
	lacks elements nft list table inet hawser
	lacks counter nft list counters
	nft list table bridge hawser >/dev/null 2>&1 || return 0
	lacks elements nft list table bridge hawser
}

# --- who reaches whom ----------------------------------------------------------

@test "open: everybody, both families" {
	world
	for from in o2 s1 i1 t1 outside host; do
		can $from 10.1.0.2
		can $from fd00:1::2
	done
	nft list counter inet hawser open-br1 | grep -E 'packets [1-9]'
}

@test "same-bridge: neighbours, outside and the host, none of the other networks" {
	world
	for from in s2 outside host; do
		can $from 10.2.0.2
		can $from fd00:2::2
	done
	for from in o1 i1 t1; do
		cannot $from 10.2.0.2
		cannot $from fd00:2::2
	done
	can s1 192.0.2.2
	can s1 2001:db8::2
}

@test "same-bridge among neighbours does not depend on br_netfilter" {
	[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || skip "no br_netfilter in this kernel"
	world
	for on in 0 1; do
		echo $on >/proc/sys/net/bridge/bridge-nf-call-iptables
		echo $on >/proc/sys/net/bridge/bridge-nf-call-ip6tables
		can s2 10.2.0.2
		can s2 fd00:2::2
		cannot t1 10.2.0.2
		cannot i2 10.3.0.2
		cannot i2 fd00:3::2
		can outside 10.3.0.2
	done
}

@test "isolated: outside and the host, neither neighbours nor other networks" {
	world
	for from in outside host; do
		can $from 10.3.0.2
		can $from fd00:3::2
	done
	for from in i2 o1 s1; do
		cannot $from 10.3.0.2
		cannot $from fd00:3::2
	done
	can i1 192.0.2.2
	can i1 2001:db8::2
	can i1 10.1.0.2
}

@test "isolated neighbours do not see each other's frames: ARP, link-local, neighbours" {
	world
	link_local=$(ip -n i1 -j addr show eth0 | jq -r '.[].addr_info[] | select(.scope == "link") | .local')
	no ip netns exec i2 ping -c 1 -W 1 "$link_local%eth0"
	no ip netns exec i2 busybox arping -c 1 -w 1 -I eth0 10.3.0.2
	link_local=$(ip -n s1 -j addr show eth0 | jq -r '.[].addr_info[] | select(.scope == "link") | .local')
	ip netns exec s2 ping -c 1 -W 1 "$link_local%eth0"
	ip netns exec s2 busybox arping -c 1 -w 1 -I eth0 10.2.0.2
}

@test "isolated neighbours do not reach each other through the gateway" {
	world
	mac=$(ip -n i2 -j neigh show 10.3.0.1 | jq -r '.[0].lladdr // empty')
	ip -n i2 route replace 10.3.0.2/32 via 10.3.0.1
	ip -n i2 -6 route replace fd00:3::2/128 via fd00:3::1
	cannot i2 10.3.0.2
	cannot i2 fd00:3::2
	can outside 10.3.0.2
}

# --- ways round ----------------------------------------------------------------

@test "not through the other bridge's gateway address" {
	world
	ip -n o1 route add 10.2.0.1/32 dev eth0
	ip -n o1 route add 10.2.0.0/24 via 10.2.0.1
	ip -n o1 -6 route add fd00:2::1/128 dev eth0
	ip -n o1 -6 route add fd00:2::/64 via fd00:2::1
	ip netns exec o1 ping -c 1 -W 1 10.2.0.1 # the host itself
	cannot o1 10.2.0.2
	cannot o1 fd00:2::2
	cannot o1 10.3.0.2
}

@test "not with a forged source address" {
	world
	for c in s1 i1; do
		ip netns exec $c nft 'table ip seen { set from { type ipv4_addr; flags dynamic; }
			chain input { type filter hook input priority 0; update @from { ip saddr }; }; }'
	done
	ip -n o1 addr add 192.0.2.77/32 dev eth0 # an address of outside
	for net in 2 3; do
		ip netns exec o1 timeout 1 busybox nc -s 192.0.2.77 10.$net.0.2 80 </dev/null || :
	done
	ip netns exec outside ping -c 1 -W 1 10.2.0.2
	ip netns exec outside ping -c 1 -W 1 10.3.0.2
	for c in s1 i1; do
		lacks 192.0.2.77 ip netns exec $c nft list set ip seen from
		ip netns exec $c nft list set ip seen from | grep -F 192.0.2.2
	done
}

@test "not through a host port: it serves outside, not the other networks" {
	world
	nft -f - <<'EOF_NFT'
table inet ports {
	chain prerouting {
		type nat hook prerouting priority dstnat
		fib daddr type local tcp dport 8082 dnat ip to 10.2.0.2:80
		fib daddr type local tcp dport 8082 dnat ip6 to [fd00:2::2]:80
		fib daddr type local tcp dport 8083 dnat ip to 10.3.0.2:80
		fib daddr type local tcp dport 8083 dnat ip6 to [fd00:3::2]:80
		fib daddr type local tcp dport 8081 dnat ip to 10.1.0.2:80
	}
}
EOF_NFT
	for port in 8082 8083; do
		can outside 192.0.2.1 $port
		can outside 2001:db8::1 $port
		for host in 192.0.2.1 10.1.0.1 10.2.0.1 10.3.0.1 2001:db8::1 fd00:1::1 fd00:2::1; do
			cannot o1 $host $port
		done
		cannot t1 192.0.2.1 $port
	done
	cannot i2 192.0.2.1 8083
	cannot i2 2001:db8::1 8083
	can s1 192.0.2.1 8081
}

@test "containers without a bridge are kept out by their address" {
	attach s1 2 same-bridge
	serve s1
	ip netns add p1
	ip link add ptp type veth peer name eth0 netns p1
	ip addr add 10.9.0.1/24 dev ptp
	ip link set ptp up
	ip -n p1 addr add 10.9.0.2/24 dev eth0
	ip -n p1 link set eth0 up
	ip -n p1 route add default via 10.9.0.1
	can p1 10.2.0.2 # nobody knows it yet
	conf '.name = "p" | .prevResult = {"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"}],
		"interfaces":[{"name":"ptp"},{"name":"eth0","sandbox":"/run/netns/p1"}]}'
	try ADD firewall p1
	ok
	cannot p1 10.2.0.2
	nft list counter inet hawser open | grep packets
	try DEL firewall p1
	ok
	can p1 10.2.0.2
}

@test "policies that differ on one bridge: the strictest" {
	attach a 1 open
	attach b 1 same-bridge
	attach o 2 open
	serve a b
	can b 10.1.0.2
	can a 10.1.0.3
	cannot o 10.1.0.2
	cannot o 10.1.0.3
	attach c 1 isolated
	serve c
	cannot a 10.1.0.4
	cannot o 10.1.0.4
	cannot c 10.1.0.2
	cannot c 10.1.0.3
	can host 10.1.0.4
	detach c
	can a 10.1.0.4
	can a 10.1.0.3
	detach b
	can o 10.1.0.2
	check a
	ok
}

@test "chain admin is the operator's: before everything, never changed" {
	nft add table inet hawser
	nft add chain inet hawser admin
	nft add rule inet hawser admin ip saddr 10.1.0.2 ip daddr 10.2.0.2 accept
	world
	can o1 10.2.0.2
	cannot o2 10.2.0.2
	for c in o1 o2 s1 s2 i1 i2 t1; do detach $c; done
	nft list chain inet hawser admin | grep -F 'ip saddr 10.1.0.2 ip daddr 10.2.0.2 accept'
}

# --- what is in the tables -------------------------------------------------------

@test "the result is the one before, as it came" {
	attach c1 1 same-bridge
	result=$output
	[ "$(jq -c . <<<"$result")" = "$(jq -c .prevResult "$BATS_TEST_TMPDIR/c1")" ]
}

@test "the last DEL leaves sets, maps and counters empty, in any order" {
	world
	for c in s1 i2 o1 t1 i1 o2; do detach $c; done
	nft list set inet hawser firewall-same-bridge | grep -F br2
	nft list counter inet hawser same-bridge-br2
	detach s2
	nothing_left
	detach s2 # again
}

@test "DEL without prevResult, without the namespace, with another policy" {
	world
	for c in o1 o2 s1 s2; do detach $c 'del(.prevResult)'; done
	ip netns del i1
	detach i1 '.ingressPolicy = "open"'
	detach i2 'del(.prevResult) | .ingressPolicy = "nonsense"'
	ip netns del t1
	detach t1 '.prevResult |= {cniVersion, ips: (.ips | map(del(.interface)))}'
	nothing_left
}

@test "DEL where there never was anything" {
	try DEL firewall c1
	ok
	[ -z "$(nft list ruleset)" ]
}

@test "DEL after an operator deleted part of it" {
	attach i1 3 isolated
	attach s1 2 same-bridge
	nft flush set inet hawser firewall-isolated
	nft delete element inet hawser firewall-within-same-bridge '{ "br2" . "br2" }'
	nft delete table bridge hawser
	detach i1
	detach s1
	nothing_left
	attach i2 3 isolated
	nft flush ruleset
	detach i2
	[ -z "$(nft list ruleset)" ]
}

@test "GC removes the elements of those that are not valid" {
	attach i1 3 isolated
	attach i2 3 isolated
	attach s1 2 same-bridge
	conf '.name = "n3" | .cniVersion = "1.1.0" | ."cni.dev/valid-attachments" =
		[{"containerID":"i2","ifname":"eth0"}]'
	try GC firewall gc
	ok
	check i2
	ok
	check s1
	ok
	check i1
	refused 101
	conf '.name = "n3" | .cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = []'
	try GC firewall gc
	ok
	lacks br3 nft list ruleset
	check s1
	ok
	detach s1
	nothing_left
}

@test "CHECK names what is missing, and changes nothing" {
	attach i1 3 isolated
	attach s1 2 same-bridge
	port=$(ip -j link show type veth | jq -r '.[] | select(.master == "br3") | .ifname')
	saved=$(nft list ruleset)
	while IFS='|' read -r container command word; do
		check "$container"
		ok
		nft "$command"
		before=$(nft list ruleset)
		check "$container"
		refused 101 "$word"
		[ "$(nft list ruleset)" = "$before" ]
		nft flush ruleset
		nft -f - <<<"$saved"
	done <<EOF_CASES
i1|delete element inet hawser firewall4 { 10.3.0.2 }|10.3.0.2
s1|delete element inet hawser firewall6 { fd00:2::2 }|fd00:2::2
s1|delete element inet hawser firewall-same-bridge { "br2" }|firewall-same-bridge
s1|delete element inet hawser firewall-within-same-bridge { "br2" . "br2" }|br2
i1|delete element bridge hawser isolated { "$port" }|$port
i1|flush chain inet hawser forward|chain forward
i1|flush ruleset|10.3.0.2
EOF_CASES
	CONF=$(jq -c '.ingressPolicy = "open"' "$BATS_TEST_TMPDIR/s1")
	try CHECK firewall s1 # it is not what ADD was told
	refused 101 10.2.0.2
}

@test "what nft lists of our tables it also loads again" {
	world
	nft list ruleset >"$BATS_TEST_TMPDIR/saved"
	nft flush ruleset
	can t1 10.2.0.2
	nft -f "$BATS_TEST_TMPDIR/saved"
	cannot t1 10.2.0.2
	cannot i2 10.3.0.2
	can s2 10.2.0.2
	for c in o1 s1 i1; do
		check $c
		ok
		detach $c
	done
}

@test "a bridge whose name nft's grammar does not have" {
	for name in 'br+0@x' '0br' 'a!b#c,d;e{f}g'; do
		attach a 1 same-bridge "$name"
		attach b 2 isolated "x$name"
		attach o 4 open
		serve a
		cannot o 10.1.0.2
		nft list ruleset >"$BATS_TEST_TMPDIR/saved"
		nft flush ruleset
		nft -f "$BATS_TEST_TMPDIR/saved"
		cannot o 10.1.0.2
		check a
		ok
		detach a
		detach b
		detach o
		nothing_left
		clean_up
	done
}

@test "foreign tables stay as they are" {
	nft -f - <<'EOF_NFT'
table inet filter {
	set bridges { type ifname; elements = { "br2" } }
	chain forward {
		type filter hook forward priority filter; policy accept;
		ip saddr 10.66.0.0/16 counter packets 0 bytes 0 drop
	}
}
table bridge other {
	chain forward { type filter hook forward priority 0; policy accept; }
}
EOF_NFT
	# for then iptables would be chosen
	BASE_CONF=$(jq -c '.backend = "nftables"' <<<"$BASE_CONF")
	iptables -N MINE
	iptables -A FORWARD -s 10.77.0.1 -j MINE
	foreign() {
		nft list table inet filter
		nft list table bridge other
		iptables-save | grep -v '^#'
	}
	before=$(foreign)
	attach s1 2 same-bridge
	attach i1 3 isolated
	[ "$(foreign)" = "$before" ]
	detach s1
	detach i1
	[ "$(foreign)" = "$before" ]
}

@test "32 at once, and their end" {
	for k in $(seq 32); do ip netns add "c$k"; done
	policies=(open same-bridge isolated)
	ip link add br1 type bridge
	for k in $(seq 32); do
		ip link add "p$k" type veth peer name eth0 netns "c$k"
		ip link set "p$k" master br1
		jq -c ".ingressPolicy = \"${policies[k % 3]}\" | .prevResult = {cniVersion: \"1.0.0\",
			ips: [{address: \"10.1.0.$k/24\"}, {address: \"fd00:1::$k/64\"}],
			interfaces: [{name: \"p$k\"}, {name: \"eth0\", sandbox: \"/run/netns/c$k\"}]}" \
			<<<"$BASE_CONF" >"$BATS_TEST_TMPDIR/c$k"
	done
	for verb in ADD CHECK DEL; do
		pids=()
		for k in $(seq 32); do
			cni $verb firewall "c$k" <"$BATS_TEST_TMPDIR/c$k" >/dev/null 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid"; done
		[ $verb != ADD ] || [ "$(nft list map inet hawser firewall4 | grep -o 'id: c' | wc -l)" = 32 ]
	done
	nothing_left
	pids=()
	for k in $(seq 32); do # ADD and DEL of the only ones on a bridge, mixed
		(
			cni ADD firewall "c$k" <"$BATS_TEST_TMPDIR/c$k" >/dev/null &&
				cni DEL firewall "c$k" <"$BATS_TEST_TMPDIR/c$k"
		) 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	nothing_left
}

@test "the address of a dead container on another network is taken over, with its network" {
	attach a 1 same-bridge
	ip netns del a
	CONF=$(jq -c '.name = "other" | .ingressPolicy = "" |
		.prevResult |= {cniVersion, ips: (.ips | map(del(.interface)))}' "$BATS_TEST_TMPDIR/a")
	try ADD firewall b
	ok
	lacks br1 nft list table inet hawser
	detach a # late
	nft get element inet hawser firewall4 '{ 10.1.0.2 }' | grep -F 'id: b'
}

# --- configurations ----------------------------------------------------------------

@test "an unknown policy is refused before anything is done" {
	attach c1 1
	detach c1
	before=$(state)
	CONF=$(jq -c '.ingressPolicy = "closed"' "$BATS_TEST_TMPDIR/c1")
	try ADD firewall c1
	refused 7 'unknown ingress policy: "closed"'
	same_state "$before"
}

@test "ADD and CHECK need prevResult" {
	for verb in ADD CHECK; do
		try $verb firewall c1
		refused 7 'missing prevResult from earlier plugin'
	done
	[ -z "$(nft list ruleset)" ]
}

@test "a policy needs a bridge, open does not" {
	conf '.prevResult = {"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"}],"interfaces":[]}'
	try ADD firewall c1
	ok
	try CHECK firewall c1
	ok
	try DEL firewall c1
	ok
	nothing_left
	for policy in same-bridge isolated; do
		CONF=$(jq -c ".ingressPolicy = \"$policy\"" <<<"$CONF")
		try ADD firewall c1
		refused 7 'needs a bridge'
	done
	nothing_left
}

@test "the bridge is found wherever it stands in the result" {
	attach c1 1 same-bridge
	detach c1
	for filter in reverse 'map(select(.name != "br1"))'; do
		CONF=$(jq -c "(.prevResult.ips[] |= del(.interface)) | .prevResult.interfaces |= ($filter)" \
			"$BATS_TEST_TMPDIR/c1")
		try ADD firewall c1
		ok
		nft list set inet hawser firewall-same-bridge | grep -F '"br1"'
		detach c1
	done
}

@test "backend: nftables by name, and for names nobody knows" {
	attach c1 1
	for backend in nftables '' nfttables; do
		CONF=$(jq -c ".backend = \"$backend\"" "$BATS_TEST_TMPDIR/c1")
		try CHECK firewall c1
		ok
	done
}

@test "a result of every version is passed on" {
	for version in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		conf ".cniVersion = \"$version\" | .prevResult = {cniVersion: \"$version\", ips:
			[{version: \"4\", address: \"10.9.0.2/24\"}], ip4: {ip: \"10.9.0.2/24\"}}"
		try ADD firewall c1
		ok
		json ".cniVersion == \"$version\""
		nft get element inet hawser firewall4 '{ 10.9.0.2 }'
		try DEL firewall c1
		ok
	done
}

@test "STATUS" {
	conf '.cniVersion = "1.1.0"'
	try STATUS firewall c1
	ok
	conf '.cniVersion = "1.1.0" | .ingressPolicy = "closed"'
	try STATUS firewall c1
	refused 7 closed
}
