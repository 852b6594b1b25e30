// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "kernel/link.h"
#include "kernel/sysctl.h"
#include "meta/tuning/tuning.h"

/* --- sysctls --------------------------------------------------------------- */

struct files {
	int *v;
	size_t n;
};

static void files_close_cleanup(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		close_cleanup(&files->v[i]);
}

#define _files_ cleanup(files_close)

/* Those of @v; closed by the caller. */
static int open_files(const struct netns *ns, const struct tuning_sysctl *v,
		      size_t n, struct arena *a, struct files *ret,
		      struct err *e)
{
	const char **paths = arena_array(a, n, sizeof(*paths));
	int *fds = arena_array(a, n, sizeof(*fds));
	int r;

	if (!n)
		return 0;
	if (!paths || !fds)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		paths[i] = v[i].path;
	r = netns_open_sysctls(ns, paths, n, fds, e);
	if (!r)
		*ret = (struct files){ fds, n };
	return r;
}

static int sysctl_error(const struct tuning_sysctl *s, const char *what, int r,
			struct err *e)
{
	return err_set(e, ERR_IO, -r, "%s \"%s\": %s", what, s->key,
		       strerror(-r));
}

/* What can only be written has nothing to be saved. */
static int read_sysctls(const struct netns *ns, const struct tuning *asked,
			struct arena *a, struct tuning *ret, struct err *e)
{
	size_t n = asked->sysctls.n;
	_files_ struct files files = { 0 };
	int r = open_files(ns, asked->sysctls.v, n, a, &files, e);

	ret->sysctls.v = arena_array(a, n, sizeof(*ret->sysctls.v));
	if (n && !ret->sysctls.v)
		return err_oom(e);
	for (size_t i = 0; !r && i < files.n; i++) {
		struct tuning_sysctl one = asked->sysctls.v[i];

		r = sysctl_read(files.v[i], a, &one.value);
		if (!r)
			ret->sysctls.v[ret->sysctls.n++] = one;
		else
			r = r == -EBADF
				    ? 0
				    : sysctl_error(&one, "read sysctl", r, e);
	}
	return r;
}

static int write_sysctls(const struct netns *ns, const struct tuning_sysctl *v,
			 size_t n, struct arena *a, struct err *e)
{
	_files_ struct files files = { 0 };
	int r = open_files(ns, v, n, a, &files, e);

	for (size_t i = 0; !r && i < files.n; i++) {
		r = sysctl_write(files.v[i], v[i].value);
		if (r)
			r = sysctl_error(&v[i], "set sysctl", r, e);
	}
	return r;
}

/* --- the interface --------------------------------------------------------- */

static void put_flag(struct link_change *change, int64_t asked, unsigned flag)
{
	if (asked > 0)
		change->flags_on |= flag;
	else if (!asked)
		change->flags_off |= flag;
}

/* In one request. Of a new MAC the kernel tells the neighbours by itself where
 * arp_notify and ndisc_notify are set, as the plugins that make interfaces do. */
static int write_link(const struct netns *ns, const char *ifname,
		      const struct tuning *t, struct err *e)
{
	const uint32_t tx_queue_len = (uint32_t)t->tx_queue_len;
	struct link_change change = {
		.mac = cni_mac_get(&t->mac),
		.mtu = (uint32_t)t->mtu,
		.tx_queue_len = t->tx_queue_len < 0 ? NULL : &tx_queue_len,
	};

	if (!tuning_has_link(t))
		return 0;
	put_flag(&change, t->promisc, IFF_PROMISC);
	put_flag(&change, t->allmulti, IFF_ALLMULTI);
	return link_change(ns, ifname, &change, e);
}

/* --- all of it ------------------------------------------------------------- */

int settings_read(const struct netns *ns, const char *ifname,
		  const struct tuning *asked, struct arena *a,
		  struct tuning *ret, struct err *e)
{
	struct tuning now = TUNING_NONE;
	struct link link = { 0 };
	int r = read_sysctls(ns, asked, a, &now, e);

