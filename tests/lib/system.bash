# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the system tests share. They run inside tests/lib/sandbox.sh.

# shellcheck source=tests/lib/features.bash
. "$BATS_TEST_DIRNAME/../lib/features.bash"

CNI_BIN=${CNI_BIN:-$BATS_TEST_DIRNAME/../../build/bin}
REFERENCE_CNI=${REFERENCE_CNI:-/usr/lib/cni}
export CNI_PATH=$CNI_BIN

# cni COMMAND PLUGIN CONTAINER [VARIABLE=VALUE...]: one call as a runtime makes
# it, the configuration on stdin. CONTAINER names the namespace as well.
cni() {
	local command=$1 plugin=$2 container=$3
	shift 3
	env CNI_COMMAND="$command" CNI_CONTAINERID="$container" \
		CNI_NETNS="/run/netns/$container" CNI_IFNAME=eth0 "$@" \
		"${CNI_PATH%%:*}/$plugin"
}

# try ...: the same under bats' run, keeping the configuration.
try() {
	run cni "$@" <<<"$CONF"
}

# conf JQ-FILTER: the base configuration of this file, changed.
conf() {
	CONF=$(jq -c "$1" <<<"$BASE_CONF")
}

# with_result: the configuration that CHECK and DEL get after ADD said $output.
with_result() {
	CONF=$(jq -c --argjson result "$output" '. + {prevResult: $result}' <<<"$CONF")
}

# add CONTAINER [VARIABLE=VALUE...]: a bridge ADD that must succeed, in a namespace
# of its own.
add() {
	[ -e "/run/netns/$1" ] || ip netns add "$1"
	try ADD bridge "$@"
	ok
}

# Everything that a test of ours may have made in the sandbox.
clean_up() {
	ip netns list | awk '{print $1}' | xargs -r -n 1 ip netns del
	ip -j link show type bridge | jq -r '.[].ifname' | xargs -r -n 1 ip link del
	ip -j link show type veth | jq -r '.[].ifname' | xargs -r -n 1 ip link del 2>/dev/null || : # one may go by itself
	nft flush ruleset
	rm -rf /var/lib/cni/* /etc/cni/net.d/* /run/hawser
}

json() { # JQ-FILTER: of $output
	jq -e "$1" <<<"$output" >/dev/null || {
		echo "not so: $1" >&2
		echo "$output" >&2
		return 1
	}
}

ok() {
	[ "$status" = 0 ] || {
		echo "status $status: $output" >&2
		return 1
	}
}

# refused CODE WORDS...: the last call failed with that code, an error JSON, and
# a message that has the words.
refused() {
	local code=$1 word
	shift
	[ "$status" = 1 ] || {
		echo "status $status: $output" >&2
		return 1
	}
	json ".code == $code and (.msg | length > 0) and (.cniVersion | length > 0)" || return 1
	for word in "$@"; do
		[[ $(jq -r '.msg + " " + (.details // "")' <<<"$output") == *"$word"* ]] || {
			echo "\"$word\" is not in: $output" >&2
			return 1
		}
	done
}

# no COMMAND...: it must fail. (bats lets a bare "!" pass.)
no() {
	! "$@"
}

# lacks TEXT COMMAND...: the command does not print it.
lacks() {
	local text=$1 printed
	shift
	printed=$("$@" 2>&1)
	[[ $printed != *"$text"* ]] || {
		echo "\"$text\" is in: $printed" >&2
		return 1
	}
}

# A test that runs a plugin under strace, where the leak sanitizer cannot.
needs_strace() {
	command -v strace >/dev/null || skip "no strace"
	export ASAN_OPTIONS=detect_leaks=0
}

# Links, addresses and routes, of the host and of every named namespace.
links_state() {
	local ns
	for ns in '' $(ip netns list | awk '{print $1}' | sort); do
		ip ${ns:+-n "$ns"} -j addr
		ip ${ns:+-n "$ns"} -j route
		ip ${ns:+-n "$ns"} -6 -j route
	done | jq -c 'map(select(.ifname != "lo" and .dst != "fe80::/64") |
		if .ifname then {ifname, address, mtu, master, ifalias,
			flags: (.flags - ["LOWER_UP", "NO-CARRIER"]),
			addr: [.addr_info[] | select(.scope == "global") | {local, prefixlen}]}
		else del(.flags) end)'
}

# The whole state that a plugin could leave something in. Counters, indexes and
# lifetimes vary by themselves; the empty table, the round-robin memory of the
# address store and its index are meant to stay (with the index's next one, where a
# call was killed that wrote it).
state() {
	links_state
	nft -j list ruleset | jq -c '.nftables | map(select(.metainfo | not) | del(.. | .handle?))'
	find /var/lib/cni /run/hawser -type f ! -name lock ! -name 'last_reserved_ip.*' \
		! -name '*.addresses' ! -name '*.addresses.new' 2>/dev/null |
		sort | xargs -r sha256sum
}

same_state() { # BEFORE
	diff <(echo "$1") <(state)
}
