#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make install puts where, and that it works from there.

load ../lib/system

setup() {
	root=$BATS_TEST_DIRNAME/../..
	target=$BATS_TEST_TMPDIR/target
	command -v make >/dev/null || skip "no make"
}

teardown() {
	clean_up
}

@test "install, use it from there, uninstall" {
	make -C "$root" -o all install O="$(dirname "$CNI_BIN")" DESTDIR="$target"
	built=$(cd "$CNI_BIN" && echo * | sed 's/ hawser//')
	[ "$(cd "$target/opt/cni/bin" && echo *)" = "$built" ]
	[ "$(stat -c %h "$target/opt/cni/bin/bridge")" = "$(wc -w <<<"$built")" ]
	export CNI_PATH=$target/opt/cni/bin
	ip netns add c1
	cp "$root/conf-examples/dual-stack.conflist" /etc/cni/net.d/
	"$target/usr/local/bin/hawser" add dual-stack c1
	"$target/usr/local/bin/hawser" del dual-stack c1
	make -C "$root" uninstall DESTDIR="$target"
	[ -z "$(find "$target" -type f)" ]
}
