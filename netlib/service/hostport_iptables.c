// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/hostport_iptables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TABLE	 "nat"
#define DNAT	 "CNI-HOSTPORT-DNAT"
#define SET_MARK "CNI-HOSTPORT-SETMARK"
#define MASQ	 "CNI-HOSTPORT-MASQ"

/* What the names of a container's chains begin with: the one there is, and the
 * one that old versions of the reference had, below CNI-HOSTPORT-SNAT. */
#define OWN_PREFIX "CNI-DN-"
#define OLD_PREFIX "CNI-SN-"
#define OLD_SNAT   "CNI-HOSTPORT-SNAT"

#define COMMENT_PREFIX "dnat "

/* The match "multiport" takes no more ports. */
#define PORTS_MAX 15

/* Rules that all containers share. */
#define SHARED_MAX 5

/* The rules of one mapping. */
#define MAPPING_RULES 3

/* In the order in which the reference puts their entries. */
static const struct protocol {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ IPPROTO_SCTP, "sctp" },
	{ IPPROTO_TCP, "tcp" },
	{ IPPROTO_UDP, "udp" },
};

#define PROTOCOLS (sizeof(protocols) / sizeof(*protocols))

static const char *protocol_name(uint8_t number)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	return NULL;
}

static const struct ip_prefix *container_of(const struct hostports *hp,
					    uint8_t family)
{
	return family == AF_INET6 ? &hp->v6 : &hp->v4;
}

/* Whether the mapping is for this family: a host address says which. */
static bool is_of_family(const struct hostport *port, uint8_t family)
{
	return !port->host_ip.family || port->host_ip.family == family;
}

/* 0.0.0.0 and :: are any address of their family. */
static bool is_any_host(const struct ip_addr *a)
{
	static const uint8_t zero[sizeof(a->bytes)];

	return !a->family || !memcmp(a->bytes, zero, ip_size(a->family));
}

/* --- words of the configuration ------------------------------------------ */

/* What may not be said in a condition, also cut short as getopt_long(3) lets
 * everybody do: where the rule goes to, programs to be run, and what makes
 * iptables-restore end before its work. Other commands
 * in a rule are refused by iptables-restore itself. */
static bool is_forbidden(const char *word)
{
	static const char *const options[] = { "jump",	   "goto", "table",
					       "modprobe", "help", "version" };
	size_t len = strcspn(word, "=");

	if (*word != '-' || !word[1])
		return false;
	if (word[1] != '-')
		return word[2] || !strchr("sdiopmf", word[1]);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strncmp(word + 2, options[i], len - 2))
			return true;
	return false;
}

static int check_conditions(const char *const *words, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = iptables_check_word("a condition for host ports",
					    words[i], e);

		if (r)
			return r;
		/* iptables-save does not quote a blank, and then nobody can
		 * delete the rule */
		if (is_forbidden(words[i]) || strpbrk(words[i], " \t"))
			return err_set(e, ERR_CONFIG, EINVAL,
				       "a condition for host ports cannot have "
				       "\"%s\"",
				       words[i]);
	}
	return 0;
}

static int check_words(const struct hostports *hp, struct err *e)
{
	int r = check_conditions(hp->conditions4.v, hp->conditions4.n, e);

	if (!r)
		r = check_conditions(hp->conditions6.v, hp->conditions6.n, e);
	for (size_t i = 0; !r && i < hp->ports.n; i++)
		if (!protocol_name(hp->ports.v[i].protocol))
			r = err_set(e, ERR_CONFIG, EINVAL,
				    "host port %u: protocol %d is unknown",
				    hp->ports.v[i].host_port,
				    hp->ports.v[i].protocol);
	if (!r && hp->set_mark_chain)
		r = iptables_check_chain("externalSetMarkChain",
					 hp->set_mark_chain, e);
	return r;
}

/* --- the rules ----------------------------------------------------------- */

struct shared_rule {
	const char *chain;
	const char *rule;
	bool is_first; /* of its chain */
};

