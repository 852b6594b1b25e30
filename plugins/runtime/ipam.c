// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hawser ipam: the addresses that host-local, ours or the reference's, has
 * given out on this host. list and show look without lock and leave no trace.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/verb.h"
#include "service/ipam_store.h"

/* --- arguments ----------------------------------------------------------- */

struct request {
	const char *data_dir;
	bool json;
	const char *network;
	char **addresses; /* free: NULL-terminated */
};

#define OPTION_DATA_DIR                                              \
	{                                                            \
		"data-dir", 'd', "DIR", 0,                           \
			"What is \"ipam.dataDir\" in the network's " \
			"configuration [" IPAM_DATA_DIR "]",         \
			0                                            \
	}

static const struct argp_option look_options[] = {
	OPTION_DATA_DIR,
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ 0 },
};

static const struct argp_option free_options[] = { OPTION_DATA_DIR, { 0 } };

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *req = state->input;

	switch (key) {
	case 'd':
		req->data_dir = arg;
		return 0;
	case 'j':
		req->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_network(int key, char *arg, struct argp_state *state)
{
	struct request *req = state->input;

	if (key == ARGP_KEY_NO_ARGS)
		argp_usage(state);
	if (key != ARGP_KEY_ARG || req->network)
		return parse_option(key, arg, state);
	if (!*arg || *arg == '.' || strchr(arg, '/'))
		argp_error(state, "\"%s\" is not a name of a network", arg);
	req->network = arg;
	return 0;
}

static error_t parse_addresses(int key, char *arg, struct argp_state *state)
{
	struct request *req = state->input;

	if (key == ARGP_KEY_END && !req->addresses)
		argp_usage(state);
	if (key != ARGP_KEY_ARG || !req->network)
		return parse_network(key, arg, state);
	req->addresses = state->argv + state->next - 1;
	state->next = state->argc;
	return 0;
}

static struct ipam_place place_of(const struct request *req,
				  const char *network)
{
	return (struct ipam_place){ .data_dir = req->data_dir,
				    .network = network,
				    .index_dir = IPAM_INDEX_DIR };
}

/* --- printing ------------------------------------------------------------ */

static int print_json(cJSON *json, struct err *e)
{
	_free_ char *text = json ? cJSON_Print(json) : NULL;

	if (!text)
		return err_oom(e);
	puts(text);
	return 0;
}

/* A column is as wide as the widest of its texts. */
static int wider(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

/* --- networks ------------------------------------------------------------ */

struct network {
	const char *name;
	size_t taken;
	char last[IP_TEXT_MAX]; /* "": unknown */
};

typedef LIST(struct network) network_list;

static int look_at_network(const struct request *req, const char *name,
			   struct network *ret, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	const struct ipam_place place = place_of(req, name);
	struct ip_addr last;
	int r = ipam_store_peek(&place, &store, e);

	if (r)
		return r;
	*ret = (struct network){ .name = name,
				 .taken = ipam_store_count(store) };
	if (ipam_store_last_reserved(store, 0, &last))
		ip_text(&last, ret->last);
	return 0;
}

static int is_network(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

/* The names of the entries, in @a; NULL when out of memory. */
static const char **copy_names(struct dirent **entries, int n, struct arena *a)
{
	const char **names = arena_array(a, (size_t)n, sizeof(*names));

	for (int i = 0; names && i < n; i++) {
		names[i] = arena_strdup(a, entries[i]->d_name);
		if (!names[i])
			names = NULL;
	}
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return names;
}

static int find_networks(const struct request *req, struct arena *a,
			 network_list *ret, struct err *e)
{
	struct dirent **entries = NULL;
	int n = scandir(req->data_dir, &entries, is_network, alphasort);
	struct network *v;
	const char **names;

	if (n < 0)
		return errno == ENOENT
			       ? 0
			       : err_sys(e, "read \"%s\"", req->data_dir);
	names = copy_names(entries, n, a);
	v = arena_array(a, (size_t)n, sizeof(*v));
	if (!names || !v)
		return err_oom(e);
	for (int i = 0; i < n; i++) {
		int r = look_at_network(req, names[i], &v[i], e);

		if (r)
			return r;
	}
	ret->v = v;
	ret->n = (size_t)n;
	return 0;
}

static int print_networks_json(const network_list *list, struct err *e)
{
	_json_ cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < list->n; i++) {
		const struct network *n = &list->v[i];
		cJSON *object = cJSON_CreateObject();

		if (!object || !cJSON_AddItemToArray(array, object))
			return err_oom(e);
		cJSON_AddStringToObject(object, "network", n->name);
		cJSON_AddNumberToObject(object, "taken", (double)n->taken);
		if (*n->last)
			cJSON_AddStringToObject(object, "last", n->last);
	}
	return print_json(array, e);
}

static void print_networks(const network_list *list)
{
	int width = wider(0, "NETWORK");

	for (size_t i = 0; i < list->n; i++)
		width = wider(width, list->v[i].name);
	printf("%-*s  %6s  LAST\n", width, "NETWORK", "TAKEN");
	for (size_t i = 0; i < list->n; i++)
		printf("%-*s  %6zu  %s\n", width, list->v[i].name,
		       list->v[i].taken, list->v[i].last);
}

static int list_networks(const struct request *req, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	network_list list = { 0 };
	int r = find_networks(req, &arena, &list, e);

	if (r)
		return r;
	if (req->json)
		return print_networks_json(&list, e);
	print_networks(&list);
	return 0;
}

/* --- addresses ----------------------------------------------------------- */

struct reservation {
	struct ip_addr addr;
	char text[IP_TEXT_MAX];
	const char *container_id, *ifname;
	bool is_empty, is_earlier_boot;
};

struct reservations {
	struct reservation *v;
	size_t n, room;
	struct arena *arena;
};

static int collect(const struct ip_addr *addr, const struct ipam_file *file,
		   void *arg)
{
	struct reservations *list = arg;
	struct reservation *r;

	if (list->n == list->room)
		return 0; /* more than when they were counted */
	r = &list->v[list->n++];
	r->addr = *addr;
	ip_text(addr, r->text);
	r->container_id = arena_strdup(list->arena, file->owner.container_id);
	r->ifname = arena_strdup(list->arena, file->owner.ifname);
	r->is_empty = !*file->owner.container_id;
	r->is_earlier_boot = file->is_earlier_boot;
	return r->container_id && r->ifname ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	const struct reservation *left = a, *right = b;

	return ip_compare(&left->addr, &right->addr);
}

static int find_reservations(const struct request *req,
			     struct reservations *ret, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	const struct ipam_place place = place_of(req, req->network);
	int r = ipam_store_peek(&place, &store, e);

	if (r)
		return r;
	if (!ipam_store_exists(store))
		return err_set(e, ERR_CONFIG, ENOENT,
			       "no address of network \"%s\" in \"%s\"",
			       req->network, req->data_dir);
	ret->room = ipam_store_count(store);
	ret->v = arena_array(ret->arena, ret->room, sizeof(*ret->v));
	if (!ret->v)
		return err_oom(e);
	r = ipam_store_each(store, collect, ret, e);
	if (r == -ENOMEM)
		return err_oom(e);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return r;
}

static int print_reservations_json(const struct reservations *list,
				   struct err *e)
{
	_json_ cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < list->n; i++) {
		const struct reservation *r = &list->v[i];
		cJSON *object = cJSON_CreateObject();

		if (!object || !cJSON_AddItemToArray(array, object))
			return err_oom(e);
		cJSON_AddStringToObject(object, "address", r->text);
		if (!r->is_empty)
			cJSON_AddStringToObject(object, "containerID",
						r->container_id);
		if (*r->ifname)
			cJSON_AddStringToObject(object, "ifname", r->ifname);
		if (r->is_earlier_boot)
			cJSON_AddTrueToObject(object, "earlierBoot");
	}
	return print_json(array, e);
}

static void print_reservations(const struct reservations *list)
{
	int address = wider(0, "ADDRESS"), ifname = wider(0, "INTERFACE");

	for (size_t i = 0; i < list->n; i++) {
		address = wider(address, list->v[i].text);
		ifname = wider(ifname, list->v[i].ifname);
	}
	printf("%-*s  %-*s  CONTAINER\n", address, "ADDRESS", ifname,
	       "INTERFACE");
	for (size_t i = 0; i < list->n; i++) {
		const struct reservation *r = &list->v[i];

		printf("%-*s  %-*s  %s%s\n", address, r->text, ifname,
		       r->ifname,
		       r->is_empty ? "(nobody: an empty file)"
				   : r->container_id,
		       r->is_earlier_boot ? " (of an earlier boot)" : "");
	}
}

static int show_network(const struct request *req, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct reservations list = { .arena = &arena };
	int r = find_reservations(req, &list, e);

	if (r)
		return r;
	if (req->json)
		return print_reservations_json(&list, e);
	print_reservations(&list);
	return 0;
}

/* --- freeing ------------------------------------------------------------- */

static int free_address(struct ipam_store *store, const struct request *req,
			const char *text, struct err *e)
{
	struct ipam_file file;
	struct ip_addr addr;
	int r;

	if (ip_parse(text, &addr))
		return err_set(e, ERR_ENV, EINVAL, "\"%s\" is not an address",
			       text);
	r = ipam_store_read(store, &addr, &file);
	if (r == -ENOENT)
		return err_set(e, ERR_ENV, ENOENT,
			       "%s is not reserved in network \"%s\"", text,
			       req->network);
	if (r)
		return err_set(e, ERR_IO, -r, "read the file of %s: %s", text,
			       strerror(-r));
	return ipam_store_release(store, &addr, &file.owner, e);
}

static int free_addresses(const struct request *req, struct err *e)
{
	_ipam_store_ struct ipam_store *store = NULL;
	const struct ipam_place place = place_of(req, req->network);
	int r = ipam_store_open(&place, 0, &store, e);

	for (char **p = req->addresses; !r && *p; p++)
		r = free_address(store, req, *p, e);
	return r;
}

/* --- the verbs ----------------------------------------------------------- */

static int run_verb(const struct argp *argp, int argc, char *argv[],
		    int (*fn)(const struct request *req, struct err *e))
{
	struct request req = { .data_dir = IPAM_DATA_DIR };
	struct err e = { 0 };

	if (argp_parse(argp, argc, argv, 0, NULL, &req))
		return 1;
	return fn(&req, &e) ? verb_fail(argv[0], &e) : 0;
}

static int verb_ipam_list(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = {
		look_options, parse_option, NULL,
		"List the networks that host-local gives addresses of, how many are taken, and which it gave out last."
	};

	(void)env;
	return run_verb(&argp, argc, argv, list_networks);
}

static int verb_ipam_show(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = {
		look_options, parse_network, "NETWORK",
		"Show the addresses of a network that are taken, and whose they are."
	};

	(void)env;
	return run_verb(&argp, argc, argv, show_network);
}

static int verb_ipam_free(int argc, char *argv[], char *const *env)
{
	static const struct argp argp = {
		free_options, parse_addresses, "NETWORK ADDRESS...",
		"Free addresses whose owner has gone without a DEL, and will send none."
		"\vNobody is asked whether the address is still in use: it may be given to another container at once. hawser gc frees what no living attachment has."
	};

	(void)env;
	return run_verb(&argp, argc, argv, free_addresses);
}

static const struct verb verbs[] = {
	{ "list", "", "networks, and how many addresses are taken",
	  verb_ipam_list },
	{ "show", "NETWORK", "its addresses and whose they are",
	  verb_ipam_show },
	{ "free", "NETWORK ADDRESS...", "free what no DEL will free",
	  verb_ipam_free },
	{ 0 },
};

int verb_ipam(int argc, char *argv[], char *const *env)
{
	static const struct verb_set set = {
		"See what addresses host-local gave out on this host.", verbs
	};

	return verb_dispatch(&set, argc, argv, env);
}
