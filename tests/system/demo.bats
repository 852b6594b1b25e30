#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make demo, the first that a stranger sees: each of its steps says what it should.

load ../lib/system

teardown() {
	clean_up
}

@test "the demo shows what it says, to its end" {
	HAWSER_DEMO=1 PATH=$CNI_BIN:$PATH run timeout -k 1 60 "$BATS_TEST_DIRNAME"/../demo.sh 3>&-
	ok
	[[ $output == *"Nothing is left but the bridge"* ]]
}
