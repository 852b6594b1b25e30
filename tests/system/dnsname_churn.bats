#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=slow
#
# dnsname while containers come and go: who asks gets an answer, and the right one.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0","isGateway":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'
DNS='{"cniVersion":"1.0.0","name":"n1","type":"dnsname","domainName":"dns.podman"}'
DIR=/run/containers/cni/dnsname
CONTAINERS=200
AT_ONCE=4

setup() {
	unset XDG_RUNTIME_DIR
	conf .
	sysctl -qw net.ipv6.conf.default.accept_dad=0
}

teardown() {
	pkill -f "$DIR/" || :
	clean_up
	rm -rf "$DIR"
}

# join CONTAINER: ADD of bridge and dnsname; its address is printed.
join() {
	local result
	ip netns add "$1"
	result=$(cni ADD bridge "$1" <<<"$CONF") || return 1
	jq -c --argjson prev "$result" '.prevResult = $prev' <<<"$DNS" >"$BATS_TEST_TMPDIR/$1"
	cni ADD dnsname "$1" <"$BATS_TEST_TMPDIR/$1" >/dev/null || return 1
	jq -r '.ips[0].address | split("/")[0]' <<<"$result"
}

leave() { # CONTAINER
	cni DEL dnsname "$1" <"$BATS_TEST_TMPDIR/$1" && cni DEL bridge "$1" <<<"$CONF" &&
		ip netns del "$1"
}

ask() { # NAME
	ip netns exec client dig +short +tries=1 +time=5 @10.1.0.1 "$1.dns.podman" A
}

# A worker's share of the containers: each is known once its ADD has returned, and not
# any more once its DEL has.
worker() { # NUMBER
	local i name address
	for ((i = $1; i < CONTAINERS; i += AT_ONCE)); do
		name=c$i
		address=$(join "$name") || echo "ADD of $name failed"
		[ "$(ask "$name")" = "$address" ] || echo "$name is not $address: $(ask "$name")"
		leave "$name" || echo "DEL of $name failed"
		[ -z "$(ask "$name")" ] || echo "$name is still known: $(ask "$name")"
	done
}

@test "$CONTAINERS containers join and leave while one asks without pause: no answer is wrong or lost" {
	local web i pids='' asker
	join client
	web=$(join web)
	yes 'web.dns.podman A' | ip netns exec client dig +short +tries=1 +time=10 @10.1.0.1 -f - \
		>"$BATS_TEST_TMPDIR/asked" 2>&1 3>&- &
	asker=$!
	for ((i = 0; i < AT_ONCE; i++)); do
		worker "$i" >"$BATS_TEST_TMPDIR/worker.$i" 2>&1 3>&- &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids
	kill -0 "$asker"
	pkill -x dig
	wait "$asker" || :
	sort "$BATS_TEST_TMPDIR/asked" | uniq -c >&3
	cat "$BATS_TEST_TMPDIR"/worker.* >&2
	[ -z "$(cat "$BATS_TEST_TMPDIR"/worker.*)" ]
	[ "$(sort -u "$BATS_TEST_TMPDIR/asked")" = "$web" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/asked")" -gt "$CONTAINERS" ]
	[ "$(grep -c . $DIR/n1/addnhosts)" = 4 ]
	leave client
	leave web
	for ((i = 0; i < 500; i++)); do
		[ -n "$(ls $DIR)" ] || break
		sleep 0.01
	done
	[ -z "$(ls $DIR)" ]
	no pgrep -f "$DIR/"
}
