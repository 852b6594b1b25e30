# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# containerd on a host of its own: what it keeps is below $CONTAINERD_HOME, and goes
# with the sandbox; an image of nothing but busybox; pods by way of cri.py. Who uses
# it calls needs_containerd, mount_cgroups, start_containerd, containerd_image and, at
# the end, end_containerd.
#
# CONTAINERD is a directory of programs, or the one of an unpacked package; else they
# are where .ci/unpack.sh has put them, or in /usr/bin.

LIB=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/lib/cgroups.bash
. "$LIB/cgroups.bash"
CRI=$LIB/cri.py
UNPACKED=$LIB/../../build/unpacked/containerd
IMAGE=localhost/pause:local

# needs_containerd: skips without it; sets PATH and CONTAINERD_MAJOR.
needs_containerd() {
	local dir
	for dir in ${CONTAINERD:+"$CONTAINERD/usr/bin" "$CONTAINERD/bin" "$CONTAINERD"} \
		"$UNPACKED/usr/bin" /usr/bin; do
		[ ! -x "$dir/containerd" ] || break
	done
	[ -x "$dir/containerd" ] || skip "no containerd"
	export PATH=$dir:$PATH
	command -v runc >/dev/null || skip "no runc"
	"$CRI" --help >/dev/null 2>&1 || skip "no python3-grpcio"
	containerd --version >/dev/null || skip "$dir/containerd does not run here"
	CONTAINERD_MAJOR=$(containerd --version | sed -n 's/.* v\{0,1\}\([0-9]*\)\.[0-9]*\..*/\1/p')
	export CONTAINERD_MAJOR
}

# start_containerd PLUGINS: with plugins from that directory. The pods stay where it
# is stopped, by kill -9 too, and are there for the next one.
start_containerd() {
	mkdir -p "$CONTAINERD_HOME"
	containerd_conf "$1" >"$CONTAINERD_HOME/config.toml"
	containerd --config "$CONTAINERD_HOME/config.toml" >>"$CONTAINERD_HOME/log" 2>&1 </dev/null 3>&- &
	echo $! >"$CONTAINERD_HOME/pid"
	disown # bats would tell of its end
	cri Status '{}' >"$CONTAINERD_HOME/status"
}

containerd_runs() {
	kill -0 "$(cat "$CONTAINERD_HOME/pid")" 2>/dev/null
}

stop_containerd() { # [SIGNAL]
	local pid
	pid=$(cat "$CONTAINERD_HOME/pid")
	kill "${1--TERM}" "$pid"
	tail --pid="$pid" -f /dev/null
}

# end_containerd: with whatever pods there are still.
end_containerd() {
	local i
	if containerd_runs; then stop_containerd -KILL; fi
	pkill -KILL -f "containerd-shim.*$CONTAINERD_HOME/socket" || :
	for i in {1..100}; do
		processes_in_cgroups | xargs -r kill -KILL || :
		[ -n "$(processes_in_cgroups)" ] || break
	done
	awk -v home="$CONTAINERD_HOME/" 'index($2, home) == 1 { print $2 }' /proc/mounts | xargs -r umount -l
	remove_cgroups
}

# containerd_conf PLUGINS: 2 has other names for some of it.
containerd_conf() {
	local runtime=io.containerd.cri.v1.runtime images=io.containerd.cri.v1.images
	cat <<-END
		version = $((CONTAINERD_MAJOR + 1))
		root = "$CONTAINERD_HOME/root"
		state = "$CONTAINERD_HOME/state"
		[grpc]
		  address = "$CONTAINERD_HOME/socket"
		[ttrpc]
		  address = "$CONTAINERD_HOME/ttrpc"
		[debug]
		  level = "debug"
	END
	if [ "$CONTAINERD_MAJOR" = 1 ]; then
		runtime=io.containerd.grpc.v1.cri
		printf '[plugins."%s"]\n  sandbox_image = "%s"\n' $runtime "$IMAGE"
	else
		printf '[plugins."%s".pinned_images]\n  sandbox = "%s"\n' $images "$IMAGE"
		printf '[plugins."%s"]\n' $runtime
	fi
	cat <<-END
		  disable_apparmor = true
		  restrict_oom_score_adj = true
		  [plugins."$runtime".cni]
		    $([ "$CONTAINERD_MAJOR" = 1 ] && echo "bin_dir = \"$1\"" || echo "bin_dirs = [\"$1\"]")
		    conf_dir = "$CONTAINERD_HOME/net.d"
		    max_conf_num = 2
	END
}

