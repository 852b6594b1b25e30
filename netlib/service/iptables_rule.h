// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text of an iptables rule, in the form that iptables-save prints it: what
 * follows "-A CHAIN ". Rules are compared in that form, so they are written in
 * it: source, destination and interfaces first, networks without host bits,
 * hosts as /32 and /128, what needs it in quotes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/owner.h"

#define IPTABLES_CHAIN_MAX  29	 /* a chain's name with its NUL */
#define IPTABLES_WORD_MAX   1024 /* iptables-restore takes no longer words */
#define IPTABLES_PREFIX_MAX 56

/* @word as iptables-save prints it: in quotes where it needs them. iptables
 * cannot be given a control character: whoever passes words on has had them
 * checked by iptables_check_word(). NULL: out of memory. */
const char *iptables_quote(const char *word, struct arena *a);

/* Whether iptables-restore can be given @word, which errors call @what. */
int iptables_check_word(const char *what, const char *word, struct err *e);

/* Whether @name can be that of a chain, and nothing else. */
int iptables_check_chain(const char *what, const char *name, struct err *e);

/* Whether @name can be that of an interface, and of one only. */
int iptables_check_interface(const char *what, const char *name, struct err *e);

/* The value of @option ("-j", "--dport") in @rule, without its quotes; false
 * when the rule does not have it. */
bool iptables_option(const char *rule, const char *option,
		     char ret[static IPTABLES_WORD_MAX]);

/* "-s 10.1.0.0/24 ", or nothing for a prefix that everything is in. @option is
 * "-s", "-d" or one of these after "! ". */
struct iptables_match {
	char text[IPTABLES_PREFIX_MAX];
};

struct iptables_match iptables_match(const char *option,
				     const struct ip_prefix *p);

/* The same for one address. */
struct iptables_match iptables_match_host(const char *option,
					  const struct ip_addr *a);

/* The match of a comment that says whose the rule is, in quotes:
 * -m comment --comment "PREFIXname: \"NETWORK\" id: \"CONTAINER\"". The kernel
 * has room for 255 bytes. NULL: out of memory. */
const char *iptables_comment(const char *prefix, const struct owner *owner,
			     struct arena *a);

/* Whether the rule has such a comment of any attachment to @network. */
bool iptables_comment_is_of(const char *rule, const char *prefix,
			    const char *network);

/* PREFIX and hexadecimal digits that follow from network and container, as long
 * as the reference has them. */
struct iptables_chain_name {
	char text[IPTABLES_CHAIN_MAX];
};

struct iptables_chain_name iptables_chain_name(const char *prefix,
					       const struct owner *owner);

/* What GC is told: the attachments to a network that are valid. */
struct iptables_valid {
	const char *network;
	const struct owner *v;
	size_t n;
};

/* The names of their chains, .n of them, in @a; NULL: out of memory. */
struct iptables_chain_name *iptables_valid_chains(
	const char *prefix, const struct iptables_valid *valid,
	struct arena *a);

/* Whether @chain is a name with that prefix, but none of the @n. */
bool iptables_chain_is_stale(const char *chain, const char *prefix,
			     const struct iptables_chain_name *v, size_t n);
