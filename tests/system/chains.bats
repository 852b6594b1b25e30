#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bats file_tags=slow
#
# The whole chains that podman, nerdctl and Nomad write (conf-examples), with ports
# published as each of them does, by the runtime and its cache: what is there before
# ADD is there after DEL, after DEL without the namespace, and after GC of a lost
# container; with another container's beside it, and without. After the last DEL,
# what stays is listed here.

load ../lib/system

PEER=${CNI_BIN}/../tests/peer
NAMES=/run/containers/cni/dnsname
EXAMPLES=$BATS_TEST_DIRNAME/../../conf-examples

setup() {
	command -v iptables-save >/dev/null || skip "no iptables"
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns add out
	ip link add up0 type veth peer name eth0 netns out
	ip addr add 192.0.2.1/24 dev up0
	ip -n out addr add 192.0.2.2/24 dev eth0
	ip link set up0 up
	ip -n out link set eth0 up
	export CNI_ARGS='IgnoreUnknown=1'
	outside_is_closed='' named=''
	unset XDG_RUNTIME_DIR
}

teardown() {
	pkill -x peer || :
	pkill -x dnsmasq || :
	clean_up
	rm -rf /run/containers
}

# take EXAMPLE [JQ-FILTER]: its network is the one of this test.
take() {
	jq "${2:-.}" "$EXAMPLES/$1.conflist" >"/etc/cni/net.d/$1.conflist"
	net=$(jq -r .name "/etc/cni/net.d/$1.conflist")
}

# A host where Docker is, or was: only what iptables lets through is forwarded.
forward_drops() {
	iptables -P FORWARD DROP
	ip6tables -P FORWARD DROP
}

rules() { # without counters, and without what says when
	local save
	for save in iptables-save ip6tables-save; do
		$save | sed '/^#/d; s/ *\[[0-9:]*\]//'
	done
}

everything() {
	state | sed -E 's/"(packets|bytes)":[0-9]+/"\1":0/g'
	rules
	ip rule
	ip route show table all | sed '/fe80:/d'
	find /var/lib/cni /run/hawser /run/cni /etc/cni /run/containers ! -type d 2>/dev/null | sort
	pgrep -a dnsmasq || :
	tc qdisc show
	sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding
}

# What stays after the last DEL: interfaces, tables of nftables and what is in
# their sets and objects, iptables, files.
remains() {
	ip -j link show | jq -r '.[].ifname | select(. != "lo" and . != "up0")'
	nft list tables | sort
	nft -j list ruleset | jq -r '.nftables[] | .set, .map | select(.elem?) | "elements of \(.name)"'
	nft -j list ruleset | jq -r '.nftables[].counter | select(.) | "counter \(.name)"'
	nft -j list chains inet | jq -r '.nftables[].chain.name | select(. != null and test("[0-9]")) | "chain \(.)"'
	rules | sed -n '/^:CNI-/p; /^-/p'
	find /var/lib/cni /run/hawser /run/cni /run/containers ! -type d 2>/dev/null | sort
	pgrep -a dnsmasq || :
}

hawser() { # COMMAND CONTAINER
	"$CNI_BIN/hawser" "$1" --container-id "$(id_of "$2")" "$net" "$2"
}

id_of() { # CONTAINER: as long as they are
	printf 'default-%.64s' "$(printf %s "$1" | sha256sum)"
}

# up CONTAINER PORTS: as the client does it; nerdctl and go-cni send a DEL first.
up() {
	ip netns add "$1"
	hawser del "$1"
	CAP_ARGS=$2 hawser add "$1" >"$BATS_TEST_TMPDIR/$1.result"
	hawser check "$1"
	"$CNI_BIN/hawser" status "$net"
	rm -f "$BATS_TEST_TMPDIR/$1"
	ip netns exec "$1" "$PEER" serve tcp 80 "$1" >"$BATS_TEST_TMPDIR/$1" 3>&- &
	until [ -s "$BATS_TEST_TMPDIR/$1" ]; do sleep 0.01; done
}

# answers CONTAINER PORT: it does to this host, and to another unless that is closed.
answers() {
	[[ $("$PEER" ask tcp 127.0.0.1 "$2") == "$1 "* ]]
	[ -z "$named" ] || [ -n "$(ip netns exec "$1" dig +short "@$named" web.dns.podman)" ]
	[ -z "$outside_is_closed" ] || return 0
	[[ $(ip netns exec out "$PEER" ask tcp 192.0.2.1 "$2") == "$1 "* ]]
}

end_process() { # CONTAINER
	ip netns pids "$1" | xargs -r kill
}

