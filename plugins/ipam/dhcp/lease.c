// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/lease.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "cni/plugin.h"
#include "ipam/dhcp/apply.h"
#include "ipam/dhcp/journal.h"

/* An answer that takes longer is not listened for: what is asked again in an hour
 * needs no socket until then. */
#define LISTEN_MS 10000

static const struct dhcp_family *const families[] = { &dhcp_family4 };
#define FAMILIES (sizeof(families) / sizeof(*families))

struct half {
	const struct dhcp_family *family;
	struct lease *lease;
	void *state;
	ev_io io;
	uint64_t listen_until_ms;
};

struct lease {
	struct lease_set *set;
	struct lease *next;
	struct arena arena; /* what follows lives in it */
	struct owner owner;
	struct owner_key key;
	const char *netns; /* as the daemon sees it */
	dev_t dev;
	ino_t ino; /* which namespace that was */
	cJSON *config;
	const char *args;
	struct dhcp_conf conf;
	struct half halves[FAMILIES];
	size_t n;
	/* of the ADD that waits; NULL when none does */
	lease_answer *answer;
	void *asked_by;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

__attribute__((format(printf, 2, 3))) static void say(const struct lease *lease,
						      const char *fmt, ...)
{
	char what[1200], text[1600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s/%s/%s: %s", lease->owner.container_id,
		 lease->owner.network, lease->owner.ifname, what);
	lease->set->log(text);
}

/* --- where it is ----------------------------------------------------------- */

static void leave(struct dhcp_place *place)
{
	netns_close(&place->ns);
}

/* -ENODEV when the namespace, or the interface, is not there any more. */
static int enter(struct lease *lease, struct dhcp_place *ret, struct err *e)
{
	struct dhcp_place place = { .ns = NETNS_NONE };
	struct stat st;
	int r = netns_open(lease->netns, &place.ns, e);

	if (netns_is_gone(r))
		return -ENODEV;
	if (!r && fstat(place.ns.fd, &st))
		r = err_sys(e, "examine \"%s\"", lease->netns);
	if (!r && lease->ino &&
	    (st.st_ino != lease->ino || st.st_dev != lease->dev))
		r = err_set(e, ERR_UNKNOWN_CONTAINER, ENODEV,
			    "\"%s\" is another namespace", lease->netns);
	if (!r)
		r = link_get(&place.ns, lease->owner.ifname, &place.link, e);
	if (r) {
		leave(&place);
		return r;
	}
	lease->ino = st.st_ino;
	lease->dev = st.st_dev;
	*ret = place;
	return 0;
}

/* --- the journal ----------------------------------------------------------- */

static void write_down(const struct lease *lease)
{
	_json_ cJSON *doc = cJSON_CreateObject();
	char id[64];
	struct err e;

	cJSON_AddStringToObject(doc, "containerID", lease->owner.container_id);
	cJSON_AddStringToObject(doc, "ifname", lease->owner.ifname);
	cJSON_AddStringToObject(doc, "netns", lease->owner.netns);
	snprintf(id, sizeof(id), "%llu:%llu", (unsigned long long)lease->dev,
		 (unsigned long long)lease->ino);
	cJSON_AddStringToObject(doc, "netnsID", id);
	cJSON_AddStringToObject(doc, "args", lease->args);
	cJSON_AddItemReferenceToObject(doc, "config", lease->config);
	for (size_t i = 0; i < lease->n; i++) {
		const struct half *half = &lease->halves[i];

		half->family->save(
			half->state,
			cJSON_AddObjectToObject(doc, half->family->name));
	}
	if (journal_write(lease->set->journal, &lease->key, doc, &e))
		say(lease, "%s", e.msg);
}

/* --- the set --------------------------------------------------------------- */

static struct lease *find(const struct lease_set *set,
			  const struct owner_key *key)
{
	for (struct lease *l = set->first; l; l = l->next)
		if (!strcmp(l->key.text, key->text))
			return l;
	return NULL;
}

static void close_half(struct half *half)
{
	ev_io_stop(half->lease->set->loop, &half->io);
	half->family->close(half->state);
	half->listen_until_ms = 0;
}

static void free_lease(struct lease *lease)
{
	struct lease **p = &lease->set->first;

	while (*p && *p != lease)
		p = &(*p)->next;
	if (*p) {
		*p = lease->next;
		lease->set->n--;
	}
	for (size_t i = 0; i < lease->n; i++)
		close_half(&lease->halves[i]);
	cJSON_Delete(lease->config);
	arena_done(&lease->arena);
	free(lease);
}

/* Answer the ADD that waits, if one does. Whether it still wanted it. */
static bool finish(struct lease *lease, const struct cni_result *res,
		   const struct err *e)
{
	lease_answer *answer = lease->answer;

	lease->answer = NULL;
	return !answer || answer(lease->asked_by, res, e);
}

/* End it, without a word to the server. */
static void drop(struct lease *lease, const struct err *e)
{
	finish(lease, NULL, e);
	journal_delete(lease->set->journal, &lease->key);
	free_lease(lease);
}

/* End it and tell the server, as far as there is a way to it. */
static void release(struct lease *lease, const struct err *e)
{
	struct dhcp_place place;
	struct dhcp_packet packet;

	if (!enter(lease, &place, NULL)) {
		for (size_t i = 0; i < lease->n; i++) {
			struct half *half = &lease->halves[i];

			if (half->family->release(half->state, &packet))
				half->family->send(half->state, &place, &packet,
						   NULL);
		}
		leave(&place);
	}
	drop(lease, e);
}

/* --- steps ----------------------------------------------------------------- */

static bool is_complete(const struct lease *lease)
{
	for (size_t i = 0; i < lease->n; i++)
		if (!lease->halves[i].family->has_lease(lease->halves[i].state))
			return false;
	return true;
}

static int make_result(const struct lease *lease, struct arena *a,
		       struct cni_result *ret, struct err *e)
{
	int r = 0;

