// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/publish.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/json.h"

#define PORT_MAPPINGS "portMappings"
#define PORT_MAX      65535
#define SEPARATORS    ", "

struct range {
	unsigned first, last;
};

struct publication {
	char address[IP_TEXT_MAX]; /* "": all of the host's */
	struct range host, container;
	const char *protocol;
};

/* 0, or -EINVAL for anything but digits that make a port. */
static int parse_port(const char *text, unsigned *ret)
{
	unsigned port = 0;

	for (; isdigit((unsigned char)*text) && port <= PORT_MAX; text++)
		port = port * 10 + (unsigned)(*text - '0');
	if (*text || !port || port > PORT_MAX)
		return -EINVAL;
	*ret = port;
	return 0;
}

/* "PORT" or "FIRST-LAST"; @text is taken apart. */
static int parse_range(char *text, struct range *ret)
{
	char *last = strchr(text, '-');

	if (last)
		*last++ = '\0';
	if (parse_port(text, &ret->first) ||
	    parse_port(last ? last : text, &ret->last) ||
	    ret->first > ret->last)
		return -EINVAL;
	return 0;
}

static int parse_protocol(const char *text, const char **ret)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(text, known[i]))
			continue;
		*ret = known[i];
		return 0;
	}
	return -EINVAL;
}

/* An address, in brackets if that has colons itself. */
static int parse_address(char *text, char ret[static IP_TEXT_MAX])
{
	size_t len = strlen(text);
	bool brackets = len && *text == '[' && text[len - 1] == ']';
	struct ip_addr addr;

	if (brackets) {
		text[len - 1] = '\0';
		text++;
	}
	if (ip_parse(text, &addr) || brackets != (addr.family == AF_INET6))
		return -EINVAL;
	ip_text(&addr, ret);
	return 0;
}

/* One of them, taken apart from the end: only the address may have colons. */
static int parse_one(char *text, struct publication *ret)
{
	char *protocol = strrchr(text, '/'), *container, *host;

	*ret = (struct publication){ .protocol = "tcp" };
	if (protocol) {
		*protocol++ = '\0';
		if (parse_protocol(protocol, &ret->protocol))
			return -EINVAL;
	}
	container = strrchr(text, ':');
	if (!container)
		return -EINVAL;
	*container++ = '\0';
	host = strrchr(text, ':');
	if (host) {
		*host++ = '\0';
		if (parse_address(text, ret->address))
			return -EINVAL;
	}
	return parse_range(host ? host : text, &ret->host) ||
			       parse_range(container, &ret->container)
		       ? -EINVAL
		       : 0;
}

static bool append(const struct publication *p, cJSON *mappings)
{
	for (unsigned i = 0; i <= p->host.last - p->host.first; i++) {
		cJSON *mapping = cJSON_CreateObject();

		if (!cJSON_AddItemToArray(mappings, mapping) ||
		    !cJSON_AddNumberToObject(mapping, "hostPort",
					     p->host.first + i) ||
		    !cJSON_AddNumberToObject(mapping, "containerPort",
					     p->container.first + i) ||
		    !cJSON_AddStringToObject(mapping, "protocol",
					     p->protocol) ||
		    (*p->address &&
		     !cJSON_AddStringToObject(mapping, "hostIP", p->address)))
			return false;
	}
	return true;
}

/* One of @text's, the first @len bytes of it. */
static int add_one(const char *text, size_t len, cJSON *mappings, struct err *e)
{
	_free_ char *copy = strndup(text, len);
	struct publication p;

	if (!copy)
		return err_oom(e);
	if (parse_one(copy, &p))
		return err_set(
			e, ERR_CONFIG, EINVAL,
			"port \"%.*s\" is not [ADDRESS:]HOST:CONTAINER[/PROTOCOL]",
			(int)len, text);
	if (p.host.last - p.host.first != p.container.last - p.container.first)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "ports \"%.*s\" are ranges of different lengths",
			       (int)len, text);
	return append(&p, mappings) ? 0 : err_oom(e);
}

static int add_all(const char *text, cJSON *mappings, struct err *e)
{
	int r;

	text += strspn(text, SEPARATORS);
	do {
		size_t len = strcspn(text, SEPARATORS);

		r = add_one(text, len, mappings, e);
		text += len;
		text += strspn(text, SEPARATORS);
	} while (!r && *text);
	return r;
}

int publish_ports(const cJSON *args, const char *const *ports, size_t n,
		  struct arena *a, const cJSON **ret, struct err *e)
{
	cJSON *all = args ? cJSON_Duplicate(args, true) : cJSON_CreateObject();
	cJSON *mappings = cJSON_GetObjectItemCaseSensitive(all, PORT_MAPPINGS);
	int r = json_keep(a, all, e);

	if (r)
		return r;
	if (!cJSON_IsArray(mappings))
		mappings = cJSON_AddArrayToObject(all, PORT_MAPPINGS);
	if (!mappings)
		return err_oom(e);
	for (size_t i = 0; !r && i < n; i++)
		r = add_all(ports[i], mappings, e);
	if (!r)
		*ret = all;
	return r;
}
