#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2016,SC2046 # tests are subshells; jq has $names
#
# The command line and the mini runtime from outside: lists, cache, undo,
# namespaces, containers, and whatever can interrupt them.
#
#	tests/lib/sandbox.sh bats tests/system/runtime.bats
#
# CNI_BIN (build/bin) holds hawser, CNI_PATH (the same) the plugins. Plugins
# that are only to be watched are shell scripts made here.

bats_require_minimum_version 1.5.0

conf=/etc/cni/net.d
results=/var/lib/cni/results
networks=/var/lib/cni/networks

setup_file() {
	local bin=${CNI_BIN:-build/bin}

	bin=$(cd "$bin" && pwd)
	export PATH="$bin:$PATH" REAL_PLUGINS="${CNI_PATH:-$bin}"
}

# The names below /sys/class/net; bonding puts a file there that is no link.
LINKS='(cd /sys/class/net && echo */)'

setup() {
	tmp=$BATS_TEST_TMPDIR
	log=$tmp/log
	mkdir "$tmp/plugins" "$tmp/calls"
	: >"$log"
	export CNI_PATH="$tmp/plugins:$REAL_PLUGINS"
	unset CNI_ARGS CAP_ARGS CNI_IFNAME NETCONFPATH
	hawser netns add blue
	mount_points >"$tmp/mounts"
	hostname >"$tmp/hostname"
}

