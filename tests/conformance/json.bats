#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How configs are read: those in use were written against Go's encoding/json.

# What lib.bash defines and uses; filters and commands meant for later.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load lib

# takes BRIDGE-KEYS IPAM-KEYS: an ADD with these further keys.
takes() {
	conf='{"cniVersion":"1.0.0","name":"net","type":"bridge","bridge":"br0",'$1'
		"ipam":{"type":"host-local",'${2-'"subnet":"10.1.2.0/24"'}'}}'
	add bridge
}

@test "keys are found whatever their case" {
	conf='{"CniVersion":"1.0.0","NAME":"net","Type":"bridge","BRIDGE":"br0","isgateway":true,"MTU":1400,
		"IPAM":{"TYPE":"host-local","Ranges":[[{"SUBNET":"10.1.2.0/24","rangestart":"10.1.2.7"}]],
		"ROUTES":[{"Dst":"10.9.0.0/16","GW":"10.1.2.9"}]},"DNS":{"NameServers":["10.1.2.53"]}}'
	add bridge
	has '.cniVersion == "1.0.0" and .ips[0].address == "10.1.2.7/24"'
	has '.routes == [{"dst": "10.9.0.0/16", "gw": "10.1.2.9"}]'
	has '.dns.nameservers == ["10.1.2.53"]'
	eq "$(addresses host br0)" 10.1.2.1/24
	sees '.[0].mtu == 1400' a link show dev eth0
}

@test "runtimeConfig is found in the case of its Go fields" {
	takes '"RuntimeConfig":{"Mac":"02:00:00:00:00:01","IPRanges":[[{"Subnet":"10.1.4.0/24"}]],"IPs":["10.1.4.9"]},' '"routes":[]'
	has '.ips[0].address == "10.1.4.9/24"'
	eq "$(mac_of a eth0)" 02:00:00:00:00:01
}

@test "the last of duplicate keys counts" {
	takes '"mtu":1300,"mtu":1400,"isGateway":true,"isGateway":false,' \
		'"subnet":"10.1.9.0/24","subnet":"10.1.2.0/24"'
	eq "$(addresses a eth0)" 10.1.2.2/24
	eq "$(addresses host br0)" ''
	sees '.[0].mtu == 1400' a link show dev eth0
}

@test "the last of duplicate keys counts, whatever their case" {
	takes '"mtu":1300,"MTU":1400,'
	sees '.[0].mtu == 1400' a link show dev eth0
}

@test "null is the same as no value" {
	takes '"mtu":null,"isGateway":null,"isDefaultGateway":null,"ipMasq":null,"forceAddress":null,
		"hairpinMode":null,"promiscMode":null,"vlan":null,"vlanTrunk":null,"dns":null,"args":null,
		"runtimeConfig":null,"capabilities":null,"prevResult":null,' \
		'"subnet":"10.1.2.0/24","rangeStart":null,"rangeEnd":null,"gateway":null,
		"routes":null,"ranges":null,"dataDir":null,"resolvConf":null'
	eq "$(addresses a eth0)" 10.1.2.2/24
	eq "$(addresses host br0)" ''
	check bridge
	del bridge
}

@test "an empty object is the same as no value" {
	takes '"dns":{},"args":{},"runtimeConfig":{},"capabilities":{},' \
		'"subnet":"10.1.2.0/24","routes":[],"ranges":[]'
	eq "$(addresses a eth0)" 10.1.2.2/24
	del bridge
	takes '"args":{"cni":{}},"runtimeConfig":{"mac":"","ips":[],"ipRanges":[]},'
	eq "$(addresses a eth0)" 10.1.2.3/24
	del bridge
	takes '"args":{"cni":null},"runtimeConfig":{"mac":null,"ips":null,"ipRanges":null},'
	eq "$(addresses a eth0)" 10.1.2.4/24
}

@test "empty strings are the same as no value" {
	takes '"dns":{"domain":""},' '"subnet":"10.1.2.0/24","gateway":"","rangeStart":"",
		"rangeEnd":"","dataDir":"","resolvConf":"","routes":[{"dst":"10.9.0.0/16","gw":""}]'
	eq "$(addresses a eth0)" 10.1.2.2/24
	has '.routes == [{"dst": "10.9.0.0/16"}]'
}

@test "unknown keys are ignored, whatever they hold" {
	takes '"keyA":["some",{"deep":[1.5e300,-0,true,null]}],"":{},"é":"\u00e9\ud83d\ude00","x":{"name":7},' \
		'"subnet":"10.1.2.0/24","unknown":{"ranges":"x"},"labels":[1,"2"]'
	eq "$(addresses a eth0)" 10.1.2.2/24
}

@test "escapes in keys and values are understood" {
	takes '"\u006dtu":1400,' '"sub\u006eet":"10.1.2.0\/24"'
	eq "$(addresses a eth0)" 10.1.2.2/24
	sees '.[0].mtu == 1400' a link show dev eth0
}

@test "white space of every kind is allowed" {
	conf=$' \n\t\r{ \n"cniVersion"\t:\r"1.0.0" , "name":"net","type":"bridge","bridge":"br0" }\n\n'
	add bridge
}

@test "args.cni with keys of other plugins is ignored" {
	takes '"args":{"cni":{"labels":[{"key":"a","value":"b"}],"sysctl":{"x":"y"}},"other":7},'
	eq "$(addresses a eth0)" 10.1.2.2/24
}

# wrong KEYS: a value of the wrong type is an error that names the key.
wrong() {
	local key=${1#\"}
	conf='{"cniVersion":"1.0.0","name":"net","type":"bridge","bridge":"br0",'$1',
		"ipam":{"type":"host-local","subnet":"10.1.2.0/24"}}'
	cni ADD bridge
	refused any "${key%%\"*}" || fail "with $1"
	eq "$(reserved)" ''
}

@test "a value of the wrong type is an error that names its key" {
	wrong '"mtu":"1400"'
	wrong '"mtu":1400.5'
	wrong '"mtu":1e100'
	wrong '"mtu":true'
	wrong '"isGateway":"true"'
	wrong '"isGateway":1'
	wrong '"ipMasq":[]'
	wrong '"bridge":7'
	wrong '"vlan":"1"'
	wrong '"dns":[]'
	wrong '"runtimeConfig":"x"'
}

@test "a value of the wrong type within ipam is an error" {
	local ipam
	for ipam in '"x"' '[]' '{"type":7}' '{"type":"host-local","ranges":{}}' \
		'{"type":"host-local","ranges":[{"subnet":"10.1.2.0/24"}]}' \
		'{"type":"host-local","subnet":"10.1.2.0/24","dataDir":7}'; do
		conf='{"cniVersion":"1.0.0","name":"net","type":"bridge","ipam":'$ipam'}'
		cni ADD bridge
		refused any . || fail "with $ipam"
	done
	eq "$(reserved)" ''
}
