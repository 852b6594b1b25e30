// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/firewalld.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter.h>

#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "kernel/nft.h"

#define BUS_SOCKET    "/run/dbus/system_bus_socket"
#define LEGACY_TABLES "/proc/net/ip_tables_names"
#define LIBRARY	      "libsystemd.so.0"

#define SERVICE	  "org.fedoraproject.FirewallD1"
#define PATH	  "/org/fedoraproject/FirewallD1"
#define ZONES	  SERVICE ".zone"
#define EXCEPTION SERVICE ".Exception"

/* --- is it there? -------------------------------------------------------- */

/* Its nftables backend has a table of its own, its iptables backend chains. */
static bool has_nft_rules(struct netfilter *nf)
{
	struct nft own = { nf, NFPROTO_INET, "firewalld" },
		   filter = { nf, NFPROTO_IPV4, "filter" };
	uint32_t use;

	return !nft_find_table(&own, NULL) ||
	       !nft_find_chain(&filter, "INPUT_ZONES", &use, NULL);
}

/* Of iptables-legacy no more can be told without its own socket. */
static bool has_legacy_rules(void)
{
	_free_ char *tables = NULL;
	size_t len;
	int r = fs_read_file(LEGACY_TABLES, 4096, &tables, &len, NULL);

	return r ? r != -ENOENT : strstr(tables, "filter") != NULL;
}

bool firewalld_is_likely(struct netfilter *nf)
{
	if (access(BUS_SOCKET, F_OK))
		return false;
	return has_nft_rules(nf) || has_legacy_rules();
}

/* --- the bus ------------------------------------------------------------- */

/* What is used of libsystemd, with the types of its header. */
struct bus {
	sd_bus *connection;
	typeof(sd_bus_open_system) *open_system;
	typeof(sd_bus_flush_close_unref) *close;
	typeof(sd_bus_call_method) *call;
	typeof(sd_bus_message_read) *read;
	typeof(sd_bus_message_unref) *unref;
	typeof(sd_bus_error_free) *error_free;
};

static void bus_close_cleanup(struct bus *bus)
{
	if (bus->connection)
		bus->close(bus->connection);
	bus->connection = NULL;
}

#define _bus_ cleanup(bus_close)

/* The library stays: it is not made to be unloaded. */
static int load_library(struct bus *bus, struct err *e)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		err_set(e, ERR_UNSUPPORTED, ENOPKG,
			"firewalld: cannot load " LIBRARY ": %s", dlerror());
		return -ENOPKG;
	}
	bus->open_system = dlsym(library, "sd_bus_open_system");
	bus->close = dlsym(library, "sd_bus_flush_close_unref");
	bus->call = dlsym(library, "sd_bus_call_method");
	bus->read = dlsym(library, "sd_bus_message_read");
	bus->unref = dlsym(library, "sd_bus_message_unref");
	bus->error_free = dlsym(library, "sd_bus_error_free");
	if (bus->open_system && bus->close && bus->call && bus->read &&
	    bus->unref && bus->error_free)
		return 0;
	err_set(e, ERR_UNSUPPORTED, ENOPKG,
		"firewalld: " LIBRARY " is too old");
	return -ENOPKG;
}

static int bus_open(struct bus *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = load_library(ret, e);
	if (r)
		return r;
	r = ret->open_system(&ret->connection);
	if (r < 0)
		return err_set(e, ERR_IO, -r,
			       "firewalld: open the system bus: %s",
			       strerror(-r));
	return 0;
}

static int bus_is_running(struct bus *bus, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int owned = 0;
	int r = bus->call(bus->connection, "org.freedesktop.DBus",
			  "/org/freedesktop/DBus", "org.freedesktop.DBus",
			  "NameHasOwner", &error, &reply, "s", SERVICE);

	if (r >= 0)
		r = bus->read(reply, "b", &owned);
	if (r < 0)
		r = err_set(e, ERR_IO, -r, "firewalld: ask the system bus: %s",
			    error.message ? error.message : strerror(-r));
	else
		r = owned ? 0
			  : err_set(e, ERR_IO, EHOSTDOWN,
				    "firewalld is not running");
	bus->unref(reply);
	bus->error_free(&error);
	return r;
}

