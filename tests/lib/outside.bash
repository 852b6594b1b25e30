# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A network outside of the host, its namespace "out", which knows the way back to the
# host and not to containers. The host's address there is 198.51.100.1, 2001:db8:51::1.

make_outside() {
	ip netns add out
	ip link add up0 type veth peer name eth0 netns out
	ip addr add 198.51.100.1/24 dev up0
	ip addr add 2001:db8:51::1/64 dev up0 nodad
	ip -n out addr add 198.51.100.2/24 dev eth0
	ip -n out addr add 2001:db8:51::2/64 dev eth0 nodad
	ip link set up0 up
	ip -n out link set eth0 up
	ip -n out link set lo up
	ip route add default via 198.51.100.2
	ip -6 route add default via 2001:db8:51::2
}

# Port 80 there says "outside" and the address of who asks. PEER is the peer.
serve_outside() {
	ip netns exec out "$PEER" serve tcp 80 outside >"$BATS_TEST_TMPDIR/outside" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/outside" ]; do sleep 0.01; done
}
