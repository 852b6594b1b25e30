#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# in-kernel.sh TREE COMMAND...: run a command under the User Mode Linux kernel in
# TREE, as root, with this machine's files below it and nothing written to them.
# LAB is the directory of run-in-kernel.sh. Status: the command's.
#
# Such a kernel has one processor and is fastest if the host gives it one: that
# of SLOT, where several run at once.
set -eu
tree=$1
shift
pin=()
[ -z "${SLOT-}" ] || pin=(taskset -c "$((SLOT % $(nproc)))")
export HAWSER_LAB=1 LAB=${LAB:-../shared/tools/kernel}
exec "${pin[@]}" "$LAB/run-in-kernel.sh" --kernel uml --kernel-tree "$tree" \
	--timeout "${KERNEL_TIMEOUT:-1500}" -- "$@"
