// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/firewall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "service/table_find.h"

static void fill_entry(const struct firewall *fw, const struct ip_addr *address,
		       struct table_entry *ret)
{
	struct nft_element *element = &ret->element;

	ret->set = address->family == AF_INET ? &firewall_map4 : &firewall_map6;
	nft_value_add_ip(&element->key, address);
	firewall_counter(fw->policy, fw->bridge, element->target);
	ip_text(address, element->label);
}

static bool is_repeated(const struct firewall *fw, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (ip_equal(&fw->addresses.v[k], &fw->addresses.v[i]))
			return true;
	return false;
}

/* One for each address; a result may name one twice. */
static struct table_entry *entries(const struct firewall *fw, struct arena *a,
				   size_t *ret_n)
{
	struct table_entry *entry =
		arena_array(a, fw->addresses.n, sizeof(*entry));

	*ret_n = 0;
	for (size_t i = 0; entry && i < fw->addresses.n; i++)
		if (!is_repeated(fw, i))
			fill_entry(fw, &fw->addresses.v[i], &entry[(*ret_n)++]);
	return entry;
}

static struct table_entry port_entry(const struct firewall *fw)
{
	struct table_entry entry = { .set = &firewall_ports };

	if (fw->port) {
		nft_value_add_ifname(&entry.element.key, fw->port);
		snprintf(entry.element.label, sizeof(entry.element.label), "%s",
			 fw->port);
	}
	return entry;
}

static int check_sense(const struct firewall *fw, struct err *e)
{
	const char *policy = ingress_policy_name(fw->policy);

	if (fw->policy != INGRESS_OPEN && !fw->bridge)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"ingress policy \"%s\" needs a bridge, and prevResult has none among its interfaces",
			policy);
	if (fw->policy == INGRESS_ISOLATED && !fw->port)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"ingress policy \"%s\" needs the port of bridge \"%s\", and prevResult has none among its interfaces",
			policy, fw->bridge);
	/* nft would list it as a pattern, or not as it is */
	if (fw->bridge && strpbrk(fw->bridge, "*\"\\"))
		return err_set(
			e, ERR_UNSUPPORTED, EINVAL,
			"bridge \"%s\": nftables cannot list a name with '*', '\"' or '\\'",
			fw->bridge);
	return 0;
}

int firewall_nft_add(struct netfilter *nf, const struct owner *owner,
		     const struct firewall *fw, struct err *e)
{
	_arena_ struct arena a = { 0 };
	size_t n, port_n = fw->policy == INGRESS_ISOLATED;
	struct table_entry *entry = entries(fw, &a, &n), port = port_entry(fw);
	int r = entry ? check_sense(fw, e) : err_oom(e);

	if (!r)
		r = table_add(nf, &firewall_part, owner, entry, n, e);
	if (r)
		return r;
	r = table_add(nf, &firewall_port_part, owner, &port, port_n, e);
	if (r)
		table_del(nf, &firewall_part, owner, NULL);
	return r;
}

/* Whatever the policy is now, it may have been another at the time of ADD. */
int firewall_nft_del(struct netfilter *nf, const struct owner *owner,
		     struct err *e)
{
	int first = table_del(nf, &firewall_port_part, owner, e);
	int r = table_del(nf, &firewall_part, owner, first ? NULL : e);

	return first ? first : r;
}

/* That the rules are there which look at the elements. */
static int check_rules(struct nft *nft, struct err *e)
{
	uint32_t use = 0;
	int r = nft_find_chain(nft, FIREWALL_FORWARD, &use, e);

	if (r && r != -ENOENT)
		return r;
	if (use >= FIREWALL_FORWARD_RULES)
		return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "firewall: chain " FIREWALL_FORWARD
		       " of table " TABLE_NAME " has %u rules instead of %d",
		       use, FIREWALL_FORWARD_RULES);
}

/* The bridge's elements, and what looks at them. */
static int check_network(struct netfilter *nf, const struct firewall *fw,
			 struct err *e)
{
	struct nft nft = { nf, NFPROTO_INET, TABLE_NAME };
	char counter[NFT_NAME_MAX];
	struct firewall_network network;
	int r = 0;

