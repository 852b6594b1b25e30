#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# prepare-lab.sh BUILD: copy the kernels of LAB to BUILD/lab, with the link that
# not every way of sharing files keeps; print their trees, the newest last.
set -eu
build=$1
lab=${LAB:-../shared/tools/kernel}

for tree in "$lab"/umlnet-*; do
	copy=$build/lab/${tree##*/}
	if [ ! -d "$tree" ] || [ -d "$copy/lib/modules" ]; then
		continue
	fi
	mkdir -p "$build/lab"
	cp -r "$tree" "$build/lab/"
	chmod -R u+w "$build/lab"
	# where it is lost, a file has its text
	[ -L "$copy/lib/modules" ] ||
		ln -sfn "$(cat "$copy/lib/modules")" "$copy/lib/modules"
done
[ -d "$build/lab" ] || {
	echo "$lab: no kernels; tests/README.md says how to get some" >&2
	exit 2
}
printf '%s\n' "$build"/lab/* | sort -V
