#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# containerd: "ctr run --cni", and pods as a kubelet asks for them, on a host with a
# neighbour "out" that knows no way to containers. CONTAINERD: see lib/containerd.bash;
# 1.6 and 2.1 are known. CONTROL names a directory with the reference's plugins: they
# pass too, but for the masquerading of a container that had no namespace any more when
# DEL came, which they leave.
#
#	CONTAINERD=... tests/lib/sandbox.sh bats tests/clients/containerd.bats

load ../lib/system
load ../lib/outside
load ../lib/containerd

export BATS_TEST_TIMEOUT=60
PEER=${PEER:-$BATS_TEST_DIRNAME/../../build/tests/peer}
CONTAINERD_HOME=$BATS_FILE_TMPDIR/containerd
PLUGINS=$(readlink -f "${CONTROL:-$CNI_BIN}")
NETWORK='{"cniVersion": "1.0.0", "name": "k8s", "plugins": [
	{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
		"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.85.0.0/16"}], [{"subnet": "fd00:85::/64"}]],
			"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
	{"type": "portmap", "capabilities": {"portMappings": true}},
	{"type": "bandwidth", "capabilities": {"bandwidth": true}}]}'
MASQUERADING='CNI-[0-9a-f]\{24\}'
PORT='.port_mappings = [{container_port: 80, host_port: 8080}]'

setup_file() {
	needs_containerd
	mount_cgroups
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	make_outside
	ctr_plugins
	mkdir -p "$CONTAINERD_HOME/net.d"
	start_containerd "$PLUGINS"
	containerd_image
	first_pod
}

# Each pod has to have gone, and with it the program that looks after it.
teardown_file() {
	local left
	[ -e "$CONTAINERD_HOME/pid" ] || return 0
	left=$(pgrep -a containerd-shim || :)
	end_containerd
	[ -z "$left" ] || {
		echo "left: $left" >&2
		return 1
	}
}

