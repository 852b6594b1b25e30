// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/firewall.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>

#include "kernel/nft_expr.h"
#include "service/record.h"
#include "service/table.h"

#define FORWARD	 "forward"
#define ADMIN	 "admin"
#define OTHERS	 "firewall-others"
#define ACCEPT	 "firewall-accept"
#define ISOLATED "isolated" /* set and chain of the bridge family */

#define PRIORITY	0      /* nft's "filter" */
#define BRIDGE_PRIORITY (-200) /* the same in the bridge family */

/* Rules of chain forward. */
#define FORWARD_RULES 7

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

static const struct nft_set_spec map4 = { .name = "firewall4",
					  .kind = NFT_KIND_COUNTER,
					  .key = { NFT_TYPE_IPV4_ADDR } },
				 map6 = { .name = "firewall6",
					  .kind = NFT_KIND_COUNTER,
					  .key = { NFT_TYPE_IPV6_ADDR } },
				 ports = { .name = ISOLATED,
					   .kind = NFT_KIND_SET,
					   .key = { NFT_TYPE_IFNAME } };
static const struct nft_set_spec *const maps[] = { &map4, &map6, NULL };
static const struct nft_set_spec *const port_sets[] = { &ports, NULL };

/* A policy, and the sets that its bridges are in. */
struct policy {
	const char *name;
	struct nft_set_spec bridges;
	struct nft_set_spec within; /* from the bridge to itself; or no name */
};

#define BRIDGES(policy)                                           \
	{                                                         \
		.name = "firewall-" policy, .kind = NFT_KIND_SET, \
		.key = { NFT_TYPE_IFNAME }                        \
	}
#define WITHIN(policy)                                                   \
	{                                                                \
		.name = "firewall-within-" policy, .kind = NFT_KIND_SET, \
		.key = { NFT_TYPE_IFNAME,                                \
			 NFT_TYPE_IFNAME }                               \
	}

static const struct policy policies[] = {
	[INGRESS_OPEN] = { "open", BRIDGES("open") },
	[INGRESS_SAME_BRIDGE] = { "same-bridge", BRIDGES("same-bridge"),
				  WITHIN("same-bridge") },
	[INGRESS_ISOLATED] = { "isolated", BRIDGES("isolated"),
			       WITHIN("isolated") },
};

const char *ingress_policy_name(enum ingress_policy policy)
{
	return policies[policy].name;
}

int ingress_policy_parse(const char *name, enum ingress_policy *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policies[i].name, name) != 0)
			continue;
		*ret = (enum ingress_policy)i;
		return 0;
	}
	return -EINVAL;
}

/* --- the part of table inet ---------------------------------------------- */

/* counter name ip saddr map @firewall4; what is not in the map ends the rule */
static struct nftnl_rule *count_saddr(const struct nft *nft, const char *chain,
				      uint8_t family)
{
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	expr_family(rule, family);
	expr_saddr(rule, family, 0);
	expr_counter_map(rule, family == AF_INET ? map4.name : map6.name, 0);
	return rule;
}

static struct nftnl_rule *count_daddr(const struct nft *nft, const char *chain,
				      uint8_t family)
{
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	expr_family(rule, family);
	expr_daddr(rule, family, 0);
	expr_counter_map(rule, family == AF_INET ? map4.name : map6.name, 0);
	return rule;
}

static void add_accept(struct nft_batch *b, const struct nft *nft)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	const struct nft_chain_spec chain = { .name = ACCEPT };

	nft_add_chain(b, &chain);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct nftnl_rule *from = count_saddr(nft, ACCEPT, families[i]);
		struct nftnl_rule *to = count_daddr(nft, ACCEPT, families[i]);

		expr_accept(from);
		nft_add_rule(b, from, ACCEPT);
		expr_accept(to);
		nft_add_rule(b, to, ACCEPT);
	}
}

static void add_goto(struct nft_batch *b, const struct nft *nft,
		     const char *from, const char *to)
{
	struct nftnl_rule *rule = nft_rule_new(nft, from);

	expr_goto(rule, to);
	nft_add_rule(b, rule, from);
}

/* New connections into a bridge with a policy, from another interface. */
static void add_others(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec chain = { .name = OTHERS };
	struct nftnl_rule *rule;

	nft_add_chain(b, &chain);
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		rule = nft_rule_new(nft, OTHERS);
		expr_iifname(rule, 0);
		expr_in_set(rule, policies[i].bridges.name, 0);
		expr_drop(rule);
		nft_add_rule(b, rule, OTHERS);
	}
	rule = count_saddr(nft, OTHERS, AF_INET);
	expr_drop(rule);
	nft_add_rule(b, rule, OTHERS);
	rule = count_saddr(nft, OTHERS, AF_INET6);
	expr_drop(rule);
	nft_add_rule(b, rule, OTHERS);
	add_goto(b, nft, OTHERS, ACCEPT);
}