	firewall_counter(fw->policy, fw->bridge, counter);
	firewall_network(counter, &network);
	for (size_t i = 0; !r && i < network.n; i++) {
		const struct table_entry *entry = &network.v[i];
		struct nft_element found;

		r = nft_find_element(&nft, entry->set->name,
				     &entry->element.key, &found, e);
		if (r == -ENOENT)
			err_set(e, ERR_MISMATCH, ENOENT,
				"firewall: %s of table " TABLE_NAME
				" has no element %s",
				entry->set->name, entry->element.label);
	}
	return r ? r : check_rules(&nft, e);
}

int firewall_nft_check(struct netfilter *nf, const struct owner *owner,
		       const struct firewall *fw, struct err *e)
{
	_arena_ struct arena a = { 0 };
	size_t n;
	struct table_entry *entry = entries(fw, &a, &n), port = port_entry(fw);
	int r = entry ? check_sense(fw, e) : err_oom(e);

	if (!r)
		r = table_check(nf, &firewall_part, owner, entry, n, e);
	if (!r && n)
		r = check_network(nf, fw, e);
	if (!r && fw->policy == INGRESS_ISOLATED)
		r = table_check(nf, &firewall_port_part, owner, &port, 1, e);
	return r;
}

int firewall_nft_gc(struct netfilter *nf, const char *network,
		    const struct owner *valid, size_t n, struct err *e)
{
	int first = table_gc(nf, &firewall_port_part, network, valid, n, e);
	int r = table_gc(nf, &firewall_part, network, valid, n,
			 first ? NULL : e);

	return first ? first : r;
}

/* --- whose is which address ---------------------------------------------- */

static int find_addresses(struct netfilter *nf,
			  const struct table_filter *filter, struct arena *a,
			  struct firewall *ret, struct err *e)
{
	struct table_entries found = { 0 };
	struct ip_addr *v;
	int r = table_find(nf, &firewall_part, filter, a, &found, e);

	if (r)
		return r;
	v = arena_array(a, found.n, sizeof(*v));
	if (!v)
		return err_oom(e);
	for (size_t i = 0; i < found.n; i++) {
		v[i].family =
			found.v[i].set == &firewall_map4 ? AF_INET : AF_INET6;
		memcpy(v[i].bytes, found.v[i].element.key.bytes,
		       ip_size(v[i].family));
	}
	ret->addresses.v = v;
	ret->addresses.n = found.n;
	return 0;
}

int firewall_nft_find(struct netfilter *nf, const struct owner *owner,
		      struct arena *a, struct firewall *ret, struct err *e)
{
	const struct table_filter filter = { .owner = owner };

	return find_addresses(nf, &filter, a, ret, e);
}

int firewall_nft_find_stale(struct netfilter *nf, const char *network,
			    const struct owner *valid, size_t n,
			    struct arena *a, struct firewall *ret,
			    struct err *e)
{
	const struct table_filter filter = { .network = network,
					     .valid = valid,
					     .valid_n = n };

	return find_addresses(nf, &filter, a, ret, e);
}

int firewall_nft_drop_others(struct netfilter *nf, const struct owner *owner,
			     struct firewall *fw, struct err *e)
{
	struct nft nft = { nf, NFPROTO_INET, TABLE_NAME };
	size_t kept = 0;

	for (size_t i = 0; i < fw->addresses.n; i++) {
		struct table_entry entry = { 0 };
		struct nft_element found;
		int r;

		fill_entry(fw, &fw->addresses.v[i], &entry);
		r = nft_find_element(&nft, entry.set->name, &entry.element.key,
				     &found, e);
		if (r && r != -ENOENT)
			return nft_is_absent(r) ? 0 : r;
		if (r || !owner_is_another(owner, found.comment))
			fw->addresses.v[kept++] = fw->addresses.v[i];
	}
	fw->addresses.n = kept;
	return 0;
}

int firewall_nft_status(struct netfilter *nf, struct err *e)
{
	return table_status(nf, &firewall_part, e);
}
