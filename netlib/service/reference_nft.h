// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the Go reference plugins have made in nftables, taken down in their
 * place: DEL and GC of an attachment that they set up, on a host that has been
 * moved to these plugins since.
 *
 *	masquerading	inet cni_plugins_masquerade, rules of masq_checks whose
 *			comment begins with the same key as ours (base/owner.h)
 *	host ports	ip and ip6 cni_hostport, rules of hostports,
 *			hostip_hostports and masquerading whose comment is the
 *			container's id
 *	spoof check	bridge nat, rules of PREROUTING with the comment
 *			"macspoofchk-ID-IF", chains "cni-br-iface-ID-IF" and "...-mac"
 *
 * (pkg/ip/ipmasq_nftables_linux.go, plugins/meta/portmap/portmap_nftables.go,
 * pkg/link/spoofcheck.go.) Where there is nothing that costs one question. Only
 * rules with such a comment are touched; tables and base chains stay, as after
 * the reference's own DEL. A deletion holds for the ruleset that was read: a
 * rule's number could have become another's.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/owner.h"
#include "kernel/netfilter.h"

int reference_nft_del_masquerade(struct netfilter *nf,
				 const struct owner *owner, struct err *e);

/* All host ports of the container: its id is all that they say, not the network
 * and not the interface, as at the reference's own DEL. */
int reference_nft_del_hostports(struct netfilter *nf, const struct owner *owner,
				struct err *e);

int reference_nft_del_spoof(struct netfilter *nf, const struct owner *owner,
			    struct err *e);

/* Delete the rules of @network's attachments other than the @n valid. Host ports
 * and spoof checks do not say the network: they cannot be told from those of
 * other networks' attachments, and stay. */
int reference_nft_gc_masquerade(struct netfilter *nf, const char *network,
				const struct owner *valid, size_t n,
				struct err *e);
