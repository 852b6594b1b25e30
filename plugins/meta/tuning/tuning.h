// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the tuning plugin share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "cni/mac.h"
#include "cni/plugin.h"
#include "kernel/netns.h"

struct tuning_sysctl {
	const char *key;  /* as the configuration has it */
	const char *path; /* below /proc/sys: "net/core/somaxconn" */
	const char *value;
};

/* Settings of an interface and its namespace: those that are asked for, or those
 * that there were. */
struct tuning {
	LIST(struct tuning_sysctl) sysctls;
	struct cni_mac mac;
	int64_t mtu;		   /* 0: not said */
	int64_t tx_queue_len;	   /* -1: not said */
	int64_t promisc, allmulti; /* 0 or 1; -1: not said */
};

#define TUNING_NONE                                               \
	{                                                         \
		.tx_queue_len = -1, .promisc = -1, .allmulti = -1 \
	}

struct tuning_conf {
	struct tuning asked;
	const char *data_dir;
};

/* Whether anything of the interface itself is said. */
bool tuning_has_link(const struct tuning *t);

/* --- conf.c ---------------------------------------------------------------- */

/* Decode and check. */
int tuning_conf_load(const struct cni_call *call, struct tuning_conf *ret,
		     struct err *e);

/* Where the backups are, whatever else the configuration says. */
const char *tuning_data_dir(const struct cni_call *call);

/* --- allowlist.c: what an administrator lets configurations set ------------- */

/* That /etc/cni/tuning/allowlist.conf, if there is one, has a line for each: an
 * extended regular expression that matches the whole key in its form with dots.
 * Empty lines and those that begin with # count for nothing. ERR_CONFIG. */
int allowlist_check(const struct tuning *asked, struct err *e);

/* --- settings.c: reading and writing them ---------------------------------- */

/* Of what @asked says, what there is now. */
int settings_read(const struct netns *ns, const char *ifname,
		  const struct tuning *asked, struct arena *a,
		  struct tuning *ret, struct err *e);

/* Set all of it, or fail at the first that cannot be. */
int settings_write(const struct netns *ns, const char *ifname,
		   const struct tuning *t, struct arena *a, struct err *e);

/* Set what can be set. */
void settings_restore(const struct netns *ns, const char *ifname,
		      const struct tuning *t, struct arena *a);

/* That everything is as @asked: ERR_MISMATCH, naming what is not. */
int settings_check(const struct netns *ns, const char *ifname,
		   const struct tuning *asked, struct arena *a, struct err *e);

/* --- backup.c: what there was, in the reference's file ---------------------- */

/* Write down what @was before this ADD. What an earlier plugin of the chain has
 * written there already goes before it. *@ret_first: there was no file. */
int backup_write(const struct cni_call *call, const char *dir,
		 const struct tuning *was, bool *ret_first, struct err *e);

/* -ENOENT where there is none. */
int backup_read(const struct cni_call *call, const char *dir,
		struct tuning *ret, struct err *e);

void backup_delete(const struct cni_call *call, const char *dir);

/* Delete those of this network's attachments that are not valid any more. */
int backup_gc(const struct cni_call *call, const char *dir, struct err *e);
