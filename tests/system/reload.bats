#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hawser reload: what a flush of the ruleset takes away comes back.

load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","bridge":"br0",
 "isDefaultGateway":true,"ipMasq":true,"ipspoofchk":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'

PATH=$CNI_BIN:$PATH

setup() {
	conf .
}

teardown() {
	clean_up
}

# chained PLUGIN CONTAINER JQ-FILTER: ADD behind what add() has printed.
chained() {
	CHAINED=$(jq -c --argjson prev "$output" --arg type "$1" \
		"{cniVersion, name, type: \$type, prevResult: \$prev} | $3" <<<"$CONF")
	run cni ADD "$1" "$2" <<<"$CHAINED"
	ok
}

# three containers, with everything that ours put into nftables
three_containers() {
	local i
	for i in 1 2 3; do
		add "c$i"
		chained portmap "c$i" '.runtimeConfig.portMappings = [
			{hostPort: 808'"$i"', containerPort: 80},
			{hostPort: 808'"$i"', containerPort: 80, hostIP: "10.1.0.1", protocol: "udp"}]'
		PORTMAP=$CHAINED
		chained firewall "c$i" '.ingressPolicy = "isolated"'
	done
}

ruleset() { # as a list whose order does not matter
	nft -j list ruleset | jq -c '[.nftables[] | select(.metainfo | not) | del(.. | .handle?) |
		(.map.elem? // empty) |= sort_by(tostring) | (.set.elem? // empty) |= sort_by(tostring) |
		if .counter then .counter |= del(.packets, .bytes) else . end] |
		(map(select(.rule | not)) | sort_by(tostring)), map(select(.rule)) |
		group_by(.rule.chain?)'
}

@test "after a flush everything is as it was" {
	local before
	three_containers
	before=$(ruleset)
	nft flush ruleset
	run hawser reload
	ok
	[ "$output" = '3 attachments, 57 elements put back' ]
	diff <(echo "$before") <(ruleset)
	run cni CHECK portmap c3 <<<"$PORTMAP"
	ok
	run cni CHECK firewall c3 <<<"$CHAINED"
	ok
}

@test "where nothing is missing nothing changes" {
	local before
	three_containers
	before=$(ruleset)
	run hawser reload
	ok
	[ "$output" = '3 attachments, 0 elements put back' ]
	diff <(echo "$before") <(ruleset)
}

@test "lost rules and single elements come back" {
	local before
	three_containers
	before=$(ruleset)
	nft flush table inet hawser
	nft delete element inet hawser masquerade4 '{ 10.1.0.3 }'
	nft flush map inet hawser hostports4-any
	run hawser reload
	ok
	[ "$output" = '3 attachments, 4 elements put back' ]
	diff <(echo "$before") <(ruleset)
}

@test "it is one transaction" {
	local changes=$BATS_TEST_TMPDIR/changes
	three_containers
	nft flush ruleset
	nft monitor >"$changes" 3>&- &
	until nft add table ip probe && grep -q probe "$changes"; do
		nft delete table ip probe
		sleep 0.01
	done
	hawser reload
	nft delete table ip probe
	until grep -q 'delete table ip probe' "$changes"; do sleep 0.01; done
	kill %1
	[ "$(grep -c '^# new generation' "$changes")" -ge 3 ]
	# all of ours between two of the markers
	[ "$(awk '/^# new generation/ { g++ } /(inet|bridge) hawser/ { seen[g] = 1 }
		END { n = 0; for (i in seen) n++; print n }' "$changes")" = 1 ]
}

@test "what has gone does not come back" {
	three_containers
	for plugin in firewall portmap bridge; do
		run cni DEL "$plugin" c1 <<<"$CONF"
		ok
	done
	ip netns del c2 # without DEL
	nft flush ruleset
	run hawser reload
	ok
	[ "$output" = '1 attachments, 19 elements put back' ]
	lacks 'id: c1' nft list ruleset
	lacks 'id: c2' nft list ruleset
	nft list ruleset | grep -F 'id: c3'
	# GC forgets what was written down, and DEL does
	CONF=$(jq -c '.cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = []' <<<"$CONF")
	for plugin in firewall portmap bridge; do
		run cni GC "$plugin" '' <<<"$CONF"
		ok
	done
	[ -z "$(ls /run/hawser)" ]
}

@test "a record that is none, or another's element, does no harm" {
	three_containers
	nft flush ruleset
	echo '{' >/run/hawser/0123456789abcdef-0123456789abcdef.hostports
	echo 'x' >/run/hawser/readme
	echo '{"owner":"x","elements":[{"set":"nosuch","key":"00"}]}' \
		>/run/hawser/0123456789abcdef-0123456789abcde0.hostports
	ln -s /etc/passwd /run/hawser/0123456789abcdef-0123456789abcde1.hostports
	run hawser reload
	ok
	[ "$output" = '3 attachments, 57 elements put back' ]
}

@test "without any attachment there is nothing to do" {
	run hawser reload
	ok
	[ "$output" = '0 attachments, 0 elements put back' ]
	[ -z "$(nft list ruleset)" ]
}

@test "thousands of elements are one transaction as well" {
	add c1
	chained portmap c1 '.runtimeConfig.portMappings = [range(10000; 19000) | {hostPort: ., containerPort: .}]'
	nft flush ruleset
	run hawser reload
	ok
	[ "$output" = '1 attachments, 18013 elements put back' ]
	run cni CHECK portmap c1 <<<"$CHAINED"
	ok
}

@test "the example unit is a unit" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	sed "s|/usr/local/bin/hawser|$(readlink -f "$CNI_BIN")/hawser|" \
		"$BATS_TEST_DIRNAME/../../conf-examples/hawser-reload.service" \
		>"$BATS_TEST_TMPDIR/hawser-reload.service"
	run systemd-analyze verify "$BATS_TEST_TMPDIR/hawser-reload.service"
	ok
	[ -z "$output" ] || { echo "$output"; return 1; }
}

@test "what is in iptables comes back as well" {
	local before
	command -v iptables-save >/dev/null || skip "no iptables"
	conf '.ipMasqBackend = "iptables"'
	add c1
	chained portmap c1 '.backend = "iptables" | .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 80}]'
	chained firewall c1 '.backend = "iptables" | .ingressPolicy = "same-bridge"'
	before=$(iptables-save | grep -E '^[-:]' | sed 's/\[.*\]//' | sort; ip6tables-save | grep -E '^[-:]' | sed 's/\[.*\]//' | sort)
	nft flush ruleset
	[ -z "$(iptables-save)" ]
	run hawser reload
	ok
	[ "${lines[1]}" = '3 calls with iptables or firewalld made again' ]
	diff <(echo "$before") <(iptables-save | grep -E '^[-:]' | sed 's/\[.*\]//' | sort; ip6tables-save | grep -E '^[-:]' | sed 's/\[.*\]//' | sort)
	run hawser reload
	ok
	diff <(echo "$before") <(iptables-save | grep -E '^[-:]' | sed 's/\[.*\]//' | sort; ip6tables-save | grep -E '^[-:]' | sed 's/\[.*\]//' | sort)
	for plugin in firewall portmap bridge; do
		run cni DEL "$plugin" c1 <<<"$CONF"
		ok
	done
	[ -z "$(ls /run/hawser)" ]
}
