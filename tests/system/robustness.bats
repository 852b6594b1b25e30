#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bridge plugin under bad input, bad circumstances and bad timing: a clear
# error with the right code, and nothing changed or left.

load ../lib/system

BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"bridge","bridge":"br0",
 "isGateway":true,"ipMasq":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}}'

setup() {
	ip netns add c1
	conf .
}

teardown() {
	clean_up
}

ports() {
	ip -j link show type veth | jq -r '.[].ifname'
}

# A plugin of this name in a directory before ours in CNI_PATH.
own_plugin() { # NAME <SCRIPT
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/$1"
	chmod +x "$BATS_TEST_TMPDIR/bin/$1"
	WITH_OWN="CNI_PATH=$BATS_TEST_TMPDIR/bin:$CNI_BIN"
}

@test "stdin: empty, truncated, 2 MiB, deep, not JSON: code 6, nothing changed" {
	before=$(state)
	for CONF in '' '{"cniVersion":"1.0.0","name":"n1"' 'hello' '[1]' '{"name":"n1"} trash' \
		'{"name":"a\u0000b"}' '{"name":"n1","mtu":01}'; do
		try ADD bridge c1
		refused 6 "network config"
	done
	CONF='{"name":"n1","x":'$(printf '[%.0s' $(seq 100))$(printf ']%.0s' $(seq 100))'}'
	try ADD bridge c1
	refused 6 nested
	head -c 2097152 /dev/zero | tr '\0' ' ' >"$BATS_TEST_TMPDIR/big"
	run cni ADD bridge c1 <"$BATS_TEST_TMPDIR/big"
	refused 6 larger
	same_state "$before"
}

@test "a bad container ID, interface name, network name, version: the right code" {
	before=$(state)
	try ADD bridge c1 CNI_CONTAINERID=a/b
	refused 4 containerID a/b
	try ADD bridge c1 CNI_CONTAINERID=
	refused 4 CNI_CONTAINERID
	try ADD bridge c1 CNI_IFNAME=sixteencharacter
	refused 4 "too long"
	try ADD bridge c1 CNI_IFNAME=a/b
	refused 4 interface
	try ADD bridge c1 CNI_ARGS=nonsense
	refused 4 nonsense
	try ADD bridge c1 CNI_ARGS='MAC=02:00:00:00:00:01;X=1'
	refused 4 X=1
	conf '.name = "a/b"'
	try ADD bridge c1
	refused 7 a/b
	conf '.cniVersion = "9.9.9"'
	try ADD bridge c1
	refused 1 9.9.9
	same_state "$before"
}

@test "a prevResult that is no object is refused, and does not block DEL" {
	for bad in '[{}]' '[1]' '"x"' '7' '{"ips":[{}]}' '{"ips":"x"}'; do
		conf .
		add c1
		CONF=$(jq -c ".prevResult = $bad" <<<"$CONF")
		try CHECK bridge c1
		[ "$status" = 1 ]
		json '.code == 6 or .code == 7'
		try DEL bridge c1
		ok
		[ -z "$(ports)" ]
	done
}

@test "VERSION takes any input, of any length" {
	run bash -c 'head -c 9000 /dev/zero | tr "\0" "[" | CNI_COMMAND=VERSION "$0"' "$CNI_BIN/bridge"
	ok
	json '.cniVersion == "1.1.0"'
	CONF='{"pad":"'$(head -c 9000 /dev/zero | tr '\0' x)'","cniVersion":"0.4.0"}'
	run bash -c 'CNI_COMMAND=VERSION "$0" <<<"$1"' "$CNI_BIN/bridge" "$CONF"
	json '.cniVersion == "0.4.0"'
}