/* iifname . oifname @firewall-within-POLICY */
static struct nftnl_rule *within(const struct nft *nft,
				 enum ingress_policy policy)
{
	struct nftnl_rule *rule = nft_rule_new(nft, FORWARD);

	expr_oifname(rule, expr_iifname(rule, 0));
	expr_in_set(rule, policies[policy].within.name, 0);
	return rule;
}

static void add_into(struct nft_batch *b, const struct nft *nft,
		     enum ingress_policy policy)
{
	struct nftnl_rule *rule = nft_rule_new(nft, FORWARD);

	expr_oifname(rule, 0);
	expr_in_set(rule, policies[policy].bridges.name, 0);
	expr_goto(rule, OTHERS);
	nft_add_rule(b, rule, FORWARD);
}

static void add_forward_rules(struct nft_batch *b, const struct nft *nft)
{
	struct nftnl_rule *rule = nft_rule_new(nft, FORWARD);

	expr_jump(rule, ADMIN);
	nft_add_rule(b, rule, FORWARD);

	rule = within(nft, INGRESS_ISOLATED);
	expr_drop(rule);
	nft_add_rule(b, rule, FORWARD);

	rule = nft_rule_new(nft, FORWARD);
	expr_ct_is_known(rule);
	expr_goto(rule, ACCEPT);
	nft_add_rule(b, rule, FORWARD);

	rule = within(nft, INGRESS_SAME_BRIDGE);
	expr_goto(rule, ACCEPT);
	nft_add_rule(b, rule, FORWARD);

	add_into(b, nft, INGRESS_SAME_BRIDGE);
	add_into(b, nft, INGRESS_ISOLATED);
	add_goto(b, nft, FORWARD, ACCEPT);
}

static void make_part(struct nft_batch *b, const struct nft *nft)
{
	/* the operator may have made it before us */
	const struct nft_chain_spec admin = { .name = ADMIN,
					      .may_exist = true };
	const struct nft_chain_spec forward = {
		.name = FORWARD,
		.type = "filter",
		.hook = NF_INET_FORWARD,
		.priority = PRIORITY,
	};

	nft_add_set(b, &map4);
	nft_add_set(b, &map6);
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		nft_add_set(b, &policies[i].bridges);
		if (policies[i].within.name)
			nft_add_set(b, &policies[i].within);
	}
	nft_add_chain(b, &admin);
	add_accept(b, nft);
	add_others(b, nft);
	nft_add_chain(b, &forward);
	add_forward_rules(b, nft);
}

/* --- networks: a policy, a bridge, a counter ----------------------------- */

/* What nft's grammar does not have in names is written as "/2a": no interface
 * has a '/' in its name. */
static void write_counter(const struct firewall *fw,
			  char name[static NFT_NAME_MAX])
{
	size_t at = (size_t)snprintf(name, NFT_NAME_MAX, "%s%s",
				     policies[fw->policy].name,
				     fw->bridge ? "-" : "");

	for (const char *c = fw->bridge; c && *c && at < NFT_NAME_MAX; c++)
		at += (size_t)snprintf(name + at, NFT_NAME_MAX - at,
				       isalnum((unsigned char)*c) ||
						       strchr("_.-", *c)
					       ? "%c"
					       : "/%02x",
				       (unsigned char)*c);
}

/* The same backwards; "" where there is no bridge. */
static const struct policy *read_counter(const char *name,
					 char bridge[static IFNAMSIZ])
{
	const struct policy *policy = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (!strncmp(name, policies[i].name, strlen(policies[i].name)))
			policy = &policies[i];
	memset(bridge, 0, IFNAMSIZ);
	name = policy ? name + strlen(policy->name) : "";
	if (*name == '-')
		name++;
	while (*name && n < IFNAMSIZ - 1) {
		char hex[3] = { 0 };

		if (*name == '/' && name[1] && name[2]) {
			memcpy(hex, name + 1, 2);
			bridge[n++] = (char)strtoul(hex, NULL, 16);
			name += 3;
		} else {
			bridge[n++] = *name++;
		}
	}
	return policy;
}

/* The elements that a network has in its policy's sets. */
struct network {
	struct table_entry v[2];
	size_t n;
};

static void fill_network(const char *counter, struct network *ret)
{
	char bridge[IFNAMSIZ];
	const struct policy *policy = read_counter(counter, bridge);

	memset(ret, 0, sizeof(*ret));
	if (!policy || !*bridge)
		return;
	ret->v[0].set = &policy->bridges;
	ret->v[1].set = &policy->within;
	nft_value_add_ifname(&ret->v[0].element.key, bridge);
	nft_value_add_ifname(&ret->v[1].element.key, bridge);
	nft_value_add_ifname(&ret->v[1].element.key, bridge);
	ret->n = policy->within.name ? 2 : 1;
	for (size_t i = 0; i < ret->n; i++) {
		struct nft_element *element = &ret->v[i].element;

		snprintf(element->label, sizeof(element->label), "%s", bridge);
		snprintf(element->comment, sizeof(element->comment),
			 "counter %s is in use", counter);
	}
}

