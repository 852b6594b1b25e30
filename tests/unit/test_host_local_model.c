// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-local's allocator and store against a model that is an array: random
 * ADDs, DELs and GCs, of ours and as the reference would do them, processes
 * that die, power failures and reboots. After each step the directory has just
 * the addresses that the model has, and each ADD got what the model says.
 *
 * Arguments: the number of steps, and the first of the random numbers.
 */
#include "unit.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "ipam/host_local/allocator.h"

#define STEPS	    10000
#define EPOCH	    250 /* steps with one configuration */
#define IDS	    9
#define ENTRIES_MAX 512
#define SETS_MAX    3
#define EARLIER	    "11111111-61bb-4a39-9a9a-0b1d0c6a3a6b"
#define ATTRIBUTE   "user.hawser.boot"

static int steps = STEPS;
static unsigned seed = 1;

/* --- the model ------------------------------------------------------------ */

struct entry {
	struct ip_addr addr;
	char id[8], ifname[8]; /* an id of "": without content */
	bool ours, earlier;
};

struct model {
	struct host_local_config conf;
	struct entry entries[ENTRIES_MAX];
	size_t n;
	struct ip_addr last[SETS_MAX];
	struct arena arena;
	const char *dir;
	bool keeps_boot; /* the file system has attributes */
};

static unsigned pick(unsigned n)
{
	return (unsigned)random() % n;
}

static struct entry *find(struct model *m, const struct ip_addr *addr)
{
	for (size_t i = 0; i < m->n; i++)
		if (ip_equal(&m->entries[i].addr, addr))
			return &m->entries[i];
	return NULL;
}

static void forget(struct model *m, const struct entry *entry)
{
	m->entries[entry - m->entries] = m->entries[--m->n];
}

static void forget_if(struct model *m, bool (*fn)(const struct entry *entry))
{
	for (size_t i = m->n; i--;)
		if (fn(&m->entries[i]))
			forget(m, &m->entries[i]);
}

static bool is_earlier(const struct entry *entry)
{
	return entry->earlier;
}

static bool is_empty(const struct entry *entry)
{
	return !*entry->id;
}

static void remember(struct model *m, const struct ip_addr *addr,
		     const struct ipam_owner *owner, bool ours)
{
	struct entry *entry = find(m, addr);

	if (!entry)
		entry = &m->entries[m->n++];
	*entry = (struct entry){ .addr = *addr, .ours = ours };
	strcpy(entry->id, owner->container_id);
	strcpy(entry->ifname, owner->ifname);
}

/* Those of the owner; without any, those of the container alone. */
static size_t owned(struct model *m, const struct ipam_owner *owner,
		    struct entry **ret)
{
	const char *ifname = owner->ifname;
	size_t n = 0;

	for (int pass = 0; !n && pass < 2; pass++, ifname = "")
		for (size_t i = 0; i < m->n; i++)
			if (!strcmp(m->entries[i].id, owner->container_id) &&
			    !strcmp(m->entries[i].ifname, ifname))
				ret[n++] = &m->entries[i];
	return n;
}

/* The set's addresses one after the other, from that after the last given out. */
static bool next_free(struct model *m, size_t index, struct ip_addr *ret)
{
	const struct range_set *set = &m->conf.sets.v[index];
	struct ip_addr all[ENTRIES_MAX];
	size_t n = 0, start = 0;

	for (size_t i = 0; i < set->ranges.n; i++)
		for (struct ip_addr addr = set->ranges.v[i].start;;
		     addr = ip_next(addr)) {
			all[n++] = addr;
			if (ip_equal(&addr, &m->last[index]))
				start = n;
			if (ip_equal(&addr, &set->ranges.v[i].end))
				break;
		}
	for (size_t i = 0; i < n; i++) {
		*ret = all[(start + i) % n];
		if (!range_set_has_gateway(set, ret) && !find(m, ret))
			return true;
	}
	return false;
}

