// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/veth_pair.h"

#include <errno.h>
#include <string.h>

#include "kernel/link.h"
#include "kernel/link_add.h"
#include "kernel/link_delete.h"

/* --- making -------------------------------------------------------------- */

/* Which of the two names is taken. */
static int explain_taken(const struct netns *host,
			 const struct netns *container, const struct veth *veth,
			 struct err *e)
{
	struct link other;

	if (!link_get(container, veth->peer_name, &other, NULL))
		return err_set(
			e, ERR_EXISTS, EEXIST,
			"container veth name (\"%s\") peer provided (\"%s\") already exists",
			veth->peer_name, veth->name);
	if (link_get(host, veth->name, &other, NULL))
		other.alias[0] = '\0';
	return err_set(e, ERR_EXISTS, EEXIST,
		       "host interface \"%s\" already exists (%s)", veth->name,
		       *other.alias ? other.alias : "not one of ours");
}

int veth_pair_add(const struct netns *host, const struct netns *container,
		  const struct veth_pair *pair, struct err *e)
{
	const struct owner_ifname port = owner_host_ifname(pair->owner);
	const struct veth veth = {
		.name = port.name,
		.peer_name = pair->owner->ifname,
		.peer_ns = container->fd,
		.master = pair->master,
		.mtu = pair->mtu,
		.peer_mac = pair->mac,
	};
	int r = link_add_veth(host, &veth, e);

	return r == -EEXIST ? explain_taken(host, container, &veth, e) : r;
}

/* --- deleting ------------------------------------------------------------ */

/* Whether the far end says that the interface belongs to another attachment:
 * of another network that has the same name in this container. */
static bool is_anothers(const struct netns *host, const struct link *iface,
			const struct owner *owner)
{
	struct link port;

	return !link_get_index(host, iface->iflink, &port, NULL) &&
	       port.iflink == iface->index &&
	       owner_is_another(owner, port.alias);
}

/* The end in the container, if its namespace is still there. */
static int delete_container_end(const struct cni_call *call,
				const struct netns *host,
				const struct owner *owner, struct err *e)
{
	_netns_ struct netns container = NETNS_NONE;
	struct link link;
	int r;

	if (!*call->args->netns)
		return 0;
	r = netns_open(call->args->netns, &container, e);
	if (netns_is_gone(r))
		return 0;
	if (!r)
		r = link_get(&container, owner->ifname, &link, e);
	if (r)
		return r == -ENODEV ? 0 : r;
	if (strcmp(link.kind, "veth") != 0 || is_anothers(host, &link, owner))
		return 0;
	return link_delete(&container, &link, e);
}

/* The end on the host, if it is still there: without the namespace's name, or
 * while the kernel has not finished with a namespace that has gone. One that
 * has our name and no alias was made by an ADD that was killed. */
static int delete_host_end(const struct netns *host, const struct owner *owner,
			   struct err *e)
{
	const struct owner_ifname name = owner_host_ifname(owner);
	struct link link;
	int r = link_get(host, name.name, &link, e);

	if (r)
		return r == -ENODEV ? 0 : r;
	if (strcmp(link.kind, "veth") != 0 ||
	    (*link.alias && !owner_is(owner, link.alias)))
		return 0;
	return link_delete(host, &link, e);
}

int veth_pair_del(const struct cni_call *call, const struct owner *owner,
		  struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	int r = netns_open_own(&host, e);

	if (!r)
		r = delete_container_end(call, &host, owner, e);
	return r ? r : delete_host_end(&host, owner, e);
}

int veth_pair_gc(const struct cni_call *call, const struct owner *valid,
		 size_t valid_n, struct err *e)
{
	_netns_ struct netns host = NETNS_NONE;
	struct link *v = NULL;
	size_t n = 0;
	int first = netns_open_own(&host, e);

	if (!first)
		first = link_list(&host, call->arena, &v, &n, e);
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (!strcmp(v[i].kind, "veth") &&
		    owner_is_stale(call->conf->name, valid, valid_n,
				   v[i].alias))
			r = link_delete(&host, &v[i], first ? NULL : e);
		first = first ? first : r;
	}
	return first;
}
