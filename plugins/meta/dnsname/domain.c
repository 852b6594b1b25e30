// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/domain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#define FILE_NAME "domain"
#define BEFORE	  "server=/"

/* --- one's own -------------------------------------------------------------- */

/* dnsmasq knows reverse zones of whole IPv6 digits only. */
static bool has_reverse_zone(const struct ip_prefix *p)
{
	return p->addr.family == AF_INET || p->len % 4 == 0;
}

static void put_server(FILE *f, const struct dns_service *service,
		       const struct ip_prefix *server)
{
	const struct ip_prefix subnet = prefix_network(server);
	char addr[IP_TEXT_MAX], prefix[PREFIX_TEXT_MAX];

	ip_text(&server->addr, addr);
	fprintf(f, BEFORE "%s/%s\n", service->domain, addr);
	if (has_reverse_zone(server))
		fprintf(f, "rev-server=%s,%s\n", prefix_text(&subnet, prefix),
			addr);
}

int dns_domain_write(const struct dns_network *net,
		     const struct dns_service *service, bool *ret_changed,
		     struct err *e)
{
	_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && i < service->nameservers_n; i++)
		put_server(f, service, &service->nameservers[i]);
	if (!f || fclose(f))
		return err_oom(e);
	return dns_network_write(net, FILE_NAME, text, ret_changed, e);
}

bool dns_domain_read(const struct dns_network *net, struct arena *a,
		     const char **ret_domain, struct ip_addr *ret_server)
{
	const char *text = dns_network_read(net, FILE_NAME, a),
		   *domain = text && !strncmp(text, BEFORE, strlen(BEFORE))
				     ? text + strlen(BEFORE)
				     : NULL,
		   *slash = domain ? strchr(domain, '/') : NULL, *server;

	if (!slash)
		return false;
	*ret_domain = arena_printf(a, "%.*s", (int)(slash - domain), domain);
	server = arena_printf(a, "%.*s", (int)strcspn(slash + 1, "\n"),
			      slash + 1);
	return *ret_domain && server && !ip_parse(server, ret_server);
}

/* --- the others' ------------------------------------------------------------ */

/* A network of those that share; nobody else writes its file DNS_OTHERS. */
struct shared {
	struct dns_network net;
	const char *text, *domain;
};

struct all {
	struct arena arena;
	struct shared *v;
	size_t n;
};

static void all_done_cleanup(struct all *all)
{
	for (size_t i = 0; i < all->n; i++)
		close_cleanup(&all->v[i].net.dir);
	arena_done(&all->arena);
}

#define _all_ cleanup(all_done)

/* The network's directory, if it shares. */
static bool look_at(const char *path, const char *name, struct arena *a,
		    struct shared *ret)
{
	struct ip_addr server;

	*ret = (struct shared){ .net = DNS_NETWORK_NONE };
	ret->net.path = arena_printf(a, "%s/%s", path, name);
	ret->net.name = arena_strdup(a, name);
	if (!ret->net.path || !ret->net.name)
		return false;
	ret->net.dir = open(ret->net.path,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->net.dir < 0)
		return false;
	ret->text = dns_network_read(&ret->net, FILE_NAME, a);
	if (ret->text && !faccessat(ret->net.dir, DNS_OTHERS, F_OK, 0) &&
	    dns_domain_read(&ret->net, a, &ret->domain, &server))
		return true;
	close_cleanup(&ret->net.dir);
	return false;
}

static size_t count_entries(DIR *dir)
{
	size_t n = 0;

	while (readdir(dir))
		n++;
	rewinddir(dir);
	return n;
}

static void find(const char *path, struct all *all)
{
	_closedir_ DIR *dir = opendir(path);
	const size_t max = dir ? count_entries(dir) : 0;
	const struct dirent *d;

	all->v = arena_array(&all->arena, max, sizeof(*all->v));
	while (all->v && all->n < max && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' &&
		    look_at(path, d->d_name, &all->arena, &all->v[all->n]))
			all->n++;
}

/* Two networks of one domain cannot ask each other: each answers for itself. */
static void tell(const struct all *all, const struct shared *to)
{
	_free_ char *text = NULL;
	const struct resolver *resolver = resolver_of(&to->net);
	bool changed = false;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && i < all->n; i++)
		if (strcasecmp(all->v[i].domain, to->domain) != 0)
			fputs(all->v[i].text, f);
	if (!f || fclose(f))
		return;
	if (!dns_network_write(&to->net, DNS_OTHERS, text, &changed, NULL) &&
	    changed && resolver)
		resolver_notify(resolver, &to->net);
}

void dns_domains_share(const char *path)
{
	_all_ struct all all = { 0 };
	_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || flock(dir, LOCK_EX))
		return;
	find(path, &all);
	for (size_t i = 0; i < all.n; i++)
		tell(&all, &all.v[i]);
}