/* What the containers share, as far as this one needs it. */
static size_t shared_rules(struct iptables *t, const struct hostports *hp,
			   struct shared_rule ret[static SHARED_MAX])
{
	const char *local = "-m addrtype --dst-type LOCAL -j " DNAT;
	size_t n = 0;

	if (hp->snat && !hp->set_mark_chain) {
		ret[n++] = (struct shared_rule){
			SET_MARK,
			iptables_text(
				t,
				"-m comment --comment \"CNI portfwd masquerade mark\""
				" -j MARK --set-xmark %#x/%#x",
				hp->mark, hp->mark),
			false
		};
		ret[n++] = (struct shared_rule){
			MASQ,
			iptables_text(t, "-m mark --mark %#x/%#x -j MASQUERADE",
				      hp->mark, hp->mark),
			false
		};
		ret[n++] = (struct shared_rule){
			"POSTROUTING",
			"-m comment --comment \"CNI portfwd requiring masquerade\""
			" -j " MASQ,
			true
		};
	}
	ret[n++] = (struct shared_rule){ "PREROUTING", local, false };
	ret[n++] = (struct shared_rule){ "OUTPUT", local, false };
	return n;
}

/* What the table is to have for one attachment. */
struct wanted {
	struct iptables_chain_name chain;
	const char **rules;   /* of the chain */
	const char **entries; /* to it, in CNI-HOSTPORT-DNAT */
	size_t rules_n, entries_n;
};

static void add_mapping(struct iptables *t, struct wanted *w,
			const struct hostports *hp, const struct hostport *port)
{
	const struct ip_prefix *container = container_of(hp, t->place.family);
	const bool is_v4 = container->addr.family == AF_INET;
	const char *mark = hp->set_mark_chain ? hp->set_mark_chain : SET_MARK,
		   *name = protocol_name(port->protocol), *matches;
	struct iptables_match host = { "" }, from = { "" };
	char address[INET6_ADDRSTRLEN];

	if (!is_any_host(&port->host_ip))
		host = iptables_match_host("-d", &port->host_ip);
	if (!hp->masq_all)
		from = iptables_match("-s", container);
	matches = iptables_text(t, "%s-p %s -m %s --dport %u", host.text, name,
				name, port->host_port);
	if (!matches)
		return;
	if (hp->snat)
		w->rules[w->rules_n++] = iptables_text(
			t, "%s%s -j %s", from.text, matches, mark);
	if (hp->snat && is_v4 && !hp->masq_all)
		w->rules[w->rules_n++] = iptables_text(
			t, "-s 127.0.0.1/32 %s -j %s", matches, mark);
	inet_ntop(container->addr.family, container->addr.bytes, address,
		  sizeof(address));
	w->rules[w->rules_n++] =
		iptables_text(t, "%s -j DNAT --to-destination %s%s%s:%u",
			      matches, is_v4 ? "" : "[", address,
			      is_v4 ? "" : "]", port->container_port);
}

/* " WORD..." of what a connection has to meet as well. */
static const char *conditions(struct iptables *t, const struct hostports *hp)
{
	const bool is_v6 = t->place.family == AF_INET6;
	const char *const *words =
		is_v6 ? hp->conditions6.v : hp->conditions4.v;
	size_t n = is_v6 ? hp->conditions6.n : hp->conditions4.n;
	const char *text = "";

	for (size_t i = 0; text && i < n; i++) {
		const char *word = iptables_quote(words[i], &t->arena);

		text = word ? iptables_text(t, "%s %s", text, word) : NULL;
	}
	return text;
}

/* The rules that lead to the container's chain, with at most PORTS_MAX ports
 * each. As with the reference the ports of both families are in them; what is
 * of the other family finds nothing in the chain. */
