// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program that answers: one process a network, which the first ADD starts
 * and the last DEL ends. It reads its files again when it gets SIGHUP, and does
 * not lose a question meanwhile; only a network whose own settings have changed
 * has it started anew.
 */
#pragma once

#include <stdbool.h>

#include "meta/dnsname/network.h"
#include "meta/dnsname/service.h"

struct resolver {
	const char *name; /* of the program, and in the configuration */
	/* Where else than in PATH it may be; NULL-terminated. */
	const char *const *directories;
	const char *pid_file;
	bool is_told_domain; /* when it starts, and not by a file */

	/* Have its files say this; *@ret_restart: it does not notice itself. */
	int (*configure)(const struct dns_network *net,
			 const struct dns_service *service, bool *ret_restart,
			 struct arena *a, struct err *e);
	/* Whether its files are in the network's directory. */
	bool (*is_configured)(const struct dns_network *net);
	/* Have its files say these names, or NULL: addnhosts is enough. */
	int (*write_hosts)(const struct dns_network *net,
			   const struct dns_hosts *hosts, struct arena *a,
			   struct err *e);
	/* The name of the file it reads then, in @a. */
	const char *(*hosts_file)(const struct dns_network *net,
				  struct arena *a);
	/* Its command line, in @a; the program's path is the first. */
	const char **(*command)(const struct dns_network *net,
				const char *program, struct arena *a);
};

extern const struct resolver resolver_dnsmasq, resolver_aardvark;

/* The one that has that name, or for "" the first that is installed. -ENOENT
 * with ERR_UNAVAILABLE when there is none. */
int resolver_choose(const char *name, const struct resolver **ret,
		    struct err *e);

/* The one that the network has now; NULL for none. */
const struct resolver *resolver_of(const struct dns_network *net);

/* Have it read its files again, if it runs; nobody waits for that. */
void resolver_notify(const struct resolver *resolver,
		     const struct dns_network *net);

/* Have it read its files again, or start it if it does not run, and return when
 * it has read them. @restart: it is ended first. */
int resolver_run(const struct resolver *resolver, const struct dns_network *net,
		 bool restart, struct err *e);

bool resolver_is_running(const struct resolver *resolver,
			 const struct dns_network *net);

/* Tell it to end: a descriptor of its process (pidfd_open(2)), which the caller
 * closes; -1 when it does not run. */
int resolver_end(const struct resolver *resolver,
		 const struct dns_network *net);

/* Wait until the process has gone, whether it wants to or not. */
void resolver_wait(int process);
