#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# host-local as a runtime sees it, what becomes of its directory when things go
# wrong, and that it shares the directory with the reference plugin.

# The variables shared with system.bash and bats' run, which shellcheck cannot
# follow, and CONF, which each test has a copy of.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load ../lib/system

BASE_CONF='{"cniVersion":"1.0.0","name":"net","type":"host-local",
 "ipam":{"type":"host-local","subnet":"10.1.2.0/24"}}'
STORE=/var/lib/cni/networks/net

setup() {
	conf .
}

teardown() {
	local dir
	for dir in /run/small /run/readonly; do
		! mountpoint -q "$dir" || umount "$dir"
	done
	! mountpoint -q /proc/sys/kernel/random/boot_id ||
		umount /proc/sys/kernel/random/boot_id
	rm -rf /var/lib/cni/networks /run/hawser /run/small /run/readonly /run/fifo
}

# add CONTAINER: an ADD that must succeed; the addresses are in $given.
add() {
	try ADD host-local "$@"
	ok || return 1
	given=$(jq -r '[.ips[].address] | join(" ")' <<<"$output")
}

del() { # CONTAINER
	try DEL host-local "$@"
	ok
}

reference() { # COMMAND CONTAINER
	CNI_PATH=$REFERENCE_CNI try "$1" host-local "$2"
	ok
}

need_reference() {
	[ -x "$REFERENCE_CNI/host-local" ] ||
		skip "no reference host-local in $REFERENCE_CNI (REFERENCE_CNI)"
}

is() { # GOT EXPECTED
	[ "$1" = "$2" ] || {
		printf 'got      %s\nexpected %s\n' "$1" "$2" >&2
		return 1
	}
}

# names [DIRECTORY]: what is in the store but the two kinds of files that stay.
names() {
	find "${1:-$STORE}" -mindepth 1 ! -name lock ! -name 'last_reserved_ip.*' \
		-printf '%f\n' | sort | xargs
}

reserved() { # ADDRESS CONTAINER
	printf '%s\r\neth0' "$2" | cmp - "$STORE/$1"
}

# reserve ADDRESS CONTENT
reserve() {
	mkdir -p "$STORE"
	printf '%b' "$2" >"$STORE/$1"
}

# --- the commands ------------------------------------------------------------

@test "ADD reserves, CHECK finds and DEL frees, more than once" {
	add c1
	is "$given" 10.1.2.2/24
	reserved 10.1.2.2 c1
	with_result
	try CHECK host-local c1
	ok
	del c1
	is "$(names)" ''
	del c1
	try CHECK host-local c1
	refused 101 "Failed to find address added by container c1"
}

@test "the result has the layout of the version asked for" {
	conf '.cniVersion = "0.2.0" | .ipam.ranges = [[{subnet: "fd00::/64"}]] | .ipam.routes = [{dst: "0.0.0.0/0"}]'
	try ADD host-local c1
	ok
	json '. == {cniVersion: "0.2.0", ip4: {ip: "10.1.2.2/24", gateway: "10.1.2.1",
		routes: [{dst: "0.0.0.0/0"}]}, ip6: {ip: "fd00::2/64", gateway: "fd00::1"}, dns: {}}'
	conf '.cniVersion = "0.4.0"'
	try ADD host-local c2
	json '. == {cniVersion: "0.4.0", ips: [{version: "4", address: "10.1.2.3/24",
		gateway: "10.1.2.1"}], dns: {}}'
	conf '.cniVersion = "1.1.0"'
	try ADD host-local c3
	json '. == {cniVersion: "1.1.0", ips: [{address: "10.1.2.4/24", gateway: "10.1.2.1"}]}'
}

@test "resolvConf becomes dns, and an unreadable one reserves nothing" {
	printf 'nameserver 192.0.2.1\nsearch a b\n' >/run/scratch/resolv.conf
	conf '.ipam.resolvConf = "/run/scratch/resolv.conf"'
	add c1
	json '.dns == {nameservers: ["192.0.2.1"], search: ["a", "b"]}'
	conf '.ipam.resolvConf = "/run/scratch/none"'
	try ADD host-local c2
	refused 5 /run/scratch/none
	is "$(names)" 10.1.2.2
}

