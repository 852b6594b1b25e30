#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The protocol between runtime and plugin: VERSION, environment, stdin, errors.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

# bare PLUGIN [VAR=VALUE...]: a call with nothing else in its environment.
bare() {
	local plugin=$1
	shift
	status=0
	timeout 30 env -i "$@" "$PLUGINS/$plugin" </dev/null >"$tmp/out" \
		2>"$tmp/err" || status=$?
	out=$(<"$tmp/out")
	err=$(<"$tmp/err")
}

version_of() {
	bare "$1" CNI_COMMAND=VERSION
	eq "$status" 0
	has '(.cniVersion | type == "string") and
		(.supportedVersions | index("0.4.0") and index("1.0.0"))'
	has '.supportedVersions | all(test("^[0-9]+[.][0-9]+[.][0-9]+$"))'
}

about() {
	bare "$1"
	eq "$status" 0
	eq "$out" ''
	[[ $err =~ ^"CNI $1 plugin "[^$'\n']+$'\n'"CNI protocol versions supported: 0.1.0, " ]] ||
		fail "stderr: $err"
	[[ $err == *" ${SUPPORTED##* }"* ]] || fail "stderr: $err"
}

@test "bridge answers VERSION with nothing but CNI_COMMAND set" { version_of bridge; }
@test "host-local answers VERSION with nothing but CNI_COMMAND set" { version_of host-local; }
@test "loopback answers VERSION with nothing but CNI_COMMAND set" { version_of loopback; }

@test "VERSION answers with the cniVersion it was asked with" {
	conf='{"cniVersion":"0.4.0"}'
	cni VERSION bridge
	has '.cniVersion == "0.4.0"'
}

@test "VERSION ignores bad values of the other variables" {
	conf='{"cniVersion":"1.0.0"}'
	cni VERSION bridge CNI_CONTAINERID=/ CNI_IFNAME=a/b CNI_NETNS=x CNI_PATH=
	eq "$status" 0
	has '.supportedVersions | length > 1'
}

@test "bridge without CNI_COMMAND tells its version on stderr and exits with 0" { about bridge; }
@test "host-local without CNI_COMMAND tells its version on stderr and exits with 0" { about host-local; }
@test "loopback without CNI_COMMAND tells its version on stderr and exits with 0" { about loopback; }

@test "ADD without a variable it needs is error 4 and names the variable" {
	bridge_conf
	cni ADD bridge CNI_CONTAINERID=
	refused 4 CNI_CONTAINERID
	cni ADD bridge CNI_NETNS=
	refused 4 CNI_NETNS
	cni ADD bridge CNI_IFNAME=
	refused 4 CNI_IFNAME
	eq "$(reserved)" ''
}

@test "DEL without a variable it needs is error 4 and names the variable" {
	bridge_conf
	cni DEL bridge CNI_CONTAINERID=
	refused 4 CNI_CONTAINERID
	cni DEL bridge CNI_IFNAME=
	refused 4 CNI_IFNAME
}

@test "CHECK without a variable it needs is error 4 and names the variable" {
	bridge_conf
	cni CHECK bridge CNI_CONTAINERID=
	refused 4 CNI_CONTAINERID
	cni CHECK bridge CNI_NETNS=
	refused 4 CNI_NETNS
	cni CHECK bridge CNI_IFNAME=
	refused 4 CNI_IFNAME
}

@test "all missing variables are named at once" {
	bridge_conf
	cni ADD bridge CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=
	refused 4 'CNI_CONTAINERID.*CNI_NETNS.*CNI_IFNAME'
}

@test "a variable that is not there counts as an empty one" {
	bare bridge CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_PATH=/ CNI_NETNS=/x
	refused 4 CNI_IFNAME
}

@test "ADD without CNI_PATH works where nothing is delegated" {
	set_conf '{cniVersion: $v, name: "net", type: "loopback"}'
	add loopback CNI_PATH=
}

@test "a bad container ID is error 4" {
	local id
	ipam_conf
	for id in . .. -a .a _a a/b ../a 'a b' a:b a+b é $'a\n' $'a\tb'; do
		cni ADD host-local CNI_CONTAINERID="$id"
		refused 4 container || fail "container ID '$id'"
	done
	cni DEL host-local CNI_CONTAINERID=a/b
	refused 4 container
	eq "$(reserved)" ''
}

@test "every good container ID is accepted" {
	local id
	ipam_conf
	for id in 0 a a..b A_b.c-d- "$(printf '%0200d' 7)"; do
		add host-local CNI_CONTAINERID="$id" || fail "container ID '$id'"
		del host-local CNI_CONTAINERID="$id"
	done
	eq "$(reserved)" ''
}

