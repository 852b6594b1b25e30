// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * aardvark-dns(1), with the files that podman's netavark writes for it: one a
 * network, "NAME" or for internal ones "NAME%int", whose first line says where
 * to listen and whom to ask, and each other one an attachment:
 *
 *	10.89.0.1,fd89::1 8.8.8.8
 *	6fd9...-287f... 10.89.0.2 fd89::2 web,www
 *
 * Podman's own aardvark-dns has another directory, and is not disturbed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "meta/dnsname/domain.h"

#define INTERNAL "%int"

static const char *file_name(const struct dns_network *net, bool internal,
			     struct arena *a)
{
	return arena_printf(a, DNS_SUBDIR "/%s%s", net->name,
			    internal ? INTERNAL : "");
}

/* The file that there is. */
static const char *current_file(const struct dns_network *net, struct arena *a)
{
	const char *internal = file_name(net, true, a);

	if (internal && !faccessat(net->dir, internal, F_OK, 0))
		return internal;
	return file_name(net, false, a);
}

static bool is_configured(const struct dns_network *net)
{
	return !faccessat(net->dir, DNS_SUBDIR, F_OK, 0);
}

/* --- the first line --------------------------------------------------------- */

static void put_first_line(FILE *f, const struct dns_service *service)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < service->nameservers_n; i++)
		fprintf(f, "%s%s", i ? "," : "",
			ip_text(&service->nameservers[i].addr, text));
	for (size_t i = 0; i < service->remote_servers_n; i++)
		fprintf(f, "%s%s", i ? "," : " ",
			ip_text(&service->remote_servers[i], text));
	fputc('\n', f);
}

/* It reads these files again with the names. */
static int configure(const struct dns_network *net,
		     const struct dns_service *service, bool *ret_restart,
		     struct arena *a, struct err *e)
{
	const char *name = file_name(net, service->internal, a),
		   *other = file_name(net, !service->internal, a);
	_free_ char *text = NULL;
	bool changed = false;
	size_t len;
	FILE *f;

	if (service->multi_domain)
		return err_set(
			e, ERR_UNSUPPORTED, EINVAL,
			"\"multiDomain\" is of dnsmasq, aardvark-dns does not have it");
	if (mkdirat(net->dir, DNS_SUBDIR, 0755) && errno != EEXIST)
		return err_sys(e, "make \"%s/" DNS_SUBDIR "\"", net->path);
	f = open_memstream(&text, &len);
	if (f)
		put_first_line(f, service);
	if (!f || fclose(f) || !name || !other)
		return err_oom(e);
	*ret_restart |= !unlinkat(net->dir, other, 0);
	return dns_network_write(net, name, text, &changed, e);
}

/* --- the names -------------------------------------------------------------- */

/* Addresses of one family, of those that have the same owner as @hosts->v[i]. */
static void put_column(FILE *f, const struct dns_hosts *hosts, size_t i,
		       uint8_t family)
{
	const char *before = " ";
	char text[IP_TEXT_MAX];

	for (size_t j = i; j < hosts->n; j++) {
		const struct dns_host *h = &hosts->v[j];

		if (h->addr.family != family ||
		    strcmp(h->owner, hosts->v[i].owner) != 0)
			continue;
		fprintf(f, "%s%s", before, ip_text(&h->addr, text));
		before = ",";
	}
	if (*before == ' ')
		fputc(' ', f); /* a column that is empty */
}

static bool is_first_of_owner(const struct dns_hosts *hosts, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(hosts->v[j].owner, hosts->v[i].owner))
			return false;
	return *hosts->v[i].owner;
}

static void put_attachment(FILE *f, const struct dns_hosts *hosts, size_t i)
{
	fprintf(f, "%.*s", OWNER_KEY_LEN, hosts->v[i].owner);
	put_column(f, hosts, i, AF_INET);
	put_column(f, hosts, i, AF_INET6);
	fputc(' ', f);
	for (const char *c = hosts->v[i].names; *c; c++)
		fputc(*c == '\t' ? ',' : *c, f);
	fputc('\n', f);
}

static int write_hosts(const struct dns_network *net,
		       const struct dns_hosts *hosts, struct arena *a,
		       struct err *e)
{
	const char *name = current_file(net, a),
		   *before = name ? dns_network_read(net, name, a) : NULL;
	_free_ char *text = NULL;
	bool changed = false;
	size_t len;
	FILE *f = before ? open_memstream(&text, &len) : NULL;

	if (f)
		fprintf(f, "%.*s\n", (int)strcspn(before, "\n"), before);
	for (size_t i = 0; f && i < hosts->n; i++)
		if (is_first_of_owner(hosts, i))
			put_attachment(f, hosts, i);
	if (!f || fclose(f))
		return err_set(e, ERR_IO, EIO,
			       "write the names of \"%s\" for aardvark-dns",
			       net->name);
	return dns_network_write(net, name, text, &changed, e);
}

static const char **command(const struct dns_network *net, const char *program,
			    struct arena *a)
{
	const char **v = arena_array(a, 9, sizeof(*v)), *domain = NULL;
	struct ip_addr server;

	if (!v || !dns_domain_read(net, a, &domain, &server))
		return NULL;
	v[0] = program;
	v[1] = "--config";
	v[2] = arena_printf(a, "%s/" DNS_SUBDIR, net->path);
	v[3] = "--port";
	v[4] = "53";
	v[5] = "--filter-search-domain";
	v[6] = arena_printf(a, ".%s", domain);
	v[7] = "run";
	return v[2] && v[6] ? v : NULL;
}

/* Where the engines have it, CONTAINERS_HELPER_BINARY_DIR first (podman(1)). */
static const char *const directories[] = { "/usr/local/libexec/podman",
					   "/usr/local/lib/podman",
					   "/usr/libexec/podman",
					   "/usr/lib/podman", NULL };

const struct resolver resolver_aardvark = {
	.name = "aardvark-dns",
	.directories = directories,
	.pid_file = DNS_SUBDIR "/aardvark.pid",
	.is_told_domain = true,
	.configure = configure,
	.is_configured = is_configured,
	.write_hosts = write_hosts,
	.hosts_file = current_file,
	.command = command,
};