@test "a full disk and a read-only store: the error names them, nothing is left" {
	mkdir -p "$BATS_TEST_TMPDIR/store"
	mount -t tmpfs -o size=8k,nr_inodes=4 tmpfs "$BATS_TEST_TMPDIR/store"
	mkdir "$BATS_TEST_TMPDIR/store/n1"
	head -c 8192 /dev/zero >"$BATS_TEST_TMPDIR/store/fill" || :
	touch "$BATS_TEST_TMPDIR/store/n1/lock" || :
	before=$(state)
	conf ".ipam.dataDir = \"$BATS_TEST_TMPDIR/store\""
	try ADD bridge c1
	refused 5 "$BATS_TEST_TMPDIR/store" "No space left"
	same_state "$before"
	mount -o remount,bind,ro "$BATS_TEST_TMPDIR/store"
	try ADD bridge c1
	refused 5 "$BATS_TEST_TMPDIR/store"
	same_state "$before"
	umount "$BATS_TEST_TMPDIR/store"
}

@test "an exhausted pool is an error, and takes the link back" {
	conf '.ipam.ranges = [[{"subnet":"10.1.0.0/30"}]]'
	add c1
	ip netns add c2
	before=$(state)
	try ADD bridge c2
	refused 102 "no IP addresses available in range set: 10.1.0.1-10.1.0.2"
	same_state "$before"
}

@test "an IPAM plugin's own error comes through, also where SIGCHLD is ignored" {
	own_plugin my-ipam <<'EOF_SH'
#!/bin/sh
echo '{"code":11,"msg":"come again"}'
exit 1
EOF_SH
	conf '.ipam.type = "my-ipam"'
	before=$(state)
	try ADD bridge c1 "$WITH_OWN"
	refused 11 "come again"
	same_state "$before"
	run env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS= CNI_IFNAME=eth0 "$WITH_OWN" \
		perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$CNI_BIN/bridge" <<<"$CONF"
	refused 11 "come again"
}

