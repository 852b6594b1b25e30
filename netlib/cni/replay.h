// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls written down (base/owned_file.h), for what a plugin has set up in other
 * programs' tables, iptables and firewalld: these are lost with a flush too,
 * and only the plugin knows what they were. "hawser reload" gives each call
 * back to its plugin's .restore.
 */
#pragma once

#include <stddef.h>

#include "cni/plugin.h"

/* Write the ADD down that @plugin is serving. @prev becomes its prevResult,
 * unless it is NULL. */
void replay_write(const struct cni_call *call, const char *plugin,
		  const struct cni_result *prev);
void replay_delete(const struct cni_call *call, const char *plugin);
void replay_gc(const struct cni_call *call, const char *plugin,
	       const struct owner *valid, size_t n);

/* Restore all calls whose namespace is still there; *@ret_n is their number.
 * One that fails does not keep the others from it; the first error is
 * returned. */
int replay_all(const struct cni_plugin *const *plugins, size_t *ret_n,
	       struct err *e);
