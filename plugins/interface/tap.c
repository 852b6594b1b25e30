// SPDX-License-Identifier: GPL-2.0-or-later
/* tap: an interface whose frames a program in the container reads and writes, as
 * a virtual machine's monitor does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/process.h"
#include "cni/ipam.h"
#include "cni/mac.h"
#include "interface/endpoint.h"
#include "interface/inspect.h"
#include "interface/mtu.h"
#include "kernel/link_delete.h"
#include "kernel/tun.h"
#include "plugins.h"

#define MTU_MAX	   INT32_MAX
#define OUTPUT_MAX 65536
#define WHAT	   "container interface"
#define EXEC_LABEL "/proc/thread-self/attr/exec"

struct tap_conf {
	bool multi_queue;
	int64_t mtu, owner, group; /* owner, group: -1 for none */
	const char *selinux_context;
	const char *bridge; /* of the container */
	struct cni_mac mac;
};

static const struct json_field fields[] = {
	{ "multiQueue", JSON_BOOL, offsetof(struct tap_conf, multi_queue) },
	{ "mtu", JSON_INT, offsetof(struct tap_conf, mtu), 0, MTU_MAX },
	{ "owner", JSON_INT, offsetof(struct tap_conf, owner), 0, UINT32_MAX },
	{ "group", JSON_INT, offsetof(struct tap_conf, group), 0, UINT32_MAX },
	{ "selinuxContext", JSON_STRING,
	  offsetof(struct tap_conf, selinux_context) },
	{ "bridge", JSON_STRING, offsetof(struct tap_conf, bridge) },
	{ 0 },
};

static int load(const struct cni_call *call, struct tap_conf *ret,
		struct err *e)
{
	int r = json_decode(fields, call->conf->doc, NULL, ret, call->arena, e);

	return r ? r : cni_mac_load(call, &ret->mac, e);
}

/* --- with a label ---------------------------------------------------------- */

static bool has_label(const struct tap_conf *conf)
{
	return conf->selinux_context && *conf->selinux_context;
}

/* The label that programs run from now on get; "" for their usual one. */
static int label_programs(const char *context, struct err *e)
{
	_close_ int fd = open(EXEC_LABEL, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, context, strlen(context)) >= 0)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "\"selinuxContext\": \"%s\" cannot be set: %s", context,
		       strerror(errno));
}

/* "ip tuntap add", whose options are these. */
static int run_ip(const struct endpoint *at, const struct tap_conf *conf,
		  struct err *e)
{
	_process_result_ struct process_result result = { 0 };
	char netns[64], owner[24], group[24];
	const char *argv[16] = { "nsenter", netns,  "ip",
				 "tuntap",  "add",  "mode",
				 "tap",	    "name", at->owner.ifname };
	const struct process process = { .argv = argv,
					 .output_max = OUTPUT_MAX };
	size_t n = 9;
	int r;

	snprintf(netns, sizeof(netns), "--net=/proc/%d/fd/%d", getpid(),
		 at->container.fd);
	snprintf(owner, sizeof(owner), "%lld", (long long)conf->owner);
	snprintf(group, sizeof(group), "%lld", (long long)conf->group);
	if (conf->multi_queue)
		argv[n++] = "multi_queue";
	if (conf->owner >= 0) {
		argv[n++] = "user";
		argv[n++] = owner;
	}
	if (conf->group >= 0) {
		argv[n++] = "group";
		argv[n++] = group;
	}
	r = process_run(&process, &result, e);
	if (r || !result.status)
		return r;
	return err_set(e, ERR_IO, EREMOTEIO, "create tap \"%s\": ip says: %s",
		       at->owner.ifname, result.log);
}

/* An interface has the label of the program that makes it. */
static int make_labelled(const struct endpoint *at, const struct tap_conf *conf,
			 struct err *e)
{
	struct link other;
	int r;

	if (!link_get(&at->container, at->owner.ifname, &other, NULL))
		return -EEXIST;
	r = label_programs(conf->selinux_context, e);
	if (r)
		return r;
	r = run_ip(at, conf, e);
	label_programs("", NULL);
	return r;
}