@test "what an IPAM plugin makes up is refused, not given to the kernel" {
	own_plugin my-ipam <<'EOF_SH'
#!/bin/sh
[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion":"1.0.0","ips":[{}]}'
EOF_SH
	conf '.ipam.type = "my-ipam"'
	before=$(state)
	try ADD bridge c1 "$WITH_OWN"
	refused 7 'ips[0]' "no address"
	same_state "$before"
}

@test "IPAM never opens CNI_NETNS: it may be anything" {
	try ADD host-local c1 CNI_NETNS=/run/netns/nowhere
	ok
	try DEL host-local c1 CNI_NETNS=/proc/self/ns/net
	ok
}

@test "a runtime that has gone before the result is written: the ADD is undone" {
	before=$(state)
	mkfifo "$BATS_TEST_TMPDIR/out"
	# opened for reading and writing, so that nobody waits; then nobody reads
	run bash -c 'exec 3<>"$2" 4>"$2" 3>&-
		CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			"$0" <<<"$1" >&4 4>&-' "$CNI_BIN/bridge" "$CONF" "$BATS_TEST_TMPDIR/out"
	[ "$status" = 1 ]
	[[ $output == *"Broken pipe"* ]]
	nft delete table inet hawser # it stays, empty
	ip link del br0
	same_state "$before"
}

@test "DEL leaves the interface that another network has under the same name" {
	add c1
	conf '.name = "other" | .ipam.ranges = [[{"subnet":"10.2.0.0/24"}]]'
	try ADD bridge c1
	refused 100 "already exists"
	try DEL bridge c1
	ok
	ip -n c1 link show eth0
	conf .
	try DEL bridge c1
	ok
	no ip -n c1 link show eth0
}

@test "a port of an ADD that was killed before it had an alias is found" {
	add c1
	ip link set "$(ports)" alias ''
	try DEL bridge c1 CNI_NETNS=
	ok
	[ -z "$(ports)" ]
}

@test "an existing bridge stops listening to router advertisements" {
	ip link add br0 address 02:00:00:00:00:0b up type bridge
	[ "$(cat /proc/sys/net/ipv6/conf/br0/accept_ra)" = 1 ]
	conf '.isGateway = false'
	add c1
	[ "$(cat /proc/sys/net/ipv6/conf/br0/accept_ra)" = 0 ]
}

@test "a failing ADD never takes the bridge from under another one" {
	own_plugin bad-ipam <<'EOF_SH'
#!/bin/sh
echo '{"code":100,"msg":"no"}'
exit 1
EOF_SH
	good=$CONF
	conf '.ipam = {"type":"bad-ipam"}'
	bad=$CONF
	ip netns add c2
	for _ in $(seq 60); do
		cni ADD bridge c2 "$WITH_OWN" <<<"$bad" >/dev/null &
		cni ADD bridge c1 <<<"$good" >"$BATS_TEST_TMPDIR/out" || {
			cat "$BATS_TEST_TMPDIR/out" >&2
			return 1
		}
		wait
		ip -j link show br0 >/dev/null
		cni DEL bridge c1 <<<"$good"
		ip link del br0
	done
}

@test "each request of an ADD refused once: a clear error, everything undone" {
	needs_strace
	add c1 # so that the table is there, which stays
	try DEL bridge c1
	ok
	ip link del br0
	before=$(state)
	for n in $(seq 40); do
		run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,sendto \
			-e inject=sendmsg,sendto:error=ENOBUFS:when="$n" \
			"$CNI_BIN/bridge" <<<"$CONF"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
		if [ "$status" = 0 ]; then # a request whose failure does not matter
			try DEL bridge c1
			ok
			ip link del br0
		else
			refused 5
		fi
		same_state "$before"
	done
	[ "$n" -gt 10 ]
	[ "$status" = 0 ]
}

# Closing one may wait for the kernel (kernel/netfilter.h), and costs a child.
@test "a call opens one netfilter socket, whatever it asks" {
	needs_strace
	for command in ADD DEL; do
		run env CNI_COMMAND=$command CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=socket "$CNI_BIN/bridge" <<<"$CONF"
		ok
		[ "$(grep -c NETLINK_NETFILTER "$BATS_TEST_TMPDIR/trace")" = 1 ]
	done
}

@test "the address stays reserved while the interface cannot be deleted" {
	needs_strace
	add c1
	run env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
		strace -f -o /dev/null -e inject=setns:error=EPERM "$CNI_BIN/bridge" <<<"$CONF"
	[ "$status" = 1 ]
	[ -e /var/lib/cni/networks/n1/10.1.0.2 ]
	ip -n c1 link show eth0
}

@test "GC of more stale elements than one transaction takes" {
	add c1
	owner=$(nft list map inet hawser masquerade4 | sed -n 's/.*comment "\([0-9a-f]*\)-.*/\1/p')
	for i in $(seq 600); do
		echo "add element inet hawser masquerade4 { 10.9.$((i / 250)).$((i % 250)) comment \"$owner-00000000$(printf %08x "$i"), gone\" : goto masquerade-10.1.0.0/24 }"
	done | nft -f -
	conf '."cni.dev/valid-attachments" = [{"containerID":"c1","ifname":"eth0"}]'
	try GC bridge x
	ok
	[ "$(nft -j list map inet hawser masquerade4 | jq '.nftables[1].map.elem | length')" = 1 ]
}

@test "in a user namespace over somebody else's network there is no way back" {
	run unshare --user --map-root-user sh -c '
		unshare --net sleep 10 &
		while [ "$(readlink /proc/$!/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
		echo "{\"cniVersion\":\"1.0.0\",\"name\":\"lo\",\"type\":\"loopback\"}" |
			CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=lo CNI_NETNS=/proc/$!/ns/net "$0"
		s=$?; kill $!; exit $s' "$CNI_BIN/loopback"
	[[ $output != *"unshare failed"* ]] || skip "no nested user namespaces here"
	ok
	json '.ips[0].address == "127.0.0.1/8"'
}

@test "nothing keeps the runtime's pipe open after DEL" {
	needs_strace
	add c1
	start=$(date +%s%N)
	cni DEL bridge c1 <<<"$CONF" | cat
	[ $((($(date +%s%N) - start) / 1000000)) -lt 5000 ]
	add c1
	# a child that kept stdout would hold back cat for the 10 to 30 ms that the
	# kernel takes; look at its descriptors directly
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=close_range,clone,fork,vfork \
		env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
		"$CNI_BIN/bridge" <<<"$CONF"
	[ "$(grep -c 'close_range(0' "$BATS_TEST_TMPDIR/trace")" -ge 2 ]
}
