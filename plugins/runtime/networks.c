// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/networks.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/places.h"
#include "runtime/publish.h"

#define PORT_MAPPINGS "portMappings"

int networks_load(const char *conf_dir, const char *const *names, size_t n,
		  struct arena *a, struct cni_list *lists, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = cni_list_load(conf_dir, names[i], a, &lists[i], e);

		if (r)
			return r;
	}
	return 0;
}

const char *networks_ifname(size_t i, char buf[static NETWORKS_IFNAME_MAX])
{
	snprintf(buf, NETWORKS_IFNAME_MAX, "eth%zu", i);
	return buf;
}

/* Whether one of the lists has the capability "portMappings". */
static bool publish(const struct cni_list *lists, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < lists[i].plugins.n; j++)
			if (cJSON_IsTrue(
				    json_get(json_get(lists[i].plugins.v[j],
						      "capabilities"),
					     PORT_MAPPINGS)))
				return true;
	return false;
}

int networks_capability_args(const struct networks *nets, char *const *env,
			     const char *const *ports, size_t n,
			     struct arena *a, const cJSON **ret, struct err *e)
{
	const cJSON *args = NULL;
	int r = places_capability_args(env, a, &args, e);

	if (!r && n)
		r = publish_ports(args, ports, n, a, &args, e);
	if (!r && n && !publish(nets->lists, nets->n))
		r = err_set(
			e, ERR_CONFIG, EINVAL,
			"there are ports to publish, and no network with a plugin that has the capability \"portMappings\"");
	if (!r)
		*ret = args;
	return r;
}

int networks_args(const char *name, struct arena *a, const char **ret,
		  struct err *e)
{
	*ret = NULL;
	if (!name)
		return 0;
	if (strchr(name, ';'))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "hostname \"%s\" has a ';' in it", name);
	*ret = arena_printf(a, "IgnoreUnknown=1;K8S_POD_NAME=%s", name);
	return *ret ? 0 : err_oom(e);
}

/* The attachment to network number @i; its texts live as long as @nets and
 * @ifname. */
static int describe(const struct networks *nets, size_t i,
		    char ifname[static NETWORKS_IFNAME_MAX], struct arena *a,
		    struct cni_attachment *ret, struct err *e)
{
	const cJSON *args = nets->capability_args;

	if (args && publish(nets->lists, i)) {
		cJSON *rest = cJSON_Duplicate(args, true);

		if (!rest || json_keep(a, rest, e))
			return err_oom(e);
		cJSON_DeleteItemFromObject(rest, PORT_MAPPINGS);
		args = rest;
	}
	*ret = (struct cni_attachment){ .container_id = nets->container_id,
					.ifname = networks_ifname(i, ifname),
					.netns = nets->netns,
					.args = nets->args,
					.capability_args = args };
	return 0;
}

static int attach(const struct networks *nets, size_t i, struct arena *a,
		  struct cni_dns *ret_dns, struct err *e)
{
	const struct cni_list *list = &nets->lists[i];
	struct cni_attachment at = { 0 };
	struct cni_result result = { 0 };
	char ifname[NETWORKS_IFNAME_MAX];
	const cJSON *doc;
	int r = describe(nets, i, ifname, a, &at, e);

	if (!r)
		r = cni_attachment_add(nets->rt, list, &at, a, &doc, e);
	if (r) {
		err_wrap(e, "network \"%s\"", list->name);
		return r;
	}
	r = cni_result_decode(doc, list->version, a, &result, e);
	if (r)
		cni_attachment_del(nets->rt, list, &at, NULL);
	*ret_dns = result.dns;
	return r;
}

static int detach(const struct networks *nets, size_t i, struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct cni_attachment at = { 0 };
	char ifname[NETWORKS_IFNAME_MAX];
	int r = describe(nets, i, ifname, &arena, &at, e);

	if (!r)
		r = cni_attachment_del(nets->rt, &nets->lists[i], &at, e);
	if (r)
		err_wrap(e, "network \"%s\"", nets->lists[i].name);
	return r;
}

int networks_detach(const struct networks *nets, struct err *e)
{
	int first = 0;

	for (size_t i = nets->n; i-- > 0;) {
		int r = detach(nets, i, first ? NULL : e);

		if (!first)
			first = r;
	}
	return first;
}

int networks_attach(const struct networks *nets, struct arena *a,
		    struct cni_dns *dns, struct err *e)
{
	struct networks attached = *nets;
	struct cni_dns nobody_asks;

	for (attached.n = 0; attached.n < nets->n; attached.n++) {
		size_t i = attached.n;
		int r = attach(nets, i, a, dns ? &dns[i] : &nobody_asks, e);

		if (r) {
			networks_detach(&attached, NULL);
			return r;
		}
	}
	return 0;
}

int networks_list_of(const struct cni_cached *cached, const char *conf_dir,
		     struct arena *a, struct cni_list *ret, struct err *e)
{
	if (cached->config &&
	    !cni_list_parse(conf_dir, cached->config, a, ret, NULL))
		return 0;
	return cni_list_load(conf_dir, cached->network, a, ret, e);
}

static void ignore(int sig)
{
	(void)sig;
}

/* Not Ctrl-C, which only reaches the terminal's session, nor the SIGTERM that a
 * service manager sends to all. Handlers, for an ignored signal would stay
 * ignored in plugins. */
void networks_stand_apart(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = ignore,
				    .sa_flags = SA_RESTART };

	setsid();
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}
