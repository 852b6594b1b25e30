// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What plugin and daemon say to each other over the daemon's socket: a line of
 * JSON each.
 *
 *	plugin	{"hawser":1,"command":"ADD","containerID":"c1",
 *		 "netns":"/run/netns/c1","ifname":"eth0","args":"",
 *		 "config":{"cniVersion":"1.1.0","name":"net","ipam":{...}}}
 *	daemon	{"hawser":1}			at the first byte
 *	daemon	{"hawser":1,"result":{...}}	or	{"hawser":1,"error":{...}}
 *
 * result is one of the CNI's newest version, error as its specification says. By
 * the first line a plugin knows that it is not the reference's daemon that it
 * talks to, which speaks Go's RPC over HTTP.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/owner.h"
#include "cni/args.h"
#include "cni/conf.h"
#include "cni/result.h"

#define DHCP_PROTOCOL 1
#define DHCP_GREETING "{\"hawser\":1}\n"
#define DHCP_LINE_MAX (2 * JSON_TEXT_MAX)

struct dhcp_request {
	enum cni_command command; /* not VERSION */
	struct owner owner;	  /* all of it */
	const char *args;	  /* CNI_ARGS */
	const cJSON *config;
	struct cni_conf conf; /* decoded from .config */
};

/* Each of these writes a whole line; the caller frees it. NULL when out of memory.
 * Of @config the keys that a daemon needs are sent. */
char *dhcp_request_encode(const struct dhcp_request *request);
char *dhcp_answer_encode(const struct cni_result *res, const struct err *error);

/* Read a request of @len bytes; strings live as long as @a. */
int dhcp_request_decode(const char *text, size_t len, struct arena *a,
			struct dhcp_request *ret, struct err *e);

/* Read an answer: the result, or the error that it holds. */
int dhcp_answer_decode(const char *text, size_t len, struct arena *a,
		       struct cni_result *ret, struct err *e);

/* The keys of a network configuration that matter here; the caller frees it. NULL
 * when out of memory. */
cJSON *dhcp_config_reduce(const cJSON *config);
