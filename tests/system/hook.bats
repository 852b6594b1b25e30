#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2016 # tests are subshells; jq has $names
#
# hawser hook, given the state that a runtime would give it: what it does, what it
# takes back, what it refuses. With real runtimes: tests/clients/oci_hook.bats.

bats_require_minimum_version 1.5.0

load ../lib/system

conf=/etc/cni/net.d
PEER=${PEER:-$(dirname "$CNI_BIN")/tests/peer}

setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	tmp=$BATS_TEST_TMPDIR
	mkdir -p "$tmp/plugins" "$tmp/bundle"
	echo '{}' >"$tmp/bundle/config.json"
	export CNI_PATH="$tmp/plugins:$CNI_BIN"
	unset CNI_ARGS CAP_ARGS NETCONFPATH
	network lan 10.7.0
	network wan 10.8.0
	ip netns add blue
	ip -n blue link set lo up
	ip netns exec blue sleep 1000 3>&- &
	pid=$!
	until [ /proc/$pid/ns/net -ef /run/netns/blue ]; do :; done
}

teardown() {
	kill -KILL "$pid" ${server:+"$server"} 2>/dev/null || :
	clean_up
}

# --- helpers -----------------------------------------------------------------

# network NAME SUBNET-OF-24-BITS: a bridge that publishes ports, too.
network() {
	jq -n --arg name "$1" --arg subnet "$2.0/24" '{cniVersion: "1.1.0", $name, plugins: [
		{type: "bridge", bridge: "br-\($name)", isGateway: true, ipMasq: true,
			ipam: {type: "host-local", ranges: [[{$subnet}]]}},
		{type: "portmap", capabilities: {portMappings: true}}]}' >"$conf/$1.conflist"
}

# chain NAME PLUGIN: the network NAME, and behind it a script (see script).
chain() {
	jq --arg type "$2" '.plugins += [{$type, capabilities: {portMappings: true}}]' \
		"$conf/$1.conflist" >"$tmp/new"
	mv "$tmp/new" "$conf/$1.conflist"
}

# script NAME BODY: a plugin that notes what it got, does BODY on ADD, and passes.
script() {
	cat >"$tmp/plugins/$1" <<EOF
#!/bin/sh
input=\$(cat)
printf '%s' "\$input" >$tmp/\$CNI_COMMAND.\$CNI_IFNAME
env | grep ^CNI_ >$tmp/\$CNI_COMMAND.\$CNI_IFNAME.env
[ "\$CNI_COMMAND" = ADD ] || exit 0
$2
printf '%s' "\$input" | jq .prevResult
EOF
	chmod +x "$tmp/plugins/$1"
}

container_state() { # STATUS [JQ-FILTER]
	jq -n --arg status "$1" --arg bundle "$tmp/bundle" --argjson pid "$pid" \
		'{ociVersion: "1.0.2", id: "c1", $status, $pid, $bundle, annotations: {}} |
		if $status == "stopped" then .pid = 0 else . end |'"${2:-.}"
}

# hook STATUS JQ-FILTER [ARGUMENT...]: as a runtime calls it, without an environment.
hook() {
	local state
	state=$(container_state "$1" "$2")
	shift 2
	run --separate-stderr env -i CNI_PATH="$CNI_PATH" \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$CNI_BIN/hawser" hook "$@" <<<"$state"
	[ -z "$output" ]
}

# succeeds, fails WORDS...: what the last one did, and said on stderr.
succeeds() {
	[ "$status$stderr" = 0 ] || {
		echo "status $status: $stderr" >&2
		return 1
	}
}

fails() {
	local word
	[ "$status" = 1 ]
	for word in 'hawser: hook: ' "$@"; do
		[[ $stderr = *"$word"* ]] || {
			echo "\"$word\" is not in: $stderr" >&2
			return 1
		}
	done
}

address() { # INTERFACE
	ip -n blue -4 -j addr show "$1" | jq -r '.[0].addr_info[0].local'
}

# The state after everything that stays with the host was made once: bridges, tables.
warm() {
	hook created '.id = "c0"' --net lan --net wan --publish 9:9
	hook stopped '.id = "c0"'
	state
}

# --- the two stages ------------------------------------------------------------

@test "attaches a container that is created, detaches one that has stopped" {
	local before
	before=$(warm)
	hook created . --net lan
	succeeds
	[ "$(address eth0)" = 10.7.0.3 ]
	ip netns exec blue ping -qc1 -W2 10.7.0.1 >"$tmp/ping"
	hook stopped . --net lan
	succeeds
	same_state "$before"
}