# away CONTAINER WAY
away() {
	end_process "$1"
	case $2 in
	normal)
		hawser del "$1"
		ip netns del "$1"
		;;
	without-namespace)
		ip netns del "$1"
		hawser del "$1"
		;;
	gc)
		ip netns del "$1"
		"$CNI_BIN/hawser" gc "$net"
		;;
	esac
	hawser del "$1" # once more
	# the directory of a resolver that ends goes when the process has gone
	while [ -e "$NAMES/$net" ] && [ ! -e "$NAMES/$net/addnhosts" ]; do sleep 0.01; done
}

WAYS='normal without-namespace gc'

# comes_and_goes PORTS: container a, in every way.
comes_and_goes() {
	local before way
	for way in $WAYS; do
		before=$(everything)
		up a "$1"
		answers a 8080
		away a "$way"
		diff <(echo "$before") <(everything) || {
			echo "after $way" >&2
			return 1
		}
	done
}

# whole_life PORTS OTHER-PORTS EXPECTED: what remains, from the first DEL on.
whole_life() {
	local expected=$3 first way
	for way in $WAYS; do
		up a "$1"
		answers a 8080
		away a "$way"
		diff <(echo "$expected") <(remains)
	done
	first=$(everything)
	comes_and_goes "$1"
	up b "$2"
	answers b 9090
	comes_and_goes "$1"
	answers b 9090
	hawser check b
	away b normal
	diff <(echo "$first") <(everything)
	diff <(echo "$expected") <(remains)
}

# listed BRIDGE NETWORK TABLES FILE... [<rules of iptables]: as remains() prints it.
listed() {
	printf '%s\n' "$1" 'table inet hawser'
	[ -z "$3" ] || tr , '\n' <<<"$3" | sed 's/^/table /'
	cat
	printf "/var/lib/cni/networks/$2/%s\n" "${@:4}"
}

PODMAN_PORTS='{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
 {"hostPort":8443,"containerPort":443,"protocol":"udp","hostIP":"127.0.0.1"}],"aliases":{"podman":["0123456789ab"]}}'
PODMAN_OTHER='{"portMappings":[{"hostPort":9090,"containerPort":80,"protocol":"tcp"}]}'

@test "podman: its default network" {
	take podman
	export CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=web'
	whole_life "$PODMAN_PORTS" "$PODMAN_OTHER" "$(listed cni-podman0 podman '' last_reserved_ip.0 lock </dev/null)"
}

@test "podman: a network with all options, and static addresses" {
	take podman '.args = {podman_labels: {k: "v"}, podman_options: {mtu: "1400", isolate: "true"}} | .name = "net1" |
		.plugins[0] += {bridge: "cni-podman1", mtu: 1400} |
		.plugins[0].ipam = {type: "host-local", routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}],
			ranges: [[{subnet: "10.89.0.0/24", rangeStart: "10.89.0.10", rangeEnd: "10.89.0.99", gateway: "10.89.0.1"}],
				[{subnet: "fd3b:1::/64", gateway: "fd3b:1::1"}]]} |
		.plugins[2].ingressPolicy = "same-bridge"'
	whole_life "$(jq -c '.ips = ["10.89.0.50", "fd3b:1::50"]' <<<"$PODMAN_PORTS")" "$PODMAN_OTHER" \
		"$(listed cni-podman1 net1 '' last_reserved_ip.0 last_reserved_ip.1 lock </dev/null)"
}

@test "podman: a network with names" {
	take names
	named=10.89.0.1
	export CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=web'
	whole_life "${PODMAN_PORTS/podman/names}" "$PODMAN_OTHER" \
		"$(listed cni-names0 names '' last_reserved_ip.0 last_reserved_ip.1 lock </dev/null)"
}

@test "podman: bridge, portmap, firewall, tuning, bandwidth and dnsname, where the host's firewall drops" {
	local rates='{"ingressRate":100000000,"ingressBurst":8000000,"egressRate":50000000,"egressBurst":4000000}'
	take names '(.plugins[] | select(.type == "tuning")) += {mtu: 1400, sysctl: {"net.ipv4.conf.IFNAME.arp_filter": "1"}} |
		.plugins |= .[:4] + [{type: "bandwidth", capabilities: {bandwidth: true}}] + .[4:]'
	named=10.89.0.1
	export CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=web'
	iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
	iptables -A INPUT -p tcp --dport 8000:9999 -j ACCEPT
	iptables -A INPUT -i lo -j ACCEPT
	iptables -P INPUT DROP
	whole_life "$(jq -c --argjson rates "$rates" '.bandwidth = $rates | .aliases = {names: ["www"]}' <<<"$PODMAN_PORTS")" \
		"$(jq -c --argjson rates "$rates" '.bandwidth = $rates' <<<"$PODMAN_OTHER")" \
		"$(iptables -S INPUT | sed '1d' | listed cni-names0 names 'ip filter' last_reserved_ip.0 last_reserved_ip.1 lock)"
	iptables -P INPUT ACCEPT
}

