#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ipMasq with iptables: the reference's chains, rules and comments, taken down
# by whoever comes.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0",
 "isDefaultGateway":true,"ipMasq":true,"ipMasqBackend":"iptables",
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'

setup() {
	command -v iptables-save >/dev/null || skip "no iptables"
	conf .
}

teardown() {
	clean_up
	umount /etc/alternatives 2>/dev/null || :
	if legacy_in_use; then
		for ip in iptables ip6tables; do
			"$ip-legacy" -t nat -F && "$ip-legacy" -t nat -X
		done
	fi
}

legacy_in_use() {
	grep -qs nat /proc/net/ip_tables_names
}

# replace PROGRAM BY: what the plugin, too, gets by the plain name.
replace() {
	if ! mountpoint -q /etc/alternatives; then
		cp -dR /etc/alternatives "$BATS_TEST_TMPDIR/alternatives"
		mount --bind "$BATS_TEST_TMPDIR/alternatives" /etc/alternatives
	fi
	ln -sf "$2" "/etc/alternatives/$1"
}

# What both families have, without times and counters.
nat() { # [VARIANT]
	local ip
	for ip in iptables ip6tables; do
		"$ip$1-save" -t nat | sed '/^#/d; s/ \[.*//'
	done
}

reference() { # COMMAND CONTAINER [VARIABLE=VALUE...]
	[ -x "$REFERENCE_CNI/bridge" ] || skip "no reference plugins"
	CNI_PATH=$REFERENCE_CNI cni "$1" bridge "${@:2}" <<<"$CONF"
}

# Rules of somebody else, with everything that quoting has to survive.
put_foreign_rules() {
	local ip
	for ip in iptables ip6tables; do
		"$ip-restore" --noflush <<'EOF_RULES'
*nat
:FOREIGN - [0:0]
-A FOREIGN -m comment --comment "a \"b\" \\ c's -j ACCEPT" -j RETURN
-A FOREIGN -m comment --comment -j -j RETURN
-A FOREIGN -m comment --comment -j -j RETURN
-A POSTROUTING -o lo -m comment --comment "name: \"n2\" id: \"c1\"" -j FOREIGN
COMMIT
EOF_RULES
	done
}

chains_of_containers() {
	"${1:-iptables}-save" -t nat | grep -c '^:CNI-'
}

@test "ADD makes what the reference makes, byte for byte" {
	put_foreign_rules
	add c1
	add c2
	nat >"$BATS_TEST_TMPDIR/ours"
	try DEL bridge c1
	try DEL bridge c2
	rm -rf /var/lib/cni/networks
	reference ADD c1
	reference ADD c2
	nat >"$BATS_TEST_TMPDIR/reference"
	diff "$BATS_TEST_TMPDIR/reference" "$BATS_TEST_TMPDIR/ours"
	grep -F 'id: \"c2\"' "$BATS_TEST_TMPDIR/ours"
}

@test "it works: a container reaches outside with the host's address" {
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev uplink
	ip link set uplink up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside link set eth0 up
	add c1
	ip netns exec c1 ping -c 1 -W 2 192.0.2.2
	lacks hawser nft list tables
}

