# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by run: what a call or a connection costs where there is much already,
# beside what it costs where there is little. Each state has a host of its own, a
# network namespace, and the rounds go from one to the other and back, so that
# noise meets both.
#
# shellcheck disable=SC2154 # run's variables

growth=$tmp/growth
: >"$growth"

# One mapping of the reference's is several calls of iptables, each the slower
# the more there are: 5,000 would take it half an hour, 500 take a quarter of a
# minute. Its attachments are fewer for the same reason.
many_ports=5000 many_ports_iptables=500
many_attachments=600 many_attachments_ref=100
# The reference reads all files of addresses, so it gets fewer.
many_addresses=60000 many_addresses_ref=3000
# All of a /16 but one, without the network's own two and the gateway.
full_addresses=65532
# As many connections are one sample.
connects=1000

# record ROUND WHAT WHO STATE FEW MANY US
record() {
	[ "$1" != 0 ] || return 0
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$2" "$3" "$1" "$4" "$5" "$6" \
		"$7" >>"$growth"
}

# make_host NAME: with a client outside, at 192.0.2.2.
make_host() {
	ip netns add "$1"
	ip netns add "$1-client"
	ip -n "$1" link set lo up
	ip -n "$1" link add outside type veth peer eth0 netns "$1-client"
	ip -n "$1" addr add 192.0.2.1/24 dev outside
	ip -n "$1" link set outside up
	ip -n "$1-client" addr add 192.0.2.2/24 dev eth0
	ip -n "$1-client" link set eth0 up
}

# contain ID: go on with an attachment of that name, in a namespace of its own.
contain() {
	id=$1 netns=$host-$1 prev=$tmp/prev.$host.$1
}

# grow_ports WHO: one port more, and a connection through the last of them.
grow_ports() {
	local who=$1 state count round servers='' few=5 many=$many_ports
	local -A present
	[ "$who" != ref-iptables ] || many=$many_ports_iptables
	present=([few]=$few [many]=$many)
	progress "$who: $few and $many host ports"
	for state in few many; do
		host=$state-ports
		make_host "$host"
		# The others belong to another container than the one more.
		for id in bench web; do
			contain $id
			ip netns add "$netns"
			chain "$who" ADD bridge
		done
		ports=$(port_keys 10000 "${present[$state]}")
		chain "$who" ADD portmap
		ip netns exec "$netns" "$PEER" serve tcp 80 web \
			</dev/null >"$tmp/ready.$state" &
		servers+=" $!"
		# A connection that was reset is remembered for ten seconds.
		ip netns exec "$host" sysctl -q \
			net.netfilter.nf_conntrack_tcp_timeout_close=1
		until [ -s "$tmp/ready.$state" ]; do sleep 0.01; done
	done
	settle
	for ((round = 0; round <= pairs; round++)); do
		for state in $(in_turn "$round" few many); do
			host=$state-ports
			contain bench
			# portmap hands on the result it was given, so prev stays.
			ports=$(port_keys 9000 1)
			chain "$who" ADD portmap
			record "$round" 'ADD of a host port' "$who" "$state" $few "$many" "$us"
			settle
			chain "$who" DEL portmap
			record "$round" 'DEL of a host port' "$who" "$state" $few "$many" "$us"
			settle
		done
		for state in $(in_turn "$round" few many); do
			host=$state-ports count=${present[$state]}
			us=$(ip netns exec "$host-client" "$PEER" time 192.0.2.1 \
				$((10000 + count - 1)) $connects |
				awk '{ print $1 / 1000 }')
			record "$round" 'connection to the last' "$who" "$state" $few \
				"$many" "$us"
		done
	done
	# shellcheck disable=SC2086 # a list
	kill $servers
	for state in few many; do
		host=$state-ports
		ip netns del "$host-client"
		ip netns del "$host-bench"
		ip netns del "$host-web"
		forget_host
	done
}

# forget_host: the host, and the addresses its network has given away.
forget_host() {
	ip netns del "$host"
	rm -rf "/var/lib/cni/networks/$host"
	host='' netns=bench id=bench prev=$tmp/prev
}