@test "a second ADD is refused and leaves the first alone" {
	add c1
	try ADD host-local c1
	refused 100 "10.1.2.2 has been allocated to c1, duplicate allocation is not allowed"
	reserved 10.1.2.2 c1
	add c1 CNI_IFNAME=eth1
	is "$given" 10.1.2.3/24
}

@test "an exhausted range is code 102, and an address of another set comes back" {
	conf '.ipam.ranges = [[{subnet: "10.1.3.0/30"}]]'
	add c1
	is "$given" "10.1.2.2/24 10.1.3.2/30"
	try ADD host-local c2
	refused 102 "no IP addresses available in range set: 10.1.3.1-10.1.3.2"
	is "$(names)" "10.1.2.2 10.1.3.2"
}

@test "requested addresses come from CNI_ARGS, args and runtimeConfig" {
	add c1 CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=x;IP=10.1.2.50"
	is "$given" 10.1.2.50/24
	conf '.args.cni.ips = ["10.1.2.60"]'
	add c2
	is "$given" 10.1.2.60/24
	conf '.runtimeConfig.ips = ["10.1.2.70/16"]'
	add c3
	is "$given" 10.1.2.70/24
	try ADD host-local c4
	refused 100 "requested IP address 10.1.2.70 is not available in range set 10.1.2.1-10.1.2.254"
	conf '.runtimeConfig.ips = ["10.1.2.1"]'
	try ADD host-local c4
	refused 7 "requested ip 10.1.2.1 is subnet's gateway"
	conf '.runtimeConfig.ips = ["10.9.9.9"]'
	try ADD host-local c4
	refused 7 "failed to allocate all requested IPs: 10.9.9.9"
	is "$(names)" "10.1.2.50 10.1.2.60 10.1.2.70"
}

@test "a failed ADD with requested addresses keeps those of the earlier one" {
	conf '.ipam.ranges = [[{subnet: "10.1.3.0/30"}]]'
	add c1
	conf '.ipam.ranges = [[{subnet: "10.1.3.0/30"}]] | .args.cni.ips = ["10.1.2.9"]'
	try ADD host-local c1
	refused 100 "duplicate allocation"
	is "$(names)" "10.1.2.2 10.1.3.2"
}

@test "DEL frees whatever has become wrong since, and makes no directory" {
	add c1
	conf '.ipam.subnet = "10.1.2.0/33" | .ipam.ranges = 5'
	del c1 CNI_ARGS=nonsense
	is "$(names)" ''
	conf '.name = "other"'
	del c1
	[ ! -e /var/lib/cni/networks/other ]
	conf '.ipam.dataDir = "/run/none/deep"'
	del c1
	[ ! -e /run/none ]
}

@test "CHECK names the address of prevResult that is not reserved" {
	add c1
	with_result
	CONF=$(jq -c '.prevResult.ips += [{address: "192.168.0.9/24"}]' <<<"$CONF")
	try CHECK host-local c1
	ok # which is none of ours
	CONF=$(jq -c '.prevResult.ips += [{address: "10.1.2.99/24"}]' <<<"$CONF")
	try CHECK host-local c1
	refused 101 10.1.2.99
	reserve 10.1.2.99 'c2\r\neth0'
	try CHECK host-local c1
	refused 101 10.1.2.99
}

