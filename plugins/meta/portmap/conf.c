// SPDX-License-Identifier: GPL-2.0-or-later
#include "meta/portmap/conf.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/json.h"

#define MARK_BIT     13 /* of the reference */
#define MARK_BIT_MAX 31
#define PORT_MAX     65535

/* A mapping as it stands in the document. */
struct mapping {
	int64_t host_port, container_port;
	uint8_t protocol;
	struct ip_addr host_ip;
};

struct decoded {
	const char *backend, *set_mark_chain;
	bool snat, masq_all;
	int64_t mark_bit; /* INT64_MIN: not given */
	LIST(const char *) conditions4, conditions6;
	struct {
		LIST(struct mapping) mappings;
	} runtime;
};

/* --- the tables ---------------------------------------------------------- */

/* In any letter case; Kubernetes leaves it out for TCP. */
static int parse_protocol(const char *text, void *member)
{
	static const uint8_t known[] = { IPPROTO_TCP, IPPROTO_UDP,
					 IPPROTO_SCTP };

	for (size_t i = 0; i < sizeof(known); i++)
		if (!strcasecmp(text, hostport_protocol(known[i]))) {
			*(uint8_t *)member = known[i];
			return 0;
		}
	return *text ? -EINVAL : 0;
}

static const struct json_field mapping_fields[] = {
	{ "hostPort", JSON_INT, offsetof(struct mapping, host_port), INT32_MIN,
	  INT32_MAX },
	{ "containerPort", JSON_INT, offsetof(struct mapping, container_port),
	  INT32_MIN, INT32_MAX },
	{ "protocol", JSON_PARSED, offsetof(struct mapping, protocol),
	  .parse = parse_protocol, .what = "tcp, udp or sctp" },
	{ "hostIP", JSON_PARSED, offsetof(struct mapping, host_ip),
	  .parse = json_parse_ip, .what = "an IP address" },
	{ 0 },
};

static const struct json_field mapping_element = { .type = JSON_OBJECT,
						   .sub = mapping_fields };

static const struct mapping mapping_initial = { .protocol = IPPROTO_TCP };

static const struct json_field runtime_fields[] = {
	{ "portMappings", JSON_LIST, 0, .sub = &mapping_element,
	  .size = sizeof(struct mapping), .initial = &mapping_initial },
	{ 0 },
};

static const struct json_field string_element = { .type = JSON_STRING };

static const struct json_field fields[] = {
	{ "backend", JSON_STRING, offsetof(struct decoded, backend) },
	{ "snat", JSON_BOOL, offsetof(struct decoded, snat) },
	{ "masqAll", JSON_BOOL, offsetof(struct decoded, masq_all) },
	{ "markMasqBit", JSON_INT, offsetof(struct decoded, mark_bit),
	  INT32_MIN, INT32_MAX },
	{ "externalSetMarkChain", JSON_STRING,
	  offsetof(struct decoded, set_mark_chain) },
	{ "conditionsV4", JSON_LIST, offsetof(struct decoded, conditions4),
	  .sub = &string_element, .size = sizeof(char *) },
	{ "conditionsV6", JSON_LIST, offsetof(struct decoded, conditions6),
	  .sub = &string_element, .size = sizeof(char *) },
	{ "runtimeConfig", JSON_OBJECT, offsetof(struct decoded, runtime),
	  .sub = runtime_fields },
	{ 0 },
};

/* --- checks -------------------------------------------------------------- */

static bool is_given(const char *s)
{
	return s && *s;
}

static int check_port(int64_t port, const char *whose, struct err *e)
{
	if (port >= 1 && port <= PORT_MAX)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL, "Invalid %s port number: %lld",
		       whose, (long long)port);
}

static int check_mark(const struct decoded *d, struct err *e)
{
	if (d->mark_bit < 0 || d->mark_bit > MARK_BIT_MAX)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "MasqMarkBit must be between 0 and 31");
	return 0;
}

static int check_backend(const char *backend, struct err *e)
{
	if (!is_given(backend) || !strcmp(backend, "nftables") ||
	    !strcmp(backend, "iptables"))
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL, "unrecognized backend \"%s\"",
		       backend);
}

/* An iptables option begins with '-', or with '!' before one. */
static bool is_iptables(const char *condition)
{
	return *condition == '-' || *condition == '!';
}

