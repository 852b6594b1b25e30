// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "cni/plugin.h"
#include "ipam/dhcp/journal.h"
#include "ipam/dhcp/lease_step.h"

static const struct dhcp_family *const families[] = { &dhcp_family4,
						      &dhcp_family6 };
#define FAMILIES (sizeof(families) / sizeof(*families))

_Static_assert(FAMILIES <= LEASE_FAMILIES, "room for each");

static struct lease *find(const struct lease_set *set,
			  const struct owner_key *key)
{
	for (struct lease *l = set->first; l; l = l->next)
		if (!strcmp(l->key.text, key->text))
			return l;
	return NULL;
}

/* --- making one ------------------------------------------------------------ */

static int copy_strings(struct lease *lease, const struct dhcp_request *from)
{
	struct arena *a = &lease->arena;
	const struct owner *o = &from->owner;

	lease->owner = (struct owner){
		.network = arena_strdup(a, o->network),
		.container_id = arena_strdup(a, o->container_id),
		.ifname = arena_strdup(a, o->ifname),
		.netns = arena_strdup(a, o->netns),
	};
	lease->netns =
		arena_printf(a, "%s%s", lease->set->host_prefix, o->netns);
	lease->args = arena_strdup(a, from->args);
	lease->config = dhcp_config_reduce(from->config);
	return lease->owner.network && lease->owner.container_id &&
			       lease->owner.ifname && lease->owner.netns &&
			       lease->netns && lease->args && lease->config
		       ? 0
		       : -ENOMEM;
}

static int add_halves(struct lease *lease)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		struct half *half = &lease->halves[lease->n];

		if (!(lease->conf.family & families[i]->choice))
			continue;
		half->family = families[i];
		half->lease = lease;
		half->state = arena_alloc(&lease->arena, families[i]->size);
		if (!half->state)
			return -ENOMEM;
		lease->n++;
	}
	return 0;
}

static void init_halves(struct lease *lease, const struct link *link)
{
	for (size_t i = 0; i < lease->n; i++) {
		struct half *half = &lease->halves[i];

		half->family->init(half->state, &lease->conf,
				   &lease->set->timing, link);
	}
}

/* A lease that is not in the set yet, without an interface. */
static int new_lease(struct lease_set *set, const struct dhcp_request *request,
		     struct lease **ret, struct err *e)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	int r;

	if (!lease) {
		err_oom(e);
		return -ENOMEM;
	}
	lease->set = set;
	r = copy_strings(lease, request);
	if (!r)
		r = dhcp_conf_load(lease->config, &lease->owner, lease->args,
				   &lease->arena, &lease->conf, e);
	if (!r)
		r = add_halves(lease);
	if (r) {
		if (r == -ENOMEM)
			err_oom(e);
		lease_free(lease);
		return r;
	}
	lease->key = owner_key(&lease->owner);
	*ret = lease;
	return 0;
}

static void insert(struct lease *lease)
{
	lease->next = lease->set->first;
	lease->set->first = lease;
	lease->set->n++;
}

/* --- ADD ------------------------------------------------------------------- */

static int prepare_link(const struct lease *lease,
			const struct dhcp_place *place, struct err *e)
{
	const struct link_change up = { .flags_on = IFF_UP };
	int r = 0;

	if (!place->link.has_mac)
		return err_set(e, ERR_CONFIG, EOPNOTSUPP,
			       "interface \"%s\" has no Ethernet address",
			       lease->owner.ifname);
	for (size_t i = 0; !r && i < lease->n; i++)
		if (lease->halves[i].family->prepare)
			r = lease->halves[i].family->prepare(place, e);
	if (r || place->link.flags & IFF_UP)
		return r;
	return link_change(&place->ns, place->link.name, &up, e);
}

