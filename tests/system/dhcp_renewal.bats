#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dhcp over time: renewals, and what happens to daemon, server and container in
# between. The server's leases last two seconds; four where none may run out, on however
# busy a machine.

# bats file_tags=macvlan,slow,alone

load ../lib/system
load ../lib/dhcp

setup() {
	needs macvlan
	CONF=$MACVLAN
	new_server
}

teardown() {
	dhcp_clean_up
}

@test "an address stays through 20 renewals, a daemon killed, a server restarted" {
	serve_udhcpd 4 192.0.2.100 192.0.2.150 'opt router 192.0.2.1'
	attach c1
	with_result
	old=$(address c1)
	watch c1
	wait_for "$UDHCPD_LOG" "sending ACK to $old" 7
	kill_daemon KILL
	try CHECK macvlan c1 # starts another one, which goes on
	ok
	wait_for "$UDHCPD_LOG" "sending ACK to $old" 15
	kill "$SERVER_PID"
	wait "$SERVER_PID" || :
	serve_udhcpd 4 192.0.2.100 192.0.2.150 'opt router 192.0.2.1'
	wait_for "$UDHCPD_LOG" "sending ACK to $old" 6
	[ "$(address c1)" = "$old" ]
	no grep Deleted "$WATCH_LOG"
	try CHECK macvlan c1
	ok
	detach c1
}

@test "a server that goes: the address ends with its lease; it is back: another one" {
	serve_udhcpd 2 192.0.2.100 192.0.2.100 'opt router 192.0.2.1'
	attach c1
	with_result
	[ "$(address c1)" = 192.0.2.100 ]
	watch c1
	stop_server
	wait_for "$WATCH_LOG" '^Deleted .* 192.0.2.100/24'
	[ -z "$(ip -n c1 route)" ]
	try CHECK macvlan c1
	refused 101 eth0
	serve_udhcpd 2 192.0.2.120 192.0.2.120 'opt router 192.0.2.9'
	wait_for "$WATCH_LOG" '^default via 192.0.2.9'
	[ "$(address c1)" = 192.0.2.120 ]
	[ "$(ip -n c1 -4 route show default | wc -l)" = 1 ]
	try CHECK macvlan c1
	refused 101 192.0.2.120
	detach c1
}

@test "a daemon that was away when the lease ended" {
	serve_udhcpd 2 192.0.2.100 192.0.2.100 'opt router 192.0.2.1'
	attach c1
	kill_daemon KILL
	stop_server
	serve_udhcpd 60 192.0.2.120 192.0.2.120 'opt router 192.0.2.1'
	watch c1
	start_daemon
	wait_for "$WATCH_LOG" '192.0.2.120/24'
	[ "$(address c1)" = 192.0.2.120 ]
}

@test "a container that has ended ends its lease, and nothing holds it" {
	serve_udhcpd 2 192.0.2.100 192.0.2.150
	attach c1
	attach c2
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 2 ]
	ip netns del c1
	# the macvlan went with its namespace, which nobody keeps
	wait_for "$UDHCPD_LOG" 'sending ACK' 6
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 1 ]
	ip netns del c2
	pid=$(daemon_pid)
	timeout 40 tail --pid="$pid" -s 0.1 -f /dev/null # it has nothing to do any more
	[ ! -e "$SOCKET" ]
	[ "$(find /run/hawser/dhcp -type f | wc -l)" = 0 ]
}