bool portmap_conf_is_iptables(const struct portmap_conf *conf)
{
	const struct hostports *hp = &conf->hp;

	if (hp->conditions4.n)
		return is_iptables(hp->conditions4.v[0]);
	return hp->conditions6.n && is_iptables(hp->conditions6.v[0]);
}

static int check_conditions(const struct portmap_conf *conf, struct err *e)
{
	const struct hostports *hp = &conf->hp;
	bool has_any = hp->conditions4.n || hp->conditions6.n;
	bool is_ours = portmap_conf_is_iptables(conf);

	if (!has_any || !is_given(conf->backend) ||
	    is_ours == !strcmp(conf->backend, "iptables"))
		return 0;
	return err_set(
		e, ERR_CONFIG, EINVAL,
		"%s backend was requested but configuration contains %s-specific options [conditionsV%c]",
		conf->backend, is_ours ? "iptables" : "nftables",
		hp->conditions4.n ? '4' : '6');
}

/* --- what it comes to ---------------------------------------------------- */

static int fill_ports(const struct decoded *d, struct arena *a,
		      struct hostports *hp, struct err *e)
{
	size_t n = d->runtime.mappings.n;

	hp->ports.v = arena_array(a, n, sizeof(*hp->ports.v));
	if (!hp->ports.v)
		return err_oom(e);
	hp->ports.n = n;
	for (size_t i = 0; i < n; i++) {
		const struct mapping *m = &d->runtime.mappings.v[i];

		if (check_port(m->container_port, "container", e) ||
		    check_port(m->host_port, "host", e))
			return -EINVAL;
		hp->ports.v[i] = (struct hostport){
			.host_ip = m->host_ip,
			.protocol = m->protocol,
			.host_port = (uint16_t)m->host_port,
			.container_port = (uint16_t)m->container_port,
		};
	}
	return 0;
}

/* Whether an address is the container's: said to be on our interface, or not
 * said where. */
static bool is_on_interface(const struct cni_result *prev, int64_t index,
			    const char *ifname)
{
	const struct cni_interface *iface;

	if (index < 0 || (size_t)index >= prev->interfaces.n)
		return true;
	iface = &prev->interfaces.v[index];
	return is_given(iface->sandbox) && iface->name &&
	       !strcmp(iface->name, ifname);
}

static void find_addresses(const struct cni_result *prev, const char *ifname,
			   struct hostports *hp)
{
	for (size_t i = 0; i < prev->ips.n; i++) {
		const struct cni_ip *ip = &prev->ips.v[i];
		struct ip_prefix *to =
			ip->address.addr.family == AF_INET ? &hp->v4 : &hp->v6;

		if (!to->addr.family &&
		    is_on_interface(prev, ip->interface, ifname))
			*to = ip->address;
	}
}

static int fill(const struct cni_call *call, struct decoded *d,
		const struct cni_result *prev, struct portmap_conf *ret,
		struct err *e)
{
	struct hostports *hp = &ret->hp;

	if (is_given(d->set_mark_chain) && d->mark_bit != INT64_MIN)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"Cannot specify externalSetMarkChain and markMasqBit");
	if (is_given(d->set_mark_chain) && is_given(d->backend) &&
	    !strcmp(d->backend, "nftables"))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"externalSetMarkChain\" is for the iptables backend, and nftables was requested");
	if (d->mark_bit == INT64_MIN)
		d->mark_bit = MARK_BIT;
	if (check_backend(d->backend, e) || check_mark(d, e))
		return -EINVAL;
	ret->backend = d->backend;
	hp->snat = d->snat;
	hp->masq_all = d->masq_all;
	hp->mark = 1U << d->mark_bit;
	hp->set_mark_chain =
		is_given(d->set_mark_chain) ? d->set_mark_chain : NULL;
	memcpy(&hp->conditions4, &d->conditions4, sizeof(hp->conditions4));
	memcpy(&hp->conditions6, &d->conditions6, sizeof(hp->conditions6));
	find_addresses(prev, call->args->ifname, hp);
	if (check_conditions(ret, e))
		return -EINVAL;
	return fill_ports(d, call->arena, hp, e);
}

int portmap_conf_load(const struct cni_call *call,
		      const struct cni_result *prev, struct portmap_conf *ret,
		      struct err *e)
{
	struct decoded d = { .snat = true, .mark_bit = INT64_MIN };
	int r = json_decode(fields, call->conf->doc, NULL, &d, call->arena, e);

	memset(ret, 0, sizeof(*ret));
	return r ? r : fill(call, &d, prev, ret, e);
}
