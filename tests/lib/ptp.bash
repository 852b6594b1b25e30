# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of the ptp plugin share.

# shellcheck disable=SC2034 # for conf()
BASE_CONF='{"cniVersion":"1.1.0","name":"n1","type":"ptp",
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:1::/64"}]],
  "routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}}'

setup() {
	ip netns add c1
	conf .
}

teardown() {
	clean_up
}

attach() { # CONTAINER [VARIABLE=VALUE...]
	[ -e "/run/netns/$1" ] || ip netns add "$1"
	try ADD ptp "$@"
	ok
}

detach() { # CONTAINER [VARIABLE=VALUE...]
	try DEL ptp "$@"
	ok
	[ -z "$output" ]
}

port_of() { # CONTAINER
	ip -j link | jq -er --arg id "id: $1" '.[] | select(.ifalias // "" | endswith($id)) | .ifname'
}

pings() { # CONTAINER ADDRESS [SECONDS]
	ip netns exec "$1" ping -n -q -c 1 -W "${3-2}" "$2"
}

# Once, so that what stays with the host (tables, forwarding) is there before.
prime() {
	attach c1
	detach c1
}