static void add_entries(struct iptables *t, struct wanted *w,
			const struct hostports *hp,
			const struct protocol *protocol, const char *comment)
{
	const char *more = conditions(t, hp);
	char ports[PORTS_MAX * sizeof("65535,")];
	size_t count = 0, len = 0;

	for (size_t i = 0; more && i <= hp->ports.n; i++) {
		if (count == PORTS_MAX || (count && i == hp->ports.n)) {
			w->entries[w->entries_n++] = iptables_text(
				t, "-p %s %s -m multiport --dports %s%s -j %s",
				protocol->name, comment, ports, more,
				w->chain.text);
			count = len = 0;
		}
		if (i == hp->ports.n ||
		    hp->ports.v[i].protocol != protocol->number)
			continue;
		len += (size_t)snprintf(ports + len, sizeof(ports) - len,
					"%s%u", count ? "," : "",
					hp->ports.v[i].host_port);
		count++;
	}
}

static int want(struct iptables *t, const struct hostport_iptables *h,
		struct wanted *ret, struct err *e)
{
	const struct hostports *hp = h->hp;
	const char *comment =
		iptables_comment(COMMENT_PREFIX, h->owner, &t->arena);
	size_t n = hp->ports.n;
	struct wanted w = {
		.chain = iptables_chain_name(OWN_PREFIX, h->owner),
		.rules = arena_array(&t->arena, MAPPING_RULES * n + 1,
				     sizeof(*w.rules)),
		.entries = arena_array(&t->arena, n + 1, sizeof(*w.entries)),
	};

	if (!comment || !w.rules || !w.entries)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (is_of_family(&hp->ports.v[i], t->place.family))
			add_mapping(t, &w, hp, &hp->ports.v[i]);
	for (size_t i = 0; i < PROTOCOLS; i++)
		add_entries(t, &w, hp, &protocols[i], comment);
	*ret = w;
	return 0;
}

/* --- who has a port ------------------------------------------------------ */

/* Whether the rule of another's chain is for the same port of the host. */
static bool is_same_port(const char *rule, const struct hostport *port)
{
	char word[IPTABLES_WORD_MAX], dport[sizeof("65535")];
	struct ip_prefix host;

	snprintf(dport, sizeof(dport), "%u", port->host_port);
	if (!iptables_option(rule, "--dport", word) || strcmp(word, dport) != 0)
		return false;
	if (!iptables_option(rule, "-p", word) ||
	    strcmp(word, protocol_name(port->protocol)) != 0)
		return false;
	return is_any_host(&port->host_ip) ||
	       !iptables_option(rule, "-d", word) ||
	       prefix_parse_lenient(word, &host) ||
	       prefix_contains(&host, &port->host_ip);
}

/* Who has the chain: the comment of what goes to it. A chain that nothing goes
 * to holds nothing. */
static bool find_holder(const struct iptables *t, const char *chain,
			char ret[static IPTABLES_WORD_MAX])
{
	const struct iptables_line *l = NULL;

	while ((l = iptables_next_rule(t, DNAT, l)))
		if (iptables_goes_to(l, chain))
			return iptables_option(l->text, "--comment", ret);
	return false;
}

static int refuse_port(const struct hostport *port, const char *holder,
		       struct err *e)
{
	char address[IP_TEXT_MAX];
	bool is_any = is_any_host(&port->host_ip);

	if (!strncmp(holder, COMMENT_PREFIX, strlen(COMMENT_PREFIX)))
		holder += strlen(COMMENT_PREFIX);
	return err_set(e, ERR_EXISTS, EADDRINUSE,
		       "host port %u/%s%s%s is taken by container %s",
		       port->host_port, protocol_name(port->protocol),
		       is_any ? "" : " of ",
		       is_any ? "" : ip_text(&port->host_ip, address), holder);
}

/* By another network, say: the first of the rules counts, as with the
 * reference. */
static bool is_same_container(const char *holder, const struct owner *owner)
{
	char id[IPTABLES_WORD_MAX];

	snprintf(id, sizeof(id), " id: \"%s\"", owner->container_id);
	return strstr(holder, id) != NULL;
}

