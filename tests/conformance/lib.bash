# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lib.bash: what the conformance tests share. A test knows a plugin only by
# its environment and stdin, its stdout and exit status, and the kernel.
#
# Filters of jq name its variables, which are not the shell's:
# shellcheck disable=SC2016
#
# From the script `run` come PLUGINS (the directory under test) and SUPPORTED
# (the versions its bridge plugin speaks).

nets=/var/lib/cni/networks

# What a call works with; a test changes these or the filters of *_conf.
setup() {
	tmp=$BATS_TEST_TMPDIR
	version=1.0.0 cid=c1 ifname=eth0 netns=/run/netns/a
	conf='' out='' err='' result='' status=0
	netns_new a
}

setup_file() {
	local dev
	# Only links of the default group are swept away after a test.
	for dev in /sys/class/net/*; do
		[ ! -L "$dev" ] || ip link set "${dev##*/}" group 1
	done
	find /run -mindepth 1 -maxdepth 1 >"$BATS_FILE_TMPDIR/run"
}

# The next test starts with nothing a plugin made, wherever it was put.
teardown() {
	clean_up
}

clean_up() {
	local dev
	# One request removes them all, as long as they have a group.
	for dev in $(ipj host link show group default | jq -r '.[].ifname'); do
		ip link set "$dev" group 2 2>/dev/null || true
	done
	ip link del group 2 2>/dev/null || true
	ip -all netns delete
	nft flush ruleset
	rm -rf /var/lib/cni
	mkdir /var/lib/cni
	find /run -mindepth 1 -maxdepth 1 |
		grep -vxFf "$BATS_FILE_TMPDIR/run" | xargs -r rm -rf
	echo 0 >/proc/sys/net/ipv4/ip_forward
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# need VERSION: skip the test where that version is not spoken.
need() {
	case " $SUPPORTED " in
	*" $1 "*) ;;
	*) skip "plugin supports versions up to ${SUPPORTED##* }" ;;
	esac
	version=$1
}

# offers PLUGIN: skip the test where the directory does not have it.
offers() {
	[ -x "$PLUGINS/$1" ] || skip "no plugin $1"
}

netns_new() {
	ip netns add "$1"
	ip -n "$1" link set lo up
}

# Configs. FILTER is a jq filter that changes the usual one.

# set_conf JSON-FILTER [FILTER]
set_conf() {
	conf=$(jq -cn --arg v "$version" "$1 | ${2:-.}")
}

bridge_conf() {
	set_conf '{cniVersion: $v, name: "net", type: "bridge", bridge: "br0",
		ipam: {type: "host-local", subnet: "10.1.2.0/24"}}' "${1-}"
}

# The same with an address of each family.
dual_conf() {
	bridge_conf '.ipam = {type: "host-local", ranges: [
		[{subnet: "10.1.2.0/24"}], [{subnet: "2001:db8:1::/64"}]]} |
		'"${1:-.}"
}

# host-local alone; the filter changes the ipam object.
ipam_conf() {
	set_conf '{cniVersion: $v, name: "net", type: "test",
		ipam: {type: "host-local", subnet: "10.1.2.0/24"}}' \
		".ipam |= (${1:-.})"
}

# Calls.

# cni COMMAND PLUGIN [VAR=VALUE...]: call a plugin with $conf on stdin; leaves
# $status, $out and $err.
cni() {
	local command=$1 plugin=$2
	shift 2
	printf %s "$conf" >"$tmp/in"
	status=0
	timeout 30 env -i PATH="$PATH" CNI_COMMAND="$command" \
		CNI_CONTAINERID="$cid" CNI_NETNS="$netns" \
		CNI_IFNAME="$ifname" CNI_PATH="$PLUGINS" "$@" \
		"$PLUGINS/$plugin" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" ||
		status=$?
	out=$(<"$tmp/out")
	err=$(<"$tmp/err")
}

# The call succeeded, and said nothing where there is nothing to say.
silent() {
	[ "$status" = 0 ] || fail "exit status $status: $out $err" || return
	[ -z "$out" ] || fail "unexpected output: $out"
}

# add PLUGIN [VAR=VALUE...]: an ADD that must succeed; its result is kept for
# the CHECK and DEL that follow.
add() {
	cni ADD "$@"
	[ "$status" = 0 ] || fail "ADD, exit status $status: $out $err" ||
		return
	jq -es 'length == 1 and (.[0] | type == "object")' <<<"$out" \
		>/dev/null || fail "ADD printed: $out" || return
	result=$out
}

# with_result COMMAND PLUGIN [VAR=VALUE...]: a call with prevResult.
with_result() {
	local conf=$conf
	conf=$(jq -c --argjson r "$result" '.prevResult = $r' <<<"$conf")
	cni "$@"
}

check() {
	with_result CHECK "$@"
	silent
}

del() {
	cni DEL "$@"
	silent
}

