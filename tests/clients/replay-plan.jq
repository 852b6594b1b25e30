# SPDX-License-Identifier: GPL-2.0-or-later
#
# Of captured calls (jq -r -f replay-plan.jq CAPTURE...): what replay needs to
# make each of them, a line a call in the order they were made, the fields
# divided by US (0x1f):
#
#	session  number  plugin  container  netns  environment  input
#	names    memory  bridge
#
# "environment" and "names" divide theirs by RS (0x1e). "names" are the names and
# MACs that the reference had made up, each with where it is. "memory" is where
# round robin has to stand for the answer to be what it was, as FILE=ADDRESS.
# "bridge" is NETWORK=BRIDGE.

def last_but_one: # the address before
	def number($base): explode | reduce .[] as $c (0;
		. * $base + if $c > 96 then $c - 87 else $c - 48 end);
	def hex: if . < 16 then "0123456789abcdef"[.:. + 1]
		else (. / 16 | floor | hex) + (. % 16 | hex) end;
	if contains(":")
	then split(":") | .[-1] |= (number(16) - 1 | hex) | join(":")
	else split(".") | .[-1] |= (number(10) - 1 | tostring) | join(".") end;

# What bridge has asked of host-local when it was called itself is asked once more:
# it has other addresses to give out.
def apart:
	if .plugin == "host-local" and (.stdin | type) == "object"
	then .stdin.ipam.dataDir = "/var/lib/cni/delegated" else . end;

def input: if .stdin | type == "string" then .stdin else .stdin | tojson end;

def made_up:
	({env, stdin} | tojson) as $asked |
	if .command == "ADD" and .exit == 0
	then ([.stdin.prevResult?.interfaces[]?.name] + ["lo"]) as $there |
		[.stdout.interfaces // [] | to_entries[] | .key as $i | .value |
		select(.name as $name | $there | index($name) == null) |
		(.name | select(startswith("veth")) | "\($i).name \(.)"),
		(.mac | select(. as $mac | $asked | contains($mac) | not) | "\($i).mac \(.)")]
	else [] end;

def memory:
	if .command == "ADD" and .exit == 0 and .stdin.ipam?.type == "host-local"
		and (.stdin.prevResult | not)
	then ((.stdin.ipam.dataDir // "/var/lib/cni/networks") + "/" + .stdin.name) as $dir |
		[.stdout.ips | to_entries[] | "\($dir)/last_reserved_ip.\(.key)=" +
			(.value.address | split("/")[0] | last_but_one)] | join(" ")
	else "" end;

def bridge:
	if .command == "ADD" and .plugin == "bridge" then "\(.stdin.name)=\(.stdin.bridge)"
	else "" end;

(input_filename | split("/")[-1] | rtrimstr(".jsonl")) as $capture |
select(.env.CNI_COMMAND) | apart |
["\($capture) \(.scenario)", "\($capture):\(input_line_number)", .plugin,
 .env.CNI_CONTAINERID, .env.CNI_NETNS,
 (.env | del(.CNI_PATH) | to_entries | map("\(.key)=\(.value)") | join("\u001e")),
 input, (made_up | join("\u001e")), memory, bridge] | join("\u001f")
