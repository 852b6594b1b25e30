// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/iptables_program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "kernel/nft.h"

#define PROGRAM_MAX 64
#define NAMES_MAX   4096
#define SAVED_MAX   ((size_t)64 << 20) /* some 500,000 rules */

static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/local/sbin",
				    "/usr/bin",	 "/bin",  "/usr/local/bin" };

static const char *prefix_of(uint8_t family)
{
	return family == AF_INET6 ? "ip6tables" : "iptables";
}

/* --- the programs -------------------------------------------------------- */

static bool find_in_dirs(const char *name, char path[static PROGRAM_MAX])
{
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, PROGRAM_MAX, "%s/%s", dirs[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

/* The program for @verb, "save" or "restore". Where the variants' own names
 * are missing there is only the plain one; where that is in none of the usual
 * directories, PATH is left to find it. */
static void find_program(const struct iptables_place *place, const char *verb,
			 char path[static PROGRAM_MAX])
{
	static const char *const infix[] = { [IPTABLES_PLAIN] = "",
					     [IPTABLES_NFT] = "-nft",
					     [IPTABLES_LEGACY] = "-legacy" };
	const char *prefix = prefix_of(place->family);
	char name[PROGRAM_MAX / 2];

	snprintf(name, sizeof(name), "%s%s-%s", prefix, infix[place->variant],
		 verb);
	if (find_in_dirs(name, path))
		return;
	snprintf(name, sizeof(name), "%s-%s", prefix, verb);
	if (!find_in_dirs(name, path))
		snprintf(path, PROGRAM_MAX, "%s", name);
}

/* Make one line of what it wrote to stderr. */
static void flatten(char *log)
{
	size_t len = strlen(log);

	while (len && strchr(" \t\r\n", log[len - 1]))
		log[--len] = '\0';
	for (char *c = log; *c; c++)
		if (strchr("\t\r\n", *c))
			*c = ' ';
}

static int run(const char *const *argv, const char *input,
	       struct process_result *ret, struct err *e)
{
	const struct process process = { .argv = argv,
					 .input = input,
					 .input_len = strlen(input),
					 .output_max = SAVED_MAX };
	int r = process_run(&process, ret, e);

	if (r == -ENOENT)
		return err_set(e, ERR_IO, ENOENT,
			       "program \"%s\" is not installed", argv[0]);
	if (r || !ret->status)
		return r;
	flatten(ret->log);
	return err_set(e, ERR_IO, EREMOTEIO, "%s failed: %s", argv[0],
		       *ret->log ? ret->log : "it does not say why");
}

int iptables_save(const struct iptables_place *place, char **ret, struct err *e)
{
	_process_result_ struct process_result result = { 0 };
	char path[PROGRAM_MAX];
	const char *const argv[] = { path, "-t", place->table, NULL };
	int r;

	find_program(place, "save", path);
	r = run(argv, "", &result, e);
	if (!r)
		*ret = steal_ptr(&result.output);
	return r;
}

int iptables_restore(const struct iptables_place *place, const char *text,
		     struct err *e)
{
	_process_result_ struct process_result result = { 0 };
	char path[PROGRAM_MAX];
	const char *const argv[] = { path, "--noflush", "-w", NULL };

	find_program(place, "restore", path);
	return run(argv, text, &result, e);
}

/* --- without them -------------------------------------------------------- */

static uint32_t nft_family(const struct iptables_place *place)
{
	return place->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

/* The table or one of the chains is there, or it cannot be said. */
static bool nft_may_have_any(struct netfilter *nf,
			     const struct iptables_place *place,
			     const char *const *chains)
{
	struct nft nft = { nf, nft_family(place), place->table };
	int r = -ENOENT;
	uint32_t use;

	if (!*chains)
		r = nft_find_table(&nft, NULL);
	for (; r == -ENOENT && *chains; chains++)
		r = nft_find_chain(&nft, *chains, &use, NULL);
	return r != -ENOENT && !nft_is_absent(r);
}

/* The kernel's list has the tables that are in use in this namespace. */
static bool legacy_has_table(const struct iptables_place *place)
{
	const char *path = place->family == AF_INET6
				   ? "/proc/net/ip6_tables_names"
				   : "/proc/net/ip_tables_names";
	size_t len, wanted = strlen(place->table);
	_free_ char *names = NULL;

	if (fs_read_file(path, NAMES_MAX, &names, &len, NULL))
		return false;
	for (const char *line = names; *line;) {
		size_t n = strcspn(line, "\n");

		if (n == wanted && !strncmp(line, place->table, n))
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}

bool iptables_may_have_any(struct netfilter *nf,
			   const struct iptables_place *place,
			   const char *const *chains)
{
	if (place->variant == IPTABLES_NFT)
		return nft_may_have_any(nf, place, chains);
	if (place->variant == IPTABLES_LEGACY)
		return legacy_has_table(place);
	return true;
}

static bool has_program(const struct iptables_place *place)
{
	char path[PROGRAM_MAX];

	find_program(place, "restore", path);
	return *path == '/';
}

/* One that may drop: the reference's and ours go to chains of their own, or
 * accept. */
static bool has_foreign_rule(const struct nft_rule *v, size_t n)
{
	static const char own[] = "CNI-";

	for (size_t i = 0; i < n; i++)
		if (!v[i].accepts &&
		    strncmp(v[i].target, own, sizeof(own) - 1) != 0)
			return true;
	return false;
}

static int nft_drops(struct netfilter *nf, const struct iptables_place *place,
		     const char *chain, bool *ret, struct err *e)
{
	_arena_ struct arena a = { 0 };
	struct nft nft = { nf, nft_family(place), place->table };
	uint32_t policy = NF_ACCEPT;
	struct nft_rule *rules = NULL;
	size_t n = 0;
	int r = nft_chain_policy(&nft, chain, &policy, e);
	if (!r)
		r = nft_list_rules(&nft, chain, &a, &rules, &n, e);
	if (r && r != -ENOENT && !nft_is_absent(r))
		return r;
	*ret = (policy != NF_ACCEPT || has_foreign_rule(rules, n)) &&
	       has_program(place);
	return 0;
}

static int legacy_drops(const struct iptables_place *place, const char *chain,
			bool *ret, struct err *e)
{
	_free_ char *text = NULL;
	char accepts[PROGRAM_MAX];
	int r;

	*ret = false;
	if (!legacy_has_table(place))
		return 0;
	r = iptables_save(place, &text, e);
	if (r) /* without the program it cannot be said, nor helped */
		return r == -ENOENT ? 0 : r;
	snprintf(accepts, sizeof(accepts), "\n:%s ACCEPT ", chain);
	*ret = !strstr(text, accepts);
	return 0;
}

int iptables_chain_drops(struct netfilter *nf,
			 const struct iptables_place *place, const char *chain,
			 bool *ret, struct err *e)
{
	struct iptables_place nft = *place, legacy = *place;
	int r = 0;

	nft.variant = IPTABLES_NFT;
	legacy.variant = IPTABLES_LEGACY;
	if (place->variant != IPTABLES_LEGACY)
		r = nft_drops(nf, &nft, chain, ret, e);
	if (place->variant == IPTABLES_NFT ||
	    (place->variant == IPTABLES_PLAIN && (r || *ret)))
		return r;
	return legacy_drops(&legacy, chain, ret, e);
}
