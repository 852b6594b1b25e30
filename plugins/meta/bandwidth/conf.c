// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <strings.h>

#include "meta/bandwidth/bandwidth.h"

#define BITS	       8
#define US_PER_SECOND  1000000ULL
#define QUEUE_PARTS    40 /* of a second: 25 ms may wait, as in the reference */
#define BURST_MAX_BITS ((uint64_t)UINT32_MAX * BITS)

/* The keys, at the top level or in runtimeConfig.bandwidth. */
struct entry {
	uint64_t ingress_rate, ingress_burst; /* bits */
	uint64_t egress_rate, egress_burst;
	LIST(const char *) unshaped, shaped;
};

struct document {
	struct {
		struct entry bandwidth;
	} runtime;
};

static const struct json_field text_element = { .type = JSON_STRING,
						.size = sizeof(char *) };

#define RATES_N 4 /* of these: those that say that there is an entry at all */

static const struct json_field entry_fields[] = {
	{ "ingressRate", JSON_UINT64, offsetof(struct entry, ingress_rate) },
	{ "ingressBurst", JSON_UINT64, offsetof(struct entry, ingress_burst) },
	{ "egressRate", JSON_UINT64, offsetof(struct entry, egress_rate) },
	{ "egressBurst", JSON_UINT64, offsetof(struct entry, egress_burst) },
	{ "unshapedSubnets", JSON_LIST, offsetof(struct entry, unshaped),
	  .sub = &text_element, .size = sizeof(char *) },
	{ "shapedSubnets", JSON_LIST, offsetof(struct entry, shaped),
	  .sub = &text_element, .size = sizeof(char *) },
	{ 0 },
};

static const struct json_field runtime_fields[] = {
	{ "bandwidth", JSON_OBJECT, 0, .sub = entry_fields },
	{ 0 },
};

static const struct json_field document_fields[] = {
	{ "runtimeConfig", JSON_OBJECT, offsetof(struct document, runtime),
	  .sub = runtime_fields },
	{ 0 },
};

/* --- which keys count --------------------------------------------------------- */

/* Whatever its value, null or 0: so it is with the reference's embedded structure. */
static bool has_rates(const cJSON *object)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, object)
		for (int i = 0; i < RATES_N; i++)
			if (!strcasecmp(member->string, entry_fields[i].key))
				return true;
	return false;
}

/* Rates at the top level take the runtime's place. Subnets are an administrator's,
 * and count there for what a runtime asks for too, unless it has its own. */
static int load_entry(const struct cni_call *call, struct entry *ret,
		      struct err *e)
{
	const cJSON *json = call->conf->doc;
	struct document doc = { 0 };
	struct entry own = { 0 };
	int r = json_decode(document_fields, json, NULL, &doc, call->arena, e);

	if (!r)
		r = json_decode(entry_fields, json, NULL, &own, call->arena, e);
	if (r)
		return r;
	*ret = has_rates(json) ? own : doc.runtime.bandwidth;
	if (!ret->unshaped.n && !ret->shaped.n) {
		ret->unshaped = own.unshaped;
		ret->shaped = own.shaped;
	}
	return 0;
}

/* --- rates -------------------------------------------------------------------- */

struct direction {
	const char *rate_key, *burst_key;
	uint64_t rate, burst;
};

/* That both are set, with the reference's words, and can be. */
static int check_direction(const struct direction *d, struct err *e)
{
	if (d->rate && !d->burst)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "if rate is set, burst must also be set: \"%s\"",
			       d->burst_key);
	if (d->burst && !d->rate)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "if burst is set, rate must also be set: \"%s\"",
			       d->rate_key);
	if (d->burst >= BURST_MAX_BITS)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "burst cannot be more than 4GB: \"%s\": %llu",
			       d->burst_key, (unsigned long long)d->burst);
	if (d->rate && d->rate < BITS)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"%s\": %llu is less than a byte (8 bits) a second",
			d->rate_key, (unsigned long long)d->rate);
	if (d->burst && d->burst < BITS)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"%s\": %llu is less than a byte (8 bits)",
			       d->burst_key, (unsigned long long)d->burst);
	return 0;
}

static uint32_t at_most_32_bits(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/*
 * What the reference computes, whose CHECK compares it: whole bytes, and the time
 * that the burst lasts in whole microseconds. Where its numbers of 32 bits wrap
 * around, with the bursts of 4 GB that runtimes set when nobody names one, ours stay
 * at the greatest: 275 seconds' worth.
 */
static int make_tbf(const struct direction *d, struct tbf *ret, struct err *e)
{
	const uint64_t rate = d->rate / BITS, burst = d->burst / BITS;
	uint64_t us;
	int r = check_direction(d, e);

	*ret = (struct tbf){ 0 };
	if (r || !rate)
		return r;
	us = burst * US_PER_SECOND / rate;
	if (!us)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"\"%s\": %llu lasts less than a microsecond at %llu bits a second",
			d->burst_key, (unsigned long long)d->burst,
			(unsigned long long)d->rate);
	ret->rate = rate;
	ret->buffer = at_most_32_bits((uint64_t)at_most_32_bits(us) *
				      QDISC_TICKS_PER_SECOND / US_PER_SECOND);
	ret->limit = at_most_32_bits(rate / QUEUE_PARTS + burst);
	return 0;
}

/* --- subnets ------------------------------------------------------------------ */

static int load_subnets(const struct cni_call *call, const struct entry *entry,
			struct remotes *ret, struct err *e)
{
	const bool is_shaped = entry->shaped.n;
	const size_t n = is_shaped ? entry->shaped.n : entry->unshaped.n;
	const char *const *texts =
		is_shaped ? entry->shaped.v : entry->unshaped.v;

	if (entry->shaped.n && entry->unshaped.n)
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"unshapedSubnets and shapedSubnets cannot be both specified, one of them should be discarded");
	if (!n)
		return 0;
	ret->subnets.v = arena_array(call->arena, n, sizeof(*ret->subnets.v));
	if (!ret->subnets.v)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (prefix_parse(texts[i] ? texts[i] : "", &ret->subnets.v[i]))
			return err_set(
				e, ERR_CONFIG, EINVAL,
				"bad subnet \"%s\" provided, details invalid CIDR address: \"%s\"[%zu]",
				texts[i] ? texts[i] : "",
				is_shaped ? "shapedSubnets" : "unshapedSubnets",
				i);
	ret->subnets.n = n;
	ret->are_limited = is_shaped;
	return 0;
}

int bandwidth_conf_load(const struct cni_call *call, struct bandwidth_conf *ret,
			struct err *e)
{
	struct entry entry = { 0 };
	struct bandwidth_conf conf = { 0 };
	int r = load_entry(call, &entry, e);
	const struct direction ingress = { "ingressRate", "ingressBurst",
					   entry.ingress_rate,
					   entry.ingress_burst };
	const struct direction egress = { "egressRate", "egressBurst",
					  entry.egress_rate,
					  entry.egress_burst };

	if (!r)
		r = make_tbf(&ingress, &conf.ingress, e);
	if (!r)
		r = make_tbf(&egress, &conf.egress, e);
	if (!r)
		r = load_subnets(call, &entry, &conf.remotes, e);
	*ret = conf;
	return r;
}