teardown() {
	local pid

	for pid in $(pidof hawser); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	wait_until no_process hawser
	ip -all netns delete
	ip -o link show type bridge | awk -F': ' '{print $2}' |
		xargs -r -n1 ip link del
	rm -rf /var/lib/cni/* "${conf:?}"/*
}

# --- helpers -----------------------------------------------------------------

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

equal() {
	[ "$1" = "$2" ] || fail "expected: $2" "but is:   $1"
}

contains() {
	[[ $1 = *"$2"* ]] || fail "expected in it: $2" "but it is:      $1"
}

# wait_until COMMAND...: for what happens in another process.
wait_until() {
	local i

	for ((i = 0; i < 500; i++)); do
		"$@" && return
		sleep 0.02
	done
	fail "timeout: $*"
}

mount_points() {
	awk '{print $5}' /proc/self/mountinfo
}

no_process() {
	! pidof -q "$1"
}

# script NAME [BODY]: a plugin that notes its calls, and then does BODY.
# $input is its stdin. Without a BODY it passes on or makes up a result.
script() {
	local body=${2:-pass}

	cat >"$tmp/plugins/$1" <<EOF
#!/bin/sh
pass() {
	[ "\$CNI_COMMAND" != ADD ] ||
		printf '%s' "\$input" | jq '.prevResult // {}'
}
input=\$(cat)
echo "\$CNI_COMMAND $1 \$CNI_IFNAME" >>$log
printf '%s' "\$input" >$tmp/calls/$1.\$CNI_COMMAND
env | grep ^CNI_ >$tmp/calls/$1.\$CNI_COMMAND.env
$body
EOF
	chmod +x "$tmp/plugins/$1"
}

# on COMMAND BODY: a script's BODY for one command; it passes on the others.
on() {
	printf 'case $CNI_COMMAND in\n%s)\n%s\n;;\n*) pass ;;\nesac\n' "$1" "$2"
}

# failing CODE TEXT: what a plugin does that fails.
failing() {
	printf "echo '{\"code\": %s, \"msg\": \"%s\"}'; exit 1" "$1" "$2"
}

# network NAME PLUGINS-JSON [MORE-KEYS]
network() {
	printf '{"cniVersion": "1.1.0", "name": "%s", %s "plugins": %s}' \
		"$1" "${3:-}" "$2" >"$conf/$1.conflist"
}

# bridge_network NAME SUBNET-OF-24-BITS
bridge_network() {
	printf '{"cniVersion": "1.0.0", "name": "%s", "plugins": [{
		"type": "bridge", "bridge": "br-%s", "isGateway": true,
		"ipam": {"type": "host-local",
			"ranges": [[{"subnet": "%s.0/24"}]]}}]}' \
		"$1" "$1" "$2" >"$conf/$1.conflist"
}

call() {
	jq "$2" "$tmp/calls/$1"
}

# What libcni makes of the path of a namespace.
cnitool_id() {
	printf 'cnitool-%.20s' "$(printf %s "$1" | sha512sum)"
}

nothing_left() {
	wait_until no_process hawser
	equal "$(find $results -type f 2>/dev/null)" ""
	equal "$(find $networks -name '*.*.*.*' 2>/dev/null)" ""
	equal "$(ip -o link show type veth)" ""
	mount_points | diff "$tmp/mounts" -
	equal "$(hostname)" "$(cat "$tmp/hostname")"
}

# --- lists -------------------------------------------------------------------

@test "add prints the result, check agrees, del leaves nothing" {
	bridge_network lan 10.7.0
	run -0 --separate-stderr hawser add lan blue
	equal "$(jq -r '.ips[0].address' <<<"$output")" 10.7.0.2/24
	run -0 hawser netns exec blue ip -4 -br addr show eth0
	contains "$output" 10.7.0.2/24
	hawser check lan blue
	hawser del lan blue
	nothing_left
	hawser del lan blue
}

@test "check fails when the container has lost its address" {
	bridge_network lan 10.7.0
	hawser add lan blue
	ip -n blue addr flush dev eth0
	run -1 hawser check lan blue
	contains "$output" 'hawser: check: plugin type="bridge" failed (check): '
}

@test "a plugin gets the request and the environment that libcni makes" {
	script first 'echo "{\"dns\": {\"domain\": \"x\"}}"'
	script second
	network n '[{"type": "first", "capabilities":
			{"mac": true, "ips": false, "dns": true}},
		{"type": "second", "name": "n2", "cniVersion": "0.1.0"}]'
	export CNI_ARGS='IgnoreUnknown=1;A=b' CNI_IFNAME=net0
	export CAP_ARGS='{"mac": "c2:11:22:33:44:55", "ips": ["10.0.0.1"]}'
	hawser add n blue

	equal "$(call first.ADD '.runtimeConfig' | jq -c)" \
		'{"mac":"c2:11:22:33:44:55"}'
	equal "$(call first.ADD '[.name, .cniVersion, has("prevResult")]' |
		jq -c)" '["n","1.1.0",false]'
	equal "$(call second.ADD '[.name, .cniVersion, has("runtimeConfig")]' |
		jq -c)" '["n","1.1.0",false]'
	# a result without cniVersion is of the configuration's
	equal "$(call second.ADD .prevResult | jq -c)" \
		'{"cniVersion":"1.1.0","dns":{"domain":"x"}}'
	equal "$(grep -vE '^CNI_(PATH|BIN)=' "$tmp/calls/second.ADD.env" | sort)" \
		"$(printf '%s\n' "CNI_ARGS=$CNI_ARGS" CNI_COMMAND=ADD \
			"CNI_CONTAINERID=$(cnitool_id /run/netns/blue)" \
			CNI_IFNAME=net0 CNI_NETNS=/run/netns/blue)"
}

@test "del and check remember result and arguments of add" {
	script p
	network n '[{"type": "p", "capabilities": {"mac": true}}]'
	CNI_ARGS='K=V' CAP_ARGS='{"mac": "c2:11:22:33:44:55"}' \
		hawser add n blue
	hawser check n blue
	hawser del n blue
	for command in CHECK DEL; do
		grep -qx CNI_ARGS=K=V "$tmp/calls/p.$command.env"
		equal "$(call "p.$command" '[.runtimeConfig.mac,
			.prevResult.cniVersion]' | jq -c)" \
			'["c2:11:22:33:44:55","1.1.0"]'
	done
}

@test "before 0.4.0 there is no check, and del gets no result" {
	script p
	network n '[{"type": "p"}]'
	sed -i 's/1.1.0/0.3.1/' $conf/n.conflist
	hawser add n blue
	run -1 hawser check n blue
	contains "$output" '"0.3.1" does not support CHECK'
	hawser del n blue
	equal "$(call p.DEL 'has("prevResult")')" false
}

@test "an add that fails half-way is undone, and says why" {
	script a
	script b "$(on ADD "$(failing 11 'not now')")"
	script c
	network n '[{"type": "a"}, {"type": "b"}, {"type": "c"}]'
	run -1 hawser add n blue
	equal "$output" 'hawser: add: plugin type="b" failed (add): not now'
	equal "$(cut -d' ' -f1,2 "$log" | tr '\n' ,)" \
		'ADD a,ADD b,DEL c,DEL b,DEL a,'
	nothing_left
	run -1 hawser add --json n blue
	equal "$(jq .code <<<"$output")" 11
}

@test "an undo that fails does not hide why add failed" {
	script a "$(on DEL "$(failing 5 'cannot undo')")"
	script b "$(on ADD "$(failing 7 'bad idea')")"
	network n '[{"type": "a"}, {"type": "b"}]'
	run -1 --separate-stderr hawser add --json n blue
	equal "$(jq -r '.code, .msg' <<<"$output")" "$(printf '%s\n' 7 \
		'plugin type="b" failed (add): bad idea; and undoing it: plugin type="a" failed (delete): cannot undo')"
}

@test "a result that is none is an error, and undone" {
	script p 'echo nonsense'
	network n '[{"type": "p"}]'
	run -1 hawser add n blue
	contains "$output" 'plugin type="p" failed (add): not JSON'
	equal "$(cut -d' ' -f1 "$log" | tr '\n' ,)" ADD,DEL,
	nothing_left
}

@test "del goes through all plugins and can be tried again" {
	script a
	script b "$(on DEL "[ ! -e $tmp/stuck ] || { $(failing 5 stuck); }")"
	script c "$(on DEL "[ ! -e $tmp/stuck ] || { $(failing 5 first); }")"
	network n '[{"type": "a"}, {"type": "b"}, {"type": "c"}]'
	hawser add n blue
	touch "$tmp/stuck"
	: >"$log"
	run -1 hawser del n blue
	equal "$output" 'hawser: del: plugin type="c" failed (delete): first'
	equal "$(cut -d' ' -f2 "$log" | tr '\n' ,)" c,b,a,
	[ -e "$results/n-$(cnitool_id /run/netns/blue)-eth0" ]
	rm "$tmp/stuck"
	hawser del n blue
	nothing_left
}

@test "a second add is refused before it can harm the first" {
	bridge_network lan 10.7.0
	bridge_network other 10.8.0
	hawser add lan blue
	run -1 hawser add lan blue
	contains "$output" 'already has "eth0", on network "lan"'
	run -1 hawser add other blue
	contains "$output" 'already has "eth0", on network "lan"'
	hawser check lan blue
	hawser add -i eth1 other blue
	hawser del -i eth1 other blue
	hawser check lan blue
}

@test "disableCheck and disableGC keep the plugins out of it" {
	script p
	network n '[{"type": "p"}]' '"disableCheck": "true", "disableGC": true,'
	hawser check n blue
	hawser gc n
	equal "$(cat "$log")" ""
}

@test "status asks each plugin until one says no, with its code" {
	script a
	script b "$(on STATUS "$(failing 50 full)")"
	script c
	network n '[{"type": "a"}, {"type": "b"}, {"type": "c"}]'
	run -1 hawser status --json n
	equal "$(jq -r '.code, .msg' <<<"$output")" \
		"$(printf '50\nplugin type="b" failed (status): full')"
	equal "$(cat "$log")" "$(printf 'STATUS a \nSTATUS b ')"
	equal "$(grep -vE '^CNI_(PATH|BIN)=' "$tmp/calls/a.STATUS.env" | sort)" \
		"$(printf '%s\n' CNI_ARGS= CNI_COMMAND=STATUS \
			CNI_CONTAINERID= CNI_IFNAME= CNI_NETNS=)"
	sed -i 's/1.1.0/1.0.0/' $conf/n.conflist
	hawser status n blue # cnitool wants a namespace here
}

# --- files -------------------------------------------------------------------

@test "a broken file stands in no other network's way" {
	script p
	echo '{ broken' >$conf/00-broken.conflist
	network n '[{"type": "p"}]'
	hawser add n blue
	run -1 hawser add typo blue
	equal "$output" "hawser: add: no network \"typo\" in \"$conf\"; broken there: \"$conf/00-broken.conflist\": not JSON: error near byte 3"
}

@test "a network can be a file, a single plugin, or in another directory" {
	script p
	echo '{"name": "one", "type": "p"}' >$conf/one.conf
	hawser add one blue
	hawser del one blue
	mkdir "$tmp/conf"
	mv $conf/one.conf "$tmp/conf"
	hawser add --conf "$tmp/conf" one blue
	NETCONFPATH=$tmp/conf hawser del one blue
	cd "$tmp/conf"
	hawser add ./one.conf blue
	hawser del "$tmp/conf/one.conf" blue
	nothing_left
}

@test "the cache file is libcni's" {
	script p 'echo "{\"cniVersion\": \"1.1.0\", \"dns\": {}}"'
	network n '[{"type": "p"}]'
	CNI_ARGS='IgnoreUnknown=1;K=V' CAP_ARGS='{"ips": ["10.0.0.1"]}' \
		hawser add --container-id c1 n blue
	cat >"$tmp/golden" <<-'EOF'
	{
	  "capabilityArgs": {"ips": ["10.0.0.1"]},
	  "cniArgs": [["IgnoreUnknown", "1"], ["K", "V"]],
	  "config": "eyJjbmlWZXJzaW9uIjogIjEuMS4wIiwgIm5hbWUiOiAibiIsICAicGx1Z2lucyI6IFt7InR5cGUiOiAicCJ9XX0=",
	  "containerId": "c1",
	  "ifName": "eth0",
	  "kind": "cniCacheV1",
	  "netns": "/run/netns/blue",
	  "networkName": "n",
	  "result": {"cniVersion": "1.1.0", "dns": {}}
	}
	EOF
	diff <(jq . "$tmp/golden") <(jq . $results/n-c1-eth0)
	equal "$(stat -c %a $results $results/n-c1-eth0 | tr '\n' ' ')" \
		'700 600 '
	equal "$(ls -A $results)" n-c1-eth0
}

@test "what cnitool attached can be detached" {
	local id

	script p
	network n '[{"type": "p"}]'
	id=$(cnitool_id /run/netns/blue)
	mkdir $results
	printf '{"kind":"cniCacheV1","containerId":"%s","config":"e30=","ifName":"eth0","networkName":"n","netns":"/run/netns/blue","result":{"cniVersion":"1.1.0","dns":{"domain":"kept"}}}' \
		"$id" >"$results/n-$id-eth0"
	hawser check n blue
	hawser del n blue
	equal "$(call p.DEL .prevResult.dns.domain)" '"kept"'
	grep -qx "CNI_CONTAINERID=$id" "$tmp/calls/p.DEL.env"
	nothing_left
}

@test "cnitool and hawser undo each other's work" {
	command -v cnitool >/dev/null || skip "there is no cnitool here"
	bridge_network lan 10.7.0
	hawser add lan /run/netns/blue
	cnitool check lan /run/netns/blue
	cnitool del lan /run/netns/blue
	nothing_left
	cnitool add lan /run/netns/blue
	hawser del lan blue
	nothing_left
}

@test "a corrupt cache file stops check, but never del" {
	script p
	network n '[{"type": "p"}]'
	hawser add --container-id c1 n blue
	for text in '' '{' '{"kind": "cniCacheV1"}'; do
		printf '%s' "$text" >$results/n-c1-eth0
		run -1 hawser check --container-id c1 n blue
		contains "$output" results/n-c1-eth0
		hawser del --container-id c1 n blue
		equal "$(call p.DEL 'has("prevResult")')" false
		nothing_left
	done
}

# --- gc ----------------------------------------------------------------------

@test "gc deletes what has lost its namespace and keeps the rest" {
	script p
	network n '[{"type": "p"}]'
	network m '[{"type": "p"}]'
	hawser netns add red
	hawser add --container-id alive n blue
	CNI_ARGS=K=V hawser add --container-id lost n red
	hawser add --container-id lost -i eth1 m red
	hawser netns del red
	: >"$log"
	hawser gc n
	equal "$(cat "$log")" "$(printf 'DEL p eth0\nGC p ')"
	grep -qx CNI_CONTAINERID=lost "$tmp/calls/p.DEL.env"
	grep -qx CNI_ARGS=K=V "$tmp/calls/p.DEL.env"
	for key in cni.dev/valid-attachments cni.dev/attachments; do
		equal "$(call p.GC ".[\"$key\"]" | jq -c)" \
			'[{"containerID":"alive","ifname":"eth0"}]'
	done
	equal "$(cd $results && echo ./*)" './m-lost-eth1 ./n-alive-eth0'
}

@test "gc --all deletes everything, as cnitool does" {
	script p
	network n '[{"type": "p"}]'
	hawser add n blue
	hawser gc --all n
	equal "$(call p.GC 'with_entries(select(.key | startswith("cni.dev/")))' |
		jq -c)" '{}'
	nothing_left
}

@test "gc goes on after errors and reports all" {
	script a "$(on GC "$(failing 5 one)")"
	script b "$(on GC "$(failing 5 two)")"
	network n '[{"type": "a"}, {"type": "b"}]'
	run -1 hawser gc n
	equal "$output" 'hawser: gc: plugin type="a" failed (gc): one; plugin type="b" failed (gc): two'
}

# --- arguments ---------------------------------------------------------------

@test "a bad namespace is refused before any plugin runs" {
	script p
	network n '[{"type": "p"}]'
	run -1 hawser add n missing
	contains "$output" '"/run/netns/missing" does not exist'
	run -1 hawser add n /etc/passwd
	contains "$output" '"/etc/passwd" is not a network namespace'
	run -1 hawser add n /proc/self/ns/uts
	contains "$output" 'not a network namespace'
	equal "$(cat "$log")" ""
	hawser del n missing # to which it is no obstacle
	equal "$(cat "$log")" "DEL p eth0"
}

@test "a namespace has one container ID, however its path is written" {
	script p
	network n '[{"type": "p"}]'
	cd /run
	for path in blue /run/netns/blue netns/blue ./netns//../netns/blue; do
		hawser add n "$path"
		grep -qx "CNI_CONTAINERID=$(cnitool_id /run/netns/blue)" \
			"$tmp/calls/p.ADD.env"
		hawser del n "$path"
	done
}

@test "bad names are refused" {
	script p
	network n '[{"type": "p"}]'
	run -1 hawser add --json -i a/b n blue
	equal "$(jq .code <<<"$output")" 4
	run -1 hawser add --json --container-id ../x n blue
	equal "$(jq -r .details <<<"$output")" ../x
	CAP_ARGS='[' run -1 hawser add n blue
	contains "$output" CAP_ARGS
	equal "$(cat "$log")" ""
}

@test "a missing plugin is named, with where it was looked for" {
	script p
	network n '[{"type": "p"}, {"type": "nowhere"}]'
	run -1 hawser add n blue
	equal "$output" "hawser: add: plugin type=\"nowhere\" failed (add): failed to find plugin \"nowhere\" in path [$CNI_PATH]"
	equal "$(cat "$log")" "" # not even of the one that is there
}

@test "plugins are looked for beside the executable" {
	script p
	network n '[{"type": "p"}]'
	cp "$(command -v hawser)" "$tmp/plugins"
	unset CNI_PATH
	"$tmp/plugins/hawser" add n blue
}

@test "help and version" {
	run -0 hawser --version
	[[ $output =~ ^hawser\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	run -0 hawser --help
	contains "$output" 'run a command in a small container'
	for verb in run add del check gc status 'netns add' 'netns exec' 'ipam list' 'ipam show' 'ipam free'; do
		# shellcheck disable=SC2086
		run -0 hawser $verb --help
		contains "$output" "Usage: hawser $verb"
	done
	run -64 hawser nonsense
	contains "$output" nonsense
}

# --- netns -------------------------------------------------------------------

@test "netns and ip netns see each other's namespaces" {
	hawser netns add green
	ip netns add red
	equal "$(hawser netns list | tr '\n' ' ')" 'blue green red '
	equal "$(ip netns list | sort | tr '\n' ' ')" 'blue green red '
	equal "$(hawser netns exec red readlink /proc/self/ns/net)" \
		"$(ip netns exec red readlink /proc/self/ns/net)"
	equal "$(hawser netns exec red sh -c "$LINKS")" lo/
	ip netns delete green
	hawser netns del red
	equal "$(hawser netns list)" blue
	equal "$(ls /run/netns)" blue
}

@test "netns exec shows /sys and the files of its namespace" {
	mkdir -p /etc/netns/blue
	echo 'nameserver 10.0.0.53' >/etc/netns/blue/resolv.conf
	run -0 hawser netns exec blue cat /etc/resolv.conf
	equal "$output" 'nameserver 10.0.0.53'
	equal "$(ip netns exec blue cat /etc/resolv.conf)" "$output"
	[ "$(cat /etc/resolv.conf)" != "$output" ]
	equal "$(hawser netns exec /run/netns/blue sh -c "$LINKS")" lo/
	rm -r /etc/netns
	nothing_left
}

@test "netns says what is wrong" {
	run -1 hawser netns add blue
	contains "$output" 'create "/run/netns/blue": File exists'
	run -1 hawser netns del none
	contains "$output" 'there is no namespace "none"'
	run -1 hawser netns add ../x
	contains "$output" '"../x" is not a name'
	run -1 hawser netns exec none true
	contains "$output" '"/run/netns/none" does not exist'
	run -7 hawser netns exec blue sh -c 'exit 7'
	touch /run/netns/stale # as after a reboot
	hawser netns del stale
	nothing_left
}

# --- run ---------------------------------------------------------------------

@test "run attaches the networks in order and leaves nothing" {
	bridge_network lan 10.7.0
	bridge_network dmz 10.8.0
	run -0 hawser run --net lan --net dmz -- ip -4 -br addr
	[[ $output = *lo*127.0.0.1/8*eth0*10.7.0.2/24*eth1*10.8.0.2/24* ]] ||
		fail "$output"
	equal "$(ip -4 -br addr show dev br-lan | awk '{print $3}')" 10.7.0.1/24
	nothing_left
}

@test "run publishes ports through the first network that can" {
	bridge_network lan 10.7.0
	bridge_network dmz 10.8.0
	run -1 hawser run --net lan --publish 8080:80 -- true
	contains "$output" 'ports to publish'
	nothing_left
	script ports
	jq '.plugins += [{type: "ports", capabilities: {portMappings: true}}]' \
		"$conf/dmz.conflist" >"$tmp/new"
	mv "$tmp/new" "$conf/dmz.conflist"
	hawser run --net lan --net dmz --publish 8080-8081:80-81,53:53/udp -- true
	equal "$(call ports.ADD '.runtimeConfig.portMappings |
		map("\(.hostPort):\(.containerPort)/\(.protocol)")' | jq -c)" \
		'["8080:80/tcp","8081:81/tcp","53:53/udp"]'
	nothing_left
}

@test "run passes on the exit status" {
	run -0 hawser run -- true
	run -7 hawser run -- sh -c 'exit 7'
	run -127 hawser run -- /nonexistent
	contains "$output" 'hawser: run: execute "/nonexistent": No such file'
	run -126 hawser run -- /etc/passwd
	run -137 hawser run -- sh -c 'kill -KILL $$'
	run -143 hawser run -- sh -c 'kill -TERM $$'
}

@test "a container has processes, hostname and /sys of its own" {
	run -0 hawser run --hostname box -- \
		sh -c "hostname; echo \$\$; $LINKS; ls -d /proc/[0-9]*"
	equal "$(tr '\n' ' ' <<<"$output")" 'box 2 lo/ /proc/1 /proc/2 '
	nothing_left
}

@test "a hostname that CNI_ARGS cannot have is refused before anything is made" {
	bridge_network lan 10.7.0
	run hawser run --net lan --hostname 'a;IP=10.7.0.9' -- true
	[ "$status" != 0 ]
	contains "$output" "hostname \"a;IP=10.7.0.9\" has a ';' in it"
	nothing_left
}

@test "orphans are reaped, and killed at the end" {
	run -0 hawser run -- sh -c '
		sh -c "sleep 0.01 & exec true"
		sleep 0.1
		! ps -o stat= | grep -q Z || echo zombie
		sleep 1000 >/dev/null 2>&1 &'
	equal "$output" ""
	no_process sleep
}

@test "resolv.conf says what the networks say, the host's stays" {
	local before

	before=$(cat /etc/resolv.conf)
	script a 'echo "{\"dns\": {\"nameservers\": [\"10.0.0.1\", \"10.0.0.2\"],
		\"domain\": \"a.example\", \"options\": [\"ndots:2\"]}}"'
	script b 'echo "{\"dns\": {\"nameservers\": [\"10.0.0.2\", \"::1\"],
		\"search\": [\"b.example\"]}}"'
	network a '[{"type": "a"}]'
	network b '[{"type": "b"}]'
	run -0 hawser run --net a --net b -- cat /etc/resolv.conf
	equal "$output" "$(printf '%s\n' 'nameserver 10.0.0.1' \
		'nameserver 10.0.0.2' 'nameserver ::1' \
		'search a.example b.example' 'options ndots:2')"
	equal "$(cat /etc/resolv.conf)" "$before"
	run -0 hawser run -- cat /etc/resolv.conf
	equal "$output" "$before"
	nothing_left
}

@test "run with a root directory of its own" {
	# ldd succeeds for what needs libraries
	if ! command -v busybox >/dev/null ||
		ldd "$(command -v busybox)" >/dev/null 2>&1; then
		skip "needs a static busybox"
	fi
	script a 'echo "{\"dns\": {\"nameservers\": [\"10.0.0.1\"]}}"'
	network a '[{"type": "a"}]'
	mkdir -p "$tmp/root/bin"
	cp "$(command -v busybox)" "$tmp/root/bin/busybox"
	ln -s busybox "$tmp/root/bin/sh"
	run -0 hawser run --net a --rootfs "$tmp/root" -- /bin/sh -c '
		PATH=/bin; busybox ls /; busybox cat /etc/resolv.conf
		'"$LINKS"'; echo x >/dev/null
		busybox ls -d /proc/1'
	equal "$(tr '\n' ' ' <<<"$output")" \
		'bin dev etc proc sys nameserver 10.0.0.1 lo/ /proc/1 '
	equal "$(cat "$tmp/root/etc/resolv.conf")" ""
	nothing_left
	run -1 hawser run --net a --rootfs "$tmp/none" -- /bin/sh
	contains "$output" "mount \"$tmp/none\": No such file"
	nothing_left
}

@test "the namespace's path leads to it until the last del" {
	script p 'pass; stat -Lc "$CNI_COMMAND %i" "$CNI_NETNS" >>'"$tmp/inodes"
	network n '[{"type": "p"}]'
	run -0 hawser run --net n -- stat -Lc %i /proc/self/ns/net
	equal "$(cat "$tmp/inodes")" "$(printf 'ADD %s\nDEL %s' \
		"$output" "$output")"
}

@test "a network that cannot be attached takes the others down again" {
	bridge_network lan 10.7.0
	script p "$(on ADD "$(failing 11 'not now')")"
	network n '[{"type": "p"}]'
	run -1 hawser run --net lan --net n -- touch "$tmp/ran"
	equal "$output" 'hawser: run: network "n": plugin type="p" failed (add): not now'
	[ ! -e "$tmp/ran" ]
	nothing_left
	run -1 hawser run --net none -- true
	contains "$output" 'no network "none"'
}

# start COMMAND...: in the background on network "lan"; it has started when
# $tmp/up exists.
start() {
	bridge_network lan 10.7.0
	hawser run --net lan -- sh -c "$*" 3>&- &
	run_pid=$!
	wait_until test -e "$tmp/up"
}

# ended STATUS: wait for the run, which is to have that exit status.
ended() {
	local status=0

	wait_until has_ended "$run_pid"
	wait "$run_pid" || status=$?
	equal "$status" "$1"
}

# A process that nobody has waited for yet has no executable any more.
has_ended() {
	[ ! -e "/proc/$1/exe" ]
}

# The run has two children: init, which is a process 1, and the keeper.
init_pid() {
	grep -lE 'NSpid:.*[^0-9]1$' $(printf '/proc/%s/status ' \
		$(children)) | cut -d/ -f3
}

keeper_pid() {
	children | tr ' ' '\n' | grep -vx "$(init_pid)"
}

children() {
	pgrep -P "$run_pid" | tr '\n' ' '
}

@test "signals reach the command" {
	start "trap 'echo got >$tmp/got; exit 3' USR1; touch $tmp/up
		while :; do sleep 0.02; done"
	kill -USR1 "$run_pid"
	ended 3
	equal "$(cat "$tmp/got")" got
	nothing_left
}

# SIGINT is below: a shell's background commands ignore it.
@test "SIGTERM and SIGHUP end a run without a trace" {
	local signal

	for signal in TERM HUP; do
		rm -f "$tmp/up"
		start "touch $tmp/up; exec sleep 1000"
		kill "-$signal" "$run_pid"
		ended $((128 + $(kill -l "$signal")))
		nothing_left
	done
}

@test "Ctrl-C on a terminal reaches the command once" {
	bridge_network lan 10.7.0
	cat >"$tmp/command" <<-EOF
	trap 'echo got >>$tmp/got' INT
	trap 'exit 3' USR1
	touch $tmp/up
	while :; do sleep 0.02; done
	EOF
	mkfifo "$tmp/keys"
	script_command "exec hawser run --net lan -- sh $tmp/command" \
		<"$tmp/keys" &
	run_pid=$!
	exec 7>"$tmp/keys"
	wait_until test -e "$tmp/up"
	printf '\003' >&7
	wait_until test -s "$tmp/got"
	# comes after a second SIGINT, if there was one
	pkill -USR1 -o -x hawser
	ended 3
	exec 7>&-
	equal "$(cat "$tmp/got")" got
	nothing_left
}

# The command of util-linux, not the function above. It runs its argument with
# $SHELL, and a shell in the terminal's foreground would get the Ctrl-C as well:
# hence the "exec". SIGINT may have been ignored by whoever started the tests.
script_command() {
	env --default-signal=INT script -qec "$1" /dev/null 3>&- 7>&-
}

@test "a signal during add ends the run, and add is undone" {
	script slow "$(on ADD "touch $tmp/up; cat $tmp/gate; echo '{}'")"
	network n '[{"type": "slow"}]'
	mkfifo "$tmp/gate"
	hawser run --net n -- touch "$tmp/ran" 3>&- &
	run_pid=$!
	wait_until test -e "$tmp/up"
	kill -TERM "$run_pid"
	ended 143
	equal "$(cut -d' ' -f1 "$log")" ADD
	echo >"$tmp/gate" # now the plugin is done
	wait_until no_process hawser
	equal "$(cut -d' ' -f1 "$log" | tr '\n' ' ')" 'ADD DEL '
	[ ! -e "$tmp/ran" ]
	nothing_left
}

@test "kill -9 of the run ends the container without a trace" {
	start "touch $tmp/up; exec sleep 1000"
	kill -KILL "$run_pid"
	ended 137
	nothing_left
	no_process sleep
}

@test "kill -9 of the container's init ends the run without a trace" {
	start "touch $tmp/up; exec sleep 1000"
	kill -KILL "$(init_pid)"
	ended 137
	nothing_left
	no_process sleep
}

@test "kill -9 of the keeper is told, and gc cleans up" {
	start "touch $tmp/up; while [ -e $tmp/up ]; do sleep 0.02; done" \
		2>"$tmp/stderr"
	kill -KILL "$(keeper_pid)"
	rm "$tmp/up"
	ended 1
	contains "$(cat "$tmp/stderr")" 'hawser gc removes what it left'
	hawser gc lan
	nothing_left
}

@test "run works for root of a user namespace" {
	unshare -Ur true || skip "no user namespaces here, as in a chroot"
	script p
	network n '[{"type": "p"}]'
	run -0 unshare -Urnm hawser run --net n --hostname box -- \
		sh -c "hostname; $LINKS; ls -d /proc/[0-9]*"
	equal "$(tr '\n' ' ' <<<"$output")" 'box lo/ /proc/1 /proc/2 '
	nothing_left
}
