// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where each network's domain is answered: the file "domain" of a network, in
 * the form in which dnsmasq takes it (--servers-file),
 *
 *	server=/dns.podman/10.89.0.1
 *	rev-server=10.89.0.0/24,10.89.0.1
 *
 * With "multiDomain" a network's resolver is given that of all other networks
 * that have it.
 */
#pragma once

#include "meta/dnsname/resolver.h"

/* The file that has the other networks' domains: only those of "multiDomain"
 * have one. */
#define DNS_OTHERS "localservers.conf"

int dns_domain_write(const struct dns_network *net,
		     const struct dns_service *service, bool *ret_changed,
		     struct err *e);

/* Domain, in @a, and first nameserver as they were written; false for none. */
bool dns_domain_read(const struct dns_network *net, struct arena *a,
		     const char **ret_domain, struct ip_addr *ret_server);

/* Make the file DNS_OTHERS anew for all that have one, and have their resolvers
 * read it, below @path (dns_networks_path()). What cannot be done is left. */
void dns_domains_share(const char *path);
