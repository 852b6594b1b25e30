#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# conf-examples/clients.md, typed in as it stands: each program's container has its
# address, reaches outside with the host's, answers on its published port, and
# leaves nothing. CONTROL names a directory with the reference's plugins: they pass
# too, but are not asked what they leave behind in the firewall.
#
#	tests/lib/sandbox.sh bats tests/clients/clients_page.bats

bats_require_minimum_version 1.5.0

load ../lib/system
load ../lib/cgroups
load ../lib/outside
load ../lib/page
load ../lib/unpacked

repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PAGE=$repo/conf-examples/clients.md
PEER=${PEER:-$(dirname "$CNI_BIN")/tests/peer}
UNPACKED=${UNPACKED:-$repo/build/unpacked}
APPTAINER=${APPTAINER-$UNPACKED-sid/apptainer:$UNPACKED-sid/libc6} # which Debian 12 has not
export BATS_TEST_TIMEOUT=60

# The host of the page: hawser and plugins installed, the container's files in
# /srv/box. The sandbox's own, all of it.
setup_file() {
	local apptainer
	IFS=: read -ra apptainer <<<"$APPTAINER"
	lay_over_usr "$UNPACKED"/{lxc,liblxc1,liblxc-common,containerd,docker.io} "${apptainer[@]}"
	mount -t tmpfs tmpfs /srv
	mount -t tmpfs tmpfs /opt
	mount -t tmpfs tmpfs /usr/local/bin
	mount -t tmpfs tmpfs /dev/shm
	mkdir -p /opt/cni/bin
	mount_plugins
	cp "$CNI_BIN/hawser" /usr/local/bin/
	make_rootfs /srv/box
}

mount_plugins() {
	mount --bind "${CONTROL:-$CNI_BIN}" /opt/cni/bin
}

make_rootfs() { # DIR
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,usr,var,www}
	cp "$(command -v busybox)" "$1/bin/busybox"
	chroot "$1" /bin/busybox --install -s /bin
	echo 'ID=busybox' >"$1/etc/os-release"
	echo hello from the container >"$1/www/index.html"
}

# The page's first lines.
setup() {
	unset CNI_PATH CNI_ARGS CAP_ARGS XDG_RUNTIME_DIR
	PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	make_outside
	serve_outside
	page "Containers of other programs" 1 >"$BATS_TEST_TMPDIR/first"
	cd "$repo" || return
	set -a # the test is the shell that they were typed in
	# shellcheck source=/dev/null
	. "$BATS_TEST_TMPDIR/first"
	set +a
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return
	warm_up
}

teardown() {
	local name
	for name in httpd peer dockerd containerd lxc-start; do
		pkill -KILL -x "$name" || :
	done
	clean_up
	clean_up_cgroups
	rm -f /run/box.net
}

# What the host has when a first container has gone: the bridge, chains for the next.
warm_up() {
	ip netns add warm
	hawser add podman warm >"$BATS_TEST_TMPDIR/warm"
	hawser del podman warm
	ip netns del warm
	before=$(everything)
}

needs_client() { # COMMAND
	command -v "$1" >/dev/null || skip "no $1"
}

# --- what is asked of a container ------------------------------------------------

inside() { # COMMAND...: in the container's network
	nsenter --net="/proc/$(pgrep -x httpd)/ns/net" "$@"
}

