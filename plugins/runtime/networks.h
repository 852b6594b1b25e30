// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A container's networks: eth0 on the first, eth1 on the second, and so on.
 * Host ports (the capability "portMappings") go to the first network that
 * publishes any, for one port of the host cannot lead to two addresses.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "cni/attachment.h"
#include "cni/result.h"

#define NETWORKS_MAX	    16
#define NETWORKS_IFNAME_MAX 24 /* "eth" and any number */

struct networks {
	const struct cni_runtime *rt;
	const struct cni_list *lists;
	size_t n;
	const char *container_id;
	const char *netns;
	const char *args;	      /* CNI_ARGS; NULL: none */
	const cJSON *capability_args; /* the same */
};

/* Load @n networks by their names into @lists. */
int networks_load(const char *conf_dir, const char *const *names, size_t n,
		  struct arena *a, struct cni_list *lists, struct err *e);

/* What the interface on network number @i is called. */
const char *networks_ifname(size_t i, char buf[static NETWORKS_IFNAME_MAX]);

/* What CAP_ARGS in @env and the @n texts @ports (publish.h) say, in @a; ports that
 * no network would publish are an error. */
int networks_capability_args(const struct networks *nets, char *const *env,
			     const char *const *ports, size_t n,
			     struct arena *a, const cJSON **ret, struct err *e);

/* The CNI_ARGS by which plugins know the container's name, as container engines
 * give it to them; NULL for no name. */
int networks_args(const char *name, struct arena *a, const char **ret,
		  struct err *e);

/* Attach the container to all of them, or to none. @dns gets what each says about
 * DNS, in @a; NULL: nobody asks. */
int networks_attach(const struct networks *nets, struct arena *a,
		    struct cni_dns *dns, struct err *e);

/* Detach it from all of them, the last first; the first error is reported. */
int networks_detach(const struct networks *nets, struct err *e);

/* The list that @cached was attached with; where the cache does not have it, the
 * one of its name in @conf_dir. */
int networks_list_of(const struct cni_cached *cached, const char *conf_dir,
		     struct arena *a, struct cni_list *ret, struct err *e);

/* Let no signal that ends a session or a service end this process, nor a plugin
 * of it half-way. */
void networks_stand_apart(void);