@test "DEL leaves what was there before, in other hands too" {
	put_foreign_rules
	nat >"$BATS_TEST_TMPDIR/before"
	add c1
	try DEL bridge c1
	ok
	diff "$BATS_TEST_TMPDIR/before" <(nat)
	try DEL bridge c1 # again
	ok
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "DEL removes what the reference has made" {
	put_foreign_rules
	nat >"$BATS_TEST_TMPDIR/before"
	ip netns add c1
	reference ADD c1
	try DEL bridge c1
	ok
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "the reference's DEL removes what ADD has made" {
	put_foreign_rules
	nat >"$BATS_TEST_TMPDIR/before"
	add c1
	with_result
	reference DEL c1
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "DEL needs neither prevResult nor namespace, nor the same backend" {
	nat >"$BATS_TEST_TMPDIR/before"
	add c1
	ip netns del c1
	conf '.ipMasqBackend = "nftables"'
	try DEL bridge c1 CNI_NETNS=
	ok
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "DEL removes jumps of the old form, with the prefix" {
	nat >"$BATS_TEST_TMPDIR/before"
	add c1
	chain=$(iptables-save -t nat | sed -n 's/^:\(CNI-[0-9a-f]*\).*/\1/p')
	iptables -t nat -A POSTROUTING -s 10.1.0.2/24 -j "$chain" \
		-m comment --comment 'name: "n1" id: "c1"'
	try DEL bridge c1
	ok
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "where nothing is of ours no program is started" {
	needs_strace
	conf 'del(.ipMasqBackend)'
	add c1
	call=(env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0)
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=execve \
		"${call[@]}" "$CNI_BIN/bridge" <<<"$CONF"
	lacks tables-save cat "$BATS_TEST_TMPDIR/trace"
}

@test "ADD again with another address leaves one of everything" {
	add c1
	nat >"$BATS_TEST_TMPDIR/before"
	ip -n c1 link del eth0
	rm -r /var/lib/cni/networks
	add c1 CNI_ARGS='IgnoreUnknown=1;IP=10.1.0.9'
	diff <(sed 's,10.1.0.2/32,10.1.0.9/32,' "$BATS_TEST_TMPDIR/before") <(nat)
}

@test "CHECK names what is missing" {
	add c1
	with_result
	try CHECK bridge c1
	ok
	iptables -t nat -D POSTROUTING 1
	try CHECK bridge c1
	refused 101 POSTROUTING '-s 10.1.0.2/32'
	conf '.name = "n1"'
	add c2
	with_result
	ip6tables -t nat -F
	try CHECK bridge c2
	refused 101 'fd00:1::/64'
}

@test "sixteen ADDs at once: sixteen chains and sixteen jumps, none twice" {
	for i in $(seq 16); do
		ip netns add "p$i"
		cni ADD bridge "p$i" <<<"$CONF" >"$BATS_TEST_TMPDIR/out.$i" &
	done
	for _ in $(seq 16); do
		wait -n
	done
	for ip in iptables ip6tables; do
		[ "$(chains_of_containers $ip)" = 16 ]
		[ "$($ip-save -t nat | grep -c '^-A POSTROUTING.*-j CNI-')" = 16 ]
		[ -z "$($ip-save -t nat | grep '^-A' | sort | uniq -d)" ]
	done
	for i in $(seq 16); do
		cni DEL bridge "p$i" <<<"$CONF" &
	done
	wait
	lacks '-A ' nat
}

@test "another program changing the table all the while" {
	iptables -t nat -N OTHER
	while :; do
		iptables -t nat -A OTHER -j RETURN
		iptables -t nat -F OTHER
	done 2>/dev/null &
	churn=$!
	for i in $(seq 8); do
		ip netns add "r$i"
		cni ADD bridge "r$i" <<<"$CONF" >/dev/null
		cni DEL bridge "r$i" <<<"$CONF"
	done
	kill $churn
	wait $churn || :
	lacks 'id: ' iptables-save -t nat
}

# iptables-restore, before which another program makes the same chain, once.
@test "another program makes the chain between our look and our change" {
	add c1
	nat >"$BATS_TEST_TMPDIR/before"
	chain=$(iptables-save -t nat | sed -n 's/^:\(CNI-[0-9a-f]*\).*/\1/p')
	try DEL bridge c1
	ok
	rm -r /var/lib/cni/networks
	cat >"$BATS_TEST_TMPDIR/restore" <<EOF_SCRIPT
#!/bin/sh
iptables-nft -t nat -N $chain
iptables-nft -t nat -A $chain -j RETURN
ln -sf /usr/sbin/iptables-nft-restore /etc/alternatives/iptables-restore
exec iptables-nft-restore "\$@"
EOF_SCRIPT
	chmod +x "$BATS_TEST_TMPDIR/restore"
	replace iptables-restore "$BATS_TEST_TMPDIR/restore"
	add c1
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "what iptables-restore refuses is told in its own words" {
	printf '#!/bin/sh\necho no such luck >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/restore"
	chmod +x "$BATS_TEST_TMPDIR/restore"
	replace iptables-restore "$BATS_TEST_TMPDIR/restore"
	ip netns add c1
	try ADD bridge c1
	refused 5 'iptables-restore failed: no such luck'
	no ip -n c1 link show eth0
	[ -z "$(ls /var/lib/cni/networks/n1/10.* 2>/dev/null)" ]
}

@test "GC removes the chains of this network's containers that are not valid" {
	put_foreign_rules
	nat >"$BATS_TEST_TMPDIR/before"
	add c1
	nat >"$BATS_TEST_TMPDIR/with-c1"
	add c2
	conf '.name = "n2" | .bridge = "br2"'
	add c3
	try DEL bridge c3
	conf '.cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = [{"containerID":"c1","ifname":"eth0"}]'
	try GC bridge '' CNI_NETNS= CNI_IFNAME=
	ok
	diff "$BATS_TEST_TMPDIR/with-c1" <(nat)
	conf '.cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = []'
	try GC bridge '' CNI_NETNS= CNI_IFNAME=
	ok
	diff "$BATS_TEST_TMPDIR/before" <(nat)
}

@test "STATUS and ADD without iptables say what is missing" {
	conf '.cniVersion = "1.1.0"'
	try STATUS bridge '' CNI_NETNS= CNI_IFNAME=
	ok
	mkdir "$BATS_TEST_TMPDIR/empty"
	mount --bind "$BATS_TEST_TMPDIR/empty" /usr/sbin
	try STATUS bridge '' CNI_NETNS= CNI_IFNAME= PATH=/usr/bin
	umount /usr/sbin
	refused 50 iptables-save 'not installed'
}

@test "an unknown backend is refused" {
	conf '.ipMasqBackend = "pf"'
	ip netns add c1
	try ADD bridge c1
	refused 7 'unknown ipmasq backend "pf"'
}

use() { # VARIANT
	local p
	for p in iptables{,-save,-restore} ip6tables{,-save,-restore}; do
		replace "$p" "/usr/sbin/${p/tables/tables-$1}"
	done
}

@test "iptables-legacy: the same rules, and DEL after a switch to nft" {
	command -v iptables-legacy-save >/dev/null || skip "no iptables-legacy"
	iptables-legacy -t nat -S >/dev/null 2>&1 ||
		skip "the kernel cannot do iptables-legacy"
	[ -r /proc/net/ip_tables_names ] ||
		skip "only root can see that iptables-legacy is in use"
	use legacy
	add c1
	nat -legacy >"$BATS_TEST_TMPDIR/legacy"
	grep -F 'id: \"c1\"' "$BATS_TEST_TMPDIR/legacy"
	lacks 'id: ' iptables-nft-save -t nat
	with_result
	try CHECK bridge c1
	ok
	use nft
	try DEL bridge c1
	ok
	lacks CNI- nat -legacy
	conf .
	rm -r /var/lib/cni/networks
	add c1
	diff "$BATS_TEST_TMPDIR/legacy" <(nat -nft)
}
