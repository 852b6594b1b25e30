#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# unpack.sh DIR PACKAGE...: see to it that the files of these Debian packages are
# below DIR. Not installed, they start no service of theirs on the machine, which
# is not the tests' own. Tests that find nothing there say so. With SUITE they are
# of that release of Debian, from where the machine has its own from.
set -eu

dir=$1
shift
command -v dpkg-deb >/dev/null || exit 0

# apt ARGUMENT...: apt-get, which for another release has lists of its own.
apt() {
	set -- -qq -o APT::Sandbox::User=root "$@"
	[ -z "${SUITE-}" ] || set -- -o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" "$@"
	apt-get "$@"
}

name_sources() {
	mkdir -p lists/partial cache/archives/partial
	# shellcheck disable=SC2016 # apt's
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1 |
		sed "s|.*|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] & $SUITE main|" >sources.list
}

for package in "$@"; do
	[ ! -d "$dir/$package" ] || continue
	echo "unpacking: $package" >&2
	mkdir -p "$dir"
	(
		cd "$dir"
		[ -z "${SUITE-}" ] || name_sources
		apt download "$package" 2>/dev/null || { apt update && apt download "$package"; }
		dpkg-deb -x "$package"_*.deb "$package"
	) || echo "no $package" >&2
done