/* What an ADD must give, or "" where it must fail. */
static bool choose(struct model *m, const struct ipam_owner *owner,
		   size_t index, struct ip_addr *ret)
{
	const struct range_set *set = &m->conf.sets.v[index];
	struct entry *own[ENTRIES_MAX];
	size_t n = owned(m, owner, own);

	if (m->conf.requested.n &&
	    range_set_find(set, &m->conf.requested.v[0])) {
		const struct entry *entry = find(m, m->conf.requested.v);

		*ret = m->conf.requested.v[0];
		return !range_set_has_gateway(set, ret) &&
		       (!entry || is_empty(entry));
	}
	for (size_t i = 0; i < n; i++)
		if (range_set_find(set, &own[i]->addr))
			return false;
	if (next_free(m, index, ret))
		return true;
	forget_if(m, is_empty);
	return next_free(m, index, ret);
}

static bool choose_all(struct model *m, const struct ipam_owner *owner,
		       struct ip_addr ret[static SETS_MAX])
{
	bool is_used = !m->conf.requested.n;

	for (size_t i = 0; i < m->conf.sets.n; i++) {
		if (!choose(m, owner, i, &ret[i]))
			return false;
		is_used |= m->conf.requested.n &&
			   ip_equal(&ret[i], m->conf.requested.v);
	}
	return is_used;
}

/* --- the store ------------------------------------------------------------ */

static const char *file_of(const struct model *m, const struct ip_addr *addr)
{
	static char path[PATH_MAX];
	char name[IP_TEXT_MAX];

	snprintf(path, sizeof(path), "%s/net/%s", m->dir, ip_text(addr, name));
	return path;
}

static struct ipam_store *opened(struct model *m, unsigned flags)
{
	const struct ipam_place at = {
		m->dir, "net", arena_printf(&m->arena, "%s/index", m->dir)
	};
	struct ipam_store *s = NULL;
	struct err e;

	if (ipam_store_open(&at, flags | IPAM_CREATE, &s, &e))
		fail_msg("%s", e.msg);
	return s;
}

static void assert_same(struct model *m, int step)
{
	DIR *dir = opendir(PATH(m->dir, "net"));
	const struct dirent *entry;
	struct ip_addr addr;
	size_t n = 0;

	while ((entry = readdir(dir))) {
		if (ip_parse(entry->d_name, &addr))
			continue;
		n++;
		if (!find(m, &addr))
			fail_msg("step %d: %s is left", step, entry->d_name);
	}
	closedir(dir);
	if (n != m->n)
		fail_msg("step %d: %zu addresses, not %zu", step, n, m->n);
	for (size_t i = 0; i < m->n; i++) {
		struct entry *o = &m->entries[i];
		char text[32];

		snprintf(text, sizeof(text), *o->ifname ? "%s\r\n%s" : "%s",
			 o->id, o->ifname);
		assert_file(file_of(m, &o->addr), text);
	}
}

/* --- steps ---------------------------------------------------------------- */

static struct ipam_owner random_owner(void)
{
	static const char *const ids[IDS] = { "a", "b",	 "c",  "d", "e",
					      "f", "aa", "ab", "g" };

	return (struct ipam_owner){ ids[pick(IDS)], pick(4) ? "eth0" : "e1" };
}

static struct ip_addr random_address(const struct model *m)
{
	const struct range_set *set =
		&m->conf.sets.v[pick((unsigned)m->conf.sets.n)];
	const struct range *range =
		&set->ranges.v[pick((unsigned)set->ranges.n)];
	struct ip_addr addr = range->start;

	for (unsigned i = pick(12); i && !ip_equal(&addr, &range->end); i--)
		addr = ip_next(addr);
	return addr;
}

/* A process that dies before it closes the store has reserved all the same. */
static int allocate(struct model *m, const struct ipam_owner *owner, bool dies,
		    struct cni_result *res)
{
	struct ipam_store *s;
	struct err e;
	int r;

	if (!dies) {
		s = opened(m, IPAM_RECLAIM);
		r = host_local_allocate(&m->conf, s, owner, &m->arena, res, &e);
		ipam_store_close(s);
		return r;
	}
	if (!fork()) {
		s = opened(m, IPAM_RECLAIM);
		r = host_local_allocate(&m->conf, s, owner, &m->arena, res, &e);
		_exit(r != 0);
	}
	assert_true(wait(&r) > 0);
	return r;
}