static int refuse_taken_ports(const struct iptables *t,
			      const struct hostport_iptables *h,
			      const char *own_chain, struct err *e)
{
	const struct hostports *hp = h->hp;
	const struct iptables_line *l = NULL;
	char holder[IPTABLES_WORD_MAX];

	while ((l = iptables_next_rule(t, NULL, l))) {
		if (strncmp(l->chain, OWN_PREFIX, strlen(OWN_PREFIX)) != 0 ||
		    !strcmp(l->chain, own_chain) ||
		    !iptables_goes_to(l, "DNAT"))
			continue;
		for (size_t i = 0; i < hp->ports.n; i++)
			if (is_of_family(&hp->ports.v[i], t->place.family) &&
			    is_same_port(l->text, &hp->ports.v[i]) &&
			    find_holder(t, l->chain, holder) &&
			    !is_same_container(holder, h->owner))
				return refuse_port(&hp->ports.v[i], holder, e);
	}
	return 0;
}

/* --- the plans ----------------------------------------------------------- */

static void add_shared(struct iptables *t, const struct hostports *hp)
{
	struct shared_rule v[SHARED_MAX];
	size_t n = shared_rules(t, hp, v);

	iptables_ensure_chain(t, DNAT);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(v[i].chain, SET_MARK) || !strcmp(v[i].chain, MASQ))
			iptables_ensure_chain(t, v[i].chain);
		if (v[i].is_first)
			iptables_insert(t, v[i].chain, v[i].rule);
		else
			iptables_append(t, v[i].chain, v[i].rule);
	}
}

int hostport_iptables_plan_add(struct iptables *t, const void *arg,
			       struct err *e)
{
	const struct hostport_iptables *h = arg;
	struct wanted w = { 0 };
	int r = check_words(h->hp, e);

	if (!r)
		r = want(t, h, &w, e);
	if (!r)
		r = refuse_taken_ports(t, h, w.chain.text, e);
	if (r)
		return r;
	add_shared(t, h->hp);
	iptables_fill_chain(t, w.chain.text, w.rules, w.rules_n);
	/* conditions are not in iptables-save's form: such entries are made
	 * anew each time */
	iptables_set_jumps(t, DNAT, w.chain.text, w.entries, w.entries_n);
	return 0;
}

static void delete_chains(struct iptables *t, const char *own, const char *old)
{
	iptables_set_jumps(t, DNAT, own, NULL, 0);
	iptables_delete_chain(t, own);
	iptables_set_jumps(t, OLD_SNAT, old, NULL, 0);
	iptables_delete_chain(t, old);
}

int hostport_iptables_plan_del(struct iptables *t, const void *arg,
			       struct err *e)
{
	const struct hostport_iptables *h = arg;
	const struct iptables_chain_name own = iptables_chain_name(OWN_PREFIX,
								   h->owner),
					 old = iptables_chain_name(OLD_PREFIX,
								   h->owner);

	(void)e;
	delete_chains(t, own.text, old.text);
	return 0;
}

/* The entries where there are conditions: by all but these. */
static bool has_entry(const struct iptables *t, const char *entry,
		      const char *chain)
{
	static const char *const options[] = { "-p", "--dports", "--comment" };
	const struct iptables_line *l = NULL;

	while ((l = iptables_next_rule(t, DNAT, l))) {
		char is[IPTABLES_WORD_MAX], should[IPTABLES_WORD_MAX];
		bool is_it = iptables_goes_to(l, chain);

		for (size_t i = 0; is_it && i < 3; i++)
			is_it = iptables_option(l->text, options[i], is) &&
				iptables_option(entry, options[i], should) &&
				!strcmp(is, should);
		if (is_it)
			return true;
	}
	return false;
}

static int check_entries(const struct iptables *t, const struct wanted *w,
			 struct err *e)
{
	for (size_t i = 0; i < w->entries_n; i++)
		if (w->entries[i] &&
		    !has_entry(t, w->entries[i], w->chain.text))
			return iptables_require(t, DNAT, &w->entries[i], 1, e);
	return 0;
}

