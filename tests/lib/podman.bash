# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman on a host of its own, 4 with CNI or 5 with netavark: a private /etc/containers,
# storage and cgroups that vanish with the sandbox, an image of nothing but busybox.

# shellcheck source=tests/lib/unpacked.bash
. "$(dirname "${BASH_SOURCE[0]}")/unpacked.bash"

SID=$(dirname "${BASH_SOURCE[0]}")/../../build/unpacked-sid

# podman_host [VERSION]: the first thing a test file's setup calls; skips where it cannot
# run. Without VERSION it is 4.3, the last that Debian has with CNI; 5 is that of sid.
podman_host() {
	PODMAN_VERSION=${1:-4.3}
	[ "$PODMAN_VERSION" = 4.3 ] || [ -d /run/usr ] || lay_over_usr "$SID"/*/
	command -v podman >/dev/null || skip "no podman"
	[[ $(podman --version) == "podman version $PODMAN_VERSION."* ]] || skip "no podman $PODMAN_VERSION"
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mountpoint -q /dev/shm || mount -t tmpfs tmpfs /dev/shm
	unset XDG_RUNTIME_DIR
	PODMAN_HOME=$BATS_FILE_TMPDIR/podman-$PODMAN_VERSION
	[ ! -d "$PODMAN_HOME" ] || return 0
	mkdir -p "$PODMAN_HOME" /etc/containers
	podman_conf /etc/containers /etc/cni/net.d "$PODMAN_HOME"
	podman_image "$PODMAN_HOME"
}

# podman_rootless_host [VERSION]: the same for an ordinary user with a home in /srv: podman
# gives rootless networks a /run and a /var/lib/cni of their own. podman is then that user's.
podman_rootless_host() {
	[ "$(id -u)" = 0 ] || skip "only root can make a user"
	command -v slirp4netns >/dev/null || skip "no slirp4netns"
	podman_host "$@"
	ROOTLESS=/srv/hawk
	PATH=/srv/bin:$PATH
	[ ! -d $ROOTLESS ] || return 0
	mount --make-shared /
	mount -t tmpfs tmpfs /srv
	mount -t tmpfs tmpfs /dev/net
	mknod -m 666 /dev/net/tun c 10 200
	echo 'hawk:x:4242:4242::/srv/hawk:/bin/sh' >>/etc/passwd
	echo 'hawk:100000:65536' | tee /etc/subuid >/etc/subgid
	mkdir -p $ROOTLESS/.config/containers /run/user/4242 /srv/bin
	cat >/srv/bin/podman <<-END
		#!/bin/sh
		exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i -C $ROOTLESS HOME=$ROOTLESS USER=hawk \
			XDG_RUNTIME_DIR=/run/user/4242 PATH="${PATH#/srv/bin:}" podman "\$@"
	END
	chmod +x /srv/bin/podman
	cp -r "$(readlink -f "${CNI_PATH%%:*}")" /srv/plugins
	CNI_PATH=/srv/plugins podman_conf $ROOTLESS/.config/containers $ROOTLESS/.config/cni/net.d $ROOTLESS
	chown -R 4242:4242 $ROOTLESS /run/user/4242
	podman_image $ROOTLESS
}

# podman_conf DIRECTORY CNI-NETWORKS STORAGE
podman_conf() {
	local plugins
	plugins=$(readlink -f "${CNI_PATH%%:*}")
	{
		echo '[network]'
		case $PODMAN_VERSION in
		4.*) printf '%s\n' 'network_backend = "cni"' "cni_plugin_dirs = [\"$plugins\"]" \
			"network_config_dir = \"$2\"" ;;
		*) printf '%s\n' 'network_backend = "netavark"' "netavark_plugin_dirs = [\"$plugins\"]" ;;
		esac
		cat <<-END
			[engine]
			cgroup_manager = "cgroupfs"
			events_logger = "file"
			runtime = "crun"
			[containers]
			cgroups = "disabled"
			default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "NET_RAW", "SETGID", "SETUID", "SYS_CHROOT"]
			log_driver = "k8s-file"
		END
	} >"$1/containers.conf"
	cat >"$1/storage.conf" <<-END
		[storage]
		driver = "vfs"
		runroot = "$3/run"
		graphroot = "$3/graph"
	END
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$1/policy.json"
}

podman_image() { # DIRECTORY
	local root=$1/root
	mkdir -p "$root"/{bin,etc,proc,sys,tmp,dev}
	cp "$(command -v busybox)" "$root/bin/busybox"
	chroot "$root" /bin/busybox --install -s /bin
	tar -C "$root" -c . | podman import - busybox:local >/dev/null 2>&1
}

# only_podman VERSION: the test is about what no other has.
only_podman() {
	[ "$PODMAN_VERSION" = "$1" ] || skip "of podman $1 only"
}

# network [OPTION...] NAME: one whose containers get here by our plugins.
network() {
	[ "$PODMAN_VERSION" != 5 ] || set -- --driver "${CONTROL:-hawser}" "$@"
	podman network create "$@" >/dev/null
}

# serve NAME [OPTION...]: a container that says its name on port 80, and on udp 53.
serve() {
	local name=$1
	shift
	podman run -d --name "$name" "$@" busybox:local sh -c \
		"echo $name >/tmp/index.html; exec httpd -f -p 80 -h /tmp" >/dev/null
	timeout 20 sh -c "until podman exec $name wget -q -O- http://127.0.0.1/ >/dev/null 2>&1; do :; done"
}

# killed NAME: the container and its monitor are, and then it is removed. podman may see
# that it ends, and fail, the first time.
killed() {
	kill -9 "$(podman inspect -f '{{.State.ConmonPid}}' "$1")" "$(podman inspect -f '{{.State.Pid}}' "$1")"
	timeout 20 sh -c "until podman rm -f -t 0 $1; do sleep 0.1; done" >/dev/null
}

client() { # OPTION... COMMAND: in a container that goes again
	podman run --rm "${@:1:$#-1}" busybox:local sh -c "${*: -1}"
}

fetch() { # URL [NAMESPACE]
	${2:+ip netns exec "$2"} busybox wget -q -O- "$1"
}

# podman_left_nothing STATE: neither of the containers nor of their networks; the bridge of
# the default network is podman's and ours to keep. The controls are not asked.
podman_left_nothing() {
	podman rm -f -a -t 0 >/dev/null
	podman network prune -f >/dev/null
	[ -z "${CONTROL-}" ] || return 0
	[ ! -e /sys/class/net/cni-podman0 ] || ip link del cni-podman0
	timeout 5 sh -c 'while [ -n "$(ls /run/containers/cni/dnsname 2>/dev/null)" ]; do sleep 0.01; done'
	diff <(echo "$1") <(podman_state)
}

podman_clean_up() {
	podman rm -f -a -t 0 >/dev/null 2>&1
	podman pod rm -f -a -t 0 >/dev/null 2>&1
	podman network prune -f >/dev/null 2>&1
	pkill -x dnsmasq
	clean_up
	rm -rf /run/containers/cni
}

# What containers and networks may leave on the host.
podman_state() {
	links_state
	nft -j list ruleset | jq -r '.nftables[] | .set, .map | select(.elem?) | "elements of \(.name)"'
	nft -j list ruleset | jq -r '.nftables[].chain.name | select(. != null and test("[0-9]")) | "chain \(.)"'
	iptables-save | grep '^-' || :
	ip6tables-save | grep '^-' || :
	find /run/containers/cni /var/lib/cni/results /var/lib/cni/networks /run/hawser -type f \
		! -name lock ! -name 'last_reserved*' ! -name '*.addresses' 2>/dev/null | sort || :
	ls /run/netns
	pgrep -a '^dnsmasq|^aardv' || :
}

# The user's part as well: the rootless namespace goes with its last container. podman
# keeps one process, which holds the user namespace.
podman_rootless_state() {
	links_state
	nft list ruleset
	find /run/netns /run/user/4242/netns /run/hawser /run/user/4242/containers/cni -type f ! -name lock 2>/dev/null || :
	ls /var/lib/cni
	pgrep -a '^dnsmasq|^aardv' || :
	pgrep -a '^conmon|^slirp' || :
	pgrep -a '^pasta' || :
}