static void add_network(struct nft_batch *b, const struct nft *nft,
			const char *counter)
{
	struct network network;

	(void)nft;
	fill_network(counter, &network);
	nft_add_counter(b, counter);
	for (size_t i = 0; i < network.n; i++)
		nft_ensure_element(b, network.v[i].set, &network.v[i].element);
}

/* What an operator has deleted must not stand in the way of the rest. */
static void delete_network(struct nft_batch *b, const char *counter)
{
	struct nft_element found;
	struct network network;

	fill_network(counter, &network);
	nft_delete_counter(b, counter);
	for (size_t i = 0; i < network.n; i++) {
		const struct table_entry *entry = &network.v[i];

		if (!nft_find_element(b->nft, entry->set->name,
				      &entry->element.key, &found, NULL))
			nft_delete_element(b, entry->set, &entry->element);
	}
}

static const struct table_target network_counter = {
	.find = nft_find_counter,
	.add = add_network,
	.del = delete_network,
	.count_uses = nft_find_counter,
};

/* An address was given to the attachment, and what else stands there belongs to
 * a dead one; unless that is on another bridge and its container is there: its
 * network would lose its policy to ours. */
static int refuse(const struct table_entry *entry,
		  const struct nft_element *held, struct err *e)
{
	if (!strcmp(entry->element.target, held->target) ||
	    !record_is_live(&firewall_part, held->comment))
		return 0;
	return err_set(
		e, ERR_EXISTS, EADDRINUSE,
		"address %s is in use by a container of another network (%s)",
		entry->element.label, owner_words(held->comment));
}

const struct table_part firewall_part = {
	.name = "firewall",
	.what = "firewall",
	.family = NFPROTO_INET,
	.sets = maps,
	.make = make_part,
	.target = &network_counter,
	.refuse = refuse,
};

/* --- the part of table bridge -------------------------------------------- */

static void make_port_part(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec chain = {
		.name = ISOLATED,
		.type = "filter",
		.hook = NF_BR_FORWARD,
		.priority = BRIDGE_PRIORITY,
	};
	struct nftnl_rule *from = nft_rule_new(nft, ISOLATED),
			  *to = nft_rule_new(nft, ISOLATED);

	nft_add_set(b, &ports);
	nft_add_chain(b, &chain);
	expr_iifname(from, 0);
	expr_in_set(from, ports.name, 0);
	expr_drop(from);
	nft_add_rule(b, from, ISOLATED);
	expr_oifname(to, 0);
	expr_in_set(to, ports.name, 0);
	expr_drop(to);
	nft_add_rule(b, to, ISOLATED);
}

const struct table_part firewall_port_part = {
	.name = "firewall-port",
	.what = "firewall",
	.family = NFPROTO_BRIDGE,
	.sets = port_sets,
	.make = make_port_part,
};

/* --- elements ------------------------------------------------------------ */

static void fill_entry(const struct firewall *fw, const struct ip_addr *address,
		       struct table_entry *ret)
{
	struct nft_element *element = &ret->element;

	ret->set = address->family == AF_INET ? &map4 : &map6;
	nft_value_add_ip(&element->key, address);
	write_counter(fw, element->target);
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
	struct table_entry entry = { .set = &ports };

	if (fw->port) {
		nft_value_add_ifname(&entry.element.key, fw->port);
		snprintf(entry.element.label, sizeof(entry.element.label), "%s",
			 fw->port);
	}
	return entry;
}

static int check_sense(const struct firewall *fw, struct err *e)
{
	const char *policy = policies[fw->policy].name;

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
	int r = nft_find_chain(nft, FORWARD, &use, e);

	if (r && r != -ENOENT)
		return r;
	if (use >= FORWARD_RULES)
		return 0;
	return err_set(e, ERR_MISMATCH, ENOENT,
		       "firewall: chain " FORWARD " of table " TABLE_NAME
		       " has %u rules instead of %d",
		       use, FORWARD_RULES);
}

/* The bridge's elements, and what looks at them. */
static int check_network(struct netfilter *nf, const struct firewall *fw,
			 struct err *e)
{
	struct nft nft = { nf, NFPROTO_INET, TABLE_NAME };
	char counter[NFT_NAME_MAX];
	struct network network;
	int r = 0;

	write_counter(fw, counter);
	fill_network(counter, &network);
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
		v[i].family = found.v[i].set == &map4 ? AF_INET : AF_INET6;
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