int firewalld_status(struct err *e)
{
	_bus_ struct bus bus = { 0 };
	int r = bus_open(&bus, e);

	return r ? r : bus_is_running(&bus, e);
}

/* --- sources of zones ---------------------------------------------------- */

/* What firewalld's exceptions begin with, and how callers see them. */
static const struct {
	const char *word;
	int errnum;
} exceptions[] = {
	{ "ZONE_ALREADY_SET", EEXIST },
	{ "UNKNOWN_SOURCE", ENOENT },
	{ "INVALID_ZONE", EINVAL },
	{ "ZONE_CONFLICT", EBUSY },
};

static int read_exception(const sd_bus_error *error, int r)
{
	if (!error->name || strcmp(error->name, EXCEPTION) != 0 ||
	    !error->message)
		return -r;
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		if (!strncmp(error->message, exceptions[i].word,
			     strlen(exceptions[i].word)))
			return exceptions[i].errnum;
	return EREMOTEIO;
}

/* One call about a source. *@ret (NULL: of no interest) is the boolean that it
 * answers. */
static int call(struct bus *bus, const char *method, const struct firewall *fw,
		const struct ip_addr *address, int *ret, struct err *e)
{
	const struct ip_prefix host = { *address,
					(uint8_t)ip_bits(address->family) };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char source[PREFIX_TEXT_MAX];
	int r;

	prefix_text(&host, source);
	r = bus->call(bus->connection, SERVICE, PATH, ZONES, method, &error,
		      &reply, "ss", fw->zone, source);
	if (r >= 0 && ret)
		r = bus->read(reply, "b", ret);
	r = r >= 0 ? 0
		   : err_set(e, ERR_IO, read_exception(&error, r),
			     "firewalld: %s %s of zone \"%s\": %s", method,
			     source, fw->zone,
			     error.message ? error.message : strerror(-r));
	bus->unref(reply);
	bus->error_free(&error);
	return r;
}

int firewalld_add(const struct firewall *fw, struct err *e)
{
	_bus_ struct bus bus = { 0 };
	_arena_ struct arena a = { 0 };
	bool *added = arena_array(&a, fw->addresses.n, sizeof(*added));
	size_t i;
	int r;

	if (!added)
		return err_oom(e);
	r = bus_open(&bus, e);
	for (i = 0; !r && i < fw->addresses.n; i++) {
		r = call(&bus, "addSource", fw, &fw->addresses.v[i], NULL, e);
		added[i] = !r;
		if (r == -EEXIST)
			r = 0;
	}
	while (r && i--)
		if (added[i])
			call(&bus, "removeSource", fw, &fw->addresses.v[i],
			     NULL, NULL);
	return r;
}

/* What firewalld itself says against it means that nothing of ours is there. */
int firewalld_del(const struct firewall *fw, struct err *e)
{
	_bus_ struct bus bus = { 0 };
	struct err why = { 0 };
	int r = fw->addresses.n ? bus_open(&bus, &why) : 0;

	if (!r && fw->addresses.n)
		r = bus_is_running(&bus, &why);
	if (r == -EHOSTDOWN || r == -ENOPKG)
		return 0;
	for (size_t i = 0; !r && i < fw->addresses.n; i++) {
		r = call(&bus, "removeSource", fw, &fw->addresses.v[i], NULL,
			 &why);
		if (r == -ENOENT || r == -EINVAL || r == -EBUSY ||
		    r == -EREMOTEIO)
			r = 0;
	}
	if (r && e)
		*e = why;
	return r;
}

int firewalld_check(const struct firewall *fw, struct err *e)
{
	_bus_ struct bus bus = { 0 };
	int r = bus_open(&bus, e), is_there = 0;

	for (size_t i = 0; !r && i < fw->addresses.n; i++) {
		char text[IP_TEXT_MAX];

		r = call(&bus, "querySource", fw, &fw->addresses.v[i],
			 &is_there, e);
		if (!r && !is_there)
			r = err_set(
				e, ERR_MISMATCH, ENOENT,
				"firewalld: %s is not a source of zone \"%s\"",
				ip_text(&fw->addresses.v[i], text), fw->zone);
	}
	return r;
}
