# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of plugins share whose interface is on top of one of the host's.
#
#	outside  eth0 192.0.2.254, 2001:db8::fe ---- m0 in the host's namespace
#
# A test file sets PLUGIN and BASE_CONF, and calls endpoint_setup.

IPAM='"ipam":{"type":"host-local","ranges":[[{"subnet":"192.0.2.0/24"}],[{"subnet":"2001:db8::/64"}]],
 "routes":[{"dst":"198.51.100.0/24"},{"dst":"2001:db8:1::/48"}]}'

endpoint_setup() {
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add outside
	ip netns exec outside sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add m0 type veth peer name eth0 netns outside
	ip link set m0 up
	ip -n outside addr add 192.0.2.254/24 dev eth0
	ip -n outside addr add 2001:db8::fe/64 dev eth0
	ip -n outside link set eth0 up
	ip netns add c1
	ip netns add c2
	conf .
}

# attach CONTAINER [VARIABLE=VALUE...]: an ADD that must succeed.
attach() {
	try ADD "$PLUGIN" "$@"
	ok
}

detach() {
	try DEL "$PLUGIN" "$@"
	ok
}

check_names() { # WORDS...: what CHECK must say
	try CHECK "$PLUGIN" c1
	refused 101 "$@"
}

# address CONTAINER FAMILY: the container's.
address() {
	ip -n "$1" -j "$2" addr show eth0 |
		jq -r '.[0].addr_info[] | select(.scope == "global") | .local'
}

# reaches CONTAINER ADDRESS
reaches() {
	ip netns exec "$1" ping -c 1 -W 1 "$2" >/dev/null
}

# is_known_at NAMESPACE ADDRESS MAC: that is where neighbours look for it, as soon as
# the kernel there has taken the announcement off its queue.
is_known_at() {
	local i
	for i in $(seq 100); do
		[ "$(ip -n "$1" -j neigh show "$2" | jq -r '.[0].lladdr')" != "$3" ] || return 0
		sleep 0.05
	done
	ip -n "$1" neigh show "$2"
	return 1
}
