#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# as-user.sh COMMAND [ARG...]: run it as an ordinary user in a copy of the tree
# that this user can read. Who is one already just runs it.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || exec "$@"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -c --exclude='*.o' --exclude='log*' --exclude=lab --exclude='*.deb' --exclude='unpacked-*' \
	--exclude=docker.io --exclude=containerd .ci Makefile README.md LICENSE \
	build* plugins tests conf-examples | tar -x -C "$copy"
chown -R nobody "$copy"
chmod -R a+rX "$copy"
cd "$copy"
HOME=$copy setpriv --reuid nobody --regid nogroup --clear-groups -- "$@"
