#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tuning, behind a plugin that has made eth0: what it changes, and that everything
# is as it was afterwards.

load ../lib/system

BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"tuning","prevResult":{"cniVersion":"1.1.0",
 "interfaces":[{"name":"eth0","mac":"02:00:00:00:00:99"},
  {"name":"eth0","mac":"02:00:00:00:00:01","mtu":1500,"sandbox":"/run/netns/c1"}],
 "ips":[{"address":"10.1.0.2/24","interface":1}]}}'
BACKUP=/run/cni/tuning/c1_eth0.json

setup() {
	ip netns add c1
	ip -n c1 link add eth0 address 02:00:00:00:00:01 txqueuelen 1000 type veth peer name peer0
	ip -n c1 link set lo up
	ip -n c1 link set eth0 up
	ip -n c1 link set peer0 up
	ip -n c1 addr add 10.1.0.2/24 dev eth0
	conf .
}

teardown() {
	clean_up
	rm -rf /etc/cni/tuning /run/cni/tuning
}

sysctl_of() { # KEY
	ip netns exec c1 sysctl -n "$1" | tr '\t' ' '
}

# What a plugin may change here: the interface, and all settings of the namespace.
tuned_state() {
	ip -n c1 -d -j link show eth0 |
		jq -c '.[0] | [.flags, .mtu, .address, .txqlen, .promiscuity, .allmulti]'
	ip netns exec c1 sysctl -a 2>/dev/null |
		grep -vE 'nf_conntrack_count|random|entropy|\.stable_secret|fib_notify|dentry|inode|file-nr' | grep '^net\.'
}

is_restored() { # STATE
	diff <(echo "$1") <(tuned_state)
}

tune() {
	try ADD tuning c1 "$@"
	ok
}

untune() {
	try DEL tuning c1 "$@"
	ok
	[ -z "$output" ]
}

check_names() { # WORDS...
	try CHECK tuning c1
	refused 101 "$@"
}

ALL='.sysctl = {"net.core.somaxconn":"500","net.ipv4.conf.IFNAME.arp_filter":"1",
  "net.ipv4.ip_local_port_range":"2000 3000"}
 | .mac = "C2:B0:57:49:47:F1" | .mtu = 1454 | .promisc = true | .allmulti = true | .txQLen = 777'

@test "everything it can set, CHECK is content, DEL puts it back, and again" {
	before=$(tuned_state)
	conf "$ALL"
	tune
	[ "$(sysctl_of net.core.somaxconn)" = 500 ]
	[ "$(sysctl_of net.ipv4.conf.eth0.arp_filter)" = 1 ]
	[ "$(sysctl_of net.ipv4.ip_local_port_range)" = "2000 3000" ]
	ip -n c1 -j link show eth0 | jq -e '.[0] | .address == "c2:b0:57:49:47:f1" and .mtu == 1454 and
		.txqlen == 777 and (.flags | contains(["PROMISC", "ALLMULTI", "UP"]))'
	json '.interfaces[1] | .mac == "c2:b0:57:49:47:f1" and .mtu == 1454'
	json '.interfaces[0].mac == "02:00:00:00:00:99"'
	json '.ips[0].address == "10.1.0.2/24"'
	CONF=$(jq -c --argjson r "$output" '.prevResult = $r' <<<"$CONF")
	try CHECK tuning c1
	ok
	untune
	is_restored "$before"
	[ ! -e $BACKUP ]
	untune
	untune CNI_NETNS=
	untune CNI_NETNS=/run/netns/none
}

@test "with nothing to do the result is that of before, and nothing is written" {
	before=$(tuned_state)
	tune
	json '.interfaces[1].mac == "02:00:00:00:00:01" and .interfaces[1].mtu == 1500'
	try CHECK tuning c1
	ok
	is_restored "$before"
	[ ! -e /run/cni/tuning ]
	untune
}

@test "the backup is the reference's file, with our keys beside its own" {
	conf "$ALL"
	tune
	jq -e 'del(.network, .sysctl) == {mac: "02:00:00:00:00:01", promisc: false, mtu: 1500,
		allmulti: false, txQLen: 1000}' $BACKUP
	jq -e '.network == "n1" and .sysctl["net/ipv4/conf/eth0/arp_filter"] == "0"' $BACKUP
	[ "$(stat -c %a $BACKUP)" = 600 ]
	untune
	conf '.mtu = 1400 | .dataDir = "/run/elsewhere/deep"'
	tune
	jq -e 'keys == ["mtu", "network", "sysctl"]' /run/elsewhere/deep/c1_eth0.json
	untune
	[ -z "$(ls /run/elsewhere/deep)" ]
	rm -r /run/elsewhere
}