# grow_attachments WHO: one attachment more, NAT and two host ports.
grow_attachments() {
	local who=$1 state round i few=10 many=$many_attachments
	local -A present
	[ "$who" = ours ] || many=$many_attachments_ref
	present=([few]=$few [many]=$many)
	progress "$who: $few and $many attachments"
	for state in few many; do
		host=$state-attached
		make_host "$host"
		for ((i = 1; i <= present[$state]; i++)); do
			contain "c$i"
			ports=$(port_keys $((10000 + 2 * i)) 2)
			ip netns add "$netns"
			chain "$who" ADD bridge portmap
		done
	done
	settle
	for ((round = 0; round <= pairs; round++)); do
		for state in $(in_turn "$round" few many); do
			host=$state-attached
			contain bench
			ports=$(port_keys 9000 2)
			ip netns add "$netns"
			chain "$who" ADD bridge portmap
			record "$round" 'ADD of an attachment' "$who" "$state" $few \
				"$many" "$us"
			settle
			chain "$who" DEL portmap bridge
			record "$round" 'DEL of an attachment' "$who" "$state" $few \
				"$many" "$us"
			ip netns del "$netns"
			settle
		done
	done
	for state in few many; do
		host=$state-attached
		ip netns del "$host-client"
		for ((i = 1; i <= present[$state]; i++)); do
			ip netns del "$host-c$i"
		done
		forget_host
	done
}

# take NETWORK SUBNET COUNT: so many addresses of others, from the third of a /16.
take() {
	local dir=/var/lib/cni/networks/$1 i
	mkdir -p "$dir"
	for ((i = 3; i < $3 + 3; i++)); do
		printf 'other%s\r\neth0' $i >"$dir/${2%.*.*}.$((i / 256)).$((i % 256))"
	done
}

# grow_addresses WHO WHAT MANY: host-local alone, with addresses given away.
grow_addresses() {
	local who=$1 what=$2 few=10 many=$3 state round command net=10.3.0.0
	progress "$who: host-local, $few and $many addresses"
	take "few-$who" $net $few
	take "many-$who" $net "$many"
	for state in few many; do
		printf '{"cniVersion":"%s","name":"%s","type":"host-local",' \
			"$version" "$state-$who"
		printf '"ipam":{"type":"host-local","subnet":"%s/16"}}\n' $net
	done >"$tmp/conf.$who"
	for ((round = 0; round <= pairs; round++)); do
		for state in $(in_turn "$round" few many); do
			grep "\"$state-" "$tmp/conf.$who" >"$tmp/conf.addresses"
			for command in ADD DEL; do
				measure "$who" $command host-local "$tmp/conf.addresses"
				record "$round" "$command$what" "$who" "$state" $few \
					"$many" "$us"
			done
		done
	done
	rm -rf "/var/lib/cni/networks/few-$who" "/var/lib/cni/networks/many-$who"
}

# grown: one line a comparison: what, who, few, many, the time with few, with
# many, ratio, budget. Only our own growth has a budget.
grown() {
	awk -F '\t' -v OFS='\t' "$median"'
	BEGIN {
		budget["ADD of a host port"] = budget["connection to the last"] = 1.1
		budget["ADD of an attachment"] = 1.2
		budget["ADD of an address"] = budget["DEL of an address"] = 1.3
		budget["ADD of the last of a /16"] = 1.3
	}
	{ key = $1 OFS $2 OFS $5 OFS $6 }
	!(key in what) { what[key] = $1; who[key] = $2; row[++rows] = key }
	{ all[key, $4] = all[key, $4] " " $7; one[key, $3, $4] = $7; if ($3 > last) last = $3 }
	END {
		for (r = 1; r <= rows; r++) {
			key = row[r]
			ratios = ""
			for (k = 1; k <= last; k++)
				ratios = ratios " " one[key, k, "many"] / one[key, k, "few"]
			print key, median(all[key, "few"]), median(all[key, "many"]),
				median(ratios), who[key] == "ours" ? budget[what[key]] : ""
		}
	}' "$growth" | sort -t "$(printf '\t')" -k1,1 -s
}
