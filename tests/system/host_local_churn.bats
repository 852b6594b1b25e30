#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=slow
#
# host-local and the Go reference on one directory: 32 workers who attach and
# detach containers, each time with one of the two, as many times as a busy node
# does in twenty minutes. Some calls are killed. (Model: tests/unit.)

load ../lib/system

CONF='{"cniVersion":"1.0.0","name":"n1","type":"bridge","ipam":{"type":"host-local",
 "ranges":[[{"subnet":"10.1.2.0/26"}],[{"subnet":"fd00:1::/122"}]]}}'
WORKERS=32
ROUNDS=30 # of each worker, an ADD and a DEL

setup() {
	[ -x "$REFERENCE_CNI/host-local" ] || skip "no reference plugins"
	HELD=$BATS_TEST_TMPDIR/held
	mkdir "$HELD"
}

# call COMMAND ID [LIMIT]: by either implementation; LIMIT seconds until it is killed.
call() {
	local bin=$CNI_BIN
	((RANDOM % 2)) || bin=$REFERENCE_CNI
	CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_IFNAME=eth0 CNI_NETNS=/run/netns/none \
		CNI_PATH=/none ${3:+timeout -s KILL "$3"} "$bin/host-local" <<<"$CONF"
}

# The addresses of a result, as names of files.
addresses() { # RESULT
	grep -oE '"address": ?"[^"]*' <<<"$1" | sed 's/.*"//; s,/.*,,'
}

# One who holds an address for itself alone, and says so if it does not.
worker() { # NUMBER
	local round result a limit
	RANDOM=$1
	for ((round = 0; round < ROUNDS; round++)); do
		limit=''
		((RANDOM % 8)) || limit=0.00$((RANDOM % 10))
		if result=$(call ADD "w$1-$round" $limit 2>/dev/null); then
			for a in $(addresses "$result"); do
				mkdir "$HELD/$a" || echo "w$1-$round: $a is another's"
			done
			for a in $(addresses "$result"); do
				rmdir "$HELD/$a"
			done
			echo added >&2
		elif [ -z "$limit" ] && [[ $result != *"no IP addresses available"* ]]; then
			echo "w$1-$round: $result"
		fi
		result=$(call DEL "w$1-$round") || echo "w$1-$round: DEL: $result"
	done
}

@test "32 workers, both implementations, some killed: no duplicate, nothing leaked" {
	for ((w = 1; w <= WORKERS; w++)); do
		worker "$w" >>"$BATS_TEST_TMPDIR/faults" 2>>"$BATS_TEST_TMPDIR/log" 3>&- &
	done
	wait
	cat "$BATS_TEST_TMPDIR/faults"
	[ ! -s "$BATS_TEST_TMPDIR/faults" ]
	[ "$(grep -c added "$BATS_TEST_TMPDIR/log")" -gt $((WORKERS * ROUNDS * 3 / 4)) ]
	[ -z "$(find /var/lib/cni/networks/n1 -name '[0-9f]*')" ]
	# what is free can be had: every address of the subnets
	for ((i = 0; i < 60; i++)); do
		call ADD "last$i" >/dev/null
	done
}