@test "the reference restores what we changed, and we what it changed" {
	[ -x "$REFERENCE_CNI/tuning" ] || skip "no reference plugins"
	before=$(tuned_state)
	conf '.cniVersion = "1.0.0" | .prevResult.cniVersion = "1.0.0" | .mac = "02:00:00:00:00:77" | .mtu = 1400 | .promisc = true'
	tune
	CNI_PATH=$REFERENCE_CNI run cni DEL tuning c1 <<<"$CONF"
	ok
	is_restored "$before"
	CNI_PATH=$REFERENCE_CNI run cni ADD tuning c1 <<<"$CONF"
	ok
	untune
	is_restored "$before"
	[ ! -e $BACKUP ]
}

@test "of two in a chain the first's backup counts" {
	before=$(tuned_state)
	conf '.mtu = 1400 | .sysctl = {"net.core.somaxconn":"500"}'
	tune
	conf '.mtu = 1300 | .txQLen = 5 | .sysctl = {"net.core.somaxconn":"600"}'
	tune
	[ "$(sysctl_of net.core.somaxconn)" = 600 ]
	untune # of the second
	is_restored "$before"
	conf '.mtu = 1400 | .sysctl = {"net.core.somaxconn":"500"}'
	untune
	is_restored "$before"
}

@test "the MAC: args.cni, then runtimeConfig, then CNI_ARGS, then the configuration" {
	mac() { ip -n c1 -j link show eth0 | jq -r '.[0].address'; }
	conf '.mac = "02:00:00:00:00:04"'
	tune
	[ "$(mac)" = 02:00:00:00:00:04 ]
	tune CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
	[ "$(mac)" = 02:00:00:00:00:03 ]
	conf '.mac = "02:00:00:00:00:04" | .runtimeConfig.mac = "02:00:00:00:00:02"'
	tune CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
	[ "$(mac)" = 02:00:00:00:00:02 ]
	conf '.mac = "02:00:00:00:00:04" | .runtimeConfig.mac = "02:00:00:00:00:02" | .args.cni.mac = "02:00:00:00:00:01"'
	tune CNI_ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:03'
	[ "$(mac)" = 02:00:00:00:00:01 ]
}

@test "args.cni goes before the configuration, sysctls key by key" {
	conf '.mtu = 1400 | .txQLen = 10 | .allmulti = true | .sysctl = {"net.core.somaxconn":"500","net.ipv4.ip_forward":"1"}
	 | .args.cni = {"mtu":1300,"txQLen":0,"allmulti":false,"promisc":true,"sysctl":{"net/core/somaxconn":"600"}}'
	tune
	ip -n c1 -j link show eth0 | jq -e '.[0] | .mtu == 1300 and (.txqlen // 0) == 0 and (.flags | contains(["PROMISC"]))
		and (.flags | index("ALLMULTI") | not)'
	[ "$(sysctl_of net.core.somaxconn)" = 600 ]
	[ "$(sysctl_of net.ipv4.ip_forward)" = 1 ]
	untune
	conf '.args.cni.sysctl = {"net.core.somaxconn":"600"}' # no sysctl beside it
	tune
	[ "$(sysctl_of net.core.somaxconn)" = 600 ]
}

@test "allmulti false and txQLen 0 are said, promisc false is not" {
	ip -n c1 link set eth0 allmulticast on promisc on
	conf '.allmulti = false | .txQLen = 0 | .promisc = false'
	tune
	ip -n c1 -j link show eth0 | jq -e '.[0] | (.txqlen // 0) == 0 and (.flags | index("ALLMULTI") | not)
		and (.flags | index("PROMISC"))'
	untune
	ip -n c1 -j link show eth0 | jq -e '.[0] | .txqlen == 1000 and (.flags | contains(["ALLMULTI", "PROMISC"]))'
}

