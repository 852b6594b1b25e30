// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/hostport.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/owned_file.h"
#include "kernel/nft_text.h"
#include "service/hostport_table.h"
#include "service/record.h"
#include "service/table_find.h"

/* Of a chain of conditions' name. */
#define CONDITIONS_DIGITS 16

/* Elements to a port, and besides to a family. */
#define PER_PORT   4
#define PER_FAMILY 2

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

static void fill_port(const struct hostport *port,
		      const struct hostport_sets *s,
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
static int make_conditions(const struct hostport_sets *s, const char *const *v,
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
		rule = arena_printf(a, "%s goto " HOSTPORT_TRANSLATE, rule);
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
static void fill_source(const struct hostports *hp,
			const struct hostport_sets *s,
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
static void fill_condition(const struct hostport_sets *s,
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

static void fill_family(const struct hostports *hp,
			const struct hostport_sets *s,
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
	int r = make_conditions(&hostport_sets4, hp->conditions4.v,
				hp->conditions4.n, a, &if4, e);

	ret->n = 0;
	if (!r)
		r = make_conditions(&hostport_sets6, hp->conditions6.v,
				    hp->conditions6.n, a, &if6, e);
	if (r)
		return r;
	ret->v = arena_array(a, room, sizeof(*ret->v));
	if (!ret->v)
		return err_oom(e);
	fill_family(hp, &hostport_sets4, &hp->v4.addr, links->ifname[0], &if4,
		    ret);
	fill_family(hp, &hostport_sets6, &hp->v6.addr, links->ifname[1], &if6,
		    ret);
	return drop_repeated(ret, e);
}

/* Whether another attachment of the same namespace has it. */
static bool is_had_by_another(const struct owner *owner,
			      const struct record *records, size_t n,
			      const struct table_entry *entry)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(records[i].owner.netns, owner->netns) &&
		    owner_is_another(owner, records[i].text) &&
		    record_has(records[i].v, records[i].n, entry))
			return true;
	return false;
}

/* Set apart what the container has by another network: whether there is such. */
static bool set_apart_had(const struct owner *owner, struct arena *a,
			  struct entry_list *list, struct entry_list *ret_had)
{
	struct record *records;
	size_t n = list->n, records_n;

	*ret_had = (struct entry_list){ 0 };
	if (!owner->netns || !*owner->netns ||
	    record_list(&hostport_part, a, &records, &records_n, NULL))
		return false;
	ret_had->v = arena_array(a, n, sizeof(*ret_had->v));
	if (!ret_had->v)
		return false;
	list->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct entry_list *to = list;

		if (is_had_by_another(owner, records, records_n, &list->v[i]))
			to = ret_had;
		to->v[to->n++] = list->v[i];
	}
	return ret_had->n;
}

/* All records are read only where a port has turned out to be another's. */
int hostport_add(struct netfilter *nf, const struct owner *owner,
		 const struct hostports *hp, const struct hostport_links *links,
		 struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entry_list list = { 0 }, had;
	int r = list_entries(hp, links, &a, &list, e);

	if (r)
		return r;
	r = table_add(nf, &hostport_part, owner, list.v, list.n, e);
	if (r != -EADDRINUSE || !set_apart_had(owner, &a, &list, &had))
		return r;
	r = table_add(nf, &hostport_part, owner, list.v, list.n, e);
	if (!r)
		record_write(&hostport_waiting_part, owner, NULL, had.v, had.n);
	return r;
}

/* Give an attachment what it waits for, but for what yet another one has. */
static void take_turn(struct netfilter *nf, const struct record *waiting,
		      struct arena *a)
{
	struct entry_list list = { waiting->v, waiting->n }, had;

	set_apart_had(&waiting->owner, a, &list, &had);
	if (list.n && !table_add_more(nf, &hostport_part, &waiting->owner,
				      list.v, list.n, NULL))
		record_write(&hostport_waiting_part, &waiting->owner, NULL,
			     had.v, had.n);
}

/* The ports that one attachment had may be wanted by the next of the container's. */
static void hand_on(struct netfilter *nf, const char *netns)
{
	_arena_ struct arena a = { 0 };
	struct record *waiting;
	size_t n;

	if (!netns || !*netns ||
	    record_list(&hostport_waiting_part, &a, &waiting, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(waiting[i].owner.netns, netns))
			take_turn(nf, &waiting[i], &a);
}

int hostport_guard(struct netfilter *nf, struct err *e)
{
	return table_make(nf, &hostport_part, e);
}

int hostport_del(struct netfilter *nf, const struct owner *owner, struct err *e)
{
	int r = table_del(nf, &hostport_part, owner, e);

	if (r)
		return r;
	owned_file_delete(owner, hostport_waiting_part.name);
	hand_on(nf, owner->netns);
	return 0;
}

int hostport_check(struct netfilter *nf, const struct owner *owner,
		   const struct hostports *hp,
		   const struct hostport_links *links, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct entry_list list = { 0 }, had;
	int r = list_entries(hp, links, &a, &list, e);

	if (r)
		return r;
	r = table_check(nf, &hostport_part, owner, list.v, list.n, e);
	if (r == -ENOENT && set_apart_had(owner, &a, &list, &had))
		r = table_check(nf, &hostport_part, owner, list.v, list.n, e);
	return r;
}

int hostport_gc(struct netfilter *nf, const char *network,
		const struct owner *valid, size_t n, struct err *e)
{
	owned_file_gc(hostport_waiting_part.name, network, valid, n);
	return table_gc(nf, &hostport_part, network, valid, n, e);
}

int hostport_status(struct netfilter *nf, struct err *e)
{
	return table_status(nf, &hostport_part, e);
}
