// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/report.h"

int report_interface(struct cni_result *res, const struct link *link,
		     const char *sandbox, struct arena *a, struct err *e)
{
	struct cni_interface *iface = cni_result_add_interface(res, a);
	char mac[MAC_TEXT_MAX];

	if (!iface)
		return err_oom(e);
	iface->name = arena_strdup(a, link->name);
	if (link->has_mac)
		iface->mac = arena_strdup(a, mac_text(link->mac, mac));
	iface->sandbox = sandbox;
	iface->mtu = link->mtu;
	return iface->name && (iface->mac || !link->has_mac) ? 0 : err_oom(e);
}

void report_common(const struct cni_call *call, int64_t index,
		   struct cni_result *res)
{
	for (size_t i = 0; i < res->ips.n; i++)
		res->ips.v[i].interface = index;
	if (cni_dns_is_set(&call->conf->dns))
		res->dns = call->conf->dns;
}
