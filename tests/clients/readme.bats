#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What README.md says of a script of one's own, podman 4, containerd, the hook and podman 5,
# typed in as it stands: installed with make install, each finds the plugins by itself and
# uses them.
#
#	tests/lib/sandbox.sh bats tests/clients/readme.bats

load ../lib/system
load ../lib/podman
load ../lib/containerd
load ../lib/page

export BATS_TEST_TIMEOUT=120
repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PAGE=$repo/README.md
CONTAINERD_HOME=$BATS_FILE_TMPDIR/containerd

# A host where nothing of ours is installed, and sudo has nothing to do.
setup() {
	unset CNI_PATH
	[ "$BATS_TEST_DESCRIPTION" != "podman 5" ] || lay_over_usr "$repo"/build/unpacked-sid/*/
	mkdir -p /run/share/upper /run/share/work
	mount -t overlay -o lowerdir=/usr/share,upperdir=/run/share/upper,workdir=/run/share/work overlay /usr/share
	mount -t tmpfs tmpfs /usr/local
	mount -t tmpfs tmpfs /opt
	mkdir -p /usr/local/bin
	printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
	chmod +x /usr/local/bin/sudo
	PATH=/usr/local/bin:$PATH
	cd "$repo" || return
}

teardown() {
	if [ -e "$CONTAINERD_HOME/pid" ]; then end_containerd; fi
	clean_up
	umount /usr/local /opt /usr/share
}

# podman_finds: as if containers.conf said nothing of plugins, with an image "busybox".
podman_finds() { # [VERSION]
	CNI_PATH=$CNI_BIN podman_host "$@"
	sed -i '/_plugin_dirs/d' /etc/containers/containers.conf
	podman tag busybox:local docker.io/library/busybox:latest
}

# is_ours: the container had an address of the network, and ours gave it.
is_ours() { # PREFIX
	[[ $output == *"inet $1"*"scope global eth0"* ]] || {
		echo "$output"
		return 1
	}
	nft list table inet hawser >"$BATS_TEST_TMPDIR/table"
}

uninstalled() {
	make -s uninstall
	[ -z "$(find /usr/local /opt /run/share/upper ! -type d ! -name sudo)" ]
}

@test "a script of one's own" {
	make -s install
	cp conf-examples/names.conflist conf-examples/podman.conflist /etc/cni/net.d/
	run follow "Use it" 1 -e <<<'hostname; ip -brief address show dev eth0'
	ok
	[ "${lines[0]}" = web ]
	[[ ${lines[1]} == *" 10.89.0.2/24 "* ]]
	[[ $output == *'"address":'*'"10.88.0.2/16"'* ]]
	[ -z "$(ip netns list)" ]
	uninstalled
}

@test "podman 4" {
	podman_finds
	run follow "With podman 4" 1 -e
	ok
	is_ours 10.89.0.2/24
	uninstalled
}

@test "containerd" {
	needs_containerd
	mount_cgroups
	IMAGE=docker.io/library/busybox:latest
	start_containerd /opt/cni/bin
	containerd_image
	export CONTAINERD_ADDRESS=$CONTAINERD_HOME/socket
	printf '#!/bin/sh\nshift\nexec %s run --cgroup "/%s/box" "$@"\n' "$(type -P ctr)" "$CGROUP" >/usr/local/bin/ctr
	chmod +x /usr/local/bin/ctr
	run follow "With containerd" 1 -e
	ok
	is_ours 10.88.0.2/16
	rm /usr/local/bin/ctr
	uninstalled
}

@test "a hook of podman's" {
	podman_finds
	run follow "With crun, runc, and podman's \`--network none\`" 1 -e
	ok
	is_ours 10.88.0.2/16
	uninstalled
}

@test "podman 5" {
	podman_finds 5
	run follow "With podman 5" 1 -e
	ok
	is_ours 10.89.5.2/24
	uninstalled
}
