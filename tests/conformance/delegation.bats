#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How bridge calls an IPAM plugin. A delegate is a shell script of our own.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

# gives JSON: a delegate that returns this on ADD.
gives() {
	delegate my-ipam <<-SH
		[ "\$CNI_COMMAND" != ADD ] || echo '$1'
	SH
	bridge_conf '.ipam = {type: "my-ipam"} | '"${2:-.}"
}

simple='{"cniVersion":"1.0.0","ips":[{"address":"10.5.5.5/24","gateway":"10.5.5.1"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.5.5.53"]}}'

# saw COMMAND [VAR=VALUE...]: the delegate got what the plugin got.
saw() {
	local command=$1
	shift
	cmp "$tmp/in" "$tmp/bin/my-ipam.$command.stdin" || fail 'another stdin'
	diff -u <(printf '%s\n' CNI_COMMAND="$command" CNI_CONTAINERID=c1 \
		CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 CNI_PATH="$ours" \
		CNI_ARGS='IgnoreUnknown=1;A=b' MORE='x y' | sort) \
		<(grep -E '^(CNI_|MORE=)' "$tmp/bin/my-ipam.$command.env") >&2
}

@test "a delegate's addresses, routes and DNS are those of the result" {
	gives "$simple"
	add bridge CNI_PATH="$ours"
	has '.ips == [{"address": "10.5.5.5/24", "gateway": "10.5.5.1", "interface": 2}]'
	has '.routes == [{"dst": "0.0.0.0/0"}] and .dns == {"nameservers": ["10.5.5.53"]}'
	eq "$(addresses a eth0)" 10.5.5.5/24
	sees '.[0].gateway == "10.5.5.1"' a route show default
	del bridge CNI_PATH="$ours"
	eq "$(calls my-ipam)" 'ADD DEL'
}

@test "a delegate gets the same bytes and environment on ADD, CHECK and DEL" {
	local vars=(CNI_ARGS='IgnoreUnknown=1;A=b' MORE='x y')
	gives "$simple" '. + {"zz": [1.50, "é<>&"], "a": {}}'
	# Bytes that would not survive being parsed and printed.
	conf=$'\n '${conf/'{'/$'{\t"b":1.50 , "b":2,\n'}$' \n'
	add bridge CNI_PATH="$ours" "${vars[@]}"
	saw ADD
	with_result CHECK bridge CNI_PATH="$ours" "${vars[@]}"
	silent
	saw CHECK
	cni DEL bridge CNI_PATH="$ours" "${vars[@]}"
	silent
	saw DEL
}

@test "a delegate is taken from the first directory of CNI_PATH that has it" {
	gives "$simple"
	mv "$tmp/bin/my-ipam" "$tmp/bin/host-local"
	bridge_conf
	mkdir -p "$tmp/first/host-local" "$tmp/empty"
	add bridge CNI_PATH="/no/such:$tmp/empty:$tmp/first:$ours"
	eq "$(addresses a eth0)" 10.5.5.5/24
	eq "$(calls host-local)" ADD
}

@test "a delegate in a later directory is found" {
	gives "$simple"
	add bridge CNI_PATH="$PLUGINS:$tmp/bin"
	eq "$(addresses a eth0)" 10.5.5.5/24
}

@test "a delegate's result without a version is read as that of the config" {
	version=0.4.0
	gives '{"ips":[{"version":"4","address":"10.5.5.5/24"}]}'
	add bridge CNI_PATH="$ours"
	has '.cniVersion == "0.4.0" and .ips[0].address == "10.5.5.5/24" and .ips[0].version == "4"'
}

@test "a delegate's result of 0.2.0 is understood" {
	version=0.2.0
	gives '{"cniVersion":"0.2.0","ip4":{"ip":"10.5.5.5/24","gateway":"10.5.5.1","routes":[{"dst":"10.9.0.0/16"}]}}'
	add bridge CNI_PATH="$ours"
	same "$(jq 'del(.dns)' <<<"$out")" '{cniVersion: $v, ip4: {ip: "10.5.5.5/24",
		gateway: "10.5.5.1", routes: [{dst: "10.9.0.0/16"}]}}'
	sees '.[0].gateway == "10.5.5.1"' a route show 10.9.0.0/16
}