	if (!r && tuning_has_link(asked))
		r = link_get(ns, ifname, &link, e);
	if (!r && asked->mac.is_set && link.has_mac) {
		now.mac.is_set = true;
		memcpy(now.mac.mac, link.mac, MAC_LEN);
	}
	if (!r && asked->mtu)
		now.mtu = link.mtu;
	if (!r && asked->tx_queue_len >= 0)
		now.tx_queue_len = link.tx_queue_len;
	if (!r && asked->promisc >= 0)
		now.promisc = !!(link.flags & IFF_PROMISC);
	if (!r && asked->allmulti >= 0)
		now.allmulti = !!(link.flags & IFF_ALLMULTI);
	*ret = now;
	return r;
}

/* Sysctls first, as the reference: an MTU too small for IPv6 takes those of the
 * interface away. */
int settings_write(const struct netns *ns, const char *ifname,
		   const struct tuning *t, struct arena *a, struct err *e)
{
	int r = write_sysctls(ns, t->sysctls.v, t->sysctls.n, a, e);

	return r ? r : write_link(ns, ifname, t, e);
}

/* One at a time, the other way round. */
void settings_restore(const struct netns *ns, const char *ifname,
		      const struct tuning *t, struct arena *a)
{
	struct tuning each[5] = { TUNING_NONE, TUNING_NONE, TUNING_NONE,
				  TUNING_NONE, TUNING_NONE };

	each[0].mtu = t->mtu;
	each[1].mac = t->mac;
	each[2].promisc = t->promisc;
	each[3].allmulti = t->allmulti;
	each[4].tx_queue_len = t->tx_queue_len;
	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++)
		write_link(ns, ifname, &each[i], NULL);
	for (size_t i = t->sysctls.n; i-- > 0;)
		write_sysctls(ns, &t->sysctls.v[i], 1, a, NULL);
}

/* --- CHECK ----------------------------------------------------------------- */

static int differs(struct err *e, const char *ifname, const char *what,
		   long long is, long long asked)
{
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "interface %s has %s %lld instead of %lld", ifname, what,
		       is, asked);
}

static int check_sysctls(const struct tuning *asked, const struct tuning *now,
			 struct err *e)
{
	size_t n = 0; /* what can only be written is not in @now */

	for (size_t i = 0; i < now->sysctls.n; i++) {
		const struct tuning_sysctl *is = &now->sysctls.v[i];

		while (strcmp(asked->sysctls.v[n].path, is->path) != 0)
			n++;
		if (!sysctl_is_same(is->value, asked->sysctls.v[n].value))
			return err_set(e, ERR_MISMATCH, ENOENT,
				       "sysctl %s is \"%s\" instead of \"%s\"",
				       is->key, is->value,
				       asked->sysctls.v[n].value);
	}
	return 0;
}

static int check_link(const char *ifname, const struct tuning *asked,
		      const struct tuning *now, struct err *e)
{
	char is[MAC_TEXT_MAX], wanted[MAC_TEXT_MAX];

	if (asked->mac.is_set &&
	    (!now->mac.is_set ||
	     memcmp(now->mac.mac, asked->mac.mac, MAC_LEN) != 0))
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "interface %s has MAC %s instead of %s", ifname,
			       mac_text(now->mac.mac, is),
			       mac_text(asked->mac.mac, wanted));
	if (now->mtu != asked->mtu)
		return differs(e, ifname, "MTU", now->mtu, asked->mtu);
	if (now->tx_queue_len != asked->tx_queue_len)
		return differs(e, ifname, "txQLen", now->tx_queue_len,
			       asked->tx_queue_len);
	if (now->promisc != asked->promisc)
		return differs(e, ifname, "promisc", now->promisc,
			       asked->promisc);
	if (now->allmulti != asked->allmulti)
		return differs(e, ifname, "allmulti", now->allmulti,
			       asked->allmulti);
	return 0;
}

int settings_check(const struct netns *ns, const char *ifname,
		   const struct tuning *asked, struct arena *a, struct err *e)
{
	struct tuning now;
	int r = settings_read(ns, ifname, asked, a, &now, e);

	if (!r)
		r = check_sysctls(asked, &now, e);
	return r ? r : check_link(ifname, asked, &now, e);
}