int hostport_iptables_plan_check(struct iptables *t, const void *arg,
				 struct err *e)
{
	const struct hostport_iptables *h = arg;
	struct shared_rule v[SHARED_MAX];
	size_t n = shared_rules(t, h->hp, v);
	struct wanted w = { 0 };
	int r = check_words(h->hp, e);

	for (size_t i = 0; !r && i < n; i++)
		r = iptables_require(t, v[i].chain, &v[i].rule, 1, e);
	if (!r)
		r = want(t, h, &w, e);
	if (!r)
		r = iptables_require(t, w.chain.text, w.rules, w.rules_n, e);
	return r ? r : check_entries(t, &w, e);
}

/* Network and container are both in a chain's name: of the comment only the
 * network is needed. */
int hostport_iptables_plan_gc(struct iptables *t, const void *arg,
			      struct err *e)
{
	const struct iptables_valid *gc = arg;
	const struct iptables_chain_name *valid =
		iptables_valid_chains(OWN_PREFIX, gc, &t->arena);
	const struct iptables_line *l = NULL;

	if (!valid)
		return err_oom(e);
	while ((l = iptables_next_rule(t, DNAT, l))) {
		char target[IPTABLES_WORD_MAX];
		const char *chain;

		if (!iptables_comment_is_of(l->text, COMMENT_PREFIX,
					    gc->network) ||
		    !iptables_option(l->text, "-j", target) ||
		    !iptables_chain_is_stale(target, OWN_PREFIX, valid, gc->n))
			continue;
		chain = iptables_text(t, "%s", target);
		if (!chain)
			break; /* the table keeps the error */
		iptables_set_jumps(t, DNAT, chain, NULL, 0);
		iptables_delete_chain(t, chain);
	}
	return 0;
}

/* --- the calls ----------------------------------------------------------- */

static int in_each_family(const struct hostport_iptables *h,
			  iptables_plan *plan, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families); i++) {
		const struct iptables_place place = { IPTABLES_PLAIN,
						      families[i], TABLE };

		if (container_of(h->hp, families[i])->addr.family)
			r = iptables_edit(&place, plan, h, e);
	}
	return r;
}

int hostport_iptables_add(struct netfilter *nf, const struct owner *owner,
			  const struct hostports *hp, struct err *e)
{
	const struct hostport_iptables h = { owner, hp };
	int r = in_each_family(&h, hostport_iptables_plan_add, e);

	if (r)
		hostport_iptables_del(nf, owner, NULL);
	return r;
}

int hostport_iptables_del(struct netfilter *nf, const struct owner *owner,
			  struct err *e)
{
	const struct hostport_iptables h = { owner, NULL };
	const struct iptables_chain_name own = iptables_chain_name(OWN_PREFIX,
								   owner),
					 old = iptables_chain_name(OLD_PREFIX,
								   owner);
	const char *const chains[] = { own.text, old.text, NULL };

	return iptables_edit_existing(nf, AF_UNSPEC, TABLE, chains,
				      hostport_iptables_plan_del, &h, e);
}

int hostport_iptables_check(const struct owner *owner,
			    const struct hostports *hp, struct err *e)
{
	const struct hostport_iptables h = { owner, hp };

	return in_each_family(&h, hostport_iptables_plan_check, e);
}

int hostport_iptables_gc(struct netfilter *nf, const char *network,
			 const struct owner *valid, size_t n, struct err *e)
{
	const struct iptables_valid gc = { network, valid, n };
	const char *const chains[] = { DNAT, NULL };

	return iptables_edit_existing(nf, AF_UNSPEC, TABLE, chains,
				      hostport_iptables_plan_gc, &gc, e);
}

int hostport_iptables_status(struct err *e)
{
	const struct iptables_place place = { IPTABLES_PLAIN, AF_INET, TABLE };

	return iptables_status(&place, e);
}
