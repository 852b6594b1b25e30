// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ip_masq.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cni/replay.h"
#include "service/masquerade.h"
#include "service/masquerade_iptables.h"
#include "service/reference_nft.h"

static const struct json_field fields[] = {
	{ "ipMasq", JSON_BOOL, offsetof(struct ip_masq, on) },
	{ "ipMasqBackend", JSON_STRING, offsetof(struct ip_masq, backend) },
	{ 0 },
};

static bool uses_iptables(const struct ip_masq *masq)
{
	return masq->backend && !strcmp(masq->backend, "iptables");
}

static bool is_known(const struct ip_masq *masq)
{
	return !masq->backend || !*masq->backend ||
	       !strcmp(masq->backend, "nftables") || uses_iptables(masq);
}

int ip_masq_load(const struct cni_call *call, struct ip_masq *ret,
		 struct err *e)
{
	enum cni_command command = call->args->command;
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	if (r || !ret->on || is_known(ret) || command == CNI_DEL ||
	    command == CNI_GC)
		return r;
	return err_set(e, ERR_CONFIG, EINVAL, "unknown ipmasq backend \"%s\"",
		       ret->backend);
}

static int add_to_iptables(struct netfilter *nf, const struct cni_call *call,
			   const char *plugin, const struct cni_result *res,
			   struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct ip_prefix *v = cni_result_addresses(res, call->arena);
	int r = v ? masquerade_iptables_add(nf, &owner, v, res->ips.n, e)
		  : err_oom(e);

	if (!r)
		replay_write(call, plugin, res);
	return r;
}

int ip_masq_add(struct netfilter *nf, const struct cni_call *call,
		const char *plugin, const struct ip_masq *masq,
		const struct cni_result *res, struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct ip_prefix *v;

	if (!masq->on || !res->ips.n)
		return 0;
	if (uses_iptables(masq))
		return add_to_iptables(nf, call, plugin, res, e);
	v = cni_result_addresses(res, call->arena);
	return v ? masquerade_add(nf, &owner, v, res->ips.n, e) : err_oom(e);
}

int ip_masq_restore(const struct cni_call *call, const char *plugin,
		    struct err *e)
{
	_netfilter_ struct netfilter nf = { 0 };
	struct cni_result prev = { 0 };
	int r = cni_prev_result(call, &prev, e);

	return r ? r : add_to_iptables(&nf, call, plugin, &prev, e);
}

int ip_masq_del(struct netfilter *nf, const struct cni_call *call,
		const char *plugin, const struct cni_result *prev,
		struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct ip_prefix *v = cni_result_addresses(prev, call->arena);
	size_t n = prev->ips.n;
	int first, r;

	replay_delete(call, plugin);
	if (!v)
		return err_oom(e);
	first = masquerade_iptables_del(nf, &owner, v, n, e);
	r = reference_nft_del_masquerade(nf, &owner, first ? NULL : e);
	first = first ? first : r;
	r = masquerade_del(nf, &owner, first ? NULL : e);
	return first ? first : r;
}

int ip_masq_check(struct netfilter *nf, const struct cni_call *call,
		  const struct ip_masq *masq, const struct cni_result *prev,
		  struct err *e)
{
	const struct owner owner = cni_owner(call);
	struct ip_prefix *v;

	if (!masq->on)
		return 0;
	v = cni_result_addresses(prev, call->arena);
	if (!v)
		return err_oom(e);
	if (uses_iptables(masq))
		return masquerade_iptables_check(&owner, v, prev->ips.n, e);
	return masquerade_check(nf, &owner, v, prev->ips.n, e);
}

int ip_masq_gc(struct netfilter *nf, const struct cni_call *call,
	       const char *plugin, const struct owner *valid, size_t n,
	       struct err *e)
{
	static int (*const parts[])(
		struct netfilter *, const char *, const struct owner *, size_t,
		struct err *) = { masquerade_gc, masquerade_iptables_gc,
				  reference_nft_gc_masquerade };
	int first = 0;

	replay_gc(call, plugin, valid, n);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		int r = parts[i](nf, call->conf->name, valid, n,
				 first ? NULL : e);

		first = first ? first : r;
	}
	return first;
}

int ip_masq_status(struct netfilter *nf, const struct ip_masq *masq,
		   struct err *e)
{
	if (!masq->on)
		return 0;
	return uses_iptables(masq) ? masquerade_iptables_status(e)
				   : masquerade_status(nf, e);
}
