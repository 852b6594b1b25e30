#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2016 # tests are subshells; jq has $names
#
# hawser hook, called by whom it is for: crun and runc, each with a busybox as the
# container, and podman. What the hook does with any state: tests/system/hook.bats.
#
#	tests/lib/sandbox.sh bats tests/clients/oci_hook.bats

bats_require_minimum_version 1.5.0

load ../lib/system
load ../lib/cgroups

conf=/etc/cni/net.d

setup_file() {
	local applet
	export rootfs=$BATS_FILE_TMPDIR/rootfs
	mkdir -p "$rootfs"/{bin,dev,proc,www}
	cp "$(command -v busybox)" "$rootfs/bin/busybox"
	for applet in sh ip ping httpd sleep; do
		ln -s busybox "$rootfs/bin/$applet"
	done
	echo hello from the container >"$rootfs/www/index.html"
}

# The networks, and what stays with the host when the first container has gone.
setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	tmp=$BATS_TEST_TMPDIR
	network lan 10.7.0
	network wan 10.8.0
	ip netns add warm
	CAP_ARGS='{"portMappings": [{"hostPort": 9, "containerPort": 9}]}' \
		"$CNI_BIN/hawser" add lan warm >"$tmp/warm"
	"$CNI_BIN/hawser" del lan warm
	"$CNI_BIN/hawser" add wan warm >"$tmp/warm"
	"$CNI_BIN/hawser" del wan warm
	ip netns del warm
}

teardown() {
	[ -z "${runtime-}" ] || oci delete -f c1 >"$tmp/delete" 2>&1 || :
	clean_up
	remove_cgroups
	umount -R /sys/fs/cgroup || :
}

# --- helpers -----------------------------------------------------------------

# network NAME SUBNET-OF-24-BITS: a bridge that publishes ports, too.
network() {
	jq -n --arg name "$1" --arg subnet "$2.0/24" '{cniVersion: "1.0.0", $name, plugins: [
		{type: "bridge", bridge: "br-\($name)", isGateway: true, ipMasq: true,
			ipam: {type: "host-local", ranges: [[{$subnet}]]}},
		{type: "portmap", capabilities: {portMappings: true}}]}' >"$conf/$1.conflist"
}

# with RUNTIME: the one that oci() is, on a cgroup file system to its taste. crun
# wants version 2 alone, and no cgroup.
with() {
	runtime=$1
	command -v "$runtime" >/dev/null || skip "no $runtime"
	if [ "$runtime" = crun ]; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup || skip "no cgroups"
	else
		mount_cgroups
	fi
}

oci() {
	if [ "$runtime" = crun ]; then
		crun --cgroup-manager=disabled "$@" 3>&-
	else
		runc "$@" 3>&-
	fi
}

# bundle COMMAND [JQ-FILTER]: a container that runs it, with the hook, whose arguments
# are in $hook. crun tells what a hook says on stderr only to whom asks for it.
bundle() {
	mkdir -p "$tmp/bundle"
	jq -n --arg command "$1" --arg rootfs "$rootfs" --arg cgroup "/$CGROUP/c1" \
		--arg errors "$tmp/hook-errors" \
		--arg hawser "$CNI_BIN/hawser" --arg cni_path "CNI_PATH=$CNI_BIN" \
		--args '{ociVersion: "1.0.2", hostname: "box",
		process: {user: {uid: 0, gid: 0}, cwd: "/", env: ["PATH=/bin"],
			args: ["sh", "-c", $command],
			capabilities: (["CAP_NET_RAW", "CAP_NET_BIND_SERVICE"] |
				{bounding: ., effective: ., permitted: .})},
		root: {path: $rootfs},
		mounts: [{destination: "/proc", type: "proc", source: "proc"}],
		linux: {cgroupsPath: $cgroup, namespaces:
			(["pid", "mount", "ipc", "uts", "network"] | map({type: .}))},
		hooks: (["createRuntime", "poststop"] | map({key: ., value: [{path: $hawser,
			args: (["hawser", "hook"] + $ARGS.positional), env: [$cni_path]}]}) |
			from_entries),
		annotations: {"run.oci.hooks.stderr": $errors}} |'"${2:-.}" -- "${hook[@]}" >"$tmp/bundle/config.json"
}

# Start the container and wait for its command to say "ready".
start() {
	mkfifo "$tmp/ready"
	(cd "$tmp/bundle" && oci run -d --pid-file "$tmp/pid" c1 >"$tmp/ready" 2>"$tmp/err" </dev/null) &
	read -r line <"$tmp/ready"
	wait $!
	[ "$line" = ready ]
}

