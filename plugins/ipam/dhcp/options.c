// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ipam/dhcp/conf.h"

#define DURATION_MAX_S 1e9

const char dhcp_options_help[] =
	"Usage: dhcp daemon [OPTION...]\n"
	"Get leases for containers, and keep them.\n"
	"\n"
	"  -socketpath PATH     listen there (" DHCP_SOCKET_DEFAULT "),\n"
	"                       unless systemd hands over a socket\n"
	"  -pidfile PATH        write the process's number there\n"
	"  -hostprefix PATH     goes before the paths of sockets and namespaces\n"
	"  -broadcast           have servers answer by broadcast\n"
	"  -timeout TIME        an offer has to be confirmed within (10s)\n"
	"  -resendmax TIME      the longest pause before asking again (62s)\n"
	"  -resendtimeout TIME  an ADD without a lease fails after (208s)\n"
	"  -idle TIME           end after that long without leases (0: never)\n"
	"  -ondemand            started by a plugin: log to syslog, end when idle\n";

#define ON_DEMAND_IDLE_MS 10000

enum flag {
	FLAG_SOCKET_PATH = 1,
	FLAG_PID_FILE,
	FLAG_HOST_PREFIX,
	FLAG_BROADCAST,
	FLAG_TIMEOUT,
	FLAG_RESEND_MAX,
	FLAG_RESEND_TIMEOUT,
	FLAG_IDLE,
	FLAG_ON_DEMAND,
	FLAG_HELP,
};

static const struct option flags[] = {
	{ "socketpath", required_argument, NULL, FLAG_SOCKET_PATH },
	{ "pidfile", required_argument, NULL, FLAG_PID_FILE },
	{ "hostprefix", required_argument, NULL, FLAG_HOST_PREFIX },
	{ "broadcast", optional_argument, NULL, FLAG_BROADCAST },
	{ "timeout", required_argument, NULL, FLAG_TIMEOUT },
	{ "resendmax", required_argument, NULL, FLAG_RESEND_MAX },
	{ "resendtimeout", required_argument, NULL, FLAG_RESEND_TIMEOUT },
	{ "idle", required_argument, NULL, FLAG_IDLE },
	{ "ondemand", no_argument, NULL, FLAG_ON_DEMAND },
	{ "help", no_argument, NULL, FLAG_HELP },
	{ 0 },
};

/* The factor to seconds of the unit that @text begins with. */
static const char *parse_unit(const char *text, double *ret)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
		{ "ms", 1e-3 }, { "us", 1e-6 }, { "ns", 1e-9 },
		{ "h", 3600 },	{ "m", 60 },	{ "s", 1 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const size_t len = strlen(units[i].name);

		if (strncmp(text, units[i].name, len) != 0)
			continue;
		*ret = units[i].seconds;
		return text + len;
	}
	return NULL;
}

int dhcp_parse_duration(const char *text, uint64_t *ret_ms)
{
	double total = 0, unit = 0;

	if (!strcmp(text, "0")) {
		*ret_ms = 0;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	while (*text) {
		const size_t digits = strspn(text, "0123456789.");
		char *end;
		double n = strtod(text, &end);

		if (!digits || end != text + digits)
			return -EINVAL;
		text = parse_unit(end, &unit);
		if (!text)
			return -EINVAL;
		total += n * unit;
	}
	if (total > DURATION_MAX_S)
		return -EINVAL;
	*ret_ms = (uint64_t)(total * 1000 + 0.5);
	return 0;
}

static int parse_bool(const char *text, bool *ret)
{
	*ret = !text || !strcmp(text, "1") || !strcasecmp(text, "true") ||
	       !strcasecmp(text, "t");
	return *ret || !strcmp(text, "0") || !strcasecmp(text, "false") ||
			       !strcasecmp(text, "f")
		       ? 0
		       : -EINVAL;
}

static int take_flag(enum flag flag, const char *value, struct dhcp_options *o)
{
	switch (flag) {
	case FLAG_SOCKET_PATH:
		o->socket_path = value;
		return 0;
	case FLAG_PID_FILE:
		o->pid_file = value;
		return 0;
	case FLAG_HOST_PREFIX:
		o->host_prefix = value;
		return 0;
	case FLAG_BROADCAST:
		return parse_bool(value, &o->timing.broadcast);
	case FLAG_TIMEOUT:
		return dhcp_parse_duration(value, &o->timing.request_ms);
	case FLAG_RESEND_MAX:
		return dhcp_parse_duration(value, &o->timing.resend_max_ms);
	case FLAG_RESEND_TIMEOUT:
		return dhcp_parse_duration(value, &o->timing.give_up_ms);
	case FLAG_IDLE:
		return dhcp_parse_duration(value, &o->idle_ms);
	case FLAG_ON_DEMAND:
		o->on_demand = true;
		if (!o->idle_ms)
			o->idle_ms = ON_DEMAND_IDLE_MS;
		return 0;
	case FLAG_HELP:
		return -ECANCELED;
	}
	return -EINVAL;
}

int dhcp_options_parse(int argc, char *argv[], struct dhcp_options *ret,
		       struct err *e)
{
	struct dhcp_options o = {
		.socket_path = DHCP_SOCKET_DEFAULT,
		.host_prefix = "",
		.timing = { .request_ms = 10000,
			    .resend_max_ms = 62000,
			    .give_up_ms = 208000 },
	};
	int flag, r;

	optind = 0;
	opterr = 0;
	while ((flag = getopt_long_only(argc, argv, "+", flags, NULL)) != -1) {
		r = take_flag((enum flag)flag, optarg, &o);
		if (r == -ECANCELED)
			return r;
		if (r)
			return err_set(e, ERR_ENV, EINVAL,
				       "invalid option or value: \"%s\"",
				       argv[optind - 1]);
	}
	if (optind < argc)
		return err_set(e, ERR_ENV, EINVAL, "unknown argument \"%s\"",
			       argv[optind]);
	if (!o.timing.resend_max_ms || !o.timing.request_ms)
		return err_set(e, ERR_ENV, EINVAL,
			       "-timeout and -resendmax must not be 0");
	*ret = o;
	return 0;
}
