# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of dhcp share: servers in a namespace of their own, on one wire
# with the containers.
#
#	server  eth0 192.0.2.1 ---- m0 in the host's namespace, a macvlan's master
#
# No clock is waited for: what a server or the kernel does is read from what it
# writes (wait_for).

DHCP_PEER=${DHCP_PEER:-$(dirname "$CNI_BIN")/tests/dhcp_peer}
# not installed, for its package starts it: .ci/unpack.sh
DHCPD=$BATS_TEST_DIRNAME/../../build/unpacked/isc-dhcp-server/usr/sbin/dhcpd
SOCKET=/run/cni/dhcp.sock
# shellcheck disable=SC2034
MACVLAN='{"cniVersion":"1.1.0","name":"n1","type":"macvlan","master":"m0","ipam":{"type":"dhcp"}}'
# shellcheck disable=SC2034
BRIDGE='{"cniVersion":"1.1.0","name":"n1","type":"bridge","bridge":"br0","ipam":{"type":"dhcp"}}'

needs_server() { # PROGRAM
	command -v "$1" >/dev/null || skip "no $1"
}

new_server() { # [BRIDGE]: with its interface on the wire m0, or as a port of a bridge
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add server
	ip link add m0 type veth peer name eth0 netns server
	ip link set m0 up
	ip -n server link set lo up
	ip -n server link set eth0 up
	ip -n server addr add 192.0.2.1/24 dev eth0
	[ -z "${1-}" ] || {
		ip link add "$1" type bridge
		ip link set m0 master "$1"
		ip link set "$1" up
	}
}

# wait_for FILE PATTERN [COUNT]: until so many lines of it have the pattern.
wait_for() {
	timeout 50 grep -qm1 . < <(timeout 50 tail -n +1 -F "$1" 2>/dev/null 3>&- |
		grep -a -m "${3:-1}" --line-buffered -E "$2" | tail -n 1) && return
	echo "not in $1: $2" >&2
	tail -n 20 "$1" >&2
	return 1
}

in_server() {
	ip netns exec server "$@"
}

# dnsmasq [OPTION...]: its log is $DNSMASQ_LOG, its leases $LEASES.
serve_dnsmasq() {
	LEASES=$BATS_TEST_TMPDIR/leases
	DNSMASQ_LOG=$(mktemp -p "$BATS_TEST_TMPDIR" dnsmasq.XXXXXX)
	ip netns exec server dnsmasq --no-daemon --conf-file=/dev/null --port=0 --no-ping \
		--interface=eth0 --bind-interfaces --dhcp-leasefile="$LEASES" --log-dhcp \
		--dhcp-authoritative --user=root \
		"$@" >"$DNSMASQ_LOG" 2>&1 3>&- &
	SERVER_PID=$!
	wait_for "$DNSMASQ_LOG" 'sockets bound|router advertisement enabled'
}

RANGE=192.0.2.100,192.0.2.150,255.255.255.0,2m

# serve_udhcpd SECONDS FIRST LAST [LINE...]: a server of short leases.
serve_udhcpd() {
	local seconds=$1 first=$2 last=$3
	shift 3
	: >>"$BATS_TEST_TMPDIR/udhcpd.leases"
	{
		printf '%s\n' "start $first" "end $last" "interface eth0" \
			"lease_file $BATS_TEST_TMPDIR/udhcpd.leases" \
			"pidfile $BATS_TEST_TMPDIR/udhcpd.pid" "min_lease 1" \
			"opt lease $seconds" "opt subnet 255.255.255.0" "$@"
	} >"$BATS_TEST_TMPDIR/udhcpd.conf"
	UDHCPD_LOG=$(mktemp -p "$BATS_TEST_TMPDIR" udhcpd.XXXXXX)
	ip netns exec server busybox udhcpd -f -a 1 "$BATS_TEST_TMPDIR/udhcpd.conf" \
		>"$UDHCPD_LOG" 2>&1 3>&- &
	SERVER_PID=$!
	wait_for "$UDHCPD_LOG" 'started'
}

# serve_dhcpd [-4|-6] TEXT: ISC's, with that configuration. Its log is $DHCPD_LOG, what
# it has given $DHCPD_LEASES.
serve_dhcpd() {
	local dir=$BATS_TEST_TMPDIR/dhcpd
	mkdir -p "$dir"
	DHCPD_LEASES=$dir/leases$1
	DHCPD_LOG=$(mktemp -p "$dir" log.XXXXXX)
	: >>"$DHCPD_LEASES"
	printf '%s\n' "$2" >"$dir/conf"
	ip netns exec server "$DHCPD" "$1" -f -d -cf "$dir/conf" -lf "$DHCPD_LEASES" --no-pid \
		eth0 >"$DHCPD_LOG" 2>&1 3>&- &
	SERVER_PID=$!
	wait_for "$DHCPD_LOG" 'Server starting service'
}

# One that comes back, and forgets what it had given.
stop_server() {
	kill "$SERVER_PID"
	wait "$SERVER_PID" || :
	: >"$BATS_TEST_TMPDIR/udhcpd.leases"
}

# watch CONTAINER: what happens to its addresses and routes, in $WATCH_LOG.
watch() {
	WATCH_LOG=$(mktemp -p "$BATS_TEST_TMPDIR" watch.XXXXXX)
	ip -n "$1" -4 -o monitor addr route >"$WATCH_LOG" 2>&1 3>&- &
}

address() { # CONTAINER
	ip -n "$1" -j -4 addr show eth0 | jq -r '.[0].addr_info[].local'
}

attach() { # CONTAINER [VARIABLE=VALUE...]
	[ -e "/run/netns/$1" ] || ip netns add "$1"
	try ADD "$(jq -r .type <<<"$CONF")" "$@"
	ok
}

detach() {
	try DEL "$(jq -r .type <<<"$CONF")" "$@"
	ok
}

# The daemon that listens; its children have the same name for some milliseconds.
daemon_pid() {
	ss -lxpH src "$SOCKET" | sed -n 's/.*pid=\([0-9]*\).*/\1/p'
}

# start_daemon [OPTION...]: by hand, its log is $DAEMON_LOG.
start_daemon() {
	DAEMON_LOG=$(mktemp -p "$BATS_TEST_TMPDIR" daemon.XXXXXX)
	"$CNI_BIN/dhcp" daemon "$@" >"$DAEMON_LOG" 2>&1 3>&- &
	DAEMON_PID=$!
	until "$DHCP_PEER" say "$SOCKET" </dev/null >/dev/null 2>&1; do
		kill -0 "$DAEMON_PID" || return 1
	done
}

kill_daemon() { # SIGNAL
	local pid
	pid=$(daemon_pid)
	[ -z "$pid" ] || {
		kill "-$1" "$pid"
		timeout 20 tail --pid="$pid" -s 0.01 -f /dev/null
	}
}

dhcp_clean_up() {
	kill_daemon KILL
	ip netns list | awk '{print $1}' | xargs -r -n 1 ip netns pids | xargs -r kill -9
	clean_up
	ip link del m0 2>/dev/null || :
	rm -rf /run/cni
}
