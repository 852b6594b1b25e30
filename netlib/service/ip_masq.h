// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys ipMasq and ipMasqBackend, of plugins that connect a container with
 * the host: masquerading with the backend that the configuration names. What is
 * in iptables is written down under the plugin's name (cni/replay.h), for
 * reload.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/owner.h"
#include "cni/plugin.h"
#include "kernel/netfilter.h"

struct ip_masq {
	bool on;
	const char *backend; /* NULL, "": nftables */
};

/* Decode the keys and, unless it is for DEL or GC, check them. */
int ip_masq_load(const struct cni_call *call, struct ip_masq *ret,
		 struct err *e);

/* Masquerade for the addresses of @res, if so configured. On failure nothing is
 * left. */
int ip_masq_add(struct netfilter *nf, const struct cni_call *call,
		const char *plugin, const struct ip_masq *masq,
		const struct cni_result *res, struct err *e);

/* What ADD has written down, again: for cni_plugin.restore. */
int ip_masq_restore(const struct cni_call *call, const char *plugin,
		    struct err *e);

/* Delete the attachment's masquerading from both backends, and the reference's
 * as well: the configuration may have named another backend at the time of ADD.
 * @prev may be empty. */
int ip_masq_del(struct netfilter *nf, const struct cni_call *call,
		const char *plugin, const struct cni_result *prev,
		struct err *e);

/* ERR_MISMATCH, naming it, when an element or a rule is missing. */
int ip_masq_check(struct netfilter *nf, const struct cni_call *call,
		  const struct ip_masq *masq, const struct cni_result *prev,
		  struct err *e);

/* Delete that of the network's attachments other than the @n valid. */
int ip_masq_gc(struct netfilter *nf, const struct cni_call *call,
	       const char *plugin, const struct owner *valid, size_t n,
	       struct err *e);

/* Whether the backend can do it at all. */
int ip_masq_status(struct netfilter *nf, const struct ip_masq *masq,
		   struct err *e);