cri() { # [--at-once] METHOD JSON [METHOD JSON...]
	"$CRI" --socket "$CONTAINERD_HOME/socket" "$@"
}

ctr() {
	command ctr --address "$CONTAINERD_HOME/socket" "$@"
}

# containerd_image: the image that pods are made of, and ctr's containers.
containerd_image() {
	local dir=$CONTAINERD_HOME/image
	mkdir -p "$dir"/root/{bin,etc,proc,sys,tmp,dev}
	cp "$(command -v busybox)" "$dir/root/bin/busybox"
	chroot "$dir/root" /bin/busybox --install -s /bin
	tar -C "$dir/root" -cf "$dir/layer.tar" .
	jq -n --arg arch "$(dpkg --print-architecture)" \
		--arg layer "$(sha256sum <"$dir/layer.tar" | cut -d ' ' -f 1)" '{
		architecture: $arch, os: "linux", config: {Entrypoint: ["sleep", "100000"], Env: ["PATH=/bin"]},
		rootfs: {type: "layers", diff_ids: ["sha256:\($layer)"]}}' >"$dir/config.json"
	jq -n --arg image "$IMAGE" '[{Config: "config.json", RepoTags: [$image], Layers: ["layer.tar"]}]' \
		>"$dir/manifest.json"
	tar -C "$dir" -cf "$dir/image.tar" manifest.json config.json layer.tar
	ctr -n k8s.io images import "$dir/image.tar" >"$dir/import"
	ctr images import "$dir/image.tar" >"$dir/import"
	# the part of containerd that has pods learns of it by itself
	export CRI CONTAINERD_HOME IMAGE
	timeout 10 sh -c 'until "$CRI" --socket "$CONTAINERD_HOME/socket" ListImages "{}" | grep -q "$IMAGE"; do :; done'
}

# pod_config NAME [JQ-FILTER]: what RunPodSandbox wants.
pod_config() {
	jq -n --arg name "$1" --arg cgroup "/$CGROUP" '{
		metadata: {$name, uid: "uid-\($name)", namespace: "default"}, hostname: $name,
		linux: {cgroup_parent: $cgroup}} |'"${2:-.}"' | {config: .}'
}

# run_pod NAME [JQ-FILTER]: start a pod; prints its id.
run_pod() {
	local answer
	answer=$(cri RunPodSandbox "$(pod_config "$@")") || return
	jq -r .pod_sandbox_id <<<"$answer"
}

# each_pod METHOD ID...: the arguments of cri.
each_pod() {
	printf "$1\n{\"pod_sandbox_id\": \"%s\"}\n" "${@:2}"
}

# end_pods ID...: all at once; as a kubelet does, which stops a pod more than once.
end_pods() {
	local stop remove
	mapfile -t stop < <(each_pod StopPodSandbox "$@")
	mapfile -t remove < <(each_pod RemovePodSandbox "$@")
	cri --at-once "${stop[@]}" >"$CONTAINERD_HOME/ended"
	cri "${stop[@]}" "${remove[@]}" >"$CONTAINERD_HOME/ended"
}

pods() {
	cri ListPodSandbox '{}' | jq -r '.items[]?.id'
}

pod_addresses() { # ID...
	local ask
	mapfile -t ask < <(each_pod PodSandboxStatus "$@")
	cri "${ask[@]}" | jq -r '.status.network | .ip, .additional_ips[]?.ip'
}

# pod_netns ID: the name of its network namespace.
pod_netns() {
	ctr -n k8s.io containers info "$1" |
		jq -r '.Spec.linux.namespaces[] | select(.type == "network").path | sub(".*/"; "")'
}

# network FILE [JQ-FILTER]: one of containerd's lists, from $NETWORK, changed. It is
# written in place: containerd does not look at what is renamed into its directory.
network() {
	jq "${2:-.}" <<<"$NETWORK" >"$CONTAINERD_HOME/new"
	cat "$CONTAINERD_HOME/new" >"$CONTAINERD_HOME/net.d/$1"
}

# networks_loaded: wait until containerd has noticed what lists there are.
networks_loaded() {
	export CRI CONTAINERD_HOME
	timeout 10 sh -c 'until [ "$(cat "$CONTAINERD_HOME"/net.d/* 2>/dev/null | jq -c .)" = "$(
		"$CRI" --socket "$CONTAINERD_HOME/socket" Status "{\"verbose\": true}" | jq -r .info.cniconfig |
		jq -c ".Networks[] | select(.IFName != \"lo\").Config.Source | fromjson")" ]; do :; done'
}
