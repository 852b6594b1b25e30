#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dhcp's daemon: how it begins and ends, who talks to it, and how much it takes.

# bats file_tags=macvlan

load ../lib/system
load ../lib/dhcp

setup() {
	needs macvlan
	needs_server dnsmasq
	CONF=$MACVLAN
}

teardown() {
	dhcp_clean_up
}

@test "two ADDs at once make one daemon, which ends some time after its last lease" {
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	local pids=() c
	for c in c1 c2 c3 c4; do
		ip netns add $c
	done
	for c in c1 c2 c3 c4; do
		cni ADD macvlan $c <<<"$CONF" >"$BATS_TEST_TMPDIR/$c" 3>&- &
		pids+=($!)
	done
	for c in "${pids[@]}"; do
		wait "$c"
	done
	pid=$(daemon_pid)
	[ "$(wc -w <<<"$pid")" = 1 ]
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 4 ]
	for c in c1 c2 c3 c4; do
		detach $c
	done
	[ -z "$(find /run/hawser/dhcp -type f)" ]
	[ "$(daemon_pid)" = "$pid" ]
	timeout 40 tail --pid="$pid" -s 0.1 -f /dev/null
	[ ! -e "$SOCKET" ]
	# nothing to do is done by nobody
	detach c1
	try STATUS macvlan c1
	ok
	CONF=$(jq -c '. + {"cni.dev/valid-attachments": []}' <<<"$MACVLAN")
	try GC macvlan c1
	ok
	[ ! -e "$SOCKET" ]
}

@test "SIGTERM: socket and pidfile go, leases stay on disk, and DEL gives back what they say" {
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	start_daemon -pidfile="$BATS_TEST_TMPDIR/pid" --socketpath "$SOCKET"
	[ "$(cat "$BATS_TEST_TMPDIR/pid")" = "$DAEMON_PID" ]
	attach c1
	kill "$DAEMON_PID"
	wait "$DAEMON_PID"
	[ ! -e "$SOCKET" ]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 1 ]
	detach c1
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 0 ]
}

@test "GC gives back what is not valid any more" {
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	attach c1
	attach c2
	CONF=$(jq -c '. + {"cni.dev/valid-attachments": [{containerID: "c2", ifname: "eth0"}]}' <<<"$MACVLAN")
	try GC macvlan c1
	ok
	wait_for "$DNSMASQ_LOG" DHCPRELEASE
	[ "$(grep -c 192.0.2. "$LEASES")" = 1 ]
}

@test "a socket that was left behind is taken over" {
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	attach c1
	kill_daemon KILL
	[ -S "$SOCKET" ]
	attach c2
	kill_daemon KILL
	[ -S "$SOCKET" ]
	start_daemon
	run "$CNI_BIN/dhcp" daemon
	[ "$status" = 1 ]
	[[ $output == *'another daemon listens'* ]]
}

@test "who else listens there is recognised" {
	new_server
	ip netns add c1
	"$DHCP_PEER" mute "$BATS_TEST_TMPDIR/mute" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	mute=$!
	wait_for "$BATS_TEST_TMPDIR/log" mute
	before=$(state)
	CONF=$(jq -c ".ipam.daemonSocketPath = \"$BATS_TEST_TMPDIR/mute\"" <<<"$MACVLAN")
	try ADD macvlan c1
	refused 7 "$BATS_TEST_TMPDIR/mute" 'not Hawser'
	kill $mute
	[ -x "$REFERENCE_CNI/dhcp" ] || skip "no reference plugins"
	"$REFERENCE_CNI/dhcp" daemon -socketpath "$BATS_TEST_TMPDIR/go" >/dev/null 2>&1 3>&- &
	reference=$!
	until [ -S "$BATS_TEST_TMPDIR/go" ]; do :; done
	CONF=$(jq -c ".ipam.daemonSocketPath = \"$BATS_TEST_TMPDIR/go\"" <<<"$MACVLAN")
	try ADD macvlan c1
	refused 7 "$BATS_TEST_TMPDIR/go" 'not Hawser'
	same_state "$before"
	kill $reference
	# and the other way round
	start_daemon
	run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
		CNI_PATH="$REFERENCE_CNI" "$REFERENCE_CNI/dhcp" <<<"${MACVLAN/1.1.0/1.0.0}"
	[ "$status" = 1 ]
	[[ $output == *"DHCP daemon of Hawser"* ]]
}