# does_not_run REASON: the runtime gives the container up; the hook said why.
does_not_run() {
	local said
	cd "$tmp/bundle" || return
	run oci run c1
	[ "$status" != 0 ]
	[ ! -e "$tmp/hook-errors" ] || output+=$(cat "$tmp/hook-errors")
	said=${output//\\/} # runc quotes
	[[ $said = *"$1"* && $said != *'it runs'* ]] || {
		echo "\"$1\" is not in: $said" >&2
		return 1
	}
}

# ask PORT: what the web server says that is there, on the host.
ask() {
	busybox wget -qO- "http://10.7.0.1:$1/"
}

# --- what each of them must do -------------------------------------------------

runs_to_its_end() {
	local before
	with "$1"
	before=$(state)
	hook=(--net lan --net wan)
	bundle 'ip -4 -o addr show; ping -qc1 -W2 10.7.0.1 && ping -qc1 -W2 10.8.0.1'
	cd "$tmp/bundle" || return
	run oci run c1
	[[ $output = *eth0*'10.7.0.3/24'*eth1*'10.8.0.3/24'* ]]
	same_state "$before"
}

publishes_until_killed() {
	local before
	with "$1"
	before=$(state)
	hook=(--net wan --publish 1:1)
	bundle 'httpd -p 80 -h /www; echo ready; exec sleep 1000' \
		'.annotations += {"hawser.networks": "lan", "hawser.ports": "8080:80"}'
	start
	[ "$(ask 8080)" = 'hello from the container' ]
	[ "$(jq -c .cniArgs /var/lib/cni/results/lan-c1-eth0)" = \
		'[["IgnoreUnknown","1"],["K8S_POD_NAME","box"]]' ]
	no same_state "$before" >"$tmp/diff"
	kill -KILL "$(cat "$tmp/pid")"
	until oci state c1 | jq -e '.status == "stopped"' >"$tmp/status"; do :; done
	oci delete c1
	same_state "$before"
	no ask 8080
}

is_given_up() {
	local before
	with "$1"
	before=$(state)
	hook=(--net lan --net nowhere)
	bundle 'echo it runs'
	does_not_run 'no network "nowhere"'
	same_state "$before"

	jq '.plugins[1].type = "host-local"' "$conf/wan.conflist" >"$tmp/new"
	mv "$tmp/new" "$conf/wan.conflist"
	hook=(--net lan --net wan)
	bundle 'echo it runs'
	does_not_run 'network "wan"'
	same_state "$before"
}

needs_a_namespace() {
	local before
	with "$1"
	before=$(state)
	hook=(--net lan)
	bundle 'echo it runs' '.linux.namespaces |= map(select(.type != "network"))'
	does_not_run 'no network namespace of its own'
	same_state "$before"
}

# podman as it is where nothing else is: no networks of its own, no images.
configure_podman() {
	mkdir -p "$tmp/hooks.d" /etc/containers
	sed "s,/usr/local/bin/hawser,$CNI_BIN/hawser," \
		"$BATS_TEST_DIRNAME/../../conf-examples/hooks.d/hawser.json" >"$tmp/hooks.d/hawser.json"
	cat >/etc/containers/containers.conf <<-EOF
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "crun"
		hooks_dir = ["$tmp/hooks.d"]
		[containers]
		cgroups = "disabled"
	EOF
	cat >/etc/containers/storage.conf <<-EOF
		[storage]
		driver = "vfs"
		runroot = "$tmp/podman-run"
		graphroot = "$tmp/podman"
	EOF
	mount -t tmpfs tmpfs /dev/shm
}

# --- each of them --------------------------------------------------------------

@test "crun: a container has its interfaces until it ends" {
	runs_to_its_end crun
}

@test "runc: a container has its interfaces until it ends" {
	runs_to_its_end runc
}

@test "crun: a published port answers until the container is killed" {
	publishes_until_killed crun
}

@test "runc: a published port answers until the container is killed" {
	publishes_until_killed runc
}

@test "crun: a container that cannot be attached does not run" {
	is_given_up crun
}

@test "runc: a container that cannot be attached does not run" {
	is_given_up runc
}

@test "crun: a container without a network namespace does not run" {
	needs_a_namespace crun
}

@test "runc: a container without a network namespace does not run" {
	needs_a_namespace runc
}

@test "podman: the example for hooks.d serves containers with its annotations" {
	local before
	command -v podman >/dev/null || skip "no podman"
	with crun
	configure_podman
	before=$(state)
	mkfifo "$tmp/ready"
	podman run --rm --name c1 --network none \
		--annotation "hawser.networks=lan wan" --annotation hawser.ports=8080:80 \
		--rootfs "$rootfs" sh -c 'httpd -p 80 -h /www; ip -4 -o addr; echo ready; exec sleep 1000' \
		>"$tmp/ready" 2>"$tmp/err" </dev/null 3>&- &
	run sed /ready/q "$tmp/ready"
	[[ $output = *eth0*'10.7.0.3/24'*eth1*'10.8.0.3/24'*ready ]]
	[ "$(ask 8080)" = 'hello from the container' ]
	podman kill c1 >"$tmp/kill" 2>&1 3>&-
	wait $! || :
	same_state "$before"
	umount /dev/shm
}
