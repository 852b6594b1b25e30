#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ipMasq: what packets look like outside, and whose element is whose.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0",
 "isDefaultGateway":true,"ipMasq":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'

# An outside machine that has no route to the containers: only what carries
# the host's address gets an answer.
setup() {
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev uplink
	ip addr add 2001:db8::1/64 dev uplink nodad
	ip link set uplink up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside addr add 2001:db8::2/64 dev eth0 nodad
	ip -n outside link set eth0 up
	conf .
}

teardown() {
	clean_up
}

element() { # ADDRESS: its comment
	nft get element inet hawser masquerade4 "{ $1 }" |
		sed -n 's/.*comment "\([^"]*\)".*/\1/p'
}

@test "a container reaches outside with the host's address, both families" {
	add c1
	ip netns exec c1 ping -c 1 -W 2 192.0.2.2
	ip netns exec c1 ping -c 1 -W 2 2001:db8::2
}

@test "without ipMasq there is no answer from outside" {
	conf '.ipMasq = false'
	add c1
	no ip netns exec c1 ping -c 1 -W 1 192.0.2.2
	no nft list table inet hawser
}

@test "between containers the source address stays" {
	add c1
	add c2
	ip netns exec c2 nft 'table ip seen { set from { type ipv4_addr; flags dynamic; }
		chain input { type filter hook input priority 0; update @from { ip saddr }; }; }'
	ip netns exec c1 ping -c 1 -W 2 10.1.0.3
	ip netns exec c2 nft list set ip seen from | grep -F 10.1.0.2
}

@test "multicast and the container's own subnet are left alone" {
	add c1
	nft list chain inet hawser masquerade-rest | grep -F 'ip daddr 224.0.0.0/4 return'
	nft list chain inet hawser masquerade-10.1.0.0/24 | grep -F 'ip daddr 10.1.0.0/24 return'
}

@test "what nft lists of our table it also loads again" {
	add c1
	nft list table inet hawser >"$BATS_TEST_TMPDIR/saved"
	nft delete table inet hawser
	nft -f "$BATS_TEST_TMPDIR/saved"
	ip netns exec c1 ping -c 1 -W 2 192.0.2.2
	with_result
	try CHECK bridge c1
	ok
}

@test "a subnet's chain goes with the last container, and comes back" {
	add c1
	add c2
	try DEL bridge c1
	ok
	nft list chain inet hawser masquerade-10.1.0.0/24
	try DEL bridge c2
	ok
	no nft list chain inet hawser masquerade-10.1.0.0/24
	no nft list chain inet hawser masquerade-fd00-1--/64
	add c3
	ip netns exec c3 ping -c 1 -W 2 192.0.2.2
}

@test "two networks with one subnet share its chain" {
	add c1
	conf '.name = "n2" | .bridge = "br2"'
	add c2 # another store: the same address, which it takes over
	[[ $(element 10.1.0.2) == *"net: n2"*"id: c2" ]]
	try DEL bridge c2
	ok
	lacks masquerade-10 nft list table inet hawser
}

@test "DEL of a dead container never removes the element of the one that has its address now" {
	add c1
	first=$CONF
	ip netns del c1
	rm /var/lib/cni/networks/n1/10.1.0.2 # force
	add c2 CNI_ARGS='IgnoreUnknown=1;IP=10.1.0.2'
	[[ $(element 10.1.0.2) == *"id: c2" ]]
	CONF=$first
	try DEL bridge c1
	ok
	[[ $(element 10.1.0.2) == *"id: c2" ]]
	ip netns exec c2 ping -c 1 -W 2 192.0.2.2
}

# The batch that deletes is held back while the element changes hands: between
# our look and our transaction, which is the race that the generation catches.
@test "the element changes hands between DEL's look and its transaction" {
	needs_strace
	add c1
	conf '.ipam = {} | .isDefaultGateway = false' # only the element is of interest
	with_prev='{"cniVersion":"1.0.0","interfaces":[],"ips":[{"address":"10.1.0.2/24"}]}'
	CONF=$(jq -c --argjson r "$with_prev" '. + {prevResult: $r}' <<<"$CONF")
	call=(env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS= CNI_IFNAME=eth0 "$CNI_BIN/bridge")
	ip link del "$(ip -j link show type veth | jq -r '.[] | select(.master == "br0") | .ifname')"
	# the second sendmsg() is the transaction; the first asks for the port
	strace -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,recvfrom \
		-e inject=sendmsg:delay_enter=1000000:when=2 "${call[@]}" <<<"$CONF" &
	sleep 0.3 # it looks in some ms, and is held for a second
	nft -f - <<'EOF_NFT'
delete element inet hawser masquerade4 { 10.1.0.2 }
add element inet hawser masquerade4 { 10.1.0.2 comment "another's" : goto masquerade-10.1.0.0/24 }
EOF_NFT
	wait $!
	grep -q 'error=-ERESTART' "$BATS_TEST_TMPDIR/trace" # it was refused
	[ "$(element 10.1.0.2)" = "another's" ]
}

@test "another program changing nftables all the while costs retries, never an error" {
	nft add table inet other
	while :; do
		nft add chain inet other c
		nft delete chain inet other c
	done &
	churn=$!
	for i in $(seq 30); do
		ip netns add "r$i"
		cni ADD bridge "r$i" <<<"$CONF" >/dev/null
		cni DEL bridge "r$i" <<<"$CONF"
	done
	kill $churn
	lacks 'id: r' nft list table inet hawser
}
