#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Attachments that the Go reference made, taken down by ours, and the other way
# round. What 1.9.1 leaves in nftables comes from a fixture; with REFERENCE_191,
# the directory of its plugins, from itself as well.

load ../lib/system

FIXTURE=$BATS_TEST_DIRNAME/fixtures/reference-1.9.1.nft
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"bridge","bridge":"br0",
 "isGateway":true,"ipMasq":true,"ipMasqBackend":"nftables","macspoofchk":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'

setup() {
	conf .
}

teardown() {
	clean_up
}

load_fixture() {
	nft -f "$FIXTURE"
	nft -f - <<-'EOF'
		table inet cni_plugins_masquerade {
			chain masq_checks {
				ip saddr 10.9.0.1 counter masquerade
				ip saddr 10.9.0.2 masquerade comment "somebody's"
			}
			chain theirs {
				ip saddr 10.9.0.3 drop comment "43d91f8451058a70-f4d01f2ef4b92245, net: n1, if: eth0, id: c1"
			}
		}
		table bridge nat {
			chain PREROUTING {
				iifname "tap0" drop comment "macspoofchk-c1-eth0x"
				iifname "tap1" drop
			}
			chain cni-br-iface-c1-eth0-other { drop; }
		}
		table bridge other {
			chain PREROUTING { drop comment "macspoofchk-c1-eth0"; }
		}
	EOF
}

# The whole ruleset with the rules' own numbers, which must not change either.
rules() {
	nft -a list ruleset | grep -v '^$'
}

# The same without what the reference made for one attachment of c1.
rules_without() { # INTERFACE KEY
	awk -v chain="cni-br-iface-c1-$1" -v comment="\"macspoofchk-c1-$1\"" -v key="$2" '
		/^table/ { table = $2 " " $3 }
		$1 == "chain" { name = $2 }
		table == "bridge nat" && (name == chain || name == chain "-mac") {
			if (/^\t}/) name = ""
			next
		}
		table == "bridge nat" && name == "PREROUTING" && index($0, comment) { next }
		table == "inet cni_plugins_masquerade" && name == "masq_checks" && index($0, key) { next }
		{ print }'
}

KEY_C1_ETH0=43d91f8451058a70-f4d01f2ef4b92245
KEY_C1_ETH1=43d91f8451058a70-ce22e8fef5c0a4f4

@test "DEL removes what the reference made for the attachment, and nothing else" {
	load_fixture
	before=$(rules)
	try DEL bridge c1 CNI_NETNS=
	ok
	after=$(rules)
	diff <(rules_without eth0 $KEY_C1_ETH0 <<<"$before") <(echo "$after")
	[ "$(($(wc -l <<<"$before") - $(wc -l <<<"$after")))" = 10 ]
	try DEL bridge c1 CNI_NETNS=
	ok
	diff <(echo "$after") <(rules)
	try DEL bridge c1 CNI_NETNS= CNI_IFNAME=eth1
	ok
	diff <(rules_without eth1 $KEY_C1_ETH1 <<<"$after") <(rules)
}

@test "DEL of an attachment that the reference did not make changes nothing" {
	load_fixture
	before=$(rules)
	try DEL bridge c3 CNI_NETNS=
	ok
	conf '.name = "n3"'
	try DEL bridge c1 CNI_NETNS= CNI_IFNAME=eth7
	ok
	diff <(echo "$before") <(rules)
}

@test "DEL without ipMasq and macspoofchk leaves the reference's rules alone" {
	load_fixture
	before=$(rules)
	conf 'del(.ipMasq, .macspoofchk)'
	try DEL bridge c1 CNI_NETNS=
	ok
	diff <(echo "$before") <(rules)
}

@test "DEL removes all of many rules that retried ADDs left" {
	load_fixture
	before=$(rules | rules_without eth0 $KEY_C1_ETH0)
	for i in $(seq 600); do
		echo "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.8.0.1 masquerade comment \"$KEY_C1_ETH0, net: n1\""
	done | nft -f -
	try DEL bridge c1 CNI_NETNS=
	ok
	diff <(echo "$before") <(rules)
}

@test "GC removes the network's masquerading of attachments that are not valid" {
	load_fixture
	before=$(rules)
	conf '. + {"cni.dev/valid-attachments": [
		{"containerID": "c1", "ifname": "eth1"}, {"containerID": "c2", "ifname": "eth0"}]}'
	try GC bridge ''
	ok
	# the spoof check does not say the network: it stays
	diff <(grep -v "masquerade comment \"$KEY_C1_ETH0" <<<"$before") <(rules)
	conf '. + {"cni.dev/valid-attachments": []}'
	try GC bridge ''
	ok
	lacks 'net: n1' nft list chain inet cni_plugins_masquerade masq_checks
	[ "$(rules | grep -c 'masquerade comment.*net: n2')" = 2 ]
}