# go-cni's, in Go's names; what is not given is there, and empty.
NERDCTL_PORTS='{"portMappings":[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"},
 {"HostPort":8443,"ContainerPort":443,"Protocol":"udp","HostIP":"127.0.0.1"}]}'
NERDCTL_OTHER='{"portMappings":[{"HostPort":9090,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"}]}'

# What firewall leaves in iptables, word for word as the reference: jumps from the
# kernel's chain, a place for the administrator's rules, and what keeps one bridge
# from the others.
isolation_rules() {
	cat <<'END'
:CNI-ADMIN -
:CNI-FORWARD -
:CNI-ISOLATION-STAGE-1 -
:CNI-ISOLATION-STAGE-2 -
-A FORWARD -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)" -j CNI-ISOLATION-STAGE-1
-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN
-A CNI-ISOLATION-STAGE-1 -i nerdctl0 ! -o nerdctl0 -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge)" -j CNI-ISOLATION-STAGE-2
-A CNI-ISOLATION-STAGE-1 -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)" -j RETURN
-A CNI-ISOLATION-STAGE-2 -o nerdctl0 -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)" -j DROP
-A CNI-ISOLATION-STAGE-2 -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)" -j RETURN
END
}

@test "nerdctl: its default network" {
	take nerdctl
	whole_life "$NERDCTL_PORTS" "$NERDCTL_OTHER" "$(listed nerdctl0 bridge '' last_reserved_ip.0 lock </dev/null)"
}

@test "nerdctl: its default network, where iptables drops what is forwarded" {
	take nerdctl
	forward_drops
	outside_is_closed=1 # with the reference as well: only what a container began is let in
	whole_life "$NERDCTL_PORTS" "$NERDCTL_OTHER" \
		"$(isolation_rules | listed nerdctl0 bridge 'ip filter,ip6 filter' last_reserved_ip.0 lock)"
	up a "$NERDCTL_PORTS"
	no timeout 1 ip netns exec out "$PEER" ask tcp 192.0.2.1 8080
}

@test "nerdctl: its default network, rootless" {
	take nerdctl '.plugins[2].backend = "iptables"'
	whole_life "$NERDCTL_PORTS" "$NERDCTL_OTHER" \
		"$(isolation_rules | listed nerdctl0 bridge 'ip filter' last_reserved_ip.0 lock)"
}

# nerdctl looks for free ports in the reference's chains.
hostport_rules() {
	cat <<'END'
:CNI-HOSTPORT-DNAT -
:CNI-HOSTPORT-MASQ -
:CNI-HOSTPORT-SETMARK -
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
END
}

@test "nerdctl: its default network, all of it in iptables" {
	take nerdctl '.plugins[0].ipMasqBackend = "iptables" | .plugins[1].backend = "iptables" | .plugins[2].backend = "iptables"'
	whole_life "$NERDCTL_PORTS" "$NERDCTL_OTHER" \
		"$(isolation_rules | cat - <(hostport_rules) | listed nerdctl0 bridge 'ip filter,ip nat' last_reserved_ip.0 lock)"
}

# Each port for tcp and for udp.
NOMAD_PORTS='{"portMappings":[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":""},
 {"HostPort":8080,"ContainerPort":80,"Protocol":"udp","HostIP":""}]}'
NOMAD_OTHER=${NOMAD_PORTS//8080/9090}

# The chain of Nomad's own is as it was.
nomad_rules() {
	cat <<'END'
:CNI-FORWARD -
-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j NOMAD-ADMIN
-A NOMAD-ADMIN -d 172.26.64.0/20 -o nomad -j ACCEPT
END
}

@test "Nomad: its network, with the chain that it makes before" {
	take nomad
	forward_drops
	iptables -N NOMAD-ADMIN
	iptables -A NOMAD-ADMIN -o nomad -d 172.26.64.0/20 -j ACCEPT
	whole_life "$NOMAD_PORTS" "$NOMAD_OTHER" \
		"$(nomad_rules | listed nomad nomad 'ip filter,ip6 filter' last_reserved_ip.0 lock)"
}