static void step_add(struct model *m)
{
	struct ipam_owner owner = random_owner();
	struct ip_addr expected[SETS_MAX], request = random_address(m);
	struct cni_result res = { 0 };
	bool must, dies = !pick(5);
	int r;

	m->conf.requested.v = &request;
	m->conf.requested.n = !pick(4);
	forget_if(m, is_earlier);
	must = choose_all(m, &owner, expected);
	r = allocate(m, &owner, dies, &res);
	assert_int_equal(!r, must);
	for (size_t i = 0; must && i < m->conf.sets.n; i++) {
		if (!dies)
			assert_true(ip_equal(&res.ips.v[i].address.addr,
					     &expected[i]));
		remember(m, &expected[i], &owner, true);
		m->last[i] = expected[i];
	}
}

static void step_del(struct model *m)
{
	struct ipam_owner owner = random_owner();
	struct entry *own[ENTRIES_MAX];
	struct ipam_store *s = opened(m, 0);
	size_t n = owned(m, &owner, own);
	ip_list list = { 0 };

	assert_int_equal(ipam_store_owned(s, &owner, &m->arena, &list, NULL),
			 0);
	assert_int_equal(list.n, n);
	for (size_t i = 0; i < list.n; i++) {
		const struct entry *entry = find(m, &list.v[i]);

		assert_non_null(entry);
		assert_string_equal(entry->id, owner.container_id);
		assert_int_equal(
			ipam_store_release(s, &list.v[i], &owner, NULL), 0);
		forget(m, entry);
	}
	ipam_store_close(s);
}

/* As the reference does it, with its lock; sometimes as one of long ago, and
 * sometimes one that dies before it has written anything. */
static void step_foreign_add(struct model *m)
{
	struct ipam_owner owner = random_owner();
	_close_ int lock = open(PATH(m->dir, "net/lock"), O_RDONLY);
	struct ip_addr addr = random_address(m);
	char text[32];

	flock(lock, LOCK_EX);
	if (find(m, &addr))
		return;
	if (!pick(4))
		owner.ifname = "";
	if (!pick(6))
		owner = (struct ipam_owner){ "", "" };
	snprintf(text, sizeof(text), *owner.ifname ? "%s\r\n%s" : "%s",
		 owner.container_id, owner.ifname);
	put_file(file_of(m, &addr), text);
	remember(m, &addr, &owner, false);
}

static void step_foreign_del(struct model *m)
{
	_close_ int lock = open(PATH(m->dir, "net/lock"), O_RDONLY);
	const struct entry *entry;

	flock(lock, LOCK_EX);
	if (!m->n)
		return;
	entry = &m->entries[pick((unsigned)m->n)];
	assert_int_equal(unlink(file_of(m, &entry->addr)), 0);
	forget(m, entry);
}

/* Killed between two system calls of an ADD. */
static void step_leftover(struct model *m)
{
	const char *temporary = PATH(m->dir, "net/.hawser.tmp");

	unlink(temporary);
	if (m->n && pick(2))
		assert_int_equal(
			link(file_of(m, &m->entries[pick((unsigned)m->n)].addr),
			     temporary),
			0);
	else
		put_file(temporary, pick(2) ? "a\r\neth0" : "");
}