/* --- ADD ------------------------------------------------------------------- */

static int make_plain(const struct endpoint *at, const struct tap_conf *conf,
		      struct err *e)
{
	const struct tap tap = {
		.name = at->owner.ifname,
		.multi_queue = conf->multi_queue,
		.has_owner = conf->owner >= 0,
		.has_group = conf->group >= 0,
		.owner = (uint32_t)conf->owner,
		.group = (uint32_t)conf->group,
	};

	return tap_add(&at->container, &tap, e);
}

static int find_bridge(const struct endpoint *at, const struct tap_conf *conf,
		       struct link *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!conf->bridge || !*conf->bridge)
		return 0;
	r = link_get(&at->container, conf->bridge, ret, e);
	if (r == -ENODEV)
		return err_set(e, ERR_CONFIG, ENODEV,
			       "bridge \"%s\" does not exist in the container",
			       conf->bridge);
	return r;
}

static int make(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct tap_conf *conf = arg;
	struct link_change change = { .mac = cni_mac_get(&conf->mac),
				      .mtu = (uint32_t)conf->mtu };
	struct link bridge, made;
	int r = find_bridge(at, conf, &bridge, e);

	if (!r)
		r = has_label(conf) ? make_labelled(at, conf, e)
				    : make_plain(at, conf, e);
	change.master = bridge.index;
	if (r || !(change.mac || change.mtu || change.master))
		return r;
	r = link_change(&at->container, at->owner.ifname, &change, e);
	if (r && !link_get(&at->container, at->owner.ifname, &made, NULL))
		link_delete(&at->container, &made, NULL);
	return r;
}

/* --- CHECK ----------------------------------------------------------------- */

static int check_tap(const struct link *iface, const struct tap_conf *conf,
		     struct err *e)
{
	const char *name = iface->name;

	if (conf->multi_queue != iface->tap.multi_queue)
		return inspect_differs(e, WHAT, name,
				       conf->multi_queue
					       ? "has not several queues"
					       : "has several queues");
	if (conf->owner != iface->tap.owner)
		return inspect_differs(e, WHAT, name,
				       "has another owner than configured");
	if (conf->group != iface->tap.group)
		return inspect_differs(e, WHAT, name,
				       "has another group than configured");
	return 0;
}

static int check(const struct endpoint *at, const void *arg, struct err *e)
{
	const struct tap_conf *conf = arg;
	struct link bridge;
	int r = find_bridge(at, conf, &bridge, e);

	if (r)
		return r;
	r = mtu_check(conf->mtu, at->wanted, &at->iface, WHAT, e);
	if (!r && bridge.index != at->iface.master)
		return err_set(e, ERR_MISMATCH, ENOENT,
			       WHAT " %s is not attached to bridge %s",
			       at->iface.name,
			       conf->bridge ? conf->bridge : "");
	return r ? r : check_tap(&at->iface, conf, e);
}

static const struct endpoint_kind tap = {
	.plugin = "tap",
	.kind = "tun",
	.make = make,
	.check = check,
};

static int tap_plugin_add(const struct cni_call *call, struct cni_result *ret,
			  struct err *e)
{
	struct tap_conf conf = { .owner = -1, .group = -1 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_add(call, &tap, &conf, ret, e);
}

static int tap_plugin_check(const struct cni_call *call, struct err *e)
{
	struct tap_conf conf = { .owner = -1, .group = -1 };
	int r = load(call, &conf, e);

	return r ? r : endpoint_check(call, &tap, &conf, e);
}

static int tap_plugin_del(const struct cni_call *call, struct err *e)
{
	return endpoint_del(call, &tap, e);
}

static int tap_plugin_status(const struct cni_call *call, struct err *e)
{
	return cni_ipam_call(call, CNI_STATUS, e);
}

const struct cni_plugin plugin_tap = {
	.name = "tap",
	.add = tap_plugin_add,
	.del = tap_plugin_del,
	.check = tap_plugin_check,
	.gc = endpoint_gc,
	.status = tap_plugin_status,
};
