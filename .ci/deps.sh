#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deps.sh PACKAGE...: see to it that these Debian packages are installed. As
# root, apt installs what is missing; anybody else is told.
set -eu

command -v dpkg-query >/dev/null || exit 0 # not a Debian: the build will tell

missing=
for package in "$@"; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || :) in
	"install ok installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "missing Debian packages:$missing" >&2
	echo "install them with: sudo apt-get install -y$missing" >&2
	exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of names
apt-get install -y -qq --no-install-recommends $missing >/dev/null
