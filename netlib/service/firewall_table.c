// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/firewall_table.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>

#include "kernel/nft_expr.h"
#include "service/record.h"

#define ADMIN	 "admin"
#define OTHERS	 "firewall-others"
#define ACCEPT	 "firewall-accept"
#define ISOLATED "isolated" /* set and chain of the bridge family */

#define PRIORITY	0      /* nft's "filter" */
#define BRIDGE_PRIORITY (-200) /* the same in the bridge family */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

const struct nft_set_spec firewall_map4 = { .name = "firewall4",
					    .kind = NFT_KIND_COUNTER,
					    .key = { NFT_TYPE_IPV4_ADDR } };
const struct nft_set_spec firewall_map6 = { .name = "firewall6",
					    .kind = NFT_KIND_COUNTER,
					    .key = { NFT_TYPE_IPV6_ADDR } };
const struct nft_set_spec firewall_ports = { .name = ISOLATED,
					     .kind = NFT_KIND_SET,
					     .key = { NFT_TYPE_IFNAME } };
static const struct nft_set_spec *const maps[] = { &firewall_map4,
						   &firewall_map6, NULL };
static const struct nft_set_spec *const port_sets[] = { &firewall_ports, NULL };

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
	expr_counter_map(
		rule,
		family == AF_INET ? firewall_map4.name : firewall_map6.name, 0);
	return rule;
}

static struct nftnl_rule *count_daddr(const struct nft *nft, const char *chain,
				      uint8_t family)
{
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	expr_family(rule, family);
	expr_daddr(rule, family, 0);
	expr_counter_map(
		rule,
		family == AF_INET ? firewall_map4.name : firewall_map6.name, 0);
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
	struct nftnl_rule *rule = nft_rule_new(nft, FIREWALL_FORWARD);

	expr_oifname(rule, expr_iifname(rule, 0));
	expr_in_set(rule, policies[policy].within.name, 0);
	return rule;
}

static void add_into(struct nft_batch *b, const struct nft *nft,
		     enum ingress_policy policy)
{
	struct nftnl_rule *rule = nft_rule_new(nft, FIREWALL_FORWARD);

	expr_oifname(rule, 0);
	expr_in_set(rule, policies[policy].bridges.name, 0);
	expr_goto(rule, OTHERS);
	nft_add_rule(b, rule, FIREWALL_FORWARD);
}

static void add_forward_rules(struct nft_batch *b, const struct nft *nft)
{
	struct nftnl_rule *rule = nft_rule_new(nft, FIREWALL_FORWARD);

	expr_jump(rule, ADMIN);
	nft_add_rule(b, rule, FIREWALL_FORWARD);

	rule = within(nft, INGRESS_ISOLATED);
	expr_drop(rule);
	nft_add_rule(b, rule, FIREWALL_FORWARD);

	rule = nft_rule_new(nft, FIREWALL_FORWARD);
	expr_ct_is_known(rule);
	expr_goto(rule, ACCEPT);
	nft_add_rule(b, rule, FIREWALL_FORWARD);

	rule = within(nft, INGRESS_SAME_BRIDGE);
	expr_goto(rule, ACCEPT);
	nft_add_rule(b, rule, FIREWALL_FORWARD);

	add_into(b, nft, INGRESS_SAME_BRIDGE);
	add_into(b, nft, INGRESS_ISOLATED);
	add_goto(b, nft, FIREWALL_FORWARD, ACCEPT);
}

static void make_part(struct nft_batch *b, const struct nft *nft)
{
	/* the operator may have made it before us */
	const struct nft_chain_spec admin = { .name = ADMIN,
					      .may_exist = true };
	const struct nft_chain_spec forward = {
		.name = FIREWALL_FORWARD,
		.type = "filter",
		.hook = NF_INET_FORWARD,
		.priority = PRIORITY,
	};

	nft_add_set(b, &firewall_map4);
	nft_add_set(b, &firewall_map6);
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
void firewall_counter(enum ingress_policy policy, const char *bridge,
		      char name[static NFT_NAME_MAX])
{
	size_t at = (size_t)snprintf(name, NFT_NAME_MAX, "%s%s",
				     policies[policy].name, bridge ? "-" : "");

	for (const char *c = bridge; c && *c && at < NFT_NAME_MAX; c++)
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

void firewall_network(const char *counter, struct firewall_network *ret)
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
	struct firewall_network network;

	(void)nft;
	firewall_network(counter, &network);
	nft_add_counter(b, counter);
	for (size_t i = 0; i < network.n; i++)
		nft_ensure_element(b, network.v[i].set, &network.v[i].element);
}

/* What an operator has deleted must not stand in the way of the rest. */
static void delete_network(struct nft_batch *b, const char *counter)
{
	struct nft_element found;
	struct firewall_network network;

	firewall_network(counter, &network);
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

	nft_add_set(b, &firewall_ports);
	nft_add_chain(b, &chain);
	expr_iifname(from, 0);
	expr_in_set(from, firewall_ports.name, 0);
	expr_drop(from);
	nft_add_rule(b, from, ISOLATED);
	expr_oifname(to, 0);
	expr_in_set(to, firewall_ports.name, 0);
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