# refused CODES PATTERN: the last call failed with status 1 and one error
# object whose code is one of CODES ("any" will do for all) and whose words
# match PATTERN.
refused() {
	local words code
	[ "$status" = 1 ] ||
		fail "exit status $status, not 1: $out $err" || return
	words=$(jq -ers 'if length == 1 then .[0] | select((.code | type) ==
		"number" and .code != 0 and (.msg | type) == "string" and
		.msg != "") else empty end |
		"\(.code) \(.msg) \(.details // "")"' <<<"$out") ||
		fail "not one error object: $out" || return
	code=${words%% *}
	case " $1 " in
	' any ' | *" $code "*) ;;
	*) fail "code $code, not $1: $words" || return ;;
	esac
	shopt -s nocasematch
	[[ ${words#* } =~ $2 ]] || code=none
	shopt -u nocasematch
	[ "$code" != none ] || fail "no '$2' in: $words"
}

# Looking at what came of it.

# has FILTER [JSON]: the filter is true of the last output.
has() {
	jq -e "$1" <<<"${2-$out}" >/dev/null ||
		fail "not so: $1" "in: ${2-$out}"
}

# same JSON FILTER: both are the same value, the order of keys aside.
same() {
	diff -u --label expected --label found \
		<(jq -n --arg v "$version" "$2") <(jq . <<<"$1") >&2
}

eq() {
	[ "$1" = "$2" ] || fail "'$1' is not '$2'"
}

# sees FILTER NAMESPACE ARG...: the filter is true of `ip -j ARG...` there.
# "host" is the namespace the plugins run in.
sees() {
	local filter=$1
	shift
	has "$filter" "$(ipj "$@")"
}

ipj() {
	local ns=$1 json
	shift
	if [ "$ns" = host ]; then
		json=$(ip -d -j "$@" 2>/dev/null) || json=
	else
		json=$(ip -n "$ns" -d -j "$@" 2>/dev/null) || json=
	fi
	echo "${json:-[]}"
}

mac_of() {
	ipj "$1" link show dev "$2" | jq -r '.[0].address'
}

# The host's ends of the pairs that hang on br0.
ports() {
	ipj host link show master br0 | jq -r '.[].ifname'
}

# addresses NAMESPACE DEV [SCOPE]
addresses() {
	ipj "$1" addr show dev "$2" scope "${3-global}" | jq -r '[.[].addr_info[] |
		select(.local) | "\(.local)/\(.prefixlen)"] | join(" ")'
}

# reserved [NETWORK]: the addresses that have a file. A plugin may keep other
# files there too.
# shellcheck disable=SC2120 # the tests do pass a network
reserved() {
	[ ! -d "$nets/${1-net}" ] || find "$nets/${1-net}" -type f \
		-regextype egrep -regex \
		'.*/([0-9]+([.][0-9]+){3}|[0-9a-f:]*:[0-9a-f:.]*)' -printf '%f\n' |
		sort | paste -sd' '
}

# Everything a call that failed must not have changed.
snapshot() {
	ipj host addr | jq -c '.[] | [.ifname, .address, .master,
		[.addr_info[] | select(.scope == "global") | .local]]' | sort
	ipj a addr | jq -c '.[] | [.ifname, .address,
		[.addr_info[] | select(.scope == "global") | .local]]'
	ipj a route
	reserved net
	nft list ruleset
}

# outside: a namespace "out" next to the host, 192.0.2.2 and 2001:db8:ff::2.
# It has no route to a container, so it answers only what was translated, and
# counts what came from the host's address and what came from a container's.
outside() {
	netns_new out
	ip link add out0 type veth peer name eth0 netns out
	ip addr add 192.0.2.1/24 dev out0
	ip addr add 2001:db8:ff::1/64 dev out0 nodad
	ip link set out0 up
	ip -n out addr add 192.0.2.2/24 dev eth0
	ip -n out addr add 2001:db8:ff::2/64 dev eth0 nodad
	ip -n out link set eth0 up
	counters out <<-'NFT'
		ip saddr 192.0.2.1 icmp type echo-request counter name host
		ip6 saddr 2001:db8:ff::1 icmpv6 type echo-request counter name host
		ip saddr 10.1.2.0/24 counter name container
		ip6 saddr 2001:db8:1::/64 counter name container
	NFT
}

# counters NAMESPACE <rules: count arriving packets as "host", "container".
counters() {
	ip netns exec "$1" nft -f - <<-NFT
		table inet count {
			counter host { }
			counter container { }
			chain in {
				type filter hook input priority 0;
				$(cat)
			}
		}
	NFT
}

# counted NAMESPACE COUNTER
counted() {
	ip netns exec "$1" nft -j list counter inet count "$2" |
		jq '.nftables[] | .counter.packets // empty'
}

# pings NAMESPACE ADDRESS: one packet there and back.
pings() {
	ip netns exec "$1" ping -n -q -c 1 -W "${3-3}" "$2" >/dev/null
}

# delegate NAME <<script: an IPAM plugin of our own, a shell script in a
# directory before the others, where it keeps its notes: NAME.COMMAND.stdin
# and NAME.COMMAND.env for each command it got, NAME.calls for their order.
# It is found by CNI_PATH="$ours".
delegate() {
	mkdir -p "$tmp/bin"
	# shellcheck disable=SC2034 # for the tests
	ours=$tmp/bin:$PLUGINS
	{
		cat <<-'SH'
			#!/bin/sh
			note=$0.$CNI_COMMAND
			echo "$CNI_COMMAND" >>"$0.calls"
			cat >"$note.stdin"
			env | sort >"$note.env"
		SH
		cat
	} >"$tmp/bin/$1"
	chmod +x "$tmp/bin/$1"
}

calls() {
	[ ! -f "$tmp/bin/$1.calls" ] || paste -sd' ' "$tmp/bin/$1.calls"
}
