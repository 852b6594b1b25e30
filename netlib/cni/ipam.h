// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delegation to the IPAM plugin that the configuration names (SPEC.md, section
 * 4): with the bytes and the environment that the caller got.
 *
 * Where ipam.type resolves in CNI_PATH to the very executable that runs, its
 * function is called in process, which saves half of an ADD; a user's own
 * plugin of that name is executed as the specification says.
 *
 * Without an ipam.type each of these succeeds and does nothing. Errors are the
 * IPAM plugin's own, with its code.
 */
#pragma once

#include "base/err.h"
#include "cni/plugin.h"

/* Whether the configuration names an IPAM plugin. */
bool cni_has_ipam(const struct cni_conf *conf);

int cni_ipam_add(const struct cni_call *call, struct cni_result *ret,
		 struct err *e);

/* The same for a plugin that cannot do with a result without addresses: that is
 * an error, and undone. */
int cni_ipam_add_addresses(const struct cni_call *call, struct cni_result *ret,
			   struct err *e);

/*
 * Whether IPAM talks through the interface, as dhcp does: it is called while the
 * interface is there and carries traffic. Any other is told that an address is
 * free only when nobody can have it any more.
 */
bool cni_ipam_uses_interface(const struct cni_conf *conf);

/* What takes an interface away, as a failed ADD does, calls one before and the
 * other after: each calls IPAM with @command if it is its turn. */
int cni_ipam_call_before(const struct cni_call *call, enum cni_command command,
			 struct err *e);
int cni_ipam_call_after(const struct cni_call *call, enum cni_command command,
			struct err *e);

/* A plugin's own part of DEL or GC; a step that there is none of is NULL. */
struct cni_take_down {
	int (*interface)(const struct cni_call *call, const void *arg,
			 struct err *e);
	int (*rest)(const struct cni_call *call, const void *arg,
		    struct err *e);
	const void *arg;
};

/*
 * DEL or GC of a plugin with IPAM, each in its turn. What fails does not keep the
 * others from being done, but for @own->interface: as long as that may be there
 * its address is not given back, but to a server that is told through it. Returns
 * what failed first; the message has all.
 */
int cni_ipam_take_down(const struct cni_call *call, enum cni_command command,
		       const struct cni_take_down *own, struct err *e);

/* CNI_COMMAND for the delegated plugin is @command: DEL may undo an ADD. */
int cni_ipam_call(const struct cni_call *call, enum cni_command command,
		  struct err *e);
