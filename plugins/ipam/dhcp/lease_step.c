// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/lease_step.h"

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

void lease_leave(struct dhcp_place *place)
{
	netns_close(&place->ns);
}

/* -ENODEV when the namespace, or the interface, is not there any more. */
int lease_enter(struct lease *lease, struct dhcp_place *ret, struct err *e)
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
		lease_leave(&place);
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
	struct err e;

	cJSON_AddStringToObject(doc, "containerID", lease->owner.container_id);
	cJSON_AddStringToObject(doc, "ifname", lease->owner.ifname);
	cJSON_AddStringToObject(doc, "netns", lease->owner.netns);
	cJSON_AddNumberToObject(doc, "dev", (double)lease->dev);
	cJSON_AddNumberToObject(doc, "ino", (double)lease->ino);
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

static void close_half(struct half *half)
{
	ev_io_stop(half->lease->set->loop, &half->io);
	half->family->close(half->state);
	half->listen_until_ms = 0;
}

void lease_free(struct lease *lease)
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
bool lease_finish(struct lease *lease, const struct cni_result *res,
		  const struct err *e)
{
	lease_answer *answer = lease->answer;

	lease->answer = NULL;
	return !answer || answer(lease->asked_by, res, e);
}

/* End it, without a word to the server. */
static void drop(struct lease *lease, const struct err *e)
{
	lease_finish(lease, NULL, e);
	journal_delete(lease->set->journal, &lease->key);
	lease_free(lease);
}

/* End it and tell the server, as far as there is a way to it. */
void lease_release(struct lease *lease, const struct err *e)
{
	struct dhcp_place place = { .ns = NETNS_NONE };
	struct dhcp_packet packet;

	if (!lease_enter(lease, &place, NULL)) {
		for (size_t i = 0; i < lease->n; i++) {
			struct half *half = &lease->halves[i];

			if (half->family->release(half->state, now_ms(),
						  &packet))
				half->family->send(half->state, &place, &packet,
						   NULL);
		}
		lease_leave(&place);
	}
	drop(lease, e);
}

/* --- steps ----------------------------------------------------------------- */

bool lease_is_complete(const struct lease *lease)
{
	for (size_t i = 0; i < lease->n; i++)
		if (!lease->halves[i].family->has_lease(lease->halves[i].state))
			return false;
	return true;
}

int lease_result(const struct lease *lease, struct arena *a,
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

	if (!lease_is_complete(lease))
		return true;
	if (lease_result(lease, &a, &res, &e)) {
		lease_release(lease, &e);
		return false;
	}
	write_down(lease);
	if (lease_finish(lease, &res, NULL))
		return true;
	lease_release(lease, NULL);
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

/* The other half may have got its lease. */
static void give_up(struct half *half)
{
	struct err e = *half->family->err(half->state);

	err_wrap(&e, "interface \"%s\"", half->lease->owner.ifname);
	lease_release(half->lease, &e);
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

	if (fd < 0)
		return;
	if (has_sent || !half->listen_until_ms)
		half->listen_until_ms = now_ms() + LISTEN_MS;
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

/* Take one step of one half. Whether the lease is there still. */
bool lease_step(struct half *half, lease_step_fn *fn)
{
	struct lease *lease = half->lease;
	_arena_ struct arena a = { 0 };
	struct dhcp_packet packet;
	struct cni_result before;
	struct dhcp_place place = { .ns = NETNS_NONE };
	enum dhcp_event event;
	struct err e = { 0 };
	int none, r = lease_enter(lease, &place, &e);
	bool is_there;

	if (r && r != -ENODEV) /* no descriptor left: the machine's own time */
		say(lease, "%s", e.msg);
	if (r == -ENODEV || (r && lease->answer)) {
		drop(lease, &e);
		return false;
	}
	none = half_result(half, &a, &before);
	event = fn(half->state, r ? NULL : &place, now_ms(), &packet);
	if (!r && packet.len)
		transmit(half, &place, &packet);
	if (event == DHCP_BOUND)
		close_half(half);
	is_there = r || take_event(half, event, &place, none ? NULL : &before);
	if (is_there)
		listen_on(half, packet.len);
	if (!r)
		lease_leave(&place);
	return is_there;
}

static void io_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct half *half = io->data;

	(void)loop;
	(void)events;
	lease_step(half, half->family->receive);
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
			if (!lease_step(half, half->family->timeout))
				return false;
		} else {
			listen_on(half, false);
		}
	}
	return true;
}

void lease_timer_ready(struct ev_loop *loop, ev_io *io, int events)
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
void lease_arm_timer(struct ev_loop *loop, ev_prepare *prepare, int events)
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
