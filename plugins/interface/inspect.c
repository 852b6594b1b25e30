// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CONTAINER_INTERFACE "container interface"

int inspect_differs(struct err *e, const char *what, const char *name,
		    const char *how)
{
	return err_set(e, ERR_MISMATCH, ENOENT, "%s %s %s", what, name, how);
}

int inspect_result(const struct cni_call *call, const struct cni_result *prev,
		   const struct cni_interface **ret, struct err *e)
{
	const struct cni_args *args = call->args;

	*ret = cni_result_find_interface(prev, args->ifname, true);
	if (!*ret)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "prevResult has no interface %s in a container",
			       args->ifname);
	if (strcmp((*ret)->sandbox, args->netns) != 0)
		return err_set(
			e, ERR_MISMATCH, ENOENT,
			"prevResult has interface %s in %s, CNI_NETNS is %s",
			args->ifname, (*ret)->sandbox, args->netns);
	return 0;
}

int inspect_mac(const struct cni_interface *wanted, const struct link *link,
		const char *what, struct err *e)
{
	char mac[MAC_TEXT_MAX];

	mac_text(link->mac, mac);
	if (!wanted || !wanted->mac || !*wanted->mac ||
	    !strcasecmp(wanted->mac, mac))
		return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "%s %s has MAC %s, prevResult says %s", what, link->name,
		       mac, wanted->mac);
}

int inspect_iface(const struct netns *container,
		  const struct cni_interface *wanted, const char *kind,
		  struct link *ret, struct err *e)
{
	int r = link_get(container, wanted->name, ret, e);

	if (r == -ENODEV)
		return inspect_differs(e, CONTAINER_INTERFACE, wanted->name,
				       "does not exist");
	if (r)
		return r;
	if (kind && strcmp(ret->kind, kind) != 0)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       CONTAINER_INTERFACE " %s is not a %s",
			       wanted->name, kind);
	return inspect_mac(wanted, ret, CONTAINER_INTERFACE, e);
}

static bool are_ends(const struct link *a, const struct link *b)
{
	return a->index == b->iflink && b->index == a->iflink;
}

static int find_host_end(const struct cni_call *call,
			 const struct cni_result *prev,
			 const struct netns *host, const struct link *iface,
			 struct link *ret, struct err *e)
{
	const struct owner owner = cni_owner(call);
	const struct owner_ifname own = owner_host_ifname(&owner);

	if (!link_get(host, own.name, ret, NULL))
		return 0;
	for (size_t i = 0; i < prev->interfaces.n; i++) {
		const struct cni_interface *other = &prev->interfaces.v[i];

		if (other->name && !(other->sandbox && *other->sandbox) &&
		    !link_get(host, other->name, ret, NULL) &&
		    !strcmp(ret->kind, "veth") && are_ends(ret, iface))
			return 0;
	}
	return inspect_differs(e, "host interface", own.name, "does not exist");
}

int inspect_host_end(const struct cni_call *call, const struct cni_result *prev,
		     const struct netns *host, const struct link *iface,
		     struct link *ret, struct err *e)
{
	int r = find_host_end(call, prev, host, iface, ret, e);

	if (r || are_ends(ret, iface))
		return r;
	return inspect_differs(e, "host interface", ret->name,
			       "is not the other end of the container's");
}