setup() {
	if [ "$(cat "$CONTAINERD_HOME"/net.d/*)" != "$(jq . <<<"$NETWORK")" ]; then
		rm -f "$CONTAINERD_HOME"/net.d/*
		network 10-k8s.conflist
		networks_loaded
	fi
	before=$(host_state)
}

teardown() {
	local ids
	pkill -x peer || :
	rm -f /etc/cni/net.d/*
	[ -z "${BATS_TEST_COMPLETED-}" ] || return 0
	containerd_runs || start_containerd "$PLUGINS"
	mapfile -t ids < <(pods)
	[ "${#ids[@]}" = 0 ] || end_pods "${ids[@]}"
	ctr task rm -f c1 2>/dev/null || :
	ctr container rm c1 2>/dev/null || :
	ip link del cni1 2>/dev/null || :
}

# --- helpers -----------------------------------------------------------------

# ctr takes no directories: it looks here, and for lists in /etc/cni/net.d.
ctr_plugins() {
	mkdir -p /run/opt/upper /run/opt/work
	mount -t overlay -o lowerdir=/opt,upperdir=/run/opt/upper,workdir=/run/opt/work overlay /opt
	mkdir -p /opt/cni/bin
	mount --bind "$PLUGINS" /opt/cni/bin
}

# What stays when the first pod has gone, the bridge and the shared chains, is there
# before any test looks.
first_pod() {
	local id
	network 10-k8s.conflist
	networks_loaded
	id=$(run_pod first "$PORT")
	end_pods "$id"
}

# The reference's rules count packets.
host_state() {
	if [ -n "${CONTROL-}" ]; then
		state | grep -v '^\[{"table"'
		{ iptables-save; ip6tables-save; } | sed '/^#/d; s/\[[0-9:]*\]//'
	else
		state
	fi
	ls /run/netns /var/lib/cni/results
	pgrep -a containerd-shim || :
}

# nothing_left [PATTERN]: but for lines that the reference leaves.
nothing_left() {
	local but='^$'
	[ -z "${CONTROL-}" ] || but=${1-$but}
	diff <(grep -v "$but" <<<"$before") <(host_state | grep -v "$but")
}

# serve PROTO PORT NAME NETNS: until the test ends.
serve() {
	ip netns exec "$4" "$PEER" serve "$1" "$2" "$3" >"$BATS_TEST_TMPDIR/serve-$1-$3" 2>&1 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/serve-$1-$3" ]; do sleep 0.01; done
}

# ask NETNS PROTO ADDRESS PORT: what one is told there: by whom, and as whom.
ask() {
	ip netns exec "$1" "$PEER" ask "${@:2}"
}

# ready: whether containerd says that pods can have networks; else why not.
ready() {
	cri Status '{}' |
		jq -r '.status.conditions[] | select(.type == "NetworkReady") | .status // .message'
}

# becomes_ready [not]
becomes_ready() {
	local i
	for i in {1..30}; do
		[ "$(ready)" != true ] || [ "${1-}" = not ] || return 0
		[ "$(ready)" = true ] || [ "${1-}" != not ] || return 0
	done
	echo "still: $(ready)"
	return 1
}

# --- ctr ----------------------------------------------------------------------

@test "ctr run --cni: both families, the way out, and a DEL without a namespace" {
	cp "$CONTAINERD_HOME/net.d/10-k8s.conflist" /etc/cni/net.d
	serve tcp 80 out out
	run ctr run --rm --cni --cgroup "/$CGROUP/c1" "$IMAGE" c1 \
		sh -c 'ip -o addr show eth0; nc -w 5 198.51.100.2 80; nc -w 5 2001:db8:51::2 80' </dev/null 3>&-
	ok
	[[ $output = *' 10.85.0.'*'/16 '*' fd00:85::'*'/64 '* ]]
	[[ $output = *'out 198.51.100.1'*'out 2001:db8:51::1'* ]]
	nothing_left "$MASQUERADING"
}

# --- pods ---------------------------------------------------------------------

@test "a pod: both families, the way out, and what is left after two rounds of DEL" {
	local id netns
	serve tcp 80 out out
	id=$(run_pod web)
	netns=$(pod_netns "$id")
	[[ $(pod_addresses "$id" | paste -s) = 10.85.0.*fd00:85::* ]]
	[ "$(pod_addresses "$id" | sort)" = "$(ip -n "$netns" -j addr show eth0 |
		jq -r '.[].addr_info[] | select(.scope == "global").local' | sort)" ]
	[ "$(ask "$netns" tcp 198.51.100.2 80)" = 'out 198.51.100.1' ]
	[ "$(ask "$netns" tcp 2001:db8:51::2 80)" = 'out 2001:db8:51::1' ]
	ip -n "$netns" link show lo | grep -q LOOPBACK,UP
	end_pods "$id"
	nothing_left
}

@test "a pod's ports: the client's address is kept; of one address of the host; its own" {
	local id netns
	id=$(run_pod web '.port_mappings = [{container_port: 80, host_port: 8080},
		{container_port: 53, host_port: 5353, protocol: 1},
		{container_port: 80, host_port: 8081, host_ip: "127.0.0.1"}]')
	netns=$(pod_netns "$id")
	serve tcp 80 web "$netns"
	serve udp 53 web "$netns"
	[ "$(ask out tcp 198.51.100.1 8080)" = 'web 198.51.100.2' ]
	[ "$(ask out tcp 2001:db8:51::1 8080)" = 'web 2001:db8:51::2' ]
	[ "$(ask out udp 198.51.100.1 5353)" = 'web 198.51.100.2' ]
	[[ $("$PEER" ask tcp 127.0.0.1 8081) = web* ]]
	no ask out tcp 198.51.100.1 8081
	[[ $(ask "$netns" tcp 198.51.100.1 8080) = web* ]]
	end_pods "$id"
	no ask out tcp 198.51.100.1 8080
	nothing_left
}

@test "a pod's bandwidth: a bucket each way, as its annotations say" {
	local id link ifb
	id=$(run_pod slow '.annotations = {"kubernetes.io/ingress-bandwidth": "10M",
		"kubernetes.io/egress-bandwidth": "20M"}')
	link=$(ip -j link show master cni0 | jq -r '.[].ifname')
	ifb=$(ip -j link show type ifb | jq -r '.[].ifname')
	tc -j qdisc show dev "$link" | jq -e 'map(select(.root))[0] | .kind == "tbf" and .options.rate == 1250000'
	tc -j qdisc show dev "$ifb" | jq -e 'map(select(.root))[0] | .kind == "tbf" and .options.rate == 2500000'
	tc filter show dev "$link" parent ffff: | grep -q "Redirect to device $ifb)"
	end_pods "$id"
	nothing_left
}

@test "a pod on two networks" {
	local id netns
	network 20-second.conflist '.name = "second" | .plugins[0].bridge = "cni1" |
		.plugins[0].ipam = {type: "host-local", ranges: [[{subnet: "10.86.0.0/16"}]]} | del(.plugins[1, 2])'
	networks_loaded
	id=$(run_pod web "$PORT")
	netns=$(pod_netns "$id")
	serve tcp 80 web "$netns"
	ip -n "$netns" -o addr show eth1 | grep -q ' 10\.86\.0\.2/16 '
	[[ $(ip -n "$netns" -o addr show eth0) = *' 10.85.0.'*'/16 '*' fd00:85::'*'/64 '* ]]
	[ "$(ask out tcp 198.51.100.1 8080)" = 'web 198.51.100.2' ]
	[ "$("$PEER" ask tcp 10.86.0.2 80)" = 'web 10.86.0.1' ]
	end_pods "$id"
	ip link del cni1 # a bridge is kept for the next one
	nothing_left
}

@test "a plugin of the list fails: so does the pod, with its message, and nothing is left" {
	network 10-k8s.conflist '.plugins += [{type: "tuning", sysctl: {"net.none": "1"}}]'
	networks_loaded
	run run_pod web "$PORT"
	[ "$status" != 0 ]
	[[ $output = *'plugin type="tuning" failed (add)'*net*none* ]]
	[ -z "$(pods)" ]
	nothing_left
}

@test "a pod's process and its namespace are gone before it is stopped" {
	local id netns
	id=$(run_pod web "$PORT")
	netns=$(pod_netns "$id")
	kill -9 "$(ip netns pids "$netns")"
	ip netns del "$netns"
	end_pods "$id"
	nothing_left "$MASQUERADING"
}

@test "containerd is killed: pods stay on the network, and leave it when it is back" {
	local id other netns
	id=$(run_pod web "$PORT")
	other=$(run_pod other)
	netns=$(pod_netns "$id")
	serve tcp 80 web "$netns"
	stop_containerd -KILL
	[ "$(ask out tcp 198.51.100.1 8080)" = 'web 198.51.100.2' ]
	kill -9 "$(ip netns pids "$(ip netns | awk -v web="$netns" '/^cni-/ && $1 != web { print $1 }')")"
	start_containerd "$PLUGINS"
	[ "$(ask out tcp 198.51.100.1 8080)" = 'web 198.51.100.2' ]
	[[ $(pod_addresses "$id" | paste -s) = 10.85.0.*fd00:85::* ]]
	end_pods "$id" "$other"
	nothing_left
}

@test "eight pods at the same time" {
	local i ids run=()
	for i in {1..8}; do
		run+=(RunPodSandbox "$(pod_config "p$i" "$PORT | .port_mappings[0].host_port += $i")")
	done
	cri --at-once "${run[@]}" >"$BATS_TEST_TMPDIR/ran"
	mapfile -t ids < <(jq -r .pod_sandbox_id "$BATS_TEST_TMPDIR/ran")
	[ "$(pod_addresses "${ids[@]}" | sort -u | grep -cE '^10\.85\.0\.|^fd00:85::')" = 16 ]
	for i in {1..8}; do
		serve tcp 80 "p$i" "$(pod_netns "${ids[i - 1]}")"
		[ "$(ask out tcp 198.51.100.1 $((8080 + i)))" = "p$i 198.51.100.2" ]
	done
	end_pods "${ids[@]}"
	nothing_left
}

# --- the node -----------------------------------------------------------------

@test "the node is ready as long as it has a list, written in place" {
	local id
	[ "$(ready)" = true ]
	rm "$CONTAINERD_HOME/net.d/10-k8s.conflist"
	becomes_ready not
	[[ $(ready) = *'not initialized'* ]]
	network 10-k8s.conflist '.name = "new" | .plugins[0].bridge = "cni1" |
		.plugins[0].ipam.ranges = [[{subnet: "10.87.0.0/16"}]]'
	becomes_ready
	id=$(run_pod web)
	[ "$(pod_addresses "$id")" = 10.87.0.2 ]
	end_pods "$id"
	ip link del cni1
	nothing_left
}

@test "STATUS: the node is not ready while a network has no address left" {
	local id
	[ "$CONTAINERD_MAJOR" -ge 2 ] || skip "containerd $CONTAINERD_MAJOR does not ask for it"
	[ -z "${CONTROL-}" ] || skip "the reference is always content"
	network 10-k8s.conflist '.cniVersion = "1.1.0" | .name = "few" | .plugins[0].bridge = "cni1" |
		.plugins[0].ipam.ranges = [[{subnet: "10.88.0.0/29", rangeStart: "10.88.0.2", rangeEnd: "10.88.0.2"}]]'
	networks_loaded
	[ "$(ready)" = true ]
	id=$(run_pod web)
	[[ $(ready) = *10.88.0.* ]]
	end_pods "$id"
	[ "$(ready)" = true ]
	ip link del cni1
	nothing_left
}