@test "a rule that another program puts there meanwhile is not lost" {
	needs_strace
	load_fixture
	conf 'del(.macspoofchk) | .ipam = {}'
	# the second sendmsg() is the transaction; the first asks for the port
	call=(env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS= CNI_IFNAME=eth0 "$CNI_BIN/bridge")
	strace -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,recvfrom \
		-e inject=sendmsg:delay_enter=1000000:when=2 "${call[@]}" <<<"$CONF" &
	sleep 0.3
	nft add rule inet cni_plugins_masquerade masq_checks ip saddr 10.9.0.9 masquerade
	before=$(rules)
	wait $!
	grep -q 'error=-ERESTART' "$BATS_TEST_TMPDIR/trace"
	diff <(grep -v "masquerade comment \"$KEY_C1_ETH0" <<<"$before") <(rules)
}

@test "portmap DEL removes the reference's host ports of the container" {
	[ -x "$CNI_BIN/portmap" ] || skip "no portmap yet"
	load_fixture
	before=$(rules)
	conf '{cniVersion, name, type: "portmap", backend: "nftables", runtimeConfig: {portMappings: [
		{hostPort: 8080, containerPort: 80, protocol: "tcp"}]}}'
	try DEL portmap c1 CNI_NETNS=
	ok
	# by the container's id, all of its networks: it says nothing more
	diff <(grep -v 'comment "c1"' <<<"$before") <(rules)
}

# --- the reference itself ----------------------------------------------------

needs_191() {
	[ -n "${REFERENCE_191-}" ] || skip "REFERENCE_191 does not name the Go reference 1.9.1"
}

reference() { # DIRECTORY COMMAND PLUGIN CONTAINER...
	local CNI_PATH=$1
	shift
	run cni "$@" CNI_PATH="$CNI_PATH" <<<"$CONF"
	ok
}

@test "1.9.1 makes it, our DEL takes it down" {
	needs_191
	empty=$(state)
	for c in c1 c2; do
		ip netns add $c
		reference "$REFERENCE_191" ADD bridge $c
	done
	before=$(rules)
	try DEL bridge c1
	ok
	diff <(rules_without eth0 $KEY_C1_ETH0 <<<"$before") <(rules)
	no ip -n c1 link show eth0
	no ls /var/lib/cni/networks/n1/10.1.0.2
	[ -e /var/lib/cni/networks/n1/10.1.0.3 ]
	try DEL bridge c2
	ok
	nft delete table bridge nat # which are empty
	nft delete table inet cni_plugins_masquerade
	ip netns del c1
	ip netns del c2
	ip link del br0
	same_state "$empty"
}

@test "1.9.1 makes what the fixture says" {
	needs_191
	same_form() {
		grep -v '^#' | sed -E 's/veth[0-9a-f]{8}/VETH/; s/([0-9a-f]{2}:){5}[0-9a-f]{2}/MAC/'
	}
	ip netns add c1
	reference "$REFERENCE_191" ADD bridge c1
	nft list ruleset | same_form >"$BATS_TEST_TMPDIR/is"
	# each line it makes for c1 is one of the fixture's
	no grep -vxFf <(same_form <"$FIXTURE") "$BATS_TEST_TMPDIR/is"
}

# What is left after the reference has taken it down.
taken_down() { # DIRECTORY
	conf '.cniVersion = "1.0.0"'
	add c1
	with_result
	# 1.1.1 looks for an iptables chain and says that it finds none, once,
	# when it has done the rest
	CNI_PATH=$1 cni DEL bridge c1 <<<"$CONF" || :
	reference "$1" DEL bridge c1
	no ip -n c1 link show eth0
	lacks veth ip link show type veth
	no ls /var/lib/cni/networks/n1/10.1.0.2
	nft list table inet hawser | grep 'id: c1'
	nft list table bridge hawser | grep 'id: c1'
}

@test "we make it, the reference's DEL takes link and address, our DEL or GC the rest" {
	[ -x "$REFERENCE_CNI/bridge" ] || skip "no reference plugins in $REFERENCE_CNI"
	for dir in "$REFERENCE_CNI" "${REFERENCE_191-}"; do
		[ -x "$dir/bridge" ] || continue
		taken_down "$dir"
		try DEL bridge c1
		ok
		lacks 'id: c1' nft list ruleset
		taken_down "$dir"
		conf '. + {"cni.dev/valid-attachments": []}'
		try GC bridge ''
		ok
		lacks 'id: c1' nft list ruleset
	done
}
