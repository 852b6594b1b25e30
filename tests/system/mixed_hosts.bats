#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A host that changes its plugins while containers run: a whole chain started with
# the Go reference and stopped with ours, and the other way round, by a runtime
# with libcni's cache, in each backend. REFERENCE_CNI has the reference of Debian
# 12, REFERENCE_191, if set, 1.9.1. What single plugins make of it: migration.bats.

bats_require_minimum_version 1.5.0

load ../lib/system

ARGS='{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
	{"hostPort":5353,"containerPort":53,"protocol":"udp","hostIP":"198.51.100.1"}],
	"bandwidth":{"ingressRate":1000000,"ingressBurst":100000,"egressRate":2000000,"egressBurst":100000}}'

setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add out
	ip link add up0 type veth peer name eth0 netns out
	ip addr add 198.51.100.1/24 dev up0
	ip link set up0 up
	mkdir -p /run/cni
}

teardown() {
	umount "$(readlink -f "$(command -v iptables)")" 2>/dev/null || :
	clean_up
	ip -j link show type ifb | jq -r '.[].ifname' | xargs -r -n 1 ip link del
	rm -rf /run/cni
}

# list BACKEND: a network of all plugins. The reference's firewall has no nftables.
list() {
	jq -n --arg backend "$1" '{cniVersion: "1.0.0", name: "n1", plugins: [
		{type: "bridge", bridge: "br0", isGateway: true, ipMasq: true, ipMasqBackend: $backend, hairpinMode: true,
			ipam: {type: "host-local", ranges: [[{subnet: "10.1.0.0/24"}], [{subnet: "fd00:1::/64"}]],
				routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}]}},
		{type: "portmap", $backend, capabilities: {portMappings: true}},
		{type: "firewall", backend: "iptables", ingressPolicy: "same-bridge"},
		{type: "tuning", mtu: 1400, sysctl: {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
		{type: "bandwidth", capabilities: {bandwidth: true}}]} |
		if $backend == "nftables" then .plugins |= map(select(.type != "firewall")) else . end' >/etc/cni/net.d/n1.conflist
}

# with DIRECTORY VERB CONTAINER: what a runtime does that finds its plugins there. The
# ports are c1's.
with() {
	local args=$ARGS
	[ "$3" = c1 ] || args=$(jq 'del(.portMappings)' <<<"$ARGS")
	CNI_PATH=$1 CAP_ARGS=$args "$CNI_BIN/hawser" "$2" n1 "$3" >"$BATS_TEST_TMPDIR/$3.out"
}

# All but counters, what is the bridge's and the networks' own, and indices.
everything() {
	ip -j link | jq -c 'sort_by(.ifname)[] | select(.ifname != "br0") | [.ifname, .mtu, .master]'
	iptables-save | grep '^[-:]' | sed 's/\[.*//' || :
	ip6tables-save | grep '^[-:]' | sed 's/\[.*//' || :
	nft -j list ruleset | jq -c '.nftables[] | select(.metainfo | not) | del(.. | .handle?) |
		select((.chain, .table, .rule, .set, .map, .element) as $x | $x and $x.family != "ip" and $x.family != "ip6")' 2>/dev/null || :
	find /var/lib/cni /run/hawser /run/cni -type f ! -name lock ! -name 'last_reserved*' ! -name '*.addresses' \
		2>/dev/null | sort || :
}

# primed LIST-BACKEND DIRECTORY...: by all, so that the chains that they share are there.
primed() {
	local dir
	list "$1"
	for c in c1 c2; do ip netns add $c; done
	for dir in "${@:2}"; do
		with "$dir" add c1
		with "$dir" del c1
	done
	before=$(everything)
}

# mixes START STOP: one that ends as it should, twice; one whose namespace has gone;
# with another beside them, which keeps what it has.
mixes() {
	with "$1" add c2
	beside=$(everything)
	with "$1" add c1
	with "$2" del c1
	with "$2" del c1
	heal "$2"
	diff <(echo "$beside") <(everything)
	with "$1" add c1
	ip netns del c1
	with "$2" del c1
	with "$2" del c2
	heal "$2"
	diff <(echo "$before") <(everything)
}

# The reference takes nothing out of a table that is not its own, nor does it know our
# records. The next container with that address or port takes them over; whoever goes
# back for good ends with a GC, which lists have from 1.1.0 on.
heal() {
	[ "$1" != "$CNI_BIN" ] || return 0
	jq '.cniVersion = "1.1.0"' /etc/cni/net.d/n1.conflist >"$BATS_TEST_TMPDIR/n1.conflist"
	"$CNI_BIN/hawser" gc "$BATS_TEST_TMPDIR/n1.conflist"
}

needs() { # DIRECTORY
	[ -x "$1/bridge" ] || skip "${2:-no reference plugins in $1}"
}

needs_191() {
	needs "${REFERENCE_191-}" "REFERENCE_191 does not name the Go reference 1.9.1"
}

@test "1.1.1 starts, we stop: iptables" {
	needs "$REFERENCE_CNI"
	primed iptables "$REFERENCE_CNI" "$CNI_BIN"
	mixes "$REFERENCE_CNI" "$CNI_BIN"
}

@test "we start, 1.1.1 stops: iptables" {
	needs "$REFERENCE_CNI"
	primed iptables "$REFERENCE_CNI" "$CNI_BIN"
	mixes "$CNI_BIN" "$REFERENCE_CNI"
}

@test "1.9.1 starts, we stop: iptables" {
	needs_191
	primed iptables "$REFERENCE_191" "$CNI_BIN"
	mixes "$REFERENCE_191" "$CNI_BIN"
}

@test "we start, 1.9.1 stops: iptables" {
	needs_191
	primed iptables "$REFERENCE_191" "$CNI_BIN"
	mixes "$CNI_BIN" "$REFERENCE_191"
}

# The reference asks iptables as well when it takes down what it has in nftables, and
# 1.8.9's answer is an error to it.
without_iptables() {
	mount --bind /dev/null "$(readlink -f "$(command -v iptables)")"
	no iptables --version
}

@test "1.9.1 starts, we stop: nftables" {
	needs_191
	without_iptables
	primed nftables "$REFERENCE_191" "$CNI_BIN"
	mixes "$REFERENCE_191" "$CNI_BIN"
}

@test "we start, 1.9.1 stops: nftables" {
	needs_191
	without_iptables
	primed nftables "$REFERENCE_191" "$CNI_BIN"
	mixes "$CNI_BIN" "$REFERENCE_191"
}