@test "names with dots: slashes separate, or stand for dots" {
	ip -n c1 link set eth0 down
	ip -n c1 link set eth0 name eth0.100 up
	for key in net.ipv4.conf.eth0/100.arp_filter net/ipv4/conf/eth0.100/arp_filter \
		net.ipv4.conf.IFNAME.arp_filter net/ipv4/conf/IFNAME/arp_filter; do
		conf '.sysctl = {"'"$key"'":"1"}'
		tune CNI_IFNAME=eth0.100
		[ "$(ip netns exec c1 cat /proc/sys/net/ipv4/conf/eth0.100/arp_filter)" = 1 ]
		untune CNI_IFNAME=eth0.100
		[ "$(ip netns exec c1 cat /proc/sys/net/ipv4/conf/eth0.100/arp_filter)" = 0 ]
	done
}

@test "what leads out of net, or is none, is refused by its key" {
	before=$(tuned_state)
	for key in kernel.hostname net.. net...kernel net/../kernel/hostname net net. .net /net/core/x netx.core; do
		conf '.sysctl = {"'"$key"'":"1"}'
		try ADD tuning c1
		refused 7 "invalid net sysctl key" "$key"
	done
	conf '.sysctl = {"net.core.none":"1"}'
	try ADD tuning c1
	refused 5 net/core/none
	conf '.sysctl = {"net.core.somaxconn":"many"}'
	try ADD tuning c1
	refused 5 net.core.somaxconn "Invalid argument"
	is_restored "$before"
	[ ! -e $BACKUP ]
}

@test "keys twice, wrong types and bad values name the key" {
	for twice in '{"net.core.somaxconn":"1","net.core.somaxconn":"2"}' \
		'{"net.core.somaxconn":"1","net/core/somaxconn":"2"}'; do
		CONF=${BASE_CONF%\}}",\"sysctl\":$twice}"
		for command in ADD CHECK; do
			try $command tuning c1
			refused 7 "duplicated sysctl keys are not allowed" somaxconn
		done
	done
	for bad in '.sysctl = {"net.core.somaxconn":500}' '.sysctl = []' '.promisc = "on"' '.allmulti = 1' \
		'.mtu = "big"' '.txQLen = 1.5' '.args.cni.sysctl = "x"' '.args.cni.allmulti = "x"'; do
		conf "$bad"
		try ADD tuning c1
		key=${bad%% =*}
		refused 6 "${key##*.}"
	done
	conf '.mtu = -1'
	try ADD tuning c1
	refused 7 mtu
	conf '.mac = "nonsense"'
	try ADD tuning c1
	refused 7 mac nonsense
	conf 'del(.prevResult)'
	try ADD tuning c1
	refused 7 prevResult
}

@test "the allowlist: whole keys, comments, and who is not on it" {
	mkdir -p /etc/cni/tuning
	printf '%s\n' '# what tenants may set' '' '  net\.core\..*  ' '^net\.ipv4\.conf\.IFNAME\.[a-z_]*$' 'ipv4.ip_forward' \
		>/etc/cni/tuning/allowlist.conf
	conf '.sysctl = {"net.core.somaxconn":"500","net.ipv4.conf.IFNAME.arp_filter":"1","net/ipv4/conf/IFNAME/rp_filter":"2"}'
	tune
	untune
	before=$(tuned_state)
	# a part of the key is not the key, in neither form
	for key in net.ipv4.ip_forward net/ipv4/ip_forward net.ipv4.conf.eth0.arp_filter; do
		conf '.mtu = 1400 | .sysctl = {"'"$key"'":"1"}'
		try ADD tuning c1
		refused 7 "Sysctl $key is not allowed"
		is_restored "$before"
	done
	try STATUS tuning x
	refused 50 allowed
	for line in 'net.core.(' 'net\.ipv4\.\d*'; do
		echo "$line" >/etc/cni/tuning/allowlist.conf
		try ADD tuning c1
		refused 7 allowlist.conf "$line"
	done
	: >/etc/cni/tuning/allowlist.conf
	try ADD tuning c1
	refused 7 "not allowed"
}