@test "what a delegate writes to stderr goes to stderr" {
	delegate my-ipam <<-SH
		echo 'a word from IPAM' >&2
		echo '$simple'
	SH
	bridge_conf '.ipam = {type: "my-ipam"}'
	add bridge CNI_PATH="$ours"
	[[ $err == *'a word from IPAM'* ]] || fail "stderr: $err"
}

# fails_on COMMAND TEXT: a delegate that fails then, saying this.
fails_on() {
	delegate my-ipam <<-SH
		case \$CNI_COMMAND in
		$1) echo '$2'; exit 1 ;;
		ADD) echo '$simple' ;;
		esac
	SH
	bridge_conf '.ipam = {type: "my-ipam"}'
}

later='{"cniVersion":"1.0.0","code":11,"msg":"later, please","details":"in a minute"}'

@test "a delegate's error on ADD reaches the caller with its code and words" {
	fails_on ADD "$later"
	cni ADD bridge CNI_PATH="$ours"
	refused 11 'later, please.*in a minute'
}

@test "a delegate's error on CHECK reaches the caller with its code and words" {
	fails_on CHECK "$later"
	add bridge CNI_PATH="$ours"
	with_result CHECK bridge CNI_PATH="$ours"
	refused 11 'later, please'
}

@test "a delegate's error on DEL reaches the caller with its code and words" {
	fails_on DEL "$later"
	add bridge CNI_PATH="$ours"
	cni DEL bridge CNI_PATH="$ours"
	refused 11 'later, please'
}

@test "a delegate that failed on ADD is called with DEL" {
	fails_on ADD "$later"
	cni ADD bridge CNI_PATH="$ours"
	refused 11 later
	eq "$(calls my-ipam)" 'ADD DEL'
}

@test "a delegate that failed on ADD leaves no link" {
	fails_on ADD "$later"
	cni ADD bridge CNI_PATH="$ours"
	refused 11 later
	sees 'map(.ifname) == ["lo"]' a link
	sees 'length == 0' host link show type veth
}

@test "a failure after a delegate's ADD calls its DEL" {
	gives '{"cniVersion":"1.0.0","ips":[{"address":"10.5.5.5/24"}],"routes":[{"dst":"10.9.0.0/16","gw":"10.77.7.7"}]}'
	cni ADD bridge CNI_PATH="$ours" CNI_ARGS='IgnoreUnknown=1;A=b' MORE='x y'
	refused any .
	eq "$(calls my-ipam)" 'ADD DEL'
	saw DEL
}

@test "a delegate that returns no address is an error and gets DEL" {
	gives '{"cniVersion":"1.0.0"}'
	cni ADD bridge CNI_PATH="$ours"
	refused any 'missing IP'
	eq "$(calls my-ipam)" 'ADD DEL'
}

@test "a delegate that prints nothing, or nonsense, is an error" {
	local text
	for text in '' hello '[]' '{"ips":' '{"cniVersion":"1.0.0","ips":[{"address":"x"}]}' \
		'{"cniVersion":"9.9.9","ips":[{"address":"10.5.5.5/24"}]}'; do
		gives "$text"
		cni ADD bridge CNI_PATH="$ours"
		refused any . || fail "with '$text'"
		cni DEL bridge CNI_PATH="$ours"
	done
}

@test "a delegate that fails without an error object is an error" {
	delegate my-ipam <<-'SH'
		echo 'all is lost' >&2
		exit 3
	SH
	bridge_conf '.ipam = {type: "my-ipam"}'
	cni ADD bridge CNI_PATH="$ours"
	refused any 'all is lost'
}

@test "a delegate killed by a signal is an error" {
	delegate my-ipam <<<'kill -9 $$'
	bridge_conf '.ipam = {type: "my-ipam"}'
	cni ADD bridge CNI_PATH="$ours"
	refused any .
}

@test "DEL calls the delegate when CNI_NETNS is empty or gone" {
	gives "$simple"
	cni DEL bridge CNI_PATH="$ours" CNI_NETNS=
	silent
	cni DEL bridge CNI_PATH="$ours" CNI_NETNS=/run/netns/gone
	silent
	eq "$(calls my-ipam)" 'DEL DEL'
}

@test "without ipam no delegate is called" {
	gives "$simple" '.ipam = {type: ""}'
	add bridge CNI_PATH="$ours"
	del bridge CNI_PATH="$ours"
	eq "$(calls my-ipam)" ''
}
