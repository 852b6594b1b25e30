#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# host-local: which address is given to whom, and the files that record it.
# Other programs read and write these files, so their format is tested too.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

# given ADDRESS...: what the last result has, in order.
given() {
	eq "$(jq -r '[.ips[].address] | join(" ")' <<<"$out")" "$*"
}

# take NETWORK-FILE...: reservations of somebody else.
take() {
	mkdir -p "$nets/net"
	local ip
	for ip; do
		printf 'other\r\neth0' >"$nets/net/$ip"
	done
}

last() {
	mkdir -p "$nets/net"
	printf %s "$1" >"$nets/net/last_reserved_ip.0"
}

@test "a reservation is a file named as the address with container ID, CR LF and interface" {
	ipam_conf
	add host-local
	printf 'c1\r\neth0' | cmp - "$nets/net/10.1.2.2"
}

@test "last_reserved_ip.0 has the address and nothing more" {
	ipam_conf
	add host-local
	printf '10.1.2.2' | cmp - "$nets/net/last_reserved_ip.0"
}

@test "no other file could be taken for a reservation" {
	local file
	ipam_conf
	add host-local
	[ -f "$nets/net/lock" ]
	# Another host-local reads every file and looks for this.
	for file in "$nets"/net/*; do
		case $(tr -d '[:space:]' <"$file") in
		c1 | c1eth0) eq "$file" "$nets/net/10.1.2.2" ;;
		esac
	done
}

@test "the file of an IPv6 address has its shortest lower-case form" {
	ipam_conf '{type, ranges: [[{subnet: "2001:DB8:0:0:A::/96"}]]}'
	add host-local
	given 2001:db8::a:0:0:2/96
	eq "$(reserved)" 2001:db8::a:0:0:2
}

@test "each range set has its own last_reserved_ip" {
	ipam_conf '{type, ranges: [[{subnet: "10.1.2.0/24"}], [{subnet: "2001:db8:1::/64"}]]}'
	add host-local
	given 10.1.2.2/24 2001:db8:1::2/64
	eq "$(<"$nets/net/last_reserved_ip.0")" 10.1.2.2
	eq "$(<"$nets/net/last_reserved_ip.1")" 2001:db8:1::2
	del host-local
	eq "$(reserved)" ''
}

@test "dataDir says where the files are" {
	ipam_conf ".dataDir = \"$tmp/data/deep\""
	add host-local
	[ -f "$tmp/data/deep/net/10.1.2.2" ]
	[ ! -e "$nets" ]
	check host-local
	del host-local
	[ ! -e "$tmp/data/deep/net/10.1.2.2" ]
}

@test "networks of other names do not share their addresses" {
	ipam_conf
	add host-local
	conf=$(jq -c '.name = "other"' <<<"$conf")
	add host-local
	given 10.1.2.2/24
	del host-local
	eq "$(reserved)" 10.1.2.2
}

@test "addresses are given round robin, not the one just freed" {
	ipam_conf
	add host-local CNI_CONTAINERID=x1
	add host-local CNI_CONTAINERID=x2
	given 10.1.2.3/24
	del host-local CNI_CONTAINERID=x2
	add host-local CNI_CONTAINERID=x3
	given 10.1.2.4/24
}

# next EXPECTED LAST TAKEN RANGES: what a fresh request gets. The table is that
# of the reference's own tests.
next() {
	rm -rf "$nets"
	conf='{"cniVersion":"1.0.0","name":"net","ipam":{"type":"host-local","ranges":[['$4']]}}'
	# shellcheck disable=SC2086
	take $3
	[ -z "$2" ] || last "$2"
	add host-local || fail "expected $1 after $2 with $3"
	given "$1" || fail "expected $1 after $2 with $3"
}

@test "the next address follows the last one, skips those taken, and wraps" {
	local eight='{"subnet":"10.0.0.0/29"}'
	next 10.0.0.2/29 '' '' "$eight"
	next 2001:db8:1::2/64 '' '' '{"subnet":"2001:db8:1::/64"}'
	next 10.0.0.2/30 '' '' '{"subnet":"10.0.0.0/30"}'
	next 10.0.0.3/29 '' 10.0.0.2 "$eight"
	next 10.0.0.6/29 10.0.0.5 '' "$eight"
	next 10.0.0.6/29 10.0.0.3 '10.0.0.4 10.0.0.5' "$eight"
	next 10.0.0.2/29 10.0.0.5 10.0.0.6 "$eight"
	next 10.0.0.3/29 10.0.0.128 10.0.0.2 "$eight"
	next 10.0.0.3/29 10.0.0.3 '10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.6' "$eight"
}

@test "the next address may come from the next range of the set, and wraps" {
	local two='{"subnet":"10.0.0.0/30"},{"subnet":"10.0.1.0/30"}'
	local three=$two',{"subnet":"10.0.2.0/30"}'
	next 10.0.0.2/30 '' '' "$two"
	next 10.0.1.2/30 10.0.0.2 '' "$two"
	next 10.0.0.2/30 10.0.2.2 '' "$three"
	next 192.168.2.0/30 192.168.1.3 '' \
		'{"subnet":"192.168.1.0/30","rangeStart":"192.168.1.0","rangeEnd":"192.168.1.3","gateway":"192.168.1.9"},
		{"subnet":"192.168.2.0/30","rangeStart":"192.168.2.0","rangeEnd":"192.168.2.3","gateway":"192.168.2.9"}'
}

@test "a last_reserved_ip that is no address is ignored" {
	next 10.0.0.2/29 garbage '' '{"subnet":"10.0.0.0/29"}'
	mkdir -p "$nets/net"
	: >"$nets/net/last_reserved_ip.0"
	add host-local CNI_CONTAINERID=c2
	given 10.0.0.3/29
}

@test "rangeStart and rangeEnd are the first and the last address given" {
	local i
	ipam_conf '. + {rangeStart: "10.1.2.10", rangeEnd: "10.1.2.12"}'
	for i in 10 11 12; do
		add host-local CNI_CONTAINERID="x$i"
		given "10.1.2.$i/24"
	done
	cni ADD host-local CNI_CONTAINERID=x13
	refused any 'no IP addresses available'
}

@test "the gateway's address is not given" {
	ipam_conf '. + {rangeStart: "10.1.2.10", gateway: "10.1.2.10"}'
	add host-local
	given 10.1.2.11/24
	has '.ips[0].gateway == "10.1.2.10"'
}

@test "a gateway may be outside the subnet" {
	ipam_conf '.gateway = "10.9.9.9"'
	add host-local
	has '.ips[0].gateway == "10.9.9.9"'
	given 10.1.2.1/24
}

@test "network and broadcast address are not given" {
	local i
	ipam_conf '.subnet = "10.1.2.0/29"'
	for i in 2 3 4 5 6; do
		add host-local CNI_CONTAINERID="x$i"
		given "10.1.2.$i/29"
	done
	cni ADD host-local CNI_CONTAINERID=x7
	refused any 'no IP addresses available in range set: 10.1.2.1-10.1.2.6'
	eq "$(reserved | wc -w)" 5
}

@test "an address that was freed ends exhaustion" {
	ipam_conf '.subnet = "10.1.2.0/30"'
	add host-local CNI_CONTAINERID=x1
	cni ADD host-local CNI_CONTAINERID=x2
	refused any 'no IP addresses available'
	del host-local CNI_CONTAINERID=x1
	add host-local CNI_CONTAINERID=x2
	given 10.1.2.2/30
}

@test "when one range set is exhausted nothing is kept of the others" {
	ipam_conf '{type, ranges: [[{subnet: "10.1.2.0/24"}], [{subnet: "10.1.3.0/30"}]]}'
	add host-local CNI_CONTAINERID=x1
	cni ADD host-local
	refused any 'no IP addresses available in range set: 10.1.3.1-10.1.3.2'
	eq "$(reserved)" '10.1.2.2 10.1.3.2'
}

@test "the sets come from runtimeConfig first, then subnet, then ranges" {
	set_conf '{cniVersion: $v, name: "net", ipam: {type: "host-local",
		subnet: "10.1.2.0/24", ranges: [[{subnet: "10.1.3.0/24"}]]},
		runtimeConfig: {ipRanges: [[{subnet: "10.1.4.0/24"}]]}}'
	add host-local
	given 10.1.4.2/24 10.1.2.2/24 10.1.3.2/24
}

# Requested addresses.

@test "an address is requested through CNI_ARGS" {
	ipam_conf
	add host-local CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=p;IP=10.1.2.77'
	given 10.1.2.77/24
}

@test "an address is requested through args.cni.ips" {
	ipam_conf
	conf=$(jq -c '.args = {cni: {ips: ["10.1.2.88"]}}' <<<"$conf")
	add host-local
	given 10.1.2.88/24
}

@test "an address is requested through runtimeConfig.ips, and its prefix ignored" {
	ipam_conf
	conf=$(jq -c '.runtimeConfig = {ips: ["10.1.2.99/16"]}' <<<"$conf")
	add host-local
	given 10.1.2.99/24
}

@test "one address for each set can be requested" {
	ipam_conf '{type, ranges: [[{subnet: "10.1.2.0/24"}], [{subnet: "2001:db8:1::/64"}]]}'
	conf=$(jq -c '.runtimeConfig = {ips: ["2001:db8:1::77", "10.1.2.77"]}' <<<"$conf")
	add host-local
	given 10.1.2.77/24 2001:db8:1::77/64
}

@test "a requested address that is taken is an error that names it" {
	ipam_conf
	take 10.1.2.77
	cni ADD host-local CNI_ARGS='IP=10.1.2.77'
	refused any 'requested IP address 10.1.2.77 is not available'
	eq "$(reserved)" 10.1.2.77
}

@test "a requested address outside the ranges is an error and reserves nothing" {
	ipam_conf
	cni ADD host-local CNI_ARGS='IP=10.9.9.9'
	refused any 'failed to allocate all requested IPs: 10.9.9.9'
	eq "$(reserved)" ''
}

@test "the gateway's address cannot be requested" {
	ipam_conf
	cni ADD host-local CNI_ARGS='IP=10.1.2.1'
	refused any "10.1.2.1.*gateway"
	eq "$(reserved)" ''
}

@test "two requested addresses in one set are an error and reserve nothing" {
	ipam_conf
	conf=$(jq -c '.runtimeConfig = {ips: ["10.1.2.7", "10.1.2.8"]}' <<<"$conf")
	cni ADD host-local
	refused any 'failed to allocate all requested IPs'
	eq "$(reserved)" ''
}

@test "a requested address that is none is an error" {
	ipam_conf
	cni ADD host-local CNI_ARGS='IP=10.1.2.256'
	refused any .
	conf=$(jq -c '.runtimeConfig = {ips: ["x"]}' <<<"$conf")
	cni ADD host-local
	refused any .
	eq "$(reserved)" ''
}

# The same container again.

@test "a second ADD is an error that names address and container, and changes nothing" {
	ipam_conf
	add host-local
	cni ADD host-local
	refused any '10.1.2.2 has been allocated to c1, duplicate allocation is not allowed'
	eq "$(reserved)" 10.1.2.2
	check host-local
}

@test "a container has one address for each of its interfaces" {
	ipam_conf
	add host-local
	add host-local CNI_IFNAME=net1
	given 10.1.2.3/24
	del host-local
	eq "$(reserved)" 10.1.2.3
}

@test "DEL frees the address, and again succeeds" {
	ipam_conf
	add host-local
	del host-local
	eq "$(reserved)" ''
	del host-local
}

@test "DEL of an unknown container succeeds and leaves the others" {
	ipam_conf
	add host-local
	del host-local CNI_CONTAINERID=unknown
	del host-local CNI_IFNAME=unknown
	del host-local CNI_CONTAINERID=c
	del host-local CNI_CONTAINERID=c11
	eq "$(reserved)" 10.1.2.2
}

@test "DEL does not ask for CNI_NETNS" {
	ipam_conf
	add host-local
	del host-local CNI_NETNS=
	eq "$(reserved)" ''
}

@test "CHECK knows whether there is a reservation" {
	ipam_conf
	add host-local
	check host-local
	cni CHECK host-local CNI_CONTAINERID=c2
	refused any .
	rm "$nets/net/10.1.2.2"
	cni CHECK host-local
	refused any .
}

# Files of older releases and of others.

@test "a reservation with the container ID alone counts: CHECK finds it, DEL frees it" {
	ipam_conf
	mkdir -p "$nets/net"
	printf c1 >"$nets/net/10.1.2.5"
	cni CHECK host-local
	silent
	del host-local
	eq "$(reserved)" ''
}

@test "a reservation with the container ID alone is that container's: no second one" {
	ipam_conf
	mkdir -p "$nets/net"
	printf c1 >"$nets/net/10.1.2.5"
	cni ADD host-local
	refused any 'duplicate allocation'
}

@test "a reservation with a newline at its end counts" {
	ipam_conf
	mkdir -p "$nets/net"
	printf 'c1\r\neth0\n' >"$nets/net/10.1.2.5"
	cni CHECK host-local
	silent
	del host-local
	eq "$(reserved)" ''
}

@test "foreign files in the directory are left alone" {
	ipam_conf
	take notes notes.10.1.2.2
	mkdir "$nets/net/sub"
	add host-local
	given 10.1.2.2/24
	del host-local
	eq "$(reserved)" ''
	[ -f "$nets/net/notes" ]
	[ -f "$nets/net/notes.10.1.2.2" ]
	[ -d "$nets/net/sub" ]
}

@test "the lock of the directory is respected" {
	ipam_conf
	mkdir -p "$nets/net"
	: >"$nets/net/lock"
	flock "$nets/net/lock" sh -c 'echo >"$0.held"; sleep 0.5; echo >"$0.free"' "$tmp/x" &
	until [ -e "$tmp/x.held" ]; do sleep 0.02; done
	add host-local
	[ -e "$tmp/x.free" ] || fail 'the plugin did not wait'
	wait
}

@test "requests at the same time get different addresses" {
	local i
	ipam_conf
	printf %s "$conf" >"$tmp/in"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		env -i CNI_COMMAND=ADD CNI_CONTAINERID="p$i" \
			CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
			CNI_PATH="$PLUGINS" "$PLUGINS/host-local" <"$tmp/in" \
			>"$tmp/out.$i" &
	done
	wait
	eq "$(jq -r '.ips[0].address' "$tmp"/out.* | sort -u | wc -l)" 10
	eq "$(reserved | wc -w)" 10
}

# Routes and DNS.

@test "routes go into the result as they are" {
	ipam_conf '.routes = [{dst: "0.0.0.0/0"}, {dst: "10.0.0.0/8", gw: "10.1.2.9"}, {dst: "2001:db8::/32"}]'
	add host-local
	has '.routes == [{"dst": "0.0.0.0/0"}, {"dst": "10.0.0.0/8", "gw": "10.1.2.9"}, {"dst": "2001:db8::/32"}]'
}

@test "resolvConf is read into dns" {
	cat >"$tmp/resolv" <<-'CONF'
		# a comment
		; another
		nameserver 192.0.2.53
		nameserver 2001:db8::53
		domain d.test
		search s1.test s2.test
		options ndots:2 edns0
		sortlist 10.0.0.0
	CONF
	ipam_conf ".resolvConf = \"$tmp/resolv\""
	add host-local
	same "$(jq .dns <<<"$out")" '{nameservers: ["192.0.2.53", "2001:db8::53"],
		domain: "d.test", search: ["s1.test", "s2.test"], options: ["ndots:2", "edns0"]}'
}

@test "a resolvConf that is not there is an error and reserves nothing" {
	ipam_conf '.resolvConf = "/no/such/file"'
	cni ADD host-local
	refused any /no/such/file
	eq "$(reserved)" ''
}

# Bad configs: the ipam object and what the message must contain.
bad() {
	conf='{"cniVersion":"1.0.0","name":"net","ipam":'$1'}'
	cni ADD host-local
	refused any "$2" || fail "with $1"
	eq "$(reserved)" ''
}

# bad_set RANGES PATTERN
bad_set() {
	bad '{"type":"host-local","ranges":'"$1"'}' "$2"
}

@test "a config without ranges is an error" {
	bad null ipam
	bad '{"type":"host-local"}' 'no IP ranges'
	bad_set '[]' 'no IP ranges'
	bad_set '[[]]' 'empty range set'
}

@test "a range without a proper subnet is an error" {
	bad_set '[[{}]]' .
	bad_set '[[{"subnet":"x"}]]' x
	bad_set '[[{"subnet":"10.1.2.0"}]]' 10.1.2.0
	bad_set '[[{"subnet":"10.1.2.0/33"}]]' 10.1.2.0/33
	bad_set '[[{"subnet":"010.1.2.0/24"}]]' 010.1.2.0/24
	bad_set '[[{"subnet":"10.1.2.7/24"}]]' 'host bits.*10.1.2.0'
	bad_set '[[{"subnet":"2001:db8::1/64"}]]' 'host bits.*2001:db8::'
	bad '{"type":"host-local","subnet":"10.1.2.7/24"}' 'host bits'
	bad '{"type":"host-local","subnet":7}' subnet
}

@test "rangeStart or rangeEnd outside the subnet, or the wrong way round, is an error" {
	bad_set '[[{"subnet":"10.1.2.0/24","rangeStart":"10.1.3.1"}]]' RangeStart
	bad_set '[[{"subnet":"10.1.2.0/24","rangeEnd":"10.1.3.1"}]]' RangeEnd
	bad_set '[[{"subnet":"10.1.2.0/24","rangeStart":"10.1.2.9","rangeEnd":"10.1.2.8"}]]' 'Range(Start|End)'
	bad_set '[[{"subnet":"10.1.2.0/24","rangeStart":"2001:db8::1"}]]' RangeStart
	bad_set '[[{"subnet":"10.1.2.0/24","rangeStart":"x"}]]' x
	bad_set '[[{"subnet":"10.1.2.0/24","gateway":"x"}]]' x
}

@test "ranges that overlap are an error" {
	bad_set '[[{"subnet":"10.1.2.0/24"},{"subnet":"10.1.2.0/25"}]]' overlap
	bad_set '[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.0.0/16"}]]' overlap
	bad '{"type":"host-local","subnet":"10.1.2.0/24","ranges":[[{"subnet":"10.1.2.0/24"}]]}' overlap
}

@test "both families in one range set are an error" {
	bad_set '[[{"subnet":"10.1.2.0/24"},{"subnet":"2001:db8::/64"}]]' 'mixed'
}

@test "a bad route is an error" {
	bad '{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"x"}]}' x
	bad '{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"0.0.0.0/0","gw":"x"}]}' x
	bad '{"type":"host-local","subnet":"10.1.2.0/24","routes":{}}' route
}
