// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/hostport.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "base/arena.h"
#include "base/hash.h"
#include "kernel/nft_expr.h"
#include "kernel/nft_text.h"
#include "service/record.h"
#include "service/table.h"

#define LOOKUP	    "hostports"
#define TRANSLATE   "hostports-translate"
#define PREROUTING  "hostports-prerouting"
#define OUTPUT	    "hostports-output"
#define POSTROUTING "hostports-postrouting"
#define SOURCE	    "hostports-source"
#define GUARD	    "hostports-guard"

#define RAW    (-300) /* nft's names for priorities */
#define DSTNAT (-100)
#define SRCNAT 100

static const char lo[IFNAMSIZ] = "lo";

/* Of a chain of conditions' name. */
#define CONDITIONS_DIGITS 16

/* Elements to a port, and besides to a family. */
#define PER_PORT   4
#define PER_FAMILY 2

/* One family's sets. */
struct family_sets {
	uint8_t family;
	struct nft_set_spec at, any, hairpin, self, masquerade;
	struct nft_set_spec at_if, any_if; /* ports with conditions */
};

static const struct family_sets v4 = {
	.family = AF_INET,
	.at = { .name = "hostports4",
		.kind = NFT_KIND_MAP,
		.key = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_PROTO,
			 NFT_TYPE_INET_SERVICE },
		.value = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE } },
	.any = { .name = "hostports4-any",
		 .kind = NFT_KIND_MAP,
		 .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE },
		 .value = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE } },
	.hairpin = { .name = "hostports4-hairpin",
		     .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV4_ADDR } },
	.self = { .name = "hostports4-self",
		  .key = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_IPV4_ADDR } },
	.masquerade = { .name = "hostports4-masquerade",
			.key = { NFT_TYPE_IPV4_ADDR } },
	.at_if = { .name = "hostports4-if",
		   .kind = NFT_KIND_VMAP,
		   .key = { NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_PROTO,
			    NFT_TYPE_INET_SERVICE } },
	.any_if = { .name = "hostports4-any-if",
		    .kind = NFT_KIND_VMAP,
		    .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE } },
};

static const struct family_sets v6 = {
	.family = AF_INET6,
	.at = { .name = "hostports6",
		.kind = NFT_KIND_MAP,
		.key = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_PROTO,
			 NFT_TYPE_INET_SERVICE },
		.value = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE } },
	.any = { .name = "hostports6-any",
		 .kind = NFT_KIND_MAP,
		 .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE },
		 .value = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE } },
	.hairpin = { .name = "hostports6-hairpin",
		     .key = { NFT_TYPE_IFNAME, NFT_TYPE_IPV6_ADDR } },
	.self = { .name = "hostports6-self",
		  .key = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_IPV6_ADDR } },
	.masquerade = { .name = "hostports6-masquerade",
			.key = { NFT_TYPE_IPV6_ADDR } },
	.at_if = { .name = "hostports6-if",
		   .kind = NFT_KIND_VMAP,
		   .key = { NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_PROTO,
			    NFT_TYPE_INET_SERVICE } },
	.any_if = { .name = "hostports6-any-if",
		    .kind = NFT_KIND_VMAP,
		    .key = { NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE } },
};

static const struct nft_set_spec *const sets[] = {
	&v4.any,     &v4.at,	 &v6.any,   &v6.at,	    &v4.hairpin,
	&v6.hairpin, &v4.self,	 &v6.self,  &v4.masquerade, &v6.masquerade,
	&v4.at_if,   &v4.any_if, &v6.at_if, &v6.any_if,	    NULL,
};

/* --- the table's part ---------------------------------------------------- */

/* ip daddr . meta l4proto . th dport, from register 0 on */
static void load_at(struct nftnl_rule *rule, const struct family_sets *s)
{
	uint32_t reg;

	expr_family(rule, s->family);
	reg = expr_daddr(rule, s->family, 0);
	reg = expr_l4proto(rule, reg);
	expr_dport(rule, reg);
}

/* meta l4proto . th dport */
static void load_any(struct nftnl_rule *rule, const struct family_sets *s)
{
	expr_family(rule, s->family);
	expr_dport(rule, expr_l4proto(rule, 0));
}

/* dnat ip to ip daddr . meta l4proto . th dport map @hostports4, or
 * dnat ip to meta l4proto . th dport map @hostports4-any */