/* Look at the interface, which has to be there. */
static int prepare(struct lease *lease, struct err *e)
{
	struct dhcp_place place = { .ns = NETNS_NONE };
	int r = lease_enter(lease, &place, e);

	if (r)
		return r;
	r = prepare_link(lease, &place, e);
	if (!r)
		init_halves(lease, &place.link);
	lease_leave(&place);
	return r;
}

/* One that there is: it is the answer where it is of this namespace. */
static bool answer_with(struct lease *lease, const struct dhcp_request *request,
			lease_answer *answer, void *arg)
{
	_arena_ struct arena a = { 0 };
	struct dhcp_place place = { .ns = NETNS_NONE };
	struct cni_result res;

	if (strcmp(lease->owner.netns, request->owner.netns) != 0 ||
	    !lease_is_complete(lease) || lease_enter(lease, &place, NULL))
		return false;
	lease_leave(&place);
	if (lease_result(lease, &a, &res, NULL))
		return false;
	answer(arg, &res, NULL);
	return true;
}

static void begin(struct lease *lease, bool is_new)
{
	const size_t n = lease->n;

	for (size_t i = 0; i < n; i++) {
		const struct dhcp_family *family = lease->halves[i].family;

		if (!lease_step(&lease->halves[i],
				is_new ? family->start : family->resume))
			return;
	}
}

int lease_add(struct lease_set *set, const struct dhcp_request *request,
	      lease_answer *answer, void *arg, struct err *e)
{
	const struct owner_key key = owner_key(&request->owner);
	struct lease *lease = find(set, &key);
	int r;

	if (lease && lease->answer)
		return err_set(e, ERR_TRY_AGAIN, EBUSY,
			       "another ADD waits for this lease");
	if (lease && answer_with(lease, request, answer, arg))
		return 0;
	if (lease)
		lease_release(lease, NULL);
	r = new_lease(set, request, &lease, e);
	if (r)
		return r;
	r = prepare(lease, e);
	if (r) {
		lease_free(lease);
		return r;
	}
	lease->answer = answer;
	lease->asked_by = arg;
	insert(lease);
	begin(lease, true);
	return 0;
}

void lease_cancel(struct lease_set *set, const void *arg)
{
	struct lease *next;

	for (struct lease *l = set->first; l; l = next) {
		next = l->next;
		if (!l->answer || l->asked_by != arg)
			continue;
		l->answer = NULL;
		lease_release(l, NULL);
	}
}

/* --- CHECK, DEL, GC -------------------------------------------------------- */

int lease_check(struct lease_set *set, const struct dhcp_request *request,
		struct arena *a, struct cni_result *ret, struct err *e)
{
	const struct owner_key key = owner_key(&request->owner);
	const struct lease *lease = find(set, &key);

	if (!lease || !lease_is_complete(lease))
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "interface \"%s\" has no DHCP lease",
			       request->owner.ifname);
	return lease_result(lease, a, ret, e);
}

void lease_del(struct lease_set *set, const struct dhcp_request *request)
{
	const struct owner_key key = owner_key(&request->owner);
	struct lease *lease = find(set, &key);
	struct err e;

	err_set(&e, ERR_TRY_AGAIN, ECANCELED,
		"the attachment was deleted meanwhile");
	if (lease)
		lease_release(lease, &e);
}

static bool is_valid(const struct dhcp_request *request,
		     const struct lease *lease)
{
	return strcmp(lease->owner.network, request->owner.network) != 0 ||
	       cni_conf_is_valid(&request->conf, lease->owner.container_id,
				 lease->owner.ifname);
}

void lease_gc(struct lease_set *set, const struct dhcp_request *request)
{
	struct lease *next;
	struct err e;

	if (!request->conf.valid_attachments.v)
		return;
	err_set(&e, ERR_TRY_AGAIN, ECANCELED,
		"the attachment is none of the valid ones");
	for (struct lease *l = set->first; l; l = next) {
		next = l->next;
		if (!is_valid(request, l))
			lease_release(l, &e);
	}
}