is_attached() { # [ADDRESS]
	timeout 20 sh -c 'until nsenter --net="/proc/$(pgrep -x httpd)/ns/net" ss -Hltn "sport = :80" |
		grep .; do sleep 0.01; done' >"$BATS_TEST_TMPDIR/listens" 2>&1
	[ "$(readlink "/proc/$(pgrep -x httpd)/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	[[ $(inside ip -4 -o addr show eth0) == *" ${1:-10.88.0.3/16} "* ]]
	[ "$(inside "$PEER" ask tcp 198.51.100.2 80)" = 'outside 198.51.100.1' ]
}

answers() { # on its published port
	[ "$(timeout 5 ip netns exec out busybox wget -q -O- http://198.51.100.1:8080/)" = 'hello from the container' ]
}

# runs HEADING N [ADDRESS]: lines that run a container to its end, and then clean up.
runs() {
	follow "$1" "$2" &
	is_attached "${3-}"
	answers
	pkill -KILL -x httpd
	wait $! || :
	nothing_left
	does_not_run "$1" "$2"
}

# does_not_run HEADING N: no container without its network, here for lack of plugins.
does_not_run() {
	umount /opt/cni/bin
	follow "$1" "$2" >"$BATS_TEST_TMPDIR/refused" 2>&1 || [ $? != 124 ] # it ran until killed
	lxc_has_ended
	mount_plugins
	nothing_left
}

everything() {
	local name
	[ -n "${CONTROL-}" ] || state | sed 's/"counter":{[^}]*}/"counter":{}/g'
	ip -j link | jq -r '.[].ifname'
	find /run/netns /run/box.net "$BATS_TEST_TMPDIR/here" ! -name '*.json' 2>/dev/null || :
	for name in httpd bwrap unshare lxc systemd-nspawn crun runc containerd-sh starter; do
		pgrep -l "^$name" || :
	done
}

nothing_left() {
	diff <(echo "$before") <(everything)
	no timeout 2 ip netns exec out busybox wget -q -O- http://198.51.100.1:8080/
}

# crun, lxc and systemd-nspawn like version 2 alone. The machine's own are the only
# ones there are: what these leave is to be in one that goes again.
mount_cgroup2() {
	mount -t cgroup2 cgroup2 /sys/fs/cgroup || skip "no cgroups"
	mkdir -p "/sys/fs/cgroup/$CGROUP"
}

# Let that one be all there is.
show_own_cgroup() {
	mount --bind "/sys/fs/cgroup/$CGROUP" /sys/fs/cgroup
	shown=yes
}

clean_up_cgroups() {
	mountpoint -q /sys/fs/cgroup || return 0
	[ -z "${shown-}" ] || umount /sys/fs/cgroup
	remove_cgroups
	umount -R /sys/fs/cgroup
}

# lxc-start and lxc-stop return when the container has ended, before its monitor has.
lxc_has_ended() {
	timeout 10 sh -c 'while pgrep -x lxc-start; do sleep 0.01; done' >"$BATS_TEST_TMPDIR/ends"
}

# No images, no registry, and files that vanish with the sandbox.
buildah_host() {
	mkdir -p /etc/containers
	cat >/etc/containers/containers.conf <<-END
		[engine]
		runtime = "/usr/local/bin/crun"
		[containers]
		cgroups = "disabled"
	END
	cat >/etc/containers/storage.conf <<-END
		[storage]
		driver = "vfs"
		runroot = "/run/buildah/run"
		graphroot = "/run/buildah/graph"
	END
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	cat >/usr/local/bin/crun <<-'END'
		#!/bin/sh
		exec /usr/bin/crun --cgroup-manager=disabled "$@"
	END
	chmod +x /usr/local/bin/crun
}

# --- programs --------------------------------------------------------------------

@test "hawser run" {
	runs "hawser run" 1
}

@test "a script of one's own" {
	runs "A script of one's own" 1
}

@test "a script without hawser" {
	runs "Without hawser" 1 10.99.0.2/24
}

@test "unshare" {
	runs unshare 1
}

@test "bubblewrap in a namespace made before" {
	needs_client bwrap
	runs bubblewrap 1
}

@test "bubblewrap with a namespace of its own" {
	needs_client bwrap
	runs bubblewrap 2
}

# There is no systemd here to tell of the container, and to give it a cgroup.
@test "systemd-nspawn" {
	needs_client systemd-nspawn
	mount_cgroup2
	cat >/usr/local/bin/systemd-nspawn <<-END
		#!/bin/sh
		echo \$\$ >"/sys/fs/cgroup/$CGROUP/cgroup.procs"
		SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec /usr/bin/systemd-nspawn --register=no --keep-unit "\$@"
	END
	chmod +x /usr/local/bin/systemd-nspawn
	runs systemd-nspawn 1
}

@test "lxc" {
	needs_client lxc-start
	mount_cgroup2
	show_own_cgroup
	mkdir -p /var/lib/lxc/box
	cat - /etc/lxc/default.conf >/var/lib/lxc/box/config <<-END
		lxc.rootfs.path = dir:/srv/box
		lxc.init.cmd = /bin/httpd -f -p 80 -h /www
		lxc.signal.halt = SIGKILL
	END
	follow lxc 1
	is_attached
	answers
	follow lxc 2
	lxc_has_ended
	nothing_left
	does_not_run lxc 1
}

@test "buildah" {
	needs_client buildah
	mount_cgroup2
	show_own_cgroup
	buildah_host
	follow buildah 1 <<<'exec httpd -f -p 80 -h /www' &
	is_attached
	pkill -KILL -x httpd
	wait $! || :
	nothing_left
	does_not_run buildah 1 <<<'exec httpd -f -p 80 -h /www'
}

# --drop-caps: this machine may not have all the rest.
@test "apptainer" {
	needs_client apptainer
	cat >/usr/local/bin/apptainer <<-'END'
		#!/bin/bash
		exec /usr/bin/apptainer "$1" --drop-caps CAP_SYS_RESOURCE "${@:2}"
	END
	chmod +x /usr/local/bin/apptainer
	runs apptainer 1
}

# With docker's own network and its rules: nobody else's packets are forwarded.
@test "docker" {
	needs_client dockerd
	mount_cgroups
	sysctl -qw net.ipv4.ip_forward=0 # else docker leaves it to who has set it
	dockerd --data-root /run/docker/data --storage-driver vfs --cgroup-parent "/$CGROUP" \
		>"$BATS_TEST_TMPDIR/dockerd" 2>&1 </dev/null 3>&- &
	timeout 20 sh -c 'until docker version; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/version" 2>&1
	iptables -S FORWARD | grep -x -e '-P FORWARD DROP'
	tar -C /srv/box -c . | docker import - busybox
	follow docker 1
	warm_up
	follow docker 2
	is_attached 10.88.0.4/16
	answers
	follow docker 3
	nothing_left
}