@test "CHECK compares by meaning, and names each difference" {
	conf "$ALL"
	tune
	CONF=$(jq -c '.sysctl["net.ipv4.ip_local_port_range"] = "2000\t3000"' <<<"$CONF")
	try CHECK tuning c1
	ok
	ip netns exec c1 sysctl -qw net.ipv4.ip_local_port_range="2000 3001"
	check_names net.ipv4.ip_local_port_range 3001
	ip netns exec c1 sysctl -qw net.ipv4.ip_local_port_range="2000 3000" net.core.somaxconn=5
	check_names net.core.somaxconn 500
	ip netns exec c1 sysctl -qw net.core.somaxconn=500
	ip -n c1 link set eth0 address 02:00:00:00:00:09
	check_names eth0 MAC 02:00:00:00:00:09 c2:b0:57:49:47:f1
	ip -n c1 link set eth0 address c2:b0:57:49:47:f1 mtu 1300
	check_names eth0 MTU 1300 1454
	ip -n c1 link set eth0 mtu 1454 promisc off
	check_names eth0 promisc
	ip -n c1 link set eth0 promisc on allmulticast off
	check_names eth0 allmulti
	ip -n c1 link set eth0 allmulticast on txqueuelen 1
	check_names eth0 txQLen 777
	ip -n c1 link set eth0 txqueuelen 777
	try CHECK tuning c1
	ok
	ip -n c1 link del eth0
	conf '.mtu = 1400'
	try CHECK tuning c1
	refused 5 eth0
}

@test "an ADD that fails late puts everything back" {
	before=$(tuned_state)
	conf "$ALL"' | .mtu = 70000'
	try ADD tuning c1
	refused 5 eth0
	is_restored "$before"
	[ ! -e $BACKUP ]
	conf "$ALL"
	try ADD tuning c1 CNI_IFNAME=eth7
	refused 5 eth7
	is_restored "$before"
	try ADD tuning c1 CNI_NETNS=/run/netns/none
	refused 3 /run/netns/none
}

@test "whichever system call fails, all is as before, and DEL restores it after a kill" {
	command -v strace >/dev/null || skip "no strace"
	! grep -q __asan_init "$CNI_BIN/tuning" || skip "a sanitizer makes system calls of its own"
	before=$(tuned_state)
	conf "$ALL"
	for how in error=EIO signal=KILL; do
		for call in pwrite64 sendmsg openat linkat renameat setns; do
			for n in $(seq 60); do
				status=0
				output=$(CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
					strace -o "$BATS_TEST_TMPDIR/trace" -e "inject=$call:$how:when=$n" \
					"$CNI_BIN/tuning" <<<"$CONF" 2>/dev/null) || status=$?
				[ "$status" != 0 ] || break
				[ $how != signal=KILL ] || untune
				is_restored "$before"
				[ ! -e $BACKUP ]
				[ ! -d "${BACKUP%/*}" ] || [ -z "$(ls -A "${BACKUP%/*}")" ]
			done
			[ "$n" -lt 60 ]
			untune
			is_restored "$before"
		done
	done
}

@test "DEL without a namespace removes the backup, GC those that are stale" {
	conf '.mtu = 1400'
	tune
	ip netns del c1
	untune
	[ ! -e $BACKUP ]
	ip netns add c1
	ip -n c1 link add eth0 type veth peer name peer0
	tune
	echo '{"mtu":1500}' >/run/cni/tuning/go_eth0.json
	echo '{"mtu":1500,"network":"n2"}' >/run/cni/tuning/other_eth0.json
	gc() {
		CONF=$(jq -c --argjson v "$1" '.["cni.dev/valid-attachments"] = $v | del(.prevResult)' <<<"$CONF")
		try GC tuning x CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
		ok
	}
	gc '[{"containerID":"c1","ifname":"eth0"}]'
	[ -e $BACKUP ]
	gc '[{"containerID":"c1","ifname":"eth1"}]'
	[ ! -e $BACKUP ]
	[ "$(ls /run/cni/tuning)" = $'go_eth0.json\nother_eth0.json' ]
}

@test "a host-device that was tuned is what it was, on the host again" {
	ip link add h0 address 02:00:00:00:00:0d mtu 1450 txqueuelen 900 type veth peer name h1
	ip link set h0 up
	about() { ip -d -j link show h0 | jq -c '.[0] | [.flags, .mtu, .address, .txqlen]'; }
	before=$(about)
	device='{"cniVersion":"1.1.0","name":"n1","type":"host-device","device":"h0"}'
	ip -n c1 link del eth0
	CONF=$device try ADD host-device c1
	ok
	conf "$ALL"
	CONF=$(jq -c --argjson r "$output" '.prevResult = $r' <<<"$CONF")
	tune
	untune
	CONF=$device try DEL host-device c1
	ok
	[ "$(about)" = "$before" ]
	ip link del h0
}

@test "STATUS is content with what ADD would do" {
	conf "$ALL"
	try STATUS tuning x
	ok
	conf '.sysctl = {"kernel.x":"1"}'
	try STATUS tuning x
	refused 50 kernel.x
}