static void add_dnat(struct nft_batch *b, const struct nft *nft,
		     const char *chain, const struct family_sets *s,
		     const struct nft_set_spec *map)
{
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	if (map == &s->at)
		load_at(rule, s);
	else
		load_any(rule, s);
	expr_map(rule, map->name, 0, 0);
	expr_dnat(rule, s->family, 0, (uint32_t)ip_size(s->family) / 4);
	nft_add_rule(b, rule, chain);
}

/* ip daddr . meta l4proto . th dport vmap @hostports4-if, or
 * meta l4proto . th dport vmap @hostports4-any-if */
static void add_condition(struct nft_batch *b, const struct nft *nft,
			  const struct family_sets *s,
			  const struct nft_set_spec *map)
{
	struct nftnl_rule *rule = nft_rule_new(nft, LOOKUP);

	if (map == &s->at_if)
		load_at(rule, s);
	else
		load_any(rule, s);
	expr_vmap(rule, map->name, 0);
	nft_add_rule(b, rule, LOOKUP);
}

/* iifname . ip daddr @hostports4-hairpin masquerade */
static void add_hairpin(struct nft_batch *b, const struct nft *nft,
			const struct family_sets *s)
{
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_family(rule, s->family);
	expr_daddr(rule, s->family, expr_iifname(rule, 0));
	expr_in_set(rule, s->hairpin.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

/* ip saddr . ip daddr @hostports4-self masquerade */
static void add_self(struct nft_batch *b, const struct nft *nft,
		     const struct family_sets *s)
{
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_family(rule, s->family);
	expr_daddr(rule, s->family, expr_saddr(rule, s->family, 0));
	expr_in_set(rule, s->self.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

static struct ip_prefix loopback(uint8_t family)
{
	struct ip_prefix p = { .addr.family = family };

	if (family == AF_INET)
		p.addr.bytes[0] = IN_LOOPBACKNET;
	else
		p.addr.bytes[15] = 1;
	p.len = family == AF_INET ? 8 : 128;
	return p;
}

/* ip saddr 127.0.0.0/8 ip daddr . ip daddr @hostports4-self masquerade: twice,
 * for the set has the container's address twice */
static void add_loopback(struct nft_batch *b, const struct nft *nft,
			 const struct family_sets *s)
{
	const struct ip_prefix from = loopback(s->family);
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_saddr_in(rule, &from);
	expr_daddr(rule, s->family, expr_daddr(rule, s->family, 0));
	expr_in_set(rule, s->self.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

/* ip daddr @hostports4-masquerade masquerade */
static void add_masquerade(struct nft_batch *b, const struct nft *nft,
			   const struct family_sets *s)
{
	struct nftnl_rule *rule = nft_rule_new(nft, SOURCE);

	expr_family(rule, s->family);
	expr_daddr(rule, s->family, 0);
	expr_in_set(rule, s->masquerade.name, 0);
	expr_masquerade(rule);
	nft_add_rule(b, rule, SOURCE);
}

static void add_family(struct nft_batch *b, const struct nft *nft,
		       const struct family_sets *s)
{
	nft_add_set(b, &s->at);
	nft_add_set(b, &s->any);
	nft_add_set(b, &s->hairpin);
	nft_add_set(b, &s->self);
	nft_add_set(b, &s->masquerade);
	nft_add_set(b, &s->at_if);
	nft_add_set(b, &s->any_if);
	add_condition(b, nft, s, &s->at_if);
	add_dnat(b, nft, LOOKUP, s, &s->at);
	add_condition(b, nft, s, &s->any_if);
	add_dnat(b, nft, LOOKUP, s, &s->any);
	add_dnat(b, nft, TRANSLATE, s, &s->at);
	add_dnat(b, nft, TRANSLATE, s, &s->any);
	add_hairpin(b, nft, s);
	add_self(b, nft, s);
	add_loopback(b, nft, s);
	add_masquerade(b, nft, s);
}

/* fib daddr type local jump hostports */
static void add_dispatch(struct nft_batch *b, const struct nft *nft,
			 const char *chain, uint32_t hook)
{
	const struct nft_chain_spec spec = {
		.name = chain, .type = "nat", .hook = hook, .priority = DSTNAT
	};
	struct nftnl_rule *rule = nft_rule_new(nft, chain);

	nft_add_chain(b, &spec);
	expr_daddr_is_local(rule);
	expr_jump(rule, LOOKUP);
	nft_add_rule(b, rule, chain);
}

/* ct status dnat goto hostports-source */
static void add_postrouting(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec spec = { .name = POSTROUTING,
					     .type = "nat",
					     .hook = NF_INET_POST_ROUTING,
					     .priority = SRCNAT - 1 };
	struct nftnl_rule *rule = nft_rule_new(nft, POSTROUTING);

	nft_add_chain(b, &spec);
	expr_ct_is_dnat(rule);
	expr_goto(rule, SOURCE);
	nft_add_rule(b, rule, POSTROUTING);
}

/* ip daddr 127.0.0.0/8 iifname != "lo" drop (ip saddr ...) */
static void add_guard_rule(struct nft_batch *b, const struct nft *nft,
			   void (*look)(struct nftnl_rule *,
					const struct ip_prefix *))
{
	const struct ip_prefix localnet = loopback(AF_INET);
	struct nftnl_rule *rule = nft_rule_new(nft, GUARD);

	look(rule, &localnet);
	expr_iifname(rule, 0);
	expr_is_not(rule, 0, lo, sizeof(lo));
	expr_drop(rule);
	nft_add_rule(b, rule, GUARD);
}

static void add_guard(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec spec = { .name = GUARD,
					     .type = "filter",
					     .hook = NF_INET_PRE_ROUTING,
					     .priority = RAW };

	nft_add_chain(b, &spec);
	add_guard_rule(b, nft, expr_daddr_in);
	add_guard_rule(b, nft, expr_saddr_in);
}

static void make_part(struct nft_batch *b, const struct nft *nft)
{
	const struct nft_chain_spec lookup = { .name = LOOKUP },
				    translate = { .name = TRANSLATE },
				    source = { .name = SOURCE };

	nft_add_chain(b, &lookup);
	nft_add_chain(b, &translate);
	nft_add_chain(b, &source);
	add_family(b, nft, &v4);
	add_family(b, nft, &v6);
	add_dispatch(b, nft, PREROUTING, NF_INET_PRE_ROUTING);
	add_dispatch(b, nft, OUTPUT, NF_INET_LOCAL_OUT);
	add_postrouting(b, nft);
	add_guard(b, nft);
}

/* A port is whose it is; an address was given to the attachment, and what else
 * stands there belongs to a dead one. */
static int refuse(const struct table_entry *entry,
		  const struct nft_element *held, struct err *e)
{
	const char *holder = held->comment;

	if (entry->set->kind == NFT_KIND_SET ||
	    record_is_dead(&hostport_part, holder))
		return 0;
	return err_set(e, ERR_EXISTS, EADDRINUSE,
		       "host port %s is in use by another container (%s)",
		       entry->element.label,
		       *holder ? owner_words(holder) : "not one of ours");
}

/* Until its rule is there, nothing passes. */
static void add_conditions(struct nft_batch *b, const struct nft *nft,
			   const char *name)
{
	const struct nft_chain_spec chain = { .name = name };

	(void)nft;
	nft_add_chain(b, &chain);
}

static const struct table_target conditions_chain = {
	.find = nft_find_chain,
	.add = add_conditions,
	.del = nft_delete_chain,
	.count_uses = table_count_gotos,
};

const struct table_part hostport_part = {
	.name = "hostports",
	.what = "host ports",
	.family = NFPROTO_INET,
	.sets = sets,
	.make = make_part,
	.target = &conditions_chain,
	.refuse = refuse,
};

/* --- elements ------------------------------------------------------------ */

const char *hostport_protocol(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return NULL;
	}
}

bool hostport_is_for(const struct hostport *port, uint8_t family)
{
	return !port->host_ip.family || port->host_ip.family == family;
}

bool hostport_is_any(const struct hostport *port)
{
	static const uint8_t zeros[sizeof(port->host_ip.bytes)];

	return !memcmp(port->host_ip.bytes, zeros,
		       ip_size(port->host_ip.family));
}

static void fill_port(const struct hostport *port, const struct family_sets *s,
		      const struct ip_addr *container, struct table_entry *ret)
{
	struct nft_element *element = &ret->element;
	bool is_any = hostport_is_any(port);
	char text[IP_TEXT_MAX] = "";

	ret->set = is_any ? &s->any : &s->at;
	if (!is_any) {
		nft_value_add_ip(&element->key, &port->host_ip);
		ip_text(&port->host_ip, text);
	}
	nft_value_add(&element->key, &port->protocol, sizeof(port->protocol));
	nft_value_add_port(&element->key, port->host_port);
	nft_value_add_ip(&element->value, container);
	nft_value_add_port(&element->value, port->container_port);
	snprintf(element->label, sizeof(element->label), "%s%s%u/%s", text,
		 is_any ? "" : " ", port->host_port,
		 hostport_protocol(port->protocol));
}

/* What an attachment's connections have to meet: the chain that asks, and its
 * one rule, NULL for none. The same conditions share a chain. */
struct conditions {
	char chain[NFT_NAME_MAX];
	const char *rule;
};

/* COND... goto hostports-translate */
static int make_conditions(const struct family_sets *s, const char *const *v,
			   size_t n, struct arena *a, struct conditions *ret,
			   struct err *e)
{
	char *rule =
		arena_strdup(a, s->family == AF_INET ? "meta nfproto ipv4"
						     : "meta nfproto ipv6");
	char hash[CONDITIONS_DIGITS + 1];

	ret->rule = NULL;
	if (!n)
		return 0;
	for (size_t i = 0; rule && i < n; i++) {
		if (nft_text_check(v[i], e))
			return -EINVAL;
		rule = arena_printf(a, "%s %s", rule, v[i]);
	}
	if (rule)
		rule = arena_printf(a, "%s goto " TRANSLATE, rule);
	if (!rule)
		return err_oom(e);
	hash_hex(hash, CONDITIONS_DIGITS, rule, NULL);
	snprintf(ret->chain, sizeof(ret->chain), "hostports-if-%s", hash);
	ret->rule = rule;
	return 0;
}

struct entry_list {
	struct table_entry *v;
	size_t n;
};

static struct table_entry *next_entry(struct entry_list *list,
				      const struct nft_set_spec *set,
				      const struct ip_addr *container)
{
	struct table_entry *entry = &list->v[list->n++];

	entry->set = set;
	ip_text(container, entry->element.label);
	return entry;
}

/* What is masqueraded on its way to the container. */
static void fill_source(const struct hostports *hp, const struct family_sets *s,
			const struct ip_addr *container, const char *ifname,
			struct entry_list *list)
{
	struct table_entry *entry;

	if (hp->masq_all) {
		entry = next_entry(list, &s->masquerade, container);
		nft_value_add_ip(&entry->element.key, container);
	}
	if (!hp->snat || hp->masq_all)
		return;
	entry = next_entry(list, &s->self, container);
	nft_value_add_ip(&entry->element.key, container);
	nft_value_add_ip(&entry->element.key, container);
	if (!*ifname)
		return;
	entry = next_entry(list, &s->hairpin, container);
	nft_value_add_ifname(&entry->element.key, ifname);
	nft_value_add_ip(&entry->element.key, container);
}

/* The port last filled in is translated only where the conditions hold. */
static void fill_condition(const struct family_sets *s,
			   const struct conditions *conditions,
			   struct entry_list *list)
{
	const struct table_entry *port = &list->v[list->n - 1];
	struct table_entry *entry = &list->v[list->n++];

	entry->set = port->set == &s->at ? &s->at_if : &s->any_if;
	entry->element.key = port->element.key;
	memcpy(entry->element.label, port->element.label,
	       sizeof(entry->element.label));
	memcpy(entry->element.target, conditions->chain,
	       sizeof(entry->element.target));
	entry->rule = conditions->rule;
}

static void fill_family(const struct hostports *hp, const struct family_sets *s,
			const struct ip_addr *container, const char *ifname,
			const struct conditions *conditions,
			struct entry_list *list)
{
	size_t before = list->n;

	if (!container->family)
		return;
	for (size_t i = 0; i < hp->ports.n; i++) {
		if (!hostport_is_for(&hp->ports.v[i], s->family))
			continue;
		fill_port(&hp->ports.v[i], s, container, &list->v[list->n++]);
		if (conditions->rule)
			fill_condition(s, conditions, list);
	}
	if (list->n > before)
		fill_source(hp, s, container, ifname, list);
}

static int compare_entries(const void *a, const void *b)
{
	const struct table_entry *x = a, *y = b;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return memcmp(x->element.key.bytes, y->element.key.bytes,
		      sizeof(x->element.key.bytes));
}

/* The same mapping may be named twice, but not two of one port. */
static int drop_repeated(struct entry_list *list, struct err *e)
{
	size_t n = 0;

	qsort(list->v, list->n, sizeof(*list->v), compare_entries);
	for (size_t i = 0; i < list->n; i++) {
		struct nft_element *element = &list->v[i].element;

		if (!n || compare_entries(&list->v[n - 1], &list->v[i])) {
			list->v[n++] = list->v[i];
			continue;
		}
		if (!nft_value_equal(&list->v[n - 1].element.value,
				     &element->value))
			return err_set(e, ERR_CONFIG, EINVAL,
				       "host port %s is mapped twice",
				       element->label);
	}
	list->n = n;
	return 0;
}

static int list_entries(const struct hostports *hp,
			const struct hostport_links *links, struct arena *a,
			struct entry_list *ret, struct err *e)
{
	size_t room = PER_PORT * (hp->ports.n + PER_FAMILY);
	struct conditions if4, if6;
	int r = make_conditions(&v4, hp->conditions4.v, hp->conditions4.n, a,
				&if4, e);

	ret->n = 0;
	if (!r)
		r = make_conditions(&v6, hp->conditions6.v, hp->conditions6.n,
				    a, &if6, e);
	if (r)
		return r;
	ret->v = arena_array(a, room, sizeof(*ret->v));
	if (!ret->v)
		return err_oom(e);
	fill_family(hp, &v4, &hp->v4.addr, links->ifname[0], &if4, ret);
	fill_family(hp, &v6, &hp->v6.addr, links->ifname[1], &if6, ret);
	return drop_repeated(ret, e);
}

/* Whether another attachment of the same namespace has it. */
static bool is_had_by_another(const struct owner *owner,
			      const struct record *records, size_t n,
			      const struct table_entry *entry)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(records[i].netns, owner->netns) &&
		    owner_is_another(owner, records[i].owner) &&
		    record_has(records[i].v, records[i].n, entry))
			return true;
	return false;
}

/* Leave out what the container has by another network: whether there is such. */
static bool leave_out_had(const struct owner *owner, struct arena *a,
			  struct entry_list *list)
{
	struct record *records;
	size_t records_n, n = 0, before = list->n;

	if (!owner->netns || !*owner->netns ||
	    record_list(&hostport_part, a, &records, &records_n, NULL))
		return false;
	for (size_t i = 0; i < before; i++)
		if (!is_had_by_another(owner, records, records_n, &list->v[i]))
			list->v[n++] = list->v[i];
	list->n = n;
	return n < before;
}

/* All records are read only where a port has turned out to be another's. */
int hostport_add(struct netfilter *nf, const struct owner *owner,
		 const struct hostports *hp, const struct hostport_links *links,
		 struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entry_list list = { 0 };
	int r = list_entries(hp, links, &a, &list, e);

	if (r)
		return r;
	r = table_add(nf, &hostport_part, owner, list.v, list.n, e);
	if (r == -EADDRINUSE && leave_out_had(owner, &a, &list))
		r = table_add(nf, &hostport_part, owner, list.v, list.n, e);
	return r;
}

int hostport_guard(struct netfilter *nf, struct err *e)
{
	return table_make(nf, &hostport_part, e);
}

int hostport_del(struct netfilter *nf, const struct owner *owner, struct err *e)
{
	return table_del(nf, &hostport_part, owner, e);
}

int hostport_check(struct netfilter *nf, const struct owner *owner,
		   const struct hostports *hp,
		   const struct hostport_links *links, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entry_list list = { 0 };
	int r = list_entries(hp, links, &a, &list, e);

	if (r)
		return r;
	r = table_check(nf, &hostport_part, owner, list.v, list.n, e);
	if (r == -ENOENT && leave_out_had(owner, &a, &list))
		r = table_check(nf, &hostport_part, owner, list.v, list.n, e);
	return r;
}

int hostport_gc(struct netfilter *nf, const char *network,
		const struct owner *valid, size_t n, struct err *e)
{
	return table_gc(nf, &hostport_part, network, valid, n, e);
}

int hostport_status(struct netfilter *nf, struct err *e)
{
	return table_status(nf, &hostport_part, e);
}
