#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make install and make deb put where, that it works from there, and that the
# manual pages and the completion know all there is.

load ../lib/system

setup() {
	root=$(readlink -f "$BATS_TEST_DIRNAME/../..")
	target=$BATS_TEST_TMPDIR/target
	plugins=$(cd "$CNI_BIN" && echo * | sed 's/ hawser//')
}

teardown() {
	clean_up
}

installs() { # WORDS OF MAKE...
	command -v make >/dev/null || skip "no make"
	make -s -C "$root" -o all install O="$(dirname "$CNI_BIN")" DESTDIR="$target" "$@"
}

# Each file below it, plugins as how many there are of them.
layout() {
	(cd "$1" && find . ! -type d ! -path '*/cni/*' | sort)
	for dir in opt/cni/bin "$2"; do
		[ "$(cd "$1/$dir" && echo *)" = "$plugins" ]
		[ "$(stat -c %h "$1/$dir/bridge")" = "$(wc -w <<<"$plugins")" ]
	done
}

@test "install, use it from there, uninstall" {
	installs
	layout "$target" usr/local/libexec/cni >"$BATS_TEST_TMPDIR/files"
	diff "$BATS_TEST_TMPDIR/files" - <<-END
		./usr/local/bin/hawser
		./usr/local/lib/systemd/system/cni-dhcp.service
		./usr/local/lib/systemd/system/cni-dhcp.socket
		./usr/local/lib/systemd/system/hawser-reload.service
		./usr/local/libexec/netavark/hawser
		./usr/local/share/bash-completion/completions/hawser
		./usr/local/share/man/man1/hawser.1
		./usr/local/share/man/man8/hawser-plugins.8
		./usr/share/containers/oci/hooks.d/hawser.json
	END
	[ "$(readlink "$target/usr/local/libexec/netavark/hawser")" = /usr/local/bin/hawser ]
	export CNI_PATH=$target/opt/cni/bin
	ip netns add c1
	cp "$root/conf-examples/dual-stack.conflist" /etc/cni/net.d/
	"$target/usr/local/bin/hawser" add dual-stack c1
	"$target/usr/local/bin/hawser" del dual-stack c1
	make -s -C "$root" uninstall DESTDIR="$target"
	[ -z "$(find "$target" ! -type d)" ]
}

@test "elsewhere: the units and the hook know where" {
	installs PREFIX=/p CNIBINDIR=/c UNITDIR=/u HOOKSDIR=/h
	jq -e '.hook.path == "/p/bin/hawser"' "$target/h/hawser.json"
	grep -qx 'ExecStart=/c/dhcp daemon' "$target/u/cni-dhcp.service"
	grep -qx 'ExecStart=/p/bin/hawser reload' "$target/u/hawser-reload.service"
	no grep -r 'opt/cni\|usr/local' "$target/h" "$target/u"
	make -s -C "$root" uninstall DESTDIR="$target" PREFIX=/p CNIBINDIR=/c UNITDIR=/u HOOKSDIR=/h
	[ -z "$(find "$target" ! -type d)" ]
}

@test "a Debian package: installed, used, removed, nothing left" {
	command -v dpkg-shlibdeps >/dev/null || skip "no dpkg-dev"
	local deb db=$BATS_TEST_TMPDIR/db
	mkdir -p "$db"/{updates,info} "$target"
	touch "$db/status" "$db/available"
	deb=$("$root/.ci/deb.sh" "$BATS_TEST_TMPDIR" 0.1 "$(dirname "$CNI_BIN")" | grep -o '/.*\.deb')
	dpkg() { command dpkg --admindir="$db" --instdir="$target" --force-depends --log=/dev/null "$@"; }
	dpkg -i "$deb"
	layout "$target" usr/libexec/cni >"$BATS_TEST_TMPDIR/files"
	grep -qx ./usr/share/containers/oci/hooks.d/hawser.json "$BATS_TEST_TMPDIR/files"
	grep -qx ./usr/libexec/netavark/hawser "$BATS_TEST_TMPDIR/files"
	"$target/usr/bin/hawser" --version
	[[ $(dpkg-deb -f "$deb" Depends) = *libcjson1*libmnl0* ]]
	lacks '<<' dpkg-deb -f "$deb" Depends
	dpkg -P hawser
	[ -z "$(find "$target" ! -type d)" ]
}

@test "the manual pages name each plugin, command, option, and key of the examples" {
	local page=$root/plugins/man/hawser.1 plugin command option key
	for plugin in $plugins; do
		grep -qE "^\.It Cm (.* )?$plugin( |\$)" "$root/plugins/man/hawser-plugins.8"
	done
	for key in $(jq -r '.plugins[] | (., .ipam // {}) | keys[]' "$root"/conf-examples/*.conflist | sort -u); do
		case $key in
		type | ipam | capabilities) ;;
		*) grep -qE "^\.Ql $key( |\$)" "$root/plugins/man/hawser-plugins.8" ;;
		esac
	done
	for command in $(commands) "ipam show"; do
		grep -qE "^\.Cm (.* )?$command( |\$)" "$page"
		# shellcheck disable=SC2086 # two words
		for option in $("$CNI_BIN/hawser" $command --help | grep -oE -- '^ .* --[a-z-]+' | grep -oE -- '-[a-z-]+$'); do
			option=${option#-}
			[ "$option" = -usage ] || grep -qE "^\.It Fl . , $option( |\$)" "$page"
		done
	done
}

commands() {
	"$CNI_BIN/hawser" --help | sed -n '/^Commands/,$s/^  \([a-z]*\)  .*/\1/p'
}

# completed WORD...: what may stand in the place of the last, which may be empty.
completed() {
	COMP_WORDS=("$CNI_BIN/hawser" "$@")
	COMP_CWORD=$#
	_hawser
	echo "${COMPREPLY[@]}"
}

@test "completion: commands, options, networks, namespaces" {
	# shellcheck source=plugins/runtime/completion.bash
	source "$root/plugins/runtime/completion.bash"
	cp "$root"/conf-examples/{ptp,podman}.conflist /etc/cni/net.d/
	ip netns add box
	[ "$(completed '')" = "$(commands | xargs)" ]
	[ "$(completed st)" = status ]
	[ "$(completed add '')" = "podman ptp" ]
	[ "$(completed add pt)" = ptp ]
	[ "$(completed add --conf dir -j pt)" = ptp ]
	[ "$(completed add --json ptp '')" = box ]
	[ "$(completed add ptp '')" = box ]
	[ "$(completed run --net p)" = "podman ptp" ]
	[ "$(completed run --pub)" = --publish ]
	[ "$(completed ipam '')" = "list show free" ]
	[ "$(completed ipam show --da)" = --data-dir ]
	[ "$(completed netns exec '')" = box ]
}

@test "nothing of one version of libc" {
	command -v objdump >/dev/null || skip "no binutils"
	lacks GLIBC_PRIVATE objdump -T "$CNI_BIN/bridge"
}
