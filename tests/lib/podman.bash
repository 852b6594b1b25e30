# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman 4 with CNI on a host of its own: a private /etc/containers, storage and
# cgroups that vanish with the sandbox, an image of nothing but busybox.

# podman_host: the first thing a test file's setup calls; skips where it cannot run.
podman_host() {
	command -v podman >/dev/null || skip "no podman"
	[[ $(podman --version) == 'podman version 4.3.'* ]] || skip "this podman has no CNI"
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mountpoint -q /dev/shm || mount -t tmpfs tmpfs /dev/shm
	unset XDG_RUNTIME_DIR
	PODMAN_HOME=$BATS_FILE_TMPDIR/podman
	[ ! -d "$PODMAN_HOME" ] || return 0
	mkdir -p "$PODMAN_HOME" /etc/containers
	podman_conf
	podman_image
}

podman_conf() {
	cat >/etc/containers/containers.conf <<-END
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["$(readlink -f "${CNI_PATH%%:*}")"]
		network_config_dir = "/etc/cni/net.d"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "crun"
		[containers]
		cgroups = "disabled"
		default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "NET_RAW", "SETGID", "SETUID", "SYS_CHROOT"]
		log_driver = "k8s-file"
	END
	cat >/etc/containers/storage.conf <<-END
		[storage]
		driver = "vfs"
		runroot = "$PODMAN_HOME/run"
		graphroot = "$PODMAN_HOME/graph"
	END
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
}

podman_image() {
	local root=$PODMAN_HOME/root
	mkdir -p "$root"/{bin,etc,proc,sys,tmp,dev}
	cp "$(command -v busybox)" "$root/bin/busybox"
	chroot "$root" /bin/busybox --install -s /bin
	tar -C "$root" -c . | podman import - busybox:local >/dev/null 2>&1
}