static void empty_index(const struct model *m)
{
	nftw(PATH(m->dir, "index"), dir_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* What was written last is not on the disk; and so is not what we reserved in
 * the boot that ends. */
static void step_power_failure(struct model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct entry *entry = &m->entries[i];
		const char *path = file_of(m, &entry->addr);
		char text[128];
		ssize_t len = getxattr(path, ATTRIBUTE, text, sizeof(text));

		if (m->keeps_boot && len > 0) {
			assert_true(entry->ours);
			memcpy(text, EARLIER, strlen(EARLIER));
			setxattr(path, ATTRIBUTE, text, (size_t)len, 0);
			entry->earlier = true;
		}
		if (pick(4))
			continue;
		assert_int_equal(truncate(path, 0), 0);
		*entry->id = *entry->ifname = '\0';
	}
	empty_index(m);
}

static bool is_stale(const struct ipam_owner *owner, const void *arg)
{
	const unsigned *valid = arg;

	return !(*valid >> (owner->container_id[0] - 'a') & 1);
}

static void step_gc(struct model *m)
{
	unsigned valid = (unsigned)random();
	struct ipam_store *s = opened(m, 0);

	assert_int_equal(ipam_store_prune(s, is_stale, &valid, NULL), 0);
	ipam_store_close(s);
	for (size_t i = m->n; i--;) {
		const struct entry *entry = &m->entries[i];
		const struct ipam_owner owner = { entry->id, entry->ifname };

		if (is_empty(entry) || is_stale(&owner, &valid))
			forget(m, entry);
	}
}

/* --- all of it ------------------------------------------------------------ */

static void add_range(struct model *m, struct range_set *set,
		      const char *subnet)
{
	struct range *range = &set->ranges.v[set->ranges.n++];

	(void)m;
	*range = (struct range){ .subnet = prefix(subnet) };
}

static void random_conf(struct model *m)
{
	static const char *const subnets[SETS_MAX][4] = {
		{ "10.0.0.0/29", "10.0.0.0/28", "10.0.0.0/25", "10.0.0.0/30" },
		{ "2001:db8::/125", "2001:db8::/126", "2001:db8::/121",
		  "::/126" },
		{ "255.255.255.240/28", "255.255.255.248/29", "192.168.0.0/26",
		  "192.168.0.0/28" },
	};
	struct err e;

	m->conf = (struct host_local_config){ 0 };
	m->conf.sets.n = 1 + pick(SETS_MAX);
	m->conf.sets.v =
		arena_array(&m->arena, SETS_MAX, sizeof(struct range_set));
	for (size_t i = 0; i < m->conf.sets.n; i++) {
		struct range_set *set = &m->conf.sets.v[i];

		set->ranges.v = arena_array(&m->arena, 2, sizeof(struct range));
		add_range(m, set, subnets[i][pick(4)]);
		if (!i && pick(2))
			add_range(m, set, "10.0.1.0/29");
		if (range_set_canonicalise(set, &e))
			fail_msg("%s", e.msg);
	}
}

static void start_epoch(struct model *m)
{
	nftw(PATH(m->dir, "net"), dir_remove, 8, FTW_DEPTH | FTW_PHYS);
	arena_done(&m->arena);
	m->n = 0;
	memset(m->last, 0, sizeof(m->last));
	random_conf(m);
	ipam_store_close(opened(m, 0));
}

static void random_step(struct model *m)
{
	static void (*const fns[])(struct model * m) = {
		step_add,	  step_add,	    step_add,
		step_add,	  step_add,	    step_add,
		step_add,	  step_del,	    step_del,
		step_del,	  step_foreign_add, step_foreign_add,
		step_foreign_del, step_leftover,
	};
	unsigned rare = pick(80);

	if (rare == 0)
		step_power_failure(m);
	else if (rare == 1)
		step_gc(m);
	else if (rare == 2)
		empty_index(m);
	else
		fns[pick(ARRAY_SIZE(fns))](m);
}

static void test_the_store_does_what_the_model_does(void **state)
{
	struct model m = { .dir = *state };

	srandom(seed);
	mkdir(PATH(*state, "net"), 0755);
	m.keeps_boot = !setxattr(PATH(*state, "net"), ATTRIBUTE, "", 0, 0);
	for (int step = 0; step < steps; step++) {
		if (step % EPOCH == 0)
			start_epoch(&m);
		random_step(&m);
		assert_same(&m, step);
	}
	arena_done(&m.arena);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_the_store_does_what_the_model_does),
	};

	if (argc > 1)
		steps = atoi(argv[1]);
	if (argc > 2)
		seed = (unsigned)atoi(argv[2]);
	return RUN(tests);
}