	*ret = (struct cni_result){ 0 };
	for (size_t i = 0; !r && i < lease->n; i++)
		r = lease->halves[i].family->result(lease->halves[i].state, a,
						    ret, e);
	return r;
}

/* An ADD waits: it is answered when all halves have an address. Whether the lease
 * is there still. */
static bool answer_add(struct lease *lease)
{
	_arena_ struct arena a = { 0 };
	struct cni_result res;
	struct err e = { 0 };

	if (!is_complete(lease))
		return true;
	if (make_result(lease, &a, &res, &e)) {
		release(lease, &e);
		return false;
	}
	write_down(lease);
	if (finish(lease, &res, NULL))
		return true;
	release(lease, NULL);
	return false;
}

static int half_result(const struct half *half, struct arena *a,
		       struct cni_result *ret)
{
	*ret = (struct cni_result){ 0 };
	return half->family->has_lease(half->state)
		       ? half->family->result(half->state, a, ret, NULL)
		       : -ENOENT;
}

static void report_change(const struct lease *lease,
			  const struct cni_result *before,
			  const struct cni_result *now)
{
	char from[PREFIX_TEXT_MAX] = "none", to[PREFIX_TEXT_MAX] = "none";

	if (before && before->ips.n)
		prefix_text(&before->ips.v[0].address, from);
	if (now && now->ips.n)
		prefix_text(&now->ips.v[0].address, to);
	if (strcmp(from, to) != 0)
		say(lease, "the address was %s, and is %s", from, to);
}

/* The interface is the container's already: have it say what the lease says. */
static void change(struct half *half, const struct dhcp_place *place,
		   const struct cni_result *before)
{
	const struct lease *lease = half->lease;
	_arena_ struct arena a = { 0 };
	struct cni_result res, *now = &res;
	struct err e;

	if (half_result(half, &a, &res))
		now = NULL;
	report_change(lease, before, now);
	if (apply_change(&place->ns, &place->link, before, now, &e))
		say(lease, "%s", e.msg);
	write_down(lease);
}

static void set_mtu(struct half *half, const struct dhcp_place *place)
{
	const struct dhcp_family *family = half->family;
	struct err e;

	if (family->mtu &&
	    apply_mtu(&place->ns, &place->link, family->mtu(half->state), &e))
		say(half->lease, "%s", e.msg);
}

static void give_up(struct half *half)
{
	struct err e = *half->family->err(half->state);

	err_wrap(&e, "interface \"%s\"", half->lease->owner.ifname);
	drop(half->lease, &e);
}

/* Whether the lease is there still. */
static bool take_event(struct half *half, enum dhcp_event event,
		       const struct dhcp_place *place,
		       const struct cni_result *before)
{
	struct lease *lease = half->lease;

	switch (event) {
	case DHCP_NOTHING:
		return true;
	case DHCP_FAILED:
		give_up(half);
		return false;
	case DHCP_BOUND:
		set_mtu(half, place);
		if (lease->answer)
			return answer_add(lease);
		change(half, place, before);
		return true;
	case DHCP_LOST:
		if (!lease->answer)
			change(half, place, before);
		return true;
	}
	return true;
}

static void io_ready(struct ev_loop *loop, ev_io *io, int events);

/* Listen as long as an answer is likely. */
static void listen_on(struct half *half, bool has_sent)
{
	const struct dhcp_family *family = half->family;
	struct ev_loop *loop = half->lease->set->loop;
	const int fd = family->fd(half->state);

	if (has_sent)
		half->listen_until_ms = now_ms() + LISTEN_MS;
	if (fd < 0)
		return;
	if (!family->is_talking(half->state) ||
	    now_ms() >= half->listen_until_ms) {
		close_half(half);
		return;
	}
	if (half->io.fd == fd && ev_is_active(&half->io))
		return;
	ev_io_stop(loop, &half->io);
	ev_io_init(&half->io, io_ready, fd, EV_READ);
	half->io.data = half;
	ev_io_start(loop, &half->io);
}

/* The old socket's watcher has to end before its descriptor does. */
static void transmit(struct half *half, const struct dhcp_place *place,
		     const struct dhcp_packet *packet)
{
	struct err e;

	ev_io_stop(half->lease->set->loop, &half->io);
	if (half->family->send(half->state, place, packet, &e))
		say(half->lease, "%s", e.msg);
}

typedef enum dhcp_event step_fn(void *state, uint64_t now_ms,
				struct dhcp_packet *out);

/* Take one step of one half. Whether the lease is there still. */
static bool step(struct half *half, step_fn *fn)
{
	struct lease *lease = half->lease;
	_arena_ struct arena a = { 0 };
	struct dhcp_packet packet;
	struct cni_result before;
	struct dhcp_place place;
	enum dhcp_event event;
	struct err e = { 0 };
	int none, r = enter(lease, &place, &e);
	bool is_there;

	if (r && r != -ENODEV) /* no descriptor left: the machine's own time */
		say(lease, "%s", e.msg);
	if (r == -ENODEV || (r && lease->answer)) {
		drop(lease, &e);
		return false;
	}
	none = half_result(half, &a, &before);
	event = fn(half->state, now_ms(), &packet);
	if (!r && packet.len)
		transmit(half, &place, &packet);
	if (event == DHCP_BOUND)
		close_half(half);
	is_there = r || take_event(half, event, &place, none ? NULL : &before);
	if (is_there)
		listen_on(half, packet.len);
	if (!r)
		leave(&place);
	return is_there;
}

static void io_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct half *half = io->data;