@test "hostile clients: garbage, too much, too slow; the others are served" {
	new_server
	serve_dnsmasq --dhcp-range="$RANGE"
	start_daemon
	"$DHCP_PEER" hold "$SOCKET" 200 >"$BATS_TEST_TMPDIR/held" 2>&1 3>&- &
	wait_for "$BATS_TEST_TMPDIR/held" held
	for text in '{}' '{"hawser":1}' '{"hawser":2,"command":"ADD","config":{}}' '{"hawser":1,"command":"ADD",' \
		'{"hawser":1,"command":"ADD","config":{"name":"n","ipam":{}},"containerID":"../x","ifname":"eth0"}' \
		'{"hawser":1,"command":"ADD","config":{"name":"n","ipam":{}},"containerID":"x","ifname":"a/b"}' \
		'{"hawser":1,"command":"ADD","config":{"name":"n"},"containerID":"x","ifname":"eth0","netns":"/etc/passwd"}' \
		'{"hawser":1,"command":"FLY","config":{"name":"n"}}'; do
		"$DHCP_PEER" say "$SOCKET" <<<"$text" | sed -n 2p | jq -e '.error.msg | length > 0'
	done
	"$DHCP_PEER" say "$SOCKET" <<<'GET / HTTP/1.0' | grep 'HTTP/1.0 505'
	# (of what is too long the rest is not read)
	head -c 3000000 /dev/zero | tr '\0' '{' | "$DHCP_PEER" say "$SOCKET" >/dev/null || :
	attach c1
	detach c1
	kill -0 "$DAEMON_PID"
	# who goes away while he waits leaves nothing
	stop_server
	ip netns add c2
	cni ADD macvlan c2 <<<"$CONF" >/dev/null 2>&1 3>&- &
	client=$!
	until ip -n c2 link show eth0 2>/dev/null | grep -q LOWER_UP; do :; done
	kill -9 $client
	wait $client || :
	try DEL macvlan c2
	ok
	[ -z "$(find /run/hawser/dhcp -type f)" ]
}

@test "500 leases: one thread, a handful of descriptors, little memory" {
	new_server
	in_server ip addr add 10.0.0.1/16 dev eth0
	serve_dnsmasq --dhcp-range=10.0.0.2,10.0.255.254,255.255.0.0,1h --dhcp-lease-max=2000
	start_daemon
	echo "$CONF" >"$BATS_TEST_TMPDIR/conf"
	seq 500 | sed 's/.*/netns add n&/' | ip -batch -
	seq 500 | xargs -P 4 -I @ env CNI_COMMAND=ADD CNI_CONTAINERID=n@ CNI_NETNS=/run/netns/n@ \
		CNI_IFNAME=eth0 sh -c '"$0" <"$1" >/dev/null' "$CNI_BIN/macvlan" "$BATS_TEST_TMPDIR/conf"
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 500 ]
	fds=$(find "/proc/$DAEMON_PID/fd" -type l | wc -l)
	threads=$(awk '/^Threads/ {print $2}' "/proc/$DAEMON_PID/status")
	rss=$(awk '/^VmRSS/ {print $2}' "/proc/$DAEMON_PID/status")
	echo "# 500 leases: $fds descriptors, $threads thread, $rss KiB" >&3
	[ "$fds" -le 16 ]
	[ "$threads" = 1 ]
	[ -n "${ASAN_OPTIONS-}" ] || [[ $CNI_BIN == *address* ]] || [ "$rss" -le 16384 ]
	# a new daemon takes them all up
	kill_daemon KILL
	start_daemon
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 500 ]
	[ "$(find "/proc/$DAEMON_PID/fd" -type l | wc -l)" -le 16 ]
	seq 500 | xargs -P 4 -I @ env CNI_COMMAND=DEL CNI_CONTAINERID=n@ CNI_NETNS=/run/netns/n@ \
		CNI_IFNAME=eth0 sh -c '"$0" <"$1" >/dev/null' "$CNI_BIN/macvlan" "$BATS_TEST_TMPDIR/conf"
	[ -z "$(find /run/hawser/dhcp -type f)" ]
	wait_for "$DNSMASQ_LOG" DHCPRELEASE 500
}