@test "GC keeps what is valid and does nothing when it is not told" {
	local list='."cni.dev/valid-attachments"'
	reserve 10.1.2.7 old
	reserve 10.1.2.8 older
	reserve 10.1.2.9 ''
	add c1
	add c2
	conf '.cniVersion = "1.1.0"'
	try GC host-local ''
	ok
	is "$(names)" "10.1.2.2 10.1.2.3 10.1.2.7 10.1.2.8 10.1.2.9"
	conf ".cniVersion = \"1.1.0\" | $list = [{containerID: \"c1\", ifname: \"eth0\"},
		{containerID: \"c2\", ifname: \"eth1\"}, {containerID: \"old\", ifname: \"x\"}]"
	try GC host-local ''
	ok
	is "$(names)" "10.1.2.2 10.1.2.7"
	conf ".cniVersion = \"1.1.0\" | $list = []"
	try GC host-local ''
	ok
	is "$(names)" ''
	rm -rf /var/lib/cni/networks
	try GC host-local ''
	ok
	[ ! -e /var/lib/cni/networks ]
}

@test "STATUS leaves nothing behind and says what is wrong" {
	conf '.cniVersion = "1.1.0" | .ipam.subnet = "10.1.2.0/30"'
	try STATUS host-local ''
	ok
	[ ! -e /var/lib/cni/networks ]
	add c1
	try STATUS host-local ''
	refused 50 "10.1.2.1-10.1.2.2"
	conf '.cniVersion = "1.1.0" | .ipam.subnet = "10.1.2.0/31"'
	try STATUS host-local ''
	refused 50 "too small to allocate from"
	touch /run/scratch/file
	conf '.cniVersion = "1.1.0" | .ipam.dataDir = "/run/scratch/file"'
	try STATUS host-local ''
	refused 50 /run/scratch/file
}

# --- the reference on the same directory -------------------------------------

@test "what one implementation reserves the other respects and frees" {
	need_reference
	conf '.ipam.ranges = [[{subnet: "fd00::/64"}]]'
	add c1
	reference ADD c2
	is "$(names)" "10.1.2.2 10.1.2.3 fd00::2 fd00::3"
	add c3
	is "$given" "10.1.2.4/24 fd00::4/64"
	reference DEL c1
	is "$(names)" "10.1.2.3 10.1.2.4 fd00::3 fd00::4"
	reference CHECK c3
	try CHECK host-local c2
	ok
	del c2
	reference DEL c3
	is "$(names)" ''
}

@test "each refuses the other's container a second address" {
	need_reference
	add c1
	CNI_PATH=$REFERENCE_CNI try ADD host-local c1
	[ "$status" = 1 ]
	json '.msg | test("duplicate allocation is not allowed")'
	reference ADD c2
	try ADD host-local c2
	refused 100 "10.1.2.3 has been allocated to c2, duplicate allocation is not allowed"
}

# many COMMAND BIN FROM TO: so many calls, sixteen at a time.
many() {
	# shellcheck disable=SC2016 # for the inner shell
	seq "$3" "$4" | xargs -P 16 -I '{}' env CNI_COMMAND="$1" CNI_IFNAME=eth0 \
		CNI_NETNS=/run/netns/none CNI_PATH=/none CNI_CONTAINERID='c{}' \
		sh -c '"$1/host-local" <<EOT || echo "failed: $CNI_CONTAINERID"
$2
EOT
' sh "$2" "$CONF"
}

@test "16 of ours and 16 of the reference at once give 500 different addresses" {
	need_reference
	local first second
	conf '.ipam.subnet = "10.1.0.0/22"'
	many ADD "$REFERENCE_CNI" 251 500 >/run/scratch/reference &
	many ADD "$CNI_BIN" 1 250 >/run/scratch/ours
	wait
	cat /run/scratch/ours /run/scratch/reference >/run/scratch/all
	is "$(grep failed /run/scratch/all)" ''
	is "$(jq -r '.ips[].address' /run/scratch/all | sort -u | wc -l)" 500
	is "$(names | wc -w)" 500
	many DEL "$CNI_BIN" 251 500 >/run/scratch/first &
	many DEL "$REFERENCE_CNI" 1 250 >/run/scratch/second
	wait
	first=$(cat /run/scratch/first) second=$(cat /run/scratch/second)
	is "$first$second" ''
	is "$(names)" ''
}

# --- killed ------------------------------------------------------------------

need_strace() {
	command -v strace >/dev/null || skip "no strace"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	! grep -q __asan_init "$CNI_BIN/host-local" ||
		skip "a sanitizer makes system calls of its own"
}

# traced COMMAND CONTAINER INJECTION: without bats' run, which warns of the
# exit status that the dynamic linker has when one of its own calls fails.
traced() {
	status=0
	output=$(CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_IFNAME=eth0 \
		CNI_NETNS=/none CNI_PATH=/none strace -o /dev/null \
		-e "inject=$3" "$CNI_BIN/host-local" <<<"$CONF" 2>/dev/null) || status=$?
}

# killed COMMAND CALL [ADDRESS]: leave what COMMAND of "dead" leaves when killed at
# each of its CALLs, and see that it blocks nobody and goes with DEL. ADDRESS is
# another's, who stays.
killed() {
	local n both
	for n in $(seq 40); do
		[ "$1" = ADD ] || add dead
		traced "$1" dead "$2:signal=KILL:when=$n"
		[ "$status" != 0 ] || break
		add alive
		del dead
		both=$(printf '%s\n' "$3" "${given%/*}" | sort | xargs)
		is "$(names)" "$both" || return 1
		reserved "${given%/*}" alive || return 1
		del alive
		is "$(names)" "${3-}" || return 1
	done
	if [ "$n" = 1 ] || [ "$n" = 40 ]; then
		echo "$1, $2: killed $((n - 1)) times" >&2
		return 1
	fi
	del dead
}

# bats test_tags=slow
@test "killed at any system call, ADD and DEL block nobody and leak nothing" {
	need_strace
	local call
	for call in openat flock write linkat unlinkat close rename utimensat; do
		killed ADD "$call" ''
	done
	for call in openat flock read unlinkat close unlink; do
		killed DEL "$call" ''
	done
	add other CNI_ARGS=IP=10.1.2.2 # now with an index that stays
	for call in openat linkat unlinkat utimensat munmap; do
		killed ADD "$call" 10.1.2.2
	done
	for call in openat unlinkat utimensat munmap; do
		killed DEL "$call" 10.1.2.2
	done
}

# failing CALL: an ADD whose CALL fails, the first, the second and so on.
failing() {
	local n failed=0
	for n in $(seq 25); do
		[ -z "${unindexed-}" ] || rm -rf /run/hawser
		traced ADD c1 "$1:error=EIO:when=$n"
		if [ "$status" = 0 ]; then
			del c1
		else
			failed=$((failed + 1))
		fi
		is "$(names)" "10.1.2.2 10.1.3.2" || {
			echo "left by $1 $n" >&2
			return 1
		}
	done
	[ "$failed" -gt 0 ] || {
		echo "nothing failed at $1" >&2
		return 1
	}
}

# bats test_tags=slow
@test "whichever system call fails, an ADD that fails leaves nothing" {
	need_strace
	local call unindexed=''
	conf '.ipam.ranges = [[{subnet: "10.1.3.0/24"}]]'
	add other
	for call in openat flock write linkat; do
		failing $call
	done
	unindexed=1
	for call in openat flock read getdents64 write linkat; do
		failing $call
	done
	try ADD host-local other
	refused 100 duplicate # what was not read then is known now
}

@test "the error of the second range's file names it" {
	need_strace
	conf '.ipam.ranges = [[{subnet: "10.1.3.0/24"}]]'
	traced ADD c1 linkat:error=EIO:when=2
	refused 5 "$STORE/10.1.3.2" "Input/output error"
	is "$(names)" ''
}

@test "the reference too works on what a killed ADD leaves" {
	need_reference
	add c1
	ln "$STORE/10.1.2.2" "$STORE/.hawser.tmp"
	reference ADD c2
	reference DEL c1
	reference DEL c2
	is "$(names)" ''
}

@test "a process that died with the lock does not keep it" {
	local holder
	mkdir -p "$STORE"
	(exec 9>"$STORE/lock" && flock 9 && exec sleep 60) 3>&- &
	holder=$!
	while flock -n "$STORE/lock" true; do sleep 0.01; done
	kill -9 $holder
	add c1
}

# reboot: another boot ID, and nothing in /run. What the disk has stays.
reboot() {
	local id=/run/scratch/boot_id
	cat /proc/sys/kernel/random/uuid >$id
	mount --bind $id /proc/sys/kernel/random/boot_id
	rm -rf /run/hawser
}

need_attributes() {
	add probe
	python3 -c 'import os, sys; os.getxattr(sys.argv[1], "user.hawser.boot")' \
		"$STORE/${given%/*}" 2>/dev/null ||
		skip "no attributes of files, no machine-id, or no python3 here"
	del probe
	rm "$STORE/last_reserved_ip.0"
}

@test "what an earlier boot reserved is given out again, the reference's is not" {
	need_attributes
	conf '.ipam.subnet = "10.1.2.0/29"'
	add c1
	add c2
	reserve 10.1.2.4 'c3\r\neth0'
	add c4
	add c5
	try ADD host-local c6
	refused 102
	reboot
	try CHECK host-local c1 # which changes nothing
	ok
	is "$(names)" "10.1.2.2 10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6"
	add c1 # the same container, started again
	is "$given" 10.1.2.2/29
	is "$(names)" "10.1.2.2 10.1.2.4"
	reserved 10.1.2.4 c3
	conf '.ipam.subnet = "10.1.2.0/29" | .args.cni.ips = ["10.1.2.4"]'
	try ADD host-local c7
	refused 100
}

@test "keepAfterReboot keeps it" {
	need_attributes
	conf '.ipam.keepAfterReboot = true'
	add c1
	reboot
	try ADD host-local c1
	refused 100 "duplicate allocation"
	add c2
	is "$(names)" "10.1.2.2 10.1.2.3"
	conf .
	add c3
	is "$(names)" "10.1.2.3 10.1.2.4"
}

@test "DEL finds what an earlier boot reserved" {
	add c1
	add c2
	reboot
	del c1
	is "$(names)" 10.1.2.3
}

@test "with sync each change is on the disk before it counts" {
	need_strace
	local log=/run/scratch/strace
	add other
	conf '.ipam.sync = true'
	for command in ADD DEL; do
		CNI_COMMAND=$command CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/none \
			CNI_PATH=/none strace -o $log -e trace=fsync,linkat,unlinkat \
			"$CNI_BIN/host-local" <<<"$CONF"
		sed -n 's/(.*//p' $log >>/run/scratch/calls
	done
	is "$(xargs </run/scratch/calls)" \
		"fsync linkat unlinkat fsync unlinkat fsync"
	traced ADD c2 fsync:error=EIO
	refused 5 "Input/output error"
	is "$(names)" 10.1.2.2
}

@test "a call asks for as many files with 3000 addresses taken as with 3" {
	need_strace
	local i amount command log=/run/scratch/strace
	conf '.ipam.subnet = "10.1.0.0/16"'
	add c1
	add c2
	for amount in few many; do
		add c3 # and the files are known
		for command in ADD DEL; do
			CNI_COMMAND=$command CNI_CONTAINERID=c4 CNI_IFNAME=eth0 \
				CNI_NETNS=/none CNI_PATH=/none strace -f -o $log \
				"$CNI_BIN/host-local" <<<"$CONF" >/dev/null
			grep -c '^[0-9]* *[a-z]' $log >>/run/scratch/$amount
		done
		del c3
		for i in $(seq 3000); do
			printf 'o%s\r\neth0' "$i" >"$STORE/10.1.$((i / 250 + 1)).$((i % 250))"
		done
	done
	is "$(xargs </run/scratch/many)" "$(xargs </run/scratch/few)"
}

@test "empty files block no address for good" {
	local i
	conf '.ipam.subnet = "10.1.2.0/29"'
	for i in 2 3 4 5 6; do
		reserve 10.1.2.$i ''
	done
	conf '.cniVersion = "1.1.0" | .ipam.subnet = "10.1.2.0/29"'
	try STATUS host-local ''
	ok
	for i in 2 3 4 5 6; do
		add c$i
		reserved 10.1.2.$i c$i
	done
	try ADD host-local c7
	refused 102
}

# --- disks -------------------------------------------------------------------

@test "a full disk is a clear error and nothing is left of it" {
	mkdir -p /run/small
	mount -t tmpfs -o size=16k tmpfs /run/small
	conf '.ipam.dataDir = "/run/small"'
	add c1
	rm /run/small/net/last_reserved_ip.0
	dd if=/dev/zero of=/run/small/fill bs=4k status=none 2>/dev/null || true
	try ADD host-local c2
	refused 5 /run/small/net "No space left on device"
	is "$(names /run/small/net)" 10.1.2.2
	del c1
	is "$(names /run/small/net)" ''
}

@test "a disk with room for the address alone still serves" {
	mkdir -p /run/small
	mount -t tmpfs -o size=4k tmpfs /run/small # one page, for one file
	conf '.ipam.dataDir = "/run/small"'
	add c1
	is "$(ls /run/small/net)" "$(printf '10.1.2.2\nlock')"
	try ADD host-local c2
	refused 5 /run/small/net "No space left on device"
	is "$(ls /run/small/net)" "$(printf '10.1.2.2\nlock')"
}

@test "a disk without a free inode is a clear error" {
	mkdir -p /run/small
	mount -t tmpfs -o nr_inodes=3 tmpfs /run/small # itself, net, lock
	conf '.ipam.dataDir = "/run/small"'
	try ADD host-local c1
	refused 5 /run/small/net "No space left on device"
	is "$(names /run/small/net)" ''
}

@test "on a read-only disk ADD and DEL name it, CHECK works, STATUS is 50" {
	mkdir -p /run/readonly
	mount -t tmpfs tmpfs /run/readonly
	conf '.cniVersion = "1.1.0" | .ipam.dataDir = "/run/readonly"'
	add c1
	mount -o remount,bind,ro /run/readonly
	try ADD host-local c2
	refused 5 /run/readonly/net "Read-only file system"
	try DEL host-local c1
	refused 5 /run/readonly/net/10.1.2.2 "Read-only file system"
	del c2
	try CHECK host-local c1
	ok
	try STATUS host-local ''
	refused 50 /run/readonly "Read-only file system"
	conf '.cniVersion = "1.1.0" | .ipam.dataDir = "/run/readonly/deeper"'
	try ADD host-local c2
	refused 5 /run/readonly/deeper
	try STATUS host-local ''
	refused 50 /run/readonly
	del c2
}

@test "DEL reports a file that it cannot remove and goes on to the next" {
	need_strace
	conf '.ipam.ranges = [[{subnet: "10.1.3.0/24"}]]'
	add c1
	traced DEL c1 unlinkat:error=EPERM:when=1
	refused 5 "$STORE/10.1.2.2" "Operation not permitted"
	is "$(names)" 10.1.2.2
}

# --- hostile directories -----------------------------------------------------

@test "a data directory that is none is refused by its name" {
	touch /run/scratch/file
	conf '.ipam.dataDir = "/run/scratch/file"'
	try ADD host-local c1
	refused 5 /run/scratch/file "Not a directory"
	mkdir -p /var/lib/cni/networks /run/scratch/elsewhere
	ln -s /run/scratch/elsewhere "$STORE"
	conf .
	try ADD host-local c1
	refused 5 "$STORE"
	is "$(ls /run/scratch/elsewhere)" ''
}

@test "links, directories, pipes and huge files under an address are nobody's" {
	local f
	mkdir -p "$STORE/10.1.2.3"
	printf 'c1\r\neth0' >/run/scratch/victim
	ln -s /run/scratch/victim "$STORE/10.1.2.4"
	mkfifo "$STORE/10.1.2.5"
	truncate -s 1T "$STORE/10.1.2.6" || truncate -s 1G "$STORE/10.1.2.6"
	add c1
	is "$given" 10.1.2.2/24
	add c2
	is "$given" 10.1.2.7/24
	del c1
	conf '.cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = []'
	try GC host-local ''
	ok
	for f in 10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6; do
		[ -e "$STORE/$f" ]
	done
	is "$(names)" "10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6"
	[ -s /run/scratch/victim ]
}

@test "a lock that is a link is refused and its target left alone" {
	mkdir -p "$STORE"
	ln -s /run/scratch/target "$STORE/lock"
	try ADD host-local c1
	refused 5 "$STORE/lock"
	[ ! -e /run/scratch/target ]
}
