#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lint.sh CPPFLAGS...: format, mistakes, and the rules of netlib/README.md that
# a machine can check. Every check runs; the exit status says if all passed.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
sources=$(git ls-files '*.c' '*.h')
units=$(git ls-files 'netlib/*.c' 'plugins/*.c')
scripts=$(git ls-files '*.sh' '*.bash' '*.bats' .ci/run tests/run \
	tests/conformance/run tests/bench/run tests/bench/containerd tests/bench/podman tests/clients/replay)
pages=$(git ls-files '*.[18]')

fail() {
	printf 'lint: %s\n' "$*" >&2
	status=1
}

# Includes go down only: plugins, service, cni or kernel, base. cni and kernel
# do not know each other.
check_includes() {
	local found
	found=$(grep -nE '^#include "(kernel|cni|service|plugins|interface|ipam|meta|runtime)' \
		netlib/base/*.[ch]
		grep -nE '^#include "(kernel|service|plugins|interface|ipam|meta|runtime)' \
			netlib/cni/*.[ch] | grep -v '"ipam.h"'
		grep -nE '^#include "(cni|service|plugins|interface|ipam|meta|runtime)' \
			netlib/kernel/*.[ch]
		grep -nE '^#include "(plugins|interface|ipam/|meta|runtime)' \
			netlib/service/*.[ch])
	[ -z "$found" ] || fail "includes that go up:
$found"
}

# Nobody runs a shell, and the library neither prints nor ends the process.
# shellcheck disable=SC2086 # a list of names
check_forbidden_calls() {
	local found
	found=$(grep -nE '\b(system|popen|strcpy|strcat|sprintf)\(' \
		$units
		grep -nE '\b(exit|getenv|printf|puts)\(' \
			netlib/{base,kernel,service}/*.c)
	[ -z "$found" ] || fail "calls that have no place here:
$found"
}

check_licence() {
	local f
	for f in $sources $scripts $pages Makefile; do
		head -n 3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
			fail "$f: no SPDX line"
	done
}

check_pages() {
	local found
	# shellcheck disable=SC2086 # a list of names
	found=$(mandoc -T lint -W warning $pages)
	[ -z "$found" ] || fail "manual pages:
$found"
}

# shellcheck disable=SC2086 # lists of names
{
	clang-format --dry-run -Werror $sources || fail "format: make format"
	printf '%s\n' $units |
		xargs -P "$(nproc)" -n 4 sh -c \
			'flags=$1; shift; clang-tidy --quiet "$@" -- -std=gnu11 $flags 2>/dev/null' \
			sh "$*" || fail "clang-tidy"
	cppcheck -j "$(nproc)" --quiet --enable=warning,portability --inline-suppr \
		--suppress=nullPointerRedundantCheck --suppress=varFuncNullUB --error-exitcode=1 \
		--std=c11 -D_GNU_SOURCE -Inetlib -Iplugins \
		$units || fail "cppcheck"
	printf '%s\n' $scripts | xargs -P "$(nproc)" -n 6 shellcheck -x || fail "shellcheck"
}
check_includes
check_forbidden_calls
check_pages
check_licence
[ $status != 0 ] || echo "lint: clean"
exit $status