@test "creating, which runc says, is the same; so are words to come" {
	hook creating '.extra = {a: 1}' --net lan
	succeeds
	[ "$(address eth0)" = 10.7.0.2 ]
}

@test "annotations say the networks, in the place of options" {
	hook created '.annotations["hawser.networks"] = "wan,lan"' --net lan
	succeeds
	[ "$(address eth0)" = 10.8.0.2 ]
	[ "$(address eth1)" = 10.7.0.2 ]
	hook stopped '.annotations["hawser.networks"] = "wan,lan"' --net lan
	succeeds
	lacks eth ip -n blue -o link
	hook created '.annotations["hawser.networks"] = ""' --net lan
	succeeds
	lacks eth ip -n blue -o link
}

@test "a container that has gone with its namespace and its network's file is detached" {
	local before
	before=$(warm)
	hook created . --net lan --net wan
	succeeds
	kill -KILL "$pid"
	wait "$pid" || :
	ip netns del blue
	rm "$conf"/*
	hook stopped 'del(.pid)'
	succeeds
	ip netns add blue
	ip -n blue link set lo up
	same_state "$before"
	hook stopped .
	succeeds
}

@test "DEL does not go to the namespace of a process, which may be another by now" {
	script note :
	chain lan note
	hook created . --net lan
	succeeds
	grep -qx "CNI_NETNS=/proc/$pid/ns/net" "$tmp/ADD.eth0.env"
	hook stopped . --net lan
	succeeds
	grep -qx CNI_NETNS= "$tmp/DEL.eth0.env"
}

@test "a namespace with a path of its own is called by that, to the end" {
	script note :
	chain lan note
	echo '{"linux": {"namespaces": [{"type": "pid"},
		{"type": "network", "path": "/run/netns/blue"}]}}' >"$tmp/bundle/config.json"
	hook created . --net lan
	succeeds
	grep -qx CNI_NETNS=/run/netns/blue "$tmp/ADD.eth0.env"
	hook stopped . --net lan
	succeeds
	grep -qx CNI_NETNS=/run/netns/blue "$tmp/DEL.eth0.env"

	sed -i 's/blue/other/' "$tmp/bundle/config.json"
	ip netns add other
	hook created . --net lan
	succeeds
	grep -qx "CNI_NETNS=/proc/$pid/ns/net" "$tmp/ADD.eth0.env"
}

@test "plugins get the container's name: its hostname, or the annotation" {
	script note :
	chain lan note
	echo '{"hostname": "web"}' >"$tmp/bundle/config.json"
	hook created . --net lan
	succeeds
	grep -qx 'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web' "$tmp/ADD.eth0.env"
	hook stopped . --net lan
	hook created '.annotations["hawser.name"] = "shop"' --net lan
	succeeds
	grep -qx 'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=shop' "$tmp/ADD.eth0.env"
	hook stopped . --net lan
	rm "$tmp/bundle/config.json"
	hook created . --net lan
	succeeds
	grep -qx CNI_ARGS= "$tmp/ADD.eth0.env"
}

# --- ports -----------------------------------------------------------------------

@test "a published port leads to the container" {
	ip netns exec blue "$PEER" serve tcp 80 blue >"$tmp/serve" 2>&1 3>&- &
	server=$!
	until ip netns exec blue ss -Hltn | grep -q :80; do :; done
	hook created . --net lan --publish 8080:80
	succeeds
	[[ $("$PEER" ask tcp 10.7.0.1 8080) = blue* ]]
	hook stopped . --net lan --publish 8080:80
	succeeds
	no "$PEER" ask tcp 10.7.0.1 8080
}

@test "annotations say the ports, in the place of options; the first network gets them" {
	script note :
	chain lan note
	chain wan note
	hook created '.annotations["hawser.ports"] = "8000-8001:80-81,127.0.0.1:53:53/udp"' \
		--net lan --net wan --publish 9:9
	succeeds
	[ "$(jq -c '.runtimeConfig.portMappings | map([.hostPort, .containerPort, .protocol, .hostIP])' \
		"$tmp/ADD.eth0")" = '[[8000,80,"tcp",null],[8001,81,"tcp",null],[53,53,"udp","127.0.0.1"]]' ]
	[ "$(jq .runtimeConfig "$tmp/ADD.eth1")" = null ]
	hook stopped . --net lan --net wan --publish 9:9
	succeeds
	[ "$(jq '.runtimeConfig.portMappings | length' "$tmp/DEL.eth0")" = 3 ]
}

@test "ports that no network would publish are refused" {
	local before
	before=$(warm)
	jq '.plugins |= .[:1]' "$conf/lan.conflist" >"$tmp/new"
	mv "$tmp/new" "$conf/lan.conflist"
	hook created . --net lan --publish 8080:80
	fails 'ports to publish' portMappings
	same_state "$before"
}

# --- failure ---------------------------------------------------------------------

@test "what cannot be attached to all is attached to none" {
	local before
	before=$(warm)
	script broken "echo '{\"code\": 7, \"msg\": \"no way\"}'; exit 1"
	chain wan broken
	hook created . --net lan --net wan --publish 8080:80
	fails 'network "wan"' 'no way'
	same_state "$before"
	hook stopped . --net lan --net wan --publish 8080:80
	succeeds
	same_state "$before"
}

@test "what a killed hook has begun is taken back when the container stops" {
	local before
	before=$(warm)
	script deadly 'kill -KILL $PPID; exit 1'
	chain wan deadly
	hook created . --net lan --net wan
	[ "$status" = 137 ]
	[ "$(address eth1)" = 10.8.0.3 ]
	script deadly :
	hook stopped . --net lan --net wan
	succeeds
	same_state "$before"
}

@test "a signal to the session does not end it half-way" {
	script rude 'kill -INT $PPID; kill -TERM $PPID; kill -HUP $PPID'
	chain lan rude
	hook created . --net lan
	succeeds
	[ "$(address eth0)" = 10.7.0.2 ]
}

@test "detaching goes on after an error, and reports it" {
	hook created . --net lan --net wan
	succeeds
	jq -c '.plugins[0].ipam.type = "missing"' "$conf/wan.conflist" >"$tmp/new"
	local file=/var/lib/cni/results/wan-c1-eth1
	jq --arg config "$(base64 -w0 <"$tmp/new")" '.config = $config' "$file" >"$tmp/cached"
	cat "$tmp/cached" >"$file"
	hook stopped . --net lan --net wan
	fails 'network "wan"' missing
	[ ! -e /var/lib/cni/results/lan-c1-eth0 ]
	[ -e "$file" ]
}

@test "what is wrong is named, and nothing done" {
	local before
	before=$(warm)
	hook created . ; fails 'no network' hawser.networks
	hook created . --net nowhere; fails 'no network "nowhere"'
	hook created . --net lan --net nowhere; fails 'no network "nowhere"'
	hook created . --net lan --publish 80; fails '"80"'
	hook created '.annotations["hawser.ports"] = "1:1,x"' --net lan; fails '"x"'
	hook created '.annotations["hawser.ports"] = 5' --net lan; fails annotations hawser.ports
	hook created 'del(.id)' --net lan; fails '"id"'
	hook created '.id = "a/b"' --net lan; fails 'a/b'
	hook created 'del(.status)' --net lan; fails '"status"'
	hook created 'del(.pid)' --net lan; fails '"c1"' '"pid"'
	hook created '.pid = "x"' --net lan; fails '"pid"'
	hook created '.pid = 2147483647' --net lan; fails /proc/2147483647/ns/net
	hook created '.pid = -1' --net lan; fails '"pid"'
	hook running . --net lan; fails '"running"' createRuntime poststop
	hook created '.annotations["hawser.name"] = "a;b"' --net lan; fails 'a;b'
	echo '{"hostname": 5}' >"$tmp/bundle/config.json"
	hook created . --net lan; fails bundle/config.json hostname
	same_state "$before"
}

@test "a state that is no JSON, or none, is refused" {
	local text
	for text in '' '{' '[]' '{"id": "c1", "status": "created"' '{} {}'; do
		run --separate-stderr "$CNI_BIN/hawser" hook --net lan <<<"$text"
		fails "container's state on stdin"
	done
}

@test "a container without a network namespace is refused" {
	local before
	before=$(warm)
	hook created ".pid = $$" --net lan
	fails '"c1"' 'no network namespace of its own'
	same_state "$before"
}

@test "an interface that the container has already is left as it is" {
	hook created . --net lan
	hook created . --net wan
	fails 'already has "eth0"'
	[ "$(address eth0)" = 10.7.0.2 ]
}
