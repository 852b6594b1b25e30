#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# unpack.sh DIR PACKAGE...: see to it that the files of these Debian packages are
# below DIR. Not installed, they start no service of theirs on the machine, which
# is not the tests' own. Tests that find nothing there say so.
set -eu

dir=$1
shift
command -v dpkg-deb >/dev/null || exit 0

fetch() {
	apt-get download -qq -o APT::Sandbox::User=root "$1"
}

for package in "$@"; do
	[ ! -d "$dir/$package" ] || continue
	echo "unpacking: $package" >&2
	mkdir -p "$dir"
	(
		cd "$dir"
		fetch "$package" 2>/dev/null || { apt-get update -qq && fetch "$package"; }
		dpkg-deb -x "$package"_*.deb "$package"
	) || echo "no $package" >&2
done
