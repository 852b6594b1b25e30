#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dnsname, behind bridge: containers find each other by name.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0","isGateway":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]],
  "routes":[{"dst":"0.0.0.0/0"}]}}'
DNS='{"type":"dnsname","domainName":"dns.podman","capabilities":{"aliases":true}}'
DIR=/run/containers/cni/dnsname

PATH=$CNI_BIN:$PATH:/usr/sbin

setup() {
	unset XDG_RUNTIME_DIR
	conf .
	UPSTREAMS=()
	sysctl -qw net.ipv6.conf.default.accept_dad=0
}

teardown() {
	kill_resolvers
	[ ${#UPSTREAMS[@]} = 0 ] || kill "${UPSTREAMS[@]}"
	umount /etc/resolv.conf 2>/dev/null || :
	clean_up
	iptables -F INPUT
	iptables -P INPUT ACCEPT
	rm -rf "$DIR" /run/systemd
}

# named CONTAINER NAME [ALIAS...]: a container with these names; $DNS_CONF is what its
# DEL is given.
named() {
	local container=$1 name=$2
	shift 2
	add "$container"
	dns ADD "$container" "$name" "$@"
	ok
	DNS_CONF=$(jq -c --argjson prev "$output" '.prevResult = $prev' <<<"$DNS_CONF")
}

# dns COMMAND CONTAINER NAME [ALIAS...]: of dnsname, with the result of the bridge that
# $output is; with EXTRA in its configuration.
dns() {
	local command=$1 container=$2 name=$3
	shift 3
	DNS_CONF=$(jq -c --argjson prev "$output" --argjson dns "$DNS" --args \
		'{cniVersion, name} + $dns + '"${EXTRA:-{\}}"' +
		 {prevResult: $prev, runtimeConfig: {aliases: {(.name): $ARGS.positional}}}' \
		"$@" <<<"$CONF")
	again "$command" "$container" "$name"
}

# again COMMAND CONTAINER NAME: a call with what dns() has made.
again() {
	run cni "$1" dnsname "$2" ${3:+CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=$3"} <<<"$DNS_CONF"
}

ask() { # CONTAINER NAME [TYPE] [SERVER] [OPTION...]
	local container=$1 name=$2 type=${3:-A} server=${4:-10.1.0.1}
	shift $(($# < 4 ? $# : 4))
	ip netns exec "$container" dig +short +tries=1 +time=5 "$@" "@$server" "$name" "$type" | sort
}

rcode() { # CONTAINER NAME
	ip netns exec "$1" dig +tries=1 +time=5 @10.1.0.1 "$2" | grep -o 'status: [A-Z]*'
}

finds() { # CONTAINER NAME ADDRESS...
	diff <(shift 2 && printf '%s\n' "$@" | sort) <(ask "$1" "$2")
}

resolvers() {
	pgrep -c -f "$DIR/" || :
}

# Kill them, and wait until they have gone.
kill_resolvers() { # [-SIGNAL]
	local pid
	for pid in $(pgrep -f "$DIR/"); do
		kill "${1:--TERM}" "$pid"
		timeout 10 tail --pid="$pid" -f /dev/null
	done
}

# No network is left. The directory goes when the resolver has gone.
all_ended() {
	local i
	for ((i = 0; i < 500; i++)); do
		[ -n "$(ls "$DIR" 2>/dev/null)" ] || break
		sleep 0.01
	done
	[ -z "$(ls "$DIR" 2>/dev/null)" ] && [ "$(resolvers)" = 0 ]
}

address() { # CONTAINER [-6]
	ip -n "$1" -j "${2:--4}" addr show eth0 scope global | jq -r '.[0].addr_info[0].local'
}

@test "containers find each other by name and alias, in both families" {
	named c1 web www w-3
	json '.dns.nameservers == ["10.1.0.1", "fd00:1::1"] and .dns.search == ["dns.podman"]'
	named c2 db
	local a name
	a=$(address c1)
	for name in web www w-3 web.dns.podman WEB.dns.podman; do
		finds c2 "$name" "$a"
		[ "$(ask c2 "$name" A 10.1.0.1 +tcp)" = "$a" ]
		[ "$(ask c2 "$name" AAAA fd00:1::1)" = "$(address c1 -6)" ]
		[ "$(ask c2 "$name" AAAA fd00:1::1 +tcp)" = "$(address c1 -6)" ]
	done
	finds c1 db.dns.podman "$(address c2)"
	[ "$(ip netns exec c2 dig +short @10.1.0.1 -x "$a")" = web.dns.podman. ]
	[ "$(ip netns exec c2 dig +short @fd00:1::1 -x "$(address c1 -6)")" = web.dns.podman. ]
	[ "$(rcode c1 nobody.dns.podman)" = "status: NXDOMAIN" ]
}

@test "a name of several containers has the addresses of all" {
	named c1 one all
	named c2 two all
	finds c1 all.dns.podman "$(address c1)" "$(address c2)"
}

@test "DEL takes the name away before it returns, and the last ends the resolver" {
	local before first
	before=$(state)
	named c1 web
	first=$DNS_CONF
	named c2 db
	[ "$(resolvers)" = 1 ]
	DNS_CONF=$first again DEL c1 web
	ok
	[ -z "$output" ]
	[ "$(rcode c2 web.dns.podman)" = "status: NXDOMAIN" ]
	finds c2 db.dns.podman "$(address c2)"
	again DEL c2 db
	ok
	all_ended
	for c in c1 c2; do
		try DEL bridge "$c"
		ok
	done
	ip link del br0
	ip netns del c1
	ip netns del c2
	same_state "$before"
}

@test "DEL without prevResult, without the namespace, and twice" {
	named c1 web
	ip netns del c1
	DNS_CONF=$(jq -c 'del(.prevResult, .runtimeConfig)' <<<"$DNS_CONF")
	for _ in 1 2; do
		run cni DEL dnsname c1 CNI_NETNS= <<<"$DNS_CONF"
		ok
		all_ended
	done
}

@test "names: K8S_POD_NAME, aliases as an object or a list, else the container's ID" {
	named c1 ''
	finds c1 c1.dns.podman "$(address c1)"
	add c2
	dns ADD c2 ''
	DNS_CONF=$(jq -c '.runtimeConfig.aliases = ["x", "y"]' <<<"$DNS_CONF") again ADD c2 ''
	ok
	finds c1 y.dns.podman "$(address c2)"
	[ "$(rcode c1 c2.dns.podman)" = "status: NXDOMAIN" ]
	local id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	add $id
	dns ADD $id ''
	ok
	finds c1 0123456789ab.dns.podman "$(address $id)"
}

@test "other names are asked of the host's nameservers, or of remoteServers" {
	upstream 127.0.0.1
	host_nameserver 127.0.0.1
	named c1 web
	finds c1 www.example.com 192.0.2.80
	[ "$(ask c1 www.example.com A 10.1.0.1 +tcp)" = 192.0.2.80 ]
	lacks dns.podman cat "$BATS_TEST_TMPDIR/upstream.log"
	upstream 127.0.0.2 192.0.2.81
	EXTRA='{"remoteServers":["127.0.0.2"]}' named c2 db
	finds c1 www.example.com 192.0.2.81
	finds c1 web "$(address c1)"
}

# upstream ADDRESS [ANSWER]: a nameserver on the host, and what it was asked.
upstream() {
	dnsmasq --keep-in-foreground --no-resolv --no-hosts --no-daemon --bind-interfaces \
		--listen-address="$1" --address="/example.com/${2:-192.0.2.80}" --log-queries \
		--conf-file=/dev/null --pid-file --user=root --group= \
		--log-facility="$BATS_TEST_TMPDIR/upstream.log" 3>&- &
	UPSTREAMS+=("$!")
	until dig +short +tries=1 +time=1 "@$1" www.example.com | grep -q 192; do :; done
}

host_nameserver() { # ADDRESS
	echo "nameserver $1" >"$BATS_TEST_TMPDIR/resolv.conf"
	mount --bind "$BATS_TEST_TMPDIR/resolv.conf" /etc/resolv.conf
}

@test "an internal network asks nobody else" {
	upstream 127.0.0.1
	host_nameserver 127.0.0.1
	: >"$BATS_TEST_TMPDIR/upstream.log"
	conf 'del(.ipam.routes)'
	named c1 web
	named c2 db
	finds c2 web.dns.podman "$(address c1)"
	[ "$(rcode c2 www.example.com)" = "status: REFUSED" ]
	[ "$(rcode c2 single)" = "status: REFUSED" ]
	[ "$(rcode c2 99.0.1.10.in-addr.arpa)" = "status: REFUSED" ]
	lacks query cat "$BATS_TEST_TMPDIR/upstream.log"
}

@test "\"internal\" says so whatever the routes are" {
	EXTRA='{"internal":true}' named c1 web
	[ "$(rcode c1 www.example.com)" = "status: REFUSED" ]
	grep -qx no-resolv $DIR/n1/dnsmasq.conf
}

@test "a killed resolver is missed by CHECK, and the next ADD or DEL starts it" {
	local first
	named c1 web
	first=$DNS_CONF
	again CHECK c1 web
	ok
	kill_resolvers -9
	again CHECK c1 web
	refused 101 "dnsmasq instance not running"
	named c2 db
	finds c2 web "$(address c1)"
	DNS_CONF=$first again CHECK c1 web
	ok
	kill_resolvers -9
	again DEL c2 db
	finds c1 web "$(address c1)"
}

@test "ADD and DEL return when the resolver has read the names, and replace one that hangs" {
	local first resolver call
	named c1 web
	first=$DNS_CONF
	resolver=$(cat $DIR/n1/pidfile)
	add c2
	dns STATUS c2 db
	kill -STOP "$resolver"
	again ADD c2 db 3>&- &
	call=$!
	no timeout 1 tail --pid=$call -f /dev/null
	kill -CONT "$resolver"
	wait $call
	finds c1 db "$(address c2)"
	[ "$(cat $DIR/n1/pidfile)" = "$resolver" ]
	kill -STOP "$resolver"
	DNS_CONF=$first again DEL c1 web
	[ "$(cat $DIR/n1/pidfile)" != "$resolver" ]
	[ "$(rcode c2 web.dns.podman)" = "status: NXDOMAIN" ]
	finds c2 db "$(address c2)"
}

@test "CHECK names what is missing" {
	named c1 web
	sed -i '/10.1.0.2/d' $DIR/n1/addnhosts
	again CHECK c1 web
	refused 101 "10.1.0.2" addnhosts
	again ADD c1 web
	ok
	again CHECK c1 web
	ok
	# the resolver does not know what the file has
	sed -i 's/web/other/' $DIR/n1/addnhosts
	again CHECK c1 web
	refused 101 other.dns.podman "does not know"
	DNS_CONF=$(jq -c '.prevResult.dns.nameservers = ["9.9.9.9"]' <<<"$DNS_CONF") again CHECK c1 web
	refused 101 "nameserver 10.1.0.1"
}

@test "a process number that is another's by now is not touched" {
	named c1 web
	kill_resolvers -9
	sleep 600 3>&- &
	local other=$!
	echo $other >$DIR/n1/pidfile
	named c2 db
	finds c2 web "$(address c1)"
	echo $other >$DIR/n1/pidfile
	kill_resolvers
	again DEL c2 db
	again DEL c1 web
	kill -0 $other
	kill $other
}

@test "a firewall that drops is opened for questions, and closed by the last DEL" {
	local before
	iptables -P INPUT DROP
	before=$(iptables-save -t filter | grep -v '^#' | sed 's/\[.*//')
	named c1 web
	finds c1 web "$(address c1)"
	[ "$(ask c1 web A 10.1.0.1 +tcp)" = "$(address c1)" ]
	again CHECK c1 web
	ok
	iptables -F INPUT
	again CHECK c1 web
	refused 101 "--dport 53"
	run hawser reload
	ok
	again CHECK c1 web
	ok
	again DEL c1 web
	diff <(echo "$before") <(iptables-save -t filter | grep -v '^#' | sed 's/\[.*//')
}

@test "a firewall that does not drop is left alone" {
	local before
	iptables -A INPUT -i lo -j ACCEPT
	before=$(iptables-save -t filter | grep -v '^#' | sed 's/\[.*//')
	named c1 web
	diff <(echo "$before") <(iptables-save -t filter | grep -v '^#' | sed 's/\[.*//')
	# and is not, once it drops
	iptables -A INPUT -j REJECT
	again CHECK c1 web
	refused 101 "--dport 53"
	again ADD c1 web
	ok
	finds c1 web "$(address c1)"
	again DEL c1 web
	lacks "dport 53" iptables-save
}

@test "hawser reload starts a resolver that was killed" {
	named c1 web
	kill_resolvers -9
	run hawser reload
	ok
	finds c1 web "$(address c1)"
}

@test "GC removes names of lost containers, and the resolver with the last" {
	named c1 web
	named c2 db
	local gc
	gc=$(jq -c 'del(.prevResult, .runtimeConfig) | .cniVersion = "1.1.0" |
		.["cni.dev/valid-attachments"] = [{containerID: "c2", ifname: "eth0"}]' <<<"$DNS_CONF")
	run cni GC dnsname c1 <<<"$gc"
	ok
	[ "$(rcode c2 web.dns.podman)" = "status: NXDOMAIN" ]
	finds c2 db "$(address c2)"
	run cni GC dnsname c1 <<<"$(jq -c '.["cni.dev/valid-attachments"] = []' <<<"$gc")"
	ok
	all_ended
}

@test "an address that was another's leaves no stale name" {
	named c1 web
	# c1 is lost without a DEL, and its address is given to c2
	try DEL bridge c1
	rm -rf /var/lib/cni/networks
	named c2 db
	[ "$(rcode c2 web.dns.podman)" = "status: NXDOMAIN" ]
	finds c2 db 10.1.0.2
}

@test "multiDomain: networks find each other's names" {
	EXTRA='{"multiDomain":true,"domainName":"one.test"}' named c1 web
	conf '.name = "n2" | .bridge = "br1" | .ipam.ranges = [[{subnet: "10.2.0.0/24"}]]'
	EXTRA='{"multiDomain":true,"domainName":"two.test"}' named c2 db
	finds c1 db.two.test "$(address c2)"
	[ "$(ask c2 web.one.test A 10.2.0.1)" = "$(address c1)" ]
	[ "$(ip netns exec c1 dig +short @10.1.0.1 -x "$(address c2)")" = db.two.test. ]
	[ "$(resolvers)" = 2 ]
	again DEL c2 db
	[ "$(ask c1 db.two.test)" != 10.2.0.2 ]
	lacks two.test cat $DIR/n1/localservers.conf
}

@test "XDG_RUNTIME_DIR has the files of who has one" {
	add c1
	dns STATUS c1 web
	run cni ADD dnsname c1 XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR" <<<"$DNS_CONF"
	ok
	[ -s "$BATS_TEST_TMPDIR/containers/cni/dnsname/n1/addnhosts" ] || return 1
	run cni DEL dnsname c1 XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR" <<<"$DNS_CONF"
	DIR=$BATS_TEST_TMPDIR/containers/cni/dnsname all_ended
}

@test "bad input is named, and leaves nothing" {
	add c1
	local bridged=$output
	refuses() { # JQ-FILTER CODE WORDS...
		output=$bridged
		DNS=$(jq -c "$1" <<<"$DNS") dns ADD c1 web
		refused "${@:2}" && all_ended
	}
	refuses '.domainName = "a b"' 7 domainName '"a b"'
	refuses '.domainName = "x/\nuser=root"' 7 domainName
	refuses 'del(.domainName)' 7 domainName
	refuses '.resolver = "bind"' 7 resolver bind
	refuses '.remoteServers = ["x"]' 7 remoteServers '"x"'
	refuses '.internal = 3' 6 internal
	output=$bridged
	dns ADD c1 web 'x y'
	refused 7 aliases '"x y"'
	output=$bridged
	dns ADD c1 $'web\n10.9.9.9'
	refused 7 K8S_POD_NAME
	output=$(jq -c 'del(.interfaces, .ips[].interface)' <<<"$bridged")
	dns ADD c1 web
	refused 7 bridge
	DNS_CONF=$(jq -c 'del(.prevResult)' <<<"$DNS_CONF") again ADD c1 web
	refused 7 "must be called as chained plugin"
	all_ended
}

@test "the gateway is beside the bridge, as in a VLAN of it: names are asked for there" {
	conf '.isGateway = false'
	ip link add br0 type bridge
	ip link set br0 up
	sysctl -qw net.ipv4.conf.br0.arp_ignore=1 # it is not in the VLAN
	ip link add br0.5 type veth peer name port5 # the reference's way to make one
	ip link set port5 master br0 up
	ip link set br0.5 up
	ip addr add 10.1.0.1/24 dev br0.5
	named c1 web
	json '.dns.nameservers == ["10.1.0.1"]'
	named c2 db
	finds c2 web.dns.podman "$(address c1)"
	again CHECK c2 db
	ok
	again DEL c2 db
	ok
	[ "$(rcode c1 db.dns.podman)" = "status: NXDOMAIN" ]
}

@test "a bridge without an address, and a host without a resolver, are named" {
	conf 'del(.isGateway)'
	add c1
	dns ADD c1 web
	refused 7 br0 isGateway
	conf .
	add c2
	EXTRA='{"resolver":"dnsmasq"}' dns STATUS c2 web
	mkdir -p "$BATS_TEST_TMPDIR/sbin"
	mount --bind "$BATS_TEST_TMPDIR/sbin" /usr/sbin
	DNS_CONF=$(jq -c '.cniVersion = "1.1.0"' <<<"$DNS_CONF")
	again STATUS c2 web
	local s=$status o=$output
	again ADD c2 web
	umount /usr/sbin
	refused 50 dnsmasq
	status=$s output=$o refused 50 dnsmasq
	again STATUS c2 web
	ok
}

@test "a resolver that cannot start is told, and nothing is left" {
	add c1
	ip netns exec c1 true
	dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --port=53 --listen-address=10.1.0.1 \
		--bind-interfaces --user=root --group= --pid-file="$BATS_TEST_TMPDIR/pid"
	dns ADD c1 web
	kill "$(cat "$BATS_TEST_TMPDIR/pid")"
	refused 5 "10.1.0.1" "in use"
	all_ended
}

@test "whichever system call fails, or is the last, no name is left, and ADD and DEL work after it" {
	needs_strace
	! grep -q __asan_init "$CNI_BIN/dnsname" || skip "a sanitizer makes system calls of its own"
	local call how n result
	add c2
	dns STATUS c2 db
	for how in error=EIO signal=KILL; do
		for call in openat write linkat renameat mkdir unlinkat pidfd_open inotify_init1 clone vfork sendto; do
			for n in $(seq 60); do
				result=0
				env CNI_COMMAND=ADD CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/c2 CNI_IFNAME=eth0 \
					CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=db' \
					strace -o "$BATS_TEST_TMPDIR/trace" -e "inject=$call:$how:when=$n" \
					"$CNI_BIN/dnsname" <<<"$DNS_CONF" >/dev/null 2>&1 3>&- || result=$?
				grep -q 'INJECTED\|killed by' "$BATS_TEST_TMPDIR/trace" || break
				if [ "$result" = 0 ]; then
					finds c2 db "$(address c2)"
				elif [ $how = error=EIO ]; then
					all_ended
				elif [ $((n % 2)) = 0 ]; then
					again ADD c2 db
					ok
					finds c2 db "$(address c2)"
				fi
				again DEL c2 db
				ok
				all_ended
			done
			[ "$n" -lt 60 ]
			again DEL c2 db
			all_ended
		done
	done
}

@test "whichever system call fails, or is the last, another container keeps its name" {
	needs_strace
	! grep -q __asan_init "$CNI_BIN/dnsname" || skip "a sanitizer makes system calls of its own"
	local how n verb web
	named c1 web
	web=$(address c1)
	add c2
	dns STATUS c2 db
	for how in error=EIO signal=KILL; do
		for verb in ADD/openat ADD/linkat ADD/renameat DEL/openat DEL/renameat; do
			for n in $(seq 60); do
				again ADD c2 db
				env CNI_COMMAND=${verb%/*} CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/c2 CNI_IFNAME=eth0 \
					CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=db' \
					strace -o "$BATS_TEST_TMPDIR/trace" -e "inject=${verb#*/}:$how:when=$n" \
					"$CNI_BIN/dnsname" <<<"$DNS_CONF" >/dev/null 2>&1 3>&- || :
				grep -q 'INJECTED\|killed by' "$BATS_TEST_TMPDIR/trace" || break
				grep -q "^$web	web	" $DIR/n1/addnhosts
				finds c2 web "$web"
			done
			[ "$n" -lt 60 ]
		done
	done
}

@test "only aardvark-dns is installed: it is used" {
	with_aardvark
	EXTRA=''
	add c1
	dns STATUS c1 web
	mkdir -p "$BATS_TEST_TMPDIR/sbin"
	mount --bind "$BATS_TEST_TMPDIR/sbin" /usr/sbin
	again ADD c1 web
	umount /usr/sbin
	ok
	[ -e $DIR/n1/aardvark-dns/n1 ]
	finds c1 web.dns.podman "$(address c1)"
}

@test "with systemd the resolver has a scope of its own" {
	mkdir -p /run/systemd/system "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "$@" >%s/scope\nshift 2\nexec "$@"\n' "$BATS_TEST_TMPDIR" \
		>"$BATS_TEST_TMPDIR/bin/systemd-run"
	chmod +x "$BATS_TEST_TMPDIR/bin/systemd-run"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH named c1 web
	grep -q -- '-q --scope .*dnsmasq' "$BATS_TEST_TMPDIR/scope"
	finds c1 web "$(address c1)"
}

# --- aardvark-dns ---------------------------------------------------------------

AARDVARK=$BATS_TEST_DIRNAME/../../build/unpacked/aardvark-dns/usr/lib/podman

with_aardvark() {
	[ -x "$AARDVARK/aardvark-dns" ] || skip "aardvark-dns is not unpacked"
	export CONTAINERS_HELPER_BINARY_DIR=$AARDVARK
	EXTRA='{"resolver":"aardvark-dns"}'
}

@test "aardvark-dns: containers find each other, and the last DEL ends it" {
	with_aardvark
	named c1 web www
	local first=$DNS_CONF
	named c2 db
	grep -q "^10.1.0.1,fd00:1::1$" $DIR/n1/aardvark-dns/n1
	finds c2 web.dns.podman "$(address c1)"
	finds c2 www "$(address c1)"
	[ "$(ask c2 web AAAA fd00:1::1)" = "$(address c1 -6)" ]
	again CHECK c2 db
	ok
	DNS_CONF=$first again DEL c1 web
	ok
	[ "$(rcode c2 web.dns.podman)" = "status: NXDOMAIN" ]
	kill_resolvers -9
	again CHECK c2 db
	refused 101 "aardvark-dns instance not running"
	again ADD c2 db
	ok
	again CHECK c2 db
	ok
	again DEL c2 db
	all_ended
}

@test "aardvark-dns: a domain of one's own, an internal network, remoteServers" {
	with_aardvark
	EXTRA='{"resolver":"aardvark-dns","domainName":"corp.test","internal":true}' named c1 web
	finds c1 web.corp.test "$(address c1)"
	[ -e $DIR/n1/aardvark-dns/n1%int ]
	upstream 127.0.0.1
	host_nameserver 127.0.0.1
	: >"$BATS_TEST_TMPDIR/upstream.log"
	ip netns exec c1 dig +tries=1 +time=1 @10.1.0.1 www.example.com || :
	lacks query cat "$BATS_TEST_TMPDIR/upstream.log"
	again DEL c1 web
	EXTRA='{"resolver":"aardvark-dns","remoteServers":["127.0.0.1"]}' named c2 db
	finds c2 www.example.com 192.0.2.80
	again DEL c2 db
	output=$(jq -c .prevResult <<<"$DNS_CONF")
	EXTRA='{"resolver":"aardvark-dns","multiDomain":true}' dns ADD c2 web
	refused 2 multiDomain
}

# --- beside the plugin of podman 4 ------------------------------------------------

PODMANS=$BATS_TEST_DIRNAME/../../build/unpacked/golang-github-containernetworking-plugin-dnsname/usr/lib/cni

# podmans COMMAND CONTAINER NAME: what again() does, by podman's plugin.
podmans() {
	[ -x "$PODMANS/dnsname" ] || skip "the dnsname plugin of podman 4 is not unpacked"
	CNI_PATH=$PODMANS again "$@"
	ok
}

@test "names that podman's dnsname has set up are taken over, and taken away" {
	local first
	grep -q 4294967295 /proc/self/uid_map || skip "podman's dnsname does not start dnsmasq in a user namespace"
	add c1
	dns STATUS c1 web
	podmans ADD c1 web
	first=$DNS_CONF
	named c2 db
	[ "$(resolvers)" = 1 ]
	finds c2 web "$(address c1)"
	DNS_CONF=$first again DEL c1 web
	ok
	[ "$(rcode c2 web.dns.podman)" = "status: NXDOMAIN" ]
	again DEL c2 db
	all_ended
}

@test "names of ours are taken away by podman's dnsname" {
	local first resolver
	named c1 web
	first=$DNS_CONF
	named c2 db
	podmans DEL c2 db
	[ "$(rcode c1 db.dns.podman)" = "status: NXDOMAIN" ]
	finds c1 web "$(address c1)"
	resolver=$(cat $DIR/n1/pidfile)
	DNS_CONF=$first podmans DEL c1 web
	timeout 10 tail --pid="$resolver" -f /dev/null
	all_ended
}