/* --- restart --------------------------------------------------------------- */

struct saved {
	const char *container_id, *ifname, *netns, *args;
	int64_t dev, ino;
	const cJSON *config;
};

static const struct json_field fields[] = {
	{ "containerID", JSON_STRING, offsetof(struct saved, container_id) },
	{ "ifname", JSON_STRING, offsetof(struct saved, ifname) },
	{ "netns", JSON_STRING, offsetof(struct saved, netns) },
	{ "dev", JSON_INT, offsetof(struct saved, dev), 0, INT64_MAX },
	{ "ino", JSON_INT, offsetof(struct saved, ino), 1, INT64_MAX },
	{ "args", JSON_STRING, offsetof(struct saved, args) },
	{ "config", JSON_RAW, offsetof(struct saved, config) },
	{ 0 },
};

static int read_request(const cJSON *doc, struct arena *a, struct saved *saved,
			struct dhcp_request *ret)
{
	struct cni_conf conf;

	*saved = (struct saved){
		.container_id = "", .ifname = "", .netns = "", .args = ""
	};
	if (json_decode(fields, doc, NULL, saved, a, NULL) ||
	    !cJSON_IsObject(saved->config) ||
	    cni_conf_decode(saved->config, a, &conf, NULL))
		return -EINVAL;
	*ret = (struct dhcp_request){
		.owner = { .network = conf.name,
			   .container_id = saved->container_id,
			   .ifname = saved->ifname,
			   .netns = saved->netns },
		.args = saved->args,
		.config = saved->config,
	};
	return 0;
}

static int load_halves(struct lease *lease, const cJSON *doc,
		       const struct saved *saved)
{
	struct dhcp_place place = { .ns = NETNS_NONE };
	int r;

	lease->dev = (dev_t)saved->dev;
	lease->ino = (ino_t)saved->ino;
	r = lease_enter(lease, &place, NULL);
	if (r)
		return r;
	init_halves(lease, &place.link);
	lease_leave(&place);
	for (size_t i = 0; !r && i < lease->n; i++) {
		const struct half *half = &lease->halves[i];

		r = half->family->load(half->state,
				       json_get(doc, half->family->name));
	}
	return r;
}

/* What cannot be gone on with (its container has ended) is forgotten. */
static void take_up(void *arg, cJSON *doc)
{
	_json_ cJSON *owned = doc;
	_arena_ struct arena a = { 0 };
	struct lease_set *set = arg;
	struct dhcp_request request;
	struct lease *lease = NULL;
	struct saved saved;

	if (read_request(doc, &a, &saved, &request))
		return;
	if (new_lease(set, &request, &lease, NULL) ||
	    load_halves(lease, doc, &saved)) {
		const struct owner_key key = owner_key(&request.owner);

		journal_delete(set->journal, &key);
		return;
	}
	insert(lease);
	begin(lease, false);
}

int lease_set_init(struct lease_set *set, struct err *e)
{
	set->timer_fd =
		timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (set->timer_fd < 0)
		return err_sys(e, "make a timer");
	ev_io_init(&set->timer, lease_timer_ready, set->timer_fd, EV_READ);
	ev_prepare_init(&set->prepare, lease_arm_timer);
	set->timer.data = set->prepare.data = set;
	ev_io_start(set->loop, &set->timer);
	ev_prepare_start(set->loop, &set->prepare);
	journal_read_all(set->journal, take_up, set);
	return 0;
}

void lease_set_done(struct lease_set *set)
{
	while (set->first) {
		struct err e;

		err_set(&e, ERR_TRY_AGAIN, ECANCELED,
			"the DHCP daemon is ending");
		lease_finish(set->first, NULL, &e);
		lease_free(set->first);
	}
	ev_io_stop(set->loop, &set->timer);
	ev_prepare_stop(set->loop, &set->prepare);
	close(set->timer_fd);
}