	(void)loop;
	(void)events;
	step(half, half->family->receive);
}

/* --- time ------------------------------------------------------------------ */

static uint64_t half_deadline(const struct half *half)
{
	const uint64_t own = half->family->deadline(half->state);
	uint64_t first = own ? own : DHCP_NEVER;

	if (half->family->fd(half->state) >= 0 && half->listen_until_ms < first)
		first = half->listen_until_ms;
	return first;
}

/* Whether the lease is there still. */
static bool check_time(struct lease *lease)
{
	for (size_t i = 0; i < lease->n; i++) {
		struct half *half = &lease->halves[i];
		const uint64_t own = half->family->deadline(half->state);

		if (own && own <= now_ms()) {
			if (!step(half, half->family->timeout))
				return false;
		} else {
			listen_on(half, false);
		}
	}
	return true;
}

static void timer_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct lease_set *set = io->data;
	uint64_t expirations;
	struct lease *next;

	(void)loop;
	(void)events;
	if (read(set->timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	set->armed_ms = 0;
	for (struct lease *l = set->first; l; l = next) {
		next = l->next;
		check_time(l);
	}
}

/* Before the loop sleeps: until the first deadline. libev's own timers run by a
 * clock that stands still while the machine is suspended; leases do not. */
static void arm_timer(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct lease_set *set = prepare->data;
	struct itimerspec at = { 0 };
	uint64_t first = DHCP_NEVER, deadline;

	(void)loop;
	(void)events;
	for (const struct lease *l = set->first; l; l = l->next)
		for (size_t i = 0; i < l->n; i++) {
			deadline = half_deadline(&l->halves[i]);
			first = deadline < first ? deadline : first;
		}
	if (first == set->armed_ms)
		return;
	set->armed_ms = first;
	if (first != DHCP_NEVER) {
		at.it_value.tv_sec = (time_t)(first / 1000);
		at.it_value.tv_nsec = (long)(first % 1000) * 1000000 + 1;
	}
	timerfd_settime(set->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
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

	if (!lease)
		return err_oom(e);
	lease->set = set;
	r = copy_strings(lease, request) ? err_oom(e) : 0;
	if (!r)
		r = dhcp_conf_load(lease->config, &lease->owner, lease->args,
				   &lease->arena, &lease->conf, e);
	if (!r && add_halves(lease))
		r = err_oom(e);
	if (r) {
		free_lease(lease);
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

	if (!place->link.has_mac)
		return err_set(e, ERR_CONFIG, EOPNOTSUPP,
			       "interface \"%s\" has no Ethernet address",
			       lease->owner.ifname);
	if (place->link.flags & IFF_UP)
		return 0;
	return link_change(&place->ns, place->link.name, &up, e);
}

/* Look at the interface, which has to be there. */
static int prepare(struct lease *lease, struct err *e)
{
	struct dhcp_place place;
	int r = enter(lease, &place, e);

	if (r)
		return r;
	r = prepare_link(lease, &place, e);
	if (!r)
		init_halves(lease, &place.link);
	leave(&place);
	return r;
}

/* One that there is: it is the answer where it is of this namespace. */
static bool answer_with(struct lease *lease, const struct dhcp_request *request,
			lease_answer *answer, void *arg)
{
	_arena_ struct arena a = { 0 };
	struct dhcp_place place;
	struct cni_result res;

	if (strcmp(lease->owner.netns, request->owner.netns) != 0 ||
	    !is_complete(lease) || enter(lease, &place, NULL))
		return false;
	leave(&place);
	if (make_result(lease, &a, &res, NULL))
		return false;
	answer(arg, &res, NULL);
	return true;
}

static void begin(struct lease *lease, bool is_new)
{
	const size_t n = lease->n;

	for (size_t i = 0; i < n; i++) {
		const struct dhcp_family *family = lease->halves[i].family;

		if (!step(&lease->halves[i],
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
		release(lease, NULL);
	r = new_lease(set, request, &lease, e);
	if (r)
		return r;
	r = prepare(lease, e);
	if (r) {
		free_lease(lease);
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
		release(l, NULL);
	}
}

/* --- CHECK, DEL, GC -------------------------------------------------------- */

int lease_check(struct lease_set *set, const struct dhcp_request *request,
		struct arena *a, struct cni_result *ret, struct err *e)
{
	const struct owner_key key = owner_key(&request->owner);
	const struct lease *lease = find(set, &key);

	if (!lease || !is_complete(lease))
		return err_set(e, ERR_MISMATCH, ENOENT,
			       "interface \"%s\" has no DHCP lease",
			       request->owner.ifname);
	return make_result(lease, a, ret, e);
}

void lease_del(struct lease_set *set, const struct dhcp_request *request)
{
	const struct owner_key key = owner_key(&request->owner);
	struct lease *lease = find(set, &key);
	struct err e;

	err_set(&e, ERR_TRY_AGAIN, ECANCELED,
		"the attachment was deleted meanwhile");
	if (lease)
		release(lease, &e);
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
			release(l, &e);
	}
}

/* --- restart --------------------------------------------------------------- */

struct saved {
	const char *container_id, *ifname, *netns, *netns_id, *args;
	const cJSON *config;
};

static const struct json_field fields[] = {
	{ "containerID", JSON_STRING, offsetof(struct saved, container_id) },
	{ "ifname", JSON_STRING, offsetof(struct saved, ifname) },
	{ "netns", JSON_STRING, offsetof(struct saved, netns) },
	{ "netnsID", JSON_STRING, offsetof(struct saved, netns_id) },
	{ "args", JSON_STRING, offsetof(struct saved, args) },
	{ "config", JSON_RAW, offsetof(struct saved, config) },
	{ 0 },
};

static int read_request(const cJSON *doc, struct arena *a, struct saved *saved,
			struct dhcp_request *ret)
{
	struct cni_conf conf;

	*saved = (struct saved){ "", "", "", "", "", NULL };
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
		       const char *netns_id)
{
	unsigned long long dev, ino;
	struct dhcp_place place;
	int r;

	if (sscanf(netns_id, "%llu:%llu", &dev, &ino) != 2)
		return -EINVAL;
	lease->dev = dev;
	lease->ino = ino;
	r = enter(lease, &place, NULL);
	if (r)
		return r;
	init_halves(lease, &place.link);
	leave(&place);
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
	struct lease *lease;
	struct saved saved;

	if (read_request(doc, &a, &saved, &request))
		return;
	if (new_lease(set, &request, &lease, NULL) ||
	    load_halves(lease, doc, saved.netns_id)) {
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
	ev_io_init(&set->timer, timer_ready, set->timer_fd, EV_READ);
	ev_prepare_init(&set->prepare, arm_timer);
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
		finish(set->first, NULL, &e);
		free_lease(set->first);
	}
	ev_io_stop(set->loop, &set->timer);
	ev_prepare_stop(set->loop, &set->prepare);
	close(set->timer_fd);
}