@test "a bad interface name is error 4" {
	local name
	bridge_conf
	for name in . .. a/b a:b 'a b' ' a' $'a\tb' $'a\n' $'a\xc2\xa0b' \
		0123456789abcdef; do
		cni ADD bridge CNI_IFNAME="$name"
		refused 4 'interface|name' || fail "interface name '$name'"
	done
	cni DEL bridge CNI_IFNAME=a/b
	refused 4 'interface|name'
	eq "$(reserved)" ''
}

@test "every good interface name is accepted" {
	local name
	bridge_conf
	for name in e 0123456789abcde a.b a@b é0 ...; do
		add bridge CNI_IFNAME="$name"
		has ".interfaces[2].name == \"$name\""
		sees 'length == 1' a link show dev "$name"
		del bridge CNI_IFNAME="$name"
	done
}

@test "an unknown command is error 4 and names it" {
	bridge_conf
	cni FROBNICATE bridge
	refused 4 FROBNICATE
	cni add bridge
	refused 4 add
}

@test "an error carries the cniVersion of the config" {
	bridge_conf '.cniVersion = "0.4.0" | .name = "a b"'
	cni ADD bridge
	refused 7 name
	has '.cniVersion == "0.4.0"'
}

# stdin_is CODES TEXT...: all the plugins refuse the first text, and bridge the
# others too.
stdin_is() {
	local codes=$1 plugin
	shift
	conf=$1
	for plugin in host-local loopback; do
		cni ADD "$plugin"
		refused "$codes" . || fail "$plugin with: $conf"
	done
	for conf; do
		cni ADD bridge
		refused "$codes" . || fail "bridge with: $conf"
	done
	eq "$(reserved)" ''
}

@test "empty stdin is error 6" { stdin_is 6 '' ' ' $'\n'; }

@test "truncated JSON is error 6" {
	stdin_is 6 '{' '{"cniVersion":"1.0.0","name":"net"' '{"name":"net' '{"name":"n",'
}

@test "what is not JSON is error 6" {
	stdin_is 6 'hello' '{name:"net"}' "{'name':'net'}" '{"name":"n",}' \
		'{"name":"net"} x' '{"name":"net"}{}' '{"name":"net","a":01}' \
		'{"name":"net","a":tru}' $'{"name":"net","a":"\t"}' \
		'{"name":"net","a":"\x"}' $'\xef\xbb\xbf{"name":"net"}'
}

@test "JSON that is not an object is error 6" {
	stdin_is 6 '[]' '"net"' '7' 'true' '[{"name":"net"}]'
}

@test "a name that is no string is an error" { stdin_is '6 7' '{"name":7}' '{"name":["net"]}'; }

@test "a missing name is error 7" {
	stdin_is 7 '{}' '{"cniVersion":"1.0.0"}' '{"cniVersion":"1.0.0","name":""}' \
		'{"cniVersion":"1.0.0","name":null}'
}

@test "a bad name is error 7" {
	local name
	for name in a/b ../a . .. 'a b' -a _a é 'a\n'; do
		set -- "$@" "{\"cniVersion\":\"1.0.0\",\"name\":\"$name\"}"
	done
	stdin_is 7 "$@"
}

@test "a version the plugin does not know is error 1 and is named" {
	local v
	for v in 9.9.9 1.2.0 0.5.0 0.0.1 1.0 1.0.0.0 v1.0.0; do
		set -- "$@" "{\"cniVersion\":\"$v\",\"name\":\"net\",\"ipam\":{\"type\":\"host-local\"}}"
	done
	stdin_is '1 6' "$@"
	version=9.9.9
	bridge_conf
	cni ADD bridge
	refused 1 '9[.]9[.]9'
	cni DEL bridge
	refused 1 '9[.]9[.]9'
}

@test "a version that is no string is an error" {
	stdin_is '1 6' '{"cniVersion":1,"name":"net"}' '{"cniVersion":{},"name":"net"}'
}

@test "deeply nested JSON does not crash a plugin" {
	conf='{"cniVersion":"1.0.0","name":"net","x":'$(printf '%0*d' 100000 0 | tr 0 '[')
	cni ADD bridge
	refused 6 .
}

@test "CHECK below 0.4.0 is error 1" {
	local v
	for v in 0.1.0 0.2.0 0.3.0 0.3.1; do
		conf='{"cniVersion":"'$v'","name":"net","ipam":{"type":"host-local","subnet":"10.1.2.0/24"}}'
		cni CHECK bridge
		refused 1 CHECK
	done
	cni CHECK host-local
	refused 1 CHECK
	cni CHECK loopback
	refused 1 CHECK
}

@test "ADD into the namespace the plugin runs in is refused and changes nothing" {
	local before
	touch /run/netns/self
	mount --bind /proc/self/ns/net /run/netns/self
	before=$(snapshot)
	bridge_conf
	cni ADD bridge CNI_NETNS=/run/netns/self
	umount /run/netns/self
	refused any .
	# The bridge may stay: the next ADD would make it again.
	ip link del br0 2>/dev/null || true
	eq "$(snapshot)" "$before"
}
