// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whom a kernel object belongs to: an attachment, that is one interface of one
 * container on one network. The same text goes into the alias of a link and
 * the comment of an nftables element, so that DEL, CHECK and GC find what is
 * theirs after a crash, without a file, and after the namespace has gone:
 *
 *	6fd94d501e58f0aa-287fc69eff0574a2, net: podman, if: eth0, id: 5f1c...
 *
 * Two hashes decide (the network's, and interface and container's); the rest
 * is for people and is cut where it does not fit. The form is that of the
 * reference plugins' own nftables comments (pkg/ip/ipmasq_nftables_linux.go).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OWNER_NETWORK_DIGITS 16
#define OWNER_KEY_LEN	     33	 /* "network-attachment", no NUL */
#define OWNER_TEXT_MAX	     128 /* nft refuses longer comments */

struct owner {
	const char *network;
	const char *container_id;
	const char *ifname;
	const char *netns; /* the container's; NULL or "": not said */
};

struct owner_text {
	char text[OWNER_TEXT_MAX];
};

struct owner_text owner_text(const struct owner *o);

/* The two hashes alone: what owner_text() begins with. */
struct owner_key {
	char text[OWNER_KEY_LEN + 1];
};

struct owner_key owner_key(const struct owner *o);

/* Whether @text (NULL: none) names this attachment. */
bool owner_is(const struct owner *o, const char *text);

/* Whether @text names an attachment to this network that is none of the @n
 * valid ones. */
bool owner_is_stale(const char *network, const struct owner *valid, size_t n,
		    const char *text);

/* Whether @text names some attachment, but not this one. */
bool owner_is_another(const struct owner *o, const char *text);

/* Whether @text names an attachment at all. */
bool owner_is_some(const char *text);

/* The part of @text that is for people: "net: N, if: I, id: C"; all of it when it
 * names no attachment. */
const char *owner_words(const char *text);

/* A name for the attachment's host interface: "veth" and eleven hexadecimal
 * digits, the same each time, so that DEL finds it without looking around. */
struct owner_ifname {
	char name[16];
};

struct owner_ifname owner_host_ifname(const struct owner *o);
