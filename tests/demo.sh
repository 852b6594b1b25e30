#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# demo.sh: what Hawser is for, step by step, in a sandbox that the host's
# network never notices. Each step is printed as one would type it, and fails
# the demo when it does not show what it should.
#
#	tests/demo.sh        (with CNI_PATH for other plugins than build/bin's)
#
# Needs iproute2, iputils-ping and nftables.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${HAWSER_DEMO-}" ]; then
	export HAWSER_DEMO=1
	PATH=${CNI_BIN:-$(dirname "$here")/build/bin}:$PATH
	exec "$here/lib/sandbox.sh" "$here/demo.sh"
fi

said=/run/scratch/said # what the last step printed

title() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}

# step COMMAND: show it, run it, keep what it says for expect.
step() {
	printf '$ %s\n' "$1"
	if ! sh -c "$1" >$said 2>&1; then
		cat $said
		wrong "the command failed"
	fi
	sed 's/^/    /' $said
}

# expect REGEX: what the last step has to have said; "" for nothing at all.
expect() {
	if [ -z "$1" ]; then
		[ ! -s $said ] || wrong "nothing was to be left"
	else
		grep -qE "$1" $said || wrong "expected to read: $1"
	fi
}

wrong() {
	printf '\033[1mThat is wrong: %s\033[0m\n' "$*" >&2
	exit 1
}

# The rest of the world: a host behind our uplink that has no route to any
# container, and notes who pings it.
make_outside() {
	hawser netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip addr add 192.0.2.2/24 dev uplink
	ip link set uplink up
	ip -n outside addr add 192.0.2.1/24 dev eth0
	ip -n outside link set eth0 up
	hawser netns exec outside nft -f - <<-'EOF'
	table ip guests {
		set visitors { type ipv4_addr; flags dynamic; size 100; }
		chain input {
			type filter hook input priority 0
			icmp type echo-request add @visitors { ip saddr }
		}
	}
	EOF
}

make_network() {
	cat >/etc/cni/net.d/demo.conflist <<-'EOF'
	{
	  "cniVersion": "1.0.0",
	  "name": "demo",
	  "plugins": [{
	    "type": "bridge", "bridge": "demo0",
	    "isDefaultGateway": true, "ipMasq": true,
	    "ipam": {
	      "type": "host-local",
	      "ranges": [[{"subnet": "10.88.0.0/24"}]]
	    }
	  }]
	}
	EOF
}

# It says its addresses once it runs, which is what we wait for.
start_web() {
	printf '$ %s\n' "hawser run --net demo --hostname web -- sh -c 'hostname; ip -4 -br addr; exec sleep 1000' &"
	mkfifo /run/scratch/web
	hawser run --net demo --hostname web -- \
		sh -c 'hostname; ip -4 -br addr; exec sleep 1000' \
		>/run/scratch/web &
	web=$!
	timeout 10 head -n 3 /run/scratch/web >$said || wrong "it did not start"
	sed 's/^/    /' $said
}

stop_web() {
	printf '$ kill %s; wait\n' "$web"
	kill "$web"
	wait "$web" || [ $? = 143 ] || wrong "the run did not end by the signal"
}

make_outside
make_network

title 'A network is a file'
step 'cat /etc/cni/net.d/demo.conflist'

title 'A container on it'
start_web
expect '^eth0.* 10\.88\.0\.2/24'

title 'A second one reaches the first, and the outside'
step 'hawser run --net demo -- ip -4 -br addr'
expect '^eth0.* 10\.88\.0\.3/24'
step 'hawser run --net demo -- ping -c 1 -w 5 10.88.0.2 | grep from'
expect 'from 10\.88\.0\.2: '
step 'hawser run --net demo -- ping -c 1 -w 5 192.0.2.1 | grep from'
expect 'from 192\.0\.2\.1: '

title 'The outside saw the address of the host, not of the container'
step 'hawser netns exec outside nft list set ip guests visitors | grep elements'
expect '\{ 192\.0\.2\.2 \}'

title 'What there is while the first container runs'
step 'ip -br addr show dev demo0'
expect ' 10\.88\.0\.1/24'
step 'ip -br link show master demo0'
expect '^veth.* UP '
step 'nft list ruleset'
expect '10\.88\.0\.2'
step 'ls /var/lib/cni/networks/demo /var/lib/cni/results'
expect '^10\.88\.0\.2$'

title 'The container ends, and all of it goes'
stop_web
step 'ip -br link show master demo0'
expect ''
step 'nft list ruleset | grep 10.88.0.2 || true'
expect ''
step 'find /var/lib/cni -name "10.88.*" -o -path "*/results/*"'
expect ''
step 'pidof hawser || true'
expect ''

title 'Nothing is left but the bridge, for the next one.'
