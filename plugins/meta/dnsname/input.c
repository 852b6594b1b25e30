// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/dnsname/input.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "service/iptables.h"

#define TABLE "filter"
#define INPUT "INPUT"
#define NOTE  "input" /* the file that has the interface's name */

/* Of udp the text is the reference's. */
static const char *const protocols[] = { "udp", "tcp" };
#define PROTOCOLS (sizeof(protocols) / sizeof(*protocols))

static const char *rule_text(struct iptables *t, const char *ifname, size_t i)
{
	return iptables_text(t, "-i %s -p %s -m %s --dport 53 -j ACCEPT",
			     ifname, protocols[i], protocols[i]);
}

static int plan_accept(struct iptables *t, const void *arg, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < PROTOCOLS; i++)
		iptables_insert(t, INPUT, rule_text(t, arg, i));
	return 0;
}

static int plan_check(struct iptables *t, const void *arg, struct err *e)
{
	const char *rules[PROTOCOLS];

	for (size_t i = 0; i < PROTOCOLS; i++)
		rules[i] = rule_text(t, arg, i);
	return iptables_require(t, INPUT, rules, PROTOCOLS, e);
}

static int plan_withdraw(struct iptables *t, const void *arg, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < PROTOCOLS; i++)
		iptables_delete(t, INPUT, rule_text(t, arg, i));
	return 0;
}

static int accept_family(struct netfilter *nf, const struct dns_network *net,
			 const char *ifname, uint8_t family, struct err *e)
{
	const struct iptables_place place = { IPTABLES_PLAIN, family, TABLE };
	bool drops = false, changed;
	int r = iptables_chain_drops(nf, &place, INPUT, &drops, e);

	if (!r && drops)
		r = dns_network_write(net, NOTE, ifname, &changed, e);
	if (!r && drops)
		r = iptables_edit(&place, plan_accept, ifname, e);
	return r;
}

int dns_input_accept(struct netfilter *nf, const struct dns_network *net,
		     const struct dns_input *in, struct err *e)
{
	int r = iptables_check_interface("bridge", in->ifname, e);

	if (!r && in->has4)
		r = accept_family(nf, net, in->ifname, AF_INET, e);
	if (!r && in->has6)
		r = accept_family(nf, net, in->ifname, AF_INET6, e);
	return r;
}

static int check_family(struct netfilter *nf, const char *ifname,
			uint8_t family, struct err *e)
{
	const struct iptables_place place = { IPTABLES_PLAIN, family, TABLE };
	bool drops = false;
	int r = iptables_chain_drops(nf, &place, INPUT, &drops, e);

	return r || !drops ? r : iptables_edit(&place, plan_check, ifname, e);
}

int dns_input_check(struct netfilter *nf, const struct dns_input *in,
		    struct err *e)
{
	int r = 0;

	if (in->has4)
		r = check_family(nf, in->ifname, AF_INET, e);
	if (!r && in->has6)
		r = check_family(nf, in->ifname, AF_INET6, e);
	return r;
}

int dns_input_withdraw(struct netfilter *nf, const struct dns_network *net,
		       struct err *e)
{
	static const char *const chains[] = { INPUT, NULL };
	_arena_ struct arena a = { 0 };
	const char *ifname = dns_network_read(net, NOTE, &a);

	if (!ifname || iptables_check_interface("bridge", ifname, NULL))
		return 0;
	return iptables_edit_existing(nf, AF_UNSPEC, TABLE, chains,
				      plan_withdraw, ifname, e);
}
